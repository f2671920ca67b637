// SPDX-License-Identifier: GPL-2.0-only
/*
 * Library of the TCMU tests: a SCSI unit. The test acts as its daemon, and decides when to
 * take a command off the ring. Answers to reads and writes move no data: the test reads
 * and fills the data area itself.
 */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <scsi/sg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "uio_testlib_tcmu.h"

#define SECTOR_SIZE	512

/* READ(6) to WRITE(16). Only the bits for the length of the command differ. */
static bool is_transfer(const __u8 *cdb)
{
	int op = cdb[0] & 0x1f;

	return cdb[0] <= 0x8a && (op == 0x08 || op == 0x0a);
}

static int execute(struct uiot_lun *lun, struct tcmu_cmd_entry *entry)
{
	if (is_transfer(ring_cdb(lun->ring, entry)))
		return RING_GOOD;
	return ring_execute(lun->ring, entry);
}

static bool hand_over(struct uiot_lun *lun, __u32 tail)
{
	__s32 done = 0;

	ring_set_tail(lun->ring, tail);
	return write(lun->fd, &done, sizeof(done)) == sizeof(done);
}

bool uiot_lun_answer(struct uiot_lun *lun, enum uiot_lun_what what)
{
	__u32 head = ring_head(lun->ring), tail = lun->ring->cmd_tail;

	while (tail != head) {
		struct tcmu_cmd_entry *entry = ring_entry(lun->ring, tail);

		if (ring_is_command(entry)) {
			if (what == UIOT_LUN_NO_TRANSFERS &&
			    is_transfer(ring_cdb(lun->ring, entry)))
				break;
			ring_answer(entry, execute(lun, entry));
		}
		tail = ring_after(lun->ring, tail);
	}
	if (tail == lun->ring->cmd_tail)
		return false;
	return hand_over(lun, tail);
}

/* Each answer takes the next place in the ring. Its id says which command it belongs to. */
bool uiot_lun_answer_last(struct uiot_lun *lun)
{
	struct tcmu_cmd_entry *first = NULL, *last = NULL;
	__u32 head = ring_head(lun->ring), at, after = 0;
	__u16 id;

	for (at = lun->ring->cmd_tail; at != head; at = ring_after(lun->ring, at)) {
		if (!ring_is_command(ring_entry(lun->ring, at)))
			continue;
		last = ring_entry(lun->ring, at);
		if (!first) {
			first = last;
			after = ring_after(lun->ring, at);
		}
	}
	if (first == last)
		return false;
	id = first->hdr.cmd_id;
	first->hdr.cmd_id = last->hdr.cmd_id;
	last->hdr.cmd_id = id;
	ring_answer(first, execute(lun, last));
	return hand_over(lun, after);
}

int uiot_lun_waiting(const struct uiot_lun *lun, struct uiot_lun_data *data,
		     int nr)
{
	__u32 head = ring_head(lun->ring), at;
	int found = 0;

	for (at = lun->ring->cmd_tail; at != head; at = ring_after(lun->ring, at)) {
		struct tcmu_cmd_entry *entry = ring_entry(lun->ring, at);

		if (!ring_is_command(entry) || !is_transfer(ring_cdb(lun->ring, entry)))
			continue;
		if (found < nr) {
			data[found].is_write = ring_cdb(lun->ring, entry)[0] & 2;
			data[found].p = (void *)lun->ring +
					(size_t)entry->req.iov[0].iov_base;
			data[found].size = entry->req.iov[0].iov_len;
		}
		found++;
	}
	return found;
}

struct hold {
	struct uiot_lun *lun;
	int nr;
};

static bool transfers_wait(void *arg)
{
	struct hold *hold = arg;

	uiot_lun_answer(hold->lun, UIOT_LUN_NO_TRANSFERS);
	return uiot_lun_waiting(hold->lun, NULL, 0) >= hold->nr;
}

int uiot_lun_hold(struct uiot_lun *lun, int nr)
{
	struct hold hold = { lun, nr };

	return uiot_wait_until(transfers_wait, &hold, UIOT_SOON_MS) ? 0 : -ETIMEDOUT;
}

/* Units come and go */

int uiot_lun_open_ring(struct uiot_lun *lun, struct uiot_tcmu *tcmu, int fd)
{
	lun->scsi = -1;
	if (fd < 0)
		return fd;
	lun->tcmu = tcmu;
	lun->fd = fd;
	lun->ring = uiot_tcmu_map(tcmu, fd);
	if (lun->ring != MAP_FAIL)
		return 0;
	lun->ring = NULL;
	close(fd);
	return -errno;
}

int uiot_lun_reopen_ring(struct uiot_lun *lun)
{
	int scsi = lun->scsi;
	int ret = uiot_lun_open_ring(lun, lun->tcmu,
				     uiot_open(&lun->tcmu->uio, O_RDWR));

	lun->scsi = scsi;
	return ret;
}

void uiot_lun_close_ring(struct uiot_lun *lun)
{
	if (!lun->ring)
		return;
	munmap(lun->ring, lun->tcmu->size);
	close(lun->fd);
	lun->ring = NULL;
}

static long op_export(struct uiot_op *op)
{
	return uiot_tcmu_export(op->addr);
}

static bool answers_until_exported(void *arg)
{
	struct uiot_lun *lun = arg;

	uiot_lun_answer(lun, UIOT_LUN_ALL);
	return __atomic_load_n(&lun->exporter.done, __ATOMIC_ACQUIRE);
}

static int open_node(void)
{
	static const char pattern[] = "/sys/class/scsi_generic/*/device/model";
	char name[24], path[32], model[32];
	int fd = -ENODEV;
	glob_t found;
	size_t i;

	if (glob(pattern, 0, NULL, &found))
		return -ENODEV;
	for (i = 0; i < found.gl_pathc && fd == -ENODEV; i++) {
		if (uiot_read_file(found.gl_pathv[i], model, sizeof(model)) ||
		    strncmp(model, RING_MODEL, strlen(RING_MODEL)) ||
		    sscanf(found.gl_pathv[i], "/sys/class/scsi_generic/%20[^/]",
			   name) != 1)
			continue;
		snprintf(path, sizeof(path), "/dev/%s", name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	globfree(&found);
	return fd;
}

int uiot_lun_attach(struct uiot_lun *lun)
{
	int ret = uiot_load("sg");

	lun->exporter = (struct uiot_op){ .fn = op_export, .addr = lun->tcmu };
	if (!ret)
		ret = uiot_start(&lun->exporter);
	if (ret)
		return ret;
	uiot_wait_until(answers_until_exported, lun, 2 * UIOT_SOON_MS);
	ret = uiot_join(&lun->exporter, UIOT_SOON_MS);
	if (!ret)
		ret = lun->exporter.ret;
	if (ret)
		return ret;
	lun->scsi = open_node();
	return lun->scsi < 0 ? lun->scsi : 0;
}

int uiot_lun_create(struct uiot_lun *lun, struct uiot_tcmu *tcmu)
{
	int ret = uiot_tcmu_setup();

	if (!ret)
		ret = uiot_tcmu_create(tcmu, "one");
	if (!ret)
		ret = uiot_tcmu_set(tcmu, "attrib/cmd_time_out", "4");
	if (!ret)
		ret = uiot_lun_open_ring(lun, tcmu, uiot_open(&tcmu->uio, O_RDWR));
	return ret ? ret : uiot_lun_attach(lun);
}

void uiot_lun_detach(struct uiot_lun *lun)
{
	if (lun->ring)
		uiot_lun_answer(lun, UIOT_LUN_ALL);
	if (lun->scsi >= 0)
		close(lun->scsi);
	lun->scsi = -1;
	uiot_tcmu_unexport();
}

/* The initiator: sg sends each command unchanged, and does not retry it */

static int send_command(const struct uiot_lun *lun, struct sg_io_hdr *io)
{
	io->interface_id = 'S';
	io->timeout = lun->command_ms ? lun->command_ms : 6 * UIOT_SOON_MS;
	if (ioctl(lun->scsi, SG_IO, io))
		return -errno;
	if (io->host_status)
		return -EIO;
	return io->status;
}

int uiot_lun_is_ready(const struct uiot_lun *lun)
{
	__u8 cdb[6] = { 0x00 };
	struct sg_io_hdr io = {
		.cmdp = cdb,
		.cmd_len = sizeof(cdb),
		.dxfer_direction = SG_DXFER_NONE,
	};

	return send_command(lun, &io);
}

int uiot_lun_transfer(const struct uiot_lun *lun, const struct uiot_lun_data *data)
{
	size_t sectors = data->size / SECTOR_SIZE;
	__u8 cdb[10] = {
		[0] = data->is_write ? 0x2a : 0x28,
		[2] = data->sector >> 24,
		[3] = data->sector >> 16,
		[4] = data->sector >> 8,
		[5] = data->sector,
		[7] = sectors >> 8,
		[8] = sectors,
	};
	struct sg_io_hdr io = {
		.cmdp = cdb,
		.cmd_len = sizeof(cdb),
		.dxfer_direction = data->is_write ? SG_DXFER_TO_DEV :
						    SG_DXFER_FROM_DEV,
		.dxferp = data->p,
		.dxfer_len = data->size,
	};

	return send_command(lun, &io);
}

long uiot_op_transfer(struct uiot_op *op)
{
	const struct uiot_lun lun = { .scsi = op->fd };

	return uiot_lun_transfer(&lun, op->addr);
}

int uiot_lun_use_data(struct uiot_lun *lun, size_t size, struct uiot_lun_data *data, int ms)
{
	/* after a time-out, the thread still has them */
	static struct uiot_lun_data sent;
	static struct uiot_op op;
	int ret;

	sent = (struct uiot_lun_data){ .size = size, .p = malloc(size) };
	op = (struct uiot_op){ .fn = uiot_op_transfer, .fd = lun->scsi, .addr = &sent };
	ret = sent.p ? uiot_start(&op) : -ENOMEM;
	if (ret)
		return ret;
	ret = uiot_lun_hold(lun, 1);
	if (!ret && uiot_lun_waiting(lun, data, 1) != 1)
		ret = -ENODATA;
	uiot_lun_answer(lun, UIOT_LUN_ALL);
	if (uiot_join(&op, ms))
		return -ETIMEDOUT;
	free(sent.p);
	return op.ret ?: ret;
}
