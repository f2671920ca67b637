// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_same: hold a registration up before each uevent that it sends, so that the
 * probe can look at what is there by then.
 */

#include <linux/kobject.h>
#include <linux/sched.h>

#include "uio_same.h"
#include "uio_redirect.h"

/* No probe waits as long. */
#define UIO_SAME_HOLD_MAX	(30 * HZ)

static struct uio_same *uio_same_holds;

static int uio_same_uevent(struct kobject *kobj, enum kobject_action action,
			   char *envp[])
{
	struct uio_same *same = READ_ONCE(uio_same_holds);
	int ret;

	/* of the others, those of regions for one, nobody hears */
	if (!kobj->uevent_suppress && kobj->kset) {
		WRITE_ONCE(same->held, same->held + 1);
		wait_event_timeout(same->wait, READ_ONCE(same->let_go) >= same->held,
				   UIO_SAME_HOLD_MAX);
	}
	/* not the probed entry once more */
	WRITE_ONCE(same->registrar, NULL);
	ret = kobject_uevent_env(kobj, action, envp);
	WRITE_ONCE(same->registrar, current);
	return ret;
}

static int uio_same_uevent_probe(struct kprobe *kp, struct pt_regs *regs)
{
	struct uio_same *same = READ_ONCE(uio_same_holds);

	return same && READ_ONCE(same->registrar) == current ? uio_redirect(kp, regs) : 0;
}

static struct uio_redirect uio_same_redirect =
	UIO_REDIRECT("kobject_uevent_env", uio_same_uevent_probe, uio_same_uevent);

int uio_same_uevents_init(void)
{
	return uio_redirect_begin(&uio_same_redirect, 1);
}

void uio_same_uevents_exit(void)
{
	uio_redirect_end(&uio_same_redirect, 1);
}

/* Those of the next registration, by the task that calls this. */
int uio_same_uevents_hold(struct uio_same *same)
{
	same->held = 0;
	same->let_go = 0;
	same->registrar = current;
	return cmpxchg(&uio_same_holds, NULL, same) ? -EBUSY : 0;
}

void uio_same_uevents_end(struct uio_same *same)
{
	if (READ_ONCE(uio_same_holds) != same)
		return;

	same->registrar = NULL;
	same->held = 0;
	WRITE_ONCE(uio_same_holds, NULL);
}
