// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_hold: holds up the work with which TCMU looks for commands that have timed out.
 *
 * The work takes a device off a list, drops the list's lock, and takes the device's lock.
 * This window is a few instructions wide. This module makes it last until the test sets
 * go. It works on any target_core_user module, unmodified: if the work calls mutex_lock(),
 * a probe redirects the call to a function here, which waits first.
 *
 * A test sets the parameter go to N, waits until hits is not 0, acts, and sets go to Y.
 * Before the work goes on, RCU frees all that is queued.
 */

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "uio_redirect.h"

static unsigned int ms = 25000;
module_param(ms, uint, 0644);
MODULE_PARM_DESC(ms, "longest time to hold up the work, in ms");

static unsigned int hits;
module_param(hits, uint, 0444);
MODULE_PARM_DESC(hits, "times that the work was held up");

static DECLARE_WAIT_QUEUE_HEAD(uio_hold_wait);
static atomic_t uio_hold_inside;
static bool go = true;

static int uio_hold_set_go(const char *val, const struct kernel_param *kp)
{
	bool end;
	int ret = kstrtobool(val, &end);

	if (ret)
		return ret;

	if (end)
		rcu_barrier();
	else
		hits = 0;
	WRITE_ONCE(go, end);
	wake_up_all(&uio_hold_wait);
	return 0;
}

static const struct kernel_param_ops uio_hold_go_ops = {
	.set	= uio_hold_set_go,
	.get	= param_get_bool,
};
module_param_cb(go, &uio_hold_go_ops, &go, 0644);
MODULE_PARM_DESC(go, "let the work go on");

static void uio_hold(void)
{
	hits++;
	wait_event_timeout(uio_hold_wait, READ_ONCE(go), msecs_to_jiffies(ms));
}

/* The function behind mutex_lock(). */
#ifdef CONFIG_DEBUG_LOCK_ALLOC
#define UIO_HOLD_SYMBOL	"mutex_lock_nested"

static void uio_hold_mutex_lock(struct mutex *lock, unsigned int subclass)
{
	uio_hold();
	mutex_lock_nested(lock, subclass);
	atomic_dec(&uio_hold_inside);
}
#else
#define UIO_HOLD_SYMBOL	"mutex_lock"

static void uio_hold_mutex_lock(struct mutex *lock)
{
	uio_hold();
	mutex_lock(lock);
	atomic_dec(&uio_hold_inside);
}
#endif

/* The compiler may have inlined one function into the other. */
static bool uio_hold_caller_is_work(struct pt_regs *regs)
{
	char symbol[KSYM_SYMBOL_LEN];

	uio_redirect_caller(regs, symbol);
	return strstr(symbol, "[target_core_user]") &&
	       (str_has_prefix(symbol, "check_timedout_devices") ||
		str_has_prefix(symbol, "tcmu_unmap_work_fn"));
}

static int uio_hold_entry(struct kprobe *kp, struct pt_regs *regs)
{
	if (READ_ONCE(go) || !(current->flags & PF_WQ_WORKER) ||
	    !uio_hold_caller_is_work(regs))
		return 0;

	atomic_inc(&uio_hold_inside);
	return uio_redirect(kp, regs);
}

static struct uio_redirect uio_hold_lock =
	UIO_REDIRECT(UIO_HOLD_SYMBOL, uio_hold_entry, uio_hold_mutex_lock);

static int __init uio_hold_init(void)
{
	return uio_redirect_begin(&uio_hold_lock, 1);
}

static void __exit uio_hold_exit(void)
{
	uio_redirect_end(&uio_hold_lock, 1);
	WRITE_ONCE(go, true);
	wake_up_all(&uio_hold_wait);
	while (atomic_read(&uio_hold_inside))
		schedule_timeout_uninterruptible(1);
}

module_init(uio_hold_init)
module_exit(uio_hold_exit)
MODULE_DESCRIPTION("Holds up TCMU's work where its device can go away");
MODULE_LICENSE("GPL");
