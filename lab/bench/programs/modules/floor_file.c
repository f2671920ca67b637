// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench_floor: file operations.
 */

#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "floor.h"

static int floor_open(struct inode *inode, struct file *filp)
{
	struct floor_dev *floor = floor_find(iminor(inode));
	struct floor_file *ff;

	if (!floor)
		return -ENODEV;

	ff = kmalloc(sizeof(*ff), GFP_KERNEL);
	if (!ff)
		return -ENOMEM;

	ff->floor = floor;
	ff->event_count = atomic_read(&floor->event);
	filp->private_data = ff;
	return 0;
}

static int floor_release(struct inode *inode, struct file *filp)
{
	kfree(filp->private_data);
	return 0;
}

static bool has_event(const struct floor_file *ff, s32 *event)
{
	*event = atomic_read(&ff->floor->event);
	return *event != ff->event_count;
}

/* The cheapest way to sleep: one queue entry for all wake-ups. */
static noinline int wait_for_event(const struct floor_file *ff, s32 *event)
{
	DECLARE_WAITQUEUE(wait, current);
	int ret = 0;

	add_wait_queue(&ff->floor->wait, &wait);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (has_event(ff, event))
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	remove_wait_queue(&ff->floor->wait, &wait);
	return ret;
}

static ssize_t floor_read(struct file *filp, char __user *buf, size_t count,
			  loff_t *ppos)
{
	struct floor_file *ff = filp->private_data;
	s32 event;
	int ret;

	if (count != sizeof(event))
		return -EINVAL;

	if (!has_event(ff, &event)) {
		if (filp->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_for_event(ff, &event);
		if (ret)
			return ret;
	}

	if (put_user(event, (s32 __user *)buf))
		return -EFAULT;
	ff->event_count = event;
	return sizeof(event);
}

static ssize_t floor_write(struct file *filp, const char __user *buf,
			   size_t count, loff_t *ppos)
{
	struct floor_file *ff = filp->private_data;
	s32 irq_on;

	if (count != sizeof(irq_on))
		return -EINVAL;
	if (get_user(irq_on, (s32 __user *)buf))
		return -EFAULT;
	return ff->floor->irqcontrol(ff->floor, irq_on) ?: sizeof(irq_on);
}

static __poll_t floor_poll(struct file *filp, poll_table *wait)
{
	struct floor_file *ff = filp->private_data;
	s32 event;

	poll_wait(filp, &ff->floor->wait, wait);
	return has_event(ff, &event) ? EPOLLIN | EPOLLRDNORM : 0;
}

static int floor_fasync(int fd, struct file *filp, int on)
{
	struct floor_file *ff = filp->private_data;

	return fasync_helper(fd, filp, on, &ff->floor->async);
}

const struct file_operations floor_fops = {
	.owner		= THIS_MODULE,
	.open		= floor_open,
	.release	= floor_release,
	.read		= floor_read,
	.write		= floor_write,
	.poll		= floor_poll,
	.fasync		= floor_fasync,
	.mmap		= floor_mmap,
	.llseek		= noop_llseek,
};
