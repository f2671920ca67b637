// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench_tcmu consume|touch NODE BYTES: acts as the daemon of a TCMU device of this
 * size. It completes each command as soon as it sees it. Reads and writes move no data, so
 * only the way through the kernel is measured.
 *
 * With touch, large writes wait until 64 MiB of them are in the ring's data area. Then this
 * touches all of it through new mappings, and prints the median cost. After that it serves
 * commands again.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "counter.h"
#include "uio_testlib_ring.h"

#define SECTOR	512
#define PAGE	4096
#define TOUCH	(64ul << 20)
#define LARGE	(64 << 10)
#define DISK	0x00
#define TIMES	3

static struct tcmu_mailbox *ring;
static size_t ring_size;
static uint64_t sectors;
static int fd;

static void die(const char *what)
{
	fprintf(stderr, "uio_bench_tcmu: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void put_be(unsigned char *to, int bytes, uint64_t value)
{
	while (bytes--) {
		to[bytes] = value;
		value >>= 8;
	}
}

static unsigned int get_be32(const unsigned char *from)
{
	return (unsigned int)from[0] << 24 | from[1] << 16 | from[2] << 8 | from[3];
}

static void give_capacity(struct tcmu_cmd_entry *entry, bool is_16)
{
	unsigned char data[32] = { 0 };
	int bytes = is_16 ? 8 : 4;

	put_be(data, bytes, sectors - 1);
	put_be(data + bytes, 4, SECTOR);
	ring_give(ring, entry, data, is_16 ? 32 : 8);
}

/* Executes a command, and returns its SCSI status. */
static int execute(struct tcmu_cmd_entry *entry)
{
	const unsigned char *cdb = ring_cdb(ring, entry);

	switch (cdb[0]) {
	case 0x12:
		if (cdb[1] & 1)
			return RING_CHECK_CONDITION;
		ring_give_identity(ring, entry, DISK, "bench");
		return RING_GOOD;
	case 0x25:
		give_capacity(entry, false);
		return RING_GOOD;
	case 0x9e:
		if ((cdb[1] & 0x1f) != 0x10)
			return RING_CHECK_CONDITION;
		give_capacity(entry, true);
		return RING_GOOD;
	case 0x00: /* test unit ready */
	case 0x08: /* read, write */
	case 0x0a:
	case 0x28:
	case 0x2a:
	case 0x88:
	case 0x8a:
	case 0x1b: /* start, synchronize cache */
	case 0x35:
	case 0x91:
		return RING_GOOD;
	default:
		return RING_CHECK_CONDITION;
	}
}

/* Completes all commands. Returns whether there was one. */
static bool complete_all(void)
{
	uint32_t at = ring->cmd_tail, end = ring_head(ring);
	bool any = at != end;

	while (at != end) {
		struct tcmu_cmd_entry *entry = ring_entry(ring, at);

		if (ring_is_command(entry))
			ring_answer(entry, execute(entry));
		at = ring_after(ring, at);
	}
	ring_set_tail(ring, at);
	return any;
}

/* Returns the bytes of large writes that wait. */
static size_t waiting(void)
{
	uint32_t at = ring->cmd_tail, end = ring_head(ring);
	size_t sum = 0;

	for (; at != end; at = ring_after(ring, at)) {
		struct tcmu_cmd_entry *entry = ring_entry(ring, at);
		const unsigned char *cdb = ring_cdb(ring, entry);

		if (!ring_is_command(entry) || cdb[0] != 0x2a)
			continue;
		/* sectors, 16 bits */
		if ((get_be32(cdb + 6) >> 8 & 0xffff) * SECTOR >= LARGE)
			sum += (get_be32(cdb + 6) >> 8 & 0xffff) * SECTOR;
	}
	return sum;
}

static void *map_ring(void)
{
	void *p = mmap(NULL, ring_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		die("can't map the ring");
	return p;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void touch_data(void)
{
	size_t from = ring->cmdr_off + ring->cmdr_size, i;
	uint64_t took[TIMES];
	int n;

	for (n = 0; n < TIMES; n++) {
		char *p = map_ring();
		uint64_t start = counter();

		for (i = 0; i < TOUCH; i += PAGE)
			*(volatile char *)(p + from + i);
		took[n] = counter() - start;
		munmap(p, ring_size);
	}
	qsort(took, TIMES, sizeof(*took), compare);
	printf("tcmu-touch64 %llu\n", (unsigned long long)took[TIMES / 2]);
	fflush(stdout);
}

static void open_ring(const char *node)
{
	char path[128], size[32] = "";
	int attr;

	snprintf(path, sizeof(path), "/sys/class/uio/%s/maps/map0/size",
		 strrchr(node, '/') + 1);
	attr = open(path, O_RDONLY);
	if (attr < 0 || read(attr, size, sizeof(size) - 1) <= 0)
		die(path);
	close(attr);
	ring_size = strtoul(size, NULL, 0);

	fd = open(node, O_RDWR);
	if (fd < 0)
		die(node);
	ring = map_ring();
}

/* Serves commands until the device is gone. */
static void serve(bool touch)
{
	int event, on = 1;

	for (;;) {
		size_t bytes = touch ? waiting() : 0;

		if (bytes >= TOUCH) {
			touch_data();
			touch = false;
		}
		if ((!touch || !bytes) && complete_all()) {
			if (write(fd, &on, sizeof(on)) != sizeof(on))
				die("can't tell the kernel");
			continue;
		}
		if (read(fd, &event, sizeof(event)) != sizeof(event)) {
			if (errno == EIO)
				return;
			die("read");
		}
	}
}

int main(int argc, char **argv)
{
	bool touch = argc == 4 && !strcmp(argv[1], "touch");

	if (argc != 4 || (!touch && strcmp(argv[1], "consume")) || argv[2][0] != '/') {
		fprintf(stderr, "usage: uio_bench_tcmu consume|touch NODE BYTES\n");
		return 2;
	}
	sectors = strtoull(argv[3], NULL, 0) / SECTOR;
	open_ring(argv[2]);
	serve(touch);
	return 0;
}
