// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_window: holds a thread up in the place where a wake-up can be lost, where
 * a page can slip in, or where a string can go away.
 *
 * A sleeper that looks at the device first and queues itself afterwards misses
 * what happens in between. That is a few instructions; here it lasts until the
 * test says go. Works on any uio module, unmodified: it probes what read() and
 * poll() of it call on their way to sleep,
 *
 *	mutex_unlock			on return, where mainline's look ends
 *	prepare_to_wait			on entry and return
 *	__pollwait			the same, for poll() and select()
 *	ep_ptable_queue_proc		the same, for epoll
 *
 * and what its fault handler calls to insert a page that it has found in a device
 * that was still live then,
 *
 *	vmf_insert_pfn, vmf_insert_mixed, vm_insert_page[s]	on entry
 *
 * and where an attribute shows a string of the driver's,
 *
 *	sysfs_emit, sprintf		on entry
 *
 * but only in threads of a given name, and only if uio is the caller.
 *
 * A test sets the parameter go to N, hits and late to 0, gives the thread its
 * name, waits until hits is 1, does what it has to, and sets go to Y. If late is
 * not 0 then, the thread went on by itself, and the test has shown nothing.
 */

#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

static char *comm = "uio-window";
module_param(comm, charp, 0444);
MODULE_PARM_DESC(comm, "name of the threads to hold up");

/* Nothing else runs on that CPU: any longer, and the watchdogs and RCU complain. */
static unsigned int ms = 15000;
module_param(ms, uint, 0644);
MODULE_PARM_DESC(ms, "longest time to hold a thread up for");

static bool go = true;
module_param(go, bool, 0644);
MODULE_PARM_DESC(go, "let threads go on");

static bool after;
module_param(after, bool, 0644);
MODULE_PARM_DESC(after, "where: before the thread has queued itself, or after");

static unsigned int hits;
module_param(hits, uint, 0644);
MODULE_PARM_DESC(hits, "times that a thread was held up");

static unsigned int late;
module_param(late, uint, 0644);
MODULE_PARM_DESC(late, "times that a thread was held up until ms had passed");

static bool uio_window_caller_is_uio(struct pt_regs *regs)
{
	unsigned long caller = *(unsigned long *)kernel_stack_pointer(regs);
	char symbol[KSYM_SYMBOL_LEN];

	sprint_symbol(symbol, caller);
	return strstr(symbol, "[uio]");
}

/* By the clock: on a busy host each millisecond of waiting takes several. */
static void uio_window_hold(void)
{
	u64 end = ktime_get_mono_fast_ns() + (u64)READ_ONCE(ms) * NSEC_PER_MSEC;

	if (READ_ONCE(go))
		return;

	WRITE_ONCE(hits, hits + 1);
	while (!READ_ONCE(go) && ktime_get_mono_fast_ns() < end)
		mdelay(1);
	if (!READ_ONCE(go))
		WRITE_ONCE(late, late + 1);
}

/* Non-zero: not interested in the return. */
static int uio_window_mutex_entry(struct kretprobe_instance *ri,
				  struct pt_regs *regs)
{
	return READ_ONCE(go) || READ_ONCE(after) || strcmp(current->comm, comm) ||
	       !uio_window_caller_is_uio(regs);
}

static int uio_window_queue_entry(struct kretprobe_instance *ri,
				  struct pt_regs *regs)
{
	if (READ_ONCE(go) || strcmp(current->comm, comm) ||
	    !uio_window_caller_is_uio(regs))
		return 1;

	if (!READ_ONCE(after))
		uio_window_hold();
	return !READ_ONCE(after);
}

static int uio_window_return(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	uio_window_hold();
	return 0;
}

#define UIO_WINDOW(_symbol, _entry)			\
	{						\
		.kp.symbol_name	= _symbol,		\
		.entry_handler	= _entry,		\
		.handler	= uio_window_return,	\
		.maxactive	= 32,			\
	}

static struct kretprobe uio_windows[] = {
	UIO_WINDOW("mutex_unlock", uio_window_mutex_entry),
	UIO_WINDOW("prepare_to_wait", uio_window_queue_entry),
	UIO_WINDOW("__pollwait", uio_window_queue_entry),
	UIO_WINDOW("ep_ptable_queue_proc", uio_window_queue_entry),
	UIO_WINDOW("vmf_insert_pfn", uio_window_queue_entry),
	UIO_WINDOW("vmf_insert_mixed", uio_window_queue_entry),
	UIO_WINDOW("vm_insert_page", uio_window_queue_entry),
	UIO_WINDOW("vm_insert_pages", uio_window_queue_entry),
	UIO_WINDOW("sysfs_emit", uio_window_queue_entry),
	UIO_WINDOW("sprintf", uio_window_queue_entry),
};

static int __init uio_window_init(void)
{
	int i, ret;

	for (i = 0; i < ARRAY_SIZE(uio_windows); i++) {
		ret = register_kretprobe(&uio_windows[i]);
		if (!ret)
			continue;

		pr_err("uio_window: no probe of %s (%d)\n",
		       uio_windows[i].kp.symbol_name, ret);
		while (i--)
			unregister_kretprobe(&uio_windows[i]);
		return ret;
	}
	return 0;
}

static void __exit uio_window_exit(void)
{
	int i;

	WRITE_ONCE(go, true);
	for (i = 0; i < ARRAY_SIZE(uio_windows); i++)
		unregister_kretprobe(&uio_windows[i]);
}

module_init(uio_window_init)
module_exit(uio_window_exit)
MODULE_DESCRIPTION("Holds UIO's sleepers up where wake-ups are lost");
MODULE_LICENSE("GPL");
