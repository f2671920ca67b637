// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_platform: platform devices for the kernel's own UIO drivers, uio_pdrv_genirq and
 * uio_dmem_genirq. Each has a page of memory, and an interrupt without hardware. A
 * software node describes the first, like a device tree, so its driver allocates the
 * uio_info. Platform data describe the second, and contain the uio_info. Both uio_infos
 * are freed with their device.
 *
 * The devices exist while the parameter "present" is Y. This module adds two files to a
 * device's directory in sysfs:
 *
 *	interrupt	raises the interrupt on any write
 *	pm_users	how many users the driver's open and release have counted
 *
 * Other parameters tell how devices end:
 *
 *	not_freed	devices that are not freed yet
 *	pm_users_left	users of devices at the time when they were freed
 */

#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/ioport.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/platform_data/uio_dmem_genirq.h>
#include <linux/platform_device.h>
#include <linux/pm_runtime.h>
#include <linux/property.h>
#include <linux/sizes.h>
#include <linux/wait_bit.h>

static struct platform_device *uio_platform_pdrv;
static struct platform_device *uio_platform_dmem;
static void (*uio_platform_free)(struct device *dev);
static atomic_t uio_platform_not_freed;
static atomic_t uio_platform_pm_users_left;

static ssize_t interrupt_store(struct device *dev, struct device_attribute *attr,
			       const char *buf, size_t count)
{
	int irq = platform_get_irq(to_platform_device(dev), 0);
	int ret = irq < 0 ? irq : generic_handle_irq_safe(irq);

	return ret ?: count;
}
static DEVICE_ATTR_WO(interrupt);

static int uio_platform_pm_users(const struct device *dev)
{
#ifdef CONFIG_PM
	return atomic_read(&dev->power.usage_count);
#else
	return -EOPNOTSUPP;
#endif
}

static ssize_t pm_users_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	int users = uio_platform_pm_users(dev);

	return users < 0 ? users : sysfs_emit(buf, "%d\n", users);
}
static DEVICE_ATTR_RO(pm_users);

static struct attribute *uio_platform_attrs[] = {
	&dev_attr_interrupt.attr,
	&dev_attr_pm_users.attr,
	NULL
};
ATTRIBUTE_GROUPS(uio_platform);

/* The last reference to a device is gone. */
static void uio_platform_release(struct device *dev)
{
	atomic_add(uio_platform_pm_users(dev), &uio_platform_pm_users_left);
	uio_platform_free(dev);
	if (atomic_dec_and_test(&uio_platform_not_freed))
		wake_up_var(&uio_platform_not_freed);
}

/* No owner: otherwise a requested interrupt would pin this module. */
static int uio_platform_irq_alloc(void)
{
	int irq = __irq_alloc_descs(-1, 0, 1, NUMA_NO_NODE, NULL, NULL);

	if (irq < 0)
		return irq;

	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_simple_irq);
	irq_modify_status(irq, IRQ_NOREQUEST | IRQ_NOAUTOEN, IRQ_NOPROBE);
	return irq;
}

/* @page counts pages downwards from 4 GB, where every PC has its firmware. */
static int uio_platform_add_resources(struct platform_device *pdev, int irq,
				      unsigned int page)
{
	const struct resource resources[] = {
		DEFINE_RES_MEM(SZ_4G - page * PAGE_SIZE, PAGE_SIZE),
		DEFINE_RES_IRQ(irq),
	};

	return platform_device_add_resources(pdev, resources,
					     ARRAY_SIZE(resources));
}

static int uio_platform_describe_pdrv(struct platform_device *pdev)
{
	const struct property_entry properties[] = {
		PROPERTY_ENTRY_STRING("linux,uio-name", "platform"),
		{ }
	};

	return device_create_managed_software_node(&pdev->dev, properties, NULL);
}

static int uio_platform_describe_dmem(struct platform_device *pdev)
{
	static unsigned int sizes[] = { PAGE_SIZE };
	const struct uio_dmem_genirq_pdata pdata = {
		.uioinfo = {
			.name = "dynamic",
			.version = "1.0",
		},
		.dynamic_region_sizes = sizes,
		.num_dynamic_regions = ARRAY_SIZE(sizes),
	};

	return platform_device_add_data(pdev, &pdata, sizeof(pdata));
}

static struct platform_device *
uio_platform_add(const char *driver, unsigned int page,
		 int (*describe)(struct platform_device *pdev))
{
	struct platform_device *pdev;
	int irq, ret;

	irq = uio_platform_irq_alloc();
	if (irq < 0)
		return ERR_PTR(irq);

	ret = -ENOMEM;
	pdev = platform_device_alloc(driver, PLATFORM_DEVID_NONE);
	if (!pdev)
		goto err_irq;

	/* all have the same */
	uio_platform_free = pdev->dev.release;
	pdev->dev.release = uio_platform_release;
	atomic_inc(&uio_platform_not_freed);
	pdev->dev.groups = uio_platform_groups;
	ret = uio_platform_add_resources(pdev, irq, page);
	if (!ret)
		ret = describe(pdev);
	if (!ret)
		ret = platform_device_add(pdev);
	if (ret)
		goto err_pdev;

	return pdev;

err_pdev:
	platform_device_put(pdev);
err_irq:
	irq_free_desc(irq);
	return ERR_PTR(ret);
}

static void uio_platform_remove(struct platform_device *pdev)
{
	int irq = platform_get_irq(pdev, 0);

	platform_device_unregister(pdev);
	irq_free_desc(irq);
}

static int uio_platform_add_all(void)
{
	uio_platform_pdrv = uio_platform_add("uio_pdrv_genirq", 1,
					     uio_platform_describe_pdrv);
	if (IS_ERR(uio_platform_pdrv))
		return PTR_ERR(uio_platform_pdrv);

	uio_platform_dmem = uio_platform_add("uio_dmem_genirq", 2,
					     uio_platform_describe_dmem);
	if (IS_ERR(uio_platform_dmem)) {
		uio_platform_remove(uio_platform_pdrv);
		return PTR_ERR(uio_platform_dmem);
	}
	return 0;
}

static void uio_platform_remove_all(void)
{
	uio_platform_remove(uio_platform_dmem);
	uio_platform_remove(uio_platform_pdrv);
}

static bool uio_platform_present;

/* The kernel holds the lock of this module's parameters. */
static int uio_platform_set(const char *val, const struct kernel_param *kp)
{
	bool present;
	int ret = kstrtobool(val, &present);

	if (ret || present == uio_platform_present)
		return ret;

	if (present)
		ret = uio_platform_add_all();
	else
		uio_platform_remove_all();
	if (!ret)
		uio_platform_present = present;
	return ret;
}

static const struct kernel_param_ops uio_platform_present_ops = {
	.set	= uio_platform_set,
	.get	= param_get_bool,
};
module_param_cb(present, &uio_platform_present_ops, &uio_platform_present, 0644);
MODULE_PARM_DESC(present, "whether the devices exist");

static int uio_platform_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", atomic_read(kp->arg));
}

static const struct kernel_param_ops uio_platform_count_ops = {
	.get	= uio_platform_get,
};
module_param_cb(not_freed, &uio_platform_count_ops, &uio_platform_not_freed, 0444);
MODULE_PARM_DESC(not_freed, "devices that are not freed yet");
module_param_cb(pm_users_left, &uio_platform_count_ops, &uio_platform_pm_users_left, 0444);
MODULE_PARM_DESC(pm_users_left, "users of devices at the time when they were freed");

static int __init uio_platform_init(void)
{
	return 0;
}

static void __exit uio_platform_exit(void)
{
	if (uio_platform_present)
		uio_platform_remove_all();
	/* uio_platform_release() is code of this module */
	wait_var_event(&uio_platform_not_freed, !atomic_read(&uio_platform_not_freed));
}

module_init(uio_platform_init)
module_exit(uio_platform_exit)
MODULE_DESCRIPTION("Platform devices for the kernel's own UIO drivers");
MODULE_LICENSE("GPL");
