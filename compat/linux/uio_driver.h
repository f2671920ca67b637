/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lets our sources compile for older kernels than the one that they are written for. This file
 * is before our <linux/uio_driver.h> in the search path. It is not sent upstream.
 */
#ifndef _UIO_COMPAT_H
#define _UIO_COMPAT_H

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/slab.h>
#include <linux/version.h>

#ifndef kzalloc_obj	/* 6.1, and early releases of 6.12 */
#define uio_gfp(unused, gfp, ...)	gfp
#define kmalloc_obj(p, ...)	kmalloc(sizeof(p), uio_gfp(, ##__VA_ARGS__, GFP_KERNEL))
#define kzalloc_obj(p, ...)	kzalloc(sizeof(p), uio_gfp(, ##__VA_ARGS__, GFP_KERNEL))
#endif
/* 6.1: genksyms has to see the kernel's own header, and only the #includes of the kernel's core. */
#if defined(__GENKSYMS__) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#include <trace/../linux/uio_driver.h>	/* only the kernel has this path */
#define _LINUX_DMA_MAPPING_H
#elif defined(UIO_COMPAT_CORE)
#include <linux/dma-mapping.h>
#endif

/*
 * Change this name whenever the layout or the meaning of contexts changes. On kernels
 * without symbol versions, only this name keeps a driver for other contexts from loading.
 */
#define uio_context_init	uio_context_init_v3

/*
 * With these macros our header is the same as the old kernel's, for the compiler and for genksyms.
 * So drivers compiled with that one fit, too. Members that it lacks become arrays of size 0.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#define mmap_prepare	mmap
#define vm_area_desc	vm_area_struct
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define dma_addr	dma_addr[0]
#define dma_device	dma_device[0]
#endif
#include_next <linux/uio_driver.h>
#ifndef UIO_COMPAT_CORE
#undef mmap_prepare
#undef vm_area_desc
#undef dma_addr
#undef dma_device
#elif !defined(__GENKSYMS__)
/* The rest is for the core itself: drivers/uio/Makefile defines UIO_COMPAT_CORE. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#include <linux/pfn_t.h>
#define UIO_POLL_NO_IRQ		((__force __poll_t)-EIO)
#define uio_insert_mixed(vma, addr, pfn) vmf_insert_mixed(vma, addr, __pfn_to_pfn_t(pfn, PFN_DEV))
#define uio_mmap_prepare	uio_mmap_prepare
static inline int uio_mmap_prepare(struct uio_info *info, struct vm_area_struct *vma)
{
	return info->mmap(info, vma);
}
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
/* As in the kernel's own core, each interrupt is an event, and there is no thread. */
#define request_threaded_irq(irq, handler, thread, ...) request_irq(irq, handler, __VA_ARGS__)
#define IRQ_WAKE_THREAD			uio_irq_thread(irq, data)
#undef UIO_MEM_DMA_COHERENT
#define UIO_MEM_DMA_COHERENT		INT_MIN		/* no region has this type */
#define vm_flags_set(vma, flags)	((vma)->vm_flags |= (flags))
#define vm_flags_clear(vma, flags)	((vma)->vm_flags &= ~(flags))
#define follow_pfnmap_end(args)		((void)(args))
struct follow_pfnmap_args { struct vm_area_struct *vma; unsigned long address, pfn; };

static inline int follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	return follow_pfn(args->vma, args->address, &args->pfn);
}
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0) && defined(CONFIG_PER_VMA_LOCK)
/*
 * mm_lock_seq is an int or, in later releases of 6.12, a seqcount_t. acquire: pairs with the
 * release when the mmap_lock is dropped.
 */
#define uio_lock_seq(mm)	smp_load_acquire((const unsigned int *)&(mm)->mm_lock_seq)
#endif
#ifdef VM_PAT
/*
 * On x86, remap_pfn_range() reserves the memory type. When the VMA is unmapped, moved or
 * forked, kernels until 6.15 find the reservation through the VMA's first page table entry.
 * They warn if we have taken this entry away. So we count the VMAs, as later kernels do.
 */
struct uio_memtype {
	struct vm_operations_struct ops;
	const struct vm_operations_struct *before;
	refcount_t vmas;
	resource_size_t start, size;
};

static inline void uio_memtype_open(struct vm_area_struct *vma)
{
	struct uio_memtype *memtype = container_of(vma->vm_ops, typeof(*memtype), ops);

	refcount_inc(&memtype->vmas);
	if (memtype->before->open)
		memtype->before->open(vma);
}

static inline void uio_memtype_close(struct vm_area_struct *vma)
{
	struct uio_memtype *memtype = container_of(vma->vm_ops, typeof(*memtype), ops);

	if (memtype->before->close)
		memtype->before->close(vma);
	if (refcount_dec_and_test(&memtype->vmas)) {
		arch_io_free_memtype_wc(memtype->start, memtype->size);	/* frees any type */
		kfree(memtype);
	}
}

#define uio_take_memtype	uio_take_memtype
/* Takes over the reservation, if there is one. RAM has none. @pfn: 0 if it is not known */
static inline int uio_take_memtype(struct vm_area_struct *vma, unsigned long pfn)
{
	struct follow_pfnmap_args first = { .vma = vma, .address = vma->vm_start, .pfn = pfn };
	struct uio_memtype *memtype;

	if (!(vma->vm_flags & VM_PAT) || (!pfn && follow_pfnmap_start(&first)))
		return 0;
	if (!pfn)
		follow_pfnmap_end(&first);
	pfn = first.pfn;
	/* most RAM is not reserved, and this is quicker to find out */
	if (!pfn_valid(pfn) || (PageReserved(pfn_to_page(pfn)) && !page_is_ram(pfn))) {
		memtype = kmalloc_obj(*memtype, GFP_KERNEL_ACCOUNT);
		if (!memtype)
			return -ENOMEM;
		*memtype = (struct uio_memtype) { .ops = *vma->vm_ops, .before = vma->vm_ops,
			.vmas = REFCOUNT_INIT(1), .start = PFN_PHYS(pfn),
			.size = vma->vm_end - vma->vm_start };
		memtype->ops.open = uio_memtype_open;
		memtype->ops.close = uio_memtype_close;
		vma->vm_ops = &memtype->ops;
	}
	vm_flags_clear(vma, VM_PAT);
	return 0;
}
#endif /* VM_PAT */
#endif /* UIO_COMPAT_CORE */
#endif /* _UIO_COMPAT_H */
