/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uio_same: what the probe tells the driver, by ioctl. Each open file of
 * UIO_SAME_NODE is a driver with one UIO device, which goes with the file. A read()
 * gives what the driver has seen since the last one, in words.
 */

#ifndef _UIO_SAME_ABI_H
#define _UIO_SAME_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define UIO_SAME_NODE	"/dev/uio_same"

/* Interrupt lines; the first two are UIO's own numbers. */
#define UIO_SAME_IRQ_NONE	0
#define UIO_SAME_IRQ_CUSTOM	(-1)
#define UIO_SAME_IRQ_LINE	(-2)	/* one of the driver's, without hardware */
#define UIO_SAME_IRQ_LEAVE	(-3)	/* no change */

/* Types of memory, as in uio_driver.h. */
#define UIO_SAME_NONE		0
#define UIO_SAME_PHYS		1
#define UIO_SAME_LOGICAL	2
#define UIO_SAME_VIRTUAL	3
#define UIO_SAME_IOVA		4
#define UIO_SAME_DMA		5

/* What is behind a region. */
enum uio_same_backing {
	UIO_SAME_NOTHING,	/* the address is above UIO_SAME_FAR, not used before */
	UIO_SAME_PAGES,
	UIO_SAME_VMALLOC,
	UIO_SAME_COHERENT,
};

/* From here on there is no RAM, and the kernel has mapped nothing. */
#define UIO_SAME_FAR		0x800000000ULL

enum uio_same_callback {
	UIO_SAME_OPEN,
	UIO_SAME_RELEASE,
	UIO_SAME_IRQCONTROL,
	UIO_SAME_MMAP,
	UIO_SAME_LOCKED,	/* not one, but like one: see UIO_SAME_LOCK */
	UIO_SAME_CALLBACKS,
};

/* What the driver's own mmap does. */
enum uio_same_mmap {
	UIO_SAME_MMAP_NONE,	/* there is none */
	UIO_SAME_MMAP_EMPTY,	/* it does nothing */
	UIO_SAME_MMAP_WC,	/* remap_pfn_range(), write-combined */
	UIO_SAME_MMAP_INSERT,	/* all pages at once */
	UIO_SAME_MMAP_FAULT,	/* a fault handler */
	UIO_SAME_MMAP_COUNT,	/* one that counts its mappings by open and close */
	UIO_SAME_MMAP_CLOSE,	/* or hears of their end only */
	UIO_SAME_MMAP_ALL,	/* with all other operations that have to do with pages */
	UIO_SAME_MMAP_PFN,	/* and with page frames */
	UIO_SAME_MMAPS,
};

enum uio_same_field {
	UIO_SAME_NAME,
	UIO_SAME_VERSION,
	UIO_SAME_IRQ,
	UIO_SAME_IRQ_FLAGS,
	UIO_SAME_HANDLED,	/* what the interrupt handler returns */
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
	UIO_SAME_HAS,		/* is there the callback of that index */
	UIO_SAME_OWN_MMAP,
	UIO_SAME_RETURN,	/* what the callback of that index returns */
	UIO_SAME_IRQ_IN,	/* the interrupt line that it sets */
	UIO_SAME_NOTIFY_IN,	/* how often it notifies */
	UIO_SAME_FIELDS,
};

/**
 * struct uio_same_set - a field of struct uio_info, or of how the driver behaves
 * @field: enum uio_same_field
 * @index: of the region or the callback
 * @value: a number
 * @text: or the address of a string; 0: NULL
 */
struct uio_same_set {
	__u32 field;
	__u32 index;
	__s64 value;
	__u64 text;
};

/**
 * struct uio_same_alloc - make a region, or give one other memory
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
 * struct uio_same_word - a word of a region, as the driver sees it
 * @index: of the region
 * @page: in it
 * @word: its first word
 */
struct uio_same_word {
	__u32 index;
	__u32 page;
	__u32 word;
};

/**
 * struct uio_same_pfn - where a page of a region is
 * @index: of the region
 * @page: in it
 * @pfn: its number, 0 if there is none
 */
struct uio_same_pfn {
	__u32 index;
	__u32 page;
	__u64 pfn;
};

/**
 * struct uio_same_pte - a page table entry of the caller's
 * @addr: an address in its address space
 * @value: the entry as it is, 0: there is none
 * @pfn: the page that it shows
 * @present: it is present
 */
struct uio_same_pte {
	__u64 addr;
	__u64 value;
	__u64 pfn;
	__u32 present;
};

/**
 * struct uio_same_zap - part of the address space that info->open() was given
 * @from: the first byte
 * @bytes: how many, 0: all
 */
struct uio_same_zap {
	__u64 from;
	__u64 bytes;
};

/* How to register. */
#define UIO_SAME_NO_PARENT	1
#define UIO_SAME_NO_INFO	2
#define UIO_SAME_DEVM		4	/* bound to a parent that goes first */
#define UIO_SAME_NO_OWNER	8	/* as a driver that is built in */

#define UIO_SAME_SET		_IOW('S', 0, struct uio_same_set)
#define UIO_SAME_ALLOC		_IOW('S', 1, struct uio_same_alloc)
#define UIO_SAME_REGISTER	_IO('S', 2)
#define UIO_SAME_UNREGISTER	_IO('S', 3)
#define UIO_SAME_UNREG_NULL	_IO('S', 4)
#define UIO_SAME_REG_TWICE	_IO('S', 5)	/* UNREGISTER undoes both */
#define UIO_SAME_NOTIFY		_IO('S', 6)
#define UIO_SAME_INTERRUPT	_IO('S', 7)
#define UIO_SAME_MINOR		_IO('S', 8)	/* its return value */
#define UIO_SAME_DWELL		_IO('S', 9)	/* a mask of callbacks that wait inside */
#define UIO_SAME_INSIDE		_IO('S', 10)	/* how many wait in a callback */
#define UIO_SAME_PEEK		_IOWR('S', 11, struct uio_same_word)
#define UIO_SAME_POKE		_IOW('S', 12, struct uio_same_word)
#define UIO_SAME_PFN		_IOWR('S', 13, struct uio_same_pfn)
#define UIO_SAME_PTE		_IOWR('S', 14, struct uio_same_pte)
#define UIO_SAME_MOST		_IO('S', 15)	/* how many have been inside at once */
#define UIO_SAME_HOLD_UEVENTS	_IO('S', 16)	/* REGISTER waits before each of them */
#define UIO_SAME_HELD		_IO('S', 17)	/* which one it waits before, from 1 on */
#define UIO_SAME_GO_ON		_IO('S', 18)	/* let that one go */
#define UIO_SAME_LINE		_IO('S', 19)	/* number of the interrupt line */
#define UIO_SAME_ZAP		_IOW('S', 20, struct uio_same_zap)
#define UIO_SAME_COUNT_TO	_IO('S', 21)	/* set the count of events */
#define UIO_SAME_WAKE		_IO('S', 22)	/* an event without uio_event_notify() */
#define UIO_SAME_ATTRIBUTE	_IO('S', 23)	/* of the driver's: 1 add, 0 remove */
#define UIO_SAME_LOCK		_IO('S', 24)	/* take info_lock, and dwell */
#define UIO_SAME_SHOWN		_IO('S', 25)	/* a mask of regions, and << 8 of ports */

/* What a page of a region is filled with. */
#define UIO_SAME_WORD(index, page)	(0x5a3e0000u | (index) << 8 | (page))

#endif /* _UIO_SAME_ABI_H */
