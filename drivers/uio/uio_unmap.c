// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: taking mapped pages away, in every address space.
 *
 * All mappings of a device are in one i_mapping, but a VMA gets there only when its
 * mmap() is over. Where mmap() makes pages present, nobody who revokes the device would
 * find them until then. So the address space is noted before, and the drain, and
 * UIO_IOC_REVOKE, wait for the end of that mmap(): it holds the mmap_lock.
 */

#include "uio_internal.h"
#include "uio_mapping.h"
#include "uio_mm.h"

#include <linux/sched/mm.h>

/**
 * struct uio_populating - an mmap() that makes pages present
 * @node: in &uio_object.populating
 * @uf: the file that is mapped
 * @mm: the address space; pinned as a struct only
 * @lock_seq: of its mmap_lock, while that mmap() has it
 */
struct uio_populating {
	struct list_head node;
	const struct uio_file *uf;
	struct mm_struct *mm;
	unsigned int lock_seq;
};

static void uio_end_populating(struct uio_populating *p)
{
	list_del(&p->node);
	mmdrop(p->mm);
	kfree(p);
}

/* Forgets those of @uf and in @mm; NULL: of any file, in any address space. */
void uio_forget_populating(struct uio_object *obj, const struct uio_file *uf,
			   const struct mm_struct *mm)
{
	struct uio_populating *p, *next;

	lockdep_assert_held(&obj->map_lock);
	list_for_each_entry_safe(p, next, &obj->populating, node)
		if ((!uf || p->uf == uf) && (!mm || p->mm == mm))
			uio_end_populating(p);
}

/*
 * With no users left the process has exited, and nobody is in mmap(). Without per-VMA
 * locks an mmap() that is over looks as if it ran.
 */
static bool uio_may_run(const struct uio_populating *p)
{
	return p->lock_seq == uio_lock_seq(p->mm) && atomic_read(&p->mm->mm_users);
}

/* An mmap() that may run, of @uf or of any file; forgets those that do not. */
static struct uio_populating *uio_next_populating(struct uio_object *obj,
						  const struct uio_file *uf)
{
	struct uio_populating *p, *next;

	lockdep_assert_held(&obj->map_lock);
	list_for_each_entry_safe(p, next, &obj->populating, node) {
		if (!uio_may_run(p))
			uio_end_populating(p);
		else if (!uf || uf == p->uf)
			return p;
	}
	return NULL;
}

/**
 * uio_begin_populating - note an mmap() that is going to make pages present
 * @uf: the file; the caller has entered the device
 * @mm: the address space, whose mmap_lock is held for writing
 *
 * Return: 0; -ENODEV if the file is revoked; or -ENOMEM.
 */
int uio_begin_populating(struct uio_file *uf, struct mm_struct *mm)
{
	struct uio_object *obj = uf->obj;
	struct uio_populating *p, *next;

	mmap_assert_write_locked(mm);
	guard(mutex)(&obj->map_lock);
	/* pairs with uio_set_revoked(): uio_revoke_file() waits for us, or we see it */
	if (uf->revoked)
		return -ENODEV;

	list_for_each_entry_safe(p, next, &obj->populating, node) {
		/* what is noted of this address space is over */
		if (p->mm == mm) {
			p->uf = uf;
			p->lock_seq = uio_lock_seq(mm);
			return 0;
		}
		if (!uio_may_run(p))
			uio_end_populating(p);
	}

	/* NOIO: a revocation takes this lock too, and I/O may be waiting for it */
	p = kmalloc(sizeof(*p), GFP_NOIO | __GFP_ACCOUNT);
	if (!p)
		return -ENOMEM;

	mmgrab(mm);
	*p = (struct uio_populating) {
		.uf = uf, .mm = mm, .lock_seq = uio_lock_seq(mm),
	};
	list_add(&p->node, &obj->populating);
	return 0;
}

/* Does an mmap() run that may have made pages present? */
bool uio_is_populating(struct uio_object *obj)
{
	guard(mutex)(&obj->map_lock);
	return uio_next_populating(obj, NULL);
}

/**
 * uio_wait_for_populating - wait until every page that is present can be found
 * @obj: the device, drained, if @uf is NULL
 * @uf: wait for mappings of this file only, which is revoked
 *
 * Waits for an mmap() that populates a mapping of this device, and for who was queued
 * for the same mmap_lock before us. Other holders of the lock, which may be blocked in
 * another device, are not waited for, but by a kernel without per-VMA locks, which does
 * not tell them apart.
 */
void uio_wait_for_populating(struct uio_object *obj, const struct uio_file *uf)
{
	struct uio_populating *p;
	struct mm_struct *mm;

	mutex_lock(&obj->map_lock);
	while ((p = uio_next_populating(obj, uf))) {
		/* not under our lock, which mmap() takes inside the mmap_lock */
		mm = p->mm;
		mmgrab(mm);
		mutex_unlock(&obj->map_lock);

		mmap_read_lock(mm);
		mmap_read_unlock(mm);

		mutex_lock(&obj->map_lock);
		uio_forget_populating(obj, uf, mm);
		mmdrop(mm);
	}
	mutex_unlock(&obj->map_lock);
}

/*
 * Private copies go as well, as they do when a file is truncated. In pages: the
 * offset in bytes is more than unmap_mapping_range() takes on 32 bits.
 */
static void uio_unmap(struct uio_object *obj, pgoff_t pgoff, unsigned long nr)
{
	struct inode *inode = READ_ONCE(obj->inode);

	if (inode)
		unmap_mapping_pages(inode->i_mapping, pgoff, nr, true);
}

/*
 * What a revoked device may not leave mapped. With a context that is I/O memory, since
 * it may soon be another device's; what the context owns stays valid. Without one it is
 * everything: the driver frees it. Forked and moved mappings are found like any other.
 */
void uio_unmap_device(struct uio_object *obj)
{
	unsigned int region;

	if (!obj->ctx) {
		/* 0 pages are all of them, wherever the driver's own mmap() put any */
		uio_unmap(obj, 0, 0);
		return;
	}

	for_each_set_bit(region, &obj->io_regions, MAX_UIO_MAPS)
		uio_unmap(obj, uio_pgoff(region, 0, 0), BIT(UIO_REGION_SHIFT));
}

/* What was mapped through one file, which is revoked. */
void uio_unmap_file(struct uio_file *uf)
{
	struct uio_object *obj = uf->obj;
	int id = READ_ONCE(uf->id);
	unsigned int region;

	if (id < 0)
		return;

	for (region = 0; region < MAX_UIO_MAPS; region++)
		uio_unmap(obj, uio_pgoff(region, id, 0), BIT(UIO_PAGE_BITS));

	/*
	 * Mappings that keep the offset of user space are in the range of id 0, which
	 * no file has then. Nobody knows whose they are, so all go. Other files fault
	 * theirs in again.
	 */
	if (READ_ONCE(obj->driver_faults))
		uio_unmap(obj, 0, BIT(UIO_PAGE_BITS));
}

/**
 * uio_unmap_range - take pages of a region out of every process
 * @info:	the driver's description of a device; one that is not registered is
 *		ignored
 * @region:	index of the region
 * @offset:	first byte, page aligned
 * @size:	bytes, rounded up to pages; 0: to the end of the region
 *
 * The next touch faults again, but that of I/O memory, which is gone for good. For
 * a driver with a context that replaces or frees pages: it makes the pages unreachable
 * for &uio_context_ops.get_pages first, under the lock that this takes, calls this, and
 * then frees them. A touch that got its page before that can still map it: see there on
 * how to wait for it.
 *
 * Context: Process context, may sleep. Not concurrently with
 * uio_unregister_device().
 */
void uio_unmap_range(struct uio_info *info, unsigned int region,
		     unsigned long offset, unsigned long size)
{
	struct uio_device *idev = READ_ONCE(info->uio_dev);
	unsigned long index = offset >> PAGE_SHIFT;
	unsigned long nr = size ? PAGE_ALIGN(size) >> PAGE_SHIFT :
				  BIT(UIO_PAGE_BITS) - index;
	unsigned int id;

	if (!idev)
		return;

	for (id = 0; id < READ_ONCE(to_uio_object(idev)->file_ids_end); id++)
		uio_unmap(to_uio_object(idev), uio_pgoff(region, id, index), nr);
}
EXPORT_SYMBOL_GPL(uio_unmap_range);
