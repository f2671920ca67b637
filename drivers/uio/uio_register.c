// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: registration.
 */

#include "uio_internal.h"

/* Makes all that user space can see, but sends no uevent yet. */
static int uio_add(struct uio_object *obj)
{
	struct device *dev = &obj->idev.dev;
	int ret;

	ret = dev_set_name(dev, "uio%d", obj->idev.minor);
	if (ret)
		return ret;

	dev_set_uevent_suppress(dev, true);
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

/* After it only open files have references. */
static void uio_put_registration(struct uio_object *obj)
{
	/* not before the drain: callbacks may use it */
	WRITE_ONCE(obj->idev.info->uio_dev, NULL);
	uio_minor_free(obj);
	put_device(&obj->idev.dev);
}

/* Without a context, whoever has the device mapped gets SIGBUS from now on: log it. */
static void uio_log_lost_mappings(const struct uio_object *obj)
{
	const struct device *dev = &obj->idev.dev;
	const struct inode *inode = READ_ONCE(obj->inode);

	if (!obj->ctx && inode && mapping_mapped(inode->i_mapping))
		dev_notice_ratelimited(dev->parent,
				       "uio: %s has no context: %s was mapped when it was unregistered: the mappings are gone\n",
				       obj->idev.owner ? module_name(obj->idev.owner) :
							 dev_driver_string(dev->parent),
				       dev_name(dev));
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
		dev_err(parent, "uio: %s: there is a context, but mmap_prepare is set: use get_pages instead\n",
			info->name);
		return -EINVAL;
	}
	if (uio_context_use(ctx)) {
		dev_err(parent, "uio: %s: the context was registered before: use a new one for each registration\n",
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
 * @ctx:	the context that keeps @info and its memory valid, fresh from
 *		uio_context_init(); NULL: as __uio_register_device()
 *
 * Nobody can open the device until this has succeeded. Then everything is there, and the
 * "add" event is sent. In a module_init() this should be the last step that can fail: if
 * module_init() fails, the kernel frees the module even if files are open.
 *
 * The registration holds its own reference to @ctx until uio_unregister_device(). If the
 * registration fails, the caller still has to put its reference, and can't register @ctx
 * again.
 *
 * Context: Process context, may sleep.
 * Return: 0; -EINVAL if @info is incomplete or does not fit a context, or if all minors
 * are taken; -EBUSY if @ctx was registered before; -EPROBE_DEFER if the core is not
 * initialised yet; -ENOMEM; or an error from sysfs or from the interrupt request.
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

	/* the driver may not have zeroed it */
	WRITE_ONCE(info->uio_dev, NULL);

	obj = uio_object_alloc(owner, parent, info, ctx);
	if (!obj)
		return -ENOMEM;

	ret = uio_minor_alloc(obj);
	if (ret) {
		put_device(&obj->idev.dev);
		return ret;
	}

	/*
	 * Before the interrupt, whose handler may use it. Pairs with the address
	 * dependency in uio_enter_info() (litmus: info-pointer).
	 */
	smp_store_release(&info->uio_dev, &obj->idev);

	ret = uio_add(obj);
	if (ret) {
		uio_put_registration(obj);
		return ret;
	}

	if (ctx) {
		kref_get(&ctx->kref);
		ctx->serial = obj->serial;
	}
	uio_make_live(obj);

	/* everything is there: tell udev */
	dev_set_uevent_suppress(&obj->idev.dev, false);
	kobject_uevent(&obj->idev.dev.kobj, KOBJ_ADD);
	return 0;
}
EXPORT_SYMBOL_GPL(__uio_register_device_context);

/**
 * __uio_register_device - register a UIO device
 * @owner:	module that the core pins while the device is open
 * @parent:	parent device
 * @info:	the driver's description of the device
 *
 * Nothing keeps @info and its memory valid after uio_unregister_device(), so that tears
 * down all mappings. Touching them raises SIGBUS.
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
 * From this moment no operation of user space enters the driver: read() and write() fail
 * with -EIO, poll() reports EPOLLHUP and EPOLLERR, sleepers wake up, and I/O memory is
 * gone from every process. Callbacks that are already running continue. The interrupt
 * handler stays until uio_drain_device().
 *
 * uio_unregister_device() includes this. Call it separately if the driver has to do
 * something in between. Revoking twice does nothing.
 *
 * Context: Process context, may sleep. Does not wait for callbacks, and may be called
 * inside a callback. Elsewhere the caller must make sure that uio_unregister_device()
 * does not run concurrently, because that frees the device.
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
 * @info:	the driver's description of a device that is revoked. If it is not,
 *		this warns and does nothing else
 *
 * Afterwards no callback of the driver runs, including its interrupt handler, and the
 * interrupt line is free. But if the driver has a context, &uio_info.release is still to
 * be called for open files, and &uio_context_ops.show_fdinfo may be.
 *
 * Context: Process context, may sleep. Calling it from inside a callback, or with a lock
 * held that a callback takes, is a deadlock that lockdep reports. Not concurrently with
 * uio_unregister_device().
 */
void uio_drain_device(struct uio_info *info)
{
	struct uio_device *idev = READ_ONCE(info->uio_dev);

	if (idev)
		uio_drain(to_uio_object(idev));
}
EXPORT_SYMBOL_GPL(uio_drain_device);

/**
 * uio_unregister_device - unregister a UIO device
 * @info:	the driver's description of the device; ignored if NULL or not
 *		registered
 *
 * Revokes the device, drains it and removes it from sysfs and /dev. Open files and
 * mappings may stay as long as user space likes. When this returns, no callback of the
 * driver runs, and only the driver uses the hardware.
 *
 * Without a context the core does not use @info and its memory any more. With a context
 * two calls are still to come: &uio_info.release for each open file, and at last the
 * context's release. Before that, &uio_context_ops.show_fdinfo may be called.
 * vm_operations of the driver that have both open and close are called until the last
 * mapping is gone.
 *
 * Context: Process context, may sleep. Calling it from inside a callback, or with a lock
 * held that a callback takes, is a deadlock that lockdep reports.
 */
void uio_unregister_device(struct uio_info *info)
{
	struct uio_device *idev;
	struct uio_context *ctx;
	struct uio_object *obj;

	idev = info ? READ_ONCE(info->uio_dev) : NULL;
	if (!idev)
		return;

	obj = to_uio_object(idev);
	ctx = obj->ctx;
	uio_revoke(obj);
	uio_drain(obj);
	uio_sysfs_del(obj);
	device_del(&obj->idev.dev);
	uio_log_lost_mappings(obj);
	uio_put_registration(obj);
	if (ctx)
		uio_context_put(ctx);
}
EXPORT_SYMBOL_GPL(uio_unregister_device);

static void uio_devm_unregister(struct device *parent, void *res)
{
	uio_unregister_device(*(struct uio_info **)res);
}

/**
 * __devm_uio_register_device_context - register a UIO device with late release
 * until its parent is unbound
 * @owner:	module that the core pins while the device is open
 * @parent:	parent device
 * @info:	the driver's description of the device
 * @ctx:	the context that keeps @info and its memory valid
 *
 * Context: Process context, may sleep.
 * Return: As __uio_register_device_context().
 */
int __devm_uio_register_device_context(struct module *owner,
				       struct device *parent,
				       struct uio_info *info,
				       struct uio_context *ctx)
{
	struct uio_info **res;
	int ret;

	/* first: once the device can be opened, nothing may fail */
	res = devres_alloc(uio_devm_unregister, sizeof(*res), GFP_KERNEL);
	if (!res)
		return -ENOMEM;

	*res = info;
	ret = __uio_register_device_context(owner, parent, info, ctx);
	if (ret)
		devres_free(res);
	else
		devres_add(parent, res);
	return ret;
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
