// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: memory that user space maps.
 *
 * Page table entries are inserted by the fault handler only, between uio_enter()
 * and uio_leave(): whoever revokes and drains the device knows that there is
 * none that it does not see. mmap() itself could not promise that, since the
 * VMA is not yet linked to the file's mapping while it runs. Where mmap() has
 * to populate all the same, the address space is noted and waited for.
 *
 * User space names a region by file offset: page N is the start of region N.
 * In the VMA that would make the second page of region 0 look like the first
 * of region 1 once the mapping is split, so each region gets a range of page
 * offsets of its own.
 */

#include "uio_internal.h"
#include "uio_compat.h"

#include <linux/pagemap.h>
#include <linux/sched/mm.h>

/* Eight ranges share what pgoff_t holds, and loff_t in bytes. */
#define UIO_PGOFF_BITS	(BITS_PER_LONG == 32 ? 32 : 63 - PAGE_SHIFT)
#define UIO_MAP_SHIFT	(UIO_PGOFF_BITS - 3)
#define UIO_MAP_PAGES	BIT(UIO_MAP_SHIFT)
static_assert(MAX_UIO_MAPS <= 8);

/**
 * struct uio_mapper - an address space that has a mapping populated by mmap()
 * @node: in &uio_object.mappers
 * @mm: the address space; pinned as a struct only
 */
struct uio_mapper {
	struct list_head node;
	struct mm_struct *mm;
};

static bool uio_mem_is_io(const struct uio_mem *mem)
{
	switch (mem->memtype) {
	case UIO_MEM_PHYS:
	case UIO_MEM_IOVA:
	case UIO_MEM_DMA_COHERENT:
		return true;
	default:
		return false;
	}
}

static unsigned long uio_mem_pages(const struct uio_mem *mem)
{
	return PAGE_ALIGN(offset_in_page(mem->addr) + mem->size) >> PAGE_SHIFT;
}

static struct uio_mem *uio_mem_find(struct uio_info *info, unsigned long map)
{
	return map < MAX_UIO_MAPS && info->mem[map].size ? &info->mem[map] : NULL;
}

static struct uio_object *uio_vma_object(struct vm_area_struct *vma)
{
	struct uio_file *uf = vma->vm_file->private_data;

	return uf->obj;
}

static vm_fault_t uio_fault_pfn(struct vm_fault *vmf, unsigned long pfn)
{
	struct vm_area_struct *vma = vmf->vma;

	/* a private mapping that may be written needs VM_MIXEDMAP, see uio_mmap_io() */
	if (vma->vm_flags & VM_MIXEDMAP)
		return vmf_insert_mixed(vma, vmf->address, pfn);
	return vmf_insert_pfn(vma, vmf->address, pfn);
}

static struct page *uio_mem_page(const struct uio_mem *mem, unsigned long offset)
{
	void *addr = (void *)(unsigned long)mem->addr + offset;

	return mem->memtype == UIO_MEM_VIRTUAL ? vmalloc_to_page(addr) :
						 virt_to_page(addr);
}

/*
 * Not left to the caller of the fault handler, which would insert vmf->page
 * after uio_leave().
 */
static vm_fault_t uio_fault_page(struct vm_fault *vmf, struct page *page)
{
	int err = page ? vm_insert_page(vmf->vma, vmf->address, page) : -EFAULT;

	/* another thread was faster */
	if (!err || err == -EBUSY)
		return VM_FAULT_NOPAGE;
	return vmf_error(err);
}

static vm_fault_t uio_fault_context(struct uio_object *obj, struct vm_fault *vmf,
				    unsigned int map, unsigned long offset)
{
	vm_fault_t ret = obj->ctx->ops->fault(obj->ctx, vmf, map, offset);
	struct page *page = vmf->page;
	bool locked = ret & VM_FAULT_LOCKED;

	if (ret & ~VM_FAULT_LOCKED)
		return ret;

	vmf->page = NULL;
	if (WARN_ON_ONCE(!page))
		return VM_FAULT_SIGBUS;

	ret = uio_fault_page(vmf, page);
	if (locked)
		unlock_page(page);
	put_page(page);
	return ret;
}

static vm_fault_t uio_fault_live(struct uio_object *obj, struct vm_fault *vmf)
{
	unsigned long map = vmf->pgoff >> UIO_MAP_SHIFT;
	unsigned long index = vmf->pgoff & (UIO_MAP_PAGES - 1);
	struct uio_mem *mem = uio_mem_find(obj->idev.info, map);

	if (!mem || index >= uio_mem_pages(mem))
		return VM_FAULT_SIGBUS;

	switch (mem->memtype) {
	case UIO_MEM_PHYS:
	case UIO_MEM_IOVA:
		return uio_fault_pfn(vmf, PHYS_PFN(mem->addr) + index);
	case UIO_MEM_LOGICAL:
	case UIO_MEM_VIRTUAL:
		return uio_fault_page(vmf, uio_mem_page(mem, index << PAGE_SHIFT));
	case UIO_MEM_NONE:
		return uio_fault_context(obj, vmf, map, index << PAGE_SHIFT);
	default:
		return VM_FAULT_SIGBUS;
	}
}

static vm_fault_t uio_vma_fault(struct vm_fault *vmf)
{
	struct uio_object *obj = uio_vma_object(vmf->vma);
	vm_fault_t ret;

	if (!uio_enter(obj))
		return vmf_error(-EIO);

	ret = uio_fault_live(obj, vmf);
	uio_leave(obj);
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
	struct uio_object *obj = uio_vma_object(vma);
	int ret;

	/* other memory has pages: whoever gets here could not fault one in */
	if (!(vma->vm_flags & VM_IO) || !uio_enter(obj))
		return -EIO;

	ret = uio_access_live(vma, addr, buf, len, write);
	uio_leave(obj);
	return ret;
}
#else
#define uio_vma_access	NULL
#endif

static const struct vm_operations_struct uio_vm_ops = {
	.fault	= uio_vma_fault,
	.access	= uio_vma_access,
};

/*
 * For a mapping that is populated before its VMA can be found: note where it
 * is going to be.
 */
static int uio_note_mapper(struct uio_object *obj, struct mm_struct *mm)
{
	struct uio_mapper *mapper;
	int ret = 0;

	mutex_lock(&obj->mapper_lock);
	list_for_each_entry(mapper, &obj->mappers, node)
		if (mapper->mm == mm)
			goto out;

	ret = -ENOMEM;
	mapper = kmalloc(sizeof(*mapper), GFP_KERNEL);
	if (!mapper)
		goto out;

	mmgrab(mm);
	mapper->mm = mm;
	list_add(&mapper->node, &obj->mappers);
	ret = 0;
out:
	mutex_unlock(&obj->mapper_lock);
	return ret;
}

/**
 * uio_wait_for_mappers - wait until every mapping can be found
 * @obj: a revoked device that nobody is inside of
 *
 * mmap() holds the mmap_lock until it has linked the VMA.
 */
void uio_wait_for_mappers(struct uio_object *obj)
{
	struct uio_mapper *mapper;

	/* no lock: the list grows inside the driver only */
	list_for_each_entry(mapper, &obj->mappers, node) {
		mmap_read_lock(mapper->mm);
		mmap_read_unlock(mapper->mm);
	}
}

/**
 * uio_free_mappers - forget the address spaces
 * @obj: a device without references
 */
void uio_free_mappers(struct uio_object *obj)
{
	struct uio_mapper *mapper, *next;

	list_for_each_entry_safe(mapper, next, &obj->mappers, node) {
		mmdrop(mapper->mm);
		kfree(mapper);
	}
}

static int uio_mmap_io(struct uio_mem *mem, struct vm_area_struct *vma)
{
	bool cow = (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;

	if (offset_in_page(mem->addr))
		return -ENODEV;
	if (vma->vm_end - vma->vm_start > mem->size)
		return -EINVAL;

	/* VM_PFNMAP can't be told from a private copy, if inserted page by page */
	vm_flags_set(vma, VM_IO | VM_DONTEXPAND | VM_DONTDUMP |
			  (cow ? VM_MIXEDMAP : VM_PFNMAP));
	if (mem->memtype == UIO_MEM_PHYS)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &uio_vm_ops;
	return 0;
}

static int uio_mmap_pages(struct uio_mem *mem, struct vm_area_struct *vma)
{
	/* VM_MIXEDMAP: what vm_insert_page() asks for */
	vm_flags_set(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &uio_vm_ops;
	return 0;
}

/* The DMA API can populate a whole mapping only. */
static int uio_mmap_dma_coherent(struct uio_object *obj, struct uio_mem *mem,
				 struct vm_area_struct *vma)
{
	int ret;

	if (offset_in_page(mem->addr) || offset_in_page(mem->dma_addr) ||
	    !mem->dma_device)
		return -ENODEV;
	if (vma->vm_end - vma->vm_start > mem->size)
		return -EINVAL;

	dev_warn(mem->dma_device,
		 "use of UIO_MEM_DMA_COHERENT is highly discouraged\n");

	ret = uio_note_mapper(obj, vma->vm_mm);
	if (ret)
		return ret;

	/* to the DMA API it is the offset in the buffer */
	vma->vm_pgoff = 0;
	return dma_mmap_coherent(mem->dma_device, vma, (void *)(uintptr_t)mem->addr,
				 mem->dma_addr, vma->vm_end - vma->vm_start);
}

static int uio_mmap_driver(struct uio_object *obj, struct vm_area_struct *vma)
{
	struct uio_info *info = obj->idev.info;

	return uio_note_mapper(obj, vma->vm_mm) ?: info->mmap(info, vma);
}

/**
 * uio_mmap_live - mmap() of a live device
 * @obj: the device; the caller has entered
 * @vma: the new mapping, not linked yet
 *
 * Return: 0 or a negative error code.
 */
int uio_mmap_live(struct uio_object *obj, struct vm_area_struct *vma)
{
	struct uio_context *ctx = obj->ctx;
	unsigned long map = vma->vm_pgoff;
	struct uio_mem *mem = uio_mem_find(obj->idev.info, map);
	int ret;

	if (!mem || vma_pages(vma) > uio_mem_pages(mem))
		return -EINVAL;

	if (obj->idev.info->mmap)
		return uio_mmap_driver(obj, vma);

	switch (mem->memtype) {
	case UIO_MEM_IOVA:
	case UIO_MEM_PHYS:
		ret = uio_mmap_io(mem, vma);
		break;
	case UIO_MEM_LOGICAL:
	case UIO_MEM_VIRTUAL:
		ret = uio_mmap_pages(mem, vma);
		break;
	case UIO_MEM_NONE:
		ret = ctx && ctx->ops->fault ? uio_mmap_pages(mem, vma) : -EINVAL;
		break;
	case UIO_MEM_DMA_COHERENT:
		ret = uio_mmap_dma_coherent(obj, mem, vma);
		break;
	default:
		ret = -EINVAL;
	}
	vma->vm_pgoff = map << UIO_MAP_SHIFT;
	return ret;
}

static void uio_unmap_pages(struct uio_object *obj, unsigned long map,
			    unsigned long index, unsigned long nr)
{
	loff_t start = (loff_t)((map << UIO_MAP_SHIFT) + index) << PAGE_SHIFT;

	unmap_mapping_range(obj->inode->i_mapping, start,
			    (loff_t)nr << PAGE_SHIFT, 1);
}

/**
 * uio_revoke_mappings - take away what a revoked device may not leave mapped
 * @obj: the device, revoked
 *
 * With a context that is I/O memory, since it may soon be another device's;
 * what the context owns stays valid. Without one it is everything: the driver
 * frees it. All addresses spaces are seen to, forked and moved mappings, too.
 */
void uio_revoke_mappings(struct uio_object *obj)
{
	struct uio_info *info = obj->idev.info;
	unsigned long map;

	if (!obj->ctx) {
		/* all of it: the driver's own mmap() may use any page offset */
		unmap_mapping_range(obj->inode->i_mapping, 0, 0, 1);
		return;
	}

	for (map = 0; uio_mem_find(info, map); map++)
		if (uio_mem_is_io(&info->mem[map]))
			uio_unmap_pages(obj, map, 0, UIO_MAP_PAGES);
}

/**
 * uio_unmap_range - take pages of a region out of every process
 * @info:	the driver's description of a registered device
 * @map:	index of the region
 * @offset:	first byte, page aligned
 * @size:	bytes, rounded up to pages; 0: to the end of the region
 *
 * The next touch faults again. For a driver with a context and a fault
 * operation that replaces or frees pages: it makes the pages unreachable for
 * the operation first, calls this, and then frees them. A fault that got its
 * page before that can still insert it, see &uio_context_ops.fault on how to
 * wait for it.
 *
 * Context: Process context, may sleep. Not concurrently with
 * uio_unregister_device().
 */
void uio_unmap_range(struct uio_info *info, unsigned int map,
		     unsigned long offset, unsigned long size)
{
	unsigned long index = offset >> PAGE_SHIFT;
	unsigned long nr = size ? PAGE_ALIGN(size) >> PAGE_SHIFT :
				  UIO_MAP_PAGES - index;

	uio_unmap_pages(to_uio_object(info->uio_dev), map, index, nr);
}
EXPORT_SYMBOL_GPL(uio_unmap_range);
