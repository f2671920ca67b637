/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace I/O: the interface between the UIO core and its drivers.
 *
 * Copyright(C) 2005, Benedikt Spranger <b.spranger@linutronix.de>
 * Copyright(C) 2005, Linutronix GmbH, Thomas Gleixner <tglx@kernel.org>
 * Copyright(C) 2006, Hans J. Koch <hjk@hansjkoch.de>
 * Copyright(C) 2006, Greg Kroah-Hartman <greg@kroah.com>
 *
 * A driver describes its device in a struct uio_info and registers it. If the driver
 * also passes a struct uio_context, the memory that user space can still reach after
 * uio_unregister_device() stays valid until the last open file and the last mapping
 * are gone.
 */

#ifndef _UIO_DRIVER_H_
#define _UIO_DRIVER_H_

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/interrupt.h>

struct module;
struct seq_file;
struct uio_map;
struct uio_portio;

#define MAX_UIO_MAPS		5
#define MAX_UIO_PORT_REGIONS	5

/**
 * struct uio_mem - one memory region that user space may map
 *
 * User space maps region N of a device at file offset N * page size.
 */
struct uio_mem {
	/** @name: shown in sysfs; may be NULL */
	const char		*name;
	/**
	 * @addr: start of the region, page aligned. @memtype says whether this is a
	 * physical address or a kernel virtual address. Not used for UIO_MEM_CONTEXT
	 */
	phys_addr_t		addr;
	/**
	 * @dma_addr: for UIO_MEM_DMA_COHERENT, the handle that dma_alloc_coherent()
	 * returned together with @addr
	 */
	dma_addr_t		dma_addr;
	/** @offs: offset of the device's memory in the first page, in bytes */
	unsigned long		offs;
	/** @size: bytes; 0: no region. sysfs shows the regions before the first such entry */
	resource_size_t		size;
	/** @memtype: one of the UIO_MEM_* values */
	int			memtype;
	/** @internal_addr: the driver's own ioremap() of @addr; not used by the core */
	void __iomem		*internal_addr;
	/** @dma_device: for UIO_MEM_DMA_COHERENT, the device that the memory belongs to */
	struct device		*dma_device;
	/* private: the region's directory in sysfs */
	struct uio_map		*map;
};

/**
 * struct uio_port - one region of I/O ports; user space sees it in sysfs only
 */
struct uio_port {
	/** @name: shown in sysfs; may be NULL */
	const char		*name;
	/** @start: first port */
	unsigned long		start;
	/** @size: number of ports; the first region of size 0 ends the list */
	unsigned long		size;
	/** @porttype: one of the UIO_PORT_* values */
	int			porttype;
	/* private: the region's directory in sysfs */
	struct uio_portio	*portio;
};

/**
 * struct uio_device - the core's object behind one /dev/uioN
 *
 * @dev has the refcount. The object needs nothing from the driver. It lives until the
 * registration, all open files and all mappings are gone.
 */
struct uio_device {
	/* private: for the core. Drivers may look at minor and dev */
	struct module           *owner;
	struct device		dev;
	int                     minor;
	atomic_t                event;
	struct fasync_struct    *async_queue;
	wait_queue_head_t       wait;
	struct uio_info         *info;
	struct mutex		info_lock;	/* callbacks of a driver without context */
	struct kobject          *map_dir;
	struct kobject          *portio_dir;
};

/**
 * struct uio_info - a driver's description of its device
 *
 * Owned by the driver. It must stay valid until uio_unregister_device() has
 * returned or, for a driver with a context, until the context's release.
 *
 * All callbacks except @handler may sleep. Callbacks may run concurrently, also with
 * themselves. Only @open, @release and @irqcontrol of a driver without a context are
 * called one at a time. When uio_unregister_device() has returned, no callback runs any
 * more, except @release for a driver with a context.
 */
struct uio_info {
	/**
	 * @uio_dev: set by the core; NULL while the device is not registered
	 */
	struct uio_device	*uio_dev;
	/**
	 * @name: name of the device, shown in sysfs. The driver may change the
	 * pointer while the device is registered. Then it must keep the old
	 * string for an RCU grace period. But it must not change the pointer if
	 * the core has requested an interrupt, which keeps the first string.
	 */
	const char		*name;
	/** @version: version of the driver, shown in sysfs */
	const char		*version;
	/** @mem: memory regions */
	struct uio_mem		mem[MAX_UIO_MAPS];
	/** @port: I/O port regions */
	struct uio_port		port[MAX_UIO_PORT_REGIONS];
	/**
	 * @irq: interrupt line that the core requests, UIO_IRQ_CUSTOM if the
	 * driver calls uio_event_notify() itself, or UIO_IRQ_NONE. The driver
	 * may change it at any time, for example in @open. After changing it
	 * to UIO_IRQ_NONE, the driver calls uio_event_notify() to wake those
	 * that wait for an event.
	 */
	long			irq;
	/** @irq_flags: flags for the interrupt request */
	unsigned long		irq_flags;
	/** @priv: for the driver */
	void			*priv;
	/**
	 * @handler: called in hard interrupt context; silences the device. If
	 * it returns IRQ_HANDLED, user space gets an event. Required if @irq
	 * is an interrupt line.
	 */
	irqreturn_t (*handler)(int irq, struct uio_info *dev_info);
	/**
	 * @mmap_prepare: maps the driver's memory instead of the core;
	 * optional. Called with the mmap_lock held for writing. A driver with
	 * a context must not set it: it has &uio_context_ops.get_pages.
	 *
	 * @mmap_prepare may set vm_operations. The core calls their fault,
	 * page_mkwrite, pfn_mkwrite and access only while the device is live.
	 * But if they have both open and close, the driver counts its mappings,
	 * and the core keeps calling all of them until the last mapping is gone.
	 */
	int (*mmap_prepare)(struct uio_info *info, struct vm_area_desc *desc);
	/**
	 * @open: called for each open(); optional. @inode is the same for every
	 * device node: it has the device's number, and all mappings of the
	 * device are in its i_mapping. Returns 0 or a negative error code, with
	 * which open() fails.
	 */
	int (*open)(struct uio_info *info, struct inode *inode);
	/**
	 * @release: called when an open file and the last mapping made through
	 * it are gone; optional. With a context it is called for every file
	 * whose @open succeeded, even after uio_unregister_device(). Without a
	 * context it is not called for files that are closed after that.
	 */
	int (*release)(struct uio_info *info, struct inode *inode);
	/**
	 * @irqcontrol: called for a write() of @irq_on, which is 1 to enable
	 * interrupts and 0 to disable them. Optional: without it write() fails
	 * with -ENOSYS. Returns 0 or a negative error code, with which write()
	 * fails.
	 */
	int (*irqcontrol)(struct uio_info *info, s32 irq_on);
};

/**
 * DOC: with and without contexts
 *
 * UIO_HAS_CONTEXT
 *	is defined by a header that has contexts. So a driver can also compile for
 *	kernels without them.
 */
#define UIO_HAS_CONTEXT

struct uio_context;

/**
 * struct uio_context_ops - operations of a context
 */
struct uio_context_ops {
	/**
	 * @release: free the object that holds the context, its &struct
	 * uio_info and the memory that it maps. The last reference is gone.
	 * Required.
	 *
	 * Called in process context without locks; may sleep. The core pins
	 * the owner module until it has returned.
	 */
	void (*release)(struct uio_context *ctx);
	/**
	 * @get_pages: find the pages that a page fault is about to map.
	 * Required for regions of type UIO_MEM_CONTEXT.
	 *
	 * Put consecutive pages of region @region into @pages, at least one
	 * and at most @nr. The first is the page at @offset, which is in bytes
	 * and a multiple of the page size. Lock each page and get a reference
	 * to it. The core maps the pages, unlocks them and puts the references.
	 * So a driver that takes a page away can lock the page to wait for
	 * faults that are under way.
	 *
	 * The first page was touched, and @get_pages may wait for it. The
	 * others are a guess. Give them only if they are there: use
	 * trylock_page().
	 *
	 * Called only while the device is live, and only for pages inside the
	 * region, with the VMA's lock or the mmap_lock held for reading. It may
	 * sleep, and may run concurrently with itself. The core makes all memory
	 * allocations in it GFP_NOIO.
	 *
	 * Return: the number of pages, or a negative error code. -ENOMEM means
	 * that memory is short, any other error raises SIGBUS.
	 */
	int (*get_pages)(struct uio_context *ctx, unsigned int region,
			 unsigned long offset, struct page **pages,
			 unsigned int nr);
	/**
	 * @kick: make callbacks that sleep in the driver return soon, because a
	 * drain waits for them. The device has just been revoked. Optional.
	 *
	 * Called once, by the thread that revokes; may sleep. Not called if
	 * the registration failed: then nobody was inside.
	 */
	void (*kick)(struct uio_context *ctx);
	/**
	 * @show_fdinfo: print what the context holds, for an operator who reads
	 * /proc/PID/fdinfo of an open file. Optional.
	 *
	 * Print lines to @m, each by seq_printf(m, "NAME-KEY:\t%lu\n", value),
	 * where NAME is the driver's name. Memory is in bytes, and the key then
	 * ends in -bytes.
	 *
	 * Called at any time while a file is open, even after
	 * uio_unregister_device(), and concurrently with everything else. It
	 * must not use the hardware, and must not wait for user space, nor for
	 * a lock that another callback may hold for long.
	 */
	void (*show_fdinfo)(struct uio_context *ctx, struct seq_file *m);
};

/**
 * struct uio_context - keeps a driver's memory for as long as user space can
 * reach it
 *
 * Embed it in the object that also holds the &struct uio_info and the memory that this
 * describes, and register with uio_register_device_context(). The driver holds one
 * reference, from uio_context_init(). The registration holds another one, and so does
 * every open file. An open file lives at least as long as each mapping made through it.
 */
struct uio_context {
	/* private: */
	struct kref kref;
	const struct uio_context_ops *ops;
	unsigned int flags;
	atomic_t used;
	u64 serial;	/* of the registration, for the trace event of the release */
};

/**
 * DOC: flags of a context
 *
 * UIO_CONTEXT_SINK
 *	For a driver whose user would rather read zeros than be killed. When the device
 *	is revoked, touching a page that is not present maps the sink, a writable page
 *	of zeros, instead of raising SIGBUS. Each open file has one sink. Private
 *	mappings of I/O memory still raise SIGBUS.
 */
#define UIO_CONTEXT_SINK	BIT(0)

void uio_context_init(struct uio_context *ctx,
		      const struct uio_context_ops *ops, unsigned int flags);
void uio_context_put(struct uio_context *ctx);

int __must_check __uio_register_device(struct module *owner,
				       struct device *parent,
				       struct uio_info *info);
int __must_check __uio_register_device_context(struct module *owner,
					       struct device *parent,
					       struct uio_info *info,
					       struct uio_context *ctx);
int __must_check __devm_uio_register_device(struct module *owner,
					    struct device *parent,
					    struct uio_info *info);
int __must_check __devm_uio_register_device_context(struct module *owner,
						    struct device *parent,
						    struct uio_info *info,
						    struct uio_context *ctx);
void uio_unregister_device(struct uio_info *info);
void uio_revoke_device(struct uio_info *info);
void uio_drain_device(struct uio_info *info);

void uio_event_notify(struct uio_info *info);
void uio_unmap_range(struct uio_info *info, unsigned int region,
		     unsigned long offset, unsigned long size);

/* These are macros, so that THIS_MODULE is the driver and needs no #include here. */

/**
 * uio_register_device - register a UIO device
 * @parent:	parent device
 * @info:	the driver's description of the device
 *
 * See __uio_register_device().
 */
#define uio_register_device(parent, info) \
	__uio_register_device(THIS_MODULE, parent, info)

/**
 * uio_register_device_context - register a UIO device with late release
 * @parent:	parent device
 * @info:	the driver's description of the device
 * @ctx:	the context that keeps @info and its memory valid
 *
 * See __uio_register_device_context().
 */
#define uio_register_device_context(parent, info, ctx) \
	__uio_register_device_context(THIS_MODULE, parent, info, ctx)

/**
 * devm_uio_register_device - register a UIO device until @parent is unbound
 * @parent:	parent device
 * @info:	the driver's description of the device
 *
 * See __devm_uio_register_device().
 */
#define devm_uio_register_device(parent, info) \
	__devm_uio_register_device(THIS_MODULE, parent, info)

/**
 * devm_uio_register_device_context - register a UIO device with late release
 * until @parent is unbound
 * @parent:	parent device
 * @info:	the driver's description of the device
 * @ctx:	the context that keeps @info and its memory valid
 *
 * See __devm_uio_register_device_context().
 */
#define devm_uio_register_device_context(parent, info, ctx) \
	__devm_uio_register_device_context(THIS_MODULE, parent, info, ctx)

/**
 * DOC: interrupts
 *
 * Values of &uio_info.irq other than the number of an interrupt:
 *
 * UIO_IRQ_CUSTOM
 *	The driver calls uio_event_notify() itself.
 * UIO_IRQ_NONE
 *	There are no events.
 */
#define UIO_IRQ_CUSTOM	-1
#define UIO_IRQ_NONE	0

/**
 * DOC: memory types
 *
 * Values of &uio_mem.memtype. PHYS, IOVA and DMA_COHERENT are I/O memory: revoking the
 * device unmaps it from every process. LOGICAL, VIRTUAL and CONTEXT are kernel memory:
 * it stays mapped if the device has a context, else it is unmapped, too.
 *
 * UIO_MEM_NONE
 *	User space can't map it.
 * UIO_MEM_PHYS
 *	I/O memory by its physical address. It is mapped uncached.
 * UIO_MEM_IOVA
 *	The same, but it is mapped cached.
 * UIO_MEM_DMA_COHERENT
 *	What dma_alloc_coherent() returned. New drivers should not use it.
 * UIO_MEM_LOGICAL
 *	Memory of the kernel's linear map, for example from __get_free_pages().
 * UIO_MEM_VIRTUAL
 *	Memory of vmalloc_user().
 * UIO_MEM_CONTEXT
 *	Any pages: &uio_context_ops.get_pages finds them.
 */
#define UIO_MEM_NONE	0
#define UIO_MEM_PHYS	1
#define UIO_MEM_LOGICAL	2
#define UIO_MEM_VIRTUAL 3
#define UIO_MEM_IOVA	4
#define UIO_MEM_DMA_COHERENT	5
#define UIO_MEM_CONTEXT	6

/**
 * DOC: types of ports
 *
 * Values of &uio_port.porttype, and what sysfs shows for them:
 *
 * UIO_PORT_NONE
 *	port_none
 * UIO_PORT_X86
 *	port_x86
 * UIO_PORT_GPIO
 *	port_gpio
 * UIO_PORT_OTHER
 *	port_other
 */
#define UIO_PORT_NONE	0
#define UIO_PORT_X86	1
#define UIO_PORT_GPIO	2
#define UIO_PORT_OTHER	3

#endif /* _UIO_DRIVER_H_ */
