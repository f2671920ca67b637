// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcmu_chaos: initiators. Each thread writes to blocks of its own, and reads them again. What
 * was acknowledged must be there, as long as no daemon has lied.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tcmu.h"

#define BIG_SIZE	(512 << 10)
#define WORDS		(BLOCK_SIZE / sizeof(__u64))
#define COMMAND_MS	600000	/* longer than it may take: TCMU has to end it before */

/* A unit that is open. Nothing else can have its node meanwhile. */
struct target {
	struct unit *unit;
	__u32 generation;
	struct uiot_lun lun;
};

static __thread char *buffer;

static bool open_target(struct target *target, void *actor, struct dice *dice)
{
	struct unit *unit = any_unit(dice);
	__u32 export = NOW(unit->export);
	char node[sizeof(unit->sg)];

	may_take(actor, TICKS_SCSI);
	if (!buffer)
		buffer = aligned_alloc(uiot_page(), BIG_SIZE);
	if (!export || !buffer) {
		usleep(TICK_US);
		return false;
	}
	memcpy(node, unit->sg, sizeof(node));
	*target = (struct target){
		.unit = unit,
		.generation = NOW(unit->generation),
		.lun = { .command_ms = COMMAND_MS, .scsi = open(node, O_RDWR | O_CLOEXEC) },
	};
	if (target->lun.scsi < 0)
		return false;
	/* it is still the same */
	if (NOW(unit->export) == export)
		return true;
	close(target->lun.scsi);
	return false;
}

static bool send_command(struct target *target, struct uiot_lun_data *data)
{
	long status = data ? uiot_lun_transfer(&target->lun, data) :
			     uiot_lun_is_ready(&target->lun);

	close(target->lun.scsi);
	if (status)
		happened(FAILED_COMMANDS);
	return !status;
}

static unsigned int nr_of(const struct task *task)
{
	return task - world->tasks;
}

/* Each word says where it belongs, and who wrote it when. */
static __u64 word_of(const struct block *block, unsigned int unit, unsigned int nr, size_t i)
{
	return i % 2 ? (__u64)block->generation << 32 | unit << 24 | nr << 12 | i :
		       (__u64)block->seq << 32 | unit << 24 | nr << 12 | i;
}

static struct block *any_block(struct target *target, void *actor, struct dice *dice,
			       unsigned int *nr)
{
	unsigned int task = nr_of(actor), i = roll(dice, TASK_BLOCKS);

	*nr = task * TASK_BLOCKS + i;
	return &target->unit->blocks[task][i];
}

static struct uiot_lun_data data_of(unsigned int nr, bool is_write)
{
	return (struct uiot_lun_data){
		.is_write = is_write,
		.p = buffer,
		.size = BLOCK_SIZE,
		.sector = nr * (BLOCK_SIZE / SECTOR_SIZE),
	};
}

/*
 * If a write fails, it may still be done later, so nobody can tell what the block has. It is
 * not used again before the next generation.
 */
OPERATION(io_write)
{
	struct uiot_lun_data data;
	struct target target;
	struct block *block;
	unsigned int nr, i;
	__u64 *words;

	if (!open_target(&target, actor, dice))
		return;
	block = any_block(&target, actor, dice, &nr);
	if (block->generation == target.generation && !block->is_known) {
		close(target.lun.scsi);
		return;
	}
	block->is_known = false;
	block->generation = target.generation;
	block->seq++;
	words = (__u64 *)buffer;
	for (i = 0; i < WORDS; i++)
		words[i] = word_of(block, unit_nr(target.unit), nr, i);
	data = data_of(nr, true);
	if (!send_command(&target, &data))
		return;
	block->is_known = true;
	happened(WRITES);
}

OPERATION(io_read)
{
	struct uiot_lun_data data;
	struct target target;
	struct block *block;
	unsigned int nr, i;
	__u64 *words;

	if (!open_target(&target, actor, dice))
		return;
	block = any_block(&target, actor, dice, &nr);
	if (block->generation != target.generation || !block->is_known) {
		close(target.lun.scsi);
		return;
	}
	data = data_of(nr, false);
	memset(buffer, 0x5a, BLOCK_SIZE);
	if (!send_command(&target, &data) || NOW(target.unit->spoiled) == target.generation)
		return;
	words = (__u64 *)buffer;
	for (i = 0; i < WORDS; i++)
		if (words[i] != word_of(block, unit_nr(target.unit), nr, i)) {
			fail("unit%u: block %u has %llx in place of %llx",
			     unit_nr(target.unit), nr, words[i],
			     word_of(block, unit_nr(target.unit), nr, i));
			return;
		}
	happened(READS);
}

/* More data than the devices may have together. */
OPERATION(io_big_read)
{
	struct uiot_lun_data data;
	struct target target;

	if (!open_target(&target, actor, dice))
		return;
	data = data_of(0, false);
	data.size = (1 + roll(dice, 8)) * (BIG_SIZE / 8);
	send_command(&target, &data);
}

OPERATION(io_ready)
{
	struct target target;

	if (open_target(&target, actor, dice))
		send_command(&target, NULL);
}
