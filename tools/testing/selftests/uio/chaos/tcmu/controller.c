// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcmu_chaos: the controllers. Each device belongs to one of them, which makes it, enables it,
 * makes a SCSI unit of it, and takes all that away again. All of them change the settings of
 * all devices, and of the module.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tcmu.h"

enum stage { NONE, MADE, ENABLED, EXPORTED };

/**
 * struct control - what a controller knows of its device
 * @tcmu: its directory in configfs
 * @stage: how far it is
 * @ends: it is going to be deleted
 */
struct control {
	struct uiot_tcmu tcmu;
	enum stage stage;
	bool ends;
};

static struct control controls[MAX_DEVICES];

static struct unit *unit_of(const struct control *ctl)
{
	return &shared->units[ctl - controls];
}

/* Unit 0 belongs to the library. */
static unsigned int scsi_nr(const struct control *ctl)
{
	return ctl - controls + 1;
}

static void check_gone(struct control *ctl, const char *what)
{
	if (uiot_tcmu_find(&ctl->tcmu) != -ENOENT)
		fail("%s: %s, but the device is there", ctl->tcmu.name, what);
}

/* Steps up to a device that is enabled */

static void set_time_outs(struct unit *unit, struct dice *dice)
{
	static const char * const files[] = {
		"nl_reply_time_out", "daemon_time_out", "cmd_time_out", "qfull_time_out",
	};
	unsigned int i;
	char file[32];

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(file, sizeof(file), "attrib/%s", files[i]);
		unit_set(unit, file, 1 + roll(dice, TIME_OUT_S));
	}
}

static void make(struct control *ctl, struct dice *dice)
{
	char name[16];
	int ret;

	snprintf(name, sizeof(name), "unit%u", unit_nr(unit_of(ctl)));
	ret = uiot_tcmu_make(&ctl->tcmu, name, "cmd_ring_size_mb=1");
	if (ret) {
		fail("%s cannot be made: %s", name, strerror(-ret));
		return;
	}
	set_time_outs(unit_of(ctl), dice);
	ctl->ends = false;
	ctl->stage = MADE;
}

/* From now on, no daemon writes to the disk for an older generation. */
static void begin_generation(struct control *ctl, bool is_answered)
{
	struct unit *unit = unit_of(ctl);
	char text[64];

	unit_lock(unit);
	SET(unit->generation, unit->generation + 1);
	unit_unlock(unit);
	snprintf(text, sizeof(text), "dev_config=test/%u,nl_reply_supported=%d",
		 unit->generation, is_answered ? 0 : -1);
	uiot_tcmu_set(&ctl->tcmu, "control", text);
}

static void note_device(struct control *ctl)
{
	struct unit *unit = unit_of(ctl);
	int minor;

	if (uiot_tcmu_find(&ctl->tcmu) ||
	    sscanf(ctl->tcmu.uio.node, "/dev/uio%d", &minor) != 1) {
		fail("%s is enabled, but there is no device", ctl->tcmu.name);
		return;
	}
	SET(unit->minor, minor);
	SET(unit->stable, unit->generation);
	ctl->stage = ENABLED;
	happened(ENABLES);
}

static void enable(struct control *ctl, struct dice *dice)
{
	struct unit *unit = unit_of(ctl);
	int ret;

	begin_generation(ctl, !chance(dice, 8));
	ret = uiot_tcmu_enable(&ctl->tcmu);
	if (!ret) {
		note_device(ctl);
		return;
	}
	happened(FAILED_ENABLES);
	if (ret == -ETIMEDOUT)
		happened(TIME_OUTS);
	SET(unit->leaving, unit->generation);
	SET(unit->gone, unit->generation);
	check_gone(ctl, "enabling has failed");
}

/* SCSI units */

static bool find_scsi(struct control *ctl)
{
	struct unit *unit = unit_of(ctl);
	static __u32 last;

	if (uiot_tcmu_find_sg(scsi_nr(ctl), unit->sg, sizeof(unit->sg)))
		return false;
	SET(unit->export, __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED));
	happened(UNITS);
	return true;
}

static void empty_ring(struct unit *unit)
{
	unit_lock(unit);
	unit_set(unit, "action/block_dev", 0);
	unit_set(unit, "action/reset_ring", 1);
	unit_unlock(unit);
}

static bool scan(struct control *ctl)
{
	uiot_tcmu_scan(scsi_nr(ctl));
	return find_scsi(ctl);
}

/*
 * If a daemon did not answer the scan, tcm_loop has no unit, and when it is unlinked, tcm_loop
 * loses memory. So the unit has to be found first. Returns whether it has been.
 */
static bool scan_again(struct control *ctl)
{
	if (NOW(unit_of(ctl)->export))
		return true;
	empty_ring(unit_of(ctl));
	return scan(ctl);
}

static void export(struct control *ctl)
{
	int ret = uiot_tcmu_export_as(&ctl->tcmu, scsi_nr(ctl));

	if (ret) {
		fail("%s gets no SCSI unit: %s", ctl->tcmu.name, strerror(-ret));
		return;
	}
	ctl->stage = EXPORTED;
	find_scsi(ctl);
}

static void unexport(struct control *ctl)
{
	SET(unit_of(ctl)->export, 0);
	uiot_tcmu_unexport_as(scsi_nr(ctl));
	ctl->stage = ENABLED;
}

/* Does the next step up. */
static void go_on(struct control *ctl, struct dice *dice)
{
	switch (ctl->stage) {
	case NONE:
		make(ctl, dice);
		break;
	case MADE:
		enable(ctl, dice);
		break;
	case ENABLED:
		if (!ctl->ends)
			export(ctl);
		break;
	case EXPORTED:
		scan_again(ctl);
		break;
	}
}

static int delete(struct control *ctl)
{
	struct unit *unit = unit_of(ctl);
	int ret;

	SET(unit->leaving, unit->generation);
	ret = uiot_tcmu_delete(&ctl->tcmu);
	if (ret) {
		fail("%s cannot be deleted: %s", ctl->tcmu.name, strerror(-ret));
		return ret;
	}
	SET(unit->gone, unit->generation);
	check_gone(ctl, "it is deleted");
	if (ctl->stage == ENABLED)
		happened(DELETES);
	ctl->stage = NONE;
	return 0;
}

/* Operations of the controller to which a device belongs */

/* One of the thread's own devices, or NULL if it has none. */
static struct control *own(void *actor, struct dice *dice)
{
	unsigned int nr = (struct task *)actor - world->tasks;
	unsigned int mine = (world->devices + world->drivers - 1 - nr) / world->drivers;

	return mine ? &controls[nr + roll(dice, mine) * world->drivers] : NULL;
}

static OPERATION(control_make)
{
	struct control *ctl = own(actor, dice);

	may_take(actor, TICKS_SCSI);
	if (ctl)
		go_on(ctl, dice);
}

static OPERATION(control_unexport)
{
	struct control *ctl = own(actor, dice);

	may_take(actor, TICKS_SCSI);
	if (!ctl || ctl->stage != EXPORTED || !scan_again(ctl))
		return;
	unexport(ctl);
	ctl->ends = chance(dice, 2);
}

static OPERATION(control_delete)
{
	struct control *ctl = own(actor, dice);

	may_take(actor, TICKS_DELETE);
	if (!ctl || ctl->stage == NONE)
		return;
	if (ctl->stage != EXPORTED)
		delete(ctl);
	else if (uiot_tcmu_delete(&ctl->tcmu) != -EBUSY)
		fail("%s is deleted, but it has a SCSI unit", ctl->tcmu.name);
}

static void changed(const struct control *ctl, int ret)
{
	if (!ret && ctl->stage >= ENABLED)
		happened(CHANGES);
	if (ret == -ETIMEDOUT)
		happened(TIME_OUTS);
}

static OPERATION(control_size)
{
	struct control *ctl = own(actor, dice);

	if (ctl && ctl->stage != NONE)
		changed(ctl, unit_set(unit_of(ctl), "attrib/dev_size",
				      UNIT_SIZE * (1 + roll(dice, 4))));
}

static OPERATION(control_config)
{
	struct control *ctl = own(actor, dice);
	char text[64];

	if (!ctl || ctl->stage < ENABLED)
		return;
	snprintf(text, sizeof(text), "test/%u.%u", unit_of(ctl)->generation, roll(dice, 1000));
	changed(ctl, uiot_tcmu_set(&ctl->tcmu, "attrib/dev_config", text));
}

static OPERATION(control_cache)
{
	struct control *ctl = own(actor, dice);

	if (ctl && ctl->stage != NONE)
		changed(ctl, unit_set(unit_of(ctl), "attrib/emulate_write_cache",
				      roll(dice, 2)));
}

/* Operations on any device. It may be gone, so they may fail. */

static OPERATION(control_time_outs)
{
	set_time_outs(any_unit(dice), dice);
}

static OPERATION(control_block)
{
	if (!unit_set(any_unit(dice), "action/block_dev", 1))
		happened(BLOCKS);
}

static OPERATION(control_unblock)
{
	unit_set(any_unit(dice), "action/block_dev", 0);
}

static OPERATION(control_reset)
{
	struct unit *unit = any_unit(dice);

	unit_lock(unit);
	if (!unit_set(unit, "action/reset_ring", 1 + roll(dice, 2)))
		happened(RESETS);
	unit_unlock(unit);
}

static OPERATION(control_show)
{
	static const char * const files[] = { "info", "attrib/dev_config", "attrib/dev_size" };
	static const char begin[] = "tcm-user/0/unit";
	struct unit *unit = any_unit(dice);
	struct uiot_tcmu *tcmu = &controls[unit_nr(unit)].tcmu;
	struct uiot_dev uio;
	char text[512];

	uiot_tcmu_get(tcmu, files[roll(dice, 3)], text, sizeof(text));
	snprintf(uio.node, sizeof(uio.node), "/dev/uio%d", NOW(unit->minor));
	if (!uiot_sysfs(&uio, "name", text, sizeof(text)) &&
	    strncmp(text, begin, strlen(begin)))
		fail("the name of a device is '%.40s'", text);
}

/* Operations on the module */

static OPERATION(control_limit)
{
	uiot_tcmu_param("global_max_data_area_mb", chance(dice, 2) ? "1" : "2048");
}

static OPERATION(control_reset_netlink)
{
	if (!is_mute() && chance(dice, 8))
		uiot_tcmu_reset_netlink();
}

static OPERATION(control_kill)
{
	pid_t pid = old_process(dice);

	if (!pid)
		return;
	kill(pid, SIGKILL);
	happened(KILLS);
}

const struct kind driver_kinds[] = {
	{ "make",		24, control_make },
	{ "unexport",		4,  control_unexport },
	{ "delete",		8,  control_delete },
	{ "size",		2,  control_size },
	{ "config",		3,  control_config },
	{ "cache",		1,  control_cache },
	{ "time-outs",		2,  control_time_outs },
	{ "block",		2,  control_block },
	{ "unblock",		6,  control_unblock },
	{ "reset",		3,  control_reset },
	{ "show",		4,  control_show },
	{ "limit",		2,  control_limit },
	{ "reset-netlink",	1,  control_reset_netlink },
	{ "kill",		1,  control_kill },
	{ }
};

/* The run */

int controllers_open(void)
{
	int ret = uiot_tcmu_setup();
	unsigned int i;

	if (!ret)
		ret = uiot_load("sg");
	/* before the threads: each would find it while another one still loads it */
	if (!ret)
		ret = uiot_load("tcm_loop");
	/* mainline has no such setting */
	shared->has_sink = world->seed % 2 && !uiot_tcmu_param("revoked_fault", "zero");
	for (i = 0; !ret && i < world->devices; i++) {
		snprintf(controls[i].tcmu.name, sizeof(controls[i].tcmu.name), "unit%u", i);
		snprintf(controls[i].tcmu.dir, sizeof(controls[i].tcmu.dir),
			 UIOT_TCMU_HBA "/unit%u", i);
	}
	return ret;
}

/* There can be one open file only, and the last one may be about to be closed. */
static bool can_be_opened(void *arg)
{
	struct control *ctl = arg;
	int fd = uiot_open(&ctl->tcmu.uio, O_RDWR);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* All processes have ended. */
bool devices_can_be_opened(void)
{
	bool ret = true;
	unsigned int i;

	for (i = 0; i < world->devices; i++) {
		if (controls[i].stage < ENABLED || uiot_tcmu_find(&controls[i].tcmu) ||
		    uiot_wait_until(can_be_opened, &controls[i], UIOT_SOON_MS))
			continue;
		printf("# %s is still open\n", controls[i].tcmu.name);
		ret = false;
	}
	return ret;
}

struct rescue {
	struct uiot_lun lun;
	struct uiot_op scan;
};

static long op_scan(struct uiot_op *op)
{
	return scan(op->addr);
}

static bool answers_until_scanned(void *arg)
{
	struct rescue *rescue = arg;

	uiot_lun_answer(&rescue->lun, UIOT_LUN_ALL);
	return !uiot_wait_done(&rescue->scan, 0);
}

/* There is no daemon any more. */
static bool scan_without_daemon(struct control *ctl)
{
	struct rescue rescue = { .scan = { .fn = op_scan, .addr = ctl } };
	bool ret;

	empty_ring(unit_of(ctl));
	if (uiot_lun_open_ring(&rescue.lun, &ctl->tcmu, uiot_open(&ctl->tcmu.uio, O_RDWR)))
		return false;
	ret = !uiot_start(&rescue.scan) &&
	      uiot_wait_until(answers_until_scanned, &rescue, 2 * END_MS) &&
	      !uiot_join(&rescue.scan, END_MS) && rescue.scan.ret;
	uiot_lun_close_ring(&rescue.lun);
	return ret;
}

bool devices_go(void)
{
	struct control *ctl;
	bool ret = true;

	uiot_tcmu_param("global_max_data_area_mb", "2048");
	uiot_tcmu_param("revoked_fault", "sigbus");
	for (ctl = controls; ctl < controls + world->devices; ctl++) {
		if (ctl->stage == EXPORTED) {
			if (!NOW(unit_of(ctl)->export) && !scan_without_daemon(ctl))
				printf("# %s is not found\n", ctl->tcmu.name);
			unexport(ctl);
		}
		if (ctl->stage != NONE && delete(ctl)) {
			printf("# %s does not go\n", ctl->tcmu.name);
			ret = false;
		}
	}
	return ret;
}
