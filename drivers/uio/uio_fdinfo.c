// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: /proc/PID/fdinfo/FD, from which an operator learns who still has a device,
 * and how much of it. Documentation/ABI/testing/procfs-fdinfo-uio describes the lines.
 *
 * It never waits for the driver. When the device is gone, it asks the context only.
 */

#include "uio_internal.h"
#include "uio_mapping.h"

#include <linux/fs.h>
#include <linux/rbtree.h>
#include <linux/seq_file.h>
#include <linux/string_helpers.h>

static const struct vm_area_struct *uio_node_vma(const struct rb_node *node)
{
	return rb_entry(node, struct vm_area_struct, shared.rb);
}

/* @key: region and file as in uio_pgoff(), without the bits of the page */
static int uio_compare_vma(const void *key, const struct rb_node *node)
{
	unsigned long wanted = *(const unsigned long *)key;
	unsigned long found = uio_node_vma(node)->vm_pgoff >> UIO_PAGE_BITS;

	return wanted < found ? -1 : wanted > found;
}

/*
 * Bytes that are mapped through a file at offsets of this region and of files with this id.
 * i_mmap is sorted by the start of VMAs, so this visits few VMAs of other files. mm changes
 * a VMA that is in i_mmap only with the lock held for writing.
 */
static u64 uio_count_mapped(const struct file *filp, unsigned int region,
			    unsigned int id)
{
	struct address_space *mapping = filp->f_mapping;
	unsigned long key = uio_pgoff(region, id, 0) >> UIO_PAGE_BITS;
	const struct vm_area_struct *vma;
	struct rb_node *node;
	u64 bytes = 0;

	i_mmap_lock_read(mapping);
	rb_for_each(node, &key, &mapping->i_mmap.rb_root, uio_compare_vma) {
		vma = uio_node_vma(node);
		/* see UIO_SHARED_FILE_ID, and below */
		if (vma->vm_file == filp)
			bytes += vma->vm_end - vma->vm_start;
	}
	i_mmap_unlock_read(mapping);
	return bytes;
}

static void uio_show_mapped(struct seq_file *m, const struct file *filp)
{
	const struct uio_file *uf = filp->private_data;
	int id = READ_ONCE(uf->id);
	unsigned int region;
	u64 bytes;

	/* nothing was ever mapped */
	if (id < 0)
		return;

	for (region = 0; region < MAX_UIO_MAPS; region++) {
		bytes = uio_count_mapped(filp, region, id);
		if (bytes)
			seq_printf(m, "uio-mapped-%u:\t%llu\n", region, bytes);
	}

	/*
	 * Mappings that keep the offset of user space are in the range of id 0, which no
	 * file has in this case. When such a mapping is split, the region is lost.
	 */
	bytes = id ? uio_count_mapped(filp, 0, 0) : 0;
	if (bytes)
		seq_printf(m, "uio-mapped-driver:\t%llu\n", bytes);
}

/**
 * uio_show_fdinfo - show what an open file is, and what it holds
 * @m: where to
 * @filp: the file
 */
void uio_show_fdinfo(struct seq_file *m, struct file *filp)
{
	const struct uio_file *uf = filp->private_data;
	const struct uio_object *obj = uf->obj;
	struct uio_context *ctx = obj->ctx;

	seq_printf(m, "uio-device:\t%s\n", dev_name(&obj->idev.dev));
	seq_puts(m, "uio-name:\t");
	seq_escape_str(m, obj->name, ESCAPE_OCTAL | ESCAPE_NP | ESCAPE_APPEND, "\\");
	seq_printf(m, "\nuio-serial:\t%llu\n", obj->serial);
	seq_printf(m, "uio-state:\t%s\n", uio_state_name(obj));
	seq_printf(m, "uio-file-revoked:\t%d\n", READ_ONCE(uf->revoked));
	uio_show_mapped(m, filp);
	/* no uio_enter(): the file has a reference */
	if (ctx && ctx->ops->show_fdinfo)
		ctx->ops->show_fdinfo(ctx, m);
}
