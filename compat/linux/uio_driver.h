/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the sources need to build on kernels older than the one they are written for.
 * Not part of what is sent upstream, where nothing includes it: it comes before our
 * <linux/uio_driver.h> in the search path, and takes that in.
 */

#ifndef _UIO_COMPAT_H
#define _UIO_COMPAT_H

#include <linux/fs.h>
#include <linux/version.h>

/*
 * Some kernels have no symbol versions. There it is this name that keeps a driver from
 * loading that was built for other contexts: it changes whenever these do.
 */
#define uio_context_init	uio_context_init_v2

/*
 * Before 7.2, &uio_info.mmap_prepare is mmap and has a VMA. To the compiler and to
 * genksyms the header thus is the old kernel's own, and drivers of that kernel
 * fit, compiled ones too. What the header includes comes first: since 6.16 some of it
 * has these names itself.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#include <linux/device.h>
#include <linux/interrupt.h>

#define mmap_prepare	mmap
#define vm_area_desc	vm_area_struct
#include_next <linux/uio_driver.h>
#undef mmap_prepare
#undef vm_area_desc
#else
#include_next <linux/uio_driver.h>
#endif

/* The rest is for the core itself: drivers/uio/Makefile says so. */
#ifdef UIO_COMPAT_CORE

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0)
#define UIO_POLL_NO_IRQ	((__force __poll_t)-EIO)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#include <linux/pfn_t.h>

#define uio_insert_mixed(vma, addr, pfn) \
	vmf_insert_mixed(vma, addr, __pfn_to_pfn_t(pfn, PFN_DEV))
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/refcount.h>
#include <linux/slab.h>

#if defined(CONFIG_PER_VMA_LOCK) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline unsigned int uio_compat_lock_seq(const struct mm_struct *mm)
{
	/*
	 * A plain int or a seqcount_t, as the stable version has it.
	 * acquire: pairs with the mmap_lock's release of it.
	 */
	return smp_load_acquire((const unsigned int *)&mm->mm_lock_seq);
}

#define uio_lock_seq	uio_compat_lock_seq
#endif

#define uio_driver_maps(info)	(!!(info)->mmap)

#ifdef VM_PAT
/*
 * On x86, until 6.15, what remap_pfn_range() has reserved of the memory's type is
 * found again by the first page table entry of the VMA, when that is unmapped, moved
 * or forked. We take entries away at any time, and the kernel would warn. So here the
 * reservation belongs to the VMA by a count, as it does in later kernels.
 */
struct uio_memtype {
	struct vm_operations_struct ops;
	const struct vm_operations_struct *before;
	refcount_t vmas;
	resource_size_t start;
	resource_size_t size;
};

#define uio_memtype_of(vma) container_of((vma)->vm_ops, struct uio_memtype, ops)

static inline void uio_memtype_open(struct vm_area_struct *vma)
{
	struct uio_memtype *memtype = uio_memtype_of(vma);

	refcount_inc(&memtype->vmas);
	if (memtype->before->open)
		memtype->before->open(vma);
}

static inline void uio_memtype_close(struct vm_area_struct *vma)
{
	struct uio_memtype *memtype = uio_memtype_of(vma);

	if (memtype->before->close)
		memtype->before->close(vma);
	if (!refcount_dec_and_test(&memtype->vmas))
		return;

	/* of any type, whatever the name says */
	arch_io_free_memtype_wc(memtype->start, memtype->size);
	kfree(memtype);
}

/* x86 reserves no memory type for RAM. */
static inline bool uio_memtype_is_ram(unsigned long pfn, size_t size)
{
	struct page *page = pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;

	/* mostly that says it already */
	if (!page)
		return false;
	if (!PageReserved(page) && !is_zone_device_page(page))
		return true;
	return region_intersects(PFN_PHYS(pfn), size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) != REGION_DISJOINT;
}

/* The reservation of @vma, which begins with @pfn, is ours to give back. */
static inline int uio_memtype_keep(struct vm_area_struct *vma, unsigned long pfn)
{
	size_t size = vma->vm_end - vma->vm_start;
	struct uio_memtype *memtype;

	if (!(vma->vm_flags & VM_PAT))
		return 0;

	if (!uio_memtype_is_ram(pfn, size)) {
		memtype = kmalloc(sizeof(*memtype), GFP_KERNEL_ACCOUNT);
		if (!memtype)
			return -ENOMEM;

		memtype->start = PFN_PHYS(pfn);
		memtype->size = size;
		refcount_set(&memtype->vmas, 1);
		memtype->before = vma->vm_ops;
		memtype->ops = *vma->vm_ops;
		memtype->ops.open = uio_memtype_open;
		memtype->ops.close = uio_memtype_close;
		vma->vm_ops = &memtype->ops;
	}
	vm_flags_clear(vma, VM_PAT);
	return 0;
}

/* The same for a mapping that the driver has made. */
static inline int uio_memtype_take(struct vm_area_struct *vma)
{
	struct follow_pfnmap_args entry = { .vma = vma, .address = vma->vm_start };

	if (!(vma->vm_flags & VM_PAT) || follow_pfnmap_start(&entry))
		return 0;
	follow_pfnmap_end(&entry);
	return uio_memtype_keep(vma, entry.pfn);
}

static inline int uio_compat_remap_pfn_range(struct vm_area_struct *vma,
					     unsigned long addr, unsigned long pfn,
					     unsigned long size, pgprot_t prot)
{
	return remap_pfn_range(vma, addr, pfn, size, prot) ?:
	       uio_memtype_keep(vma, pfn);
}

static inline int uio_compat_dma_mmap(struct device *dev, struct vm_area_struct *vma,
				      void *addr, dma_addr_t dma_addr, size_t size)
{
	return dma_mmap_coherent(dev, vma, addr, dma_addr, size) ?:
	       uio_memtype_take(vma);
}

#define uio_remap_pfn_range	uio_compat_remap_pfn_range
#define uio_dma_mmap		uio_compat_dma_mmap
#define uio_take_memtype	uio_memtype_take
#endif

static inline int uio_compat_mmap_prepare(struct uio_info *info,
					  struct vm_area_struct *vma)
{
	return info->mmap(info, vma);
}

#define uio_mmap_prepare	uio_compat_mmap_prepare
#endif

#endif /* UIO_COMPAT_CORE */
#endif /* _UIO_COMPAT_H */
