// SPDX-License-Identifier: GPL-2.0-only
/* uio_same: direct use of struct uio_device and of the inode, as in some drivers. */

#include <linux/device.h>
#include <linux/mm.h>
#include <linux/sysfs.h>

#include "uio_same.h"

/* Stock TCMU does this for the pages of completed commands. */
int uio_same_zap(struct uio_same *same, const struct uio_same_zap *zap)
{
	if (!same->mapping)
		return -ENXIO;

	unmap_mapping_range(same->mapping, zap->from, zap->bytes, 1);
	return 0;
}

int uio_same_count_to(struct uio_same *same, int count)
{
	if (!same->registered)
		return -ENXIO;

	atomic_set(&same->info.uio_dev->event, count);
	return 0;
}

int uio_same_wake(struct uio_same *same)
{
	struct uio_device *idev = same->info.uio_dev;

	if (!same->registered)
		return -ENXIO;

	atomic_inc(&idev->event);
	wake_up_interruptible(&idev->wait);
	kill_fasync(&idev->async_queue, SIGIO, POLL_IN);
	return 0;
}

static ssize_t own_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct uio_device *idev = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%s\n", idev->info->name);
}
static DEVICE_ATTR_RO(own);

int uio_same_attribute(struct uio_same *same, bool on)
{
	int ret = 0;

	if (!same->registered || on == same->attribute)
		return -EINVAL;

	if (on)
		ret = device_create_file(&same->info.uio_dev->dev, &dev_attr_own);
	else
		device_remove_file(&same->info.uio_dev->dev, &dev_attr_own);
	if (!ret)
		same->attribute = on;
	return ret;
}

/* Returns a mask of the regions for which the core has directories in sysfs. */
int uio_same_shown(const struct uio_same *same)
{
	int mask = 0, i;

	for (i = 0; i < MAX_UIO_MAPS; i++)
		if (same->info.mem[i].map)
			mask |= BIT(i);
	for (i = 0; i < MAX_UIO_PORT_REGIONS; i++)
		if (same->info.port[i].portio)
			mask |= BIT(i + 8);
	return mask;
}

int uio_same_lock(struct uio_same *same)
{
	struct uio_device *idev = same->info.uio_dev;

	if (!same->registered)
		return -ENXIO;

	mutex_lock(&idev->info_lock);
	uio_same_callback(same, UIO_SAME_LOCKED);
	mutex_unlock(&idev->info_lock);
	return 0;
}
