// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: the end of a device's events while another task looks whether it has any.
 *
 * That task may have read info->irq just before the driver changed it. If the core then
 * believes the old value, an unread event hides the error. The window is a few instructions
 * wide. So a watchpoint holds the task up each time it has read info->irq.
 */

#include <linux/cpumask.h>
#include <linux/file.h>
#include <linux/hw_breakpoint.h>
#include <linux/kthread.h>
#include <linux/perf_event.h>
#include <linux/poll.h>
#include <linux/preempt.h>
#include <linux/timekeeping.h>

#include "uio_test.h"

/* Interrupts are off meanwhile. The watchdogs complain if that lasts longer. */
#define UIO_TEST_STALE_NS	(10 * NSEC_PER_SEC)

struct uio_test_look {
	struct file *file;
	unsigned int reads;
	unsigned int go_on;
	bool done;
};

static int uio_test_look(void *data)
{
	struct uio_test_look *look = data;

	vfs_poll(look->file, NULL);
	/* pairs with uio_test_wait_for_read() */
	smp_store_release(&look->done, true);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* In the exception: the task has read info->irq. */
static void uio_test_hold_up(struct perf_event *watch, struct perf_sample_data *data,
			     struct pt_regs *regs)
{
	u64 end = ktime_get_mono_fast_ns() + UIO_TEST_STALE_NS;
	struct uio_test_look *look = watch->overflow_handler_context;
	unsigned int reads = look->reads + 1;

	/* pairs with uio_test_wait_for_read() */
	smp_store_release(&look->reads, reads);
	/* pairs with uio_test_end_during_look() */
	while (smp_load_acquire(&look->go_on) < reads && ktime_get_mono_fast_ns() < end)
		cpu_relax();
}

/* Until the task has read info->irq that often, or its call has returned. */
static bool uio_test_wait_for_read(struct uio_test_look *look, unsigned int reads)
{
	u64 end = ktime_get_mono_fast_ns() + UIO_TEST_STALE_NS;

	/* pairs with uio_test_hold_up() and uio_test_look() */
	while (smp_load_acquire(&look->reads) < reads && !smp_load_acquire(&look->done)) {
		if (ktime_get_mono_fast_ns() > end)
			return false;
		cpu_relax();
	}
	return true;
}

static int uio_test_end_during_look(struct uio_test_look *look, struct uio_info *info,
				    struct task_struct *task)
{
	WRITE_ONCE(info->irq, UIO_IRQ_CUSTOM);
	wake_up_process(task);
	if (!uio_test_wait_for_read(look, 1) || !look->reads)
		return -ENODATA;

	WRITE_ONCE(info->irq, UIO_IRQ_NONE);
	uio_event_notify(info);
	/* pairs with uio_test_hold_up() */
	smp_store_release(&look->go_on, 1);
	if (!uio_test_wait_for_read(look, 2))
		return -ENODATA;
	return vfs_poll(look->file, NULL) & EPOLLERR ? 0 : -EILSEQ;
}

static int uio_test_stale_on(unsigned int cpu, struct uio_info *info, struct file *file)
{
	struct uio_test_look look = { .file = file };
	struct perf_event_attr attr;
	struct perf_event *watch;
	struct task_struct *task;
	int ret;

	task = kthread_create(uio_test_look, &look, "uio_test_stale");
	if (IS_ERR(task))
		return PTR_ERR(task);

	kthread_bind(task, cpu);
	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)&info->irq;
	attr.bp_len = sizeof(info->irq);
	attr.bp_type = HW_BREAKPOINT_RW;
	watch = register_user_hw_breakpoint(&attr, uio_test_hold_up, &look, task);
	if (IS_ERR(watch)) {
		kthread_stop(task);
		return PTR_ERR(watch);
	}

	ret = uio_test_end_during_look(&look, info, task);
	/* pairs with uio_test_hold_up() */
	smp_store_release(&look.go_on, UINT_MAX);
	kthread_stop(task);
	unregister_hw_breakpoint(watch);
	return ret;
}

/**
 * uio_test_stale - end a device's events during a call of poll()
 * @info: the device
 * @fd: an open file of the device
 *
 * Return: 0; -EILSEQ if a second poll() did not see the end of events; -EOPNOTSUPP if there
 * is only one CPU; -ENODATA if the first poll() was not held up; or another error.
 */
int uio_test_stale(struct uio_info *info, int fd)
{
	struct file *file;
	unsigned int cpu;
	int ret = -EOPNOTSUPP;

	file = fget(fd);
	if (!file)
		return -EBADF;

	/* the core knows that there is no interrupt, and there is an unread event */
	WRITE_ONCE(info->irq, UIO_IRQ_NONE);
	uio_event_notify(info);

	migrate_disable();
	cpu = cpumask_any_but(cpu_online_mask, smp_processor_id());
	if (cpu < nr_cpu_ids)
		ret = uio_test_stale_on(cpu, info, file);
	migrate_enable();
	fput(file);
	return ret;
}
