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
 * A touch maps the pages after it as well, as many as the page cache does, since
 * an exception costs several times what a page does. They end where as many are
 * aligned: a walk through memory finds none that is there already. Whether they
 * can be mapped is of no interest, they have their own touch.
 */
#define UIO_FAULT_PAGES	16

static unsigned int uio_pages_to_map(const struct vm_fault *vmf,
				     const struct uio_mem *mem,
				     unsigned long index)
{
	unsigned long to_align = UIO_FAULT_PAGES -
				 PHYS_PFN(vmf->address) % UIO_FAULT_PAGES;

	return min3(to_align, PHYS_PFN(vmf->vma->vm_end - vmf->address),
		    uio_mem_pages(mem) - index);
}

static vm_fault_t uio_insert_pfn(struct vm_area_struct *vma,
				 unsigned long address, unsigned long pfn)
{
	/* which of the two flags it has is mmap()'s choice */
	if (vma->vm_flags & VM_MIXEDMAP)
		return vmf_insert_mixed(vma, address, pfn);
	return vmf_insert_pfn(vma, address, pfn);
}

static vm_fault_t uio_insert_page(struct vm_fault *vmf, struct page *page)
{
	int err = vm_insert_page(vmf->vma, vmf->address, page);

	/* another thread was faster */
	if (!err || err == -EBUSY)
		return VM_FAULT_NOPAGE;
	return vmf_error(err);
}

static vm_fault_t uio_insert_pages(struct vm_fault *vmf, struct page **pages,
				   unsigned int nr)
{
	unsigned long left = nr;
	int err = vm_insert_pages(vmf->vma, vmf->address, pages, &left);

	if (left < nr || err == -EBUSY)
		return VM_FAULT_NOPAGE;
	return vmf_error(err);
}

static vm_fault_t uio_fault_io(struct vm_fault *vmf, const struct uio_mem *mem,
			       unsigned long index)
{
	unsigned int nr = uio_pages_to_map(vmf, mem, index);
	unsigned long pfn = PHYS_PFN(mem->addr) + index;
	vm_fault_t ret = uio_insert_pfn(vmf->vma, vmf->address, pfn);
	unsigned int i;

	for (i = 1; i < nr && ret == VM_FAULT_NOPAGE; i++)
		if (uio_insert_pfn(vmf->vma, vmf->address + i * PAGE_SIZE,
				   pfn + i) != VM_FAULT_NOPAGE)
			break;
	return ret;
}

static struct page *uio_mem_page(const struct uio_mem *mem, unsigned long index)
{
	void *addr = (void *)(unsigned long)mem->addr + (index << PAGE_SHIFT);

	return mem->memtype == UIO_MEM_VIRTUAL ? vmalloc_to_page(addr) :
						 virt_to_page(addr);
}

/*
 * Memory of the slab, or of a higher order without __GFP_COMP, has pages without
 * a refcount of their own. They are mapped without one: no mapping outlives the
 * memory, and as it has no page that could be pinned, nothing else does.
 */
static vm_fault_t uio_fault_memory(struct vm_fault *vmf,
				   const struct uio_mem *mem,
				   unsigned long index)
{
	unsigned int nr = uio_pages_to_map(vmf, mem, index);
	struct page *pages[UIO_FAULT_PAGES];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		pages[i] = uio_mem_page(mem, index + i);
		if (!pages[i])
			break;
	}
	if (!i)
		return VM_FAULT_SIGBUS;

	if (PageSlab(compound_head(pages[0])) || !page_count(pages[0]))
		return uio_insert_pfn(vmf->vma, vmf->address,
				      page_to_pfn(pages[0]));
	return uio_insert_pages(vmf, pages, i);
}

static vm_fault_t uio_fault_context(struct uio_context *ctx,
				    struct vm_fault *vmf, unsigned int map,
				    unsigned long offset)
{
	vm_fault_t ret = ctx->ops->fault(ctx, vmf, map, offset);
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

static vm_fault_t uio_fault_live(struct uio_object *obj, struct vm_fault *vmf)
{
	unsigned long map = uio_pgoff_map(vmf->pgoff);
	unsigned long index = uio_pgoff_index(vmf->pgoff);
	struct uio_mem *mem = uio_mem_find(obj->idev.info, map);

	if (!mem || index >= uio_mem_pages(mem))
		return VM_FAULT_SIGBUS;

	switch (mem->memtype) {
	case UIO_MEM_PHYS:
	case UIO_MEM_IOVA:
		return uio_fault_io(vmf, mem, index);
	case UIO_MEM_LOGICAL:
	case UIO_MEM_VIRTUAL:
		return uio_fault_memory(vmf, mem, index);
	case UIO_MEM_NONE:
		return uio_fault_context(obj->ctx, vmf, map, index << PAGE_SHIFT);
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

/**
 * uio_free_sink - free the page for touches after revocation
 * @uf: a file that goes
 */
void uio_free_sink(struct uio_file *uf)
{
	if (uf->sink)
		__free_page(uf->sink);
}

static vm_fault_t uio_fault_revoked(struct uio_file *uf, struct vm_fault *vmf)
{
	struct uio_context *ctx = uf->obj->ctx;
	struct page *page;

	if (!ctx || !uio_context_has_sink(ctx))
		return vmf_error(-EIO);

	page = uio_get_sink(uf);
	if (!page)
		return VM_FAULT_OOM;

	/* only memory may be pinned for I/O, as before */
	if (vmf->vma->vm_flags & VM_IO)
		return uio_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page));
	return uio_insert_page(vmf, page);
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
/* For ptrace() and the like, one page at a time; the caller comes again for more. */
static int uio_access_live(struct vm_area_struct *vma, unsigned long addr,
			   void *buf, int len, int write)
{
	len = min_t(int, len, PAGE_SIZE - offset_in_page(addr));

	/* generic_access_phys() needs the page table entry; get it as a touch would */
	if (fixup_user_fault(vma->vm_mm, addr, FAULT_FLAG_REMOTE |
			     (write ? FAULT_FLAG_WRITE : 0), NULL))
		return -EIO;
	return generic_access_phys(vma, addr, buf, len, write);
}

static int uio_vma_access(struct vm_area_struct *vma, unsigned long addr,
			  void *buf, int len, int write)
{
	struct uio_file *uf = vma->vm_file->private_data;
	int ret;

	/* other memory has pages: whoever gets here could not fault one in */
	if (!(vma->vm_flags & VM_IO) || !uio_enter(uf->obj))
		return -EIO;

	ret = uio_access_live(vma, addr, buf, len, write);
	uio_leave(uf->obj);
	return ret;
}
#else
#define uio_vma_access	NULL
#endif

const struct vm_operations_struct uio_vm_ops = {
	.fault	= uio_vma_fault,
	.access	= uio_vma_access,
};
