// SPDX-License-Identifier: GPL-2.0-only
/*
 * A UIO driver with late release, to copy from. It has a page of memory that counts
 * ticks, and a timer instead of an interrupt. The device can be unplugged while a
 * process has it open or mapped: echo 0 > /sys/devices/uio-sample/plugged
 */

#include <linux/device.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/uio_driver.h>
#include <linux/vmalloc.h>

#define SAMPLE_PERIOD	(HZ / 10)

/* Everything that user space can reach, and the context that keeps it valid. */
struct sample {
	struct uio_context ctx;
	struct uio_info info;
	struct timer_list timer;
	u32 *ticks;
};

static struct device *sample_parent;
static struct sample *sample;		/* NULL: unplugged */
static DEFINE_MUTEX(sample_lock);	/* protects sample */

static void sample_tick(struct timer_list *timer)
{
	struct sample *s = container_of(timer, struct sample, timer);

	WRITE_ONCE(*s->ticks, *s->ticks + 1);
	uio_event_notify(&s->info);
	mod_timer(&s->timer, jiffies + SAMPLE_PERIOD);
}

static int sample_irqcontrol(struct uio_info *info, s32 irq_on)
{
	struct sample *s = container_of(info, struct sample, info);

	if (irq_on)
		mod_timer(&s->timer, jiffies + SAMPLE_PERIOD);
	else
		timer_delete_sync(&s->timer);
	return 0;
}

/* The device is unplugged, and nobody has it open or mapped any more. */
static void sample_release(struct uio_context *ctx)
{
	struct sample *s = container_of(ctx, struct sample, ctx);

	vfree(s->ticks);
	kfree(s);
}

static const struct uio_context_ops sample_ctx_ops = {
	.release = sample_release,
};

/* After the timer is stopped, only processes that have mapped the memory can touch it. */
static void sample_put(struct sample *s)
{
	timer_shutdown_sync(&s->timer);
	uio_context_put(&s->ctx);
}

static int sample_plug(void)
{
	struct sample *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int ret = -ENOMEM;

	if (!s)
		return ret;

	/* from here on, the last uio_context_put() frees s */
	uio_context_init(&s->ctx, &sample_ctx_ops, 0);
	timer_setup(&s->timer, sample_tick, 0);

	s->ticks = vmalloc_user(PAGE_SIZE);
	if (s->ticks) {
		s->info.name = "uio-sample";
		s->info.version = "1";
		s->info.irq = UIO_IRQ_CUSTOM;
		s->info.irqcontrol = sample_irqcontrol;
		s->info.mem[0].name = "ticks";
		s->info.mem[0].addr = (phys_addr_t)(uintptr_t)s->ticks;
		s->info.mem[0].size = PAGE_SIZE;
		s->info.mem[0].memtype = UIO_MEM_VIRTUAL;
		ret = uio_register_device_context(sample_parent, &s->info, &s->ctx);
	}
	if (ret)
		sample_put(s);
	else
		sample = s;
	return ret;
}

static void sample_unplug(void)
{
	/* this comes first, because nobody can start the timer after it */
	uio_unregister_device(&sample->info);
	sample_put(sample);
	sample = NULL;
}

static ssize_t plugged_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	bool plug;
	int ret = kstrtobool(buf, &plug);

	guard(mutex)(&sample_lock);
	if (!ret && plug && !sample)
		ret = sample_plug();
	else if (!ret && !plug && sample)
		sample_unplug();
	return ret ?: count;
}
static DEVICE_ATTR_WO(plugged);

static void __exit sample_exit(void)
{
	device_remove_file(sample_parent, &dev_attr_plugged);
	if (sample)
		sample_unplug();
	root_device_unregister(sample_parent);
}

/* A process may open the device as soon as it is registered, so nothing may fail after that. */
static int __init sample_init(void)
{
	int ret;

	sample_parent = root_device_register("uio-sample");
	if (IS_ERR(sample_parent))
		return PTR_ERR(sample_parent);

	ret = sample_plug();
	if (ret) {
		root_device_unregister(sample_parent);
		return ret;
	}
	if (device_create_file(sample_parent, &dev_attr_plugged))
		dev_warn(sample_parent, "could not make the file 'plugged': unload the module to unplug the device\n");
	return 0;
}

module_init(sample_init);
module_exit(sample_exit);
MODULE_DESCRIPTION("UIO driver with late release, a sample");
MODULE_LICENSE("GPL");
