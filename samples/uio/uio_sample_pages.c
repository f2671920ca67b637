// SPDX-License-Identifier: GPL-2.0-only
/*
 * A UIO driver that finds pages by a rule of its own, to copy from. A page of its region
 * takes memory only when it is touched. The driver takes all pages back, even if they are
 * mapped, by: echo 1 > /sys/devices/platform/uio_sample_pages/trim
 *
 * It registers with devm. So the device goes away when it is unbound:
 * echo uio_sample_pages > /sys/bus/platform/drivers/uio_sample_pages/unbind
 */

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/platform_device.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uio_driver.h>
#include <linux/xarray.h>

struct sample {
	struct uio_context ctx;
	struct uio_info info;
	struct mutex lock;	/* held where pages come and go */
	struct xarray pages;
	unsigned long nr_pages;
};

/* The page that was touched. If there is none, it is made. */
static struct page *sample_touched_page(struct sample *s, unsigned long index)
{
	struct page *page = xa_load(&s->pages, index);

	if (page)
		return page;
	page = alloc_page(GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT);
	if (!page)
		return NULL;
	if (xa_err(xa_store(&s->pages, index, page, GFP_KERNEL))) {
		__free_page(page);
		return NULL;
	}
	WRITE_ONCE(s->nr_pages, s->nr_pages + 1);
	return page;
}

/* The pages after the first one are mapped only if they are there already. */
static int sample_get_pages(struct uio_context *ctx, unsigned int region,
			    unsigned long offset, struct page **pages, unsigned int nr)
{
	struct sample *s = container_of(ctx, struct sample, ctx);
	unsigned long index = offset >> PAGE_SHIFT;
	unsigned int i;

	guard(mutex)(&s->lock);
	pages[0] = sample_touched_page(s, index);
	if (!pages[0])
		return -ENOMEM;
	lock_page(pages[0]);
	get_page(pages[0]);

	for (i = 1; i < nr; i++) {
		pages[i] = xa_load(&s->pages, index + i);
		if (!pages[i] || !trylock_page(pages[i]))
			break;
		get_page(pages[i]);
	}
	return i;
}

/* Each mapping has its own references. So a page that is mapped is freed by munmap(). */
static void sample_free_pages(struct sample *s)
{
	struct page *page;
	unsigned long index;

	xa_for_each(&s->pages, index, page)
		put_page(page);
	xa_destroy(&s->pages);
	WRITE_ONCE(s->nr_pages, 0);
}

/* Not concurrently with the unregistration: the file goes before devm unregisters. */
static ssize_t trim_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t count)
{
	struct sample *s = dev_get_drvdata(dev);
	struct page *page;
	unsigned long index;

	/* a page fault can't get a page now, and whoever has one holds its lock */
	guard(mutex)(&s->lock);
	xa_for_each(&s->pages, index, page) {
		lock_page(page);
		unlock_page(page);
	}
	uio_unmap_range(&s->info, 0, 0, 0);
	sample_free_pages(s);
	return count;
}
static DEVICE_ATTR_WO(trim);

static struct attribute *sample_attrs[] = {
	&dev_attr_trim.attr,
	NULL
};
ATTRIBUTE_GROUPS(sample);

/* For an operator, who may look when the device is gone. */
static void sample_show_fdinfo(struct uio_context *ctx, struct seq_file *m)
{
	struct sample *s = container_of(ctx, struct sample, ctx);

	seq_printf(m, "sample-bytes:\t%lu\n", READ_ONCE(s->nr_pages) * PAGE_SIZE);
}

static void sample_release(struct uio_context *ctx)
{
	kfree(container_of(ctx, struct sample, ctx));
}

static const struct uio_context_ops sample_ctx_ops = {
	.release	= sample_release,
	.get_pages	= sample_get_pages,
	.show_fdinfo	= sample_show_fdinfo,
};

/* The device is unregistered, so the core asks for no more pages. */
static void sample_put(void *data)
{
	struct sample *s = data;

	sample_free_pages(s);
	uio_context_put(&s->ctx);
}

static int sample_probe(struct platform_device *pdev)
{
	struct sample *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int ret;

	if (!s)
		return -ENOMEM;

	uio_context_init(&s->ctx, &sample_ctx_ops, 0);
	mutex_init(&s->lock);
	xa_init(&s->pages);
	platform_set_drvdata(pdev, s);
	/* devm does the last thing first: it unregisters, and then calls sample_put() */
	ret = devm_add_action_or_reset(&pdev->dev, sample_put, s);
	if (ret)
		return ret;

	s->info.name = "uio_sample_pages";
	s->info.version = "1";
	s->info.irq = UIO_IRQ_NONE;
	s->info.mem[0].name = "pages";
	s->info.mem[0].size = SZ_16M;
	s->info.mem[0].memtype = UIO_MEM_CONTEXT;
	return devm_uio_register_device_context(&pdev->dev, &s->info, &s->ctx);
}

static struct platform_driver sample_driver = {
	.probe = sample_probe,
	.driver = {
		.name = "uio_sample_pages",
		.dev_groups = sample_groups,
	},
};

static struct platform_device *sample_device;

static void __exit sample_exit(void)
{
	platform_device_unregister(sample_device);
	platform_driver_unregister(&sample_driver);
}

/* The device comes last, because a process may open it as soon as it is registered. */
static int __init sample_init(void)
{
	int ret = platform_driver_register(&sample_driver);

	if (ret)
		return ret;
	sample_device = platform_device_register_simple("uio_sample_pages", PLATFORM_DEVID_NONE,
							NULL, 0);
	if (IS_ERR(sample_device)) {
		platform_driver_unregister(&sample_driver);
		return PTR_ERR(sample_device);
	}
	return 0;
}

module_init(sample_init);
module_exit(sample_exit);
MODULE_DESCRIPTION("UIO driver that gives pages when they are touched, a sample");
MODULE_LICENSE("GPL");
