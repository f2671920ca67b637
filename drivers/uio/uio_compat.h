/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the sources need to build on kernels older than the one they are
 * written for. Not part of what is sent upstream.
 */

#ifndef _UIO_COMPAT_H
#define _UIO_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>

/* until 6.17 it took a pfn_t */
#define vmf_insert_mixed(vma, addr, pfn) \
	vmf_insert_mixed(vma, addr, __pfn_to_pfn_t(pfn, PFN_DEV))
#endif

#endif /* _UIO_COMPAT_H */
