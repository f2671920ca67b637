// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: states and lifetimes.
 */

#include "uio_internal.h"
#include "uio_trace.h"

#include <kunit/visibility.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/wait_bit.h>

/**
 * DOC: lifetime
 *
 * There are two objects with a refcount each, and one state:
 *
 * - &struct uio_device belongs to the core. Each open file holds a reference, and so
 *   does the registration. It needs nothing from the driver to stay valid.
 * - &struct uio_context belongs to the driver. Each open file holds a reference, and so
 *   do the registration and the driver itself.
 *
 * A mapping needs no reference of its own: its VMA holds the open file.
 *
 * The state is the counter @active. It counts the callers that are inside the
 * driver. While the device is not live, UIO_REVOKED_BIAS is added:
 *
 * ============  ==================================================
 * NEW           exactly the bias: the device is being registered
 * LIVE          0 or more: uio_enter() succeeds
 * REVOKED       less than 0: uio_enter() fails; some callers may
 *               still be inside
 * DRAINED       exactly the bias, for good: nobody is inside
 * RELEASED      the context's release was called
 * ============  ==================================================
 *
 * The core calls into the driver, and puts the driver's memory into page tables, only
 * between uio_enter() and uio_leave(). It may sleep there. Calls that have to come later
 * do not enter: with a context, &uio_info.release and the context's show_fdinfo and
 * release; without a context, vm_operations that count mappings, see uio_driver_mmap.c.
 *
 * Event count and wait queue belong to the core. So read() and poll() enter only if
 * there is no event, to see whether the driver has an interrupt.
 */

/* Objects that are not freed yet; module exit waits for zero. */
static atomic_t uio_nr_objects;

static atomic64_t uio_last_serial;

/* The slow path of uio_leave(). The object may be freed: use its address only. */
void uio_wake_drain(struct uio_object *obj)
{
	wake_up_var(&obj->active);
}
EXPORT_SYMBOL_IF_KUNIT(uio_wake_drain);

/* NEW to LIVE */
void uio_make_live(struct uio_object *obj)
{
	/* first: others may open it at once */
	trace_uio_register(obj);
	/*
	 * pairs with uio_enter(): whoever enters sees the complete registration
	 * (litmus: enter-live)
	 */
	atomic_set_release(&obj->active, 0);
}

/* LIVE to REVOKED; does nothing if the device is not live. */
void uio_revoke(struct uio_object *obj)
{
	struct uio_context *ctx = obj->ctx;
	int old = atomic_read(&obj->active);

	/*
	 * Revoke and enter in one step, so that a drain waits for the rest of this
	 * function. Fully ordered: whoever is woken, or waits for a page table lock
	 * that is taken below, sees the new state (litmus: wait-wake, revoke-unmap).
	 */
	do {
		if (old < 0)
			return;
	} while (!atomic_try_cmpxchg(&obj->active, &old, old + 1 + UIO_REVOKED_BIAS));
	uio_dep_enter(obj);
	trace_uio_revoke(obj, old);

	uio_wake_hangup(obj);
	obj->unmap_again = old > 0 || uio_is_populating(obj);
	uio_unmap_device(obj);
	if (ctx && ctx->ops->kick)
		ctx->ops->kick(ctx);

	uio_leave(obj);
}

static bool uio_drained(const struct uio_object *obj)
{
	/* pairs with uio_leave(): all done inside is visible (litmus: leave-drain) */
	return atomic_read_acquire(&obj->active) == UIO_REVOKED_BIAS;
}

/**
 * uio_state_name - name of the state, for operators
 * @obj: the device
 *
 * Return: "live"; "revoked": something of the driver may still run; or "drained".
 */
const char *uio_state_name(const struct uio_object *obj)
{
	if (uio_is_live(obj))
		return "live";
	return uio_drained(obj) && READ_ONCE(obj->irq) == UIO_IRQ_NONE ? "drained" :
									  "revoked";
}

static void uio_wait_for_callers(struct uio_object *obj)
{
	rwsem_acquire(&obj->dep_map, 0, 0, _RET_IP_);
	if (!uio_drained(obj))
		lock_contended(&obj->dep_map, _RET_IP_);
	wait_var_event(&obj->active, uio_drained(obj));
	lock_acquired(&obj->dep_map, _RET_IP_);
	rwsem_release(&obj->dep_map, _RET_IP_);
}

/* REVOKED to DRAINED: waits for all callers inside and for the interrupt handler. */
void uio_drain(struct uio_object *obj)
{
	u64 start = trace_uio_drain_enabled() ? ktime_get_ns() : 0;

	/* the wait would never end */
	if (WARN_ON_ONCE(uio_is_live(obj)))
		return;

	uio_wait_for_callers(obj);
	uio_free_irq(obj);
	if (obj->unmap_again) {
		uio_wait_for_populating(obj, NULL);
		obj->unmap_again = false;
		uio_unmap_device(obj);
	}
	if (start)
		trace_uio_drain(obj, ktime_get_ns() - start);
}

/**
 * uio_object_alloc - allocate a UIO device
 * @owner: module that open files pin
 * @parent: parent device
 * @info: the driver's description of the device
 * @ctx: context, or NULL
 *
 * Return: a new device with one reference, for put_device(), and without a minor and a
 * name. NULL if memory is short.
 */
struct uio_object *uio_object_alloc(struct module *owner, struct device *parent,
				    struct uio_info *info,
				    struct uio_context *ctx)
{
	struct uio_object *obj = kzalloc_obj(*obj);

	if (!obj)
		return NULL;

	obj->name = kstrdup(info->name, GFP_KERNEL);
	if (!obj->name) {
		kfree(obj);
		return NULL;
	}

	atomic_inc(&uio_nr_objects);
	obj->serial = atomic64_inc_return(&uio_last_serial);
	atomic_set(&obj->active, UIO_REVOKED_BIAS);
	lockdep_register_key(&obj->active_key);
	lockdep_init_map(&obj->dep_map, "uio_active", &obj->active_key, 0);
	mutex_init(&obj->map_lock);
	INIT_LIST_HEAD(&obj->populating);
	INIT_LIST_HEAD(&obj->driver_ops);
	xa_init_flags(&obj->file_ids, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	spin_lock_init(&obj->irq_lock);
	obj->had_irq = READ_ONCE(info->irq) != UIO_IRQ_NONE;
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
	xa_destroy(&obj->file_ids);
	lockdep_unregister_key(&obj->info_key);
	lockdep_unregister_key(&obj->active_key);
	kfree(obj->name);
	kfree_rcu(obj, rcu);
	if (atomic_dec_and_test(&uio_nr_objects))
		wake_up_var(&uio_nr_objects);
}

/*
 * When this module is unloaded, no reference is left. But CONFIG_DEBUG_KOBJECT_RELEASE
 * calls uio_object_release(), in this module, seconds after the last put.
 */
void uio_wait_for_objects(void)
{
	wait_var_event(&uio_nr_objects, !atomic_read(&uio_nr_objects));
}
