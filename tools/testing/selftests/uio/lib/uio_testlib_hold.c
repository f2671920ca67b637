// SPDX-License-Identifier: GPL-2.0-only
/* Library of the TCMU tests: the uio_hold module. */

#include "uio_testlib_tcmu.h"

#define HOLD	"/sys/module/uio_hold/parameters/"

int uiot_hold_arm(void)
{
	int ret = uiot_load("uio_hold");

	return ret ? ret : uiot_write_file(HOLD "go", "N");
}

static bool hold_hit(void *arg)
{
	(void)arg;
	return uiot_file_counts(HOLD "hits");
}

bool uiot_hold_hit(int ms)
{
	return uiot_wait_until(hold_hit, NULL, ms);
}

void uiot_hold_go(void)
{
	uiot_write_file(HOLD "go", "Y");
}

int uiot_wait_rcu(void)
{
	int ret = uiot_load("uio_hold");

	return ret ? ret : uiot_write_file(HOLD "go", "Y");
}
