// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcmu_chaos: random operations on TCMU devices.
 *
 * The threads of one process are controllers: they make devices, enable them, make SCSI units of
 * them, change them, and take them away. Other processes have a daemon each, and threads that
 * send commands to the units. Daemons answer, by netlink and on the ring, but some answers are
 * late, wrong, twice, in another order, or never come; and daemons die. Every second process
 * lies, also about data. Children of daemons keep devices that are gone.
 *
 * What must hold at any time:
 *
 * - No operation takes for ever: the time-outs of all devices are a second or two.
 * - A device that was deleted, or could not be enabled, is gone.
 * - Data that was acknowledged is read back, if no daemon that lies has had the device.
 * - A live device does not refuse its daemon anything.
 * - A page that is mapped outlives the device. A touch of another one raises a signal, or with
 *   every second seed, gives zeros.
 * - The kernel does not complain.
 *
 * The daemons know the protocol of the ring: they do not write entries of a wrong size, and they
 * do not work on a ring that somebody resets.
 */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "tcmu.h"

static const char usage[] =
"usage: tcmu_chaos [OPTION]...\n"
"  --seed N          choose the operations (default: from the clock)\n"
"  --ops N           end after so many operations\n"
"  --seconds N       end after so many seconds (default: 30), later if too little happened\n"
"  --devices N       number of devices (default: 6)\n"
"  --drivers N       threads that control them (default: 3)\n"
"  --processes N     processes, each with a daemon (default: 3)\n"
"  --threads N       threads of each; all but the first send commands (default: 3)\n"
"  --only LIST       only these operations, separated by commas\n"
"  --without LIST    not these operations\n"
"  --times           show how much CPU time each kind of operation takes\n"
"  --list            show the operations\n"
"  --show N          show the first N operations of each thread, and run nothing\n";

static const char * const fact_names[] = {
	[ENABLES]		= "enables",
	[FAILED_ENABLES]	= "failed enables",
	[TIME_OUTS]		= "time-outs of netlink",
	[CHANGES]		= "changes",
	[DELETES]		= "deletes",
	[HANGUPS]		= "hang-ups",
	[UNITS]			= "SCSI units",
	[WRITES]		= "writes",
	[READS]			= "right reads",
	[FAILED_COMMANDS]	= "failed commands",
	[RESETS]		= "resets",
	[BLOCKS]		= "blocks",
	[WRONG_ANSWERS]		= "wrong answers",
	[LATE_ANSWERS]		= "late answers",
	[OUT_OF_ORDER]		= "changes of order",
	[KEPT_BUFFERS]		= "kept buffers",
	[KILLS]			= "kills",
	[HELD_PAGES]		= "pages that outlived their device",
	[LATE_TOUCHES]		= "first touches after the end",
	[CALLS_REFUSED]		= "refused calls",
};

static void set_option(int option)
{
	run_list();
	exit(0);
}

/* What is left after a run */

static bool no_ring(void *arg)
{
	return !uiot_tcmu_rings();
}

/* some of the data area */
#define USED_SIZE	(64 << 10)

static bool page_is_gone(void *page)
{
	__u32 word;

	return peek(page, &word);
}

/* With data of deleted devices, this one would be above the limit, and lose its own. */
static bool deleted_data_does_not_count(void)
{
	struct uiot_tcmu tcmu = { };
	struct uiot_lun lun = { .scsi = -1 };
	struct uiot_lun_data data = { };
	void *page;
	bool ret;

	ret = !uiot_lun_create(&lun, &tcmu) &&
	      !uiot_lun_use_data(&lun, USED_SIZE, &data, END_MS);
	/* the last page */
	page = (char *)data.p + data.size - uiot_page();
	ret = ret && !page_is_gone(page) &&
	      !uiot_tcmu_param("global_max_data_area_mb", "1") &&
	      !uiot_wait_until(page_is_gone, page, 10 * UIOT_WHILE_MS);
	uiot_lun_detach(&lun);
	uiot_lun_close_ring(&lun);
	return ret;
}

static void check_end(void)
{
	result(devices_can_be_opened(), "opens_equal_releases");
	result(devices_go(), "devices_go");
	result(uiot_wait_until(no_ring, NULL, END_MS), "rings_are_freed");
	result(deleted_data_does_not_count(), "deleted_data_does_not_count");
	report_facts(TCMU_FACTS);
	uiot_tcmu_delete_all();
	result(uiot_module_goes("target_core_user", END_MS), "driver_unloads");
	result(uiot_module_goes("uio", END_MS), "uio_unloads");
}

static int begin(void)
{
	catch_touches();
	return controllers_open();
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "list",	no_argument,		NULL, 'l' },
		{ }
	};
	static const struct program self = {
		"tcmu_chaos", usage, fact_names, TCMU_FACTS, options, set_option, begin,
		check_end,
	};

	if (world_make() || units_make())
		return 1;
	run_defaults();
	world->devices = 6;
	world->drivers = 3;
	world->driver_us = 5000;
	world->old_ticks = 400;
	return run(argc, argv, &self);
}
