// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: module, device numbers, class, and the file system that the
 * inodes for mappings are in.
 */

#include "uio_internal.h"

#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#define UIO_FS_MAGIC	0x55494f00	/* "UIO" */

static dev_t uio_first_devt;
static struct cdev *uio_cdev;
static struct vfsmount *uio_mnt;
static bool uio_is_ready;

struct class uio_class = {
	.name		= "uio",
	.dev_groups	= uio_groups,
	.dev_release	= uio_object_release,
};

/**
 * uio_ready - can devices be registered
 *
 * Return: false if not yet: a driver that is built in may be probed before this
 * core is.
 */
bool uio_ready(void)
{
	return uio_is_ready;
}

/**
 * uio_devt - make a device number
 * @minor: the minor
 *
 * Return: the number that /dev/uio@minor has.
 */
dev_t uio_devt(int minor)
{
	return MKDEV(MAJOR(uio_first_devt), minor);
}

/**
 * uio_make_inode - make the inode of a device's mappings
 * @obj: the device, which has none yet, or gets one from another thread now
 *
 * Return: 0, or a negative error code.
 */
int uio_make_inode(struct uio_object *obj)
{
	struct inode *inode = alloc_anon_inode(uio_mnt->mnt_sb);

	if (IS_ERR(inode))
		return PTR_ERR(inode);

	/* as that of a device node, for drivers that look at it */
	inode->i_mode |= S_IFCHR;
	inode->i_rdev = obj->idev.dev.devt;
	inode->i_cdev = uio_cdev;
	if (cmpxchg(&obj->inode, NULL, inode))
		iput(inode);
	return 0;
}

static int uio_init_fs_context(struct fs_context *fc)
{
	return init_pseudo(fc, UIO_FS_MAGIC) ? 0 : -ENOMEM;
}

/* No owner: the mount below would pin this module for ever. */
static struct file_system_type uio_fs_type = {
	.name			= "uio",
	.init_fs_context	= uio_init_fs_context,
	.kill_sb		= kill_anon_super,
};

static int uio_cdev_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&uio_first_devt, 0, UIO_MAX_DEVICES, "uio");
	if (ret)
		return ret;

	ret = -ENOMEM;
	uio_cdev = cdev_alloc();
	if (!uio_cdev)
		goto err_region;

	uio_cdev->owner = THIS_MODULE;
	uio_cdev->ops = &uio_fops;
	kobject_set_name(&uio_cdev->kobj, "uio");

	ret = cdev_add(uio_cdev, uio_first_devt, UIO_MAX_DEVICES);
	if (ret)
		goto err_cdev;

	return 0;

err_cdev:
	kobject_put(&uio_cdev->kobj);
err_region:
	unregister_chrdev_region(uio_first_devt, UIO_MAX_DEVICES);
	return ret;
}

static void uio_cdev_exit(void)
{
	cdev_del(uio_cdev);
	unregister_chrdev_region(uio_first_devt, UIO_MAX_DEVICES);
}

static int __init uio_init(void)
{
	int ret;

	uio_mnt = kern_mount(&uio_fs_type);
	if (IS_ERR(uio_mnt))
		return PTR_ERR(uio_mnt);

	ret = class_register(&uio_class);
	if (ret)
		goto err_mount;

	ret = uio_cdev_init();
	if (ret)
		goto err_class;

	uio_is_ready = true;
	return 0;

err_class:
	class_unregister(&uio_class);
err_mount:
	kern_unmount(uio_mnt);
	return ret;
}

static void __exit uio_exit(void)
{
	uio_is_ready = false;
	uio_wait_for_objects();
	uio_cdev_exit();
	class_unregister(&uio_class);
	kern_unmount(uio_mnt);
	uio_forget_told();
}

module_init(uio_init)
module_exit(uio_exit)
MODULE_DESCRIPTION("Userspace IO core module");
MODULE_LICENSE("GPL v2");
