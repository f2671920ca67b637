// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: file operations of /dev/uioN.
 */

#include "uio_internal.h"
#include "uio_mapping.h"
#include "uio_trace.h"

#include <linux/sched/mm.h>
#include <linux/srcu.h>
#include <linux/uio_device.h>

/*
 * A reader checks &uio_file.revoked and then inserts a page, or puts the file on the list
 * for signals. UIO_IOC_REVOKE sets the flag, waits for the readers, and undoes what they
 * did (litmus: file-srcu). There is one for all devices: never call a driver under it.
 */
DEFINE_SRCU(uio_file_srcu);

/*
 * Drivers without a context were written when open, release and irqcontrol never ran
 * concurrently. Some rely on it.
 */
static void uio_lock_legacy(struct uio_object *obj)
{
	if (!obj->ctx)
		mutex_lock(&obj->idev.info_lock);
}

static void uio_unlock_legacy(struct uio_object *obj)
{
	if (!obj->ctx)
		mutex_unlock(&obj->idev.info_lock);
}

static int uio_call_open(struct uio_object *obj)
{
	int ret;

	uio_lock_legacy(obj);
	/* the wait may have been long */
	ret = uio_is_live(obj) ?
		obj->idev.info->open(obj->idev.info, READ_ONCE(obj->inode)) : -ENODEV;
	uio_unlock_legacy(obj);
	return ret;
}

static int uio_call_release(struct uio_object *obj)
{
	int ret;

	uio_lock_legacy(obj);
	ret = obj->idev.info->release(obj->idev.info, READ_ONCE(obj->inode));
	uio_unlock_legacy(obj);
	return ret;
}

static int uio_open_live(struct uio_object *obj, const struct inode *node,
			 struct file *filp)
{
	struct uio_info *info = obj->idev.info;
	struct uio_file *uf;
	int ret;

	/* we are inside the driver, so the module still exists */
	if (!try_module_get(obj->idev.owner))
		return -ENODEV;

	ret = -ENOMEM;
	uf = kmalloc_obj(*uf, GFP_KERNEL_ACCOUNT);
	if (!uf)
		goto err_module;

	*uf = (struct uio_file) {
		.obj		= obj,
		.event_count	= atomic_read(&obj->idev.event),
		.id		= -1,
	};

	/* not at registration: many devices are never opened */
	ret = READ_ONCE(obj->inode) ? 0 : uio_make_inode(obj, node);
	if (!ret && info->open)
		ret = uio_call_open(obj);
	if (ret)
		goto err_free;

	/* some drivers get their interrupt in open() */
	uio_update_irq(obj);
	if (obj->ctx)
		kref_get(&obj->ctx->kref);
	filp->f_mapping = READ_ONCE(obj->inode)->i_mapping;
	filp->private_data = uf;
	trace_uio_open(obj);
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
		ret = uio_open_live(obj, inode, filp);
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

	/* Without a context the driver of a revoked device may be gone. */
	if ((live || ctx) && obj->idev.info->release)
		ret = uio_call_release(obj);
	if (live)
		uio_leave(obj);

	if (uf->id >= 0)
		uio_put_mappings(uf);
	trace_uio_close(obj);

	/* In this order: the context's release is code of the module. */
	if (ctx)
		uio_context_put(ctx);
	module_put(obj->idev.owner);
	put_device(&obj->idev.dev);
	kfree(uf);
	return ret;
}

static int uio_irqcontrol(struct uio_info *info, s32 irq_on)
{
	if (READ_ONCE(info->irq) == UIO_IRQ_NONE)
		return -EIO;
	if (!info->irqcontrol)
		return -ENOSYS;
	return info->irqcontrol(info, irq_on);
}

static ssize_t uio_write(struct file *filp, const char __user *buf,
			 size_t count, loff_t *ppos)
{
	struct uio_file *uf = filp->private_data;
	struct uio_object *obj = uf->obj;
	ssize_t ret;
	s32 irq_on;

	if (count != sizeof(irq_on))
		return -EINVAL;
	if (get_user(irq_on, (s32 __user *)buf))
		return -EFAULT;

	ret = uio_file_enter(uf);
	if (ret)
		return ret;

	uio_lock_legacy(obj);
	/* the wait may have been long */
	ret = uio_file_error(uf) ?: uio_irqcontrol(obj->idev.info, irq_on);
	uio_unlock_legacy(obj);

	uio_leave(obj);
	return ret ?: sizeof(irq_on);
}

static int uio_fasync_on(int fd, struct file *filp)
{
	struct uio_file *uf = filp->private_data;
	int section, ret = -ENODEV;
	unsigned int noio;

	/* as in a fault: I/O may wait for a task that waits for this section */
	noio = memalloc_noio_save();
	section = srcu_read_lock(&uio_file_srcu);
	if (!READ_ONCE(uf->revoked))
		ret = fasync_helper(fd, filp, 1, &uf->obj->idev.async_queue);
	srcu_read_unlock(&uio_file_srcu, section);
	memalloc_noio_restore(noio);
	return ret;
}

static int uio_fasync(int fd, struct file *filp, int on)
{
	struct uio_file *uf = filp->private_data;
	struct uio_object *obj = uf->obj;
	int ret;

	ret = on ? uio_fasync_on(fd, filp) :
		   fasync_helper(fd, filp, 0, &obj->idev.async_queue);
	if (ret < 0 || !on)
		return ret;

	/*
	 * pairs with uio_wake_hangup(): it sees the file, or we see the state
	 * (litmus: fasync-hangup)
	 */
	smp_mb();
	if (uio_is_live(obj))
		return ret;

	fasync_helper(fd, filp, 0, &obj->idev.async_queue);
	return -EIO;
}

static int uio_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct uio_file *uf = filp->private_data;
	int ret = uio_file_enter(uf);

	if (ret)
		return ret;

	ret = uio_mmap_live(uf, vma);
	uio_leave(uf->obj);
	return ret;
}

/* Under map_lock: pairs with uio_begin_populating() (litmus: file-populate). */
static int uio_set_revoked(struct uio_file *uf)
{
	guard(mutex)(&uf->obj->map_lock);
	if (uf->revoked)
		return -ENODEV;
	/* we would unmap pages of other files as well */
	if (uf->id == UIO_SHARED_FILE_ID)
		return -ENOSPC;

	WRITE_ONCE(uf->revoked, true);
	return 0;
}

/* Revokes one open file. Does not wait for the driver. */
static int uio_revoke_file(struct file *filp)
{
	struct uio_file *uf = filp->private_data;
	struct uio_object *obj = uf->obj;
	int ret = uio_set_revoked(uf);

	if (ret)
		return ret;

	uio_wake_all(obj);
	/*
	 * a full barrier, too: pairs with smp_mb() in uio_driver_fault()
	 * (litmus: driver-fault)
	 */
	synchronize_srcu_expedited(&uio_file_srcu);
	fasync_helper(-1, filp, 0, &obj->idev.async_queue);
	uio_wait_for_populating(obj, uf);
	uio_unmap_file(uf);
	return 0;
}

static long uio_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	if (cmd != UIO_IOC_REVOKE)
		return -ENOTTY;
	if (arg)
		return -EINVAL;
	return uio_revoke_file(filp);
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
	.unlocked_ioctl	= uio_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.show_fdinfo	= uio_show_fdinfo,
	.llseek		= noop_llseek,
};
