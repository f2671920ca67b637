// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: mmap().
 *
 * mmap() populates mappings of I/O memory: a process with locked memory expects no fault,
 * and touching a register to map it may have side effects. Other memory is left to the
 * fault handler.
 */

#include "uio_internal.h"
#include "uio_mapping.h"
#include "uio_mm.h"

/*
 * For the first mmap() of a file. The first file gets 0, so /proc/PID/maps shows its
 * region 0 at offset 0, as it always did.
 */
static int uio_file_id_alloc(struct uio_file *uf)
{
	struct uio_object *obj = uf->obj;
	/* mappings by the driver's own mmap_prepare() are in the range of id 0 */
	u32 min = obj->idev.info->mmap_prepare ? 1 : 0;
	u32 id;
	int ret;

	guard(mutex)(&obj->map_lock);
	/* else the driver's mmap() could begin after UIO_IOC_REVOKE has returned */
	if (uf->revoked)
		return -ENODEV;
	if (uf->id >= 0)
		return 0;

	ret = xa_alloc(&obj->file_ids, &id, xa_mk_value(0),
		       XA_LIMIT(min, UIO_SHARED_FILE_ID - 1), GFP_NOIO);
	if (ret == -EBUSY) {
		id = UIO_SHARED_FILE_ID;
		ret = xa_err(xa_store(&obj->file_ids, id, xa_mk_value(0), GFP_NOIO));
	}
	if (!ret)
		WRITE_ONCE(uf->id, id);
	return ret;
}

/* The file is being closed: free what its mappings needed. */
void uio_put_mappings(struct uio_file *uf)
{
	scoped_guard(mutex, &uf->obj->map_lock) {
		uio_forget_populating(uf->obj, uf, NULL);
		if (uf->id != UIO_SHARED_FILE_ID)
			xa_erase(&uf->obj->file_ids, uf->id);
	}
	if (uf->sink)
		__free_page(uf->sink);
}

/* Before mmap() populates a mapping of I/O memory. */
static int uio_begin_io(struct uio_file *uf, const struct uio_mem *mem,
			const struct vm_area_struct *vma)
{
	if (offset_in_page(mem->addr))
		return -ENODEV;
	if (vma->vm_end - vma->vm_start > mem->size)
		return -EINVAL;
	/* see uio_pgoff_is_a_pfn(): nobody could find and unmap this mapping */
	if (!IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL) && uio_is_cow(vma))
		return -EINVAL;

	/*
	 * a revoke that does not see the bit finds us inside, and unmaps again
	 * (litmus: io-regions)
	 */
	set_bit(mem - uf->obj->idev.info->mem, &uf->obj->io_regions);
	return uio_begin_populating(uf, vma->vm_mm);
}

/* Maps the region's present address: the driver may move the region later. */
static int uio_mmap_io(struct uio_file *uf, struct uio_mem *mem,
		       struct vm_area_struct *vma)
{
	unsigned long size = vma->vm_end - vma->vm_start;
	int ret = uio_begin_io(uf, mem, vma);

	if (ret)
		return ret;

	if (mem->memtype == UIO_MEM_PHYS)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &uio_io_vm_ops;
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(mem->addr), size,
			       vma->vm_page_prot) ?:
	       uio_take_memtype(vma, PHYS_PFN(mem->addr));
}

/* @how: vm_insert_page() needs VM_MIXEDMAP */
static int uio_mmap_pages(struct vm_area_struct *vma, vm_flags_t how)
{
	vm_flags_set(vma, how | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &uio_memory_vm_ops;
	return 0;
}

static bool uio_all_counted(const struct uio_mem *mem, unsigned long nr)
{
	void *addr = (void *)(unsigned long)mem->addr;

	for (; nr; nr--, addr += PAGE_SIZE)
		if (!uio_page_is_counted(virt_to_page(addr)))
			return false;
	return true;
}

static int uio_mmap_logical(const struct uio_mem *mem, struct vm_area_struct *vma)
{
	if (IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL) ||
	    uio_all_counted(mem, vma_pages(vma)))
		return uio_mmap_pages(vma, VM_MIXEDMAP);

	/* without the special bit, only VM_PFNMAP lets mm map a page without a reference */
	return uio_is_cow(vma) ? -EINVAL : uio_mmap_pages(vma, VM_PFNMAP);
}

/* The DMA API can only populate a whole mapping. */
static int uio_mmap_dma_coherent(struct uio_file *uf, struct uio_mem *mem,
				 struct vm_area_struct *vma)
{
	int ret;

	if (offset_in_page(mem->dma_addr) || !mem->dma_device)
		return -ENODEV;
	ret = uio_begin_io(uf, mem, vma);
	if (ret)
		return ret;

	dev_warn(mem->dma_device,
		 "use of UIO_MEM_DMA_COHERENT is highly discouraged\n");

	/* the DMA API takes it for the offset in the buffer */
	vma->vm_pgoff = 0;
	vma->vm_ops = &uio_dma_vm_ops;
	return dma_mmap_coherent(mem->dma_device, vma, (void *)(uintptr_t)mem->addr,
				 mem->dma_addr, vma->vm_end - vma->vm_start) ?:
	       uio_take_memtype(vma, 0);
}

static int uio_mmap_mem(struct uio_file *uf, struct uio_mem *mem,
			struct vm_area_struct *vma)
{
	switch (mem->memtype) {
	case UIO_MEM_IOVA:
	case UIO_MEM_PHYS:
		return uio_mmap_io(uf, mem, vma);
	case UIO_MEM_LOGICAL:
		return uio_mmap_logical(mem, vma);
	case UIO_MEM_VIRTUAL:
		return uio_mmap_pages(vma, VM_MIXEDMAP);
	case UIO_MEM_CONTEXT:
		return uio_has_get_pages(uf->obj) ? uio_mmap_pages(vma, VM_MIXEDMAP) :
						    -EINVAL;
	case UIO_MEM_DMA_COHERENT:
		return uio_mmap_dma_coherent(uf, mem, vma);
	default:
		return -EINVAL;
	}
}

/*
 * Where page table entries have no special bit, mm keeps the first page frame number of
 * a private mapping in vm_pgoff. So the core can't change vm_pgoff, and only unmapping
 * the whole i_mapping finds this mapping.
 */
static bool uio_pgoff_is_a_pfn(const struct vm_area_struct *vma)
{
	return !IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL) && uio_is_cow(vma) &&
	       (vma->vm_flags & VM_PFNMAP);
}

/**
 * uio_mmap_live - mmap() of a live device
 * @uf: the file; the caller has entered the device
 * @vma: the new mapping, not linked yet
 *
 * Return: 0 or a negative error code.
 */
int uio_mmap_live(struct uio_file *uf, struct vm_area_struct *vma)
{
	struct uio_object *obj = uf->obj;
	unsigned long region = vma->vm_pgoff;
	struct uio_mem *mem = uio_mem_find(obj->idev.info, region);
	bool keep_pgoff = false;
	int ret;

	if (!mem || vma_pages(vma) > min(uio_mem_pages(mem), BIT(UIO_PAGE_BITS)))
		return -EINVAL;

	ret = READ_ONCE(uf->id) < 0 ? uio_file_id_alloc(uf) : 0;
	if (ret)
		return ret;

	if (obj->idev.info->mmap_prepare)
		ret = uio_mmap_driver(uf, vma, &keep_pgoff);
	else
		ret = uio_mmap_mem(uf, mem, vma);
	if (!keep_pgoff && !uio_pgoff_is_a_pfn(vma))
		vma->vm_pgoff = uio_pgoff(region, uf->id, 0);
	return ret;
}
