/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace I/O: calling a driver's mmap_prepare().
 *
 * The core has an mmap() of its own, which inserts pages and changes offsets as
 * mmap_prepare() could not. Goes when it can.
 */

#ifndef _UIO_PREPARE_H
#define _UIO_PREPARE_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/uio_driver.h>

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

#endif /* _UIO_PREPARE_H */
