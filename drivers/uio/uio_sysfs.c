// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: the class, and attributes of devices and their regions.
 */

#include "uio_internal.h"

#include <linux/sysfs.h>

/*
 * Attributes show the driver's info, so their show() enters the driver like any other
 * operation of user space.
 */

#define UIO_INFO_ATTR(_name, _fmt, _value)				\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	struct uio_object *obj = to_uio_object(dev_get_drvdata(dev));	\
	ssize_t ret = -ENODEV;						\
									\
	if (uio_enter(obj)) {						\
		/* the driver may exchange it (litmus: info-rcu) */	\
		rcu_read_lock();					\
		ret = sysfs_emit(buf, _fmt "\n", _value);		\
		rcu_read_unlock();					\
		uio_leave(obj);						\
	}								\
	return ret;							\
}									\
static DEVICE_ATTR_RO(_name)

UIO_INFO_ATTR(name, "%s", READ_ONCE(obj->idev.info->name));
UIO_INFO_ATTR(version, "%s", READ_ONCE(obj->idev.info->version));
UIO_INFO_ATTR(event, "%u", (unsigned int)atomic_read(&obj->idev.event));

static struct attribute *uio_attrs[] = {
	&dev_attr_name.attr,
	&dev_attr_version.attr,
	&dev_attr_event.attr,
	NULL
};

ATTRIBUTE_GROUPS(uio);

struct class uio_class = {
	.name		= "uio",
	.dev_groups	= uio_groups,
	.dev_release	= uio_object_release,
};

/**
 * struct uio_dir - directory maps/mapN or portio/portN
 * @kobj: the directory
 * @region: the driver's description of the region
 */
struct uio_dir {
	struct kobject kobj;
	const void *region;
};

/* The targets of &uio_mem.map and &uio_port.portio. */
struct uio_map {
	struct uio_dir dir;
};

struct uio_portio {
	struct uio_dir dir;
};

static const void *uio_region(const struct kobject *kobj)
{
	return container_of(kobj, struct uio_dir, kobj)->region;
}

#define to_uio_mem(_kobj)	((const struct uio_mem *)uio_region(_kobj))
#define to_uio_port(_kobj)	((const struct uio_port *)uio_region(_kobj))

static ssize_t uio_region_show(struct kobject *kobj, struct attribute *attr,
			       char *buf)
{
	struct kobj_attribute *kattr = container_of(attr, struct kobj_attribute,
						    attr);
	/* uioN/maps/mapN */
	struct device *dev = kobj_to_dev(kobj->parent->parent);
	struct uio_object *obj = to_uio_object(dev_get_drvdata(dev));
	ssize_t ret;

	if (!uio_enter(obj))
		return -ENODEV;

	ret = kattr->show(kobj, kattr, buf);
	uio_leave(obj);
	return ret;
}

static const struct sysfs_ops uio_region_sysfs_ops = {
	.show = uio_region_show,
};

static void uio_dir_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct uio_dir, kobj));
}

#define UIO_REGION_ATTR(_kind, _name, _fmt, _value)			\
static ssize_t _kind##_##_name##_show(struct kobject *kobj,		\
				      struct kobj_attribute *attr,	\
				      char *buf)			\
{									\
	return sysfs_emit(buf, _fmt "\n", _value);			\
}									\
static struct kobj_attribute _kind##_##_name =				\
	__ATTR(_name, 0444, _kind##_##_name##_show, NULL)

UIO_REGION_ATTR(map, name, "%s", to_uio_mem(kobj)->name ?: "");
UIO_REGION_ATTR(map, addr, "%pa", &to_uio_mem(kobj)->addr);
UIO_REGION_ATTR(map, size, "%pa", &to_uio_mem(kobj)->size);
UIO_REGION_ATTR(map, offset, "0x%lx", to_uio_mem(kobj)->offs);

static struct attribute *map_attrs[] = {
	&map_name.attr,
	&map_addr.attr,
	&map_size.attr,
	&map_offset.attr,
	NULL
};
ATTRIBUTE_GROUPS(map);

static const struct kobj_type uio_map_type = {
	.release	= uio_dir_release,
	.sysfs_ops	= &uio_region_sysfs_ops,
	.default_groups	= map_groups,
};

UIO_REGION_ATTR(portio, name, "%s", to_uio_port(kobj)->name ?: "");
UIO_REGION_ATTR(portio, start, "0x%lx", to_uio_port(kobj)->start);
UIO_REGION_ATTR(portio, size, "0x%lx", to_uio_port(kobj)->size);

static ssize_t portio_porttype_show(struct kobject *kobj,
				    struct kobj_attribute *attr, char *buf)
{
	static const char * const types[] = {
		[UIO_PORT_NONE]		= "none",
		[UIO_PORT_X86]		= "x86",
		[UIO_PORT_GPIO]		= "gpio",
		[UIO_PORT_OTHER]	= "other",
	};
	int type = to_uio_port(kobj)->porttype;

	if (type < 0 || type >= ARRAY_SIZE(types))
		return -EINVAL;
	return sysfs_emit(buf, "port_%s\n", types[type]);
}

static struct kobj_attribute portio_porttype =
	__ATTR(porttype, 0444, portio_porttype_show, NULL);

static struct attribute *portio_attrs[] = {
	&portio_name.attr,
	&portio_start.attr,
	&portio_size.attr,
	&portio_porttype.attr,
	NULL
};
ATTRIBUTE_GROUPS(portio);

static const struct kobj_type uio_portio_type = {
	.release	= uio_dir_release,
	.sysfs_ops	= &uio_region_sysfs_ops,
	.default_groups	= portio_groups,
};

/* Makes a region's directory, and with the first one @all, "maps" or "portio". */
static struct uio_dir *uio_dir_add(struct uio_object *obj, struct kobject **all,
				   const struct kobj_type *type, int nr,
				   const void *region)
{
	bool is_map = type == &uio_map_type;
	struct uio_dir *dir = kzalloc_obj(*dir);
	int ret;

	if (!dir)
		return ERR_PTR(-ENOMEM);

	dir->region = region;
	kobject_init(&dir->kobj, type);
	if (!*all)
		*all = kobject_create_and_add(is_map ? "maps" : "portio",
					      &obj->idev.dev.kobj);
	ret = *all ? kobject_add(&dir->kobj, *all, is_map ? "map%d" : "port%d", nr) :
		     -ENOMEM;
	if (ret) {
		kobject_put(&dir->kobj);
		return ERR_PTR(ret);
	}
	return dir;
}

static int uio_map_add(struct uio_object *obj, int nr)
{
	struct uio_mem *mem = &obj->idev.info->mem[nr];
	struct uio_dir *dir = uio_dir_add(obj, &obj->idev.map_dir, &uio_map_type, nr, mem);

	if (!IS_ERR(dir))
		mem->map = container_of(dir, struct uio_map, dir);
	return PTR_ERR_OR_ZERO(dir);
}

static int uio_portio_add(struct uio_object *obj, int nr)
{
	struct uio_port *port = &obj->idev.info->port[nr];
	struct uio_dir *dir = uio_dir_add(obj, &obj->idev.portio_dir, &uio_portio_type,
					  nr, port);

	if (!IS_ERR(dir))
		port->portio = container_of(dir, struct uio_portio, dir);
	return PTR_ERR_OR_ZERO(dir);
}

/**
 * uio_sysfs_add - add the directories for the regions
 * @obj: the device, added
 *
 * Return: 0, or a negative error code with nothing left behind.
 */
int uio_sysfs_add(struct uio_object *obj)
{
	struct uio_info *info = obj->idev.info;
	int ret = 0;
	int i;

	for (i = 0; i < MAX_UIO_MAPS; i++)
		info->mem[i].map = NULL;
	for (i = 0; i < MAX_UIO_PORT_REGIONS; i++)
		info->port[i].portio = NULL;

	for (i = 0; !ret && i < MAX_UIO_MAPS && info->mem[i].size; i++)
		ret = uio_map_add(obj, i);
	for (i = 0; !ret && i < MAX_UIO_PORT_REGIONS && info->port[i].size; i++)
		ret = uio_portio_add(obj, i);

	if (ret) {
		dev_err(&obj->idev.dev, "error creating sysfs files (%d)\n", ret);
		uio_sysfs_del(obj);
	}
	return ret;
}

/* Removes the directory at once, even if somebody holds a reference. */
static void uio_dir_del(struct kobject *dir)
{
	kobject_del(dir);
	kobject_put(dir);
}

/* Removes the directories for the regions; waits for readers of their attributes. */
void uio_sysfs_del(struct uio_object *obj)
{
	struct uio_info *info = obj->idev.info;
	int i;

	for (i = 0; i < MAX_UIO_MAPS && info->mem[i].map; i++)
		uio_dir_del(&info->mem[i].map->dir.kobj);
	for (i = 0; i < MAX_UIO_PORT_REGIONS && info->port[i].portio; i++)
		uio_dir_del(&info->port[i].portio->dir.kobj);

	if (obj->idev.map_dir)
		uio_dir_del(obj->idev.map_dir);
	if (obj->idev.portio_dir)
		uio_dir_del(obj->idev.portio_dir);
}
