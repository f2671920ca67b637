// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: mmap() calls that are under way.
 *
 * Where mmap() populates a mapping, its pages are there before the VMA is linked to
 * the device's i_mapping, and nobody who revokes the device would find them. So the
 * address space is noted before, and the drain, and UIO_IOC_REVOKE, wait for the end of
 * that mmap(): it holds the mmap_lock until it has linked the VMA.
 */

#include "uio_internal.h"
#include "uio_mm.h"

#include <linux/sched/mm.h>

/**
 * struct uio_mapper - an address space that a file was mapped in by mmap()
 * @node: in &uio_file.mappers
 * @mm: the address space; pinned as a struct only
 * @lock_seq: of its mmap_lock, while the last such mmap() has it
 * @waited: mmap() does not run any more
 */
struct uio_mapper {
	struct list_head node;
	struct mm_struct *mm;
	unsigned int lock_seq;
	bool waited;
};

static void uio_free_mapper(struct uio_mapper *mapper)
{
	list_del(&mapper->node);
	mmdrop(mapper->mm);
	kfree(mapper);
}

static int uio_add_mapper(struct uio_file *uf, struct mm_struct *mm)
{
	struct uio_mapper *mapper, *next;

	list_for_each_entry_safe(mapper, next, &uf->mappers, node) {
		if (mapper->mm == mm) {
			mapper->lock_seq = uio_lock_seq(mm);
			return 0;
		}
		/* no process uses it any more: no mmap() can be under way */
		if (!atomic_read(&mapper->mm->mm_users))
			uio_free_mapper(mapper);
	}

	/* NOIO: a revocation takes this lock too, and I/O may be waiting for it */
	mapper = kzalloc(sizeof(*mapper), GFP_NOIO | __GFP_ACCOUNT);
	if (!mapper)
		return -ENOMEM;

	mmgrab(mm);
	mapper->mm = mm;
	mapper->lock_seq = uio_lock_seq(mm);
	if (list_empty(&uf->node))
		list_add(&uf->node, &uf->obj->mapped);
	list_add(&mapper->node, &uf->mappers);
	return 0;
}

/**
 * uio_note_mapper - note an mmap() that is going to populate a mapping
 * @uf: the file; the caller has entered the device
 * @mm: the address space, whose mmap_lock is held for writing
 *
 * Return: 0; -ENODEV if the file is revoked; or -ENOMEM.
 */
int uio_note_mapper(struct uio_file *uf, struct mm_struct *mm)
{
	int ret;

	mutex_lock(&uf->obj->map_lock);
	ret = uio_add_mapper(uf, mm);
	mutex_unlock(&uf->obj->map_lock);
	if (ret)
		return ret;

	/* after the lock: uio_revoke_file() waits for us, or we see that it ran */
	return READ_ONCE(uf->revoked) ? -ENODEV : 0;
}

static struct uio_mapper *uio_running_mapper_of(const struct uio_file *uf)
{
	struct uio_mapper *mapper;

	list_for_each_entry(mapper, &uf->mappers, node)
		if (!mapper->waited &&
		    mapper->lock_seq == uio_lock_seq(mapper->mm))
			return mapper;
	return NULL;
}

/* One that may still run, of @uf or of any file. */
static struct uio_mapper *uio_running_mapper(struct uio_object *obj,
					     const struct uio_file *uf)
{
	struct uio_mapper *mapper;

	if (uf)
		return uio_running_mapper_of(uf);

	list_for_each_entry(uf, &obj->mapped, node) {
		mapper = uio_running_mapper_of(uf);
		if (mapper)
			return mapper;
	}
	return NULL;
}

/**
 * uio_has_mappers - does an mmap() run that has populated a mapping
 * @obj: the device
 *
 * Return: true if one may; false if all populated mappings can be found.
 */
bool uio_has_mappers(struct uio_object *obj)
{
	bool ret;

	mutex_lock(&obj->map_lock);
	ret = uio_running_mapper(obj, NULL);
	mutex_unlock(&obj->map_lock);
	return ret;
}

static void uio_set_waited(struct uio_object *obj, const struct uio_file *of,
			   const struct mm_struct *mm)
{
	struct uio_mapper *mapper;
	struct uio_file *uf;

	list_for_each_entry(uf, &obj->mapped, node) {
		if (of && of != uf)
			continue;
		list_for_each_entry(mapper, &uf->mappers, node)
			if (mapper->mm == mm)
				mapper->waited = true;
	}
}

/**
 * uio_wait_for_mappers - wait until every populated mapping can be found
 * @obj: the device, drained, if @uf is NULL
 * @uf: wait for mappings of this file only, which is revoked
 *
 * Waits only for an mmap() that populates a mapping of this device, not for other
 * holders of the mmap_lock, which may be blocked in another device. A kernel without
 * per-VMA locks does not tell the two apart.
 */
void uio_wait_for_mappers(struct uio_object *obj, const struct uio_file *uf)
{
	struct uio_mapper *mapper;
	struct mm_struct *mm;

	mutex_lock(&obj->map_lock);
	while ((mapper = uio_running_mapper(obj, uf))) {
		/* not under our lock, which mmap() takes inside the mmap_lock */
		mm = mapper->mm;
		mmgrab(mm);
		mutex_unlock(&obj->map_lock);

		mmap_read_lock(mm);
		mmap_read_unlock(mm);

		/* set after the wait: somebody else may wait for the same mmap() */
		mutex_lock(&obj->map_lock);
		uio_set_waited(obj, uf, mm);
		mmdrop(mm);
	}
	mutex_unlock(&obj->map_lock);
}

/**
 * uio_forget_mappers - forget what a file was mapped in
 * @uf: a file that goes; the caller holds its device's map_lock
 */
void uio_forget_mappers(struct uio_file *uf)
{
	struct uio_mapper *mapper, *next;

	list_for_each_entry_safe(mapper, next, &uf->mappers, node)
		uio_free_mapper(mapper);
	list_del_init(&uf->node);
}
