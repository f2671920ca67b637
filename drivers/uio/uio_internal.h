/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace I/O: what the files of the core share.
 *
 * genksyms expands every type that is visible where a symbol is exported, so
 * an #include added here changes the symbol versions of the functions that
 * existing drivers link to. Include what else a file needs in that file; one
 * that exports an old symbol can take no more.
 */

#ifndef _UIO_INTERNAL_H
#define _UIO_INTERNAL_H

#include <linux/module.h>
#include <linux/init.h>
#include <linux/poll.h>
#include <linux/device.h>
#include <linux/slab.h>
#include <linux/mm.h>
#include <linux/idr.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/kobject.h>
#include <linux/cdev.h>
#include <linux/uio_driver.h>
#include <linux/dma-mapping.h>

/* What poll() gives of a live device that has no interrupt. */
#ifndef UIO_POLL_NO_IRQ
#define UIO_POLL_NO_IRQ		EPOLLERR
#endif

/**
 * struct uio_object - the core's own part of a UIO device
 * @idev: the part that drivers can see; its refcount is that of the object
 * @ctx: keeps @idev.info valid after unregistration; NULL: nothing does
 * @inode: all mappings of the device are in this inode's i_mapping, so that
 *	one call finds them whatever device node they were opened through;
 *	NULL before the first open()
 * @active: state of the device and number of callers inside the driver, see
 *	uio_lifetime.c
 * @unmap_again: for the drain: when the device was revoked, somebody was inside the
 *	driver or in mmap(), and may have made a page present after the unmapping
 * @driver_faults: some mappings have a fault handler of the driver's
 * @had_irq: the device could have events when somebody looked, so that a read()
 *	that finds one need not look at the driver's memory
 * @irq: line to free; UIO_IRQ_NONE if none was requested
 * @map_lock: taken inside the driver; protects what follows, and &uio_file.id and
 *	&uio_file.revoked against who writes them
 * @populating: mmap() calls that make pages present, see uio_unmap.c
 * @driver_ops: what stands before vm_operations of the driver's
 * @file_ids: &uio_file.id of the files that are mapped
 * @nr_file_ids: one more than the highest there ever was
 * @dep_map: makes the time inside the driver look like a read lock to lockdep
 * @active_key: class of @dep_map, of this device only: a callback may unregister
 *	another device
 * @info_key: the same for &uio_device.info_lock
 * @rcu: uio_event_notify() and open() find the object without a reference
 *
 * These are not in struct uio_device because compiled drivers know its layout.
 */
struct uio_object {
	struct uio_device	idev;
	struct uio_context	*ctx;
	struct inode		*inode;
	atomic_t		active;
	bool			unmap_again;
	bool			driver_faults;
	bool			had_irq;
	long			irq;
	struct mutex		map_lock;	/* see above */
	struct list_head	populating;
	struct list_head	driver_ops;
	struct ida		file_ids;
	unsigned int		nr_file_ids;
	struct lockdep_map	dep_map;
	struct lock_class_key	active_key;
	struct lock_class_key	info_key;
	struct rcu_head		rcu;
};

#define to_uio_object(_idev) container_of(_idev, struct uio_object, idev)

/* Can the device have regions of type UIO_MEM_CONTEXT? */
static inline bool uio_has_get_pages(const struct uio_object *obj)
{
	return obj->ctx && obj->ctx->ops->get_pages;
}

/* uio_lifetime.c: states, references */
struct uio_object *uio_object_alloc(struct module *owner, struct device *parent,
				    struct uio_info *info,
				    struct uio_context *ctx);
void uio_object_release(struct device *dev);
void uio_wait_for_objects(void);
void uio_wake_drain(struct uio_object *obj);
void uio_make_live(struct uio_object *obj);
void uio_revoke(struct uio_object *obj);
void uio_drain(struct uio_object *obj);

/* Added to &uio_object.active: far enough from 0 for any number of callers. */
#define UIO_REVOKED_BIAS	(INT_MIN / 2)

/*
 * To lockdep a caller inside the driver holds a lock for reading, taken by
 * trylock since uio_enter() never waits, and a drain takes it for writing. That
 * reports a drain from inside a callback, and one under a lock that a callback
 * takes.
 */
static inline void uio_dep_enter(struct uio_object *obj)
{
	rwsem_acquire_read(&obj->dep_map, 0, 1, _RET_IP_);
}

/**
 * uio_enter - get ready to call into the driver
 * @obj: the device; the caller has a reference or is in an RCU section
 *
 * Return: true if the device is live: the driver's info and what it describes
 * stay valid until uio_leave(), and the caller may sleep. false if the device
 * is revoked, or not live yet. Never waits.
 */
static inline bool uio_enter(struct uio_object *obj)
{
	if (!atomic_inc_unless_negative(&obj->active))
		return false;

	uio_dep_enter(obj);
	return true;
}

/**
 * uio_leave - done with the driver
 * @obj: the device that uio_enter() returned true for
 */
static inline void uio_leave(struct uio_object *obj)
{
	rwsem_release(&obj->dep_map, _RET_IP_);

	/* fully ordered, pairs with uio_drained() */
	if (unlikely(atomic_dec_return(&obj->active) == UIO_REVOKED_BIAS))
		uio_wake_drain(obj);
}

/* As uio_enter() says when it is called; for those who do not go inside. */
static inline bool uio_revoked(const struct uio_object *obj)
{
	return atomic_read(&obj->active) < 0;
}

/**
 * struct uio_file - an open file
 * @obj: the device; the file has a reference
 * @event_count: number of the last event that was read
 * @id: tells the file's mappings from those of other files, see uio_mapping.h;
 *	negative before the first mmap()
 * @revoked: UIO_IOC_REVOKE
 * @sink: page for touches after the device was revoked, see uio_fault.c
 */
struct uio_file {
	struct uio_object	*obj;
	s32			event_count;
	int			id;
	bool			revoked;
	struct page		*sink;
};

/**
 * uio_file_error - can the file still be used
 * @uf: the file
 *
 * Return: 0, -ENODEV if it was taken away from this file, or -EIO if the device
 * is gone.
 */
static inline int uio_file_error(const struct uio_file *uf)
{
	if (unlikely(READ_ONCE(uf->revoked)))
		return -ENODEV;
	return uio_revoked(uf->obj) ? -EIO : 0;
}

/**
 * uio_file_enter - get ready to call into the driver on behalf of a file
 * @uf: the file
 *
 * Return: 0 as uio_enter(), until uio_leave(); or an error as uio_file_error().
 */
static inline int uio_file_enter(const struct uio_file *uf)
{
	if (unlikely(READ_ONCE(uf->revoked)))
		return -ENODEV;
	return uio_enter(uf->obj) ? 0 : -EIO;
}

/* uio_main.c: numbers, inodes */
bool uio_ready(void);
int uio_minor_alloc(struct uio_object *obj);
void uio_minor_free(struct uio_object *obj);
struct uio_object *uio_object_find(unsigned int minor);
int uio_make_inode(struct uio_object *obj, const struct inode *node);

/* uio_context.c */
int uio_context_use(struct uio_context *ctx);
struct uio_context *uio_context_get(struct uio_context *ctx);

/* uio_file.c: open files */
extern const struct file_operations uio_fops;
extern struct srcu_struct uio_file_srcu;

/* uio_mmap.c: mmap() */
int uio_mmap_live(struct uio_file *uf, struct vm_area_struct *vma);
void uio_put_mappings(struct uio_file *uf);

/* uio_driver_mmap.c: mmap() of a driver's */
int uio_mmap_driver(struct uio_file *uf, struct vm_area_struct *vma,
		    bool *keep_pgoff);
void uio_free_driver_ops(struct uio_object *obj);

/* uio_fault.c: touching a mapping */
extern const struct vm_operations_struct uio_memory_vm_ops;
extern const struct vm_operations_struct uio_io_vm_ops;
extern const struct vm_operations_struct uio_dma_vm_ops;

/* uio_unmap.c: taking mappings away */
int uio_begin_populating(struct uio_file *uf, struct mm_struct *mm);
bool uio_is_populating(struct uio_object *obj);
void uio_wait_for_populating(struct uio_object *obj, const struct uio_file *uf);
void uio_forget_populating(struct uio_file *uf);
void uio_unmap_device(struct uio_object *obj);
void uio_unmap_file(struct uio_file *uf);

/* uio_event.c: interrupts, waiting, waking */
int uio_request_irq(struct uio_object *obj);
void uio_free_irq(struct uio_object *obj);
void uio_wake_all(struct uio_object *obj);
void uio_wake_hangup(struct uio_object *obj);
bool uio_look_at_irq(struct uio_object *obj);
ssize_t uio_read(struct file *filp, char __user *buf, size_t count, loff_t *ppos);
__poll_t uio_poll(struct file *filp, poll_table *wait);
int uio_fasync(int fd, struct file *filp, int on);

/* uio_sysfs.c: class, attributes */
extern struct class uio_class;
int uio_sysfs_add(struct uio_object *obj);
void uio_sysfs_del(struct uio_object *obj);

#endif /* _UIO_INTERNAL_H */
