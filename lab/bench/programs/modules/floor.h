/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uio_bench_floor: a bare character device that does for user space what a UIO device
 * does. It counts no references, takes no lock of its own, and does not check whether the
 * device is still there. So its files have to be closed before it is unregistered.
 */

#ifndef _FLOOR_H
#define _FLOOR_H

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/wait.h>

#include "uio_bench.h"

/**
 * struct floor_dev - a device
 * @dev: for uio_bench
 * @device: for the driver core
 * @minor: its number
 * @event: count of events
 * @wait: queue of sleeping readers
 * @async: files that want SIGIO
 * @irqcontrol: function that write() calls
 * @mem: regions
 * @maps: directory of the regions in sysfs
 * @map: directory of each
 */
struct floor_dev {
	struct uio_bench_dev dev;
	struct device device;
	u32 minor;
	atomic_t event;
	wait_queue_head_t wait;
	struct fasync_struct *async;
	int (*irqcontrol)(struct floor_dev *floor, s32 irq_on);
	struct uio_mem mem[UIO_BENCH_REGIONS];
	struct kobject *maps;
	struct kobject map[UIO_BENCH_REGIONS];
};

/* floor.c */
struct floor_dev *floor_find(unsigned int minor);

/* floor_file.c */
extern const struct file_operations floor_fops;

/* floor_map.c */
int floor_mmap(struct file *filp, struct vm_area_struct *vma);

/* floor_sysfs.c */
extern const struct attribute_group *floor_groups[];
int floor_sysfs_add(struct floor_dev *floor);
void floor_sysfs_del(struct floor_dev *floor);

/* An open file. */
struct floor_file {
	struct floor_dev *floor;
	s32 event_count;
};

#endif /* _FLOOR_H */
