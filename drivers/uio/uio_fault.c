// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: what a touch of a mapping gives.
 *
 * Page table entries are inserted between uio_enter() and uio_leave(): whoever
 * revokes and drains the device knows that there is none left that it did not
 * see. That is why no page is left to the caller to insert, which it would do
 * after uio_leave().
 */

#include "uio_internal.h"
#include "uio_mapping.h"

#include <linux/pagemap.h>
#include <linux/sched/mm.h>

/*
 * Memory of the slab, or of a higher order without __GFP_COMP, has pages without
 * a refcount of their own. They are mapped without one: no mapping outlives the
 * memory, and as it has no page that could be pinned, nothing else does.
 */
static bool uio_page_is_counted(struct page *page)
{
	return !PageSlab(compound_head(page)) && page_count(page);
}

static vm_fault_t uio_fault_memory(struct uio_object *obj, struct vm_fault *vmf,
				   const struct uio_mem *mem,
				   unsigned long index)
{
	struct page *page = uio_mem_page(mem, index);
	unsigned int nr;

	if (!page)
		return VM_FAULT_SIGBUS;
	if (!uio_page_is_counted(page))
		return vmf_insert_mixed(vmf->vma, vmf->address, page_to_pfn(page));

	nr = uio_pages_to_map(vmf, mem, index);
	if (nr == 1)
		return uio_insert_page(vmf, page);
	return uio_insert_pages(obj, vmf, mem, index, nr);
}

static vm_fault_t uio_fault_page(struct uio_context *ctx, struct vm_fault *vmf,
				 unsigned int map, unsigned long index)
{
	vm_fault_t ret = ctx->ops->fault(ctx, vmf, map, index << PAGE_SHIFT);
	struct page *page = vmf->page;
	bool locked = ret & VM_FAULT_LOCKED;
	unsigned int noio;

	if (ret & ~VM_FAULT_LOCKED)
		return ret;

	vmf->page = NULL;
	if (WARN_ON_ONCE(!page))
		return VM_FAULT_SIGBUS;

	/* the driver may wait for the page's lock where I/O waits for the driver */
	noio = memalloc_noio_save();
	ret = uio_insert_page(vmf, page);
	memalloc_noio_restore(noio);

	if (locked)
		unlock_page(page);
	put_page(page);
	return ret;
}

static vm_fault_t uio_fault_context(struct uio_object *obj, struct vm_fault *vmf,
				    const struct uio_mem *mem,
				    unsigned long index)
{
	unsigned int nr = uio_pages_to_map(vmf, mem, index);

	/* unless the touched page is not there yet */
	if (nr > 1 && obj->ctx->ops->fault_around &&
	    uio_insert_pages(obj, vmf, mem, index, nr) == VM_FAULT_NOPAGE)
		return VM_FAULT_NOPAGE;
	return uio_fault_page(obj->ctx, vmf, mem - obj->idev.info->mem, index);
}

static vm_fault_t uio_fault_live(struct uio_object *obj, struct vm_fault *vmf)
{
	unsigned long index = uio_pgoff_index(vmf->pgoff);
	struct uio_mem *mem = uio_mem_find(obj->idev.info,
					   uio_pgoff_map(vmf->pgoff));

	if (!mem || index >= uio_mem_pages(mem))
		return VM_FAULT_SIGBUS;
	/* mmap() has populated it: the driver has taken that page away */
	if (vmf->vma->vm_flags & VM_IO)
		return VM_FAULT_SIGBUS;

	/* the driver may have changed the type since mmap() */
	switch (mem->memtype) {
	case UIO_MEM_LOGICAL:
	case UIO_MEM_VIRTUAL:
		return uio_fault_memory(obj, vmf, mem, index);
	case UIO_MEM_NONE:
		return uio_has_fault_op(obj) ?
		       uio_fault_context(obj, vmf, mem, index) : VM_FAULT_SIGBUS;
	default:
		return VM_FAULT_SIGBUS;
	}
}

/*
 * One page for all touches through one file bounds what a revoked device can
 * cost. The file outlives its mappings, so the page does, too.
 */
static struct page *uio_get_sink(struct uio_file *uf)
{
	struct page *page = READ_ONCE(uf->sink);
	struct page *old;

	if (page)
		return page;

	page = alloc_page(GFP_HIGHUSER | __GFP_ZERO | __GFP_ACCOUNT);
	if (!page)
		return NULL;

	old = cmpxchg(&uf->sink, NULL, page);
	if (!old)
		return page;

	__free_page(page);
	return old;
}

static vm_fault_t uio_insert_sink(struct vm_fault *vmf, struct page *page)
{
	struct vm_area_struct *vma = vmf->vma;

	/* only memory may be pinned for I/O, as before */
	if (!(vma->vm_flags & VM_IO))
		return uio_insert_page(vmf, page);
	/* the kernel allows a private mapping no single page */
	if (uio_is_cow(vma))
		return VM_FAULT_SIGBUS;
	/*
	 * Cached, as the kernel maps it, not as the device was: who reads past the
	 * cache can find what the page held before its zeros.
	 */
	return vmf_insert_pfn_prot(vma, vmf->address, page_to_pfn(page),
				   vm_get_page_prot(vma->vm_flags));
}

static vm_fault_t uio_fault_revoked(struct uio_file *uf, struct vm_fault *vmf)
{
	struct uio_context *ctx = uf->obj->ctx;
	struct page *page;

	if (!ctx || !uio_context_has_sink(ctx))
		return vmf_error(-EIO);

	page = uio_get_sink(uf);
	return page ? uio_insert_sink(vmf, page) : VM_FAULT_OOM;
}

static vm_fault_t uio_vma_fault(struct vm_fault *vmf)
{
	struct uio_file *uf = vmf->vma->vm_file->private_data;
	struct uio_object *obj = uf->obj;
	vm_fault_t ret;

	/* a page that goes again below could be read until then */
	if (READ_ONCE(uf->revoked))
		return VM_FAULT_SIGBUS;

	if (uio_enter(obj)) {
		ret = uio_fault_live(obj, vmf);
		uio_leave(obj);
	} else {
		ret = uio_fault_revoked(uf, vmf);
		/* as uio_leave() */
		smp_mb();
	}

	/*
	 * Revoked meanwhile? Pairs with smp_mb() in uio_revoke_file(): it finds
	 * the page, or we find it revoked. There is nothing that it could wait
	 * for.
	 */
	if (unlikely(READ_ONCE(uf->revoked))) {
		uio_unmap_file(uf);
		return VM_FAULT_SIGBUS;
	}
	return ret;
}

#ifdef CONFIG_HAVE_IOREMAP_PROT
/* For ptrace() and the like. */
static int uio_vma_access(struct vm_area_struct *vma, unsigned long addr,
			  void *buf, int len, int write)
{
	struct uio_file *uf = vma->vm_file->private_data;
	int ret;

	if (!uio_enter(uf->obj))
		return -EIO;

	/* the next page may be one that was taken away; the caller comes again for it */
	len = min_t(int, len, PAGE_SIZE - offset_in_page(addr));
	ret = generic_access_phys(vma, addr, buf, len, write);
	uio_leave(uf->obj);
	return ret;
}
#else
#define uio_vma_access	NULL
#endif

/*
 * Maps nothing. To the kernel a VMA with this operation has a fault handler that
 * can do with the VMA's lock in place of the mmap_lock, as ours does: that saves
 * each touch a second attempt, and a thread that waits in a driver's fault
 * operation does not hold up what others do to the address space.
 */
static vm_fault_t uio_vma_map_pages(struct vm_fault *vmf, pgoff_t start,
				    pgoff_t end)
{
	return 0;
}

const struct vm_operations_struct uio_memory_vm_ops = {
	.fault		= uio_vma_fault,
	.map_pages	= uio_vma_map_pages,
};

/* For mappings that mmap() has populated: what a touch does not find was taken away. */
const struct vm_operations_struct uio_io_vm_ops = {
	.fault		= uio_vma_fault,
	.access		= uio_vma_access,
};

/* Not for ptrace(): it is memory, which generic_access_phys() can't map. */
const struct vm_operations_struct uio_dma_vm_ops = {
	.fault		= uio_vma_fault,
};
