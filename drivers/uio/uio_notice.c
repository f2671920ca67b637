// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: a word to those who could do with a context.
 */

#include "uio_internal.h"

/* A driver that has been told once that it leaves open files behind. */
struct uio_told {
	struct list_head node;
	const void *driver;
};

static LIST_HEAD(uio_told);
static DEFINE_MUTEX(uio_told_lock);

static bool uio_tell(const void *driver)
{
	struct uio_told *told;

	guard(mutex)(&uio_told_lock);

	list_for_each_entry(told, &uio_told, node)
		if (told->driver == driver)
			return false;

	told = kmalloc(sizeof(*told), GFP_KERNEL);
	if (!told)
		return false;

	told->driver = driver;
	list_add(&told->node, &uio_told);
	return true;
}

/**
 * uio_forget_told - free the list of drivers that have been told
 */
void uio_forget_told(void)
{
	struct uio_told *told, *next;

	list_for_each_entry_safe(told, next, &uio_told, node)
		kfree(told);
}

/**
 * uio_tell_left_open - say what users of a driver lose for want of a context
 * @obj: the device, unregistered, of which the caller has the last reference
 *	that is not an open file's
 *
 * Says it once for each driver.
 */
void uio_tell_left_open(struct uio_object *obj)
{
	struct uio_device *idev = &obj->idev;
	struct device *parent = idev->dev.parent;
	const char *name = idev->owner ? module_name(idev->owner) :
					 dev_driver_string(parent);

	if (obj->ctx || kref_read(&idev->dev.kobj.kref) == 1)
		return;

	if (uio_tell(idev->owner ?: (void *)parent->driver))
		dev_notice(parent, "uio: %s has no context: %s was open when it went, its mappings are gone and release is not called\n",
			   name, dev_name(&idev->dev));
}
