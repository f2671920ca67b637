// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench_uio: a minimal driver. The same source is compiled for mainline's core and for
 * ours. The part for our core is at the end.
 */

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/platform_device.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "uio_bench.h"

struct bench_uio {
	struct uio_bench_dev dev;
	struct uio_info info;
	struct bench_context *context;	/* of the last registration */
	refcount_t users;		/* the owner and its contexts */
};

static struct platform_device *bench_pdev;

static struct bench_uio *to_bench_uio(struct uio_bench_dev *dev)
{
	return container_of(dev, struct bench_uio, dev);
}

/* defined below, once for each core */
static bool context_prepare(struct bench_uio *uio);
static int context_register(struct bench_uio *uio);
static void context_put(struct bench_uio *uio);
static void do_revoke(struct bench_uio *uio);

static int bench_irqcontrol(struct uio_info *info, s32 irq_on)
{
	return 0;
}

static struct uio_bench_dev *bench_alloc(const struct uio_bench_add *add)
{
	struct bench_uio *uio = kzalloc(sizeof(*uio), GFP_KERNEL);
	unsigned int i;

	if (!uio)
		return NULL;

	uio->info.name = "uio_bench";
	uio->info.version = "1.0";
	uio->info.irq = UIO_IRQ_CUSTOM;
	uio->info.irqcontrol = bench_irqcontrol;
	for (i = 0; i < add->regions; i++)
		uio_bench_describe(i, &uio->info.mem[i]);

	refcount_set(&uio->users, 1);
	uio->dev.context = add->context;
	if (add->context && !context_prepare(uio)) {
		kfree(uio);
		return NULL;
	}
	return &uio->dev;
}

static void bench_put(struct bench_uio *uio)
{
	if (refcount_dec_and_test(&uio->users))
		kfree(uio);
}

static void bench_free(struct uio_bench_dev *dev)
{
	struct bench_uio *uio = to_bench_uio(dev);

	context_put(uio);
	bench_put(uio);
}

static int bench_register(struct uio_bench_dev *dev)
{
	struct bench_uio *uio = to_bench_uio(dev);

	if (dev->context)
		return context_register(uio);
	return uio_register_device(&bench_pdev->dev, &uio->info);
}

static void bench_unregister(struct uio_bench_dev *dev)
{
	uio_unregister_device(&to_bench_uio(dev)->info);
}

static void bench_notify(struct uio_bench_dev *dev)
{
	uio_event_notify(&to_bench_uio(dev)->info);
}

static void bench_revoke(struct uio_bench_dev *dev)
{
	do_revoke(to_bench_uio(dev));
}

static void bench_name(struct uio_bench_dev *dev, char *name)
{
	snprintf(name, UIO_BENCH_NAME_SIZE, "/dev/uio%d",
		 to_bench_uio(dev)->info.uio_dev->minor);
}

static const struct uio_bench_core bench_core = {
	.owner	= THIS_MODULE,
	.alloc	= bench_alloc,
	.free	= bench_free,
	.reg	= bench_register,
	.unreg	= bench_unregister,
	.notify	= bench_notify,
	.revoke	= bench_revoke,
	.name	= bench_name,
};

static int __init bench_init(void)
{
	bench_pdev = platform_device_register_simple("uio_bench", PLATFORM_DEVID_NONE,
						     NULL, 0);
	if (IS_ERR(bench_pdev))
		return PTR_ERR(bench_pdev);
	uio_bench_core_add(UIO_BENCH_UIO, &bench_core);
	return 0;
}

static void __exit bench_exit(void)
{
	uio_bench_core_del(UIO_BENCH_UIO);
	platform_device_unregister(bench_pdev);
}

module_init(bench_init)
module_exit(bench_exit)
MODULE_DESCRIPTION("UIO devices to measure: a driver");
MODULE_LICENSE("GPL");

#ifdef UIO_MAINLINE

static bool context_prepare(struct bench_uio *uio)
{
	return false;
}

static int context_register(struct bench_uio *uio)
{
	return -EOPNOTSUPP;
}

static void context_put(struct bench_uio *uio)
{
}

/* Mainline can wake readers only by unregistration. */
static void do_revoke(struct bench_uio *uio)
{
	uio_unregister_device(&uio->info);
	uio->dev.registered = false;
}

#else

/* A device is registered many times, but a context only once. */
struct bench_context {
	struct uio_context ctx;
	struct bench_uio *uio;
};

static void context_release(struct uio_context *ctx)
{
	struct bench_context *context = container_of(ctx, struct bench_context, ctx);

	bench_put(context->uio);
	kfree(context);
}

static int context_get_pages(struct uio_context *ctx, unsigned int region,
			     unsigned long offset, struct page **pages, unsigned int nr)
{
	struct uio_info *info = &container_of(ctx, struct bench_context, ctx)->uio->info;
	void *addr = (void *)(unsigned long)info->mem[region].addr + offset;
	unsigned int i;

	for (i = 0; i < nr; i++, addr += PAGE_SIZE) {
		pages[i] = vmalloc_to_page(addr);
		if (!i)
			lock_page(pages[i]);
		else if (!trylock_page(pages[i]))
			break;
		get_page(pages[i]);
	}
	return i;
}

static const struct uio_context_ops context_ops = {
	.release	= context_release,
	.get_pages	= context_get_pages,
};

static bool context_prepare(struct bench_uio *uio)
{
	unsigned int i;

	for (i = 0; i < MAX_UIO_MAPS; i++)
		if (uio->info.mem[i].memtype == UIO_MEM_NONE)
			uio->info.mem[i].memtype = UIO_MEM_CONTEXT;
	return true;
}

static void context_put(struct bench_uio *uio)
{
	if (uio->context)
		uio_context_put(&uio->context->ctx);
	uio->context = NULL;
}

static int context_register(struct bench_uio *uio)
{
	struct bench_context *context = kzalloc(sizeof(*context), GFP_KERNEL);

	if (!context)
		return -ENOMEM;

	context_put(uio);
	uio_context_init(&context->ctx, &context_ops, 0);
	context->uio = uio;
	refcount_inc(&uio->users);
	uio->context = context;
	return uio_register_device_context(&bench_pdev->dev, &uio->info, &context->ctx);
}

static void do_revoke(struct bench_uio *uio)
{
	uio_revoke_device(&uio->info);
}

#endif /* UIO_MAINLINE */
