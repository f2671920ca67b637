// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench: operations per second of several processes on one device. They are
 * processes and not threads, so that they share nothing but the device.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define MOST	8
#define PAGES	64
#define SECONDS	0.4

/* This is in memory that all processes share. */
struct shared {
	atomic_int ready;
	atomic_bool go;
	atomic_bool stop;
	struct {
		unsigned long done;
		/* each its own cache line */
		char pad[120];
	} of[MOST];
};

static struct shared *shared;
static char *touched;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void sleep_for(double seconds)
{
	struct timespec ts = { .tv_nsec = (long)(seconds * 1e9) };

	nanosleep(&ts, NULL);
}

/* What a process does: start; run, which counts operations; end. */
struct work {
	void (*start)(void);
	unsigned int (*some)(void);
};

static void start_reading(void)
{
	file = device_open(O_RDWR | O_NONBLOCK);
}

static unsigned int read_some(void)
{
	int event, i;

	for (i = 0; i < PAGES; i++)
		if (read(file, &event, sizeof(event)) >= 0 || errno != EAGAIN)
			die("a read has something, or fails");
	return PAGES;
}

static void start_touching(void)
{
	file = device_open(O_RDWR);
	touched = map(file, UIO_BENCH_VIRTUAL, PAGES * PAGE);
}

static unsigned int touch_some(void)
{
	int i;

	for (i = 0; i < PAGES; i++)
		touch(touched + i * PAGE);
	if (madvise(touched, PAGES * PAGE, MADV_DONTNEED))
		die("madvise");
	return PAGES;
}

static void child(const struct work *work, int nr)
{
	close(file);
	work->start();
	work->some();
	shared->ready++;
	while (!shared->go)
		sleep_for(0.001);
	while (!shared->stop)
		shared->of[nr].done += work->some();
	_exit(0);
}

static unsigned long total(int nr)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i < nr; i++)
		sum += shared->of[i].done;
	return sum;
}

/* The parent sleeps nearly all the time, so it does not disturb the others. */
static uint64_t rate(int nr, const struct work *work)
{
	int i, status, failed = 0;
	unsigned long did;
	double took;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("no shared memory");
	for (i = 0; i < nr; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			child(work, i);
	}
	while (shared->ready < nr && !waitpid(-1, NULL, WNOHANG))
		sleep_for(0.001);
	shared->go = true;
	/* wait until all processes run */
	sleep_for(0.05);
	did = total(nr);
	took = now();
	sleep_for(SECONDS);
	did = total(nr) - did;
	took = now() - took;
	shared->stop = true;
	while (wait(&status) > 0)
		failed |= status;
	if (failed)
		die("a process of %d failed", nr);
	munmap(shared, sizeof(*shared));
	return did / took;
}

static const struct work reading = { start_reading, read_some };
static const struct work touching = { start_touching, touch_some };

#define RATE_OP(_name, _nr, _work)					\
static uint64_t op_##_name(void)					\
{									\
	return rate(_nr, _work);					\
}

RATE_OP(read_1, 1, &reading)
RATE_OP(read_2, 2, &reading)
RATE_OP(read_4, 4, &reading)
RATE_OP(read_8, 8, &reading)
RATE_OP(fault_1, 1, &touching)
RATE_OP(fault_2, 2, &touching)
RATE_OP(fault_4, 4, &touching)
RATE_OP(fault_8, 8, &touching)

static void setup(void)
{
	device_make(UIO_BENCH_VIRTUAL + 1);
}

#define RATE_CASE(_name, _op)						\
	{ .name = _name, .setup = setup, .op = _op, .teardown = device_remove, \
	  .repeats = 1, .batches = 1, .is_result = true }

const struct bench_case rate_cases[] = {
	RATE_CASE("rate-read-1", op_read_1),
	RATE_CASE("rate-read-2", op_read_2),
	RATE_CASE("rate-read-4", op_read_4),
	RATE_CASE("rate-read-8", op_read_8),
	RATE_CASE("rate-fault-1", op_fault_1),
	RATE_CASE("rate-fault-2", op_fault_2),
	RATE_CASE("rate-fault-4", op_fault_4),
	RATE_CASE("rate-fault-8", op_fault_8),
	{ 0 }
};
