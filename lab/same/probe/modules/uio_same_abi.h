/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uio_same: the probe's commands to the driver, by ioctl. Each open file of
 * UIO_SAME_NODE is a driver with one UIO device, which ends with the file. A read() returns
 * what the driver has seen since the last read(), as text.
 */

#ifndef _UIO_SAME_ABI_H
#define _UIO_SAME_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define UIO_SAME_NODE	"/dev/uio_same"

/* Interrupt lines; the first two are UIO's own numbers. */
#define UIO_SAME_IRQ_NONE	0
#define UIO_SAME_IRQ_CUSTOM	(-1)
#define UIO_SAME_IRQ_LINE	(-2)	/* a line of the driver, without hardware */
#define UIO_SAME_IRQ_LEAVE	(-3)	/* no change */

/* Types of memory, as in uio_driver.h. */
#define UIO_SAME_NONE		0
#define UIO_SAME_PHYS		1
#define UIO_SAME_LOGICAL	2
#define UIO_SAME_VIRTUAL	3
#define UIO_SAME_IOVA		4
#define UIO_SAME_DMA		5

/* Kinds of memory of a region. */
enum uio_same_backing {
	UIO_SAME_NOTHING,	/* an unused address above UIO_SAME_FAR */
	UIO_SAME_PAGES,
	UIO_SAME_VMALLOC,
	UIO_SAME_COHERENT,
};

/* From this address on, there is no RAM, and the kernel has mapped nothing. */
#define UIO_SAME_FAR		0x800000000ULL

enum uio_same_callback {
	UIO_SAME_OPEN,
	UIO_SAME_RELEASE,
	UIO_SAME_IRQCONTROL,
	UIO_SAME_MMAP,
	UIO_SAME_LOCKED,	/* no callback, but it can wait like one: see UIO_SAME_LOCK */
	UIO_SAME_CALLBACKS,
};

/* What the driver's own mmap does. */
enum uio_same_mmap {
	UIO_SAME_MMAP_NONE,	/* the driver has no mmap */
	UIO_SAME_MMAP_EMPTY,	/* it does nothing */
	UIO_SAME_MMAP_WC,	/* remap_pfn_range(), write-combined */
	UIO_SAME_MMAP_INSERT,	/* inserts all pages at once */
	UIO_SAME_MMAP_FAULT,	/* has a fault handler */
	UIO_SAME_MMAP_COUNT,	/* the same, with open and close to count mappings */
	UIO_SAME_MMAP_CLOSE,	/* the same, with close only */
	UIO_SAME_MMAP_ALL,	/* the same, with all other operations for pages */
	UIO_SAME_MMAP_PFN,	/* the same, with all other operations for page frames */
	UIO_SAME_MMAPS,
};

enum uio_same_field {
	UIO_SAME_NAME,
	UIO_SAME_VERSION,
	UIO_SAME_IRQ,
	UIO_SAME_IRQ_FLAGS,
	UIO_SAME_HANDLED,	/* the return value of the interrupt handler */
	UIO_SAME_MEM_NAME,
	UIO_SAME_MEM_ADDR,
	UIO_SAME_MEM_ADD,	/* added to the address */
	UIO_SAME_MEM_BUS_ADD,	/* added to dma_addr */
	UIO_SAME_MEM_OFFS,
	UIO_SAME_MEM_SIZE,
	UIO_SAME_MEM_TYPE,
	UIO_SAME_MEM_DEVICE,	/* 0: no dma_device */
	UIO_SAME_PORT_NAME,
	UIO_SAME_PORT_START,
	UIO_SAME_PORT_SIZE,
	UIO_SAME_PORT_TYPE,
	UIO_SAME_HAS,		/* whether the driver has the callback of that index */
	UIO_SAME_OWN_MMAP,
	UIO_SAME_RETURN,	/* the return value of the callback of that index */
	UIO_SAME_IRQ_IN,	/* the interrupt line that it sets */
	UIO_SAME_NOTIFY_IN,	/* the number of notifications that it sends */
	UIO_SAME_FIELDS,
};

/**
 * struct uio_same_set - set a field of struct uio_info, or the driver's behaviour
 * @field: enum uio_same_field
 * @index: of the region or the callback
 * @value: a number
 * @text: for fields that are strings: its address, or 0 for NULL
 */
struct uio_same_set {
	__u32 field;
	__u32 index;
	__s64 value;
	__u64 text;
};

/**
 * struct uio_same_alloc - make a region, or give it other memory
 * @index: of the region
 * @backing: enum uio_same_backing
 * @type: of memory
 * @pages: how many
 */
struct uio_same_alloc {
	__u32 index;
	__u32 backing;
	__s32 type;
	__u32 pages;
};

/**
 * struct uio_same_word - the first word of a page, as the driver sees it
 * @index: of the region
 * @page: index of the page in the region
 * @word: the word
 */
struct uio_same_word {
	__u32 index;
	__u32 page;
	__u32 word;
};

/**
 * struct uio_same_pfn - the page frame number of a page
 * @index: of the region
 * @page: index of the page in the region
 * @pfn: its number; 0: there is none
 */
struct uio_same_pfn {
	__u32 index;
	__u32 page;
	__u64 pfn;
};

/**
 * struct uio_same_pte - a page table entry of the caller
 * @addr: an address in its address space
 * @value: the entry; 0: there is none
 * @pfn: the page frame number in the entry
 * @present: whether the entry is present
 */
struct uio_same_pte {
	__u64 addr;
	__u64 value;
	__u64 pfn;
	__u32 present;
};

/**
 * struct uio_same_zap - a part of the i_mapping of the inode that info->open() got
 * @from: the first byte
 * @bytes: number of bytes; 0: all
 */
struct uio_same_zap {
	__u64 from;
	__u64 bytes;
};

/* How to register. */
#define UIO_SAME_NO_PARENT	1
#define UIO_SAME_NO_INFO	2
#define UIO_SAME_DEVM		4	/* managed by a parent, which ends first */
#define UIO_SAME_NO_OWNER	8	/* like a built-in driver */

#define UIO_SAME_SET		_IOW('S', 0, struct uio_same_set)
#define UIO_SAME_ALLOC		_IOW('S', 1, struct uio_same_alloc)
#define UIO_SAME_REGISTER	_IO('S', 2)
#define UIO_SAME_UNREGISTER	_IO('S', 3)
#define UIO_SAME_UNREG_NULL	_IO('S', 4)
#define UIO_SAME_REG_TWICE	_IO('S', 5)	/* UNREGISTER undoes both */
#define UIO_SAME_NOTIFY		_IO('S', 6)
#define UIO_SAME_INTERRUPT	_IO('S', 7)
#define UIO_SAME_MINOR		_IO('S', 8)	/* returned by the ioctl */
#define UIO_SAME_DWELL		_IO('S', 9)	/* a mask of callbacks that wait inside */
#define UIO_SAME_INSIDE		_IO('S', 10)	/* how many wait in a callback */
#define UIO_SAME_PEEK		_IOWR('S', 11, struct uio_same_word)
#define UIO_SAME_POKE		_IOW('S', 12, struct uio_same_word)
#define UIO_SAME_PFN		_IOWR('S', 13, struct uio_same_pfn)
#define UIO_SAME_PTE		_IOWR('S', 14, struct uio_same_pte)
#define UIO_SAME_MOST		_IO('S', 15)	/* the highest number of calls inside at once */
#define UIO_SAME_HOLD_UEVENTS	_IO('S', 16)	/* REGISTER waits before each of them */
#define UIO_SAME_HELD		_IO('S', 17)	/* number of the uevent that waits, from 1 */
#define UIO_SAME_GO_ON		_IO('S', 18)	/* let this uevent go on */
#define UIO_SAME_LINE		_IO('S', 19)	/* number of the interrupt line */
#define UIO_SAME_ZAP		_IOW('S', 20, struct uio_same_zap)
#define UIO_SAME_COUNT_TO	_IO('S', 21)	/* set the count of events */
#define UIO_SAME_WAKE		_IO('S', 22)	/* an event without uio_event_notify() */
#define UIO_SAME_ATTRIBUTE	_IO('S', 23)	/* add (1) or remove (0) the driver's attribute */
#define UIO_SAME_LOCK		_IO('S', 24)	/* take info_lock, and dwell */
#define UIO_SAME_SHOWN		_IO('S', 25)	/* a mask of regions, and << 8 of ports */

/* The word that fills a page of a region. */
#define UIO_SAME_WORD(index, page)	(0x5a3e0000u | (index) << 8 | (page))

#endif /* _UIO_SAME_ABI_H */
