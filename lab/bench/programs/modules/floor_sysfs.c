// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench_floor: attributes with the names of those of UIO devices.
 */

#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "floor.h"

static ssize_t name_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "uio_bench\n");
}
static DEVICE_ATTR_RO(name);

static ssize_t version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "1.0\n");
}
static DEVICE_ATTR_RO(version);

static ssize_t event_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct floor_dev *floor = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%u\n", (unsigned int)atomic_read(&floor->event));
}
static DEVICE_ATTR_RO(event);

static struct attribute *floor_attrs[] = {
	&dev_attr_name.attr,
	&dev_attr_version.attr,
	&dev_attr_event.attr,
	NULL
};

static const struct attribute_group floor_group = {
	.attrs = floor_attrs,
};

const struct attribute_group *floor_groups[] = {
	&floor_group,
	NULL
};

static struct uio_mem *mem_of(struct kobject *map)
{
	struct device *dev = kobj_to_dev(map->parent->parent);
	struct floor_dev *floor = dev_get_drvdata(dev);

	return &floor->mem[map - floor->map];
}

#define FLOOR_MAP_ATTR(_name, _fmt, _value)				\
static ssize_t map_##_name##_show(struct kobject *kobj,			\
				  struct kobj_attribute *attr,		\
				  char *buf)				\
{									\
	return sysfs_emit(buf, _fmt "\n", _value);			\
}									\
static struct kobj_attribute map_##_name =				\
	__ATTR(_name, 0444, map_##_name##_show, NULL)

FLOOR_MAP_ATTR(name, "%s", mem_of(kobj)->name);
FLOOR_MAP_ATTR(addr, "%pa", &mem_of(kobj)->addr);
FLOOR_MAP_ATTR(size, "%pa", &mem_of(kobj)->size);
FLOOR_MAP_ATTR(offset, "0x%lx", mem_of(kobj)->offs);

static struct attribute *map_attrs[] = {
	&map_name.attr,
	&map_addr.attr,
	&map_size.attr,
	&map_offset.attr,
	NULL
};
ATTRIBUTE_GROUPS(map);

/* the kobject is a part of the device, which stays */
static void map_release(struct kobject *kobj)
{
}

static const struct kobj_type map_type = {
	.release	= map_release,
	.sysfs_ops	= &kobj_sysfs_ops,
	.default_groups	= map_groups,
};

int floor_sysfs_add(struct floor_dev *floor)
{
	unsigned int i;
	int ret = 0;

	floor->maps = NULL;
	memset(floor->map, 0, sizeof(floor->map));
	if (!floor->dev.regions)
		return 0;

	floor->maps = kobject_create_and_add("maps", &floor->device.kobj);
	if (!floor->maps)
		return -ENOMEM;

	for (i = 0; !ret && i < floor->dev.regions; i++) {
		ret = kobject_init_and_add(&floor->map[i], &map_type, floor->maps,
					   "map%u", i);
		if (!ret)
			kobject_uevent(&floor->map[i], KOBJ_ADD);
	}
	if (ret)
		floor_sysfs_del(floor);
	return ret;
}

void floor_sysfs_del(struct floor_dev *floor)
{
	unsigned int i;

	for (i = 0; i < floor->dev.regions; i++)
		if (floor->map[i].state_initialized)
			kobject_put(&floor->map[i]);
	kobject_put(floor->maps);
}
