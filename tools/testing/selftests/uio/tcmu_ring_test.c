// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCMU: user space writes in the ring what no daemon should write there. Whoever may open the
 * device can do that. It may break this ring, but nothing else. A D number in a test's name is
 * the number of a defect of mainline: the test fails there.
 */

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"
#include "uio_testlib_tcmu.h"

/*
 * On mainline, some writes stay in the kernel for ever, with a lock of the device. So they
 * run in a child process, and so do the commands that wait meanwhile.
 */
struct unit {
	struct uiot_tcmu tcmu;
	struct uiot_lun lun;
	struct uiot_op *command;
	struct uiot_op *write;
	bool hangs;
};

static long op_ask(struct uiot_op *op)
{
	return uiot_lun_is_ready(op->addr);
}

static bool command_waits(void *arg)
{
	const struct uiot_lun *lun = arg;
	__u32 head = ring_head(lun->ring), at;

	/* an entry that fills up the end of the ring may come alone, before the command */
	for (at = lun->ring->cmd_tail; at != head; at = ring_after(lun->ring, at))
		if (ring_is_command(ring_entry(lun->ring, at)))
			return true;
	return false;
}

/* A command that waits in the ring. */
static int send_one(struct unit *unit)
{
	int ret;

	*unit->command = (struct uiot_op){ .fn = op_ask, .in_child = true, .addr = &unit->lun };
	ret = uiot_start(unit->command);
	if (ret)
		return ret;
	return uiot_wait_until(command_waits, &unit->lun, UIOT_SOON_MS) ? 0 : -ETIMEDOUT;
}

/* @config: of the device, in addition to that of the library */
static int begin(struct unit *unit, const char *config)
{
	int ret = uiot_tcmu_setup();

	unit->command = uiot_op_alloc();
	unit->write = uiot_op_alloc();
	if (unit->command == MAP_FAIL || unit->write == MAP_FAIL)
		return -ENOMEM;
	if (!ret)
		ret = uiot_tcmu_make(&unit->tcmu, "one", config);
	if (!ret)
		ret = uiot_tcmu_enable(&unit->tcmu);
	if (!ret)
		ret = uiot_tcmu_find(&unit->tcmu);
	if (!ret)
		ret = uiot_tcmu_set(&unit->tcmu, "attrib/cmd_time_out", "4");
	if (!ret)
		ret = uiot_lun_open_ring(&unit->lun, &unit->tcmu,
					 uiot_open(&unit->tcmu.uio, O_RDWR));
	return ret ? ret : uiot_lun_attach(&unit->lun);
}

/*
 * If a write hangs, so does whatever needs the device. This process can exit, because its
 * children have the device open, too.
 */
static void end(struct unit *unit)
{
	if (unit->hangs)
		return;
	uiot_lun_detach(&unit->lun);
	uiot_lun_close_ring(&unit->lun);
	uiot_tcmu_delete_all();
}

/* Says that everything up to @tail is answered. Returns what write() does. */
static int hand_over(struct unit *unit, __u32 tail)
{
	ring_set_tail(unit->lun.ring, tail);
	*unit->write = (struct uiot_op){
		.fn = uiot_op_write, .in_child = true, .fd = unit->lun.fd,
	};
	if (uiot_start(unit->write))
		return -ECHILD;
	unit->hangs = uiot_join(unit->write, 2 * UIOT_SOON_MS);
	return unit->hangs ? -ETIMEDOUT : unit->write->ret;
}

#define HAND_OVER(_unit, _tail)							\
	ASSERT_EQ(4, hand_over(_unit, _tail)) {					\
		TH_LOG("the write stays in the kernel");			\
	}

/* If the ring is not broken, the command waits in the ring, and times out. */
static bool is_broken(const struct uiot_lun *lun)
{
	__u32 head = ring_head(lun->ring);

	return uiot_lun_is_ready(lun) == RING_CHECK_CONDITION && ring_head(lun->ring) == head;
}

static bool answers_until_done(void *arg)
{
	struct uiot_op *op = arg;

	uiot_lun_answer(op->addr, UIOT_LUN_ALL);
	return !uiot_wait_done(op, 0);
}

/* Sends one more command. Returns its status or a negative error code. */
static int ask_and_answer(struct unit *unit)
{
	struct uiot_op op = { .fn = op_ask, .addr = &unit->lun };
	int ret = uiot_start(&op);

	if (ret)
		return ret;
	uiot_wait_until(answers_until_done, &op, UIOT_SOON_MS);
	ret = uiot_join(&op, 2 * UIOT_SOON_MS);
	return ret ? ret : op.ret;
}

/* One command waits in the ring. */
FIXTURE(wrong)
{
	struct unit unit;
};

/* writes something wrong to the entry at @at, and returns a tail */
FIXTURE_VARIANT(wrong)
{
	__u32 (*write)(struct tcmu_mailbox *ring, __u32 at);
};

static __u32 write_len_op(struct tcmu_mailbox *ring, __u32 at, __u32 len, __u32 op)
{
	ring_entry(ring, at)->hdr.len_op = len | op;
	return ring_head(ring);
}

static __u32 length_of(struct tcmu_mailbox *ring, __u32 at)
{
	return tcmu_hdr_get_len(ring_entry(ring, at)->hdr.len_op);
}

/* mainline knows that this one is wrong */
static __u32 unknown_id(struct tcmu_mailbox *ring, __u32 at)
{
	ring_entry(ring, at)->hdr.cmd_id = 0xffff;
	return ring_head(ring);
}

static __u32 unknown_op(struct tcmu_mailbox *ring, __u32 at)
{
	return write_len_op(ring, at, length_of(ring, at), TCMU_OP_TMR + 1);
}

static __u32 pad_of_length_0(struct tcmu_mailbox *ring, __u32 at)
{
	return write_len_op(ring, at, 0, TCMU_OP_PAD);
}

static __u32 command_of_length_0(struct tcmu_mailbox *ring, __u32 at)
{
	return write_len_op(ring, at, 0, TCMU_OP_CMD);
}

/* the rest of it looks like a PAD */
static __u32 command_too_short(struct tcmu_mailbox *ring, __u32 at)
{
	__u32 all = length_of(ring, at), some = sizeof(struct tcmu_cmd_entry) - 8;

	write_len_op(ring, at + some, all - some, TCMU_OP_PAD);
	return write_len_op(ring, at, some, TCMU_OP_CMD);
}

static __u32 longer_than_answered(struct tcmu_mailbox *ring, __u32 at)
{
	return write_len_op(ring, at, length_of(ring, at) + 8, TCMU_OP_CMD);
}

static __u32 tail_inside_the_entry(struct tcmu_mailbox *ring, __u32 at)
{
	(void)ring;
	return at + 4;
}

static __u32 tail_past_the_head(struct tcmu_mailbox *ring, __u32 at)
{
	return ring_head(ring) + length_of(ring, at);
}

static __u32 tail_before_the_entry(struct tcmu_mailbox *ring, __u32 at)
{
	(void)ring;
	return at - 8;
}

/* the data area begins there */
static __u32 tail_outside(struct tcmu_mailbox *ring, __u32 at)
{
	(void)at;
	return ring->cmdr_size + 64;
}

#define WRONG(_what)	FIXTURE_VARIANT_ADD(wrong, _what) { .write = _what }

WRONG(unknown_id);
WRONG(unknown_op);
WRONG(pad_of_length_0);
WRONG(command_of_length_0);
WRONG(command_too_short);
WRONG(longer_than_answered);
WRONG(tail_inside_the_entry);
WRONG(tail_past_the_head);
WRONG(tail_before_the_entry);
WRONG(tail_outside);

FIXTURE_SETUP(wrong)
{
	UIOT_LUN_SETUP();
	ASSERT_EQ(0, begin(&self->unit, "nl_reply_supported=-1"));
	ASSERT_EQ(0, send_one(&self->unit));
}

FIXTURE_TEARDOWN(wrong)
{
	end(&self->unit);
}

TEST_F(wrong, d28_breaks_the_ring)
{
	struct unit *unit = &self->unit;
	struct tcmu_mailbox *ring = unit->lun.ring;

	ring_answer(ring_entry(ring, ring->cmd_tail), RING_GOOD);
	HAND_OVER(unit, variant->write(ring, ring->cmd_tail));
	EXPECT_TRUE(is_broken(&unit->lun)) {
		TH_LOG("the kernel goes on with this ring");
	}

	/* a daemon that starts again does this */
	ASSERT_EQ(0, uiot_tcmu_set(&unit->tcmu, "action/reset_ring", "2"));
	ASSERT_EQ(0, uiot_join(unit->command, UIOT_SOON_MS));
	EXPECT_EQ(RING_GOOD, ask_and_answer(unit));
}

FIXTURE(ring)
{
	struct unit unit;
};

FIXTURE_SETUP(ring)
{
	UIOT_LUN_SETUP();
	ASSERT_EQ(0, begin(&self->unit, "nl_reply_supported=-1"));
}

FIXTURE_TEARDOWN(ring)
{
	end(&self->unit);
}

TEST_F(ring, device_can_be_deleted_when_its_ring_is_broken)
{
	struct unit *unit = &self->unit;
	struct tcmu_mailbox *ring = unit->lun.ring;

	ASSERT_EQ(0, send_one(unit));
	HAND_OVER(unit, unknown_id(ring, ring->cmd_tail));
	ASSERT_TRUE(is_broken(&unit->lun));
	/* it times out */
	ASSERT_EQ(0, uiot_join(unit->command, 2 * UIOT_SOON_MS));
	EXPECT_EQ(RING_CHECK_CONDITION, unit->command->ret);
	uiot_tcmu_unexport();
	EXPECT_EQ(0, uiot_tcmu_delete(&unit->tcmu));
}

#define WRITES	100

TEST_F(ring, d28_writes_to_a_broken_ring_do_not_fill_the_log)
{
	struct unit *unit = &self->unit;
	struct tcmu_mailbox *ring = unit->lun.ring;
	int log = uiot_log_open(), lines = 0, i;
	char line[256];
	__s32 done = 0;

	ASSERT_LE(0, log);
	ASSERT_EQ(0, send_one(unit));
	HAND_OVER(unit, unknown_id(ring, ring->cmd_tail));
	for (i = 0; i < WRITES; i++)
		ASSERT_EQ(4, write(unit->lun.fd, &done, sizeof(done)));
	while (uiot_log_find(log, "ring broken", line, sizeof(line)))
		lines++;
	EXPECT_LT(0, lines);
	EXPECT_GT(WRITES / 2, lines) {
		TH_LOG("each write gives a message");
	}
	close(log);
}

static bool head_is_written(void *arg)
{
	const struct uiot_lun *lun = arg;

	return ring_head(lun->ring) != lun->ring->cmdr_size - 4;
}

/* The kernel tells user space where it is. It has to know that itself. */
TEST_F(ring, d28_head_is_not_read_back)
{
	struct unit *unit = &self->unit;
	struct tcmu_mailbox *ring = unit->lun.ring;
	struct uiot_op op = { .fn = op_ask, .addr = &unit->lun };
	__u32 at = ring_head(ring);

	/* so near to the end that not even the header of an entry fits in */
	ring->cmd_head = ring->cmdr_size - 4;
	ASSERT_EQ(0, uiot_start(&op));
	ASSERT_TRUE(uiot_wait_until(head_is_written, &unit->lun, UIOT_SOON_MS));
	EXPECT_EQ(at + length_of(ring, at), ring_head(ring));
	uiot_wait_until(answers_until_done, &op, UIOT_SOON_MS);
	ASSERT_EQ(0, uiot_join(&op, 2 * UIOT_SOON_MS));
	EXPECT_EQ(RING_GOOD, op.ret);
}

/* Changes a status all the time. */
struct flip {
	__u8 *status;
	bool stop;
};

static long op_flip(struct uiot_op *op)
{
	struct flip *flip = op->addr;
	__u8 *status;

	while (!__atomic_load_n(&flip->stop, __ATOMIC_ACQUIRE)) {
		status = __atomic_load_n(&flip->status, __ATOMIC_ACQUIRE);
		__atomic_store_n(status, RING_GOOD, __ATOMIC_RELAXED);
		__atomic_store_n(status, RING_CHECK_CONDITION, __ATOMIC_RELAXED);
	}
	return 0;
}

#define ROUNDS	300

/* Reads data that begins with @word, while the status changes. Returns the status. */
static int read_while_flipping(struct unit *unit, struct flip *flip, __u32 word, __u32 *got)
{
	static __u32 buffer[1024];
	struct uiot_lun_data sent = { .p = buffer, .size = sizeof(buffer) }, data;
	struct uiot_op op = { .fn = uiot_op_transfer, .fd = unit->lun.scsi, .addr = &sent };
	struct tcmu_mailbox *ring = unit->lun.ring;
	struct tcmu_cmd_entry *entry;
	__s32 done = 0;

	if (uiot_start(&op) || uiot_lun_hold(&unit->lun, 1) ||
	    uiot_lun_waiting(&unit->lun, &data, 1) != 1)
		return -ENODATA;
	entry = ring_entry(ring, ring->cmd_tail);
	*(__u32 *)data.p = word;
	ring_answer(entry, RING_CHECK_CONDITION);
	__atomic_store_n(&flip->status, &entry->rsp.scsi_status, __ATOMIC_RELEASE);
	ring_set_tail(ring, ring_head(ring));
	if (write(unit->lun.fd, &done, sizeof(done)) != sizeof(done) ||
	    uiot_join(&op, 2 * UIOT_SOON_MS))
		return -ETIMEDOUT;
	*got = buffer[0];
	return op.ret;
}

/* A read either fails, or gives the data. What is neither makes mainline's target core warn. */
TEST_F(ring, d28_status_that_changes_is_read_once)
{
	static __u8 nowhere;
	struct flip flip = { .status = &nowhere };
	struct uiot_op op = { .fn = op_flip, .addr = &flip };
	int log = uiot_log_open(), ret = 0;
	bool seen = false, right = true;
	char splat[128] = "";
	__u32 i, got = 0;

	ASSERT_LE(0, log);
	ASSERT_EQ(0, uiot_start(&op));
	for (i = 0; i < ROUNDS && right && !seen; i++) {
		ret = read_while_flipping(&self->unit, &flip, i, &got);
		right = ret == RING_CHECK_CONDITION || (ret == RING_GOOD && got == i);
		seen = uiot_log_splat(log, splat, sizeof(splat));
	}
	__atomic_store_n(&flip.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_TRUE(right) {
		TH_LOG("round %u: status %d, data of round %u", i, ret, got);
	}
	EXPECT_FALSE(seen) {
		TH_LOG("%s", splat);
	}
	close(log);
}

/* A ring in which the next command does not fit before the end. */
FIXTURE(last)
{
	struct unit unit;
};

#define COMMAND_SIZE	(sizeof(struct tcmu_cmd_entry) + 8)

/* Commands are sent until there is no more room than that before the end of the ring. */
struct filler {
	struct uiot_lun *lun;
	__u32 room;
};

static long op_fill(struct uiot_op *op)
{
	const struct filler *filler = op->addr;
	const struct tcmu_mailbox *ring = filler->lun->ring;
	long ret = 0;

	while (!ret && ring->cmdr_size - ring_head(ring) >= filler->room)
		ret = uiot_lun_is_ready(filler->lun);
	return ret;
}

/* Answers at once, because there are thousands of commands. */
static int join_filler(struct uiot_op *op)
{
	const struct filler *filler = op->addr;
	struct pollfd pfd = { .fd = filler->lun->fd, .events = POLLIN };
	__s32 event;
	int ret;

	while (uiot_wait_done(op, 0)) {
		if (poll(&pfd, 1, UIOT_WHILE_MS) == 1 && read(pfd.fd, &event, sizeof(event)) < 0)
			return -errno;
		uiot_lun_answer(filler->lun, UIOT_LUN_ALL);
	}
	ret = uiot_join(op, UIOT_SOON_MS);
	return ret ? ret : op->ret;
}

#define SENDERS	8	/* sg takes 16 commands of a file at a time */

static int fill(struct unit *unit, int senders, __u32 room)
{
	struct filler filler = { .lun = &unit->lun, .room = room };
	struct uiot_op ops[SENDERS];
	int i, ret = 0;

	for (i = 0; i < senders && !ret; i++) {
		ops[i] = (struct uiot_op){ .fn = op_fill, .addr = &filler };
		ret = uiot_start(&ops[i]);
	}
	for (i = 0; i < senders && !ret; i++)
		ret = join_filler(&ops[i]);
	return ret;
}

#define FILL_TEST_S	300

FIXTURE_SETUP(last)
{
	UIOT_LUN_SETUP();
	ASSERT_EQ(0, begin(&self->unit, "nl_reply_supported=-1,cmd_ring_size_mb=1"));
	/* each of many may send one more; the last ones go alone */
	ASSERT_EQ(0, fill(&self->unit, SENDERS, 2 * SENDERS * COMMAND_SIZE));
	ASSERT_EQ(0, fill(&self->unit, 1, COMMAND_SIZE));
}

FIXTURE_TEARDOWN(last)
{
	end(&self->unit);
}

TEST_F_TIMEOUT(last, d28_command_across_the_end_breaks_the_ring, FILL_TEST_S)
{
	struct unit *unit = &self->unit;
	struct tcmu_mailbox *ring = unit->lun.ring;
	__u32 at = ring_head(ring);
	struct tcmu_cmd_entry *entry = ring_entry(ring, at);

	ASSERT_EQ(0, send_one(unit));
	ASSERT_EQ(TCMU_OP_PAD, tcmu_hdr_get_op(entry->hdr.len_op));
	ASSERT_EQ(COMMAND_SIZE, ring_head(ring));
	entry->hdr.cmd_id = ring_entry(ring, 0)->hdr.cmd_id;
	HAND_OVER(unit, write_len_op(ring, at, COMMAND_SIZE, TCMU_OP_CMD));
	EXPECT_TRUE(is_broken(&unit->lun));
	ASSERT_EQ(0, uiot_tcmu_set(&unit->tcmu, "action/reset_ring", "2"));
	ASSERT_EQ(0, uiot_join(unit->command, UIOT_SOON_MS));
}

TEST_F_TIMEOUT(last, commands_go_on_at_the_beginning, FILL_TEST_S)
{
	EXPECT_EQ(RING_GOOD, ask_and_answer(&self->unit));
	EXPECT_EQ(COMMAND_SIZE, ring_head(self->unit.lun.ring));
	EXPECT_EQ(RING_GOOD, ask_and_answer(&self->unit));
}

TEST_HARNESS_MAIN
