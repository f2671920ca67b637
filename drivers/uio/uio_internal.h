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

#define UIO_MAX_DEVICES		BIT(MINORBITS)

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
 * @driver_faults: some mappings have a fault handler of the driver's
 * @straggler: when the device was revoked, there was a caller inside the driver, or an
 *	mmap() that had left it but was under way
 * @has_irq: the device could have events when somebody looked, so that a read()
 *	that finds one need not look at the driver's memory
 * @irq: line to free; UIO_IRQ_NONE if none was requested
 * @map_lock: taken inside the driver, protects lists and slots below
 * @mapped: files with mappings that mmap() has populated
 * @driver_ops: what stands before vm_operations of the driver's
 * @slots: &uio_file.slot of the files that are mapped
 * @nr_slots: one more than the highest slot there ever was
 * @dep_map: makes the time inside the driver look like a read lock to lockdep
 * @active_key: class of @dep_map, of this device only: a callback may unregister
 *	another device
 * @info_key: the same for &uio_device.info_lock
 * @rcu: uio_event_notify() and open() find the object without a reference
 */
struct uio_object {
	struct uio_device	idev;
	struct uio_context	*ctx;
	struct inode		*inode;
	atomic_t		active;
	bool			driver_faults;
	bool			straggler;
	bool			has_irq;
	long			irq;
	struct mutex		map_lock;	/* mapped, driver_ops, slots */
	struct list_head	mapped;
	struct list_head	driver_ops;
	struct ida		slots;
	unsigned int		nr_slots;
	struct lockdep_map	dep_map;
	struct lock_class_key	active_key;
	struct lock_class_key	info_key;
	struct rcu_head		rcu;
};

#define to_uio_object(_idev) container_of(_idev, struct uio_object, idev)

/* Do pages of UIO_MEM_NONE come from the driver? */
static inline bool uio_has_fault_op(const struct uio_object *obj)
{
	return obj->ctx && obj->ctx->ops->fault;
}

/* uio_lifetime.c: states, references */
struct uio_object *uio_object_alloc(struct module *owner, struct device *parent,
				    struct uio_info *info,
				    struct uio_context *ctx);
void uio_object_release(struct device *dev);
void uio_wait_for_objects(void);
void uio_left(struct uio_object *obj);
void uio_revoke(struct uio_object *obj);
void uio_drain(struct uio_object *obj);
int uio_context_claim(struct uio_context *ctx);
bool uio_context_has_sink(const struct uio_context *ctx);

/* Far enough from 0 on either side for any number of callers. */
#define UIO_REVOKED	(INT_MIN / 2)

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
 * is revoked. Never waits.
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
	if (unlikely(atomic_dec_return(&obj->active) == UIO_REVOKED))
		uio_left(obj);
}

/**
 * uio_revoked - is the device revoked
 * @obj: the device
 *
 * For a sleeper this belongs after it has queued itself, as in uio_wait() and
 * after poll_wait(): uio_revoke() changes the state first and then wakes.
 *
 * Return: true once uio_revoke() has begun.
 */
static inline bool uio_revoked(const struct uio_object *obj)
{
	return atomic_read(&obj->active) < 0;
}

/**
 * struct uio_file - an open file
 * @obj: the device; the file has a reference
 * @event_count: number of the last event that was read
 * @slot: tells the file's mappings from those of other files, see
 *	uio_mapping.h; negative before the first mmap()
 * @revoked: UIO_IOC_REVOKE
 * @node: in &uio_object.mapped, once @mappers had any
 * @mappers: address spaces with mappings that mmap() has populated
 * @sink: page for touches after the device was revoked, see uio_fault.c
 */
struct uio_file {
	struct uio_object	*obj;
	s32			event_count;
	int			slot;
	bool			revoked;
	struct list_head	node;
	struct list_head	mappers;
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

/* uio_main.c: numbers, class, inodes */
extern struct class uio_class;
bool uio_ready(void);
dev_t uio_devt(int minor);
int uio_make_inode(struct uio_object *obj);

/* uio_register.c: minors */
struct uio_object *uio_object_find(unsigned int minor);

/* uio_notice.c */
void uio_tell_left_open(struct uio_object *obj);
void uio_forget_told(void);

/* uio_file.c */
extern const struct file_operations uio_fops;

/* uio_mmap.c: mmap() */
int uio_mmap_live(struct uio_file *uf, struct vm_area_struct *vma);
void uio_put_mappings(struct uio_file *uf);

/* uio_driver_mmap.c: mmap() of a driver's */
int uio_mmap_driver(struct uio_file *uf, struct vm_area_struct *vma,
		    bool *keep_pgoff);
void uio_free_driver_ops(struct uio_object *obj);

/* uio_mapper.c: mmap() calls under way */
int uio_note_mapper(struct uio_file *uf, struct mm_struct *mm);
bool uio_has_mappers(struct uio_object *obj);
void uio_wait_for_mappers(struct uio_object *obj, const struct uio_file *uf);
void uio_forget_mappers(struct uio_file *uf);

/* uio_fault.c: touching a mapping */
extern const struct vm_operations_struct uio_memory_vm_ops;
extern const struct vm_operations_struct uio_io_vm_ops;
extern const struct vm_operations_struct uio_dma_vm_ops;

/* uio_insert.c: page tables */
unsigned int uio_pages_to_map(struct vm_fault *vmf, const struct uio_mem *mem,
			      unsigned long index);
struct page *uio_mem_page(const struct uio_mem *mem, unsigned long index);
vm_fault_t uio_insert_page(struct vm_fault *vmf, struct page *page);
vm_fault_t uio_insert_pages(struct uio_object *obj, struct vm_fault *vmf,
			    const struct uio_mem *mem, unsigned long index,
			    unsigned int nr);

/* uio_unmap.c: taking mappings away */
void uio_unmap_device(struct uio_object *obj);
void uio_unmap_file(struct uio_file *uf);

/* uio_event.c: interrupts, waking */
int uio_request_irq(struct uio_object *obj);
void uio_free_irq(struct uio_object *obj);
void uio_wake_all(struct uio_object *obj);
void uio_wake_hangup(struct uio_object *obj);
bool uio_look_at_irq(struct uio_object *obj);

/* uio_sysfs.c */
extern const struct attribute_group *uio_groups[];
int uio_sysfs_add(struct uio_object *obj);
void uio_sysfs_del(struct uio_object *obj);

#endif /* _UIO_INTERNAL_H */
