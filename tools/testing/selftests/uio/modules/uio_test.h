/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uio_test: software UIO devices, made and removed on request.
 *
 * A slot has the name and the counters of a device. It lasts until the module is removed,
 * so that a test can read the counters after the device is gone. A device is what a real
 * driver would have: it is freed as early as the contract allows.
 */

#ifndef _UIO_TEST_H
#define _UIO_TEST_H

#include <linux/debugfs.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uio_driver.h>
#include <linux/version.h>
#include <linux/wait.h>

#define UIO_TEST_NAME_MAX	48

/* Kernels before 6.12, and early releases of it, lack this. */
#ifndef kzalloc_obj
#define kzalloc_obj(p)		kzalloc(sizeof(p), GFP_KERNEL)
#endif

/* Before 7.2, a driver's own mmap callback is info->mmap, which gets a VMA. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#define mmap_prepare	mmap
#define vm_area_desc	vm_area_struct
#endif

/* Callbacks that a test can make wait, or act: see action.c. */
enum uio_test_callback {
	UIO_TEST_OPEN,
	UIO_TEST_RELEASE,
	UIO_TEST_IRQCONTROL,
	UIO_TEST_FAULT,
	UIO_TEST_MMAP,
	UIO_TEST_CALLBACKS,
};

/* Kinds of memory. Each page of LOGICAL has a reference count of its own. */
enum uio_test_kind {
	UIO_TEST_NONE,		/* vmalloc, cannot be mapped */
	UIO_TEST_CONTEXT,	/* vmalloc, by get_pages */
	UIO_TEST_PHYS,
	UIO_TEST_IOVA,
	UIO_TEST_DMA,
	UIO_TEST_LOGICAL,
	UIO_TEST_SLAB,		/* logical, kmalloc */
	UIO_TEST_BLOCK,		/* logical, of higher order, not compound */
	UIO_TEST_VIRTUAL,
	UIO_TEST_HOLE,		/* virtual, and one page more that is not there */
	UIO_TEST_ROM,		/* not RAM: every PC has its firmware there */
	UIO_TEST_FAR,		/* not RAM: registers */
	UIO_TEST_SHARED,	/* not RAM: memory of a card, as IOVA */
};

/* What a driver's own mmap() does. */
enum uio_test_own {
	UIO_TEST_OWN_FAULT,	/* has a fault handler */
	UIO_TEST_OWN_COUNTED,	/* the same, and counts its mappings */
	UIO_TEST_OWN_POPULATE,	/* has a fault handler, and inserts all pages */
	UIO_TEST_OWN_REMAP,	/* remap_pfn_range(), write-combining */
	UIO_TEST_OWN_FULL,	/* has all operations that the core wraps */
};

struct uio_test_slot;
struct uio_test_lock;

/**
 * struct uio_test_action - what else a callback does
 * @lock: a lock that it takes and drops
 * @act: a function that it calls
 * @on: the slot that @act gets
 */
struct uio_test_action {
	const struct uio_test_lock *lock;
	void (*act)(struct uio_test_slot *slot);
	struct uio_test_slot *on;
};

/**
 * struct uio_test_slot - what remains of a device
 * @node: in the list of slots
 * @name: name of the device, in sysfs too
 * @dir: the slot's directory in debugfs
 * @lock: held during registration, unregistration, revoke and drain
 * @dev: the device while the driver has it, else NULL
 * @pdev: for a devm registration, the parent that is unbound to end it
 * @devm_ret: what a devm registration returned in probe()
 * @irq: a real interrupt of our own, or 0
 * @irq_work: notifies from an interrupt
 * @in_hardirq: @irq_work ran in a hard interrupt
 * @minor: of the last registration
 * @registered: between registration and unregistration
 * @stalled: bit mask of the callbacks that have to wait
 * @wait: where they wait
 * @stall_ms: how long, once; 0: until they are let go
 * @kick_ends_stall: the context's kick ends the wait
 * @inside: number of callbacks that wait now
 * @actions_lock: protects @actions
 * @actions: what else callbacks do
 * @opens: calls of info->open that succeeded
 * @releases: calls of info->release
 * @late_releases: those after the unregistration
 * @irqcontrols: calls of info->irqcontrol
 * @irq_on: the last argument of info->irqcontrol
 * @faults: calls of get_pages, or of a fault handler of the driver's own
 * @arounds: pages that get_pages returned in addition to the touched ones
 * @kicks: calls of the kick operation
 * @interrupts: calls of the hard interrupt handler
 * @creates: times that a device was made
 * @frees: times that a device and its memory were freed
 * @closes: calls of close of the driver's own vm_operations
 * @open_errno: the error that info->open returns
 * @irqcontrol_errno: the error that info->irqcontrol returns
 */
struct uio_test_slot {
	struct list_head node;
	char name[UIO_TEST_NAME_MAX];
	struct dentry *dir;
	struct mutex lock;	/* see above */
	struct uio_test_device *dev;
	struct platform_device *pdev;
	int devm_ret;
	int irq;
	struct irq_work irq_work;
	bool in_hardirq;
	u32 minor;
	bool registered;

	unsigned long stalled;
	unsigned int stall_ms;
	wait_queue_head_t wait;
	bool kick_ends_stall;
	atomic_t inside;
	spinlock_t actions_lock; /* protects actions */
	struct uio_test_action actions[UIO_TEST_CALLBACKS];

	atomic_t opens;
	atomic_t releases;
	atomic_t late_releases;
	atomic_t irqcontrols;
	atomic_t irq_on;
	atomic_t faults;
	atomic_t arounds;
	atomic_t kicks;
	atomic_t interrupts;
	atomic_t creates;
	atomic_t frees;
	atomic_t closes;

	u32 open_errno;
	u32 irqcontrol_errno;
};

/**
 * struct uio_test_mem - the memory of one region
 * @node: in the list of memory that lasts until the module goes
 * @slot: the slot of its device
 * @addr: its address in the kernel
 * @dma_addr: for UIO_MEM_DMA_COHERENT
 * @size: bytes
 * @kind: enum uio_test_kind
 * @map: index of the region
 * @lasts: stands for hardware, whose memory outlives the driver
 * @owned: its device has an owner
 * @file: in debugfs; tests use it to access the memory from the kernel's side
 */
struct uio_test_mem {
	struct list_head node;
	struct uio_test_slot *slot;
	void *addr;
	dma_addr_t dma_addr;
	size_t size;
	int kind;
	unsigned int map;
	bool lasts;
	bool owned;
	struct dentry *file;
};

/**
 * struct uio_test_device - what a driver would have
 * @info: what the driver registers
 * @ctx: its context
 * @has_ctx: register with @ctx
 * @devm: register by devm_uio_register_device()
 * @around: get_pages gives more than one page
 * @sink: the context has UIO_CONTEXT_SINK
 * @irq_in_open: there is an interrupt while the device is open
 * @own: what the mmap callback does
 * @owner: a number that all pages hold, see memory.c; 0: none
 * @slot: counters
 * @mem: regions
 */
struct uio_test_device {
	struct uio_info info;
#ifndef UIO_MAINLINE
	struct uio_context ctx;
#endif
	bool has_ctx;
	bool devm;
	bool around;
	bool sink;
	bool irq_in_open;
	enum uio_test_own own;
	u32 owner;
	struct uio_test_slot *slot;
	struct uio_test_mem *mem[MAX_UIO_MAPS];
};

/* main.c */
extern struct platform_device *uio_test_pdev;

/* control.c: commands, slots */
int uio_test_control_init(void);
void uio_test_control_exit(void);
void uio_test_stall(struct uio_test_slot *slot, enum uio_test_callback callback);
void uio_test_let_go(struct uio_test_slot *slot);
struct uio_test_slot *uio_test_slot_find(const char *name);

/* device.c: the driver */
int uio_test_device_alloc(struct uio_test_slot *slot, char **args);
void uio_test_device_free(struct uio_test_device *dev);
int uio_test_register(struct uio_test_slot *slot);
void uio_test_unregister(struct uio_test_slot *slot);
void uio_test_put(struct uio_test_slot *slot);
int uio_test_devm_probe(struct platform_device *pdev);

/* context.c: what mainline's core lacks */
int uio_test_context_init(struct uio_test_device *dev);
void uio_test_context_put(struct uio_test_device *dev);
int uio_test_context_register(struct device *parent, struct uio_test_device *dev);
int uio_test_revoke(struct uio_test_device *dev);
int uio_test_drain(struct uio_test_device *dev);
int uio_test_unmap(struct uio_test_device *dev, unsigned int map,
		   unsigned int page, unsigned int pages);

/* action.c: what callbacks do on request */
int uio_test_action_set(struct uio_test_slot *slot,
			enum uio_test_callback callback, char *what);
void uio_test_action(struct uio_test_slot *slot, enum uio_test_callback callback);
int uio_test_under(const char *lock, void (*fn)(struct uio_test_slot *slot),
		   struct uio_test_slot *slot, const char *inner);

/* memory.c */
struct uio_test_mem *uio_test_mem_alloc(struct uio_test_slot *slot, int kind,
					unsigned int map, size_t size, bool lasts,
					bool owned);
void uio_test_mem_free(struct uio_test_mem *mem);
void uio_test_mem_own(const struct uio_test_mem *mem, u32 owner);
void uio_test_mem_disown(const struct uio_test_mem *mem, u32 owner);
bool uio_test_mem_is_io(const struct uio_test_mem *mem);
void uio_test_mem_exit(void);
int uio_test_mem_kind(const char *name);
void uio_test_mem_describe(const struct uio_test_mem *mem, struct uio_mem *to);
bool uio_test_mem_is_bare(int kind);
int uio_test_mem_describe_bare(int kind, unsigned int map, unsigned int pages,
			       struct uio_mem *to);

/* own_mmap.c: mmap() by the driver */
extern const bool uio_test_can_populate;
int uio_test_mmap(struct uio_info *info, struct vm_area_desc *desc);

/* storm.c: interrupts while the driver says that there will be no more */
int uio_test_storm(struct uio_info *info, int fd);

/* stale.c: the same while somebody looks whether the device has events */
#ifdef CONFIG_X86
int uio_test_stale(struct uio_info *info, int fd);
#else
static inline int uio_test_stale(struct uio_info *info, int fd)
{
	return -EOPNOTSUPP;
}
#endif

/* page_entry.c: what page tables say */
extern const struct file_operations uio_test_caching_fops;

#endif /* _UIO_TEST_H */
