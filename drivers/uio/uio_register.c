// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: registration, minors.
 */

#include "uio_internal.h"

/* Minors in use; NULL as long as the device can't be found yet. */
static DEFINE_IDR(uio_idr);
static DEFINE_MUTEX(uio_idr_lock);

static int uio_minor_reserve(struct uio_object *obj)
{
	int minor;

	mutex_lock(&uio_idr_lock);
	minor = idr_alloc(&uio_idr, NULL, 0, UIO_MAX_DEVICES, GFP_KERNEL);
	mutex_unlock(&uio_idr_lock);
	if (minor == -ENOSPC) {
		dev_err(obj->idev.dev.parent, "too many uio devices\n");
		return -EINVAL;
	}
	if (minor < 0)
		return minor;

	obj->idev.minor = minor;
	obj->idev.dev.devt = uio_devt(minor);
	return 0;
}

static void uio_minor_show(struct uio_object *obj)
{
	mutex_lock(&uio_idr_lock);
	idr_replace(&uio_idr, obj, obj->idev.minor);
	mutex_unlock(&uio_idr_lock);
}

static void uio_minor_free(struct uio_object *obj)
{
	mutex_lock(&uio_idr_lock);
	idr_remove(&uio_idr, obj->idev.minor);
	mutex_unlock(&uio_idr_lock);
}

/**
 * uio_object_find - find a device to open
 * @minor: its minor
 *
 * Return: the device, revoked maybe, with a reference, or NULL.
 */
struct uio_object *uio_object_find(unsigned int minor)
{
	struct uio_object *obj;

	rcu_read_lock();
	obj = idr_find(&uio_idr, minor);
	if (obj && !kobject_get_unless_zero(&obj->idev.dev.kobj))
		obj = NULL;
	rcu_read_unlock();
	return obj;
}

/* Everything that a name in /dev and sysfs needs; the device may be opened. */
static int uio_publish(struct uio_object *obj)
{
	struct device *dev = &obj->idev.dev;
	int ret;

	ret = dev_set_name(dev, "uio%d", obj->idev.minor);
	if (ret)
		return ret;

	/* user space may open it as soon as it hears of it from device_add() */
	uio_minor_show(obj);
	ret = device_add(dev);
	if (ret)
		return ret;

	ret = uio_sysfs_add(obj);
	if (ret)
		goto err_device;

	ret = uio_request_irq(obj);
	if (ret)
		goto err_sysfs;

	return 0;

err_sysfs:
	uio_sysfs_del(obj);
err_device:
	device_del(dev);
	return ret;
}

static void uio_unpublish(struct uio_object *obj)
{
	uio_sysfs_del(obj);
	device_del(&obj->idev.dev);
}

/* The end of a registration: only open files have references after it. */
static void uio_retire(struct uio_object *obj)
{
	struct uio_context *ctx = obj->ctx;

	/* not before the drain: callbacks may use it */
	WRITE_ONCE(obj->idev.info->uio_dev, NULL);

	/* not before device_del(): the next one to get it has the same name */
	uio_minor_free(obj);
	uio_tell_left_open(obj);
	put_device(&obj->idev.dev);
	if (ctx)
		uio_context_put(ctx);
}

static int uio_check(struct device *parent, struct uio_info *info,
		     struct uio_context *ctx)
{
	if (!uio_ready())
		return -EPROBE_DEFER;

	if (!parent || !info || !info->name || !info->version)
		return -EINVAL;

	if (!ctx)
		return 0;

	if (info->mmap_prepare) {
		dev_err(parent, "uio: %s: a driver with a context maps by its fault operation, not by mmap_prepare\n",
			info->name);
		return -EINVAL;
	}
	if (uio_context_claim(ctx)) {
		dev_err(parent, "uio: %s: context was registered before and needs a new uio_context_init()\n",
			info->name);
		return -EBUSY;
	}
	return 0;
}

/**
 * __uio_register_device_context - register a UIO device with late release
 * @owner:	module that the core pins while the device is open
 * @parent:	parent device
 * @info:	the driver's description of the device
 * @ctx:	what keeps @info and the memory in it valid, fresh from
 *		uio_context_init(); NULL: as __uio_register_device()
 *
 * User space can open the device before this returns. The registration has a
 * reference to @ctx of its own until uio_unregister_device().
 *
 * If it fails after the device could be opened, files that were opened
 * meanwhile find it revoked, keep their references, and close like any other.
 * In either case the caller's own reference to @ctx is its to put, and @ctx
 * has been used.
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL for a description that lacks something or does not go
 * with a context; -EBUSY if @ctx was registered before; -EPROBE_DEFER if the
 * core is not there yet; or what sysfs and the interrupt request return.
 */
int __uio_register_device_context(struct module *owner, struct device *parent,
				  struct uio_info *info,
				  struct uio_context *ctx)
{
	struct uio_object *obj;
	int ret;

	ret = uio_check(parent, info, ctx);
	if (ret)
		return ret;

	WRITE_ONCE(info->uio_dev, NULL);

	obj = uio_object_alloc(owner, parent, info, ctx);
	if (!obj)
		return -ENOMEM;

	ret = uio_minor_reserve(obj);
	if (ret) {
		put_device(&obj->idev.dev);
		return ret;
	}

	if (ctx)
		uio_context_get(ctx);
	/* before any callback can run: it may notify */
	smp_store_release(&info->uio_dev, &obj->idev);

	ret = uio_publish(obj);
	if (ret) {
		uio_revoke(obj);
		uio_drain(obj);
		uio_retire(obj);
	}
	return ret;
}
EXPORT_SYMBOL_GPL(__uio_register_device_context);

/**
 * __uio_register_device - register a UIO device
 * @owner:	module that the core pins while the device is open
 * @parent:	parent device
 * @info:	the driver's description of the device
 *
 * Nothing keeps @info and the memory in it after uio_unregister_device():
 * mappings are torn down then, and touching them raises SIGBUS.
 *
 * Context: Process context, may sleep.
 * Return: As __uio_register_device_context().
 */
int __uio_register_device(struct module *owner, struct device *parent,
			  struct uio_info *info)
{
	return __uio_register_device_context(owner, parent, info, NULL);
}
EXPORT_SYMBOL_GPL(__uio_register_device);

/**
 * uio_revoke_device - cut user space off from a device
 * @info:	the driver's description of a registered device
 *
 * From this moment no operation of user space reaches the driver: read() and
 * write() fail with -EIO, pollers see EPOLLHUP and EPOLLERR, sleepers wake up,
 * I/O memory is gone from every process. What was already inside the driver
 * goes on, and the interrupt handler stays until uio_drain_device().
 *
 * For a driver that has something to do between this and
 * uio_unregister_device(), which includes it. Revoking twice does nothing.
 *
 * Context: Process context, may sleep. Does not wait for callbacks, and may be
 * called inside of one. Otherwise not concurrently with uio_unregister_device().
 */
void uio_revoke_device(struct uio_info *info)
{
	struct uio_device *idev = READ_ONCE(info->uio_dev);

	if (idev)
		uio_revoke(to_uio_object(idev));
}
EXPORT_SYMBOL_GPL(uio_revoke_device);

/**
 * uio_drain_device - wait until no callback runs
 * @info:	the driver's description of a device that is revoked; one that
 *		is not is left alone, with a warning
 *
 * Afterwards no callback of the driver runs, its interrupt handler included,
 * but &uio_info.release for files that are still open, if it has a context.
 * The interrupt line is free.
 *
 * Context: Process context, may sleep. Calling it from inside a callback, or
 * with a lock held that a callback takes, is a deadlock that lockdep reports.
 * Not concurrently with uio_unregister_device().
 */
void uio_drain_device(struct uio_info *info)
{
	struct uio_device *idev = READ_ONCE(info->uio_dev);

	if (idev)
		uio_drain(to_uio_object(idev));
}
EXPORT_SYMBOL_GPL(uio_drain_device);

/**
 * uio_unregister_device - take a UIO device away
 * @info:	the driver's description of the device; NULL, or one that is not
 *		registered, is ignored
 *
 * Revokes the device, drains it and removes it from sysfs and /dev. Open files
 * and mappings may stay for as long as user space likes. When this returns, no
 * callback of the driver runs or will run, and the hardware is the driver's
 * alone. Without a context that holds for @info and all memory in it, too. With
 * a context two things are still to come: &uio_info.release for each open file,
 * and the context's release after the last reference.
 *
 * Context: Process context, may sleep. Calling it from inside a callback, or
 * with a lock held that a callback takes, is a deadlock that lockdep reports.
 */
void uio_unregister_device(struct uio_info *info)
{
	struct uio_device *idev;
	struct uio_object *obj;

	idev = info ? READ_ONCE(info->uio_dev) : NULL;
	if (!idev)
		return;

	obj = to_uio_object(idev);
	uio_revoke(obj);
	uio_drain(obj);
	uio_unpublish(obj);
	uio_retire(obj);
}
EXPORT_SYMBOL_GPL(uio_unregister_device);

static void uio_devm_unregister(void *info)
{
	uio_unregister_device(info);
}

/**
 * __devm_uio_register_device_context - register a UIO device with late release
 * until its parent is unbound
 * @owner:	module that the core pins while the device is open
 * @parent:	parent device
 * @info:	the driver's description of the device
 * @ctx:	what keeps @info and the memory in it valid
 *
 * Context: Process context, may sleep.
 * Return: As __uio_register_device_context().
 */
int __devm_uio_register_device_context(struct module *owner,
				       struct device *parent,
				       struct uio_info *info,
				       struct uio_context *ctx)
{
	int ret = __uio_register_device_context(owner, parent, info, ctx);

	return ret ?: devm_add_action_or_reset(parent, uio_devm_unregister, info);
}
EXPORT_SYMBOL_GPL(__devm_uio_register_device_context);

/**
 * __devm_uio_register_device - register a UIO device until its parent is unbound
 * @owner:	module that the core pins while the device is open
 * @parent:	parent device
 * @info:	the driver's description of the device
 *
 * Context: Process context, may sleep.
 * Return: As __uio_register_device_context().
 */
int __devm_uio_register_device(struct module *owner, struct device *parent,
			       struct uio_info *info)
{
	return __devm_uio_register_device_context(owner, parent, info, NULL);
}
EXPORT_SYMBOL_GPL(__devm_uio_register_device);
