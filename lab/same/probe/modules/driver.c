// SPDX-License-Identifier: GPL-2.0-only
/* uio_same: the driver as the core sees it. */

#include <linux/fs.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "uio_same.h"

#define UIO_SAME_TEXT_MAX	4096
/* Longer than any probe waits, but not for ever: a guest must not hang. */
#define UIO_SAME_DWELL_MAX	(30 * HZ)

/* Appends a line "WHAT", or "WHAT<tab>DETAILS". */
void uio_same_log(struct uio_same *same, const char *fmt, ...)
{
	unsigned long flags;
	va_list args;

	spin_lock_irqsave(&same->log_lock, flags);
	va_start(args, fmt);
	same->logged += vscnprintf(same->log + same->logged,
				   UIO_SAME_LOG - same->logged, fmt, args);
	va_end(args);
	spin_unlock_irqrestore(&same->log_lock, flags);
}

static void uio_same_set_irq(struct uio_same *same, long irq)
{
	if (irq != UIO_SAME_IRQ_LEAVE)
		WRITE_ONCE(same->info.irq,
			   irq == UIO_SAME_IRQ_LINE ? same->line : irq);
}

/* The probe looks for this name in /proc/PID/wchan. */
static noinline void uio_same_dwell(struct uio_same *same, enum uio_same_callback callback)
{
	atomic_t *inside = &same->behaviour[callback].inside;

	atomic_inc(inside);
	wait_event_timeout(same->wait, !(READ_ONCE(same->dwell) & BIT(callback)),
			   UIO_SAME_DWELL_MAX);
	atomic_dec(inside);
}

/**
 * uio_same_callback - what all callbacks do
 * @same: the driver
 * @callback: which one
 *
 * Return: what the callback has to return.
 */
int uio_same_callback(struct uio_same *same, enum uio_same_callback callback)
{
	const struct uio_same_behaviour *behaviour = &same->behaviour[callback];
	int inside = atomic_inc_return(&same->inside);
	unsigned int i;

	if (inside > READ_ONCE(same->most))
		WRITE_ONCE(same->most, inside);
	uio_same_set_irq(same, behaviour->irq);
	for (i = 0; i < behaviour->notify; i++)
		uio_event_notify(&same->info);
	if (READ_ONCE(same->dwell) & BIT(callback))
		uio_same_dwell(same, callback);
	atomic_dec(&same->inside);
	return behaviour->ret;
}

static void uio_same_log_inode(struct uio_same *same, const char *callback,
			       const struct inode *inode)
{
	const struct uio_device *idev = same->info.uio_dev;

	uio_same_log(same, "%s\trdev %s, mode %o, uid %u, on %s, cdev %s, device %s\n",
		     callback,
		     idev && inode->i_rdev == idev->dev.devt ? "its own" : "another",
		     inode->i_mode, __kuid_val(inode->i_uid),
		     inode->i_sb->s_type->name, inode->i_cdev ? "set" : "null",
		     idev ? "set" : "null");
}

static int uio_same_info_open(struct uio_info *info, struct inode *inode)
{
	struct uio_same *same = info->priv;

	same->mapping = inode->i_mapping;
	uio_same_log_inode(same, "open", inode);
	return uio_same_callback(same, UIO_SAME_OPEN);
}

static int uio_same_info_release(struct uio_info *info, struct inode *inode)
{
	struct uio_same *same = info->priv;

	uio_same_log_inode(same, "release", inode);
	return uio_same_callback(same, UIO_SAME_RELEASE);
}

static int uio_same_info_irqcontrol(struct uio_info *info, s32 irq_on)
{
	struct uio_same *same = info->priv;

	uio_same_log(same, "irqcontrol(%d)\n", irq_on);
	return uio_same_callback(same, UIO_SAME_IRQCONTROL);
}

static irqreturn_t uio_same_handler(int irq, struct uio_info *info)
{
	struct uio_same *same = info->priv;

	uio_same_log(same, "handler\tline %s, in %s\n",
		     irq == same->line ? "its own" : "another",
		     in_hardirq() ? "hard interrupt" : "another context");
	return same->handled;
}

void uio_same_init(struct uio_same *same)
{
	int i;

	INIT_LIST_HEAD(&same->mems);
	INIT_LIST_HEAD(&same->texts);
	spin_lock_init(&same->log_lock);
	init_waitqueue_head(&same->wait);
	for (i = 0; i < UIO_SAME_CALLBACKS; i++)
		same->behaviour[i].irq = UIO_SAME_IRQ_LEAVE;
	same->handled = IRQ_HANDLED;
	same->info.name = "same";
	same->info.version = "1.0";
	same->info.irq = UIO_IRQ_CUSTOM;
	same->info.priv = same;
	same->info.open = uio_same_info_open;
	same->info.release = uio_same_info_release;
	same->info.irqcontrol = uio_same_info_irqcontrol;
	same->info.handler = uio_same_handler;
}

/* Returns the interrupt line, which the first call makes. */
int uio_same_line(struct uio_same *same)
{
	int line = same->line;

	if (line)
		return line;

	line = irq_alloc_desc(NUMA_NO_NODE);
	if (line < 0)
		return line;

	irq_set_chip_and_handler(line, &dummy_irq_chip, handle_simple_irq);
	irq_modify_status(line, IRQ_NOREQUEST | IRQ_NOAUTOEN, IRQ_NOPROBE);
	same->line = line;
	return line;
}

/* Returns NULL if there is no string, or an error pointer. */
static const char *uio_same_text(struct uio_same *same, u64 from)
{
	struct uio_same_text *text;
	char *copy;

	if (!from)
		return NULL;

	copy = strndup_user((const char __user *)(unsigned long)from, UIO_SAME_TEXT_MAX);
	if (IS_ERR(copy))
		return copy;

	text = kmalloc(sizeof(*text), GFP_KERNEL);
	if (!text) {
		kfree(copy);
		return ERR_PTR(-ENOMEM);
	}
	text->text = copy;
	list_add(&text->node, &same->texts);
	return copy;
}

static int uio_same_set_text(struct uio_same *same, const struct uio_same_set *set)
{
	const char *text = uio_same_text(same, set->text);
	struct uio_info *info = &same->info;

	if (IS_ERR(text))
		return PTR_ERR(text);

	switch (set->field) {
	case UIO_SAME_NAME:
		WRITE_ONCE(info->name, text);
		return 0;
	case UIO_SAME_VERSION:
		WRITE_ONCE(info->version, text);
		return 0;
	case UIO_SAME_MEM_NAME:
		WRITE_ONCE(info->mem[set->index].name, text);
		return 0;
	case UIO_SAME_PORT_NAME:
		WRITE_ONCE(info->port[set->index].name, text);
		return 0;
	default:
		return -EINVAL;
	}
}

static int uio_same_set_mem(struct uio_mem *mem, unsigned int field, s64 value)
{
	switch (field) {
	case UIO_SAME_MEM_ADDR:
		mem->addr = value;
		return 0;
	case UIO_SAME_MEM_ADD:
		mem->addr += value;
		return 0;
	case UIO_SAME_MEM_OFFS:
		mem->offs = value;
		return 0;
	case UIO_SAME_MEM_SIZE:
		mem->size = value;
		return 0;
	case UIO_SAME_MEM_TYPE:
		mem->memtype = value;
		return 0;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	case UIO_SAME_MEM_BUS_ADD:
	case UIO_SAME_MEM_DEVICE:
		return 0;
#else
	case UIO_SAME_MEM_BUS_ADD:
		mem->dma_addr += value;
		return 0;
	case UIO_SAME_MEM_DEVICE:
		mem->dma_device = value ? &uio_same_pdev->dev : NULL;
		return 0;
#endif
	default:
		return -EINVAL;
	}
}

static int uio_same_set_port(struct uio_port *port, unsigned int field, s64 value)
{
	switch (field) {
	case UIO_SAME_PORT_START:
		port->start = value;
		return 0;
	case UIO_SAME_PORT_SIZE:
		port->size = value;
		return 0;
	case UIO_SAME_PORT_TYPE:
		port->porttype = value;
		return 0;
	default:
		return -EINVAL;
	}
}

static void uio_same_set_has(struct uio_info *info, unsigned int callback, bool on)
{
	switch (callback) {
	case UIO_SAME_OPEN:
		info->open = on ? uio_same_info_open : NULL;
		break;
	case UIO_SAME_RELEASE:
		info->release = on ? uio_same_info_release : NULL;
		break;
	case UIO_SAME_IRQCONTROL:
		info->irqcontrol = on ? uio_same_info_irqcontrol : NULL;
		break;
	}
}

static int uio_same_set_behaviour(struct uio_same *same, const struct uio_same_set *set)
{
	struct uio_same_behaviour *behaviour;

	if (set->index >= UIO_SAME_CALLBACKS)
		return -EINVAL;

	behaviour = &same->behaviour[set->index];
	switch (set->field) {
	case UIO_SAME_HAS:
		uio_same_set_has(&same->info, set->index, set->value);
		return 0;
	case UIO_SAME_RETURN:
		behaviour->ret = set->value;
		return 0;
	case UIO_SAME_IRQ_IN:
		behaviour->irq = set->value;
		return 0;
	case UIO_SAME_NOTIFY_IN:
		behaviour->notify = set->value;
		return 0;
	default:
		return -EINVAL;
	}
}

static int uio_same_set_own(struct uio_same *same, const struct uio_same_set *set)
{
	switch (set->field) {
	case UIO_SAME_IRQ:
		uio_same_set_irq(same, set->value);
		return 0;
	case UIO_SAME_IRQ_FLAGS:
		same->info.irq_flags = set->value;
		return 0;
	case UIO_SAME_HANDLED:
		same->handled = set->value;
		return 0;
	case UIO_SAME_OWN_MMAP:
		same->own_mmap = set->value;
		same->info.mmap_prepare = set->value ? uio_same_own_mmap : NULL;
		return 0;
	default:
		return uio_same_set_behaviour(same, set);
	}
}

/**
 * uio_same_set - set a field of struct uio_info, or of the driver
 * @same: the driver
 * @set: the field and its new value
 *
 * Return: 0 or a negative error code.
 */
int uio_same_set(struct uio_same *same, const struct uio_same_set *set)
{
	if (set->index >= MAX_UIO_MAPS || set->index >= MAX_UIO_PORT_REGIONS)
		return -EINVAL;

	switch (set->field) {
	case UIO_SAME_NAME:
	case UIO_SAME_VERSION:
	case UIO_SAME_MEM_NAME:
	case UIO_SAME_PORT_NAME:
		return uio_same_set_text(same, set);
	case UIO_SAME_MEM_ADDR ... UIO_SAME_MEM_DEVICE:
		return uio_same_set_mem(&same->info.mem[set->index], set->field,
					set->value);
	case UIO_SAME_PORT_START ... UIO_SAME_PORT_TYPE:
		return uio_same_set_port(&same->info.port[set->index], set->field,
					 set->value);
	default:
		return uio_same_set_own(same, set);
	}
}

/* Called by platform_device_register_data() below. */
int uio_same_probe(struct platform_device *pdev)
{
	struct uio_same *same = *(struct uio_same **)pdev->dev.platform_data;

	return devm_uio_register_device(&pdev->dev, &same->info);
}

static int uio_same_register_devm(struct uio_same *same)
{
	struct platform_device *pdev;

	pdev = platform_device_register_data(NULL, "uio_same_devm", PLATFORM_DEVID_NONE,
					     &same, sizeof(same));
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	if (!pdev->dev.driver) {
		platform_device_unregister(pdev);
		return -ENODEV;
	}

	same->pdev = pdev;
	return 0;
}

/**
 * uio_same_register - register the device
 * @same: the driver
 * @how: UIO_SAME_NO_PARENT and the like
 *
 * Return: 0 or a negative error code.
 */
int uio_same_register(struct uio_same *same, unsigned long how)
{
	struct device *parent = how & UIO_SAME_NO_PARENT ? NULL : &uio_same_pdev->dev;
	int ret;

	if (how & UIO_SAME_DEVM)
		ret = uio_same_register_devm(same);
	else if (how & UIO_SAME_NO_OWNER)
		ret = __uio_register_device(NULL, parent, &same->info);
	else
		ret = uio_register_device(parent, how & UIO_SAME_NO_INFO ? NULL :
								     &same->info);
	uio_same_uevents_end(same);
	same->registered = !ret;
	return ret;
}

/* The mistake of a driver that registers a device twice. */
int uio_same_register_twice(struct uio_same *same)
{
	int ret;

	if (!same->registered || same->first)
		return -EINVAL;

	same->first = same->info.uio_dev;
	ret = uio_register_device(&uio_same_pdev->dev, &same->info);
	if (ret) {
		same->info.uio_dev = same->first;
		same->first = NULL;
	}
	return ret;
}

void uio_same_unregister(struct uio_same *same)
{
	if (!same->registered)
		return;

	if (same->attribute)
		uio_same_attribute(same, false);

	if (same->pdev)
		platform_device_unregister(same->pdev);
	else
		uio_unregister_device(&same->info);
	if (same->first) {
		same->info.uio_dev = same->first;
		uio_unregister_device(&same->info);
	}
	same->pdev = NULL;
	same->first = NULL;
	same->registered = false;
}

/* Ends the waits of all callbacks. */
void uio_same_exit(struct uio_same *same)
{
	struct uio_same_text *text, *next;

	WRITE_ONCE(same->dwell, 0);
	wake_up_all(&same->wait);
	uio_same_unregister(same);
	uio_same_uevents_end(same);
	if (same->line)
		irq_free_desc(same->line);
	kfree(same->inserted);
	list_for_each_entry_safe(text, next, &same->texts, node) {
		kfree(text->text);
		kfree(text);
	}
}
