// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: what mainline's core lacks. There, these functions return -EOPNOTSUPP, and
 * the test is skipped.
 */

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/seq_file.h>
#include <linux/vmalloc.h>

#include "uio_test.h"

#ifdef UIO_MAINLINE

int uio_test_context_init(struct uio_test_device *dev)
{
	return -EOPNOTSUPP;
}

void uio_test_context_put(struct uio_test_device *dev)
{
}

int uio_test_context_register(struct device *parent, struct uio_test_device *dev)
{
	return -EOPNOTSUPP;
}

int uio_test_revoke(struct uio_test_device *dev)
{
	return -EOPNOTSUPP;
}

int uio_test_drain(struct uio_test_device *dev)
{
	return -EOPNOTSUPP;
}

int uio_test_unmap(struct uio_test_device *dev, unsigned int map,
		   unsigned int page, unsigned int pages)
{
	return -EOPNOTSUPP;
}

#else

static struct uio_test_device *to_device(struct uio_context *ctx)
{
	return container_of(ctx, struct uio_test_device, ctx);
}

/* All references to pages except ours have to be gone. */
static void uio_test_check_pages(const struct uio_test_mem *mem)
{
	unsigned long offset;

	for (offset = 0; offset < mem->size; offset += PAGE_SIZE)
		WARN_ON_ONCE(page_count(vmalloc_to_page(mem->addr + offset)) != 1);
}

static void uio_test_context_release(struct uio_context *ctx)
{
	struct uio_test_device *dev = to_device(ctx);

	/* with an owner, user space may also pin pages */
	if (dev->around && !dev->owner)
		uio_test_check_pages(dev->mem[0]);
	uio_test_device_free(dev);
}

/*
 * Returns the touched page. With dev->around, it also returns the pages after it, up to
 * the next page that is left out: every seventh. Most tests do not want that, because they
 * count touches.
 */
static int uio_test_context_get_pages(struct uio_context *ctx, unsigned int region,
				      unsigned long offset, struct page **pages,
				      unsigned int nr)
{
	struct uio_test_device *dev = to_device(ctx);
	unsigned int i;

	atomic_inc(&dev->slot->faults);
	uio_test_stall(dev->slot, UIO_TEST_FAULT);

	for (i = 0; i < nr; i++, offset += PAGE_SIZE) {
		pages[i] = vmalloc_to_page(dev->mem[region]->addr + offset);
		if (!i)
			lock_page(pages[i]);
		else if (!dev->around || PHYS_PFN(offset) % 7 == 6 ||
			 !trylock_page(pages[i]))
			break;
		get_page(pages[i]);
	}
	atomic_add(i - 1, &dev->slot->arounds);
	return i;
}

static void uio_test_context_kick(struct uio_context *ctx)
{
	struct uio_test_slot *slot = to_device(ctx)->slot;

	atomic_inc(&slot->kicks);
	if (slot->kick_ends_stall)
		uio_test_let_go(slot);
}

static void uio_test_context_show_fdinfo(struct uio_context *ctx, struct seq_file *m)
{
	seq_printf(m, "test-faults:\t%d\n", atomic_read(&to_device(ctx)->slot->faults));
}

static const struct uio_context_ops uio_test_context_ops = {
	.release	= uio_test_context_release,
	.get_pages	= uio_test_context_get_pages,
	.kick		= uio_test_context_kick,
	.show_fdinfo	= uio_test_context_show_fdinfo,
};

int uio_test_context_init(struct uio_test_device *dev)
{
	uio_context_init(&dev->ctx, &uio_test_context_ops,
			 dev->sink ? UIO_CONTEXT_SINK : 0);
	return 0;
}

void uio_test_context_put(struct uio_test_device *dev)
{
	uio_context_put(&dev->ctx);
}

int uio_test_context_register(struct device *parent, struct uio_test_device *dev)
{
	if (dev->devm)
		return devm_uio_register_device_context(parent, &dev->info, &dev->ctx);
	return uio_register_device_context(parent, &dev->info, &dev->ctx);
}

int uio_test_revoke(struct uio_test_device *dev)
{
	uio_revoke_device(&dev->info);
	return 0;
}

int uio_test_drain(struct uio_test_device *dev)
{
	uio_drain_device(&dev->info);
	return 0;
}

int uio_test_unmap(struct uio_test_device *dev, unsigned int map,
		   unsigned int page, unsigned int pages)
{
	uio_unmap_range(&dev->info, map, page * PAGE_SIZE, pages * PAGE_SIZE);
	return 0;
}

#endif /* UIO_MAINLINE */
