// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: what a file of /dev/uioN can do.
 */

#include "uio_internal.h"

static int uio_open_live(struct uio_object *obj, struct file *filp)
{
	struct uio_info *info = obj->idev.info;
	struct uio_file *uf;
	int ret;

	/* inside the driver, so the owner is still there to be asked */
	if (!try_module_get(obj->idev.owner))
		return -ENODEV;

	ret = -ENOMEM;
	uf = kmalloc(sizeof(*uf), GFP_KERNEL);
	if (!uf)
		goto err_module;

	uf->obj = obj;
	uf->event_count = atomic_read(&obj->idev.event);

	ret = info->open ? info->open(info, obj->inode) : 0;
	if (ret)
		goto err_free;

	if (obj->ctx)
		uio_context_get(obj->ctx);
	filp->f_mapping = obj->inode->i_mapping;
	filp->private_data = uf;
	return 0;

err_free:
	kfree(uf);
err_module:
	module_put(obj->idev.owner);
	return ret;
}

static int uio_open(struct inode *inode, struct file *filp)
{
	struct uio_object *obj = uio_object_find(iminor(inode));
	int ret = -ENODEV;

	if (!obj)
		return ret;

	if (uio_enter(obj)) {
		ret = uio_open_live(obj, filp);
		uio_leave(obj);
	}
	if (ret)
		put_device(&obj->idev.dev);
	return ret;
}

static int uio_release(struct inode *inode, struct file *filp)
{
	struct uio_file *uf = filp->private_data;
	struct uio_object *obj = uf->obj;
	struct uio_context *ctx = obj->ctx;
	bool live = uio_enter(obj);
	int ret = 0;

	/* Without a context a revoked device has nobody left to ask. */
	if (live || ctx) {
		struct uio_info *info = obj->idev.info;

		if (info->release)
			ret = info->release(info, obj->inode);
	}
	if (live)
		uio_leave(obj);

	/* In this order: the context's release is the module's code. */
	if (ctx)
		uio_context_put(ctx);
	module_put(obj->idev.owner);
	put_device(&obj->idev.dev);
	kfree(uf);
	return ret;
}

/* Is there something to read, or to fail with? Touches no memory of the driver's. */
static bool uio_readable(const struct uio_file *uf)
{
	struct uio_object *obj = uf->obj;

	return atomic_read(&obj->idev.event) != READ_ONCE(uf->event_count) ||
	       uio_revoked(obj) || !READ_ONCE(obj->has_irq);
}

static ssize_t uio_read(struct file *filp, char __user *buf, size_t count,
			loff_t *ppos)
{
	struct uio_file *uf = filp->private_data;
	struct uio_object *obj = uf->obj;
	s32 event;
	int ret;

	if (count != sizeof(event))
		return -EINVAL;

	do {
		if (!uio_readable(uf) && filp->f_flags & O_NONBLOCK)
			return -EAGAIN;

		ret = wait_event_interruptible(obj->idev.wait, uio_readable(uf));
		if (ret)
			return ret;

		if (uio_revoked(obj) || !READ_ONCE(obj->has_irq))
			return -EIO;

		/* again if another thread with this file was faster */
		event = atomic_read(&obj->idev.event);
	} while (event == READ_ONCE(uf->event_count));

	if (copy_to_user(buf, &event, sizeof(event)))
		return -EFAULT;

	WRITE_ONCE(uf->event_count, event);
	return sizeof(event);
}

static ssize_t uio_write(struct file *filp, const char __user *buf,
			 size_t count, loff_t *ppos)
{
	struct uio_file *uf = filp->private_data;
	struct uio_object *obj = uf->obj;
	struct uio_info *info;
	ssize_t ret;
	s32 irq_on;

	if (count != sizeof(irq_on))
		return -EINVAL;
	if (copy_from_user(&irq_on, buf, sizeof(irq_on)))
		return -EFAULT;

	if (!uio_enter(obj))
		return -EIO;

	info = obj->idev.info;
	if (info->irq == UIO_IRQ_NONE)
		ret = -EIO;
	else if (!info->irqcontrol)
		ret = -ENOSYS;
	else
		ret = info->irqcontrol(info, irq_on);

	uio_leave(obj);
	return ret ?: sizeof(irq_on);
}

static __poll_t uio_poll(struct file *filp, poll_table *wait)
{
	struct uio_file *uf = filp->private_data;
	struct uio_object *obj = uf->obj;

	/* first: whoever changes what is looked at below wakes afterwards */
	poll_wait(filp, &obj->idev.wait, wait);

	if (uio_revoked(obj))
		return EPOLLHUP | EPOLLERR;
	if (!READ_ONCE(obj->has_irq))
		return EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLERR;
	if (atomic_read(&obj->idev.event) != READ_ONCE(uf->event_count))
		return EPOLLIN | EPOLLRDNORM;
	return 0;
}

static int uio_fasync(int fd, struct file *filp, int on)
{
	struct uio_file *uf = filp->private_data;
	struct uio_object *obj = uf->obj;
	int ret = fasync_helper(fd, filp, on, &obj->idev.async_queue);

	if (ret < 0 || !on)
		return ret;

	/* pairs with uio_wake_hangup(): it sees the file, or we see the state */
	smp_mb();
	if (!uio_revoked(obj))
		return ret;

	fasync_helper(fd, filp, 0, &obj->idev.async_queue);
	return -EIO;
}

static int uio_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct uio_file *uf = filp->private_data;
	struct uio_object *obj = uf->obj;
	int ret;

	if (!uio_enter(obj))
		return -EIO;

	ret = uio_mmap_live(obj, vma);
	uio_leave(obj);
	return ret;
}

const struct file_operations uio_fops = {
	.owner		= THIS_MODULE,
	.open		= uio_open,
	.release	= uio_release,
	.read		= uio_read,
	.write		= uio_write,
	.poll		= uio_poll,
	.fasync		= uio_fasync,
	.mmap		= uio_mmap,
	.llseek		= noop_llseek,
};
