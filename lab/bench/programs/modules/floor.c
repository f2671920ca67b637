// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench_floor: the module; registration.
 */

#include <linux/module.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "floor.h"

#define MINORS	BIT(14)

static DEFINE_XARRAY_ALLOC(minors);
static dev_t first_devt;
static struct cdev cdev;

/* A device is freed with its file of uio_bench, so there is nothing to free here. */
static void floor_release(struct device *dev)
{
}

static struct class floor_class = {
	.name		= "uio_floor",
	.dev_groups	= floor_groups,
	.dev_release	= floor_release,
};

struct floor_dev *floor_find(unsigned int minor)
{
	return xa_load(&minors, minor);
}

static int floor_irqcontrol(struct floor_dev *floor, s32 irq_on)
{
	return 0;
}

static struct uio_bench_dev *floor_alloc(const struct uio_bench_add *add)
{
	struct floor_dev *floor;
	unsigned int i;

	floor = add->context ? NULL : kzalloc(sizeof(*floor), GFP_KERNEL);
	if (!floor)
		return NULL;

	init_waitqueue_head(&floor->wait);
	floor->irqcontrol = floor_irqcontrol;
	for (i = 0; i < add->regions; i++)
		uio_bench_describe(i, &floor->mem[i]);
	floor->dev.regions = add->regions;
	return &floor->dev;
}

static struct floor_dev *to_floor(struct uio_bench_dev *dev)
{
	return container_of(dev, struct floor_dev, dev);
}

static void floor_free(struct uio_bench_dev *dev)
{
	kfree(to_floor(dev));
}

static int floor_publish(struct floor_dev *floor)
{
	struct device *dev = &floor->device;
	int ret;

	memset(dev, 0, sizeof(*dev));
	device_initialize(dev);
	dev->class = &floor_class;
	dev->devt = first_devt + floor->minor;
	dev_set_drvdata(dev, floor);
	ret = dev_set_name(dev, "uio_floor%u", floor->minor);
	if (!ret)
		ret = device_add(dev);
	if (ret) {
		put_device(dev);
		return ret;
	}

	ret = floor_sysfs_add(floor);
	if (ret)
		device_unregister(dev);
	return ret;
}

static int floor_register(struct uio_bench_dev *dev)
{
	struct floor_dev *floor = to_floor(dev);
	int ret;

	ret = xa_alloc(&minors, &floor->minor, floor,
		       XA_LIMIT(0, MINORS - 1), GFP_KERNEL);
	if (ret)
		return ret;

	ret = floor_publish(floor);
	if (ret)
		xa_erase(&minors, floor->minor);
	return ret;
}

static void floor_unregister(struct uio_bench_dev *dev)
{
	struct floor_dev *floor = to_floor(dev);

	floor_sysfs_del(floor);
	device_unregister(&floor->device);
	xa_erase(&minors, floor->minor);
}

static void floor_notify(struct uio_bench_dev *dev)
{
	struct floor_dev *floor = to_floor(dev);

	atomic_inc(&floor->event);
	wake_up_interruptible(&floor->wait);
	kill_fasync(&floor->async, SIGIO, POLL_IN);
}

static void floor_name(struct uio_bench_dev *dev, char *name)
{
	snprintf(name, UIO_BENCH_NAME_SIZE, "/dev/uio_floor%u", to_floor(dev)->minor);
}

/* The floor has no revoke, so its revoke is an event. */
static const struct uio_bench_core floor_core = {
	.owner	= THIS_MODULE,
	.alloc	= floor_alloc,
	.free	= floor_free,
	.reg	= floor_register,
	.unreg	= floor_unregister,
	.notify	= floor_notify,
	.revoke	= floor_notify,
	.name	= floor_name,
};

static int __init floor_init(void)
{
	int ret = class_register(&floor_class);

	if (ret)
		return ret;

	ret = alloc_chrdev_region(&first_devt, 0, MINORS, "uio_floor");
	if (ret)
		goto err_class;

	cdev_init(&cdev, &floor_fops);
	cdev.owner = THIS_MODULE;
	ret = cdev_add(&cdev, first_devt, MINORS);
	if (ret)
		goto err_region;

	uio_bench_core_add(UIO_BENCH_FLOOR, &floor_core);
	return 0;

err_region:
	unregister_chrdev_region(first_devt, MINORS);
err_class:
	class_unregister(&floor_class);
	return ret;
}

static void __exit floor_exit(void)
{
	uio_bench_core_del(UIO_BENCH_FLOOR);
	cdev_del(&cdev);
	unregister_chrdev_region(first_devt, MINORS);
	class_unregister(&floor_class);
	xa_destroy(&minors);
}

module_init(floor_init)
module_exit(floor_exit)
MODULE_DESCRIPTION("UIO devices to measure: bare devices, the lowest possible cost");
MODULE_LICENSE("GPL");
