// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: how long things live.
 */

#include "uio_internal.h"

#include <kunit/visibility.h>
#include <linux/lockdep.h>
#include <linux/wait_bit.h>

/**
 * DOC: lifetime
 *
 * Two objects with a refcount each, and one state:
 *
 * - &struct uio_device is the core's. An open file has a reference, and so has
 *   the registration. It needs nothing of the driver's to stay valid.
 * - &struct uio_context is the driver's. An open file has a reference, and so
 *   have the registration and the driver itself.
 *
 * A mapping needs no reference of its own: its VMA holds the open file.
 *
 * The state is the counter @active. It counts the callers that are inside the
 * driver, and UIO_REVOKED_BIAS is added to it while the device is not live:
 *
 * ============  ==================================================
 * NEW           the bias exactly: it is being registered
 * LIVE          0 and above: uio_enter() succeeds
 * REVOKED       below 0: uio_enter() fails; some callers may not
 *               have left yet
 * DRAINED       the bias exactly, for good: nobody is inside
 * RELEASED      the context's release is called
 * ============  ==================================================
 *
 * Whoever calls into the driver, or puts its memory into a page table, does so
 * between uio_enter() and uio_leave(), where it may sleep. What comes later by design
 * does not enter: with a context, &uio_info.release and the context's release; without
 * one, vm_operations that count mappings, see uio_driver_mmap.c. Event count and wait
 * queue are the core's own: read() and poll() enter only if there is no event, to see
 * whether the driver has an interrupt.
 */

/* Objects that are not freed yet; module exit waits for zero. */
static atomic_t uio_nr_objects;

/* The slow part of uio_leave(). The object may be freed: only its address is used. */
void uio_wake_drain(struct uio_object *obj)
{
	wake_up_var(&obj->active);
}
EXPORT_SYMBOL_IF_KUNIT(uio_wake_drain);

/* NEW to LIVE */
void uio_make_live(struct uio_object *obj)
{
	/* pairs with uio_enter(): whoever gets inside finds everything there */
	atomic_set_release(&obj->active, 0);
}

/* LIVE to REVOKED; does nothing if that has been done. */
void uio_revoke(struct uio_object *obj)
{
	struct uio_context *ctx = obj->ctx;
	int old = atomic_read(&obj->active);

	/*
	 * Enters while it revokes, so that a drain waits for the rest of this.
	 * Fully ordered: whoever is woken, or waits for a page table lock that
	 * is taken below, sees the new state.
	 */
	do {
		if (old < 0)
			return;
	} while (!atomic_try_cmpxchg(&obj->active, &old, old + 1 + UIO_REVOKED_BIAS));
	uio_dep_enter(obj);

	uio_wake_hangup(obj);
	obj->unmap_again = old > 0 || uio_is_populating(obj);
	uio_unmap_device(obj);
	if (ctx && ctx->ops->kick)
		ctx->ops->kick(ctx);

	uio_leave(obj);
}

static bool uio_drained(const struct uio_object *obj)
{
	/* pairs with uio_leave(): what was done inside is visible */
	return atomic_read_acquire(&obj->active) == UIO_REVOKED_BIAS;
}

/* REVOKED to DRAINED: waits until everybody, and the interrupt handler, is outside. */
void uio_drain(struct uio_object *obj)
{
	/* nothing would end the wait */
	if (WARN_ON_ONCE(!uio_revoked(obj)))
		return;

	rwsem_acquire(&obj->dep_map, 0, 0, _RET_IP_);
	if (!uio_drained(obj))
		lock_contended(&obj->dep_map, _RET_IP_);
	wait_var_event(&obj->active, uio_drained(obj));
	lock_acquired(&obj->dep_map, _RET_IP_);
	rwsem_release(&obj->dep_map, _RET_IP_);

	uio_free_irq(obj);

	if (!obj->unmap_again)
		return;
	uio_wait_for_populating(obj, NULL);
	obj->unmap_again = false;
	uio_unmap_device(obj);
}

/**
 * uio_object_alloc - make a UIO device
 * @owner: module that open files pin
 * @parent: parent device
 * @info: the driver's description of the device
 * @ctx: context, or NULL
 *
 * Return: a new device with one reference, which put_device() drops; it has no
 * minor and no name. NULL if memory is short.
 */
struct uio_object *uio_object_alloc(struct module *owner, struct device *parent,
				    struct uio_info *info,
				    struct uio_context *ctx)
{
	struct uio_object *obj = kzalloc(sizeof(*obj), GFP_KERNEL);

	if (!obj)
		return NULL;

	atomic_inc(&uio_nr_objects);
	atomic_set(&obj->active, UIO_REVOKED_BIAS);
	lockdep_register_key(&obj->active_key);
	lockdep_init_map(&obj->dep_map, "uio_active", &obj->active_key, 0);
	mutex_init(&obj->map_lock);
	INIT_LIST_HEAD(&obj->populating);
	INIT_LIST_HEAD(&obj->driver_ops);
	ida_init(&obj->file_ids);
	obj->had_irq = info->irq != UIO_IRQ_NONE;
	obj->ctx = ctx;

	mutex_init(&obj->idev.info_lock);
	lockdep_register_key(&obj->info_key);
	lockdep_set_class_and_name(&obj->idev.info_lock, &obj->info_key,
				   "uio_info_lock");
	init_waitqueue_head(&obj->idev.wait);
	obj->idev.owner = owner;
	obj->idev.info = info;
	device_initialize(&obj->idev.dev);
	obj->idev.dev.class = &uio_class;
	obj->idev.dev.parent = parent;
	dev_set_drvdata(&obj->idev.dev, &obj->idev);
	return obj;
}

/* The last reference to a UIO device is gone. */
void uio_object_release(struct device *dev)
{
	struct uio_object *obj = to_uio_object(dev_get_drvdata(dev));

	iput(obj->inode);
	uio_free_driver_ops(obj);
	lockdep_unregister_key(&obj->info_key);
	lockdep_unregister_key(&obj->active_key);
	kfree_rcu(obj, rcu);
	if (atomic_dec_and_test(&uio_nr_objects))
		wake_up_var(&uio_nr_objects);
}

/*
 * When this module goes, no reference is left. But with CONFIG_DEBUG_KOBJECT_RELEASE
 * uio_object_release() runs seconds after the last put, and it needs this module.
 */
void uio_wait_for_objects(void)
{
	wait_var_event(&uio_nr_objects, !atomic_read(&uio_nr_objects));
}
