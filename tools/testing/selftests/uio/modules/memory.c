// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: memory of every kind that UIO can map. Each page is filled with a
 * word that tells which one it is.
 */

#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "uio_test.h"

/* The same in uio_testlib.h. */
#define UIO_TEST_WORD(map, page)	(0x7e570000 | (map) << 8 | (page))

static LIST_HEAD(uio_test_lasting);
static DEFINE_MUTEX(uio_test_lasting_lock);

static const struct {
	const char *name;
	int memtype;
} uio_test_kinds[] = {
	[UIO_TEST_NONE]		= { "none", UIO_MEM_NONE },
	[UIO_TEST_PHYS]		= { "phys", UIO_MEM_PHYS },
	[UIO_TEST_IOVA]		= { "iova", UIO_MEM_IOVA },
	[UIO_TEST_DMA]		= { "dma", UIO_MEM_DMA_COHERENT },
	[UIO_TEST_LOGICAL]	= { "logical", UIO_MEM_LOGICAL },
	[UIO_TEST_SLAB]		= { "slab", UIO_MEM_LOGICAL },
	[UIO_TEST_BLOCK]	= { "block", UIO_MEM_LOGICAL },
	[UIO_TEST_VIRTUAL]	= { "virtual", UIO_MEM_VIRTUAL },
	[UIO_TEST_ROM]		= { "rom", UIO_MEM_PHYS },
};

/* A kind, or a negative error code. */
int uio_test_mem_kind(const char *name)
{
	int kind;

	for (kind = 0; kind < ARRAY_SIZE(uio_test_kinds); kind++)
		if (!strcmp(uio_test_kinds[kind].name, name))
			return kind;
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
	case UIO_TEST_NONE:
		return vmalloc(mem->size);
	case UIO_TEST_SLAB:
		return kmalloc(mem->size, GFP_KERNEL);
	case UIO_TEST_BLOCK:
		return (void *)__get_free_pages(GFP_KERNEL, get_order(mem->size));
	default:
		/* pages with a reference count each */
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
	case UIO_TEST_NONE:
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

struct uio_test_mem *uio_test_mem_alloc(struct uio_test_slot *slot, int kind,
					unsigned int map, size_t size, bool lasts)
{
	struct uio_test_mem *mem = kzalloc(sizeof(*mem), GFP_KERNEL);
	char name[16];

	if (!mem)
		return NULL;

	mem->slot = slot;
	mem->kind = kind;
	mem->map = map;
	mem->size = size;
	mem->lasts = lasts || kind == UIO_TEST_PHYS || kind == UIO_TEST_IOVA;
	mem->addr = uio_test_mem_get(mem);
	if (!mem->addr) {
		kfree(mem);
		return NULL;
	}

	uio_test_mem_fill(mem);
	snprintf(name, sizeof(name), "mem%u", map);
	mem->file = debugfs_create_file(name, 0600, slot->dir, mem,
					&uio_test_mem_fops);
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

/* An open file pins the module, so nothing of this can be mapped any more. */
void uio_test_mem_exit(void)
{
	struct uio_test_mem *mem, *next;

	list_for_each_entry_safe(mem, next, &uio_test_lasting, node)
		uio_test_mem_give_back(mem);
}

/* The last pages below 4 GB. */
void uio_test_mem_describe_rom(unsigned int pages, struct uio_mem *to)
{
	to->name = "rom";
	to->memtype = UIO_MEM_PHYS;
	to->size = pages * PAGE_SIZE;
	to->addr = SZ_4G - to->size;
}

void uio_test_mem_describe(const struct uio_test_mem *mem, struct uio_mem *to)
{
	/* one without a name: that is allowed */
	static const char * const names[MAX_UIO_MAPS] = {
		"region0", NULL, "region2", "region3", "region4",
	};

	to->name = names[mem->map];
	to->memtype = uio_test_kinds[mem->kind].memtype;
	to->size = mem->size;
	to->offs = 16 * mem->map;
	to->addr = (phys_addr_t)(unsigned long)mem->addr;
	if (mem->kind == UIO_TEST_PHYS || mem->kind == UIO_TEST_IOVA)
		to->addr = virt_to_phys(mem->addr);
	if (mem->kind == UIO_TEST_DMA) {
		to->dma_addr = mem->dma_addr;
		to->dma_device = &uio_test_pdev->dev;
	}
}

/*
 * A driver's own mmap(), of memory that lasts. Its fault handler works after
 * unregistration, too, as that of a driver with a reference count of its own.
 */
static vm_fault_t uio_test_own_fault(struct vm_fault *vmf)
{
	struct uio_test_mem *mem = vmf->vma->vm_private_data;
	unsigned long offset = (vmf->pgoff - mem->map) << PAGE_SHIFT;

	atomic_inc(&mem->slot->faults);
	if (offset >= mem->size)
		return VM_FAULT_SIGBUS;

	vmf->page = vmalloc_to_page(mem->addr + offset);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct uio_test_own_vm_ops = {
	.fault	= uio_test_own_fault,
};

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
const bool uio_test_can_populate = true;

/* Page table entries that are there before the core can find the mapping. */
static int uio_test_populate(struct uio_test_mem *mem, struct vm_area_struct *vma)
{
	unsigned long i;
	int ret = 0;

	vm_flags_set(vma, VM_MIXEDMAP);
	for (i = 0; !ret && i < vma_pages(vma); i++)
		ret = vm_insert_page(vma, vma->vm_start + (i << PAGE_SHIFT),
				     vmalloc_to_page(mem->addr + (i << PAGE_SHIFT)));
	return ret;
}

int uio_test_mmap(struct uio_info *info, struct vm_area_struct *vma)
{
	struct uio_test_device *dev = info->priv;

	uio_test_stall(dev->slot, UIO_TEST_MMAP);
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = dev->mem[vma->vm_pgoff];
	vma->vm_ops = &uio_test_own_vm_ops;
	return dev->populate ? uio_test_populate(vma->vm_private_data, vma) : 0;
}
#else
/* mmap_prepare() has no VMA to insert pages into */
const bool uio_test_can_populate;

int uio_test_mmap(struct uio_info *info, struct vm_area_desc *desc)
{
	struct uio_test_device *dev = info->priv;

	uio_test_stall(dev->slot, UIO_TEST_MMAP);
	vma_desc_set_flags(desc, VMA_DONTEXPAND_BIT, VMA_DONTDUMP_BIT);
	desc->private_data = dev->mem[desc->pgoff];
	desc->vm_ops = &uio_test_own_vm_ops;
	return 0;
}
#endif
