// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench: unregistration of a device that is in use by 1, 100 or 10,000 files,
 * mappings, or sleeping readers.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "bench.h"

#define MOST	10000

static int files[MOST];
static void *maps[MOST];
static pthread_t readers[MOST];
static atomic_int nr_reading;

static void setup(void)
{
	allow_files(MOST);
}

static uint64_t with_files(int nr)
{
	uint64_t took;
	int i;

	device_make(UIO_BENCH_VIRTUAL + 1);
	for (i = 0; i < nr; i++)
		files[i] = device_open(2);
	took = device_unregister();
	for (i = 0; i < nr; i++)
		close(files[i]);
	device_remove();
	return took;
}

static uint64_t with_maps(int nr)
{
	uint64_t took;
	int i;

	device_make(UIO_BENCH_VIRTUAL + 1);
	for (i = 0; i < nr; i++) {
		maps[i] = map(file, UIO_BENCH_VIRTUAL, PAGE);
		touch(maps[i]);
	}
	took = device_unregister();
	for (i = 0; i < nr; i++)
		unmap(maps[i], PAGE);
	device_remove();
	return took;
}

static void *read_error(void *arg)
{
	(void)arg;
	nr_reading++;
	read_until_revoked();
	return NULL;
}

static void start_readers(int nr)
{
	pthread_attr_t attr;
	int i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 16384);
	nr_reading = 0;
	for (i = 0; i < nr; i++) {
		errno = pthread_create(&readers[i], &attr, read_error, NULL);
		if (errno)
			die("no thread");
	}
	pthread_attr_destroy(&attr);

	/* there is one CPU: when this runs again, the readers sleep */
	while (nr_reading < nr)
		usleep(1000);
	usleep(20000 + nr * 20);
}

static uint64_t with_readers(int nr)
{
	uint64_t took;
	int i;

	device_make(UIO_BENCH_VIRTUAL + 1);
	start_readers(nr);
	took = device_unregister();
	for (i = 0; i < nr; i++)
		pthread_join(readers[i], NULL);
	device_remove();
	return took;
}

#define HOLDER_OPS(_kind)						\
static uint64_t op_##_kind##_1(void)					\
{									\
	return with_##_kind(1);						\
}									\
static uint64_t op_##_kind##_100(void)					\
{									\
	return with_##_kind(100);					\
}									\
static uint64_t op_##_kind##_10000(void)				\
{									\
	return with_##_kind(MOST);					\
}

HOLDER_OPS(files)
HOLDER_OPS(maps)
HOLDER_OPS(readers)

#define HOLDER_CASE(_name, _op, _batches)				\
	{ .name = _name, .setup = setup, .op = _op, .repeats = 1,	\
	  .batches = _batches, .wants = can_be_revoked }

const struct bench_case holder_cases[] = {
	HOLDER_CASE("unregister-files-1", op_files_1, 21),
	HOLDER_CASE("unregister-files-100", op_files_100, 5),
	HOLDER_CASE("unregister-files-10000", op_files_10000, 1),
	HOLDER_CASE("unregister-maps-1", op_maps_1, 21),
	HOLDER_CASE("unregister-maps-100", op_maps_100, 5),
	HOLDER_CASE("unregister-maps-10000", op_maps_10000, 1),
	HOLDER_CASE("unregister-readers-1", op_readers_1, 21),
	HOLDER_CASE("unregister-readers-100", op_readers_100, 5),
	HOLDER_CASE("unregister-readers-10000", op_readers_10000, 1),
	{ 0 }
};
