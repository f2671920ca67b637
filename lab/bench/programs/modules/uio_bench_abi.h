/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * uio_bench: what its programs ask of it, by ioctl on /dev/uio_bench. An open
 * file of that has devices of its own; they go with it.
 */

#ifndef _UIO_BENCH_ABI_H
#define _UIO_BENCH_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define UIO_BENCH_NODE		"/dev/uio_bench"

/* Whose devices. */
#define UIO_BENCH_UIO		0
#define UIO_BENCH_FLOOR		1
#define UIO_BENCH_CORES		2

/* Regions, numbered as mmap() has them. A device has the first few or all. */
#define UIO_BENCH_VIRTUAL	0
#define UIO_BENCH_LOGICAL	1
#define UIO_BENCH_PHYS		2
#define UIO_BENCH_IOVA		3
#define UIO_BENCH_NONE		4
#define UIO_BENCH_REGIONS	5

/* Of VIRTUAL, LOGICAL and NONE; of PHYS and IOVA. */
#define UIO_BENCH_SIZE		(64 << 20)
#define UIO_BENCH_IO_SIZE	(64 << 10)

/**
 * struct uio_bench_add - make devices, not registered yet
 * @core: UIO_BENCH_UIO or UIO_BENCH_FLOOR
 * @context: they have a context; UIO_BENCH_UIO, and not on mainline's
 * @regions: how many of the regions they have
 * @count: how many devices
 */
struct uio_bench_add {
	__u32 core;
	__u32 context;
	__u32 regions;
	__u32 count;
};

/* Results are of the time stamp counter. */
#define UIO_BENCH_ADD		_IOW('b', 0, struct uio_bench_add)
#define UIO_BENCH_REGISTER	_IOR('b', 1, __u64)	/* all devices */
#define UIO_BENCH_UNREGISTER	_IOR('b', 2, __u64)	/* all devices */
#define UIO_BENCH_CYCLE		_IOR('b', 3, __u64)	/* one device: both */
#define UIO_BENCH_NAME		_IOR('b', 4, char[32])	/* node of the last */
#define UIO_BENCH_NOTIFY	_IO('b', 5)		/* the last device */
#define UIO_BENCH_REVOKE	_IO('b', 6)		/* the last device */
#define UIO_BENCH_STAMP		_IOR('b', 7, __u64)	/* when one of these began */

#endif /* _UIO_BENCH_ABI_H */
