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
 *	mutex_unlock			after it, where mainline's look ends
 *	prepare_to_wait			before or after
 *	__pollwait			the same, for poll() and select()
 *	ep_ptable_queue_proc		the same, for epoll
 *
 * and what its fault handler calls to insert a page that it has found in a device
 * that was still live then,
 *
 *	vmf_insert_pfn, vmf_insert_mixed, vm_insert_page[s]	before or after
 *
 * and what has signals sent, for a file that was not revoked then,
 *
 *	fasync_helper			before or after
 *
 * and what its mmap() calls to populate a mapping, which nobody can find yet,
 *
 *	remap_pfn_range, dma_mmap_attrs		before or after
 *
 * and where an attribute shows a string of the driver's,
 *
 *	sysfs_emit, sprintf		before
 *
 * but only in threads of a given name, and only if uio is the caller.
 *
 * A test sets the parameter go to N, hits and late to 0, gives the thread its
 * name, waits until hits is 1, does what it has to, and sets go to Y. If late is
 * not 0 then, the thread went on by itself, and the test has shown nothing. If it
 * sets after to Y meanwhile, a thread that is held up before goes on to the place
 * behind, and hits is 2.
 */

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/version.h>
#include <linux/wait.h>

#include "uio_redirect.h"

/* what vmf_insert_mixed() takes */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>
#define UIO_WINDOW_PFN	pfn_t
#else
#define UIO_WINDOW_PFN	unsigned long
#endif

static char *comm = "uio-window";
module_param(comm, charp, 0444);
MODULE_PARM_DESC(comm, "name of the threads to hold up");

/* Some kernels run nothing else on that CPU: any longer, and the watchdogs complain. */
static unsigned int ms = 15000;
module_param(ms, uint, 0644);
MODULE_PARM_DESC(ms, "longest time to hold a thread up for");

static bool go = true;
module_param(go, bool, 0644);
MODULE_PARM_DESC(go, "let threads go on");

static bool after;
module_param(after, bool, 0644);
MODULE_PARM_DESC(after, "where: before the call, or after");

static unsigned int hits;
module_param(hits, uint, 0644);
MODULE_PARM_DESC(hits, "times that a thread was held up");

static unsigned int late;
module_param(late, uint, 0644);
MODULE_PARM_DESC(late, "times that a thread was held up until ms had passed");

static atomic_t uio_window_inside;

static bool uio_window_holds(bool behind, u64 end)
{
	return READ_ONCE(after) == behind && !READ_ONCE(go) &&
	       ktime_get_mono_fast_ns() < end;
}

/* By the clock: on a busy host each millisecond of waiting takes several. */
static void uio_window_do_hold(bool behind, void (*wait)(void))
{
	u64 end = ktime_get_mono_fast_ns() + (u64)READ_ONCE(ms) * NSEC_PER_MSEC;

	if (!uio_window_holds(behind, end))
		return;

	WRITE_ONCE(hits, hits + 1);
	while (uio_window_holds(behind, end))
		wait();
	if (READ_ONCE(after) == behind && !READ_ONCE(go))
		WRITE_ONCE(late, late + 1);
}

static void uio_window_spin(void)
{
	mdelay(1);
}

static void uio_window_sleep(void)
{
	schedule_timeout_uninterruptible(1);
}

/*
 * Neither sleeps nor schedules: a sleeper's state is what the test is about, and some
 * callers have RCU's read lock.
 */
static void uio_window_hold(bool behind)
{
	uio_window_do_hold(behind, uio_window_spin);
}

/* Leaves the CPU to others: who waits for us may need a worker that is bound to it. */
static void uio_window_hold_asleep(bool behind)
{
	uio_window_do_hold(behind, uio_window_sleep);
}

static void uio_window_leave(void)
{
	atomic_dec(&uio_window_inside);
}

/* Here mainline's look at the device ends, so it is before what comes next. */
static void uio_window_mutex_unlock(struct mutex *lock)
{
	mutex_unlock(lock);
	uio_window_hold_asleep(false);
	uio_window_leave();
}

static void uio_window_prepare_to_wait(struct wait_queue_head *head,
				       struct wait_queue_entry *entry, int state)
{
	uio_window_hold(false);
	prepare_to_wait(head, entry, state);
	uio_window_hold(true);
	uio_window_leave();
}

static void uio_window_queue(struct file *file, wait_queue_head_t *head,
			     struct poll_table_struct *table)
{
	uio_window_hold(false);
	table->_qproc(file, head, table);
	uio_window_hold(true);
	uio_window_leave();
}

static vm_fault_t uio_window_vmf_insert_pfn(struct vm_area_struct *vma,
					    unsigned long addr, unsigned long pfn)
{
	vm_fault_t ret;

	uio_window_hold_asleep(false);
	ret = vmf_insert_pfn(vma, addr, pfn);
	uio_window_hold_asleep(true);
	uio_window_leave();
	return ret;
}

static vm_fault_t uio_window_vmf_insert_mixed(struct vm_area_struct *vma,
					      unsigned long addr,
					      UIO_WINDOW_PFN pfn)
{
	vm_fault_t ret;

	uio_window_hold_asleep(false);
	ret = vmf_insert_mixed(vma, addr, pfn);
	uio_window_hold_asleep(true);
	uio_window_leave();
	return ret;
}

static int uio_window_vm_insert_page(struct vm_area_struct *vma,
				     unsigned long addr, struct page *page)
{
	int ret;

	uio_window_hold_asleep(false);
	ret = vm_insert_page(vma, addr, page);
	uio_window_hold_asleep(true);
	uio_window_leave();
	return ret;
}

static int uio_window_vm_insert_pages(struct vm_area_struct *vma,
				      unsigned long addr, struct page **pages,
				      unsigned long *num)
{
	int ret;

	uio_window_hold_asleep(false);
	ret = vm_insert_pages(vma, addr, pages, num);
	uio_window_hold_asleep(true);
	uio_window_leave();
	return ret;
}

static int uio_window_remap_pfn_range(struct vm_area_struct *vma, unsigned long addr,
				      unsigned long pfn, unsigned long size,
				      pgprot_t prot)
{
	int ret;

	uio_window_hold_asleep(false);
	ret = remap_pfn_range(vma, addr, pfn, size, prot);
	uio_window_hold_asleep(true);
	uio_window_leave();
	return ret;
}

static int uio_window_dma_mmap_attrs(struct device *dev, struct vm_area_struct *vma,
				     void *addr, dma_addr_t dma_addr, size_t size,
				     unsigned long attrs)
{
	int ret;

	uio_window_hold_asleep(false);
	ret = dma_mmap_attrs(dev, vma, addr, dma_addr, size, attrs);
	uio_window_hold_asleep(true);
	uio_window_leave();
	return ret;
}

static int uio_window_fasync_helper(int fd, struct file *file, int on,
				    struct fasync_struct **queue)
{
	int ret;

	uio_window_hold_asleep(false);
	ret = fasync_helper(fd, file, on, queue);
	uio_window_hold_asleep(true);
	uio_window_leave();
	return ret;
}

static __printf(2, 3) int uio_window_sysfs_emit(char *buf, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;
	int ret;

	uio_window_hold(false);
	va_start(args, fmt);
	vaf.va = &args;
	ret = sysfs_emit(buf, "%pV", &vaf);
	va_end(args);
	uio_window_leave();
	return ret;
}

static __printf(2, 3) int uio_window_sprintf(char *buf, const char *fmt, ...)
{
	va_list args;
	int ret;

	uio_window_hold(false);
	va_start(args, fmt);
	ret = vsprintf(buf, fmt, args);
	va_end(args);
	uio_window_leave();
	return ret;
}

static bool uio_window_caller_is_uio(struct pt_regs *regs)
{
	char symbol[KSYM_SYMBOL_LEN];

	uio_redirect_caller(regs, symbol);
	return strstr(symbol, "[uio]");
}

static int uio_window_entry(struct kprobe *kp, struct pt_regs *regs)
{
	if (READ_ONCE(go) || strcmp(current->comm, comm) ||
	    !uio_window_caller_is_uio(regs))
		return 0;

	atomic_inc(&uio_window_inside);
	return uio_redirect(kp, regs);
}

#define UIO_WINDOW(_symbol, _instead)	\
	UIO_REDIRECT(_symbol, uio_window_entry, uio_window_ ## _instead)

static struct uio_redirect uio_windows[] = {
	UIO_WINDOW("mutex_unlock", mutex_unlock),
	UIO_WINDOW("prepare_to_wait", prepare_to_wait),
	UIO_WINDOW("__pollwait", queue),
	UIO_WINDOW("ep_ptable_queue_proc", queue),
	UIO_WINDOW("vmf_insert_pfn", vmf_insert_pfn),
	UIO_WINDOW("vmf_insert_mixed", vmf_insert_mixed),
	UIO_WINDOW("vm_insert_page", vm_insert_page),
	UIO_WINDOW("vm_insert_pages", vm_insert_pages),
	UIO_WINDOW("remap_pfn_range", remap_pfn_range),
	UIO_WINDOW("dma_mmap_attrs", dma_mmap_attrs),
	UIO_WINDOW("fasync_helper", fasync_helper),
	UIO_WINDOW("sysfs_emit", sysfs_emit),
	UIO_WINDOW("sprintf", sprintf),
};

static int __init uio_window_init(void)
{
	return uio_redirect_begin(uio_windows, ARRAY_SIZE(uio_windows));
}

static void __exit uio_window_exit(void)
{
	uio_redirect_end(uio_windows, ARRAY_SIZE(uio_windows));
	WRITE_ONCE(go, true);
	while (atomic_read(&uio_window_inside))
		schedule_timeout_uninterruptible(1);
}

module_init(uio_window_init)
module_exit(uio_window_exit)
MODULE_DESCRIPTION("Holds UIO's sleepers up where wake-ups are lost");
MODULE_LICENSE("GPL");
