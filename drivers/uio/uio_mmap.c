// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: mmap().
 *
 * It sets up the VMA and leaves the pages to the fault handler: as long as
 * mmap() runs, the VMA is not linked to the device's i_mapping, and nobody who
 * revokes the device would find a page that is there already. DMA memory and a
 * driver's own mmap() have to insert pages all the same: the address space is
 * noted, and waited for.
 */

#include "uio_internal.h"
#include "uio_mapping.h"
#include "uio_prepare.h"

#include <linux/sched/mm.h>

/**
 * struct uio_mapper - an address space that has a mapping populated by mmap()
 * @node: in &uio_object.mappers
 * @uf: file that was mapped
 * @mm: the address space; pinned as a struct only
 * @lock_seq: of its mmap_lock, while the last such mmap() has it
 * @waited: mmap() does not run any more
 */
struct uio_mapper {
	struct list_head node;
	const struct uio_file *uf;
	struct mm_struct *mm;
	unsigned int lock_seq;
	bool waited;
};

/* Another one as soon as who holds the mmap_lock for writing lets go of it. */
static unsigned int uio_lock_seq(const struct mm_struct *mm)
{
#ifdef CONFIG_PER_VMA_LOCK
	return raw_read_seqcount(&mm->mm_lock_seq);
#else
	return 0;
#endif
}

static void uio_free_mapper(struct uio_mapper *mapper)
{
	list_del(&mapper->node);
	mmdrop(mapper->mm);
	kfree(mapper);
}

static int uio_add_mapper(const struct uio_file *uf, struct mm_struct *mm)
{
	struct uio_mapper *mapper, *next;

	list_for_each_entry_safe(mapper, next, &uf->obj->mappers, node) {
		if (mapper->uf == uf && mapper->mm == mm) {
			mapper->lock_seq = uio_lock_seq(mm);
			return 0;
		}
		/* nobody runs in it any more: all it had is unmapped */
		if (!atomic_read(&mapper->mm->mm_users))
			uio_free_mapper(mapper);
	}

	mapper = kzalloc(sizeof(*mapper), GFP_KERNEL);
	if (!mapper)
		return -ENOMEM;

	mmgrab(mm);
	mapper->mm = mm;
	mapper->uf = uf;
	mapper->lock_seq = uio_lock_seq(mm);
	list_add(&mapper->node, &uf->obj->mappers);
	return 0;
}

/* To be called before the mapping is populated, with the mmap_lock held for writing. */
static int uio_note_mapper(const struct uio_file *uf, struct mm_struct *mm)
{
	int ret;

	mutex_lock(&uf->obj->map_lock);
	ret = uio_add_mapper(uf, mm);
	mutex_unlock(&uf->obj->map_lock);
	if (ret)
		return ret;

	/* after the lock: uio_revoke_file() waits for us, or we see that it ran */
	return READ_ONCE(uf->revoked) ? -ENODEV : 0;
}

static bool uio_has_to_wait(const struct uio_mapper *mapper,
			    const struct uio_file *uf)
{
	return !mapper->waited && (!uf || mapper->uf == uf) &&
	       mapper->lock_seq == uio_lock_seq(mapper->mm);
}

static struct mm_struct *uio_next_mm(struct uio_object *obj,
				     const struct uio_file *uf)
{
	struct uio_mapper *mapper;

	list_for_each_entry(mapper, &obj->mappers, node)
		if (uio_has_to_wait(mapper, uf))
			return mapper->mm;
	return NULL;
}

static void uio_set_waited(struct uio_object *obj, const struct uio_file *uf,
			   const struct mm_struct *mm)
{
	struct uio_mapper *mapper;

	list_for_each_entry(mapper, &obj->mappers, node)
		if (mapper->mm == mm && uio_has_to_wait(mapper, uf))
			mapper->waited = true;
}

/**
 * uio_wait_for_mappers - wait until every populated mapping can be found
 * @obj: the device, drained, if @uf is NULL
 * @uf: wait for mappings of this file only, which is revoked
 *
 * mmap() holds the mmap_lock until it has linked the VMA. Waits for nothing
 * where no mmap() is under way that populates a mapping of the device: whoever
 * else has the lock, it is not waited for, since it may be blocked for long in
 * another device. A kernel without per-VMA locks does not tell the two apart.
 */
void uio_wait_for_mappers(struct uio_object *obj, const struct uio_file *uf)
{
	struct mm_struct *mm;

	mutex_lock(&obj->map_lock);
	while ((mm = uio_next_mm(obj, uf))) {
		/* not under our lock, which mmap() takes inside the mmap_lock */
		mmgrab(mm);
		mutex_unlock(&obj->map_lock);

		mmap_read_lock(mm);
		mmap_read_unlock(mm);

		/* not before: a drain and a revoked file may wait for the same */
		mutex_lock(&obj->map_lock);
		uio_set_waited(obj, uf, mm);
		mmdrop(mm);
	}
	mutex_unlock(&obj->map_lock);
}

/**
 * uio_put_mappings - let go of what a file's mappings needed
 * @uf: a file that goes, and was mapped
 */
void uio_put_mappings(struct uio_file *uf)
{
	struct uio_object *obj = uf->obj;
	struct uio_mapper *mapper, *next;

	mutex_lock(&obj->map_lock);
	list_for_each_entry_safe(mapper, next, &obj->mappers, node)
		if (mapper->uf == uf)
			uio_free_mapper(mapper);
	ida_free(&obj->slots, uf->slot);
	mutex_unlock(&obj->map_lock);

	if (uf->sink)
		__free_page(uf->sink);
}

/* The file's slot, from the first mmap() on. Slot 0 shows the offset unchanged. */
static int uio_get_slot(struct uio_file *uf)
{
	struct uio_object *obj = uf->obj;
	int slot = READ_ONCE(uf->slot);

	if (slot >= 0)
		return slot;

	mutex_lock(&obj->map_lock);
	slot = uf->slot;
	if (slot < 0) {
		/* slot 0 is where the driver's own mmap_prepare() leaves mappings */
		slot = ida_alloc_range(&obj->slots,
				       obj->idev.info->mmap_prepare ? 1 : 0,
				       UIO_MAX_SLOT, GFP_KERNEL);
		if (slot >= 0) {
			WRITE_ONCE(obj->nr_slots,
				   max_t(unsigned int, obj->nr_slots, slot + 1));
			WRITE_ONCE(uf->slot, slot);
		}
	}
	mutex_unlock(&obj->map_lock);
	return slot;
}

static int uio_mmap_io(struct uio_mem *mem, struct vm_area_struct *vma)
{
	if (offset_in_page(mem->addr))
		return -ENODEV;
	if (vma->vm_end - vma->vm_start > mem->size)
		return -EINVAL;

	/* page by page, VM_PFNMAP does not go with private copies */
	vm_flags_set(vma, VM_IO | VM_DONTEXPAND | VM_DONTDUMP |
			  (uio_is_cow(vma) ? VM_MIXEDMAP : VM_PFNMAP));
	if (mem->memtype == UIO_MEM_PHYS)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &uio_vm_ops;
	return 0;
}

static int uio_mmap_pages(struct vm_area_struct *vma)
{
	/* VM_MIXEDMAP: what vm_insert_page() asks for */
	vm_flags_set(vma, VM_MIXEDMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &uio_vm_ops;
	return 0;
}

/* The DMA API can populate a whole mapping only. */
static int uio_mmap_dma_coherent(struct uio_file *uf, struct uio_mem *mem,
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

	ret = uio_note_mapper(uf, vma->vm_mm);
	if (ret)
		return ret;

	/* to the DMA API it is the offset in the buffer */
	vma->vm_pgoff = 0;
	vma->vm_ops = &uio_dma_vm_ops;
	return dma_mmap_coherent(mem->dma_device, vma, (void *)(uintptr_t)mem->addr,
				 mem->dma_addr, vma->vm_end - vma->vm_start);
}

static int uio_mmap_mem(struct uio_file *uf, struct uio_mem *mem,
			struct vm_area_struct *vma)
{
	struct uio_context *ctx = uf->obj->ctx;

	switch (mem->memtype) {
	case UIO_MEM_IOVA:
	case UIO_MEM_PHYS:
		return uio_mmap_io(mem, vma);
	case UIO_MEM_LOGICAL:
	case UIO_MEM_VIRTUAL:
		return uio_mmap_pages(vma);
	case UIO_MEM_NONE:
		return ctx && ctx->ops->fault ? uio_mmap_pages(vma) : -EINVAL;
	case UIO_MEM_DMA_COHERENT:
		return uio_mmap_dma_coherent(uf, mem, vma);
	default:
		return -EINVAL;
	}
}

/* The driver's own mmap_prepare(), which may insert pages or bring a fault handler. */
static int uio_mmap_driver(struct uio_file *uf, struct vm_area_struct *vma)
{
	struct uio_info *info = uf->obj->idev.info;

	/* some have a copy of a look-up that wants it */
	vma->vm_private_data = &uf->obj->idev;

	return uio_note_mapper(uf, vma->vm_mm) ?: uio_mmap_prepare(info, vma);
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
	unsigned long map = vma->vm_pgoff;
	struct uio_mem *mem = uio_mem_find(obj->idev.info, map);
	int slot, ret;

	if (!mem || vma_pages(vma) > min(uio_mem_pages(mem), BIT(UIO_PAGE_BITS)))
		return -EINVAL;

	slot = uio_get_slot(uf);
	if (slot < 0)
		return slot;

	if (!obj->idev.info->mmap_prepare) {
		ret = uio_mmap_mem(uf, mem, vma);
	} else {
		ret = uio_mmap_driver(uf, vma);
		if (vma->vm_ops && vma->vm_ops->fault) {
			/* it knows the offset as user space gave it */
			WRITE_ONCE(obj->own_faults, true);
			return ret;
		}
	}
	vma->vm_pgoff = uio_pgoff(map, slot, 0);
	return ret;
}
