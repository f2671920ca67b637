// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: what drivers share with the core has the layout of the kernel's own header.
 * Compiled drivers rely on it, and not all kernels have symbol versions. The compiler
 * checks this, so there is no code here.
 */

#ifndef UIO_MAINLINE
#include "uio_test.h"

#undef mmap_prepare
#undef vm_area_desc

/* Once more the header, by a path that only the kernel has, and with other names. */
#undef _UIO_DRIVER_H_
#define uio_mem				kernel_mem
#define uio_port			kernel_port
#define uio_device			kernel_device
#define uio_info			kernel_info
#define __uio_register_device		kernel_register
#define __devm_uio_register_device	kernel_devm_register
#define uio_unregister_device		kernel_unregister
#define uio_event_notify		kernel_notify
#include <trace/../linux/uio_driver.h>
#undef uio_mem
#undef uio_port
#undef uio_device
#undef uio_info

#define SAME_SIZE(_name) \
	static_assert(sizeof(struct uio_##_name) == sizeof(struct kernel_##_name))

#define SAME(_name, _member)							\
	static_assert(offsetof(struct uio_##_name, _member) ==			\
		      offsetof(struct kernel_##_name, _member) &&		\
		      sizeof_field(struct uio_##_name, _member) ==		\
		      sizeof_field(struct kernel_##_name, _member))

SAME_SIZE(mem);
SAME(mem, name);
SAME(mem, addr);
SAME(mem, offs);
SAME(mem, size);
SAME(mem, memtype);
SAME(mem, internal_addr);
SAME(mem, map);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
SAME(mem, dma_addr);
SAME(mem, dma_device);
#endif

SAME_SIZE(port);
SAME(port, name);
SAME(port, start);
SAME(port, size);
SAME(port, porttype);
SAME(port, portio);

SAME_SIZE(device);
SAME(device, owner);
SAME(device, dev);
SAME(device, minor);
SAME(device, event);
SAME(device, async_queue);
SAME(device, wait);
SAME(device, info);
SAME(device, info_lock);
SAME(device, map_dir);
SAME(device, portio_dir);

SAME_SIZE(info);
SAME(info, uio_dev);
SAME(info, name);
SAME(info, version);
SAME(info, mem);
SAME(info, port);
SAME(info, irq);
SAME(info, irq_flags);
SAME(info, priv);
SAME(info, handler);
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
SAME(info, mmap);
#else
SAME(info, mmap_prepare);
#endif
SAME(info, open);
SAME(info, release);
SAME(info, irqcontrol);
#endif /* UIO_MAINLINE */
