// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: what a page table says about the caching of a page of I/O memory.
 */

#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/uaccess.h>

#include "uio_test.h"

#ifdef CONFIG_X86
static const char *uio_test_caching_of(pgprot_t prot)
{
	/* in the order of Linux' page attribute table; PWT is the lowest bit of the index */
	static const char * const types[] = { "wb\n", "wc\n", "uc-\n", "uc\n" };
	unsigned long bits = pgprot_val(prot);

	return types[(bits & _PAGE_PWT ? 1 : 0) + (bits & _PAGE_PCD ? 2 : 0)];
}
#elif defined(CONFIG_ARM64)
/* By x86's names: uc- is what pgprot_noncached() gives there as well. */
static const char *uio_test_caching_of(pgprot_t prot)
{
	switch (pgprot_val(prot) & PTE_ATTRINDX_MASK) {
	case PTE_ATTRINDX(MT_NORMAL):
	case PTE_ATTRINDX(MT_NORMAL_TAGGED):
		return "wb\n";
	case PTE_ATTRINDX(MT_NORMAL_NC):
		return "wc\n";
	case PTE_ATTRINDX(MT_DEVICE_nGnRnE):
		return "uc-\n";
	case PTE_ATTRINDX(MT_DEVICE_nGnRE):
		return "uc\n";
	default:
		return "unknown\n";
	}
}
#else
static const char *uio_test_caching_of(pgprot_t prot)
{
	return "unknown\n";
}
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
static int uio_test_prot_at(struct vm_area_struct *vma, unsigned long addr, pgprot_t *prot)
{
	spinlock_t *lock;	/* of the page table */
	pte_t *entry;
	int ret = follow_pte(vma->vm_mm, addr, &entry, &lock);

	if (!ret) {
		*prot = pte_pgprot(*entry);
		pte_unmap_unlock(entry, lock);
	}
	return ret;
}
#else
static int uio_test_prot_at(struct vm_area_struct *vma, unsigned long addr, pgprot_t *prot)
{
	struct follow_pfnmap_args entry = { .vma = vma, .address = addr };
	int ret = follow_pfnmap_start(&entry);

	if (!ret) {
		*prot = entry.pgprot;
		follow_pfnmap_end(&entry);
	}
	return ret;
}
#endif

/* Keeps the answer for the next read. */
static ssize_t uio_test_caching_write(struct file *filp, const char __user *buf,
				      size_t count, loff_t *ppos)
{
	struct vm_area_struct *vma;
	unsigned long addr;
	pgprot_t prot;
	int ret = kstrtoul_from_user(buf, count, 0, &addr);

	if (ret)
		return ret;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	ret = vma ? uio_test_prot_at(vma, addr, &prot) : -EFAULT;
	if (!ret)
		filp->private_data = (void *)uio_test_caching_of(prot);
	mmap_read_unlock(current->mm);
	return ret ?: count;
}

static ssize_t uio_test_caching_read(struct file *filp, char __user *buf,
				     size_t count, loff_t *ppos)
{
	const char *caching = filp->private_data;
	loff_t from_start = 0;

	if (!caching)
		return -ENODATA;
	return simple_read_from_buffer(buf, count, &from_start, caching,
				       strlen(caching));
}

const struct file_operations uio_test_caching_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= uio_test_caching_write,
	.read	= uio_test_caching_read,
};
