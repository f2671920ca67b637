// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench: the device that is measured.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

int control = -1;
int file = -1;
char node[32];

void die(const char *fmt, ...)
{
	const char *error = strerror(errno);
	va_list args;

	fprintf(stderr, "uio_bench: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, ": %s\n", error);
	exit(1);
}

/* Makes devices that are not registered yet. */
void device_add(unsigned int regions, unsigned int count)
{
	struct uio_bench_add add = {
		.core = form->core, .context = form->context,
		.regions = regions, .count = count,
	};

	control = open(UIO_BENCH_NODE, O_RDWR | O_CLOEXEC);
	if (control < 0)
		die("can't open " UIO_BENCH_NODE);
	if (ioctl(control, UIO_BENCH_ADD, &add))
		die("no device of %s", form->name);
}

/* Makes a device, registers it, and opens it. */
void device_make(unsigned int regions)
{
	uint64_t took;

	device_add(regions, 1);
	if (ioctl(control, UIO_BENCH_REGISTER, &took))
		die("can't register a device of %s", form->name);
	if (ioctl(control, UIO_BENCH_NAME, node))
		die("a device has no name");
	file = device_open(O_RDWR);
}

void device_remove(void)
{
	if (file >= 0)
		close(file);
	file = -1;
	close(control);
}

/* Only this thread and kernel threads that it waits for run meanwhile. */
uint64_t device_unregister(void)
{
	uint64_t took;
	int ret;

	go_first();
	ret = ioctl(control, UIO_BENCH_UNREGISTER, &took);
	go_like_others();
	if (ret)
		die("can't unregister a device of %s", form->name);
	return took;
}

int device_open(int flags)
{
	int fd = open(node, flags);

	if (fd < 0)
		die("can't open %s", node);
	return fd;
}

/* The floor has no revoke: its users are not told. */
bool can_be_revoked(const struct form *form)
{
	return form->core != UIO_BENCH_FLOOR;
}

void read_until_revoked(void)
{
	int event;

	if (read(file, &event, sizeof(event)) != -1 || errno != EIO)
		die("a reader has no EIO");
}

/* Allows @nr open files, and some more. */
void allow_files(unsigned int nr)
{
	struct rlimit limit = { nr + 100, nr + 100 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
}

void notify(void)
{
	if (ioctl(control, UIO_BENCH_NOTIFY))
		die("notify");
}

/* Returns the counter when the last notify or revoke began. */
uint64_t stamp(void)
{
	uint64_t value;

	if (ioctl(control, UIO_BENCH_STAMP, &value))
		die("stamp");
	return value;
}

void *map(int fd, unsigned int region, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		       (off_t)region * getpagesize());

	if (p == MAP_FAILED)
		die("no mapping of region %u of %s", region, node);
	return p;
}

void unmap(void *p, size_t size)
{
	if (munmap(p, size))
		die("munmap");
}

void touch(const char *p)
{
	(void)*(const volatile char *)p;
}

static void set_policy(int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, policy, &param))
		die("sched_setscheduler");
}

/* A thread that calls this runs as soon as it is awake. */
void go_first(void)
{
	set_policy(SCHED_FIFO, 1);
}

void go_like_others(void)
{
	set_policy(SCHED_OTHER, 0);
}
