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
 * driver, and UIO_REVOKED is added to it once:
 *
 * ============  ==================================================
 * LIVE          0 and above: uio_enter() succeeds
 * REVOKED       below 0: uio_enter() fails; some callers may not
 *               have left yet
 * DRAINED       UIO_REVOKED exactly, for good: nobody is inside
 * RELEASED      the context's release is called
 * ============  ==================================================
 *
 * Whoever calls into the driver, or puts its memory into a page table, does so
 * between uio_enter() and uio_leave(), where it may sleep. Event count and wait
 * queue are the core's own: read() and poll() look at the state only, but if there
 * is no event they ask the driver whether it has an interrupt.
 */

/* those that are not released yet, however late that is */
static atomic_t uio_nr_objects;

/* &uio_context.flags */
#define UIO_CONTEXT_CLAIMED	0
#define UIO_CONTEXT_SINK	1

/**
 * uio_left - somebody has left a revoked device
 * @obj: the device
 *
 * The slow part of uio_leave().
 */
void uio_left(struct uio_object *obj)
{
	wake_up_var(&obj->active);
}
EXPORT_SYMBOL_IF_KUNIT(uio_left);

/**
 * uio_revoke - LIVE to REVOKED
 * @obj: the device
 *
 * From here on nobody enters the driver, sleepers are awake, and I/O memory is
 * gone from all page tables unless somebody was inside the driver or in mmap() just
 * now: uio_drain() looks after that one. Does nothing if the device is revoked.
 */
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
	} while (!atomic_try_cmpxchg(&obj->active, &old, old + 1 + UIO_REVOKED));
	uio_dep_enter(obj);

	uio_wake_hangup(obj);
	obj->straggler = old > 0 || uio_has_mappers(obj);
	uio_unmap_device(obj);
	if (ctx && ctx->ops->kick)
		ctx->ops->kick(ctx);

	uio_leave(obj);
}

/* What was done inside the driver is visible to who sees this. */
static bool uio_drained(const struct uio_object *obj)
{
	return atomic_read_acquire(&obj->active) == UIO_REVOKED;
}

/**
 * uio_drain - REVOKED to DRAINED
 * @obj: a revoked device
 *
 * Waits until everybody has left the driver, its interrupt handler included.
 * Waits for nothing if nobody is inside.
 */
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

	if (!obj->straggler)
		return;

	/*
	 * A fault that was inside may have inserted a page after the device
	 * was revoked, and an mmap() may not have linked its VMA then.
	 */
	uio_wait_for_mappers(obj, NULL);
	obj->straggler = false;
	uio_unmap_device(obj);
}

/**
 * uio_object_alloc - make a UIO device
 * @owner: module that open files pin
 * @parent: parent device
 * @info: the driver's description of the device
 * @ctx: context, or NULL
 *
 * Return: a live device that nobody can find yet, with one reference, which
 * put_device() drops; it has no minor and no name. NULL if memory is short.
 */
struct uio_object *uio_object_alloc(struct module *owner, struct device *parent,
				    struct uio_info *info,
				    struct uio_context *ctx)
{
	struct uio_object *obj = kzalloc(sizeof(*obj), GFP_KERNEL);

	if (!obj)
		return NULL;

	atomic_inc(&uio_nr_objects);
	atomic_set(&obj->active, 0);
	lockdep_register_key(&obj->active_key);
	lockdep_init_map(&obj->dep_map, "uio_active", &obj->active_key, 0);
	mutex_init(&obj->map_lock);
	INIT_LIST_HEAD(&obj->mapped);
	INIT_LIST_HEAD(&obj->driver_ops);
	ida_init(&obj->slots);
	obj->has_irq = info->irq != UIO_IRQ_NONE;
	obj->ctx = ctx;

	mutex_init(&obj->idev.info_lock);
	lockdep_register_key(&obj->info_key);
	lockdep_set_class_and_name(&obj->idev.info_lock, &obj->info_key,
				   "uio_info_lock");
	init_waitqueue_head(&obj->idev.wait);
	obj->idev.owner = owner;
	obj->idev.info = info;
	obj->idev.minor = -1;
	device_initialize(&obj->idev.dev);
	obj->idev.dev.class = &uio_class;
	obj->idev.dev.parent = parent;
	dev_set_drvdata(&obj->idev.dev, &obj->idev);
	return obj;
}

/**
 * uio_object_release - the last reference to a UIO device is gone
 * @dev: its device
 */
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

/**
 * uio_wait_for_objects - wait until all UIO devices are released
 *
 * Nobody holds one when this module goes, but with
 * CONFIG_DEBUG_KOBJECT_RELEASE the end of one, which is our code and needs our
 * inodes, comes seconds after the last reference.
 */
void uio_wait_for_objects(void)
{
	wait_var_event(&uio_nr_objects, !atomic_read(&uio_nr_objects));
}

/**
 * uio_context_init - prepare a context
 * @ctx:	embedded in the object that also holds the &struct uio_info
 * @ops:	what the core calls
 *
 * The caller gets the first reference: from now on the object is freed by
 * uio_context_put(), by way of &uio_context_ops.release, on error paths too.
 *
 * A context serves for one registration. After that it can be registered again
 * if it is prepared again, which needs that nobody but the caller has a
 * reference: see uio_context_unused().
 *
 * Context: Any.
 */
void uio_context_init(struct uio_context *ctx,
		      const struct uio_context_ops *ops)
{
	WARN_ON(!ops || !ops->release);

	kref_init(&ctx->kref);
	ctx->ops = ops;
	ctx->flags = 0;
}
EXPORT_SYMBOL_GPL(uio_context_init);

/**
 * uio_context_get - take a reference to a context
 * @ctx:	a context that the caller has a reference to
 *
 * Context: Any.
 * Return: @ctx.
 */
struct uio_context *uio_context_get(struct uio_context *ctx)
{
	kref_get(&ctx->kref);
	return ctx;
}
EXPORT_SYMBOL_GPL(uio_context_get);

static void uio_context_release(struct kref *kref)
{
	struct uio_context *ctx = container_of(kref, struct uio_context, kref);

	ctx->ops->release(ctx);
}

/**
 * uio_context_put - drop a reference to a context
 * @ctx:	the context; invalid afterwards
 *
 * Context: Process context; may sleep if the driver's release does. The caller
 * must not hold a lock that the release takes.
 */
void uio_context_put(struct uio_context *ctx)
{
	might_sleep();
	kref_put(&ctx->kref, uio_context_release);
}
EXPORT_SYMBOL_GPL(uio_context_put);

/**
 * uio_context_unused - nobody but the caller has a reference
 * @ctx:	a context that is not registered
 *
 * Context: Any.
 * Return: true if so, which stays until the caller gives out a reference: open
 * files can only be had from a registered device.
 */
bool uio_context_unused(const struct uio_context *ctx)
{
	if (kref_read(&ctx->kref) != 1)
		return false;

	/* pairs with the release in kref_put(): the others are done with it */
	smp_acquire__after_ctrl_dep();
	return true;
}
EXPORT_SYMBOL_GPL(uio_context_unused);

/**
 * uio_context_claim - use a context for a registration
 * @ctx: the context
 *
 * Return: 0, or -EBUSY if it has been used since uio_context_init().
 */
int uio_context_claim(struct uio_context *ctx)
{
	return test_and_set_bit(UIO_CONTEXT_CLAIMED, &ctx->flags) ? -EBUSY : 0;
}

/**
 * uio_context_set_sink - choose what a touch gives after revocation
 * @ctx:	the context
 * @on:		true: the sink, false: SIGBUS, as after uio_context_init()
 *
 * The sink is a page of zeros that takes writes, one for each open file. It
 * stands in for pages that are not present once the device is revoked: those of
 * I/O memory, and those of the context's own memory that have not been touched
 * before. For a driver whose user would rather read zeros than be killed.
 * Private mappings of I/O memory get SIGBUS all the same.
 *
 * Context: Any, at any time.
 */
void uio_context_set_sink(struct uio_context *ctx, bool on)
{
	assign_bit(UIO_CONTEXT_SINK, &ctx->flags, on);
}
EXPORT_SYMBOL_GPL(uio_context_set_sink);

/**
 * uio_context_has_sink - what does a touch after revocation give
 * @ctx: the context
 *
 * Return: true: the sink, false: SIGBUS.
 */
bool uio_context_has_sink(const struct uio_context *ctx)
{
	return test_bit(UIO_CONTEXT_SINK, &ctx->flags);
}
EXPORT_SYMBOL_IF_KUNIT(uio_context_has_sink);
