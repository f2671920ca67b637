// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench: commands, by ioctl. The time is taken here, so that it does not include the
 * way into and out of the kernel.
 */

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/msr.h>

#include "uio_bench.h"

#define MOST_DEVICES	10000

/**
 * struct uio_bench_file - an open /dev/uio_bench
 * @lock: held by all commands except notify
 * @devs: its devices
 * @last: the newest device
 * @stamp: when the last notify or revoke began
 */
struct uio_bench_file {
	struct mutex lock;	/* see above */
	struct list_head devs;
	struct uio_bench_dev *last;
	u64 stamp;
};

static const struct uio_bench_core *cores[UIO_BENCH_CORES];
static DEFINE_MUTEX(cores_lock);

/**
 * uio_bench_core_add - make devices of a core available
 * @nr: UIO_BENCH_UIO or UIO_BENCH_FLOOR
 * @core: its operations, until uio_bench_core_del()
 *
 * Context: Process context, may sleep.
 */
void uio_bench_core_add(unsigned int nr, const struct uio_bench_core *core)
{
	mutex_lock(&cores_lock);
	cores[nr] = core;
	mutex_unlock(&cores_lock);
}
EXPORT_SYMBOL_GPL(uio_bench_core_add);

/**
 * uio_bench_core_del - make devices of a core unavailable
 * @nr: as in uio_bench_core_add()
 *
 * Context: Process context, may sleep.
 */
void uio_bench_core_del(unsigned int nr)
{
	mutex_lock(&cores_lock);
	cores[nr] = NULL;
	mutex_unlock(&cores_lock);
}
EXPORT_SYMBOL_GPL(uio_bench_core_del);

static const struct uio_bench_core *core_get(unsigned int nr)
{
	const struct uio_bench_core *core = NULL;

	mutex_lock(&cores_lock);
	if (nr < UIO_BENCH_CORES && cores[nr] && try_module_get(cores[nr]->owner))
		core = cores[nr];
	mutex_unlock(&cores_lock);
	return core;
}

static void remove_dev(struct uio_bench_dev *dev)
{
	const struct uio_bench_core *core = dev->core;

	list_del(&dev->node);
	if (dev->registered)
		core->unreg(dev);
	core->free(dev);
	module_put(core->owner);
}

static void remove_all(struct uio_bench_file *bf)
{
	struct uio_bench_dev *dev, *next;

	list_for_each_entry_safe(dev, next, &bf->devs, node)
		remove_dev(dev);
	bf->last = NULL;
}

static int add_one(struct uio_bench_file *bf, const struct uio_bench_add *add)
{
	const struct uio_bench_core *core = core_get(add->core);
	struct uio_bench_dev *dev;

	if (!core)
		return -ENXIO;

	dev = core->alloc(add);
	if (!dev) {
		module_put(core->owner);
		return -EOPNOTSUPP;
	}

	dev->core = core;
	list_add_tail(&dev->node, &bf->devs);
	bf->last = dev;
	return 0;
}

static int cmd_add(struct uio_bench_file *bf, void __user *arg)
{
	struct uio_bench_add add;
	int ret = 0;

	if (copy_from_user(&add, arg, sizeof(add)))
		return -EFAULT;
	if (!add.count || add.count > MOST_DEVICES || add.regions > UIO_BENCH_REGIONS)
		return -EINVAL;

	while (!ret && add.count--)
		ret = add_one(bf, &add);
	return ret;
}

static int register_dev(struct uio_bench_dev *dev)
{
	int ret;

	if (dev->registered)
		return -EBUSY;

	ret = dev->core->reg(dev);
	dev->registered = !ret;
	return ret;
}

static void unregister_dev(struct uio_bench_dev *dev)
{
	if (dev->registered)
		dev->core->unreg(dev);
	dev->registered = false;
}

static int cmd_register(struct uio_bench_file *bf, u64 *took)
{
	u64 start = rdtsc_ordered();
	struct uio_bench_dev *dev;
	int ret = 0;

	list_for_each_entry(dev, &bf->devs, node) {
		ret = register_dev(dev);
		if (ret)
			break;
	}
	*took = rdtsc_ordered() - start;
	return ret;
}

static int cmd_unregister(struct uio_bench_file *bf, u64 *took)
{
	u64 start = rdtsc_ordered();
	struct uio_bench_dev *dev;

	list_for_each_entry(dev, &bf->devs, node)
		unregister_dev(dev);
	*took = rdtsc_ordered() - start;
	return 0;
}

static int cmd_cycle(struct uio_bench_file *bf, u64 *took)
{
	u64 start;
	int ret;

	if (!bf->last)
		return -ENODEV;

	start = rdtsc_ordered();
	ret = register_dev(bf->last);
	if (ret)
		return ret;
	unregister_dev(bf->last);
	*took = rdtsc_ordered() - start;
	return 0;
}

static int cmd_name(struct uio_bench_file *bf, void __user *arg)
{
	char name[UIO_BENCH_NAME_SIZE] = "";

	if (!bf->last || !bf->last->registered)
		return -ENODEV;
	bf->last->core->name(bf->last, name);
	return copy_to_user(arg, name, sizeof(name)) ? -EFAULT : 0;
}

static int cmd_revoke(struct uio_bench_file *bf)
{
	if (!bf->last || !bf->last->registered)
		return -ENODEV;
	bf->stamp = rdtsc_ordered();
	bf->last->core->revoke(bf->last);
	return 0;
}

/* This takes no lock, because the woken reader runs at once and asks for the stamp. */
static int cmd_notify(struct uio_bench_file *bf)
{
	struct uio_bench_dev *dev = bf->last;

	if (!dev || !dev->registered)
		return -ENODEV;
	WRITE_ONCE(bf->stamp, rdtsc_ordered());
	dev->core->notify(dev);
	return 0;
}

static long locked_ioctl(struct uio_bench_file *bf, unsigned int cmd,
			 void __user *arg)
{
	u64 took = 0;
	int ret;

	switch (cmd) {
	case UIO_BENCH_ADD:
		return cmd_add(bf, arg);
	case UIO_BENCH_NAME:
		return cmd_name(bf, arg);
	case UIO_BENCH_REVOKE:
		return cmd_revoke(bf);
	case UIO_BENCH_REGISTER:
		ret = cmd_register(bf, &took);
		break;
	case UIO_BENCH_UNREGISTER:
		ret = cmd_unregister(bf, &took);
		break;
	case UIO_BENCH_CYCLE:
		ret = cmd_cycle(bf, &took);
		break;
	default:
		return -ENOTTY;
	}
	return ret ?: put_user(took, (u64 __user *)arg);
}

static long uio_bench_ioctl(struct file *filp, unsigned int cmd,
			    unsigned long arg)
{
	struct uio_bench_file *bf = filp->private_data;
	long ret;

	if (cmd == UIO_BENCH_NOTIFY)
		return cmd_notify(bf);
	if (cmd == UIO_BENCH_STAMP)
		return put_user(READ_ONCE(bf->stamp), (u64 __user *)arg);

	mutex_lock(&bf->lock);
	ret = locked_ioctl(bf, cmd, (void __user *)arg);
	mutex_unlock(&bf->lock);
	return ret;
}

static int uio_bench_open(struct inode *inode, struct file *filp)
{
	struct uio_bench_file *bf = kzalloc(sizeof(*bf), GFP_KERNEL);

	if (!bf)
		return -ENOMEM;

	mutex_init(&bf->lock);
	INIT_LIST_HEAD(&bf->devs);
	filp->private_data = bf;
	return 0;
}

static int uio_bench_release(struct inode *inode, struct file *filp)
{
	struct uio_bench_file *bf = filp->private_data;

	remove_all(bf);
	kfree(bf);
	return 0;
}

static const struct file_operations uio_bench_fops = {
	.owner		= THIS_MODULE,
	.open		= uio_bench_open,
	.release	= uio_bench_release,
	.unlocked_ioctl	= uio_bench_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice uio_bench_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "uio_bench",
	.fops	= &uio_bench_fops,
	.mode	= 0600,
};

static int __init uio_bench_init(void)
{
	int ret = uio_bench_memory_init();

	if (ret)
		return ret;

	ret = misc_register(&uio_bench_misc);
	if (ret)
		uio_bench_memory_exit();
	return ret;
}

static void __exit uio_bench_exit(void)
{
	misc_deregister(&uio_bench_misc);
	uio_bench_memory_exit();
}

module_init(uio_bench_init)
module_exit(uio_bench_exit)
MODULE_DESCRIPTION("UIO devices to measure: memory and commands");
MODULE_LICENSE("GPL");
