/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uio_bench: devices to measure. This module has the memory that they map, and the node
 * for commands. uio_bench_uio makes devices on the loaded uio.ko. uio_bench_floor makes
 * devices without any core.
 */

#ifndef _UIO_BENCH_H
#define _UIO_BENCH_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/uio_driver.h>

#include "uio_bench_abi.h"

struct module;

#define UIO_BENCH_NAME_SIZE	32

/**
 * struct uio_bench_dev - a device
 * @node: in the list of the file that made it
 * @core: the core that made it
 * @registered: between registration and unregistration
 * @regions: number of its regions
 * @context: it has a context
 */
struct uio_bench_dev {
	struct list_head node;
	const struct uio_bench_core *core;
	bool registered;
	unsigned int regions;
	bool context;
};

/**
 * struct uio_bench_core - operations that make and use devices
 * @owner: its module
 * @alloc: make a device, not registered; NULL if the core does not support it
 * @free: free a device that is not registered
 * @reg: register a device
 * @unreg: unregister a device
 * @notify: send an event
 * @revoke: wake readers for the end of the device, as early as the core can
 * @name: return the path of a device's node
 */
struct uio_bench_core {
	struct module *owner;
	struct uio_bench_dev *(*alloc)(const struct uio_bench_add *add);
	void (*free)(struct uio_bench_dev *dev);
	int (*reg)(struct uio_bench_dev *dev);
	void (*unreg)(struct uio_bench_dev *dev);
	void (*notify)(struct uio_bench_dev *dev);
	void (*revoke)(struct uio_bench_dev *dev);
	void (*name)(struct uio_bench_dev *dev, char *name);
};

/* main.c */
void uio_bench_core_add(unsigned int nr, const struct uio_bench_core *core);
void uio_bench_core_del(unsigned int nr);

/* memory.c: all devices share the memory, so that its cost is not measured */
int uio_bench_memory_init(void);
void uio_bench_memory_exit(void);
void uio_bench_describe(unsigned int region, struct uio_mem *mem);

#endif /* _UIO_BENCH_H */
