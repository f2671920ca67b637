// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench_floor: the cheapest mappings with which user space can do the same as with
 * UIO's. mmap() maps I/O memory at once. Pages of kernel memory can be pinned. A touch maps
 * the touched page, and all pages after it in the same page table.
 */

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#include "floor.h"

#define BATCH	32UL

static unsigned int around = PTRS_PER_PTE;
module_param(around, uint, 0644);
MODULE_PARM_DESC(around, "most pages that a touch maps");

static struct page *floor_page(const struct uio_mem *mem, unsigned long index)
{
	void *addr = (void *)(unsigned long)mem->addr + (index << PAGE_SHIFT);

	return mem->memtype == UIO_MEM_LOGICAL ? virt_to_page(addr) :
						 vmalloc_to_page(addr);
}

static unsigned long pages_to_insert(const struct vm_fault *vmf)
{
	unsigned long end = min(vmf->vma->vm_end, (vmf->address | ~PMD_MASK) + 1);

	return min((end - vmf->address) >> PAGE_SHIFT, (unsigned long)around);
}

/* noinline, because the compiler may zero the array in each call. */
static noinline void insert_many(struct vm_fault *vmf, unsigned long left)
{
	const struct uio_mem *mem = vmf->vma->vm_private_data;
	unsigned long addr = vmf->address, index = vmf->pgoff;
	struct page *pages[BATCH];

	while (left) {
		unsigned long i, nr = min(left, BATCH), not_done = nr;

		for (i = 0; i < nr; i++)
			pages[i] = floor_page(mem, index + i);
		/* this stops at a page that is already mapped */
		if (vm_insert_pages(vmf->vma, addr, pages, &not_done))
			return;
		left -= nr;
		addr += nr << PAGE_SHIFT;
		index += nr;
	}
}

static vm_fault_t floor_fault(struct vm_fault *vmf)
{
	unsigned long nr = pages_to_insert(vmf);

	if (nr > 1) {
		insert_many(vmf, nr);
		return VM_FAULT_NOPAGE;
	}

	vmf->page = floor_page(vmf->vma->vm_private_data, vmf->pgoff);
	get_page(vmf->page);
	return 0;
}

/* Maps nothing. But with this operation, faults do not take the mmap_lock. */
static vm_fault_t floor_map_pages(struct vm_fault *vmf, pgoff_t start, pgoff_t end)
{
	return 0;
}

static const struct vm_operations_struct floor_vm_ops = {
	.fault		= floor_fault,
	.map_pages	= floor_map_pages,
};

static const struct vm_operations_struct floor_io_vm_ops = {
	.access	= generic_access_phys,
};

static int floor_mmap_io(const struct uio_mem *mem, struct vm_area_struct *vma)
{
	if (mem->memtype == UIO_MEM_PHYS)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &floor_io_vm_ops;
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(mem->addr),
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define vm_flags_set(vma, flags)	((vma)->vm_flags |= (flags))
#endif

int floor_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct floor_file *ff = filp->private_data;
	const struct uio_mem *mem;

	if (vma->vm_pgoff >= UIO_BENCH_REGIONS)
		return -EINVAL;

	mem = &ff->floor->mem[vma->vm_pgoff];
	if (vma->vm_end - vma->vm_start > mem->size)
		return -EINVAL;
	if (mem->memtype == UIO_MEM_PHYS || mem->memtype == UIO_MEM_IOVA)
		return floor_mmap_io(mem, vma);

	vm_flags_set(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &floor_vm_ops;
	vma->vm_private_data = (void *)mem;
	vma->vm_pgoff = 0;
	return 0;
}
