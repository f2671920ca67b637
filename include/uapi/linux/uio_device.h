/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Userspace I/O: ioctl() requests for an open /dev/uioN.
 *
 * Not in <linux/uio.h>: that header is about struct iovec.
 */

#ifndef _UAPI_LINUX_UIO_DEVICE_H
#define _UAPI_LINUX_UIO_DEVICE_H

#include <linux/ioctl.h>

/**
 * define UIO_IOC_REVOKE - take the device away from this open file
 *
 * This revokes the open file for good, for all processes that have a copy of the
 * descriptor. Every operation fails with ENODEV. poll() reports POLLHUP and POLLERR.
 * Blocked calls return. No more signals are sent. The pages of all mappings that were
 * made through the file are gone: touching them raises SIGBUS. Other open files do not
 * notice.
 *
 * All this holds when the request has returned 0. The request does not wait for the
 * driver, which may still be busy with an operation that began before.
 *
 * The argument must be 0, or the request fails with EINVAL. A second request fails
 * with ENODEV. ENOSPC: so many open files of the device are mapped that the mappings of
 * this one can't be told from those of others. Then nothing is revoked. It takes 511
 * mapped files on 32-bit processors, and far more on others.
 */
#define UIO_IOC_REVOKE		_IOW('u', 0x50, int)

#endif /* _UAPI_LINUX_UIO_DEVICE_H */
