// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench: registration, unregistration and revoke.
 */

#include <pthread.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static void setup_unregistered(void)
{
	go_first();
	device_add(UIO_BENCH_VIRTUAL + 1, 1);
}

static void teardown_unregistered(void)
{
	device_remove();
	go_like_others();
}

static uint64_t op_register(void)
{
	uint64_t took;

	if (ioctl(control, UIO_BENCH_CYCLE, &took))
		die("can't register and unregister");
	return took;
}

/* The time from the start of the revoke until the reader has its error. */
static void *read_error(void *took)
{
	uint64_t now;

	go_first();
	read_until_revoked();
	now = counter();
	*(uint64_t *)took = now - stamp();
	return NULL;
}

static uint64_t op_revoke(void)
{
	pthread_t reader;
	uint64_t took;

	device_make(UIO_BENCH_VIRTUAL + 1);
	if (pthread_create(&reader, NULL, read_error, &took))
		die("no thread");
	usleep(20000);
	if (ioctl(control, UIO_BENCH_REVOKE))
		die("revoke");
	pthread_join(reader, NULL);
	device_remove();
	return took;
}

const struct bench_case life_cases[] = {
	{ "register-unregister", setup_unregistered, op_register, teardown_unregistered,
	  1, 101, NULL },
	{ "revoke", NULL, op_revoke, NULL, 1, 21, can_be_revoked },
	{ 0 }
};
