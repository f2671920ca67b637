/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace I/O: what a driver sees of the UIO core.
 *
 * A driver describes its device in a struct uio_info and registers it. If it
 * also hands over a struct uio_context, whatever user space can still reach
 * stays valid after uio_unregister_device(), until the last open file and the
 * last mapping are gone.
 */

#ifndef _UIO_DRIVER_H_
#define _UIO_DRIVER_H_

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/interrupt.h>

struct module;
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
	 * @addr: start of the region: a physical address or a kernel virtual
	 * address, as @memtype says; page aligned. Not used for UIO_MEM_CONTEXT
	 */
	phys_addr_t		addr;
	/**
	 * @dma_addr: for UIO_MEM_DMA_COHERENT, the handle that
	 * dma_alloc_coherent() returned next to @addr
	 */
	dma_addr_t		dma_addr;
	/** @offs: where in the first page the device's own memory begins, in bytes */
	unsigned long		offs;
	/** @size: bytes; 0: not there. sysfs shows the regions before the first of these */
	resource_size_t		size;
	/** @memtype: one of the UIO_MEM_* values */
	int			memtype;
	/** @internal_addr: the driver's own ioremap() of @addr; not used by the core */
	void __iomem		*internal_addr;
	/** @dma_device: for UIO_MEM_DMA_COHERENT, the device it was allocated for */
	struct device		*dma_device;
	/* private: the region's directory in sysfs */
	struct uio_map		*map;
};

/**
 * struct uio_port - one region of I/O ports, for user space to read in sysfs
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
 * Refcounted by @dev on its own: it needs nothing of the driver's and lives as
 * long as an open file, a mapping or the registration.
 */
struct uio_device {
	/* private: all of it is the core's; drivers may look at minor and dev */
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
 * All callbacks but @handler may sleep. They may run at the same time, also with
 * themselves, except that @open, @release and @irqcontrol of a driver without a
 * context take turns. None runs any more when uio_unregister_device() has
 * returned, except @release for a driver with a context.
 */
struct uio_info {
	/**
	 * @uio_dev: set by the core while the device is registered, else NULL
	 */
	struct uio_device	*uio_dev;
	/**
	 * @name: name of the device, shown in sysfs. May be exchanged while the
	 * device is registered, if the old one stays for an RCU grace period,
	 * and if the core requests no interrupt: that keeps the first one.
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
	 * driver calls uio_event_notify() itself, or UIO_IRQ_NONE. It may
	 * change at any time, in @open too. Whoever sets it to UIO_IRQ_NONE
	 * wakes who waits for an event by uio_event_notify().
	 */
	long			irq;
	/** @irq_flags: flags for the interrupt request */
	unsigned long		irq_flags;
	/** @priv: for the driver */
	void			*priv;
	/**
	 * @handler: called in hard interrupt context; quiets the device. On
	 * IRQ_HANDLED user space gets an event. Required if @irq is a line.
	 */
	irqreturn_t (*handler)(int irq, struct uio_info *dev_info);
	/**
	 * @mmap_prepare: the driver maps its memory itself; optional, and not
	 * for a driver with a context, which has &uio_context_ops.get_pages
	 * instead. Called with the mmap_lock held for writing. If it sets
	 * vm_operations, fault, page_mkwrite, pfn_mkwrite and access are
	 * called only while the device is live, unless there are both open
	 * and close: such a driver counts its mappings.
	 */
	int (*mmap_prepare)(struct uio_info *info, struct vm_area_desc *desc);
	/**
	 * @open: called for each open(); optional. @inode is the one whose
	 * i_mapping all mappings of the device are in, whatever device node
	 * was opened, and has the device's number. Returns 0, or a negative
	 * error code with which the open() fails.
	 */
	int (*open)(struct uio_info *info, struct inode *inode);
	/**
	 * @release: called when an open file and the last mapping made through
	 * it are gone; optional. With a context it is called for every file
	 * whose @open succeeded, be it after uio_unregister_device(). Without
	 * one it is skipped for files that go after that.
	 */
	int (*release)(struct uio_info *info, struct inode *inode);
	/**
	 * @irqcontrol: called for a write() of @irq_on: 1 to enable interrupts,
	 * 0 to disable them; optional: without it write() fails with -ENOSYS.
	 * Returns 0, or a negative error code with which the write() fails.
	 */
	int (*irqcontrol)(struct uio_info *info, s32 irq_on);
};

/* For drivers that also build with a kernel that has no contexts. */
#define UIO_HAS_CONTEXT

struct uio_context;

/**
 * struct uio_context_ops - what the owner of a context does for the core
 */
struct uio_context_ops {
	/**
	 * @release: the last reference is gone; frees the object that holds
	 * the context, its &struct uio_info and the memory that it maps.
	 * Required.
	 *
	 * Called in process context without locks, may sleep. The core pins
	 * the owner module over it.
	 */
	void (*release)(struct uio_context *ctx);
	/**
	 * @get_pages: find pages of a region of type UIO_MEM_CONTEXT, which a
	 * touch is to map. Required if there is such a region.
	 *
	 * Put consecutive pages of region @region into @pages, at least one
	 * and at most @nr. The first is the one at @offset, in bytes, a
	 * multiple of the page size. Each is locked and has a reference. The
	 * core maps them, unlocks them and drops the references. So a driver
	 * that takes a page away can lock it, to wait for touches of it that
	 * are under way.
	 *
	 * The first page was touched, and may be waited for. The others are a
	 * guess: give them only if they are there, by trylock_page().
	 *
	 * Called with the VMA's lock or the mmap_lock held for reading, and
	 * with memory allocations made GFP_NOIO; may sleep; only while the
	 * device is live, and for what is inside the region. It may run at the
	 * same time as itself.
	 *
	 * Return: the number of pages, or a negative error code. -ENOMEM says
	 * that memory is short, anything else raises SIGBUS.
	 */
	int (*get_pages)(struct uio_context *ctx, unsigned int region,
			 unsigned long offset, struct page **pages,
			 unsigned int nr);
	/**
	 * @kick: the device has just been revoked: make callbacks that sleep
	 * in the driver return soon, since a drain waits for them. Optional.
	 *
	 * Called once, in the context of whoever revokes; may sleep. Not for a
	 * registration that has failed: nobody was inside.
	 */
	void (*kick)(struct uio_context *ctx);
};

/**
 * struct uio_context - keeps a driver's memory for as long as user space can
 * reach it
 *
 * Embed it in the object that also holds the &struct uio_info and the memory
 * it describes, and register with uio_register_device_context(). References
 * are held by the driver (the one from uio_context_init()), by the
 * registration and by every open file, which in turn lives as long as each
 * mapping made through it.
 */
struct uio_context {
	/* private: */
	struct kref kref;
	const struct uio_context_ops *ops;
	unsigned int flags;
	atomic_t used;
};

/*
 * Flag of a context: after revocation a touch of a page that is not present gives a page
 * of zeros that takes writes, one for each open file, and not SIGBUS: for a driver whose
 * user would rather read zeros than be killed. Private mappings of I/O memory get SIGBUS
 * all the same.
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

/* Macros, so that THIS_MODULE is the driver's and needs no include here. */

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
 * @ctx:	what keeps @info and the memory in it valid
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
 * @ctx:	what keeps @info and the memory in it valid
 *
 * See __devm_uio_register_device_context().
 */
#define devm_uio_register_device_context(parent, info, ctx) \
	__devm_uio_register_device_context(THIS_MODULE, parent, info, ctx)

/* uio_info->irq, where it is not the number of an interrupt */
#define UIO_IRQ_CUSTOM	-1
#define UIO_IRQ_NONE	0

/*
 * uio_mem->memtype. PHYS, IOVA and DMA_COHERENT are I/O memory: gone from every
 * process when the device is revoked. LOGICAL, VIRTUAL and CONTEXT are memory of
 * the kernel's: kept by a context, gone without one. New drivers should not use
 * DMA_COHERENT.
 */
#define UIO_MEM_NONE	0	/* not mappable */
#define UIO_MEM_PHYS	1	/* physical, mapped uncached */
#define UIO_MEM_LOGICAL	2	/* of the kernel's linear map */
#define UIO_MEM_VIRTUAL 3	/* vmalloc */
#define UIO_MEM_IOVA	4	/* physical, mapped cached */
#define UIO_MEM_DMA_COHERENT	5
#define UIO_MEM_CONTEXT	6	/* by uio_context_ops->get_pages */

/* uio_port->porttype */
#define UIO_PORT_NONE	0
#define UIO_PORT_X86	1
#define UIO_PORT_GPIO	2
#define UIO_PORT_OTHER	3

#endif /* _UIO_DRIVER_H_ */
