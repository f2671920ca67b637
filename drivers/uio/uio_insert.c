// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: putting pages into page tables, one or many at a time.
 *
 * A page fault costs several times as much as mapping one more page. So where a mapping
 * is walked through, a touch maps as many pages as the page cache takes around one, and
 * twice as many each time, up to a page table's worth. Any other touch maps one page:
 * many programs use no more.
 */

#include "uio_internal.h"
#include "uio_mapping.h"

#include <linux/log2.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>

#include <asm/pgalloc.h>

#define UIO_FAULT_PAGES	16U
/* How many are found and inserted at a time: they are on the stack. */
#define UIO_BATCH_PAGES	32U

struct uio_batch {
	struct page *pages[UIO_BATCH_PAGES];
	unsigned int nr;
	bool locked;
	bool found_by_driver;
};

/*
 * vm_private_data of our VMAs has in the upper bits the address where a walk goes on,
 * and in the bits below a page the log2 of the number of pages that the last touch asked
 * for. Faults may race for it; at worst they map the wrong number of pages.
 */
static unsigned int uio_pages_wanted(const struct vm_fault *vmf)
{
	unsigned long hint = (unsigned long)READ_ONCE(vmf->vma->vm_private_data);
	unsigned int last = 1U << offset_in_page(hint);

	if (vmf->address != (hint & PAGE_MASK))
		return 1;
	return clamp(2 * last, UIO_FAULT_PAGES, PTRS_PER_PTE);
}

/**
 * uio_pages_to_map - how many pages a touch should map
 * @vmf: the touch
 * @mem: the touched region
 * @index: number of the touched page in it
 *
 * Return: the number of pages from the touched one on, all in the VMA, the region and
 * the page table; 1 is the touched page alone.
 */
unsigned int uio_pages_to_map(struct vm_fault *vmf, const struct uio_mem *mem,
			      unsigned long index)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long to_end = min(PHYS_PFN(vma->vm_end - vmf->address),
				   uio_mem_pages(mem) - index);
	unsigned long to_table_end = PTRS_PER_PTE -
				     PHYS_PFN(vmf->address) % PTRS_PER_PTE;
	unsigned int wanted = uio_pages_wanted(vmf);
	unsigned int nr = min3(wanted, to_end, to_table_end);

	WRITE_ONCE(vma->vm_private_data,
		   (void *)(vmf->address + nr * PAGE_SIZE + ilog2(wanted)));
	return nr;
}

/*
 * Before it calls a fault handler, the kernel makes ready a page table for where there
 * is none. What inserts a page inside of the handler would make another one. That only
 * saves work, so it is not done where a module may lack what pmd_populate() needs.
 */
static void uio_use_page_table(struct vm_fault *vmf)
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
		/* whoever walks there without the lock finds it zeroed */
		smp_wmb();
		pmd_populate(mm, vmf->pmd, vmf->prealloc_pte);
		vmf->prealloc_pte = NULL;
	}
	spin_unlock(ptl);
}

static vm_fault_t uio_inserted(int err)
{
	/* -EBUSY: another thread was faster */
	return !err || err == -EBUSY ? VM_FAULT_NOPAGE : vmf_error(err);
}

/**
 * uio_insert_page - map a page where it was touched
 * @vmf: the touch
 * @page: the page; the mapping gets a reference of its own
 *
 * Return: VM_FAULT_NOPAGE, also if there is a page already, or an error.
 */
vm_fault_t uio_insert_page(struct vm_fault *vmf, struct page *page)
{
	uio_use_page_table(vmf);
	return uio_inserted(vm_insert_page(vmf->vma, vmf->address, page));
}

/* There were not as many pages as uio_pages_to_map() said, but @nr. */
static void uio_walk_ends_at(struct vm_fault *vmf, unsigned int nr)
{
	unsigned long hint = (unsigned long)READ_ONCE(vmf->vma->vm_private_data);

	WRITE_ONCE(vmf->vma->vm_private_data,
		   (void *)(vmf->address + nr * PAGE_SIZE + offset_in_page(hint)));
}

/**
 * uio_mem_page - find a page of kernel memory
 * @mem: a region of type UIO_MEM_LOGICAL or UIO_MEM_VIRTUAL
 * @index: number of the page in it
 *
 * Return: the page, or NULL if there is none.
 */
struct page *uio_mem_page(const struct uio_mem *mem, unsigned long index)
{
	void *addr = (void *)(unsigned long)mem->addr + (index << PAGE_SHIFT);

	return mem->memtype == UIO_MEM_VIRTUAL ? vmalloc_to_page(addr) :
						 virt_to_page(addr);
}

/* As many of @nr pages as there are in a row and fit. */
static void uio_batch_find(struct uio_object *obj, const struct uio_mem *mem,
			   unsigned long index, unsigned int nr,
			   struct uio_batch *batch)
{
	nr = min(nr, UIO_BATCH_PAGES);
	batch->locked = false;
	batch->found_by_driver = mem->memtype == UIO_MEM_NONE && uio_has_fault_op(obj);

	if (batch->found_by_driver) {
		batch->nr = nr;
		batch->locked = obj->ctx->ops->fault_around(obj->ctx,
						mem - obj->idev.info->mem,
						index << PAGE_SHIFT,
						batch->pages, &batch->nr);
		return;
	}

	for (batch->nr = 0; batch->nr < nr; batch->nr++) {
		struct page *page = uio_mem_page(mem, index + batch->nr);

		if (!page)
			break;
		batch->pages[batch->nr] = page;
	}
}

static void uio_batch_put(struct uio_batch *batch)
{
	unsigned int i;

	if (!batch->found_by_driver)
		return;

	for (i = 0; i < batch->nr; i++) {
		if (batch->locked)
			unlock_page(batch->pages[i]);
		put_page(batch->pages[i]);
	}
}

/**
 * uio_insert_pages - map a touched page and those after it
 * @obj: the device; the caller has entered it
 * @vmf: the touch
 * @mem: the touched region, with pages that have a refcount
 * @index: number of the touched page in it
 * @nr: how many pages at most
 *
 * Whether a page after the touched one can be mapped is for its own touch.
 *
 * Return: VM_FAULT_NOPAGE if the touched page is mapped, or an error;
 * VM_FAULT_SIGBUS if it is not there.
 */
vm_fault_t uio_insert_pages(struct uio_object *obj, struct vm_fault *vmf,
			    const struct uio_mem *mem, unsigned long index,
			    unsigned int nr)
{
	/* its pages may be locked where I/O waits for the driver */
	unsigned int noio = memalloc_noio_save();
	struct uio_batch batch;
	unsigned int done = 0;
	int err = -EFAULT;

	uio_use_page_table(vmf);
	while (done < nr) {
		unsigned long left;

		uio_batch_find(obj, mem, index + done, nr - done, &batch);
		if (!batch.nr)
			break;

		left = batch.nr;
		err = vm_insert_pages(vmf->vma, vmf->address + done * PAGE_SIZE,
				      batch.pages, &left);
		uio_batch_put(&batch);
		done += batch.nr - left;
		if (err)
			break;
	}
	memalloc_noio_restore(noio);

	if (done < nr)
		uio_walk_ends_at(vmf, max(done, 1U));
	return uio_inserted(done ? 0 : err);
}
