// SPDX-License-Identifier: GPL-2.0-only
/* uio_same: the driver's own mmap callback, in all variants. */

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "uio_same.h"

static struct uio_same *uio_same_of(const struct vm_area_struct *vma)
{
	return vma->vm_private_data;
}

static unsigned long uio_same_page_of(const struct vm_fault *vmf)
{
	return (vmf->address - vmf->vma->vm_start) >> PAGE_SHIFT;
}

static void uio_same_log_fault(const struct vm_fault *vmf, const char *what)
{
	uio_same_log(uio_same_of(vmf->vma), "%s(%lu)\tfor %s, offset %lu, operations %s\n",
		     what, uio_same_page_of(vmf),
		     vmf->flags & FAULT_FLAG_WRITE ? "write" : "read", vmf->pgoff,
		     uio_same_is_own_ops(vmf->vma->vm_ops) ? "its own" : "others");
}

static vm_fault_t uio_same_fault(struct vm_fault *vmf)
{
	struct uio_same *same = uio_same_of(vmf->vma);
	unsigned long page = uio_same_page_of(vmf);

	uio_same_log_fault(vmf, "fault");
	if (page >= same->mem[0]->pages)
		return VM_FAULT_SIGBUS;

	vmf->page = uio_same_page(same->mem[0], page);
	get_page(vmf->page);
	return 0;
}

static vm_fault_t uio_same_fault_pfn(struct vm_fault *vmf)
{
	struct uio_same *same = uio_same_of(vmf->vma);
	unsigned long page = uio_same_page_of(vmf);

	uio_same_log_fault(vmf, "fault");
	if (page >= same->mem[0]->pages)
		return VM_FAULT_SIGBUS;

	return vmf_insert_pfn(vmf->vma, vmf->address,
			      page_to_pfn(uio_same_page(same->mem[0], page)));
}

/* Leaves the page locked. No file can truncate it, so there is nothing to check. */
static vm_fault_t uio_same_page_mkwrite(struct vm_fault *vmf)
{
	uio_same_log_fault(vmf, "page-mkwrite");
	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

static vm_fault_t uio_same_pfn_mkwrite(struct vm_fault *vmf)
{
	uio_same_log_fault(vmf, "pfn-mkwrite");
	return 0;
}

static int uio_same_access(struct vm_area_struct *vma, unsigned long addr, void *buf,
			   int len, int write)
{
	uio_same_log(uio_same_of(vma), "access(%lu)\tfor %s\n",
		     (addr - vma->vm_start) >> PAGE_SHIFT, write ? "write" : "read");
	return generic_access_phys(vma, addr, buf, len, write);
}

static void uio_same_vma_open(struct vm_area_struct *vma)
{
	uio_same_log(uio_same_of(vma), "vma-open(%lu)\n", vma_pages(vma));
}

static void uio_same_vma_close(struct vm_area_struct *vma)
{
	uio_same_log(uio_same_of(vma), "vma-close(%lu)\n", vma_pages(vma));
}

/* Allows all splits except between the second page and the third. */
static int uio_same_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	unsigned long page = (addr - vma->vm_start) >> PAGE_SHIFT;

	uio_same_log(uio_same_of(vma), "may-split(%lu)\n", page);
	return page == 2 ? -EINVAL : 0;
}

static int uio_same_mremap(struct vm_area_struct *vma)
{
	uio_same_log(uio_same_of(vma), "mremap(%lu)\n", vma_pages(vma));
	return 0;
}

static int uio_same_mprotect(struct vm_area_struct *vma, unsigned long start,
			     unsigned long end, unsigned long newflags)
{
	uio_same_log(uio_same_of(vma), "mprotect(%lu,%lu)\n",
		     (start - vma->vm_start) >> PAGE_SHIFT, (end - start) >> PAGE_SHIFT);
	return newflags & VM_EXEC ? -EACCES : 0;
}

static const struct vm_operations_struct uio_same_ops[UIO_SAME_MMAPS] = {
	[UIO_SAME_MMAP_FAULT] = {
		.fault		= uio_same_fault,
	},
	[UIO_SAME_MMAP_COUNT] = {
		.open		= uio_same_vma_open,
		.close		= uio_same_vma_close,
		.fault		= uio_same_fault,
	},
	[UIO_SAME_MMAP_CLOSE] = {
		.close		= uio_same_vma_close,
		.fault		= uio_same_fault,
	},
	[UIO_SAME_MMAP_ALL] = {
		.may_split	= uio_same_may_split,
		.mremap		= uio_same_mremap,
		.mprotect	= uio_same_mprotect,
		.fault		= uio_same_fault,
		.page_mkwrite	= uio_same_page_mkwrite,
	},
	[UIO_SAME_MMAP_PFN] = {
		.mremap		= uio_same_mremap,
		.fault		= uio_same_fault_pfn,
		.pfn_mkwrite	= uio_same_pfn_mkwrite,
		.access		= uio_same_access,
	},
};

bool uio_same_is_own_ops(const struct vm_operations_struct *ops)
{
	return ops >= uio_same_ops && ops < uio_same_ops + UIO_SAME_MMAPS;
}

static void uio_same_log_mmap(struct uio_same *same, unsigned long pgoff,
			      unsigned long pages, const void *private,
			      const void *ops)
{
	uio_same_log(same, "mmap(%lu,%lu)\tprivate %s, operations %s\n", pgoff, pages,
		     !private ? "null" :
		     private == same->info.uio_dev ? "its device" : "else",
		     ops ? "set" : "null");
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define vm_flags_set(vma, flags)	((vma)->vm_flags |= (flags))
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
static int uio_same_insert(struct uio_same *same, struct vm_area_struct *vma)
{
	unsigned long page;
	int ret = 0;

	for (page = 0; !ret && page < vma_pages(vma); page++)
		ret = vm_insert_page(vma, vma->vm_start + page * PAGE_SIZE,
				     uio_same_page(same->mem[0], page));
	return ret;
}

static int uio_same_map(struct uio_same *same, struct vm_area_struct *vma)
{
	switch (same->own_mmap) {
	case UIO_SAME_MMAP_EMPTY:
		return 0;
	case UIO_SAME_MMAP_INSERT:
		return uio_same_insert(same, vma);
	case UIO_SAME_MMAP_WC:
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
		return remap_pfn_range(vma, vma->vm_start,
				       PHYS_PFN(same->info.mem[vma->vm_pgoff].addr),
				       vma->vm_end - vma->vm_start, vma->vm_page_prot);
	case UIO_SAME_MMAP_PFN:
		vm_flags_set(vma, VM_PFNMAP | VM_IO);
		fallthrough;
	default:
		vma->vm_ops = &uio_same_ops[same->own_mmap];
		vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
		vma->vm_private_data = same;
		return 0;
	}
}

int uio_same_own_mmap(struct uio_info *info, struct vm_area_struct *vma)
{
	struct uio_same *same = info->priv;
	int ret;

	uio_same_log_mmap(same, vma->vm_pgoff, vma_pages(vma), vma->vm_private_data,
			  vma->vm_ops);
	/* told to fail, it does so when it has set its operations: who cleans up? */
	ret = uio_same_map(same, vma);
	return uio_same_callback(same, UIO_SAME_MMAP) ?: ret;
}
#else
static int uio_same_insert(struct uio_same *same, struct vm_area_desc *desc)
{
	unsigned long pages = vma_desc_pages(desc), page;

	/* the core reads the array after this returns, so the driver keeps it */
	if (!same->inserted)
		same->inserted = kcalloc(same->mem[0]->pages,
					 sizeof(*same->inserted), GFP_KERNEL);
	if (!same->inserted || pages > same->mem[0]->pages)
		return -ENOMEM;

	for (page = 0; page < pages; page++)
		same->inserted[page] = uio_same_page(same->mem[0], page);
	mmap_action_map_kernel_pages_full(desc, same->inserted);
	return 0;
}

static int uio_same_map(struct uio_same *same, struct vm_area_desc *desc)
{
	switch (same->own_mmap) {
	case UIO_SAME_MMAP_EMPTY:
		return 0;
	case UIO_SAME_MMAP_INSERT:
		return uio_same_insert(same, desc);
	case UIO_SAME_MMAP_WC:
		desc->page_prot = pgprot_writecombine(desc->page_prot);
		mmap_action_remap_full(desc, PHYS_PFN(same->info.mem[desc->pgoff].addr));
		return 0;
	case UIO_SAME_MMAP_PFN:
		vma_desc_set_flags(desc, VMA_PFNMAP_BIT, VMA_IO_BIT);
		fallthrough;
	default:
		desc->vm_ops = &uio_same_ops[same->own_mmap];
		vma_desc_set_flags(desc, VMA_DONTEXPAND_BIT, VMA_DONTDUMP_BIT);
		desc->private_data = same;
		return 0;
	}
}

int uio_same_own_mmap(struct uio_info *info, struct vm_area_desc *desc)
{
	struct uio_same *same = info->priv;
	int ret;

	uio_same_log_mmap(same, desc->pgoff, vma_desc_pages(desc), desc->private_data,
			  desc->vm_ops);
	/* told to fail, it does so when it has set its operations: who cleans up? */
	ret = uio_same_map(same, desc);
	return uio_same_callback(same, UIO_SAME_MMAP) ?: ret;
}
#endif
