// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: a driver's own mmap(), of memory that lasts longer than the driver.
 */

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/vmalloc.h>

#include "uio_test.h"

static vm_fault_t uio_test_own_fault(struct vm_fault *vmf)
{
	struct uio_test_mem *mem = vmf->vma->vm_private_data;
	unsigned long offset = (vmf->pgoff - mem->map) << PAGE_SHIFT;

	atomic_inc(&mem->slot->faults);
	uio_test_stall(mem->slot, UIO_TEST_FAULT);
	if (offset >= mem->size)
		return VM_FAULT_SIGBUS;

	vmf->page = vmalloc_to_page(mem->addr + offset);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct uio_test_own_vm_ops = {
	.fault	= uio_test_own_fault,
};

/* Stands for the counter of a driver that keeps the memory until no mapping is left. */
static void uio_test_own_open(struct vm_area_struct *vma)
{
}

static void uio_test_own_close(struct vm_area_struct *vma)
{
	struct uio_test_mem *mem = vma->vm_private_data;

	atomic_inc(&mem->slot->closes);
}

static const struct vm_operations_struct uio_test_counted_vm_ops = {
	.open	= uio_test_own_open,
	.close	= uio_test_own_close,
	.fault	= uio_test_own_fault,
};

static vm_fault_t uio_test_locked_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = uio_test_own_fault(vmf);

	if (ret)
		return ret;

	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

/* Nobody truncates the page, so there is nothing to check. */
static vm_fault_t uio_test_own_mkwrite(struct vm_fault *vmf)
{
	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

/* mm calls it if it can't get the page itself. */
static int uio_test_own_access(struct vm_area_struct *vma, unsigned long addr,
			       void *buf, int len, int write)
{
	return -EIO;
}

static const struct vm_operations_struct uio_test_full_vm_ops = {
	.fault		= uio_test_locked_fault,
	.page_mkwrite	= uio_test_own_mkwrite,
	.access		= uio_test_own_access,
};

/* It needs no memory of the driver's, so the core leaves it as it is. */
static const struct vm_operations_struct uio_test_remap_vm_ops = {
#ifdef CONFIG_HAVE_IOREMAP_PROT
	.access	= generic_access_phys,
#endif
};

static const struct vm_operations_struct *
uio_test_own_ops(const struct uio_test_device *dev)
{
	switch (dev->own) {
	case UIO_TEST_OWN_COUNTED:
		return &uio_test_counted_vm_ops;
	case UIO_TEST_OWN_FULL:
		return &uio_test_full_vm_ops;
	case UIO_TEST_OWN_REMAP:
		return &uio_test_remap_vm_ops;
	default:
		return &uio_test_own_vm_ops;
	}
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define vm_flags_set(vma, flags)	((vma)->vm_flags |= (flags))
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
const bool uio_test_can_populate = true;

/* Makes page table entries before the core can find the mapping. */
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

static int uio_test_remap(const struct uio_mem *mem, struct vm_area_struct *vma)
{
	vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	vma->vm_ops = &uio_test_remap_vm_ops;
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(mem->addr),
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

int uio_test_mmap(struct uio_info *info, struct vm_area_struct *vma)
{
	struct uio_test_device *dev = info->priv;

	uio_test_stall(dev->slot, UIO_TEST_MMAP);
	if (dev->own == UIO_TEST_OWN_REMAP)
		return uio_test_remap(&info->mem[vma->vm_pgoff], vma);

	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = dev->mem[vma->vm_pgoff];
	vma->vm_ops = uio_test_own_ops(dev);
	return dev->own == UIO_TEST_OWN_POPULATE ?
	       uio_test_populate(vma->vm_private_data, vma) : 0;
}
#else
/* mmap_prepare() runs before there is a VMA into which it could insert pages */
const bool uio_test_can_populate;

int uio_test_mmap(struct uio_info *info, struct vm_area_desc *desc)
{
	struct uio_test_device *dev = info->priv;

	uio_test_stall(dev->slot, UIO_TEST_MMAP);
	if (dev->own == UIO_TEST_OWN_REMAP) {
		desc->page_prot = pgprot_writecombine(desc->page_prot);
		desc->vm_ops = &uio_test_remap_vm_ops;
		mmap_action_remap_full(desc, PHYS_PFN(info->mem[desc->pgoff].addr));
		return 0;
	}

	vma_desc_set_flags(desc, VMA_DONTEXPAND_BIT, VMA_DONTDUMP_BIT);
	desc->private_data = dev->mem[desc->pgoff];
	desc->vm_ops = uio_test_own_ops(dev);
	return 0;
}
#endif
