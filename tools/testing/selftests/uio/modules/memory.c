// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: memory of each kind that UIO can map. Each page is filled with a word that
 * says which page of which region it is.
 */

#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "uio_test.h"

/* The same in uio_testlib.h. */
#define UIO_TEST_WORD(map, page)	(0x7e570000 | (map) << 8 | (page))

/*
 * With an owner, each word of a page says whose page it is. When nobody may see the page any
 * more, only the mark changes. The same in chaos/chaos.h.
 */
#define UIO_TEST_OWNED(mark, owner, map, page) \
	((mark) | (owner) << 9 | (map) << 6 | (page))
#define UIO_TEST_MINE			0xa0000000
#define UIO_TEST_PAST			0x60000000

/*
 * Bare memory: I/O memory that may be read, and does not change if it is written. A PC has
 * ROM below 4 GB, and nothing at 32 GB. QEMU's other machines have flash there.
 */
#if defined(CONFIG_X86)
#define UIO_TEST_ROM_END		((phys_addr_t)SZ_4G)
#define UIO_TEST_FAR_ADDR		(32ULL * SZ_1G)
#elif defined(CONFIG_ARM) || defined(CONFIG_ARM64)
#define UIO_TEST_ROM_END		((phys_addr_t)SZ_128M)
#define UIO_TEST_FAR_ADDR		SZ_64M
#elif defined(CONFIG_RISCV)
#define UIO_TEST_ROM_END		((phys_addr_t)SZ_512M + SZ_64M)
#define UIO_TEST_FAR_ADDR		SZ_512M
#else
#define UIO_TEST_ROM_END		((phys_addr_t)0)
#define UIO_TEST_FAR_ADDR		0
#endif
/* between regions, as their caching can differ */
#define UIO_TEST_FAR_STEP		(UIO_TEST_FAR_ADDR / 32)

#ifdef UIO_MEM_CONTEXT
#define UIO_TEST_MEM_CONTEXT		UIO_MEM_CONTEXT
#else
#define UIO_TEST_MEM_CONTEXT		UIO_MEM_NONE
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define UIO_TEST_MEM_DMA		UIO_MEM_NONE
#else
#define UIO_TEST_MEM_DMA		UIO_MEM_DMA_COHERENT
#endif

static LIST_HEAD(uio_test_lasting);
static DEFINE_MUTEX(uio_test_lasting_lock);

static const struct {
	const char *name;
	int memtype;
} uio_test_kinds[] = {
	[UIO_TEST_NONE]		= { "none", UIO_MEM_NONE },
	[UIO_TEST_CONTEXT]	= { "context", UIO_TEST_MEM_CONTEXT },
	[UIO_TEST_PHYS]		= { "phys", UIO_MEM_PHYS },
	[UIO_TEST_IOVA]		= { "iova", UIO_MEM_IOVA },
	[UIO_TEST_DMA]		= { "dma", UIO_TEST_MEM_DMA },
	[UIO_TEST_LOGICAL]	= { "logical", UIO_MEM_LOGICAL },
	[UIO_TEST_SLAB]		= { "slab", UIO_MEM_LOGICAL },
	[UIO_TEST_BLOCK]	= { "block", UIO_MEM_LOGICAL },
	[UIO_TEST_VIRTUAL]	= { "virtual", UIO_MEM_VIRTUAL },
	[UIO_TEST_HOLE]		= { "hole", UIO_MEM_VIRTUAL },
	[UIO_TEST_ROM]		= { "rom", UIO_MEM_PHYS },
	[UIO_TEST_FAR]		= { "far", UIO_MEM_PHYS },
	[UIO_TEST_SHARED]	= { "shared", UIO_MEM_IOVA },
};

/* Returns the kind, or a negative error code. */
int uio_test_mem_kind(const char *name)
{
	int kind;

	for (kind = 0; kind < ARRAY_SIZE(uio_test_kinds); kind++)
		if (!strcmp(uio_test_kinds[kind].name, name))
			return kind == UIO_TEST_DMA && UIO_TEST_MEM_DMA == UIO_MEM_NONE ?
			       -EOPNOTSUPP : kind;
	return -EINVAL;
}

static ssize_t uio_test_mem_read(struct file *filp, char __user *buf,
				 size_t count, loff_t *ppos)
{
	struct uio_test_mem *mem = filp->private_data;

	return simple_read_from_buffer(buf, count, ppos, mem->addr, mem->size);
}

static ssize_t uio_test_mem_write(struct file *filp, const char __user *buf,
				  size_t count, loff_t *ppos)
{
	struct uio_test_mem *mem = filp->private_data;

	return simple_write_to_buffer(mem->addr, mem->size, ppos, buf, count);
}

static const struct file_operations uio_test_mem_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= uio_test_mem_read,
	.write	= uio_test_mem_write,
	.llseek	= default_llseek,
};

static void *uio_test_mem_get(struct uio_test_mem *mem)
{
	switch (mem->kind) {
	case UIO_TEST_DMA:
		return dma_alloc_coherent(&uio_test_pdev->dev, mem->size,
					  &mem->dma_addr, GFP_KERNEL);
	case UIO_TEST_VIRTUAL:
	case UIO_TEST_HOLE:
	case UIO_TEST_NONE:
	case UIO_TEST_CONTEXT:
		return vmalloc(mem->size);
	case UIO_TEST_SLAB:
		return kmalloc(mem->size, GFP_KERNEL);
	case UIO_TEST_BLOCK:
		return (void *)__get_free_pages(GFP_KERNEL, get_order(mem->size));
	default:
		/* each page has a reference count of its own */
		return alloc_pages_exact(mem->size, GFP_KERNEL);
	}
}

static void uio_test_mem_give_back(struct uio_test_mem *mem)
{
	switch (mem->kind) {
	case UIO_TEST_DMA:
		dma_free_coherent(&uio_test_pdev->dev, mem->size, mem->addr,
				  mem->dma_addr);
		break;
	case UIO_TEST_VIRTUAL:
	case UIO_TEST_HOLE:
	case UIO_TEST_NONE:
	case UIO_TEST_CONTEXT:
		vfree(mem->addr);
		break;
	case UIO_TEST_SLAB:
		kfree(mem->addr);
		break;
	case UIO_TEST_BLOCK:
		free_pages((unsigned long)mem->addr, get_order(mem->size));
		break;
	default:
		free_pages_exact(mem->addr, mem->size);
	}
	kfree(mem);
}

static void uio_test_mem_fill(struct uio_test_mem *mem)
{
	size_t i;

	for (i = 0; i < mem->size; i += sizeof(u32))
		*(u32 *)(mem->addr + i) = UIO_TEST_WORD(mem->map, i >> PAGE_SHIFT);
}

static void uio_test_mem_mark(const struct uio_test_mem *mem, u32 mark, u32 owner)
{
	size_t i;

	for (i = 0; i < mem->size; i += sizeof(u32))
		*(u32 *)(mem->addr + i) = UIO_TEST_OWNED(mark, owner, mem->map,
							 i >> PAGE_SHIFT);
}

/* All of the region belongs to this owner. */
void uio_test_mem_own(const struct uio_test_mem *mem, u32 owner)
{
	uio_test_mem_mark(mem, UIO_TEST_MINE, owner);
}

/* User space must have lost the region. */
void uio_test_mem_disown(const struct uio_test_mem *mem, u32 owner)
{
	uio_test_mem_mark(mem, UIO_TEST_PAST, owner);
}

/* Does user space lose it with the device, even if there is a context? */
bool uio_test_mem_is_io(const struct uio_test_mem *mem)
{
	return mem->kind == UIO_TEST_PHYS || mem->kind == UIO_TEST_IOVA ||
	       mem->kind == UIO_TEST_DMA;
}

/* The memory of hardware goes to the next owner at once. */
static struct uio_test_mem *uio_test_mem_reuse(int kind, size_t size)
{
	struct uio_test_mem *mem, *found = NULL;

	mutex_lock(&uio_test_lasting_lock);
	list_for_each_entry(mem, &uio_test_lasting, node)
		if (mem->owned && mem->kind == kind && mem->size == size)
			found = mem;
	if (found)
		list_del(&found->node);
	mutex_unlock(&uio_test_lasting_lock);
	return found;
}

static struct uio_test_mem *uio_test_mem_make(int kind, size_t size)
{
	struct uio_test_mem *mem = kzalloc_obj(*mem);

	if (!mem)
		return NULL;

	mem->kind = kind;
	mem->size = size;
	mem->addr = uio_test_mem_get(mem);
	if (mem->addr)
		return mem;
	kfree(mem);
	return NULL;
}

static void uio_test_mem_add_file(struct uio_test_mem *mem)
{
	char name[16];

	snprintf(name, sizeof(name), "mem%u", mem->map);
	mem->file = debugfs_create_file(name, 0600, mem->slot->dir, mem,
					&uio_test_mem_fops);
}

struct uio_test_mem *uio_test_mem_alloc(struct uio_test_slot *slot, int kind,
					unsigned int map, size_t size, bool lasts,
					bool owned)
{
	bool is_hardware = kind == UIO_TEST_PHYS || kind == UIO_TEST_IOVA;
	struct uio_test_mem *mem = NULL;

	if (owned && is_hardware)
		mem = uio_test_mem_reuse(kind, size);
	if (!mem)
		mem = uio_test_mem_make(kind, size);
	if (!mem)
		return NULL;

	mem->slot = slot;
	mem->map = map;
	mem->lasts = lasts || is_hardware;
	mem->owned = owned;
	/* an owned device is made again before the last one is freed: names would clash */
	if (!owned) {
		uio_test_mem_fill(mem);
		uio_test_mem_add_file(mem);
	}
	return mem;
}

void uio_test_mem_free(struct uio_test_mem *mem)
{
	if (!mem)
		return;

	if (!mem->lasts) {
		debugfs_remove(mem->file);
		uio_test_mem_give_back(mem);
		return;
	}

	mutex_lock(&uio_test_lasting_lock);
	list_add(&mem->node, &uio_test_lasting);
	mutex_unlock(&uio_test_lasting_lock);
}

/* An open file pins the module, so no mapping of this memory is left. */
void uio_test_mem_exit(void)
{
	struct uio_test_mem *mem, *next;

	list_for_each_entry_safe(mem, next, &uio_test_lasting, node)
		uio_test_mem_give_back(mem);
}

/* Memory that is there without this module. */
bool uio_test_mem_is_bare(int kind)
{
	return kind == UIO_TEST_ROM || kind == UIO_TEST_FAR || kind == UIO_TEST_SHARED;
}

int uio_test_mem_describe_bare(int kind, unsigned int map, unsigned int pages,
			       struct uio_mem *to)
{
	if (!UIO_TEST_ROM_END)
		return -ENXIO;

	to->name = uio_test_kinds[kind].name;
	to->memtype = uio_test_kinds[kind].memtype;
	to->size = pages * PAGE_SIZE;
	if (kind == UIO_TEST_ROM)
		to->addr = UIO_TEST_ROM_END - to->size;
	else
		to->addr = UIO_TEST_FAR_ADDR + map * UIO_TEST_FAR_STEP;
	return 0;
}

void uio_test_mem_describe(const struct uio_test_mem *mem, struct uio_mem *to)
{
	/* a region need not have a name */
	static const char * const names[MAX_UIO_MAPS] = {
		"region0", NULL, "region2", "region3", "region4",
	};

	to->name = names[mem->map];
	to->memtype = uio_test_kinds[mem->kind].memtype;
	to->size = mem->size;
	/* no page follows that of another vmalloc() */
	if (mem->kind == UIO_TEST_HOLE)
		to->size += PAGE_SIZE;
	to->offs = 16 * mem->map;
	to->addr = (phys_addr_t)(unsigned long)mem->addr;
	if (mem->kind == UIO_TEST_PHYS || mem->kind == UIO_TEST_IOVA)
		to->addr = virt_to_phys(mem->addr);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	if (mem->kind == UIO_TEST_DMA) {
		to->dma_addr = mem->dma_addr;
		to->dma_device = &uio_test_pdev->dev;
	}
#endif
}
