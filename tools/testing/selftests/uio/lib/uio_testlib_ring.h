/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon's side of a TCMU ring, for the tests and the benchmark: reads commands and
 * answers them.
 */

#ifndef _UIO_TESTLIB_RING_H
#define _UIO_TESTLIB_RING_H

/* The C library also defines a struct iovec. */
#define iovec	kernel_iovec
#include <linux/target_core_user.h>
#undef iovec

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define RING_GOOD		0x00
#define RING_CHECK_CONDITION	0x02

/*
 * The SCSI type of the units of tests. They are not disks, so that the disk driver leaves
 * them alone: with CONFIG_DEBUG_KOBJECT_RELEASE, the kernel complains about each disk that is
 * freed, because a disk contains an object whose release that option delays.
 */
#define RING_PROCESSOR		0x03
#define RING_MODEL		"test unit"

static inline struct tcmu_cmd_entry *ring_entry(struct tcmu_mailbox *ring, __u32 at)
{
	return (void *)((char *)ring + ring->cmdr_off + at);
}

static inline __u32 ring_after(struct tcmu_mailbox *ring, __u32 at)
{
	return (at + tcmu_hdr_get_len(ring_entry(ring, at)->hdr.len_op)) %
	       ring->cmdr_size;
}

static inline __u32 ring_head(const struct tcmu_mailbox *ring)
{
	/* pairs with the kernel's release: entries before the head are complete */
	return __atomic_load_n(&ring->cmd_head, __ATOMIC_ACQUIRE);
}

static inline void ring_set_tail(struct tcmu_mailbox *ring, __u32 at)
{
	/* pairs with the kernel's read of the tail: answers before the tail are complete */
	__atomic_store_n(&ring->cmd_tail, at, __ATOMIC_RELEASE);
}

static inline bool ring_is_command(const struct tcmu_cmd_entry *entry)
{
	return tcmu_hdr_get_op(entry->hdr.len_op) == TCMU_OP_CMD;
}

static inline const __u8 *ring_cdb(const struct tcmu_mailbox *ring,
				   const struct tcmu_cmd_entry *entry)
{
	return (const __u8 *)ring + entry->req.cdb_off;
}

/* Copies data to the first iovec of a command, and cuts off the rest. */
static inline void ring_give(struct tcmu_mailbox *ring, struct tcmu_cmd_entry *entry,
			     const void *data, size_t size)
{
	if (!entry->req.iov_cnt)
		return;
	if (size > entry->req.iov[0].iov_len)
		size = entry->req.iov[0].iov_len;
	memcpy((char *)ring + (size_t)entry->req.iov[0].iov_base, data, size);
}

/* Answers INQUIRY for every unit of ours: SPC-3, in the current format. */
static inline void ring_give_identity(struct tcmu_mailbox *ring,
				      struct tcmu_cmd_entry *entry, __u8 type,
				      const char *model)
{
	/* head[4]: number of bytes that follow it; names are padded with spaces */
	struct {
		__u8 head[8];
		char names[28];
	} data = { { type, [2] = 5, [3] = 2, [4] = 31 }, "" };

	memset(data.names, ' ', sizeof(data.names));
	memcpy(data.names, "UIO", 3);
	memcpy(data.names + 8, model, strnlen(model, 16));
	memcpy(data.names + 24, "0001", 4);
	ring_give(ring, entry, &data, sizeof(data));
}

/* What units of tests do but for transfers. Returns the status. */
static inline int ring_execute(struct tcmu_mailbox *ring, struct tcmu_cmd_entry *entry)
{
	const __u8 *cdb = ring_cdb(ring, entry);

	switch (cdb[0]) {
	case 0x00: /* test unit ready */
		return RING_GOOD;
	case 0x12:
		if (cdb[1] & 1)
			return RING_CHECK_CONDITION;
		ring_give_identity(ring, entry, RING_PROCESSOR, RING_MODEL);
		return RING_GOOD;
	default:
		return RING_CHECK_CONDITION;
	}
}

/*
 * The answer overwrites the request. A status other than RING_GOOD says "illegal request:
 * unsupported command". Only the beginning of the sense data is written, because the
 * benchmark measures this function, too.
 */
static inline void ring_answer(struct tcmu_cmd_entry *entry, int status)
{
	char *sense = entry->rsp.sense_buffer;

	entry->hdr.uflags = 0;
	memset(&entry->rsp, 0, offsetof(typeof(entry->rsp), sense_buffer));
	entry->rsp.scsi_status = status;
	if (status == RING_GOOD)
		return;
	memset(sense, 0, sizeof(entry->rsp.sense_buffer));
	sense[0] = 0x70;
	sense[2] = 0x05;
	sense[7] = 10;
	sense[12] = 0x20;
}

#endif /* _UIO_TESTLIB_RING_H */
