/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Userspace I/O: requests for an open /dev/uioN.
 *
 * Not in <linux/uio.h>, which is about struct iovec.
 */

#ifndef _UAPI_LINUX_UIO_DEVICE_H
#define _UAPI_LINUX_UIO_DEVICE_H

#include <linux/ioctl.h>

/**
 * define UIO_IOC_REVOKE - take the device away from this open file
 *
 * For good, whoever has a copy of the descriptor: every operation fails with
 * ENODEV, poll() has POLLHUP and POLLERR, sleepers wake up, no more signals come,
 * and the pages of all mappings that were made through it are gone, so that a touch
 * raises SIGBUS. Other open files do not notice.
 *
 * All that holds when the request has returned. It does not wait for the driver, which
 * may be in the middle of what it was called for before.
 *
 * The argument must be 0, or else the request fails with EINVAL. A second one
 * fails with ENODEV.
 */
#define UIO_IOC_REVOKE		_IOW('u', 0x50, int)

#endif /* _UAPI_LINUX_UIO_DEVICE_H */
