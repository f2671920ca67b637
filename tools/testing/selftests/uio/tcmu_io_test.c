// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCMU: what happens to the data of commands that are in the ring when their device is
 * deleted. A handler, such as this test, may still use this data for a while. When it does
 * direct I/O to a file, other drivers use these pages, too.
 */

#include <fcntl.h>
#include <poll.h>
#include <scsi/sg.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"
#include "uio_testlib_tcmu.h"

#define DATA_SIZE	(64 << 10)
/* An upper limit: a delete waits until the commands have timed out. */
#define DELETE_MS	(4 * UIOT_SOON_MS)

enum { WRITE, READ, NR };

FIXTURE(io)
{
	struct uiot_tcmu tcmu;
	struct uiot_lun lun;
	/* the data of the two commands, as the sender sees it and as the handler sees it */
	struct uiot_lun_data sent[NR];
	struct uiot_lun_data data[NR];
	struct uiot_op ops[NR];
	struct uiot_op delete;
};

/* Writes a different word to each place. */
static void fill(void *p, __u32 first)
{
	__u32 *word = p;
	size_t i;

	for (i = 0; i < DATA_SIZE / sizeof(*word); i++)
		word[i] = first + i;
}

static void *new_buffer(void)
{
	void *p = NULL;

	if (posix_memalign(&p, uiot_page(), DATA_SIZE))
		return NULL;
	memset(p, 0, DATA_SIZE);
	return p;
}

static int send_both(struct uiot_lun *lun, struct uiot_lun_data *sent,
		     struct uiot_op *ops)
{
	int i, ret = 0;

	for (i = 0; i < NR && !ret; i++) {
		sent[i].is_write = i == WRITE;
		sent[i].p = new_buffer();
		sent[i].size = DATA_SIZE;
		if (!sent[i].p)
			return -ENOMEM;
		fill(sent[i].p, i << 24);
		ops[i] = (struct uiot_op){
			.fn = uiot_op_transfer, .fd = lun->scsi, .addr = &sent[i],
		};
		ret = uiot_start(&ops[i]);
		if (!ret)
			ret = uiot_lun_hold(lun, i + 1);
	}
	return ret;
}

static long op_delete(struct uiot_op *op)
{
	uiot_tcmu_unexport();
	return uiot_tcmu_delete(op->addr);
}

/* If nobody answers a command, its thread and the test hang. So this answers, too. */
static int join(struct uiot_lun *lun, struct uiot_op *op, int ms)
{
	int ret = op->fn ? uiot_join(op, ms) : 0;

	if (ret && lun->ring) {
		uiot_lun_answer(lun, UIOT_LUN_ALL);
		uiot_join(op, UIOT_SOON_MS);
	}
	op->fn = NULL;
	return ret;
}

#define START_DELETE() do {							\
	self->delete = (struct uiot_op){ .fn = op_delete, .addr = &self->tcmu };	\
	ASSERT_EQ(0, uiot_start(&self->delete));				\
} while (0)

#define DELETED() do {								\
	ASSERT_EQ(0, join(&self->lun, &self->delete, DELETE_MS));				\
	EXPECT_EQ(0, self->delete.ret);						\
} while (0)

FIXTURE_SETUP(io)
{
	UIOT_LUN_SETUP();
	ASSERT_EQ(0, uiot_lun_create(&self->lun, &self->tcmu));
	ASSERT_EQ(0, send_both(&self->lun, self->sent, self->ops));
	ASSERT_EQ(NR, uiot_lun_waiting(&self->lun, self->data, NR));
	/* the data of each is contiguous, because the data area was empty */
	ASSERT_EQ(DATA_SIZE, self->data[WRITE].size);
	ASSERT_EQ(DATA_SIZE, self->data[READ].size);
}

FIXTURE_TEARDOWN(io)
{
	int i;

	for (i = 0; i < NR; i++)
		EXPECT_EQ(0, join(&self->lun, &self->ops[i], UIOT_SOON_MS));
	uiot_lun_detach(&self->lun);
	uiot_lun_close_ring(&self->lun);
	uiot_tcmu_delete_all();
	for (i = 0; i < NR; i++)
		free(self->sent[i].p);
}

/* All other tests rely on this. */
TEST_F(io, answers_carry_data)
{
	EXPECT_EQ(0, memcmp(self->data[WRITE].p, self->sent[WRITE].p, DATA_SIZE));
	fill(self->data[READ].p, 0x5a);
	fill(self->sent[WRITE].p, 0x5a);
	ASSERT_TRUE(uiot_lun_answer(&self->lun, UIOT_LUN_ALL));
	ASSERT_EQ(0, join(&self->lun, &self->ops[READ], UIOT_SOON_MS));
	EXPECT_EQ(0, self->ops[READ].ret);
	EXPECT_EQ(0, memcmp(self->sent[READ].p, self->sent[WRITE].p, DATA_SIZE));
}

TEST_F(io, fdinfo_shows_its_data)
{
	long long bytes = uiot_fdinfo_number(self->lun.fd, "tcmu-data-bytes");

	EXPECT_LE(NR * DATA_SIZE, bytes);
	EXPECT_EQ(0, bytes % (long long)uiot_page());
	START_DELETE();
	DELETED();
	EXPECT_EQ(0, uiot_fdinfo_number(self->lun.fd, "tcmu-data-bytes"));
}

/* What a handler does: it copies from the data area to a file, and back. */
struct handler {
	int fd;
	const struct uiot_lun_data *data;
	const void *want;
	int rounds;
	bool stop;
};

static int handle_once(const struct handler *handler)
{
	const struct uiot_lun_data *data = handler->data;

	memset(data[READ].p, 0, DATA_SIZE);
	if (pwrite(handler->fd, data[WRITE].p, DATA_SIZE, 0) != DATA_SIZE ||
	    pread(handler->fd, data[READ].p, DATA_SIZE, 0) != DATA_SIZE)
		return errno ? -errno : -EIO;
	return memcmp(data[READ].p, handler->want, DATA_SIZE) ? -EBADMSG : 0;
}

static long op_handle(struct uiot_op *op)
{
	struct handler *handler = op->addr;
	int ret = 0;

	while (!ret && !__atomic_load_n(&handler->stop, __ATOMIC_ACQUIRE)) {
		ret = handle_once(handler);
		__atomic_add_fetch(&handler->rounds, 1, __ATOMIC_RELEASE);
	}
	return ret;
}

struct rounds {
	struct handler *handler;
	int more_than;
};

static bool rounds_are_done(void *arg)
{
	struct rounds *rounds = arg;

	return __atomic_load_n(&rounds->handler->rounds, __ATOMIC_ACQUIRE) >
	       rounds->more_than;
}

/* Waits for the current round, and for one complete round after it. */
static bool goes_on(struct handler *handler)
{
	struct rounds rounds = { handler, handler->rounds + 1 };

	return uiot_wait_until(rounds_are_done, &rounds, UIOT_SOON_MS);
}

static int open_file(void)
{
	int fd = open("direct", O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);

	unlink("direct");
	return fd;
}

TEST_F(io, direct_io_goes_on_while_and_after_deleted)
{
	struct handler handler = {
		.fd = open_file(), .data = self->data, .want = self->sent[WRITE].p,
	};
	struct uiot_op op = { .fn = op_handle, .addr = &handler };
	bool before, after;

	ASSERT_LE(0, handler.fd);
	ASSERT_EQ(0, uiot_start(&op));
	before = goes_on(&handler);
	START_DELETE();
	DELETED();
	after = goes_on(&handler);
	__atomic_store_n(&handler.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_TRUE(before);
	EXPECT_TRUE(after);
	EXPECT_EQ(0, op.ret) {
		TH_LOG("%s", strerrorname_np(-op.ret));
	}
	close(handler.fd);
}

TEST_F(io, present_data_is_unchanged_after_delete)
{
	ASSERT_EQ(0, memcmp(self->data[WRITE].p, self->sent[WRITE].p, DATA_SIZE));
	START_DELETE();
	DELETED();
	EXPECT_EQ(0, memcmp(self->data[WRITE].p, self->sent[WRITE].p, DATA_SIZE));
	fill(self->data[WRITE].p, 1);
}

TEST_F(io, d18_absent_data_is_sigbus_after_delete)
{
	__u32 word;

	uiot_make_absent(self->data[WRITE].p, DATA_SIZE / uiot_page());
	START_DELETE();
	DELETED();
	EXPECT_EQ(SIGBUS, uiot_load_word(self->data[WRITE].p, &word)) {
		TH_LOG("page gets mapped");
	}
}

static bool ring_is_free(void *arg)
{
	(void)arg;
	return !uiot_tcmu_rings();
}

/* No mapping keeps these pages: only the kernel's references do. */
TEST_F(io, pinned_data_outlives_the_ring)
{
	struct iovec iov = { self->data[WRITE].p, DATA_SIZE };
	void *seen = new_buffer();
	int pipe_fds[2];
	size_t got = 0;
	ssize_t n;

	ASSERT_NE(NULL, seen);
	ASSERT_EQ(0, pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK));
	ASSERT_EQ(DATA_SIZE, vmsplice(pipe_fds[1], &iov, 1, 0));
	START_DELETE();
	DELETED();
	uiot_lun_close_ring(&self->lun);
	EXPECT_TRUE(uiot_wait_until(ring_is_free, NULL, UIOT_SOON_MS));

	while (got < DATA_SIZE) {
		n = read(pipe_fds[0], seen + got, DATA_SIZE - got);
		if (n <= 0)
			break;
		got += n;
	}
	EXPECT_EQ(DATA_SIZE, got);
	EXPECT_EQ(0, memcmp(seen, self->sent[WRITE].p, DATA_SIZE));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	free(seen);
}

/* A daemon that has asked for it hears of a reset: it finds it in the ring, and an event. */
TEST(reset_of_the_unit_is_an_event)
{
	struct uiot_lun lun = { .scsi = -1 };
	struct pollfd pfd = { .events = POLLIN };
	int what = SG_SCSI_RESET_DEVICE;
	struct tcmu_cmd_entry *entry;
	struct uiot_tcmu tcmu;
	__s32 event;

	UIOT_LUN_SETUP();
	ASSERT_EQ(0, uiot_lun_create(&lun, &tcmu));
	ASSERT_EQ(0, uiot_tcmu_set(&tcmu, "attrib/tmr_notification", "1"));
	/* those of the commands to a new unit */
	ASSERT_EQ(4, read(lun.fd, &event, sizeof(event)));
	pfd.fd = lun.fd;
	ASSERT_EQ(0, poll(&pfd, 1, 0));

	ASSERT_EQ(0, ioctl(lun.scsi, SG_SCSI_RESET, &what));
	EXPECT_EQ(1, poll(&pfd, 1, UIOT_SOON_MS));
	EXPECT_NE(lun.ring->cmd_tail, ring_head(lun.ring));
	entry = ring_entry(lun.ring, lun.ring->cmd_tail);
	EXPECT_EQ(TCMU_OP_TMR, tcmu_hdr_get_op(entry->hdr.len_op));
	uiot_lun_detach(&lun);
	uiot_lun_close_ring(&lun);
	uiot_tcmu_delete_all();
}

TEST_HARNESS_MAIN
