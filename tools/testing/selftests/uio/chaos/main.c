// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_chaos: random operations on devices of the uio_test module.
 *
 * The threads of one process are the driver. Other processes, with threads, are user space.
 * They do random operations, until there were enough of them, or something is wrong. The same
 * seed gives the same operations in each thread, but not the same timing. At the end, the
 * processes are killed, the devices go, and the modules have to unload.
 *
 * What must hold at any time:
 *
 * - No operation takes for ever. Sleepers wake up when their file or device is revoked.
 * - A page shows the words of its own device: not of another one, and not of freed memory.
 * - A page of a revoked file, or of a device that is gone, cannot be used.
 * - A file of a device that is gone, or a revoked one, says so.
 * - The kernel does not complain.
 */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chaos.h"

static const char usage[] =
"usage: uio_chaos [OPTION]...\n"
"  --seed N          choose the operations (default: from the clock)\n"
"  --ops N           end after so many operations\n"
"  --seconds N       end after so many seconds (default: 30), later if too little happened\n"
"  --devices N       number of devices (default: 8)\n"
"  --drivers N       threads of the driver (default: 2)\n"
"  --processes N     processes that use the devices (default: 3)\n"
"  --threads N       threads of each (default: 3)\n"
"  --only LIST       only these operations, separated by commas\n"
"  --without LIST    not these operations\n"
"  --memory LIST     only these kinds of memory\n"
"  --contexts WHICH  all or none of the devices have a context (default: half of them)\n"
"  --faults          allocations in uio fail now and then\n"
"  --times           show how much CPU time each kind of operation takes\n"
"  --list            show the operations and kinds of memory\n"
"  --show N          show the first N operations of each thread, and run nothing\n";

static const char * const fact_names[] = {
	[OPENS]			= "opens",
	[MAPPINGS]		= "mappings",
	[WORDS]			= "right words",
	[SINKS]			= "zeros of the sink",
	[REFUSED_TOUCHES]	= "refused touches",
	[REFUSED_CALLS]		= "refused calls",
	[WOKEN]			= "woken sleepers",
	[FILES_REVOKED]		= "revoked files",
	[DEVICES_REVOKED]	= "revoked devices",
	[UNREGISTRATIONS]	= "unregistrations",
	[CHILDREN]		= "children",
	[PASSED]		= "passed descriptors",
	[PINS]			= "pins",
	[LATE_RELEASES]		= "late releases",
	[FAILED_ALLOCATIONS]	= "failed allocations",
};

/* Options */

static void set_memory(char *list)
{
	unsigned int i;
	char *name;

	world->memory = 0;
	for (name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		for (i = 0; i < memory_kinds_nr(); i++)
			if (!strcmp(memory_kinds[i].name, name))
				break;
		if (i == memory_kinds_nr())
			wrong("there is no memory of the kind", name);
		world->memory |= 1U << i;
	}
}

static void set_contexts(const char *which)
{
	if (strcmp(which, "all") && strcmp(which, "none"))
		wrong("--contexts takes all or none, not", which);
	world->with_context = !strcmp(which, "all");
	world->without_context = !world->with_context;
}

static void list(void)
{
	unsigned int i;

	run_list();
	for (i = 0; i < memory_kinds_nr(); i++)
		printf("memory %s\n", memory_kinds[i].name);
	exit(0);
}

static void set_defaults(void)
{
	run_defaults();
	world->devices = 8;
	world->drivers = 2;
	world->driver_us = 200;
	/* young ones have sleepers that watch() has not yet waited for */
	world->old_ticks = 3 * TICKS_LATE;
	world->memory = ~0U;
	world->with_context = true;
	world->without_context = true;
}

static void set_option(int option)
{
	world->partial |= option == 'm' || option == 'c';
	switch (option) {
	case 'm':
		set_memory(optarg);
		break;
	case 'c':
		set_contexts(optarg);
		break;
	case 'f':
		world->faults = true;
		break;
	case 'l':
		list();
	}
}

/* What is left after a run */

/* Two counters of the module that have to be equal in the end. */
struct balance {
	const char *made;
	const char *ended;
	bool of_all;		/* of devices without a context, too */
	bool quiet;
};

static bool counts_agree(const struct balance *balance, unsigned int nr)
{
	long a = device_count(nr, balance->made), b = device_count(nr, balance->ended);

	if (a != b && !balance->quiet)
		printf("# device %u: %ld %s, %ld %s\n", nr, a, balance->made, b,
		       balance->ended);
	return a == b && a >= 0;
}

static bool all_agree(void *arg)
{
	const struct balance *balance = arg;
	bool agree = true;
	unsigned int nr;

	for (nr = 0; nr < world->devices; nr++)
		if (balance->of_all || device_has_context(nr))
			agree &= counts_agree(balance, nr);
	return agree;
}

/* Without a context, release is not called for files that outlive the device. */
static bool agree_at_last(const char *made, const char *ended, bool of_all)
{
	struct balance balance = { made, ended, of_all, true };

	if (uiot_wait_until(all_agree, &balance, UIOT_SOON_MS))
		return true;
	balance.quiet = false;
	return all_agree(&balance);
}

static void count_late_releases(void)
{
	unsigned int nr;

	for (nr = 0; nr < world->devices; nr++)
		world->facts[LATE_RELEASES] += device_count(nr, "late_releases");
}

static void check_end(void)
{
	mailboxes_close();
	if (world->faults)
		faults_off();
	result(!drivers_end(), "devices_go");
	result(agree_at_last("opens", "releases", false), "opens_equal_releases");
	result(agree_at_last("creates", "frees", true), "frees_equal_creates");
	count_late_releases();
	report_facts(world->faults ? FACTS : FAILED_ALLOCATIONS);
	drivers_close();
	result(uiot_module_goes("uio_test", END_MS), "driver_unloads");
	result(uiot_module_goes("uio", END_MS), "uio_unloads");
}

static int begin(void)
{
	int ret = drivers_open();

	if (!ret)
		ret = mailboxes_open();
	if (!ret && world->faults)
		ret = faults_on();
	return ret;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "memory",	required_argument,	NULL, 'm' },
		{ "contexts",	required_argument,	NULL, 'c' },
		{ "faults",	no_argument,		NULL, 'f' },
		{ "list",	no_argument,		NULL, 'l' },
		{ }
	};
	static const struct program self = {
		"uio_chaos", usage, fact_names, LATE_RELEASES, options, set_option, begin,
		check_end,
	};

	if (world_make())
		return 1;
	set_defaults();
	return run(argc, argv, &self);
}
