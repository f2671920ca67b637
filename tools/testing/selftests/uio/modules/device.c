// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: the driver's side of a device.
 */

#include <linux/irq.h>
#include <linux/irqdesc.h>

#include "uio_test.h"

static int uio_test_open(struct uio_info *info, struct inode *inode)
{
	struct uio_test_device *dev = info->priv;
	struct uio_test_slot *slot = dev->slot;

	uio_test_stall(slot, UIO_TEST_OPEN);
	uio_test_action(slot, UIO_TEST_OPEN);
	if (slot->open_errno)
		return -(int)slot->open_errno;

	if (dev->irq_in_open)
		WRITE_ONCE(info->irq, UIO_IRQ_CUSTOM);
	atomic_inc(&slot->opens);
	return 0;
}

static int uio_test_release(struct uio_info *info, struct inode *inode)
{
	struct uio_test_device *dev = info->priv;
	struct uio_test_slot *slot = dev->slot;

	uio_test_stall(slot, UIO_TEST_RELEASE);
	uio_test_action(slot, UIO_TEST_RELEASE);
	if (dev->irq_in_open)
		WRITE_ONCE(info->irq, UIO_IRQ_NONE);
	if (!READ_ONCE(info->uio_dev))
		atomic_inc(&slot->late_releases);
	atomic_inc(&slot->releases);
	return 0;
}

static int uio_test_irqcontrol(struct uio_info *info, s32 irq_on)
{
	struct uio_test_device *dev = info->priv;
	struct uio_test_slot *slot = dev->slot;

	atomic_set(&slot->irq_on, irq_on);
	atomic_inc(&slot->irqcontrols);
	uio_test_stall(slot, UIO_TEST_IRQCONTROL);
	uio_test_action(slot, UIO_TEST_IRQCONTROL);
	return -(int)slot->irqcontrol_errno;
}

static irqreturn_t uio_test_handler(int irq, struct uio_info *info)
{
	struct uio_test_device *dev = info->priv;

	atomic_inc(&dev->slot->interrupts);
	return IRQ_HANDLED;
}

/* An interrupt line without hardware; the "interrupt" command raises it. */
static int uio_test_irq_alloc(struct uio_test_slot *slot)
{
	int irq, ret;

	/* from the slot's last device */
	if (slot->irq)
		return 0;

	irq = irq_alloc_desc(NUMA_NO_NODE);
	if (irq < 0)
		return irq;

	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_simple_irq);
	irq_modify_status(irq, IRQ_NOREQUEST | IRQ_NOAUTOEN, IRQ_NOPROBE);

	/*
	 * The first request makes files in /proc/irq. If there is no memory for them, it succeeds
	 * without, and the kernel warns when the line is freed. Tests let allocations of the core
	 * fail, so the first request is not the core's.
	 */
	ret = request_irq(irq, no_action, 0, "uio_test", slot);
	if (ret) {
		irq_free_desc(irq);
		return ret;
	}
	free_irq(irq, slot);
	slot->irq = irq;
	return 0;
}

static int uio_test_set_irq(struct uio_test_device *dev, const char *kind)
{
	int ret;

	if (!strcmp(kind, "none")) {
		dev->info.irq = UIO_IRQ_NONE;
	} else if (!strcmp(kind, "custom")) {
		dev->info.irq = UIO_IRQ_CUSTOM;
	} else if (!strcmp(kind, "open")) {
		dev->info.irq = UIO_IRQ_NONE;
		dev->irq_in_open = true;
	} else if (!strcmp(kind, "real")) {
		ret = uio_test_irq_alloc(dev->slot);
		if (ret)
			return ret;
		dev->info.irq = dev->slot->irq;
		dev->info.handler = uio_test_handler;
	} else {
		return -EINVAL;
	}
	return 0;
}

static void uio_test_add_ports(struct uio_info *info)
{
	info->port[0] = (struct uio_port) {
		.name = "port", .start = 0x300, .size = 8,
		.porttype = UIO_PORT_X86,
	};
	info->port[1] = (struct uio_port) {
		.start = 0x1000, .size = 0x20, .porttype = UIO_PORT_GPIO,
	};
	/* a driver's mistake */
	info->port[2] = (struct uio_port) {
		.start = 0x2000, .size = 1, .porttype = UIO_PORT_OTHER + 1,
	};
}

/*
 * A driver with an mmap callback keeps the memory until its mappings are gone. Its pages have
 * counts, so with an owner only vm_operations that are called later need it.
 */
static bool uio_test_keeps_memory(const struct uio_test_device *dev)
{
	return dev->info.mmap_prepare &&
	       (!dev->owner || dev->own == UIO_TEST_OWN_COUNTED);
}

/* TYPE:PAGES */
static int uio_test_add_mem(struct uio_test_device *dev, char *arg)
{
	char *type = strsep(&arg, ":");
	unsigned int map, pages;
	int kind;

	for (map = 0; map < MAX_UIO_MAPS && dev->info.mem[map].size; map++)
		;
	kind = uio_test_mem_kind(type);
	if (kind < 0)
		return kind;
	if (map == MAX_UIO_MAPS || !arg ||
	    kstrtouint(arg, 0, &pages) || !pages || pages > 256)
		return -EINVAL;

	if (uio_test_mem_is_bare(kind))
		return uio_test_mem_describe_bare(kind, map, pages,
						  &dev->info.mem[map]);

	dev->mem[map] = uio_test_mem_alloc(dev->slot, kind, map,
					   pages * PAGE_SIZE,
					   uio_test_keeps_memory(dev), dev->owner);
	if (!dev->mem[map])
		return -ENOMEM;

	uio_test_mem_describe(dev->mem[map], &dev->info.mem[map]);
	return 0;
}

static void uio_test_unalign(struct uio_info *info)
{
	int i;

	for (i = 0; i < MAX_UIO_MAPS && info->mem[i].size; i++) {
		info->mem[i].addr += 64;
		info->mem[i].size -= 64;
	}
}

static void uio_test_shorten(struct uio_info *info)
{
	int i;

	for (i = 0; i < MAX_UIO_MAPS && info->mem[i].size; i++)
		info->mem[i].size -= 64;
}

/* A driver may have forgotten it. Old kernels have no such memory. */
static void uio_test_forget_dma_device(struct uio_info *info)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	info->mem[0].dma_device = NULL;
#endif
}

static int uio_test_device_option(struct uio_test_device *dev, char *arg)
{
	if (!strncmp(arg, "mem=", 4))
		return uio_test_add_mem(dev, arg + 4);
	if (!strncmp(arg, "irq=", 4))
		return uio_test_set_irq(dev, arg + 4);
	if (!strncmp(arg, "owner=", 6))
		return kstrtouint(arg + 6, 0, &dev->owner);

	if (!strcmp(arg, "ctx"))
		dev->has_ctx = true;
	else if (!strcmp(arg, "around"))
		dev->around = true;
	else if (!strcmp(arg, "sink"))
		dev->sink = true;
	else if (!strcmp(arg, "ports"))
		uio_test_add_ports(&dev->info);
	else if (!strcmp(arg, "mmap"))
		dev->info.mmap_prepare = uio_test_mmap;
	else if (!strcmp(arg, "unaligned"))
		uio_test_unalign(&dev->info);
	else if (!strcmp(arg, "short"))
		uio_test_shorten(&dev->info);
	else if (!strcmp(arg, "nodevice"))
		uio_test_forget_dma_device(&dev->info);
	else if (!strcmp(arg, "noirqcontrol"))
		dev->info.irqcontrol = NULL;
	else if (!strcmp(arg, "devm"))
		dev->devm = true;
	else if (!strcmp(arg, "oddname"))
		dev->info.name = "odd\nuio-state:\tlive\\\177";
	else if (!strcmp(arg, "populate") && !uio_test_can_populate)
		return -EOPNOTSUPP;
	else if (!strcmp(arg, "populate"))
		dev->own = UIO_TEST_OWN_POPULATE;
	else if (!strcmp(arg, "counted"))
		dev->own = UIO_TEST_OWN_COUNTED;
	else if (!strcmp(arg, "remap"))
		dev->own = UIO_TEST_OWN_REMAP;
	else if (!strcmp(arg, "full"))
		dev->own = UIO_TEST_OWN_FULL;
	else if (strcmp(arg, "idle"))
		return -EINVAL;
	return 0;
}

/**
 * uio_test_device_alloc - make a device from the words of a command
 * @slot: gets the device
 * @args: options, NULL at the end
 *
 * Return: 0 or a negative error code.
 */
int uio_test_device_alloc(struct uio_test_slot *slot, char **args)
{
	struct uio_test_device *dev = kzalloc_obj(*dev);
	int ret = 0;

	if (!dev)
		return -ENOMEM;

	atomic_inc(&slot->creates);
	dev->slot = slot;
	dev->info.name = slot->name;
	dev->info.version = "1.0";
	dev->info.irq = UIO_IRQ_CUSTOM;
	dev->info.priv = dev;
	dev->info.open = uio_test_open;
	dev->info.release = uio_test_release;
	dev->info.irqcontrol = uio_test_irqcontrol;

	while (!ret && *args)
		ret = uio_test_device_option(dev, *args++);
	if (!ret && dev->has_ctx)
		ret = uio_test_context_init(dev);
	if (ret) {
		uio_test_device_free(dev);
		return ret;
	}

	slot->dev = dev;
	return 0;
}

/* Pages that a fault handler has returned to mm may stay mapped. */
static bool uio_test_pages_stay(const struct uio_test_device *dev)
{
	return dev->info.mmap_prepare && dev->own != UIO_TEST_OWN_REMAP;
}

/* Nobody may see the I/O memory any more, or the other memory. */
static void uio_test_disown(const struct uio_test_device *dev, bool io)
{
	int i;

	if (!dev->owner || uio_test_pages_stay(dev))
		return;
	for (i = 0; i < MAX_UIO_MAPS; i++)
		if (dev->mem[i] && uio_test_mem_is_io(dev->mem[i]) == io)
			uio_test_mem_disown(dev->mem[i], dev->owner);
}

/* The poison makes a use after free find no valid pointer. */
void uio_test_device_free(struct uio_test_device *dev)
{
	struct uio_test_slot *slot = dev->slot;
	int i;

	if (dev->has_ctx)
		uio_test_disown(dev, false);
	for (i = 0; i < MAX_UIO_MAPS; i++)
		uio_test_mem_free(dev->mem[i]);
	memset(dev, 0x6b, sizeof(*dev));
	barrier_data(dev);
	kfree(dev);
	atomic_inc(&slot->frees);
}

static int uio_test_do_register(struct device *parent, struct uio_test_device *dev)
{
	if (dev->has_ctx)
		return uio_test_context_register(parent, dev);
	if (dev->devm)
		return devm_uio_register_device(parent, &dev->info);
	return uio_register_device(parent, &dev->info);
}

static void uio_test_own(const struct uio_test_device *dev)
{
	int i;

	for (i = 0; dev->owner && i < MAX_UIO_MAPS; i++)
		if (dev->mem[i])
			uio_test_mem_own(dev->mem[i], dev->owner);
}

/* Called by platform_device_register_data() in uio_test_register_devm(). */
int uio_test_devm_probe(struct platform_device *pdev)
{
	struct uio_test_slot *slot = *(struct uio_test_slot **)pdev->dev.platform_data;

	slot->devm_ret = uio_test_do_register(&pdev->dev, slot->dev);
	return slot->devm_ret;
}

static int uio_test_register_devm(struct uio_test_slot *slot)
{
	struct platform_device *pdev;

	slot->devm_ret = -EPROBE_DEFER;
	pdev = platform_device_register_data(NULL, "uio_test_devm",
					     PLATFORM_DEVID_AUTO, &slot,
					     sizeof(slot));
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	if (slot->devm_ret) {
		platform_device_unregister(pdev);
		return slot->devm_ret;
	}

	slot->pdev = pdev;
	return 0;
}

/* The caller holds slot->lock here and below, but not in uio_test_devm_probe(). */
int uio_test_register(struct uio_test_slot *slot)
{
	struct uio_test_device *dev = slot->dev;
	int ret;

	uio_test_own(dev);
	ret = dev->devm ? uio_test_register_devm(slot) :
			  uio_test_do_register(&uio_test_pdev->dev, dev);
	if (ret)
		return ret;

	slot->minor = dev->info.uio_dev->minor;
	slot->registered = true;
	return 0;
}

void uio_test_unregister(struct uio_test_slot *slot)
{
	if (!slot->registered)
		return;

	if (slot->pdev)
		platform_device_unregister(slot->pdev);
	else
		uio_unregister_device(&slot->dev->info);
	slot->pdev = NULL;
	slot->registered = false;
	uio_test_disown(slot->dev, true);
	if (!slot->dev->has_ctx)
		uio_test_disown(slot->dev, false);
}

/* The driver lets go of the device. Without a context, this frees it. */
void uio_test_put(struct uio_test_slot *slot)
{
	struct uio_test_device *dev = slot->dev;

	slot->dev = NULL;
	if (!dev)
		return;

	if (dev->has_ctx)
		uio_test_context_put(dev);
	else
		uio_test_device_free(dev);
}
