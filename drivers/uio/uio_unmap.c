// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: unmapping pages from every process.
 *
 * All mappings of a device are in one i_mapping, but mm adds a VMA there only at the end
 * of mmap(). If mmap() makes pages present, a revoke could not find these before that. So
 * the core records the address space first. A drain and UIO_IOC_REVOKE wait for the end
 * of this mmap(), which holds the mmap_lock.
 */

#include "uio_internal.h"
#include "uio_mapping.h"
#include "uio_mm.h"

#include <linux/sched/mm.h>

/**
 * struct uio_populating - an mmap() that makes pages present
 * @node: in &uio_object.populating
 * @uf: the file that is mapped
 * @mm: the address space; only the struct is pinned
 * @lock_seq: uio_lock_seq() while that mmap() runs
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

/* Removes the records of @uf and @mm. NULL stands for any file or address space. */
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
 * May the mmap() still run? Not if the process has exited: then there are no mm_users.
 * Without per-VMA locks, an mmap() that has ended looks as if it ran.
 */
static bool uio_may_run(const struct uio_populating *p)
{
	return p->lock_seq == uio_lock_seq(p->mm) && atomic_read(&p->mm->mm_users);
}

/* Finds an mmap() that may run, of @uf or of any file. Removes those that have ended. */
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
 * uio_begin_populating - record an mmap() that is going to make pages present
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
	/*
	 * pairs with uio_set_revoked(): uio_revoke_file() waits for us, or we see it
	 * (litmus: file-populate)
	 */
	if (uf->revoked)
		return -ENODEV;

	list_for_each_entry_safe(p, next, &obj->populating, node) {
		/* we hold the mmap_lock, so the mmap() recorded here has ended */
		if (p->mm == mm) {
			p->uf = uf;
			p->lock_seq = uio_lock_seq(mm);
			return 0;
		}
		if (!uio_may_run(p))
			uio_end_populating(p);
	}

	/* NOIO: a revoke also takes this lock, and I/O may wait for the revoke */
	p = kmalloc_obj(*p, GFP_NOIO | __GFP_ACCOUNT);
	if (!p)
		return -ENOMEM;

	mmgrab(mm);
	*p = (struct uio_populating) {
		.uf = uf, .mm = mm, .lock_seq = uio_lock_seq(mm),
	};
	list_add(&p->node, &obj->populating);
	return 0;
}

/* Is there an mmap() that may make pages present now? */
bool uio_is_populating(struct uio_object *obj)
{
	guard(mutex)(&obj->map_lock);
	return uio_next_populating(obj, NULL);
}

/**
 * uio_wait_for_populating - wait until every page that is present can be found
 * @obj: the device; it is drained if @uf is NULL
 * @uf: wait for mappings of this file only, which is revoked
 *
 * Waits for each mmap() that populates a mapping of this device, and for tasks queued
 * for the same mmap_lock before us. Does not wait for other holders of the lock, which
 * may be blocked in another device. (Without per-VMA locks it can't tell them apart, and
 * waits for all.)
 */
void uio_wait_for_populating(struct uio_object *obj, const struct uio_file *uf)
{
	struct uio_populating *p;
	struct mm_struct *mm;

	mutex_lock(&obj->map_lock);
	while ((p = uio_next_populating(obj, uf))) {
		/* without map_lock: mmap() takes that inside the mmap_lock */
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
 * Also unmaps private copies, as truncate does. Works in pages: on 32 bits,
 * unmap_mapping_range() can't take the offset in bytes.
 */
static void uio_unmap(struct uio_object *obj, pgoff_t pgoff, unsigned long nr)
{
	struct inode *inode = READ_ONCE(obj->inode);

	if (inode)
		unmap_mapping_pages(inode->i_mapping, pgoff, nr, true);
}

/*
 * Unmaps all that must not stay mapped when the device is revoked. With a context this is
 * I/O memory, which another device may soon get; memory of the context stays valid.
 * Without a context it is everything, because the driver frees its memory.
 */
void uio_unmap_device(struct uio_object *obj)
{
	unsigned long regions = READ_ONCE(obj->io_regions);
	unsigned int region;

	if (!obj->ctx) {
		/* 0 means all pages, wherever the driver's own mmap() put them */
		uio_unmap(obj, 0, 0);
		return;
	}

	for_each_set_bit(region, &regions, MAX_UIO_MAPS)
		uio_unmap(obj, uio_pgoff(region, 0, 0), BIT(UIO_REGION_SHIFT));
}

/* Unmaps all that was mapped through one file, which is revoked. */
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
	 * Mappings that keep the offset of user space are in the range of id 0, which no
	 * file has in this case. The core can't tell which file they belong to, so it
	 * unmaps all. Other files fault their pages in again.
	 */
	if (READ_ONCE(obj->keeps_pgoff))
		uio_unmap(obj, 0, BIT(UIO_PAGE_BITS));
}

/**
 * uio_unmap_range - unmap pages of a region from every process
 * @info:	the driver's description of the device; ignored if not registered
 * @region:	index of the region
 * @offset:	first byte, page aligned
 * @size:	bytes, rounded up to pages; 0: to the end of the region
 *
 * The next touch of such a page faults again. (I/O memory does not: it is gone for good.)
 * A driver with a context that replaces or frees pages does it in this order: make
 * &uio_context_ops.get_pages stop finding the pages, under a lock that this operation
 * takes; call uio_unmap_range(); free the pages. A fault that already has its page can
 * still map it: the description of get_pages says how to wait for that.
 *
 * Context: Process context, may sleep. Not concurrently with
 * uio_unregister_device().
 */
void uio_unmap_range(struct uio_info *info, unsigned int region,
		     unsigned long offset, unsigned long size)
{
	struct uio_device *idev = READ_ONCE(info->uio_dev);
	unsigned long id, index = offset >> PAGE_SHIFT;
	unsigned long nr = size ? PAGE_ALIGN(size) >> PAGE_SHIFT :
				  BIT(UIO_PAGE_BITS) - index;
	void *entry;

	if (!idev)
		return;

	xa_for_each(&to_uio_object(idev)->file_ids, id, entry)
		uio_unmap(to_uio_object(idev), uio_pgoff(region, id, index), nr);
}
EXPORT_SYMBOL_GPL(uio_unmap_range);
