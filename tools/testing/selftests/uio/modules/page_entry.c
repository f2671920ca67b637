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
#else
static const char *uio_test_caching_of(pgprot_t prot)
{
	return "unknown\n";
}
#endif

/* Keeps the answer for the next read. */
static ssize_t uio_test_caching_write(struct file *filp, const char __user *buf,
				      size_t count, loff_t *ppos)
{
	struct follow_pfnmap_args entry = { };
	unsigned long addr;
	int ret = kstrtoul_from_user(buf, count, 0, &addr);

	if (ret)
		return ret;

	mmap_read_lock(current->mm);
	entry.vma = vma_lookup(current->mm, addr);
	entry.address = addr;
	ret = entry.vma ? follow_pfnmap_start(&entry) : -EFAULT;
	if (!ret) {
		filp->private_data = (void *)uio_test_caching_of(entry.pgprot);
		follow_pfnmap_end(&entry);
	}
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
