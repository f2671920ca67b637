/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace I/O: parts of mm that the core needs for mmap(), and drivers do not need.
 */

#ifndef _UIO_MM_H
#define _UIO_MM_H

#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/uio_driver.h>

/*
 * Calls a driver's mmap_prepare(). The core itself uses mmap(), because it inserts pages
 * and changes the offset. mmap_prepare() can't do that yet. Remove this when it can.
 */
#ifndef uio_mmap_prepare
static inline int uio_mmap_prepare(struct uio_info *info,
				   struct vm_area_struct *vma)
{
	struct vm_area_desc desc;
	int ret;

	compat_set_desc_from_vma(&desc, vma->vm_file, vma);
	ret = info->mmap_prepare(info, &desc);
	if (ret)
		return ret;
	return __compat_vma_mmap(&desc, vma);
}
#endif

/*
 * A number that changes when a writer drops the mmap_lock. Always 0 without
 * CONFIG_PER_VMA_LOCK. raw_read_seqcount() is an acquire: pairs with the release in
 * mm_lock_seqcount_end(), so whoever sees a new number also finds the VMA (litmus: lock-seq).
 */
#ifndef uio_lock_seq
static inline unsigned int uio_lock_seq(const struct mm_struct *mm)
{
#ifdef CONFIG_PER_VMA_LOCK
	return raw_read_seqcount(&mm->mm_lock_seq);
#else
	return 0;
#endif
}
#endif

/* compat/linux/uio_driver.h replaces these on old kernels. */
#ifndef uio_take_memtype
#define uio_take_memtype(vma, pfn)	((void)(vma), (void)(pfn), 0)
#endif
#ifndef uio_insert_mixed
#define uio_insert_mixed	vmf_insert_mixed
#endif

#endif /* _UIO_MM_H */
