// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcmu_chaos: a daemon at work on a ring. It answers some of the commands that wait there, in
 * any order. A daemon that lies gives wrong answers to reads and writes.
 */

#include <string.h>
#include <unistd.h>

#include "tcmu.h"

#define TURN_MAX	8	/* commands */

/* What a daemon does to the ring at a time. */
struct turn {
	struct device *dev;
	struct dice *dice;
	bool lies;
	unsigned int nr;
	struct answer {
		struct tcmu_cmd_entry *entry;
		__u16 id;
		int status;
		bool is_transfer;
	} answers[TURN_MAX];
};

static bool is_transfer(const __u8 *cdb)
{
	return cdb[0] == 0x28 || cdb[0] == 0x2a;	/* READ(10), WRITE(10) */
}

/* If the device is gone, its disk may belong to the next generation. */
static int transfer(const struct turn *turn, struct tcmu_cmd_entry *entry, const __u8 *cdb)
{
	size_t at = ((size_t)cdb[2] << 24 | cdb[3] << 16 | cdb[4] << 8 | cdb[5]) * SECTOR_SIZE;
	char *disk = (char *)turn->dev->unit->data, *data;
	size_t size;
	__u32 i;

	if (NOW(turn->dev->unit->generation) != turn->dev->generation)
		return RING_CHECK_CONDITION;
	for (i = 0; i < entry->req.iov_cnt; i++, at += size) {
		data = (char *)turn->dev->ring + (size_t)entry->req.iov[i].iov_base;
		size = entry->req.iov[i].iov_len;
		if (at > UNIT_SIZE || size > UNIT_SIZE - at)
			return RING_CHECK_CONDITION;
		if (cdb[0] == 0x2a)
			memcpy(disk + at, data, size);
		else
			memcpy(data, disk + at, size);
	}
	return RING_GOOD;
}

static int execute(const struct turn *turn, struct tcmu_cmd_entry *entry)
{
	const __u8 *cdb = ring_cdb(turn->dev->ring, entry);

	if (!is_transfer(cdb))
		return ring_execute(turn->dev->ring, entry);
	return turn->lies && chance(turn->dice, 4) ? RING_GOOD : transfer(turn, entry, cdb);
}

static void execute_one(struct turn *turn, struct tcmu_cmd_entry *entry)
{
	struct answer *answer = &turn->answers[turn->nr];

	*answer = (struct answer){
		.entry = entry,
		.id = entry->hdr.cmd_id,
		.is_transfer = is_transfer(ring_cdb(turn->dev->ring, entry)),
		.status = execute(turn, entry),
	};
	turn->nr++;
}

/* The answer to one command may take the place of another one. */
static void change_order(struct turn *turn)
{
	unsigned int i = roll(turn->dice, turn->nr), j = roll(turn->dice, turn->nr);
	struct tcmu_cmd_entry *entry = turn->answers[i].entry;

	if (i == j)
		return;
	turn->answers[i].entry = turn->answers[j].entry;
	turn->answers[j].entry = entry;
	happened(OUT_OF_ORDER);
}

/* busy, reservation conflict, task aborted, no sense */
static const __u8 wrong_statuses[] = { 0x08, 0x18, 0x40, RING_CHECK_CONDITION };

static void answer_wrongly(struct turn *turn, struct answer *answer)
{
	struct tcmu_cmd_entry *entry = answer->entry;

	happened(WRONG_ANSWERS);
	switch (roll(turn->dice, 6)) {
	case 0:
		/* the kernel begins with 1: not that of a scan */
		entry->hdr.cmd_id = 0x8000 + roll(turn->dice, 0x8000);
		break;
	case 1: /* a second time */
		entry->hdr.cmd_id = turn->answers[roll(turn->dice, turn->nr)].id;
		break;
	case 2:
		entry->rsp.scsi_status = wrong_statuses[roll(turn->dice, 4)];
		break;
	case 3: /* more than there is */
		entry->hdr.uflags |= TCMU_UFLAG_READ_LEN;
		entry->rsp.read_len = ~roll(turn->dice, 0x10000);
		break;
	case 4:
		entry->hdr.uflags |= TCMU_UFLAG_READ_LEN;
		entry->rsp.read_len = roll(turn->dice, BLOCK_SIZE);
		break;
	default:
		entry->hdr.uflags |= TCMU_UFLAG_UNKNOWN_OP;
		break;
	}
}

static void keep_buffer(struct turn *turn, struct answer *answer)
{
	if (turn->dev->kept)
		return;
	turn->dev->kept = answer->id;
	answer->entry->hdr.uflags |= TCMU_UFLAG_KEEP_BUF;
	happened(KEPT_BUFFERS);
}

static void answer_all(struct turn *turn)
{
	struct answer *answer;

	for (answer = turn->answers; answer < turn->answers + turn->nr; answer++) {
		ring_answer(answer->entry, answer->status);
		answer->entry->hdr.cmd_id = answer->id;
		if (chance(turn->dice, 32))
			keep_buffer(turn, answer);
		if (turn->lies && answer->is_transfer && chance(turn->dice, 8))
			answer_wrongly(turn, answer);
	}
}

/* Any touch may raise a signal, if the device goes meanwhile. */
static void work(void *arg)
{
	struct turn *turn = arg;
	struct tcmu_mailbox *ring = turn->dev->ring;
	__u32 head = ring_head(ring), tail = ring->cmd_tail, steps;
	__s32 done = 0;

	for (steps = 0; steps < TURN_MAX && tail != head; steps++) {
		if (ring_is_command(ring_entry(ring, tail)))
			execute_one(turn, ring_entry(ring, tail));
		tail = ring_after(ring, tail);
	}
	if (!steps)
		return;
	if (turn->nr && chance(turn->dice, 2))
		change_order(turn);
	answer_all(turn);
	ring_set_tail(ring, tail);
	/* now and then it forgets to tell the kernel */
	if (!chance(turn->dice, 32) && write(turn->dev->fd, &done, sizeof(done)) < 0 &&
	    is_live(turn->dev->unit, turn->dev->generation))
		fail("unit%u: the kernel refuses an answer", unit_nr(turn->dev->unit));
}

/* Answers commands, if any wait. */
void ring_work(struct device *dev, bool lies, struct dice *dice)
{
	struct turn turn = { .dev = dev, .dice = dice, .lies = lies };
	int sig;

	unit_lock(dev->unit);
	sig = touch_in(work, &turn);
	unit_unlock(dev->unit);
	if (sig && is_live(dev->unit, dev->generation))
		fail("unit%u: its daemon gets signal %d", unit_nr(dev->unit), sig);
}
