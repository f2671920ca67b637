/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace I/O: definitions that the files of the core share.
 *
 * genksyms expands every type that is visible where a symbol is exported. So a new
 * #include here changes the symbol versions of functions that existing drivers link to.
 * Put the #includes that a file needs into that file. Do not add any to uio_register.c
 * and uio_event.c, which export old symbols.
 *
 * Locks, in the order in which they are taken:
 *
 * - the mmap_lock or a VMA's lock: mm holds it when it calls mmap() or a fault handler;
 * - &uio_object.active: lockdep sees the time inside the driver as a lock. Entering is a
 *   trylock, so a callback may take the mmap_lock;
 * - &uio_device.info_lock: serialises open, release and irqcontrol of a driver without a
 *   context. The driver may sleep with it held;
 * - uio_file_srcu: held from the check of &uio_file.revoked to the end of the action
 *   that depends on it. One for all devices, so no driver is called under it;
 * - &uio_object.map_lock: protects lists and numbers of mappings. No driver is called
 *   under it, and allocations are GFP_NOIO. Not nested with uio_file_srcu;
 * - &uio_object.irq_lock: protects &uio_object.had_irq. Taken in interrupts.
 *
 * None of them is held while a drain waits.
 *
 * "litmus: NAME" in a comment is the name of a litmus test, which shows that the barriers of
 * the pair suffice.
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

/* What poll() returns for a live device without an interrupt. */
#ifndef UIO_POLL_NO_IRQ
#define UIO_POLL_NO_IRQ		EPOLLERR
#endif

/**
 * struct uio_object - the core's own part of a UIO device
 * @idev: the part that drivers can see; holds the refcount of the object
 * @ctx: keeps @idev.info valid after the unregistration; NULL: nothing does
 * @inode: all mappings of the device are in its i_mapping, so one call finds them,
 *	no matter which device node was opened; NULL before the first open()
 * @active: state of the device and number of callers inside the driver, see
 *	uio_lifetime.c
 * @unmap_again: uio_revoke() tells uio_drain() to unmap again: a caller was inside the
 *	driver or in mmap(), and may make a page present after the first time
 * @keeps_pgoff: some mapping keeps user space's offset for the driver's fault handler,
 *	so uio_unmap_file() has more to unmap. Never cleared, no lock
 * @had_irq: result of the last uio_update_irq(); good enough if there is an event
 * @irq_lock: protects writes of @had_irq
 * @irq: interrupt to free; UIO_IRQ_NONE: none
 * @io_regions: bit N is set once region N was mapped as I/O memory; never cleared
 * @map_lock: taken inside the mmap_lock; protects @populating, @driver_ops, @file_ids,
 *	and writes of &uio_file.id and &uio_file.revoked
 * @populating: mmap() calls that make pages present, see uio_unmap.c
 * @driver_ops: wrappers of the driver's vm_operations, see uio_driver_mmap.c
 * @file_ids: has an entry for each &uio_file.id in use
 * @dep_map: for lockdep, see uio_dep_enter()
 * @active_key: class of @dep_map, one per device: a callback may unregister another
 *	device
 * @info_key: the same for &uio_device.info_lock
 * @rcu: uio_event_notify() and open() look the object up without a reference
 * @serial: number of the registration, for operators: minors are used again, this is not
 * @name: a copy of &uio_info.name at the registration: fdinfo outlives the driver's
 *
 * struct uio_device can't have these members: compiled drivers know its layout.
 */
struct uio_object {
	struct uio_device	idev;
	struct uio_context	*ctx;
	struct inode		*inode;
	atomic_t		active;
	bool			unmap_again;
	bool			keeps_pgoff;
	bool			had_irq;
	spinlock_t		irq_lock;	/* see above */
	long			irq;
	unsigned long		io_regions;
	struct mutex		map_lock;	/* see above */
	struct list_head	populating;
	struct list_head	driver_ops;
	struct xarray		file_ids;
	struct lockdep_map	dep_map;
	struct lock_class_key	active_key;
	struct lock_class_key	info_key;
	struct rcu_head		rcu;
	u64			serial;
	const char		*name;
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
const char *uio_state_name(const struct uio_object *obj);

/*
 * Added to &uio_object.active while the device is not live. So far below 0 that no
 * number of callers makes the sum positive.
 */
#define UIO_REVOKED_BIAS	(INT_MIN / 2)

/*
 * For lockdep, a caller inside the driver holds a read lock. It is taken by trylock,
 * because uio_enter() never waits. A drain takes it for writing. So lockdep reports a
 * drain from inside a callback, or under a lock that a callback takes.
 */
static inline void uio_dep_enter(struct uio_object *obj)
{
	rwsem_acquire_read(&obj->dep_map, 0, 1, _RET_IP_);
}

/**
 * uio_enter - begin a call into the driver
 * @obj: the device; the caller has a reference or is in an RCU section
 *
 * Return: true if the device is live. Then the driver's info and the memory that it
 * describes stay valid until uio_leave(), and the caller may sleep. false if the device
 * is revoked, or not live yet. Never waits.
 */
static inline bool uio_enter(struct uio_object *obj)
{
	/* fully ordered: pairs with uio_make_live() (litmus: enter-live) */
	if (!atomic_inc_unless_negative(&obj->active))
		return false;

	uio_dep_enter(obj);
	return true;
}

/**
 * uio_leave - end a call into the driver
 * @obj: the device that uio_enter() returned true for
 */
static inline void uio_leave(struct uio_object *obj)
{
	rwsem_release(&obj->dep_map, _RET_IP_);

	/*
	 * fully ordered: pairs with uio_drained(). After it the object may be freed
	 * (litmus: leave-drain, drain-wake)
	 */
	if (unlikely(atomic_dec_return(&obj->active) == UIO_REVOKED_BIAS))
		uio_wake_drain(obj);
}

/* Would uio_enter() succeed? For callers that do not enter. */
static inline bool uio_is_live(const struct uio_object *obj)
{
	return atomic_read(&obj->active) >= 0;
}

/**
 * struct uio_file - an open file
 * @obj: the device; the file has a reference
 * @event_count: event count at the last read(); concurrent reads may race for it
 * @id: tells the file's mappings from those of other files, see uio_mapping.h;
 *	negative before the first mmap(), which sets it under map_lock
 * @revoked: by UIO_IOC_REVOKE; set once, under map_lock
 * @sink: page for faults after the device was revoked, NULL until the first of them
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
 * Return: 0; -ENODEV if the file is revoked; or -EIO if the device is gone.
 */
static inline int uio_file_error(const struct uio_file *uf)
{
	if (unlikely(READ_ONCE(uf->revoked)))
		return -ENODEV;
	return uio_is_live(uf->obj) ? 0 : -EIO;
}

/**
 * uio_file_enter - begin a call into the driver on behalf of a file
 * @uf: the file
 *
 * Return: 0 if the device was entered, see uio_enter(); or an error as uio_file_error().
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

/* uio_file.c: open files */
extern const struct file_operations uio_fops;
extern struct srcu_struct uio_file_srcu;

/* uio_mmap.c: mmap() */
int uio_mmap_live(struct uio_file *uf, struct vm_area_struct *vma);
void uio_put_mappings(struct uio_file *uf);

/* uio_driver_mmap.c: mmap() by a driver */
int uio_mmap_driver(struct uio_file *uf, struct vm_area_struct *vma,
		    bool *keep_pgoff);
void uio_free_driver_ops(struct uio_object *obj);

/* uio_fault.c: page faults */
extern const struct vm_operations_struct uio_memory_vm_ops;
extern const struct vm_operations_struct uio_io_vm_ops;
extern const struct vm_operations_struct uio_dma_vm_ops;

/* uio_unmap.c: unmapping */
int uio_begin_populating(struct uio_file *uf, struct mm_struct *mm);
bool uio_is_populating(struct uio_object *obj);
void uio_wait_for_populating(struct uio_object *obj, const struct uio_file *uf);
void uio_forget_populating(struct uio_object *obj, const struct uio_file *uf,
			   const struct mm_struct *mm);
void uio_unmap_device(struct uio_object *obj);
void uio_unmap_file(struct uio_file *uf);

/* uio_fdinfo.c: what operators see of an open file */
void uio_show_fdinfo(struct seq_file *m, struct file *filp);

/* uio_event.c: interrupts, waiting, waking */
int uio_request_irq(struct uio_object *obj);
void uio_free_irq(struct uio_object *obj);
void uio_wake_all(struct uio_object *obj);
void uio_wake_hangup(struct uio_object *obj);
bool uio_update_irq(struct uio_object *obj);
ssize_t uio_read(struct file *filp, char __user *buf, size_t count, loff_t *ppos);
__poll_t uio_poll(struct file *filp, poll_table *wait);

/* uio_sysfs.c: class, attributes */
extern struct class uio_class;
int uio_sysfs_add(struct uio_object *obj);
void uio_sysfs_del(struct uio_object *obj);

#endif /* _UIO_INTERNAL_H */
