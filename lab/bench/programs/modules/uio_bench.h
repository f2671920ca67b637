/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uio_bench: devices to measure. The module has the memory that they map and the
 * node that commands come by; uio_bench_uio makes devices of the uio.ko that is
 * loaded, uio_bench_floor makes devices of no core at all.
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
 * @node: in the list of the file that it was made by
 * @core: who made it
 * @registered: between registration and unregistration
 * @regions: how many it has
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
 * struct uio_bench_core - makes devices
 * @owner: its module
 * @alloc: a device, not registered; NULL if there can be no such device
 * @free: free it; it is not registered
 * @reg: register it
 * @unreg: unregister it
 * @notify: it has an event
 * @revoke: wake readers for good, as early as the core can
 * @name: path of its node
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

/* memory.c: the same for all devices, so that it is not part of what is measured */
int uio_bench_memory_init(void);
void uio_bench_memory_exit(void);
void uio_bench_describe(unsigned int region, struct uio_mem *mem);

#endif /* _UIO_BENCH_H */
