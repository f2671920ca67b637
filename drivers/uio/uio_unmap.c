// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: taking mapped pages away, in every address space.
 */

#include "uio_internal.h"
#include "uio_mapping.h"

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

/*
 * Private copies go as well, as they do when a file is truncated. In pages: the
 * offset in bytes is more than unmap_mapping_range() takes on 32 bits.
 */
static void uio_unmap(struct uio_object *obj, pgoff_t pgoff, unsigned long nr)
{
	struct inode *inode = READ_ONCE(obj->inode);

	if (inode)
		unmap_mapping_pages(inode->i_mapping, pgoff, nr, true);
}

/**
 * uio_unmap_device - take away what a revoked device may not leave mapped
 * @obj: the device, revoked
 *
 * With a context that is I/O memory, since it may soon be another device's;
 * what the context owns stays valid. Without one it is everything: the driver
 * frees it. Forked and moved mappings are found like any other.
 */
void uio_unmap_device(struct uio_object *obj)
{
	struct uio_info *info = obj->idev.info;
	unsigned long map;

	if (!obj->ctx) {
		/* 0 pages are all of them, wherever the driver's own mmap() put any */
		uio_unmap(obj, 0, 0);
		return;
	}

	/* whatever its size is by now */
	for (map = 0; map < MAX_UIO_MAPS; map++)
		if (uio_mem_is_io(&info->mem[map]))
			uio_unmap(obj, uio_pgoff(map, 0, 0), BIT(UIO_MAP_SHIFT));
}

/**
 * uio_unmap_file - take away what was mapped through one file
 * @uf: the file, revoked
 */
void uio_unmap_file(struct uio_file *uf)
{
	struct uio_object *obj = uf->obj;
	int slot = READ_ONCE(uf->slot);
	unsigned long map;

	if (slot < 0)
		return;

	for (map = 0; map < MAX_UIO_MAPS; map++)
		uio_unmap(obj, uio_pgoff(map, slot, 0), BIT(UIO_PAGE_BITS));

	/*
	 * Where the driver's own fault handler relies on the offset it is as
	 * user space gave it, in the range that slot 0 leaves free. Whose it is
	 * can't be told, but it can be faulted in again.
	 */
	if (READ_ONCE(obj->driver_faults))
		uio_unmap(obj, 0, BIT(UIO_PAGE_BITS));
}

/**
 * uio_unmap_range - take pages of a region out of every process
 * @info:	the driver's description of a registered device
 * @map:	index of the region
 * @offset:	first byte, page aligned
 * @size:	bytes, rounded up to pages; 0: to the end of the region
 *
 * The next touch faults again, but that of I/O memory, which is gone for good. For
 * a driver with a context and a fault operation that replaces or frees pages: it
 * makes the pages unreachable for the operation first, calls this, and then frees
 * them. A fault that got its page before that can still insert it, see
 * &uio_context_ops.fault on how to wait for it.
 *
 * Context: Process context, may sleep. Not concurrently with
 * uio_unregister_device().
 */
void uio_unmap_range(struct uio_info *info, unsigned int map,
		     unsigned long offset, unsigned long size)
{
	struct uio_object *obj = to_uio_object(info->uio_dev);
	unsigned long index = offset >> PAGE_SHIFT;
	unsigned long nr = size ? PAGE_ALIGN(size) >> PAGE_SHIFT :
				  BIT(UIO_PAGE_BITS) - index;
	unsigned int nr_slots = READ_ONCE(obj->nr_slots);
	unsigned int slot;

	for (slot = 0; slot < nr_slots; slot++)
		uio_unmap(obj, uio_pgoff(map, slot, index), nr);
}
EXPORT_SYMBOL_GPL(uio_unmap_range);
