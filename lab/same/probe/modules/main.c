// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_same: commands, by ioctl. They take no locks: the probe has to know which commands
 * it may send at the same time.
 */

#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "uio_same.h"

struct platform_device *uio_same_pdev;

static struct platform_driver uio_same_driver = {
	.probe	= uio_same_probe,
	.driver	= {
		.name = "uio_same_devm",
	},
};

static int uio_same_open(struct inode *inode, struct file *filp)
{
	struct uio_same *same = kvzalloc(sizeof(*same), GFP_KERNEL);

	if (!same)
		return -ENOMEM;

	uio_same_init(same);
	filp->private_data = same;
	return 0;
}

static int uio_same_release(struct inode *inode, struct file *filp)
{
	struct uio_same *same = filp->private_data;

	uio_same_exit(same);
	uio_same_mem_exit(same);
	kvfree(same);
	return 0;
}

static ssize_t uio_same_read(struct file *filp, char __user *buf, size_t count,
			     loff_t *ppos)
{
	struct uio_same *same = filp->private_data;
	char *log = kmalloc(UIO_SAME_LOG, GFP_KERNEL);
	ssize_t ret;

	if (!log)
		return -ENOMEM;

	spin_lock_irq(&same->log_lock);
	ret = min(same->logged, count);
	memcpy(log, same->log, ret);
	same->logged = 0;
	spin_unlock_irq(&same->log_lock);

	if (copy_to_user(buf, log, ret))
		ret = -EFAULT;
	kfree(log);
	return ret;
}

static int uio_same_cmd_set(struct uio_same *same, void __user *arg)
{
	struct uio_same_set set;

	return copy_from_user(&set, arg, sizeof(set)) ? -EFAULT :
							uio_same_set(same, &set);
}

static int uio_same_cmd_alloc(struct uio_same *same, void __user *arg)
{
	struct uio_same_alloc alloc;

	return copy_from_user(&alloc, arg, sizeof(alloc)) ? -EFAULT :
							    uio_same_alloc(same, &alloc);
}

static int uio_same_cmd_word(struct uio_same *same, void __user *arg, bool write)
{
	struct uio_same_word word;
	int ret;

	if (copy_from_user(&word, arg, sizeof(word)))
		return -EFAULT;
	ret = uio_same_word(same, &word, write);
	if (!ret && copy_to_user(arg, &word, sizeof(word)))
		ret = -EFAULT;
	return ret;
}

static int uio_same_cmd_pfn(struct uio_same *same, void __user *arg)
{
	struct uio_same_pfn pfn;
	int ret;

	if (copy_from_user(&pfn, arg, sizeof(pfn)))
		return -EFAULT;
	ret = uio_same_pfn(same, &pfn);
	if (!ret && copy_to_user(arg, &pfn, sizeof(pfn)))
		ret = -EFAULT;
	return ret;
}

static int uio_same_cmd_zap(struct uio_same *same, void __user *arg)
{
	struct uio_same_zap zap;

	return copy_from_user(&zap, arg, sizeof(zap)) ? -EFAULT :
							uio_same_zap(same, &zap);
}

static int uio_same_cmd_pte(void __user *arg)
{
	struct uio_same_pte pte;

	if (copy_from_user(&pte, arg, sizeof(pte)))
		return -EFAULT;
	uio_same_pte(&pte);
	return copy_to_user(arg, &pte, sizeof(pte)) ? -EFAULT : 0;
}

static int uio_same_cmd_notify(struct uio_same *same, unsigned long times)
{
	if (!same->registered)
		return -ENXIO;
	while (times--)
		uio_event_notify(&same->info);
	return 0;
}

static int uio_same_cmd_dwell(struct uio_same *same, unsigned long mask)
{
	WRITE_ONCE(same->dwell, mask);
	wake_up_all(&same->wait);
	return 0;
}

static int uio_same_cmd_inside(struct uio_same *same, unsigned long callback)
{
	return callback < UIO_SAME_CALLBACKS ?
	       atomic_read(&same->behaviour[callback].inside) : -EINVAL;
}

static int uio_same_cmd_go_on(struct uio_same *same)
{
	WRITE_ONCE(same->let_go, same->let_go + 1);
	wake_up_all(&same->wait);
	return 0;
}

static int uio_same_cmd_minor(struct uio_same *same)
{
	return same->info.uio_dev ? same->info.uio_dev->minor : -ENXIO;
}

/* Commands that change the registration. */
static long uio_same_life(struct uio_same *same, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case UIO_SAME_REGISTER:
		return same->registered ? -EBUSY : uio_same_register(same, arg);
	case UIO_SAME_UNREGISTER:
		uio_same_unregister(same);
		return 0;
	case UIO_SAME_UNREG_NULL:
		uio_unregister_device(NULL);
		return 0;
	case UIO_SAME_REG_TWICE:
		return uio_same_register_twice(same);
	case UIO_SAME_MINOR:
		return uio_same_cmd_minor(same);
	case UIO_SAME_HOLD_UEVENTS:
		return uio_same_uevents_hold(same);
	case UIO_SAME_HELD:
		return READ_ONCE(same->held);
	case UIO_SAME_GO_ON:
		return uio_same_cmd_go_on(same);
	default:
		return -ENOTTY;
	}
}

/* Commands that use the core's objects. */
static long uio_same_core(struct uio_same *same, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case UIO_SAME_ZAP:
		return uio_same_cmd_zap(same, (void __user *)arg);
	case UIO_SAME_COUNT_TO:
		return uio_same_count_to(same, arg);
	case UIO_SAME_WAKE:
		return uio_same_wake(same);
	case UIO_SAME_ATTRIBUTE:
		return uio_same_attribute(same, arg);
	case UIO_SAME_SHOWN:
		return uio_same_shown(same);
	case UIO_SAME_LOCK:
		return uio_same_lock(same);
	default:
		return uio_same_life(same, cmd, arg);
	}
}

static long uio_same_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct uio_same *same = filp->private_data;
	void __user *at = (void __user *)arg;

	switch (cmd) {
	case UIO_SAME_SET:
		return uio_same_cmd_set(same, at);
	case UIO_SAME_ALLOC:
		return uio_same_cmd_alloc(same, at);
	case UIO_SAME_NOTIFY:
		return uio_same_cmd_notify(same, arg);
	case UIO_SAME_INTERRUPT:
		return same->line ? generic_handle_irq_safe(same->line) : -EINVAL;
	case UIO_SAME_LINE:
		return uio_same_line(same);
	case UIO_SAME_DWELL:
		return uio_same_cmd_dwell(same, arg);
	case UIO_SAME_INSIDE:
		return uio_same_cmd_inside(same, arg);
	case UIO_SAME_MOST:
		return READ_ONCE(same->most);
	case UIO_SAME_PEEK:
		return uio_same_cmd_word(same, at, false);
	case UIO_SAME_POKE:
		return uio_same_cmd_word(same, at, true);
	case UIO_SAME_PFN:
		return uio_same_cmd_pfn(same, at);
	case UIO_SAME_PTE:
		return uio_same_cmd_pte(at);
	default:
		return uio_same_core(same, cmd, arg);
	}
}

static const struct file_operations uio_same_fops = {
	.owner		= THIS_MODULE,
	.open		= uio_same_open,
	.release	= uio_same_release,
	.read		= uio_same_read,
	.unlocked_ioctl	= uio_same_ioctl,
};

static struct miscdevice uio_same_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "uio_same",
	.fops	= &uio_same_fops,
};

static int __init uio_same_module_init(void)
{
	int ret;

	uio_same_pdev = platform_device_register_simple("uio_same",
							PLATFORM_DEVID_NONE,
							NULL, 0);
	if (IS_ERR(uio_same_pdev))
		return PTR_ERR(uio_same_pdev);

	ret = dma_coerce_mask_and_coherent(&uio_same_pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		goto err_pdev;

	ret = platform_driver_register(&uio_same_driver);
	if (ret)
		goto err_pdev;

	ret = uio_same_uevents_init();
	if (ret)
		goto err_driver;

	ret = misc_register(&uio_same_misc);
	if (ret)
		goto err_uevents;

	return 0;

err_uevents:
	uio_same_uevents_exit();
err_driver:
	platform_driver_unregister(&uio_same_driver);
err_pdev:
	platform_device_unregister(uio_same_pdev);
	return ret;
}

static void __exit uio_same_module_exit(void)
{
	misc_deregister(&uio_same_misc);
	uio_same_uevents_exit();
	platform_driver_unregister(&uio_same_driver);
	platform_device_unregister(uio_same_pdev);
}

module_init(uio_same_module_init)
module_exit(uio_same_module_exit)
MODULE_DESCRIPTION("A UIO driver that logs what the core does to it");
MODULE_LICENSE("GPL");
