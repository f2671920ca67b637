// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_plug: devices of the uio_test module are plugged in and unplugged, one after the other.
 *
 * Each kind of device has its turn. At each unplug, four holders have the device: an open
 * file, a mapping, a thread that sleeps in read(), and one that sleeps in poll(). Each has to
 * get what the contract says, and then lets go. When the last one has, the driver's memory
 * has to be freed.
 *
 * In the end, the kernel must not use more memory than after the first cycles. Others use
 * memory, too. So when it is measured, the process that has run the cycles is gone.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plug.h"
#include "uio_testlib.h"

#define FIRST	1000
#define MOST	500000	/* so many owners can be told apart */

static unsigned long cycles = 100000;
static bool all_ok = true;
static void parse(int argc, char **argv)
{
	char *end = "";

	if (argc > 1)
		cycles = strtoul(argv[1], &end, 10);
	if (argc <= 2 && !*end && cycles > FIRST && cycles <= MOST)
		return;
	fprintf(stderr, "uio_plug: give the number of cycles, from %d to %d, or nothing\n",
		FIRST + 1, MOST);
	exit(2);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Returns how many seconds it took, or a negative number. */
static double run_apart(unsigned long from, unsigned long to)
{
	double began = now();
	int status = 1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		cycles_run(from, to);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		return -1;
	return now() - began;
}

static bool run(void)
{
	double first = run_apart(0, FIRST), rest = -1;

	if (first >= 0) {
		memory_begin();
		rest = run_apart(FIRST, cycles);
	}
	if (rest < 0)
		return false;
	printf("#   %lu plugs and unplugs, of %u kinds of devices, in %.0f s: %.0f a second\n",
	       cycles, devices_count(), first + rest, cycles / (first + rest));
	printf("#   %lu holders got what the contract says\n", HOLDERS * cycles);
	return true;
}

static void result(bool ok, const char *name)
{
	static unsigned int tests;

	all_ok &= ok;
	printf("%sok %u %s\n", ok ? "" : "not ", ++tests, name);
}

int main(int argc, char **argv)
{
	bool ran;
	int ret;

	parse(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..4\n");
	ret = devices_make();
	if (!ret)
		ret = memory_open();
	if (ret) {
		printf("Bail out! the run cannot begin: %s\n", strerror(-ret));
		return 3;
	}
	ran = run();
	result(ran, "holders_get_what_the_contract_says");
	result(ran && memory_is_the_same(FIRST, cycles), "memory_is_the_same");
	result(ran && devices_agree(), "counters_agree");
	result(uiot_module_goes("uio_test", UIOT_SOON_MS) &&
	       uiot_module_goes("uio", UIOT_SOON_MS), "modules_unload");
	return all_ok ? 0 : 1;
}
