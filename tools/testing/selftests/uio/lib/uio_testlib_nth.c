// SPDX-License-Identifier: GPL-2.0-only
/* Library of the UIO tests: each allocation of an operation fails once. */

#include <stdio.h>
#include <unistd.h>

#include "uio_testlib_nth.h"

/* more than any operation has */
#define ALLOCATIONS	1000
#define PAGES		"/sys/kernel/debug/fail_page_alloc/"
#define CONSOLE		"/proc/sys/kernel/printk"

static char console[64];
static int log_fd = -1;

/*
 * The kernel may print the stack of an allocation that fails. Who watches the
 * console would take this for a complaint. So it gets no warnings, and we look at the log.
 */
static int quiet(void)
{
	int ret = uiot_read_file(CONSOLE, console, sizeof(console));

	log_fd = uiot_log_open();
	return ret ? ret : log_fd < 0 ? log_fd : uiot_write_file(CONSOLE, "4");
}

int uiot_nth_on(void)
{
	int ret = uiot_faults_on();

	if (!ret)
		ret = uiot_write_file(PAGES "ignore-gfp-wait", "N");
	if (!ret)
		ret = uiot_write_file(PAGES "ignore-gfp-highmem", "N");
	if (!ret)
		ret = uiot_write_file(PAGES "min-order", "0");
	return ret ? ret : quiet();
}

/* back to the defaults */
void uiot_nth_off(void)
{
	uiot_write_file(PAGES "ignore-gfp-wait", "Y");
	uiot_write_file(PAGES "ignore-gfp-highmem", "Y");
	uiot_write_file(PAGES "min-order", "1");
	if (*console)
		uiot_write_file(CONSOLE, console);
	close(log_fd);
}

static bool is_allowed(const struct uiot_nth *op, int ret)
{
	if (!ret)
		return true;
	return !op->never_fails &&
	       (ret == -ENOMEM || ret == op->may_fail[0] || ret == op->may_fail[1]);
}

/* Lets allocation @n fail. *@left: there were fewer. */
static int run_with_fault(const struct uiot_nth *op, int n, bool *left)
{
	int nth = uiot_fault_arm(n);
	int ret;

	if (nth < 0)
		return nth;
	ret = op->run();
	*left = uiot_fault_end(nth) > 0;
	return ret;
}

/* Returns 0, or an error code and what went wrong. */
static int fail_one(const struct uiot_nth *op, int n, bool *left,
		    const char **what)
{
	int ret;

	*what = "preparing";
	ret = op->make();
	if (!ret && op->prepare)
		ret = op->prepare();
	if (ret)
		return ret;
	*what = "the operation";
	ret = run_with_fault(op, n, left);
	if (!is_allowed(op, ret) || (*left && ret))
		return ret;
	if (ret && op->once)
		return 0;
	*what = "trying again";
	if (ret)
		ret = op->run();
	if (ret || !op->check)
		return ret;
	*what = "the state afterwards";
	return op->check();
}

/* Has the kernel complained? Then says so. */
static bool complains(int n, char *why, size_t size)
{
	char text[80];

	if (!uiot_log_splat(log_fd, text, sizeof(text)))
		return false;
	snprintf(why, size, "allocation %d: %s", n, text);
	return true;
}

int uiot_nth_each(const struct uiot_nth *op, char *why, size_t size)
{
	bool left = false;
	const char *what;
	int n, ret, dropped;

	for (n = 1; !left && n < ALLOCATIONS; n++) {
		ret = fail_one(op, n, &left, &what);
		dropped = op->drop();
		if (!ret && dropped)
			what = "giving back";
		if (ret || dropped) {
			snprintf(why, size, "allocation %d: %s: %s", n, what,
				 strerrorname_np(ret ? -ret : -dropped));
			return ret ? ret : dropped;
		}
		if (complains(n, why, size))
			return -EIO;
	}
	snprintf(why, size, "more than %d allocations", ALLOCATIONS);
	return left ? n - 2 : -E2BIG;
}
