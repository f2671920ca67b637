/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the sources need to build on kernels older than the one they are
 * written for. Not part of what is sent upstream, and not included by any of
 * it: the build puts it before each file (-include), also before those of
 * drivers that include our <linux/uio_driver.h>.
 */

#ifndef _UIO_COMPAT_H
#define _UIO_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
/*
 * There, &uio_info.mmap_prepare is mmap and has a VMA. To the compiler and to
 * genksyms the header thus is the old kernel's own, so its drivers fit, built
 * or not.
 */
#define mmap_prepare	mmap
#define vm_area_desc	vm_area_struct

/* in place of uio_prepare.h */
#define _UIO_PREPARE_H
#define uio_mmap_prepare(info, vma) ({		\
	struct uio_info *_info = (info);	\
						\
	_info->mmap(_info, vma);		\
})
#endif

/*
 * Each only for the file that calls it, by its command line: an #include so early
 * takes pr_fmt and the like out of a driver's hands.
 */
#if defined(UIO_COMPAT_PFN_T) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>

/* until 6.17 it took a pfn_t */
#define vmf_insert_mixed(vma, addr, pfn) \
	vmf_insert_mixed(vma, addr, __pfn_to_pfn_t(pfn, PFN_DEV))
#endif

#if defined(UIO_COMPAT_LOCK_SEQ) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#include <linux/seqlock.h>

/* mm_lock_seq may be a plain int there, which changes when the lock is let go of */
#undef raw_read_seqcount
/* acquire: pairs with the mmap_lock's release of it, as the original does */
#define raw_read_seqcount(seq) smp_load_acquire((const unsigned int *)(seq))
#endif

#endif /* _UIO_COMPAT_H */
