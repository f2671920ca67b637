/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uio_same: a driver that does what the probe asks for, and logs what the core does to it.
 * The same binary runs on mainline's core and on ours.
 */

#ifndef _UIO_SAME_H
#define _UIO_SAME_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/spinlock.h>
#include <linux/uio_driver.h>
#include <linux/version.h>
#include <linux/wait.h>

#include "uio_same_abi.h"

/* Before 7.2, a driver's own mmap callback is info->mmap, which gets a VMA. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
#define mmap_prepare	mmap
#define vm_area_desc	vm_area_struct
#endif

#define UIO_SAME_LOG	16384

/**
 * struct uio_same_mem - the memory of a region
 * @node: in the driver's list, until the driver goes
 * @backing: its kind
 * @addr: its address in the kernel
 * @far: its physical address, for UIO_SAME_NOTHING
 * @dma_addr: for UIO_SAME_COHERENT
 * @pages: its size
 */
struct uio_same_mem {
	struct list_head node;
	enum uio_same_backing backing;
	void *addr;
	phys_addr_t far;
	dma_addr_t dma_addr;
	unsigned int pages;
};

/**
 * struct uio_same_text - a string that lasts as long as the driver
 * @node: in the driver's list
 * @text: the string
 */
struct uio_same_text {
	struct list_head node;
	char *text;
};

/**
 * struct uio_same_behaviour - what a callback does
 * @ret: its return value
 * @irq: the interrupt line that it sets, or UIO_SAME_IRQ_LEAVE
 * @notify: number of notifications that it sends
 * @inside: number of calls that wait in it now
 */
struct uio_same_behaviour {
	int ret;
	long irq;
	unsigned int notify;
	atomic_t inside;
};

/**
 * struct uio_same - a driver and its device
 * @info: what it registers
 * @first: the first uio_device, if @info was registered twice
 * @registered: between registration and unregistration
 * @pdev: the parent of a devm registration, else NULL
 * @mem: the memory of the regions
 * @mems: all memory that the regions have ever had
 * @texts: all strings that the driver has ever had
 * @line: interrupt line, or 0
 * @handled: what the interrupt handler returns
 * @own_mmap: what the driver's own mmap does
 * @behaviour: what callbacks do
 * @dwell: mask of callbacks that have to wait
 * @wait: where they wait
 * @inside: number of calls that are in callbacks now
 * @most: the highest value of @inside so far
 * @inserted: pages for UIO_SAME_MMAP_INSERT, which the core reads later
 * @mapping: i_mapping of the inode that info->open() got
 * @attribute: the driver has added its attribute
 * @log_lock: protects @log and @logged
 * @log: what the driver has seen
 * @logged: bytes in @log
 * @registrar: the task whose uevents wait, or NULL
 * @held: number of the uevent that waits, from 1, or 0
 * @let_go: number of uevents that may go on
 */
struct uio_same {
	struct uio_info info;
	struct uio_device *first;
	bool registered;
	struct platform_device *pdev;
	struct uio_same_mem *mem[MAX_UIO_MAPS];
	struct list_head mems;
	struct list_head texts;
	int line;
	irqreturn_t handled;
	enum uio_same_mmap own_mmap;

	struct uio_same_behaviour behaviour[UIO_SAME_CALLBACKS];
	unsigned long dwell;
	wait_queue_head_t wait;
	atomic_t inside;
	int most;

	struct page **inserted;
	struct address_space *mapping;
	bool attribute;

	spinlock_t log_lock;	/* see above */
	char log[UIO_SAME_LOG];
	size_t logged;

	struct task_struct *registrar;
	unsigned int held;
	unsigned int let_go;
};

extern struct platform_device *uio_same_pdev;

/* driver.c */
void uio_same_init(struct uio_same *same);
__printf(2, 3) void uio_same_log(struct uio_same *same, const char *fmt, ...);
int uio_same_set(struct uio_same *same, const struct uio_same_set *set);
int uio_same_register(struct uio_same *same, unsigned long how);
void uio_same_unregister(struct uio_same *same);
int uio_same_register_twice(struct uio_same *same);
int uio_same_callback(struct uio_same *same, enum uio_same_callback callback);
int uio_same_line(struct uio_same *same);
void uio_same_exit(struct uio_same *same);
int uio_same_probe(struct platform_device *pdev);

/* memory.c */
int uio_same_alloc(struct uio_same *same, const struct uio_same_alloc *alloc);
int uio_same_word(struct uio_same *same, struct uio_same_word *word, bool write);
struct page *uio_same_page(const struct uio_same_mem *mem, unsigned long page);
int uio_same_pfn(struct uio_same *same, struct uio_same_pfn *pfn);
void uio_same_mem_exit(struct uio_same *same);

/* own.c */
int uio_same_own_mmap(struct uio_info *info, struct vm_area_desc *desc);
bool uio_same_is_own_ops(const struct vm_operations_struct *ops);

/* device.c: direct use of the core's objects */
int uio_same_zap(struct uio_same *same, const struct uio_same_zap *zap);
int uio_same_count_to(struct uio_same *same, int count);
int uio_same_wake(struct uio_same *same);
int uio_same_attribute(struct uio_same *same, bool on);
int uio_same_shown(const struct uio_same *same);
int uio_same_lock(struct uio_same *same);

/* tables.c */
void uio_same_pte(struct uio_same_pte *pte);

/* uevent.c */
int uio_same_uevents_init(void);
void uio_same_uevents_exit(void);
int uio_same_uevents_hold(struct uio_same *same);
void uio_same_uevents_end(struct uio_same *same);

#endif /* _UIO_SAME_H */
