// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: interrupts that come while the driver says that there will be no more.
 *
 * An interrupt may have read info->irq just before the driver changed it. If the core then
 * keeps the old value, a reader sleeps for ever. The window is a few instructions wide, so
 * it takes many attempts to hit it.
 */

#include <linux/file.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/poll.h>
#include <linux/sched.h>

#include "uio_test.h"

#define UIO_TEST_STORM	(5 * HZ)

struct uio_test_storm {
	struct uio_info *info;
	bool pause;
	bool paused;
};

static int uio_test_interrupts(void *data)
{
	struct uio_test_storm *storm = data;

	while (!kthread_should_stop()) {
		/* pairs with uio_test_end_of_events(); the store pairs with uio_test_wait() */
		if (smp_load_acquire(&storm->pause)) {
			/* the last uio_event_notify() has returned */
			smp_store_release(&storm->paused, true);
		} else {
			WRITE_ONCE(storm->paused, false);
			uio_event_notify(storm->info);
		}
		cond_resched();
	}
	return 0;
}

static int uio_test_wait(bool *what, bool value, unsigned long end)
{
	/* pairs with uio_test_interrupts() */
	while (smp_load_acquire(what) != value) {
		if (time_after(jiffies, end + UIO_TEST_STORM))
			return -ETIMEDOUT;
		cond_resched();
	}
	return 0;
}

/* One interrupt may be under way when irq becomes NONE, but none begins after that. */
static int uio_test_end_of_events(struct uio_test_storm *storm, struct file *file,
				  unsigned long end)
{
	int ret;

	WRITE_ONCE(storm->info->irq, UIO_IRQ_CUSTOM);
	/* the release makes interrupts see the new irq */
	smp_store_release(&storm->pause, false);
	ret = uio_test_wait(&storm->paused, false, end);
	if (ret)
		return ret;

	/* one more interrupt may begin before the thread sees this */
	smp_store_release(&storm->pause, true);
	WRITE_ONCE(storm->info->irq, UIO_IRQ_NONE);
	uio_event_notify(storm->info);
	ret = uio_test_wait(&storm->paused, true, end);
	if (ret)
		return ret;
	return vfs_poll(file, NULL) & EPOLLERR ? 0 : -EILSEQ;
}

/**
 * uio_test_storm - end a device's events during interrupts, again and again
 * @info: the device
 * @fd: an open file of the device
 *
 * Return: 0; -EILSEQ if poll() did not see the end of events; or another error.
 */
int uio_test_storm(struct uio_info *info, int fd)
{
	struct uio_test_storm storm = { .info = info, .pause = true };
	unsigned long end = jiffies + UIO_TEST_STORM;
	struct file *file = fget(fd);
	struct task_struct *task;
	int ret = 0;

	if (!file)
		return -EBADF;

	task = kthread_run(uio_test_interrupts, &storm, "uio_test_storm");
	if (IS_ERR(task)) {
		fput(file);
		return PTR_ERR(task);
	}

	while (!ret && time_before(jiffies, end)) {
		ret = uio_test_end_of_events(&storm, file, end);
		cond_resched();
	}
	kthread_stop(task);
	fput(file);
	return ret;
}
