// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: module, device numbers, and the file system for the inodes that
 * mappings are in.
 *
 * The files of the core replace uio.c. These notices are from there:
 *
 * Copyright(C) 2005, Benedikt Spranger <b.spranger@linutronix.de>
 * Copyright(C) 2005, Linutronix GmbH, Thomas Gleixner <tglx@kernel.org>
 * Copyright(C) 2006, Hans J. Koch <hjk@hansjkoch.de>
 * Copyright(C) 2006, Greg Kroah-Hartman <greg@kroah.com>
 */

#include "uio_internal.h"

#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/xarray.h>

#define UIO_FS_MAGIC	0x55494f00	/* "UIO" */

#define UIO_MAX_DEVICES	BIT(MINORBITS)

static int uio_major;
static struct vfsmount *uio_mnt;
static DEFINE_XARRAY_ALLOC(uio_minors);

/**
 * uio_ready - can devices be registered
 *
 * Return: false before uio_init(): a built-in driver may be probed that early.
 */
bool uio_ready(void)
{
	return uio_major;
}

/**
 * uio_minor_alloc - allocate the device number
 * @obj: the device; until it is live, open() finds it and fails
 *
 * Return: 0, or a negative error code.
 */
int uio_minor_alloc(struct uio_object *obj)
{
	u32 minor;
	int ret;

	ret = xa_alloc(&uio_minors, &minor, obj, XA_LIMIT(0, UIO_MAX_DEVICES - 1),
		       GFP_KERNEL);
	if (ret == -EBUSY) {
		dev_err(obj->idev.dev.parent, "too many uio devices\n");
		return -EINVAL;
	}
	if (ret)
		return ret;

	obj->idev.minor = minor;
	obj->idev.dev.devt = MKDEV(uio_major, minor);
	return 0;
}

/* Only after device_del(): the next device with this number gets the same name. */
void uio_minor_free(struct uio_object *obj)
{
	xa_erase(&uio_minors, obj->idev.minor);
}

/**
 * uio_object_find - find a device by its number
 * @minor: the minor number
 *
 * Return: the device, in any state, with a reference; or NULL.
 */
struct uio_object *uio_object_find(unsigned int minor)
{
	struct uio_object *obj;

	/* uio_minor_free() erases it before RCU frees the object (litmus: info-rcu) */
	rcu_read_lock();
	obj = xa_load(&uio_minors, minor);
	if (obj && !kobject_get_unless_zero(&obj->idev.dev.kobj))
		obj = NULL;
	rcu_read_unlock();
	return obj;
}

/**
 * uio_make_inode - make the inode that the device's mappings are in
 * @obj: the device, without an inode; another thread may race to set one
 * @node: a device node
 *
 * Return: 0, or a negative error code.
 */
int uio_make_inode(struct uio_object *obj, const struct inode *node)
{
	struct inode *inode = alloc_anon_inode(uio_mnt->mnt_sb);

	if (IS_ERR(inode))
		return PTR_ERR(inode);

	/* like the inode of a device node, for drivers that look at it */
	inode->i_mode |= S_IFCHR;
	inode->i_rdev = obj->idev.dev.devt;
	inode->i_cdev = node->i_cdev;
	/* pairs with the address dependency of those that read it (litmus: set-once) */
	if (cmpxchg(&obj->inode, NULL, inode))
		iput(inode);
	return 0;
}

static int uio_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, UIO_FS_MAGIC) ? 0 : -ENOMEM;
}

/* No .owner: the mount in uio_init() would pin this module for ever. */
static struct file_system_type uio_fs_type = {
	.name			= "uio",
	.init_fs_context	= uio_init_fs_context,
	.kill_sb		= kill_anon_super,
};

static int __init uio_init(void)
{
	int ret;

	uio_mnt = kern_mount(&uio_fs_type);
	if (IS_ERR(uio_mnt))
		return PTR_ERR(uio_mnt);

	ret = class_register(&uio_class);
	if (ret)
		goto err_mount;

	ret = __register_chrdev(0, 0, UIO_MAX_DEVICES, "uio", &uio_fops);
	if (ret < 0)
		goto err_class;

	uio_major = ret;
	return 0;

err_class:
	class_unregister(&uio_class);
err_mount:
	kern_unmount(uio_mnt);
	return ret;
}

static void __exit uio_exit(void)
{
	uio_wait_for_objects();
	__unregister_chrdev(uio_major, 0, UIO_MAX_DEVICES, "uio");
	class_unregister(&uio_class);
	kern_unmount(uio_mnt);
}

module_init(uio_init)
module_exit(uio_exit)
MODULE_DESCRIPTION("Userspace IO core module");
MODULE_LICENSE("GPL v2");
MODULE_VERSION("0.1.0");
