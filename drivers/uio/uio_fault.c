// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: page faults.
 *
 * Page table entries are inserted between uio_enter() and uio_leave(). So a revoke and a
 * drain find all of them. A fault handler must not return a page for mm to insert: mm
 * would do so after uio_leave(). Entries are also inserted under uio_file_srcu, for
 * UIO_IOC_REVOKE: it waits for that, but not for the driver.
 *
 * A page fault costs several times as much as mapping one more page. So when a process
 * walks through a mapping, a fault maps as many pages as fault-around does for the page
 * cache. Each further fault of the walk maps twice as many, up to a limit. Any other
 * fault maps one page: many programs use no more.
 */

#include "uio_internal.h"
#include "uio_mapping.h"
#include "uio_mm.h"
#include "uio_trace.h"

#include <linux/log2.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/srcu.h>

#include <asm/pgalloc.h>

#define UIO_WALK_PAGES		16U
/* The array of them is on the stack. */
#define UIO_WALK_PAGES_MAX	64U

/*
 * vm_private_data of our VMAs holds the address where a walk would continue and, in the
 * bits below PAGE_SHIFT, the log2 of the number of pages that the last fault mapped.
 * Faults may race for it: at worst they map the wrong number of pages.
 */
static void uio_set_walk_hint(const struct vm_fault *vmf, unsigned int mapped)
{
	WRITE_ONCE(vmf->vma->vm_private_data,
		   (void *)(vmf->address + mapped * PAGE_SIZE + ilog2(mapped)));
}

/* How many pages a fault should map, all in the VMA, the region and the page table. */
static unsigned int uio_walk_pages(const struct vm_fault *vmf, const struct uio_mem *mem,
				   unsigned long index)
{
	unsigned long hint = (unsigned long)READ_ONCE(vmf->vma->vm_private_data);
	unsigned long to_end, to_table_end;
	unsigned int wanted;

	if (vmf->address != (hint & PAGE_MASK))
		return 1;

	wanted = clamp(2U << offset_in_page(hint), UIO_WALK_PAGES, UIO_WALK_PAGES_MAX);
	to_end = min(PHYS_PFN(vmf->vma->vm_end - vmf->address),
		     uio_mem_pages(mem) - index);
	to_table_end = PTRS_PER_PTE - PHYS_PFN(vmf->address) % PTRS_PER_PTE;
	return min3(wanted, to_end, to_table_end);
}

/*
 * Before mm calls a fault handler, it preallocates a page table if there is none. Without
 * this, inserting a page from the handler would allocate another one. That only saves
 * work, so skip it where modules may lack what pmd_populate() needs.
 */
static void uio_install_page_table(struct vm_fault *vmf)
{
	const bool possible = IS_ENABLED(CONFIG_X86) ||
			      (IS_ENABLED(CONFIG_ARM64) && CONFIG_PGTABLE_LEVELS > 2 &&
			       !IS_ENABLED(CONFIG_DEBUG_VM));
	struct mm_struct *mm = vmf->vma->vm_mm;
	spinlock_t *ptl;	/* of the entry for the page table */

	if (!possible || !vmf->prealloc_pte)
		return;

	ptl = pmd_lock(mm, vmf->pmd);
	if (pmd_none(*vmf->pmd)) {
		mm_inc_nr_ptes(mm);
		/*
		 * pairs with the address dependency of lockless page table walks
		 * (litmus: page-table)
		 */
		smp_wmb();
		pmd_populate(mm, vmf->pmd, vmf->prealloc_pte);
		vmf->prealloc_pte = NULL;
	}
	spin_unlock(ptl);
}

static int uio_insert_now(struct vm_fault *vmf, struct page **pages, unsigned long *nr)
{
	int err;

	uio_install_page_table(vmf);
	if (*nr > 1)
		return vm_insert_pages(vmf->vma, vmf->address, pages, nr);

	/* cheaper for one page */
	err = vm_insert_page(vmf->vma, vmf->address, *pages);
	*nr = !!err;
	return err;
}

/* Succeeds if any page was inserted. -EBUSY: another fault was faster. */
static vm_fault_t uio_insert(const struct uio_file *uf, struct vm_fault *vmf,
			     struct page **pages, int nr)
{
	unsigned long left = nr;
	int err = -ENODEV;
	int section;

	if (nr <= 0)
		return vmf_error(nr);

	section = srcu_read_lock(&uio_file_srcu);
	if (!READ_ONCE(uf->revoked))
		err = uio_insert_now(vmf, pages, &left);
	srcu_read_unlock(&uio_file_srcu, section);

	if (left == nr)
		return err == -EBUSY ? VM_FAULT_NOPAGE : vmf_error(err);
	uio_set_walk_hint(vmf, nr - left);
	return VM_FAULT_NOPAGE;
}

/* Without a reference. The caching is that of vm_flags, not that of former I/O memory. */
static vm_fault_t uio_insert_pfn_now(struct vm_fault *vmf, unsigned long pfn)
{
	struct vm_area_struct *vma = vmf->vma;

	uio_install_page_table(vmf);
	if (vma->vm_flags & VM_PFNMAP)
		return vmf_insert_pfn_prot(vma, vmf->address, pfn,
					   vm_get_page_prot(vma->vm_flags));
	return uio_insert_mixed(vma, vmf->address, pfn);
}

static vm_fault_t uio_insert_pfn(const struct uio_file *uf, struct vm_fault *vmf,
				 struct page *page)
{
	int section = srcu_read_lock(&uio_file_srcu);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	if (!READ_ONCE(uf->revoked))
		ret = uio_insert_pfn_now(vmf, page_to_pfn(page));
	srcu_read_unlock(&uio_file_srcu, section);
	return ret;
}

static int uio_memory_pages(const struct uio_mem *mem, unsigned long index,
			    struct page **pages, unsigned int nr)
{
	void *addr = (void *)(unsigned long)mem->addr + (index << PAGE_SHIFT);
	unsigned int i;

	for (i = 0; i < nr; i++, addr += PAGE_SIZE) {
		pages[i] = mem->memtype == UIO_MEM_VIRTUAL ? vmalloc_to_page(addr) :
							     virt_to_page(addr);
		if (!pages[i])
			break;
	}
	return i ?: -EFAULT;
}

static vm_fault_t uio_fault_memory(const struct uio_file *uf, struct vm_fault *vmf,
				   const struct uio_mem *mem, unsigned long index)
{
	struct page *pages[UIO_WALK_PAGES_MAX];
	int nr = uio_memory_pages(mem, index, pages, uio_walk_pages(vmf, mem, index));

	if (nr > 0 && (vmf->vma->vm_flags & VM_PFNMAP || !uio_page_is_counted(*pages)))
		return uio_insert_pfn(uf, vmf, *pages);
	return uio_insert(uf, vmf, pages, nr);
}

static vm_fault_t uio_fault_context(const struct uio_file *uf, struct vm_fault *vmf,
				    const struct uio_mem *mem, unsigned long index)
{
	struct uio_context *ctx = uf->obj->ctx;
	unsigned int region = mem - uf->obj->idev.info->mem;
	struct page *pages[UIO_WALK_PAGES_MAX];
	vm_fault_t ret;
	int nr;

	nr = ctx->ops->get_pages(ctx, region, index << PAGE_SHIFT, pages,
				 uio_walk_pages(vmf, mem, index));
	ret = uio_insert(uf, vmf, pages, nr);
	while (nr-- > 0) {
		unlock_page(pages[nr]);
		put_page(pages[nr]);
	}
	return ret;
}

static vm_fault_t uio_fault_live(const struct uio_file *uf, struct vm_fault *vmf)
{
	unsigned long index = uio_pgoff_index(vmf->pgoff);
	struct uio_mem *mem = uio_mem_find(uf->obj->idev.info,
					   uio_pgoff_region(vmf->pgoff));

	if (!mem || index >= uio_mem_pages(mem))
		return VM_FAULT_SIGBUS;
	/* mmap() populated it, so the driver has taken this page away */
	if (vmf->vma->vm_flags & VM_IO)
		return VM_FAULT_SIGBUS;

	/* the driver may have changed the type since mmap() */
	switch (mem->memtype) {
	case UIO_MEM_LOGICAL:
	case UIO_MEM_VIRTUAL:
		return uio_fault_memory(uf, vmf, mem, index);
	case UIO_MEM_CONTEXT:
		return uio_has_get_pages(uf->obj) ?
		       uio_fault_context(uf, vmf, mem, index) : VM_FAULT_SIGBUS;
	default:
		return VM_FAULT_SIGBUS;
	}
}

/*
 * One page for each file limits how much memory a revoked device can cost. The file
 * outlives its mappings, and so does the page.
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

	/* pairs with the address dependency of those that read it (litmus: set-once) */
	old = cmpxchg(&uf->sink, NULL, page);
	if (!old)
		return page;

	__free_page(page);
	return old;
}

/* The device is gone: the sink, if the driver has chosen it. */
static vm_fault_t uio_fault_gone(struct uio_file *uf, struct vm_fault *vmf)
{
	bool is_pfn = vmf->vma->vm_flags & VM_PFNMAP;
	struct uio_context *ctx = uf->obj->ctx;
	struct page *page;

	if (!ctx || !(ctx->flags & UIO_CONTEXT_SINK))
		return vmf_error(-EIO);
	/* mm does not allow inserting single pages into private mappings of I/O memory */
	if (is_pfn && uio_is_cow(vmf->vma))
		return vmf_error(-EIO);

	page = uio_get_sink(uf);
	if (!page)
		return VM_FAULT_OOM;
	/* as before, memory may be pinned for I/O, and I/O memory may not */
	return is_pfn ? uio_insert_pfn(uf, vmf, page) : uio_insert(uf, vmf, &page, 1);
}

/* The device is gone, or the file was revoked. */
static vm_fault_t uio_fault_revoked(struct uio_file *uf, struct vm_fault *vmf)
{
	vm_fault_t ret = VM_FAULT_SIGBUS;

	if (!READ_ONCE(uf->revoked))
		ret = uio_fault_gone(uf, vmf);
	trace_uio_fault_revoked(uf->obj, uio_pgoff_region(vmf->pgoff),
				uio_pgoff_index(vmf->pgoff), !(ret & VM_FAULT_ERROR));
	return ret;
}

static vm_fault_t uio_vma_fault(struct vm_fault *vmf)
{
	struct uio_file *uf = vmf->vma->vm_file->private_data;
	unsigned int noio;
	vm_fault_t ret;

	/*
	 * An allocation must not wait for I/O. The I/O may wait for the driver, with a
	 * page locked, or for a UIO_IOC_REVOKE that waits for uio_file_srcu.
	 */
	noio = memalloc_noio_save();
	if (!uio_file_enter(uf)) {
		ret = uio_fault_live(uf, vmf);
		uio_leave(uf->obj);
	} else {
		ret = uio_fault_revoked(uf, vmf);
	}
	memalloc_noio_restore(noio);
	return ret;
}

#ifdef CONFIG_HAVE_IOREMAP_PROT
/* For ptrace() and similar users. */
static int uio_vma_access(struct vm_area_struct *vma, unsigned long addr,
			  void *buf, int len, int write)
{
	struct uio_file *uf = vma->vm_file->private_data;
	int ret;

	if (uio_file_enter(uf))
		return -EIO;

	/* the next page may be gone; the caller calls again for it */
	len = min_t(int, len, PAGE_SIZE - offset_in_page(addr));
	ret = generic_access_phys(vma, addr, buf, len, write);
	uio_leave(uf->obj);
	return ret;
}
#else
#define uio_vma_access	NULL
#endif

/*
 * Maps nothing. But if a VMA has this operation, mm calls its fault handler under the
 * VMA's lock, without the mmap_lock. Our handler needs no more. So no fault is retried,
 * and a thread that waits in a driver's get_pages does not block the address space.
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

/* For mappings that mmap() populated. A page that is not present was taken away. */
const struct vm_operations_struct uio_io_vm_ops = {
	.fault		= uio_vma_fault,
	.access		= uio_vma_access,
};

/* No access() for ptrace(): this is memory, which generic_access_phys() can't map. */
const struct vm_operations_struct uio_dma_vm_ops = {
	.fault		= uio_vma_fault,
};
