// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench: mmap, munmap, and touches of mappings.
 */

#include <err.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* Bytes that one page table maps. */
#define TABLE	(2 << 20)

static void setup(void)
{
	device_make(UIO_BENCH_REGIONS);
}

static uint64_t op_mmap_munmap(void)
{
	uint64_t start = counter();

	unmap(map(file, UIO_BENCH_VIRTUAL, 16 * PAGE), 16 * PAGE);
	return counter() - start;
}

/*
 * I/O memory is mapped by mmap() or by the first touch, so both count.
 */
static uint64_t map_touch_unmap(unsigned int region)
{
	uint64_t start = counter();
	char *p = map(file, region, PAGE);

	touch(p);
	unmap(p, PAGE);
	return counter() - start;
}

static uint64_t op_touch_phys(void)
{
	return map_touch_unmap(UIO_BENCH_PHYS);
}

static uint64_t op_touch_iova(void)
{
	return map_touch_unmap(UIO_BENCH_IOVA);
}

/* Touches a mapping of a single page. */
static uint64_t touch_one(unsigned int region)
{
	char *p = map(file, region, PAGE);
	uint64_t start = counter(), took;

	touch(p);
	took = counter() - start;
	unmap(p, PAGE);
	return took;
}

static uint64_t op_touch_logical(void)
{
	return touch_one(UIO_BENCH_LOGICAL);
}

static uint64_t op_touch_virtual(void)
{
	return touch_one(UIO_BENCH_VIRTUAL);
}

static uint64_t op_touch_none(void)
{
	return touch_one(UIO_BENCH_NONE);
}

/* Touches 64 MiB every @step bytes. */
static uint64_t touch_all(unsigned int region, size_t step)
{
	char *p = map(file, region, UIO_BENCH_SIZE);
	uint64_t start = counter(), took;
	size_t i;

	for (i = 0; i < UIO_BENCH_SIZE; i += step)
		touch(p + i);
	took = counter() - start;
	unmap(p, UIO_BENCH_SIZE);
	return took;
}

static uint64_t op_touch64_virtual(void)
{
	return touch_all(UIO_BENCH_VIRTUAL, PAGE);
}

static uint64_t op_touch64_logical(void)
{
	return touch_all(UIO_BENCH_LOGICAL, PAGE);
}

static uint64_t op_touch64_none(void)
{
	return touch_all(UIO_BENCH_NONE, PAGE);
}

/* One page of each page table, so pages mapped in advance are of no use. */
static uint64_t op_touch_sparse(void)
{
	return touch_all(UIO_BENCH_VIRTUAL, TABLE);
}

/* Every second page: an unlikely order. */
static uint64_t op_touch_halves(void)
{
	return touch_all(UIO_BENCH_VIRTUAL, 2 * PAGE);
}

/* Forks a child that touches nothing. The process has touched all of its 64 MiB. */
static uint64_t op_fork64(void)
{
	char *p = map(file, UIO_BENCH_VIRTUAL, UIO_BENCH_SIZE);
	uint64_t start, took;
	size_t i;
	pid_t pid;

	for (i = 0; i < UIO_BENCH_SIZE; i += PAGE)
		touch(p + i);
	start = counter();
	pid = fork();
	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		err(1, "fork");
	took = counter() - start;
	unmap(p, UIO_BENCH_SIZE);
	return took;
}

static bool has_fault_operation(const struct form *form)
{
	return form->core == UIO_BENCH_FLOOR || form->context;
}

/* Long cases run seven times, because other work of the kernel may disturb two or three runs. */
const struct bench_case map_cases[] = {
	{ "mmap-munmap", setup, op_mmap_munmap, device_remove, 1, 501, NULL },
	{ "touch-phys", setup, op_touch_phys, device_remove, 1, 501, NULL },
	{ "touch-iova", setup, op_touch_iova, device_remove, 1, 501, NULL },
	{ "touch-logical", setup, op_touch_logical, device_remove, 1, 501, NULL },
	{ "touch-virtual", setup, op_touch_virtual, device_remove, 1, 501, NULL },
	{ "touch-none", setup, op_touch_none, device_remove, 1, 501, has_fault_operation },
	{ "touch64-virtual", setup, op_touch64_virtual, device_remove, 1, 7, NULL },
	{ "touch64-logical", setup, op_touch64_logical, device_remove, 1, 7, NULL },
	{ "touch64-none", setup, op_touch64_none, device_remove, 1, 7, has_fault_operation },
	{ "touch-sparse", setup, op_touch_sparse, device_remove, 1, 7, NULL },
	{ "touch-halves", setup, op_touch_halves, device_remove, 1, 7, NULL },
	{ "fork64", setup, op_fork64, device_remove, 1, 7, NULL },
	{ 0 }
};
