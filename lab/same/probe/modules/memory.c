// SPDX-License-Identifier: GPL-2.0-only
/* uio_same: the memory of regions. */

#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "uio_same.h"

#define UIO_SAME_MOST_PAGES	256
#define UIO_SAME_FAR_STEP	SZ_64M

static atomic64_t uio_same_far;

static void *uio_same_mem_get(struct uio_same_mem *mem)
{
	size_t size = mem->pages * PAGE_SIZE;

	switch (mem->backing) {
	case UIO_SAME_PAGES:
		return alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO);
	case UIO_SAME_VMALLOC:
		return vzalloc(size);
	case UIO_SAME_COHERENT:
		return dma_alloc_coherent(&uio_same_pdev->dev, size, &mem->dma_addr,
					  GFP_KERNEL);
	case UIO_SAME_NOTHING:
		/* a new address, because the kernel may keep memory types of old ones */
		mem->far = UIO_SAME_FAR +
			   atomic64_fetch_add(UIO_SAME_FAR_STEP, &uio_same_far);
		return NULL;
	default:
		return NULL;
	}
}

static void uio_same_mem_free(struct uio_same_mem *mem)
{
	size_t size = mem->pages * PAGE_SIZE;

	switch (mem->backing) {
	case UIO_SAME_PAGES:
		free_pages_exact(mem->addr, size);
		break;
	case UIO_SAME_VMALLOC:
		vfree(mem->addr);
		break;
	case UIO_SAME_COHERENT:
		dma_free_coherent(&uio_same_pdev->dev, size, mem->addr, mem->dma_addr);
		break;
	default:
		break;
	}
	kfree(mem);
}

static void uio_same_mem_fill(struct uio_same_mem *mem, unsigned int index)
{
	unsigned int page;

	for (page = 0; mem->addr && page < mem->pages; page++)
		*(u32 *)(mem->addr + page * PAGE_SIZE) = UIO_SAME_WORD(index, page);
}

static void uio_same_mem_describe(const struct uio_same_mem *mem, int type,
				  struct uio_mem *to)
{
	to->memtype = type;
	to->size = mem->pages * PAGE_SIZE;
	to->addr = (phys_addr_t)(unsigned long)mem->addr;
	if (!mem->addr)
		to->addr = mem->far;
	else if (type == UIO_MEM_PHYS || type == UIO_MEM_IOVA)
		to->addr = virt_to_phys(mem->addr);
	/* older kernels do not have this type, and refuse to map it */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	to->dma_addr = mem->dma_addr;
	to->dma_device = type == UIO_MEM_DMA_COHERENT ? &uio_same_pdev->dev : NULL;
#endif
}

/**
 * uio_same_alloc - give a region new memory
 * @same: the driver
 * @alloc: region and kind of memory; its old memory stays until the driver goes
 *
 * Return: 0 or a negative error code.
 */
int uio_same_alloc(struct uio_same *same, const struct uio_same_alloc *alloc)
{
	struct uio_same_mem *mem;

	if (alloc->index >= MAX_UIO_MAPS || alloc->backing > UIO_SAME_COHERENT ||
	    !alloc->pages || alloc->pages > (alloc->backing == UIO_SAME_NOTHING ?
					     PHYS_PFN(UIO_SAME_FAR_STEP) :
					     UIO_SAME_MOST_PAGES))
		return -EINVAL;

	mem = kzalloc(sizeof(*mem), GFP_KERNEL);
	if (!mem)
		return -ENOMEM;

	mem->backing = alloc->backing;
	mem->pages = alloc->pages;
	mem->addr = uio_same_mem_get(mem);
	if (!mem->addr && mem->backing != UIO_SAME_NOTHING) {
		kfree(mem);
		return -ENOMEM;
	}

	uio_same_mem_fill(mem, alloc->index);
	list_add(&mem->node, &same->mems);
	same->mem[alloc->index] = mem;
	uio_same_mem_describe(mem, alloc->type, &same->info.mem[alloc->index]);
	return 0;
}

static struct uio_same_mem *uio_same_mem_at(struct uio_same *same, unsigned int index,
					    unsigned int page)
{
	struct uio_same_mem *mem = index < MAX_UIO_MAPS ? same->mem[index] : NULL;

	return mem && page < mem->pages ? mem : NULL;
}

/* Reads or writes the first word of a page. */
int uio_same_word(struct uio_same *same, struct uio_same_word *word, bool write)
{
	struct uio_same_mem *mem = uio_same_mem_at(same, word->index, word->page);
	u32 *at;

	if (!mem || !mem->addr)
		return -ENXIO;

	at = mem->addr + word->page * PAGE_SIZE;
	if (write)
		WRITE_ONCE(*at, word->word);
	else
		word->word = READ_ONCE(*at);
	return 0;
}

/* Returns a struct page. On x86, coherent memory is in the linear mapping. */
struct page *uio_same_page(const struct uio_same_mem *mem, unsigned long page)
{
	void *addr = mem->addr + page * PAGE_SIZE;

	return is_vmalloc_addr(addr) ? vmalloc_to_page(addr) : virt_to_page(addr);
}

int uio_same_pfn(struct uio_same *same, struct uio_same_pfn *pfn)
{
	struct uio_same_mem *mem = uio_same_mem_at(same, pfn->index, pfn->page);

	if (!mem)
		return -ENXIO;

	pfn->pfn = mem->addr ? page_to_pfn(uio_same_page(mem, pfn->page)) :
			       PHYS_PFN(mem->far) + pfn->page;
	return 0;
}

void uio_same_mem_exit(struct uio_same *same)
{
	struct uio_same_mem *mem, *next;

	list_for_each_entry_safe(mem, next, &same->mems, node)
		uio_same_mem_free(mem);
}
