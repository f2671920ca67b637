// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench: memory to map. All devices use it, and it lasts as long as the module, so that
 * all rounds use the same pages.
 */

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include "uio_bench.h"

/* The largest blocks that the kernel has. Adjacent ones make up 64 MiB. */
#define CHUNK	SZ_4M
#define WANTED		(UIO_BENCH_SIZE / CHUNK)
#define CHUNKS		(4 * WANTED)

static void *virtual, *iova;
static unsigned long chunks[CHUNKS];
static unsigned int nr_chunks, first;

static int compare(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a;
	unsigned long y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

static bool in_a_row(unsigned int from)
{
	unsigned int i;

	for (i = 1; i < WANTED; i++)
		if (chunks[from + i] != chunks[from] + i * CHUNK)
			return false;
	return true;
}

static void free_chunk(unsigned int i)
{
	if (chunks[i])
		free_pages_exact((void *)chunks[i], CHUNK);
	chunks[i] = 0;
}

/* A real driver would reserve this memory at boot. */
static int get_logical(void)
{
	unsigned int i;

	for (nr_chunks = 0; nr_chunks < CHUNKS; nr_chunks++) {
		chunks[nr_chunks] = (unsigned long)
			alloc_pages_exact(CHUNK, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
		if (!chunks[nr_chunks])
			break;
	}
	sort(chunks, nr_chunks, sizeof(*chunks), compare, NULL);

	for (first = 0; first + WANTED <= nr_chunks; first++)
		if (in_a_row(first))
			break;
	if (first + WANTED > nr_chunks)
		return -ENOMEM;

	for (i = 0; i < nr_chunks; i++)
		if (i < first || i >= first + WANTED)
			free_chunk(i);
	return 0;
}

int uio_bench_memory_init(void)
{
	int ret = get_logical();

	virtual = vzalloc(UIO_BENCH_SIZE);
	iova = alloc_pages_exact(UIO_BENCH_IO_SIZE, GFP_KERNEL | __GFP_ZERO);
	if (!ret && virtual && iova)
		return 0;

	uio_bench_memory_exit();
	return -ENOMEM;
}

void uio_bench_memory_exit(void)
{
	unsigned int i;

	for (i = 0; i < nr_chunks; i++)
		free_chunk(i);
	if (iova)
		free_pages_exact(iova, UIO_BENCH_IO_SIZE);
	vfree(virtual);
}

/**
 * uio_bench_describe - describe a region
 * @region: UIO_BENCH_VIRTUAL and so on
 * @mem: gets the description
 */
void uio_bench_describe(unsigned int region, struct uio_mem *mem)
{
	mem->name = "region";
	mem->size = UIO_BENCH_SIZE;

	switch (region) {
	case UIO_BENCH_VIRTUAL:
		mem->memtype = UIO_MEM_VIRTUAL;
		mem->addr = (phys_addr_t)(unsigned long)virtual;
		break;
	case UIO_BENCH_LOGICAL:
		mem->memtype = UIO_MEM_LOGICAL;
		mem->addr = (phys_addr_t)chunks[first];
		break;
	case UIO_BENCH_PHYS:
		/* every PC has its firmware there: it is not RAM, like the memory of a device */
		mem->memtype = UIO_MEM_PHYS;
		mem->size = UIO_BENCH_IO_SIZE;
		mem->addr = SZ_4G - UIO_BENCH_IO_SIZE;
		break;
	case UIO_BENCH_IOVA:
		mem->memtype = UIO_MEM_IOVA;
		mem->size = UIO_BENCH_IO_SIZE;
		mem->addr = virt_to_phys(iova);
		break;
	default:
		/* with a context, get_pages returns the pages of VIRTUAL */
		mem->memtype = UIO_MEM_NONE;
		mem->addr = (phys_addr_t)(unsigned long)virtual;
	}
}
EXPORT_SYMBOL_GPL(uio_bench_describe);
