// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench: read, write, poll, open, and the time from an event to its reader.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static void setup(void)
{
	device_make(UIO_BENCH_VIRTUAL + 1);
}

static void setup_nonblock(void)
{
	setup();
	if (fcntl(file, F_SETFL, O_NONBLOCK))
		die("O_NONBLOCK");
}

static void setup_event(void)
{
	setup();
	notify();
}

static uint64_t op_read(void)
{
	uint64_t start;
	int event;

	notify();
	start = counter();
	if (read(file, &event, sizeof(event)) != sizeof(event))
		die("read");
	return counter() - start;
}

static uint64_t op_read_nothing(void)
{
	uint64_t start = counter();
	int event;

	if (read(file, &event, sizeof(event)) >= 0 || errno != EAGAIN)
		die("a read has something, or fails");
	return counter() - start;
}

static uint64_t op_write(void)
{
	uint64_t start = counter();
	int on = 1;

	if (write(file, &on, sizeof(on)) != sizeof(on))
		die("write");
	return counter() - start;
}

static uint64_t do_poll(int ready)
{
	struct pollfd pfd = { .fd = file, .events = POLLIN };
	uint64_t start = counter();

	if (poll(&pfd, 1, 0) != ready)
		die("poll finds the wrong state");
	return counter() - start;
}

static uint64_t op_poll_ready(void)
{
	return do_poll(1);
}

static uint64_t op_poll_not_ready(void)
{
	return do_poll(0);
}

static uint64_t op_open_close(void)
{
	uint64_t start = counter();
	int fd = open(node, O_RDWR);

	if (fd < 0)
		die("open");
	close(fd);
	return counter() - start;
}

/* The blocked reader. */
static pthread_t reader;
static atomic_bool reader_ends;
static atomic_ullong reader_took, reads;

static void *read_events(void *arg)
{
	int event;

	(void)arg;
	go_first();
	while (!reader_ends) {
		uint64_t now;
		int ret = read(file, &event, sizeof(event));

		now = counter();
		if (ret != sizeof(event))
			die("a blocked read");
		reader_took = now - stamp();
		reads++;
	}
	return NULL;
}

static void setup_reader(void)
{
	setup();
	reader_ends = false;
	reads = 0;
	if (pthread_create(&reader, NULL, read_events, NULL))
		die("no thread");
	/* there is one CPU, so the reader runs until it sleeps */
	usleep(20000);
}

static void teardown_reader(void)
{
	reader_ends = true;
	notify();
	pthread_join(reader, NULL);
	device_remove();
}

static uint64_t op_wake(void)
{
	uint64_t before = reads;

	notify();
	while (reads == before)
		sched_yield();
	return reader_took;
}

const struct bench_case file_cases[] = {
	{ "read", setup, op_read, device_remove, 50, 41, NULL },
	{ "read-nothing", setup_nonblock, op_read_nothing, device_remove, 50, 41, NULL },
	{ "wake-up", setup_reader, op_wake, teardown_reader, 50, 41, NULL },
	{ "poll-ready", setup_event, op_poll_ready, device_remove, 50, 41, NULL },
	{ "poll-not-ready", setup, op_poll_not_ready, device_remove, 50, 41, NULL },
	{ "write", setup, op_write, device_remove, 50, 41, NULL },
	{ "open-close", setup, op_open_close, device_remove, 1, 501, NULL },
	{ 0 }
};
