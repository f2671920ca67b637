/* SPDX-License-Identifier: GPL-2.0-only */
/* Kinds of memory, and looking at mappings of them. */

#ifndef _UIO_SAME_MEMORY_H
#define _UIO_SAME_MEMORY_H

#include "same.h"

enum memory {
	PHYS,
	PHYS_FAR,	/* no RAM there */
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
	OWN_PFN,	/* shared only: the kernel does not allow another way */
	MEMORIES,
};

/**
 * struct mapping - a mapping of region 0
 * @dev: of the device
 * @fd: through this file
 * @p: where it is
 * @pages: how many there are
 * @first: page of the region that it begins with
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

/* How many pages are present; how they are, page by page where they differ. */
int present_pages(const struct mapping *m);
void fact_table(const char *name, const struct mapping *m);
void fact_page(const char *name, const struct mapping *m, int page);

/* What /proc tells of the mapping. */
void fact_maps(const struct mapping *m);
void fact_vma(const char *when, const struct mapping *m);
void fact_resident(const char *name, const struct mapping *m);

/* Touch every page: faults, signals, and if the words are those of the region. */
void fact_reads(const char *name, const struct mapping *m);
void fact_writes(const char *name, const struct mapping *m, unsigned int word);
/* Which of the words written there does the driver see? */
void fact_seen(const char *name, const struct mapping *m, unsigned int word);
int touch(const void *p);

/* A figure of /proc/self/status. */
long status_kb(const char *field);

#endif /* _UIO_SAME_MEMORY_H */
