// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tests of TCMU share: a SCSI unit whose daemon the test is. Nobody but
 * the test takes a command off the ring, at a time of its choice. Reads and writes
 * move no data: what is in the data area is the test's affair.
 */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <scsi/sg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "uio_testlib_tcmu.h"

#define MODEL		"test unit"
#define SECTOR_SIZE	512

/*
 * What it says it is, for the driver of disks to leave it alone: the kernel frees a
 * disk together with an object whose release CONFIG_DEBUG_KOBJECT_RELEASE has put
 * off, and then complains.
 */
#define PROCESSOR	0x03

#define GOOD		0x00
#define CHECK_CONDITION	0x02

/* The other side of the ring */

static struct tcmu_cmd_entry *entry_at(const struct uiot_lun *lun, __u32 at)
{
	return (void *)lun->ring + lun->ring->cmdr_off + at;
}

static __u32 after(const struct uiot_lun *lun, __u32 at)
{
	return (at + tcmu_hdr_get_len(entry_at(lun, at)->hdr.len_op)) %
	       lun->ring->cmdr_size;
}

static __u32 ring_head(const struct uiot_lun *lun)
{
	/* pairs with the kernel's release: what is before it can be read */
	return __atomic_load_n(&lun->ring->cmd_head, __ATOMIC_ACQUIRE);
}

static bool is_command(const struct tcmu_cmd_entry *entry)
{
	return tcmu_hdr_get_op(entry->hdr.len_op) == TCMU_OP_CMD;
}

static const __u8 *cdb_of(const struct uiot_lun *lun,
			  const struct tcmu_cmd_entry *entry)
{
	return (void *)lun->ring + entry->req.cdb_off;
}

/* READ(6) to WRITE(16): they differ in the bits that tell how long they are. */
static bool is_transfer(const __u8 *cdb)
{
	int op = cdb[0] & 0x1f;

	return cdb[0] <= 0x8a && (op == 0x08 || op == 0x0a);
}

static int give(struct uiot_lun *lun, struct tcmu_cmd_entry *entry,
		const void *data, size_t size)
{
	if (!entry->req.iov_cnt)
		return GOOD;
	if (size > entry->req.iov[0].iov_len)
		size = entry->req.iov[0].iov_len;
	memcpy((void *)lun->ring + (size_t)entry->req.iov[0].iov_base, data, size);
	return GOOD;
}

static int inquire(struct uiot_lun *lun, struct tcmu_cmd_entry *entry)
{
	static const char names[] = "UIO     " MODEL "       0001";
	/* of SPC-3, in today's format, with so many bytes to come */
	__u8 data[36] = { PROCESSOR, [2] = 5, [3] = 2, [4] = 31 };

	memcpy(data + 8, names, sizeof(names) - 1);
	return give(lun, entry, data, sizeof(data));
}

static int execute(struct uiot_lun *lun, struct tcmu_cmd_entry *entry)
{
	const __u8 *cdb = cdb_of(lun, entry);

	if (is_transfer(cdb))
		return GOOD;

	switch (cdb[0]) {
	case 0x00: /* test unit ready */
		return GOOD;
	case 0x12:
		return cdb[1] & 1 ? CHECK_CONDITION : inquire(lun, entry);
	default:
		return CHECK_CONDITION;
	}
}

/* The answer takes the place of the request. */
static void answer(struct uiot_lun *lun, struct tcmu_cmd_entry *entry)
{
	int status = execute(lun, entry);

	entry->hdr.uflags = 0;
	memset(&entry->rsp, 0, sizeof(entry->rsp));
	entry->rsp.scsi_status = status;
	if (status == GOOD)
		return;
	/* illegal request: there is no such command */
	entry->rsp.sense_buffer[0] = 0x70;
	entry->rsp.sense_buffer[2] = 0x05;
	entry->rsp.sense_buffer[7] = 10;
	entry->rsp.sense_buffer[12] = 0x20;
}

bool uiot_lun_answer(struct uiot_lun *lun, enum uiot_lun_what what)
{
	__u32 head = ring_head(lun), tail = lun->ring->cmd_tail;
	__s32 done = 0;

	while (tail != head) {
		struct tcmu_cmd_entry *entry = entry_at(lun, tail);

		if (is_command(entry)) {
			if (what == UIOT_LUN_NO_TRANSFERS &&
			    is_transfer(cdb_of(lun, entry)))
				break;
			answer(lun, entry);
		}
		tail = after(lun, tail);
	}
	if (tail == lun->ring->cmd_tail)
		return false;
	/* pairs with the kernel's look at it: the answers come first */
	__atomic_store_n(&lun->ring->cmd_tail, tail, __ATOMIC_RELEASE);
	return write(lun->fd, &done, sizeof(done)) == sizeof(done);
}

int uiot_lun_waiting(const struct uiot_lun *lun, struct uiot_lun_data *data,
		     int nr)
{
	__u32 head = ring_head(lun), at;
	int found = 0;

	for (at = lun->ring->cmd_tail; at != head; at = after(lun, at)) {
		struct tcmu_cmd_entry *entry = entry_at(lun, at);

		if (!is_command(entry) || !is_transfer(cdb_of(lun, entry)))
			continue;
		if (found < nr) {
			data[found].is_write = cdb_of(lun, entry)[0] & 2;
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
		    strncmp(model, MODEL, strlen(MODEL)) ||
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

/* This side: a command as it is, which nobody tries again if it fails */

static int send_command(int fd, struct sg_io_hdr *io)
{
	io->interface_id = 'S';
	io->timeout = 6 * UIOT_SOON_MS;
	if (ioctl(fd, SG_IO, io))
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

	return send_command(lun->scsi, &io);
}

long uiot_op_transfer(struct uiot_op *op)
{
	struct uiot_lun_data *data = op->addr;
	size_t sectors = data->size / SECTOR_SIZE;
	__u8 cdb[10] = {
		[0] = data->is_write ? 0x2a : 0x28,
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

	return send_command(op->fd, &io);
}
