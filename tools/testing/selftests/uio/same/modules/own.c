// SPDX-License-Identifier: GPL-2.0-only
/* uio_same: a driver that maps its memory by itself. */

#include <linux/io.h>
#include <linux/mm.h>

#include "uio_same.h"

static vm_fault_t uio_same_fault(struct vm_fault *vmf)
{
	struct uio_same *same = vmf->vma->vm_private_data;
	unsigned long page = (vmf->address - vmf->vma->vm_start) >> PAGE_SHIFT;

	uio_same_log(same, "fault(%lu)\t%s, offset %lu\n", page,
		     vmf->flags & FAULT_FLAG_WRITE ? "write" : "read", vmf->pgoff);
	if (page >= same->mem[0]->pages)
		return VM_FAULT_SIGBUS;

	vmf->page = uio_same_page(same->mem[0], page);
	get_page(vmf->page);
	return 0;
}

static void uio_same_vma_open(struct vm_area_struct *vma)
{
	uio_same_log(vma->vm_private_data, "vma-open(%lu)\n", vma_pages(vma));
}

static void uio_same_vma_close(struct vm_area_struct *vma)
{
	uio_same_log(vma->vm_private_data, "vma-close(%lu)\n", vma_pages(vma));
}

static const struct vm_operations_struct uio_same_fault_ops = {
	.fault	= uio_same_fault,
};

static const struct vm_operations_struct uio_same_count_ops = {
	.open	= uio_same_vma_open,
	.close	= uio_same_vma_close,
	.fault	= uio_same_fault,
};

static void uio_same_log_mmap(struct uio_same *same, unsigned long pgoff,
			      unsigned long pages, const void *private,
			      const void *ops)
{
	uio_same_log(same, "mmap(%lu,%lu)\tprivate %s, operations %s\n", pgoff, pages,
		     !private ? "null" :
		     private == same->info.uio_dev ? "its device" : "else",
		     ops ? "set" : "null");
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
static int uio_same_map(struct uio_same *same, struct vm_area_struct *vma)
{
	switch (same->own_mmap) {
	case UIO_SAME_MMAP_WC:
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
		return remap_pfn_range(vma, vma->vm_start,
				       PHYS_PFN(same->info.mem[vma->vm_pgoff].addr),
				       vma->vm_end - vma->vm_start, vma->vm_page_prot);
	case UIO_SAME_MMAP_FAULT:
	case UIO_SAME_MMAP_COUNT:
		vma->vm_ops = same->own_mmap == UIO_SAME_MMAP_FAULT ?
			      &uio_same_fault_ops : &uio_same_count_ops;
		vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
		vma->vm_private_data = same;
		return 0;
	default:
		return 0;
	}
}

int uio_same_own_mmap(struct uio_info *info, struct vm_area_struct *vma)
{
	struct uio_same *same = info->priv;
	int ret;

	uio_same_log_mmap(same, vma->vm_pgoff, vma_pages(vma), vma->vm_private_data,
			  vma->vm_ops);
	ret = uio_same_callback(same, UIO_SAME_MMAP);
	return ret ?: uio_same_map(same, vma);
}
#else
static int uio_same_map(struct uio_same *same, struct vm_area_desc *desc)
{
	switch (same->own_mmap) {
	case UIO_SAME_MMAP_WC:
		desc->page_prot = pgprot_writecombine(desc->page_prot);
		mmap_action_remap(desc, desc->start,
				  PHYS_PFN(same->info.mem[desc->pgoff].addr),
				  vma_desc_size(desc));
		return 0;
	case UIO_SAME_MMAP_FAULT:
	case UIO_SAME_MMAP_COUNT:
		desc->vm_ops = same->own_mmap == UIO_SAME_MMAP_FAULT ?
			       &uio_same_fault_ops : &uio_same_count_ops;
		vma_desc_set_flags(desc, VMA_DONTEXPAND_BIT, VMA_DONTDUMP_BIT);
		desc->private_data = same;
		return 0;
	default:
		return 0;
	}
}

int uio_same_own_mmap(struct uio_info *info, struct vm_area_desc *desc)
{
	struct uio_same *same = info->priv;
	int ret;

	uio_same_log_mmap(same, desc->pgoff, vma_desc_pages(desc), desc->private_data,
			  desc->vm_ops);
	ret = uio_same_callback(same, UIO_SAME_MMAP);
	return ret ?: uio_same_map(same, desc);
}
#endif
