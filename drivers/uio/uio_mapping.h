/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace I/O: page offsets in a device's i_mapping, which all its mappings share.
 *
 * User space selects a region by file offset: page N is the start of region N. With
 * this offset in the VMA, a split of the mapping would make the second page of region 0
 * look like the first page of region 1. Nobody could unmap one region, or the mappings
 * of one file. So mmap() changes vm_pgoff of each VMA to
 *
 *	region, file, page in the region
 *
 * from the highest bits to the lowest. mm keeps them right when it splits, moves or
 * copies a mapping. "file" is &uio_file.id, a number that a file gets at its first
 * mmap(). /proc/PID/maps shows the result as the offset.
 *
 * With 32 bits there are few numbers. When all are in use, further files share the last
 * one. UIO_IOC_REVOKE refuses these, because the core can't tell their mappings apart.
 */

#ifndef _UIO_MAPPING_H
#define _UIO_MAPPING_H

#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/uio_driver.h>

/* As many bits as fit into a pgoff_t and, in bytes, into an loff_t. */
#define UIO_PGOFF_BITS	(BITS_PER_LONG == 32 ? 32 : 63 - PAGE_SHIFT)
#define UIO_REGION_BITS	3
#define UIO_PAGE_BITS	(BITS_PER_LONG == 32 ? 20 : 28)
#define UIO_FILE_BITS	(UIO_PGOFF_BITS - UIO_REGION_BITS - UIO_PAGE_BITS)
#define UIO_REGION_SHIFT	(UIO_PAGE_BITS + UIO_FILE_BITS)
#define UIO_SHARED_FILE_ID	(BIT(UIO_FILE_BITS) - 1)

static_assert(BIT(UIO_REGION_BITS) >= MAX_UIO_MAPS);

static inline pgoff_t uio_pgoff(unsigned long region, unsigned long file,
				unsigned long index)
{
	return (region << UIO_REGION_SHIFT) + (file << UIO_PAGE_BITS) + index;
}

static inline unsigned long uio_pgoff_region(pgoff_t pgoff)
{
	return pgoff >> UIO_REGION_SHIFT;
}

static inline unsigned long uio_pgoff_index(pgoff_t pgoff)
{
	return pgoff & (BIT(UIO_PAGE_BITS) - 1);
}

static inline struct uio_mem *uio_mem_find(struct uio_info *info,
					   unsigned long region)
{
	return region < MAX_UIO_MAPS && info->mem[region].size ?
	       &info->mem[region] : NULL;
}

static inline unsigned long uio_mem_pages(const struct uio_mem *mem)
{
	return PAGE_ALIGN(offset_in_page(mem->addr) + mem->size) >> PAGE_SHIFT;
}

/*
 * Pages of slab memory, and of higher-order memory without __GFP_COMP, have no refcount
 * of their own. They are mapped without a reference. This is safe: no mapping outlives
 * the memory, and nothing else can pin these pages.
 */
static inline bool uio_page_is_counted(struct page *page)
{
	return !PageSlab(compound_head(page)) && page_count(page);
}

/* Does a write make a private copy of the page, now or after an mprotect()? */
static inline bool uio_is_cow(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

#endif /* _UIO_MAPPING_H */
