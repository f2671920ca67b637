/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * uio_bench: the commands for its programs, by ioctl on /dev/uio_bench. Each open file has
 * devices of its own, which are freed with the file.
 */

#ifndef _UIO_BENCH_ABI_H
#define _UIO_BENCH_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define UIO_BENCH_NODE		"/dev/uio_bench"

/* Cores. */
#define UIO_BENCH_UIO		0
#define UIO_BENCH_FLOOR		1
#define UIO_BENCH_CORES		2

/* Regions, with their numbers for mmap(). A device has the first few, or all. */
#define UIO_BENCH_VIRTUAL	0
#define UIO_BENCH_LOGICAL	1
#define UIO_BENCH_PHYS		2
#define UIO_BENCH_IOVA		3
#define UIO_BENCH_NONE		4
#define UIO_BENCH_REGIONS	5

/* The size of VIRTUAL, LOGICAL and NONE; the size of PHYS and IOVA. */
#define UIO_BENCH_SIZE		(64 << 20)
#define UIO_BENCH_IO_SIZE	(64 << 10)

/**
 * struct uio_bench_add - make devices, not registered yet
 * @core: UIO_BENCH_UIO or UIO_BENCH_FLOOR
 * @context: with a context; only for UIO_BENCH_UIO on our core
 * @regions: number of regions of each
 * @count: number of devices
 */
struct uio_bench_add {
	__u32 core;
	__u32 context;
	__u32 regions;
	__u32 count;
};

/* Results are differences of the time stamp counter. */
#define UIO_BENCH_ADD		_IOW('b', 0, struct uio_bench_add)
#define UIO_BENCH_REGISTER	_IOR('b', 1, __u64)	/* all devices */
#define UIO_BENCH_UNREGISTER	_IOR('b', 2, __u64)	/* all devices */
#define UIO_BENCH_CYCLE		_IOR('b', 3, __u64)	/* one device: register and unregister */
#define UIO_BENCH_NAME		_IOR('b', 4, char[32])	/* node of the last device */
#define UIO_BENCH_NOTIFY	_IO('b', 5)		/* the last device */
#define UIO_BENCH_REVOKE	_IO('b', 6)		/* the last device */
#define UIO_BENCH_STAMP		_IOR('b', 7, __u64)	/* when the last of these two began */

#endif /* _UIO_BENCH_ABI_H */
