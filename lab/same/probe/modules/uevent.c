// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_same: hold up a registration before each uevent that it sends, so that the probe can
 * look at what exists at that time.
 */

#include <linux/kobject.h>
#include <linux/sched.h>

#include "uio_same.h"
#include "uio_redirect.h"

/* Longer than any probe waits. */
#define UIO_SAME_HOLD_MAX	(30 * HZ)

static struct uio_same *uio_same_holds;

static int uio_same_uevent(struct kobject *kobj, enum kobject_action action,
			   char *envp[])
{
	struct uio_same *same = READ_ONCE(uio_same_holds);
	int ret;

	/* all other uevents, such as those of regions, are not sent */
	if (!kobj->uevent_suppress && kobj->kset) {
		WRITE_ONCE(same->held, same->held + 1);
		wait_event_timeout(same->wait, READ_ONCE(same->let_go) >= same->held,
				   UIO_SAME_HOLD_MAX);
	}
	/* the probe must not redirect this call again */
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

/* Holds up the uevents of this task's next registration. */
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
