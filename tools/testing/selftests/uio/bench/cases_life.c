// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench: devices that come and go.
 */

#include <sys/ioctl.h>

#include "bench.h"

static void setup_unregistered(void)
{
	device_add(UIO_BENCH_VIRTUAL + 1, 1);
}

static uint64_t op_register(void)
{
	uint64_t took;

	if (ioctl(control, UIO_BENCH_CYCLE, &took))
		die("can't register and unregister");
	return took;
}

const struct bench_case life_cases[] = {
	{ "register-unregister", setup_unregistered, op_register, device_remove, 1, 101, NULL },
	{ 0 }
};
