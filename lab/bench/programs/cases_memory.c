// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench: bytes of kernel memory for each device, open file and mapping. This is the
 * memory that the slab caches have in use with many of them, minus that without.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

#define DEVICES	1000
#define FILES	4000

static int files[FILES];
static void *maps[FILES];

static uint64_t slab_bytes(void)
{
	unsigned long used, size;
	uint64_t sum = 0;
	char line[512];
	FILE *info;

	/* RCU and workers have time to free memory */
	usleep(200000);
	info = fopen("/proc/slabinfo", "r");
	if (!info)
		die("no /proc/slabinfo");
	while (fgets(line, sizeof(line), info))
		if (sscanf(line, "%*s %lu %*u %lu", &used, &size) == 2)
			sum += (uint64_t)used * size;
	fclose(info);
	return sum;
}

/* The devices have consecutive numbers. The driver returns the name of the last one. */
static void open_all_once(void)
{
	size_t len;
	int i, last;

	if (ioctl(control, UIO_BENCH_NAME, node))
		die("a device has no name");
	len = strcspn(node, "0123456789");
	last = atoi(node + len);
	for (i = 0; i < DEVICES; i++) {
		snprintf(node + len, sizeof(node) - len, "%d", last - i);
		close(device_open(O_RDWR));
	}
}

static uint64_t device_bytes(bool opened)
{
	uint64_t before, took;

	device_add(UIO_BENCH_VIRTUAL + 1, DEVICES);
	before = slab_bytes();
	if (ioctl(control, UIO_BENCH_REGISTER, &took))
		die("can't register %d devices", DEVICES);
	if (opened)
		open_all_once();
	took = slab_bytes() - before;
	device_remove();
	return took / DEVICES;
}

static uint64_t op_device(void)
{
	return device_bytes(false);
}

static uint64_t op_opened(void)
{
	return device_bytes(true);
}

static void setup_files(void)
{
	allow_files(FILES);
	device_make(UIO_BENCH_VIRTUAL + 1);
	/* the table of descriptors grows now, and not while this measures; it never shrinks */
	close(dup2(file, FILES + 50));
}

static uint64_t op_file(void)
{
	uint64_t before = slab_bytes(), took;
	int i;

	for (i = 0; i < FILES; i++)
		files[i] = device_open(2);
	took = slab_bytes() - before;
	for (i = 0; i < FILES; i++)
		close(files[i]);
	return took / FILES;
}

static uint64_t op_mapping(void)
{
	uint64_t before = slab_bytes(), took;
	int i;

	for (i = 0; i < FILES; i++) {
		maps[i] = map(file, UIO_BENCH_VIRTUAL, PAGE);
		touch(maps[i]);
	}
	took = slab_bytes() - before;
	for (i = 0; i < FILES; i++)
		unmap(maps[i], PAGE);
	return took / FILES;
}

const struct bench_case memory_cases[] = {
	{ .name = "memory-device", .op = op_device, .repeats = 1, .batches = 3,
	  .is_result = true },
	{ .name = "memory-opened", .op = op_opened, .repeats = 1, .batches = 3,
	  .is_result = true },
	{ .name = "memory-file", .setup = setup_files, .op = op_file,
	  .teardown = device_remove, .repeats = 1, .batches = 3, .is_result = true },
	{ .name = "memory-mapping", .setup = setup_files, .op = op_mapping,
	  .teardown = device_remove, .repeats = 1, .batches = 3, .is_result = true },
	{ 0 }
};
