// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_window: holds up a thread where a wake-up can be lost, where a page can be mapped
 * too late, or where a string can be freed.
 *
 * If a sleeper looks at the device first and queues itself afterwards, it misses what
 * happens in between. This window is a few instructions wide. The module makes it last
 * until the test sets go. It works on any uio module, unmodified. It probes the functions
 * that read() and poll() of uio call before they sleep,
 *
 *	mutex_unlock			after it, where mainline's look ends
 *	prepare_to_wait			before or after
 *	__pollwait			the same, for poll() and select()
 *	ep_ptable_queue_proc		the same, for epoll
 *
 * and those with which uio's fault handler maps a page, after it has seen a live device,
 *
 *	vmf_insert_pfn, vmf_insert_mixed, vm_insert_page[s]	before or after
 *
 * and the one that asks for signals, after uio has seen a file that is not revoked,
 *
 *	fasync_helper			before or after
 *
 * and those with which uio's mmap() fills a mapping that nobody can find yet,
 *
 *	remap_pfn_range, dma_mmap_attrs		before or after
 *
 * and those with which an attribute shows a string of the driver,
 *
 *	sysfs_emit, sprintf		before
 *
 * and the one with which the first open() makes the inode that all mappings are in,
 *
 *	alloc_anon_inode		before or after
 *
 * but only in threads of a given name, and only if uio is the caller.
 *
 * A test sets the parameter go to N, and hits and late to 0, and gives the thread its
 * name. It waits until hits is 1, acts, and sets go to Y. If late is not 0 then, the
 * thread went on by itself, and the test has shown nothing. If the test sets after to Y
 * while a thread is held up before a call, the thread makes the call, is held up after
 * it, and hits becomes 2.
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

/* A thread that spins can block a CPU. The watchdogs complain if that lasts longer. */
static unsigned int ms = 15000;
module_param(ms, uint, 0644);
MODULE_PARM_DESC(ms, "longest time to hold up a thread, in ms");

static bool go = true;
module_param(go, bool, 0644);
MODULE_PARM_DESC(go, "let threads go on");

static bool after;
module_param(after, bool, 0644);
MODULE_PARM_DESC(after, "hold up after the call, not before it");

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

/* By the clock, because on a busy host a wait of 1 ms takes several. */
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
 * This must neither sleep nor schedule: the test depends on the sleeper's task state, and
 * some callers are RCU readers.
 */
static void uio_window_hold(bool behind)
{
	uio_window_do_hold(behind, uio_window_spin);
}

/* This sleeps, because the other side may need a worker that is bound to this CPU. */
static void uio_window_hold_asleep(bool behind)
{
	uio_window_do_hold(behind, uio_window_sleep);
}

static void uio_window_leave(void)
{
	atomic_dec(&uio_window_inside);
}

/* mainline unlocks after its look at the device, so this is before it queues itself. */
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

static struct inode *uio_window_alloc_anon_inode(struct super_block *sb)
{
	struct inode *inode;

	uio_window_hold_asleep(false);
	inode = alloc_anon_inode(sb);
	uio_window_hold_asleep(true);
	uio_window_leave();
	return inode;
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
	UIO_WINDOW("alloc_anon_inode", alloc_anon_inode),
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
MODULE_DESCRIPTION("Holds up UIO's sleepers where wake-ups are lost");
MODULE_LICENSE("GPL");
