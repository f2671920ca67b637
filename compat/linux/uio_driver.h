/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lets the sources compile for kernels that are older than the one they are written for.
 * This file is before our <linux/uio_driver.h> in the search path, and includes that. It
 * is not sent upstream.
 */

#ifndef _UIO_COMPAT_H
#define _UIO_COMPAT_H

#include <linux/fs.h>
#include <linux/version.h>

/*
 * Change this name whenever the layout or the meaning of contexts changes. On kernels
 * without symbol versions, it alone keeps a driver for other contexts from loading.
 */
#define uio_context_init	uio_context_init_v2

/*
 * Before 7.2, &uio_info.mmap_prepare is named mmap and gets a VMA. With these macros the
 * header is the same as the old kernel's to the compiler and to genksyms. So drivers of
 * that kernel fit, even compiled ones. The #includes of the header come first, because
 * since 6.16 some of them use these names.
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

/* The rest is for the core itself: drivers/uio/Makefile defines UIO_COMPAT_CORE. */
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
	 * A plain int or a seqcount_t, depending on the stable version.
	 * acquire: pairs with the release when the mmap_lock is dropped.
	 */
	return smp_load_acquire((const unsigned int *)&mm->mm_lock_seq);
}

#define uio_lock_seq	uio_compat_lock_seq
#endif

#define uio_driver_maps(info)	(!!(info)->mmap)

#ifdef VM_PAT
/*
 * On x86, remap_pfn_range() reserves the memory type. When the VMA is unmapped, moved or
 * forked, kernels until 6.15 find the reservation through the VMA's first page table
 * entry. If we have taken this entry away, they warn. So we count the VMAs that use a
 * reservation instead, as later kernels do.
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

	/* despite its name it frees any type */
	arch_io_free_memtype_wc(memtype->start, memtype->size);
	kfree(memtype);
}

/* x86 reserves no memory type for RAM. */
static inline bool uio_memtype_is_ram(unsigned long pfn, size_t size)
{
	struct page *page = pfn_valid(pfn) ? pfn_to_page(pfn) : NULL;

	/* in most cases the struct page tells */
	if (!page)
		return false;
	if (!PageReserved(page) && !is_zone_device_page(page))
		return true;
	return region_intersects(PFN_PHYS(pfn), size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) != REGION_DISJOINT;
}

/* Take over the reservation of @vma, which begins at @pfn: we free it. */
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

/* The same for a mapping that the driver made. */
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
