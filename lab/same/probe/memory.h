/* SPDX-License-Identifier: GPL-2.0-only */
/* Kinds of memory, and facts about their mappings. */

#ifndef _UIO_SAME_MEMORY_H
#define _UIO_SAME_MEMORY_H

#include "same.h"

enum memory {
	PHYS,
	PHYS_FAR,	/* not RAM */
	IOVA,
	IOVA_FAR,
	LOGICAL,
	VIRTUAL,
	DMA,
	NONE,
	OWN_EMPTY,	/* by the driver's own mmap */
	OWN_WC,
	OWN_WC_FAR,
	OWN_INSERT,
	OWN_FAULT,
	OWN_COUNT,
	OWN_CLOSE,
	OWN_ALL,
	OWN_PFN,	/* only shared: the kernel refuses a private mapping */
	MEMORIES,
};

/**
 * struct mapping - a mapping of region 0
 * @dev: the device
 * @fd: the file that it was made with
 * @p: its address
 * @pages: its size
 * @first: the page of the region where it begins
 */
struct mapping {
	const struct dev *dev;
	int fd;
	char *p;
	int pages;
	int first;
};

struct dev dev_of(enum memory memory, int pages);
struct mapping map(const struct dev *dev, int fd, int pages, int flags);
void unmap(const struct mapping *m);
bool mapped(const struct mapping *m);

/* The number of present pages; the table entries of all pages, as ranges. */
int present_pages(const struct mapping *m);
void fact_table(const char *name, const struct mapping *m);
void fact_page(const char *name, const struct mapping *m, int page);

/* What /proc says about the mapping. */
void fact_maps(const struct mapping *m);
void fact_vma(const char *when, const struct mapping *m);
void fact_resident(const char *name, const struct mapping *m);

/* Touch each page. Facts: faults, signals, and whether the words are the region's. */
void fact_reads(const char *name, const struct mapping *m);
void fact_writes(const char *name, const struct mapping *m, unsigned int word);
/* Which of the words written there does the driver see? */
void fact_seen(const char *name, const struct mapping *m, unsigned int word);
int touch(const void *p);

/* A figure of /proc/self/status. */
long status_kb(const char *field);

#endif /* _UIO_SAME_MEMORY_H */
