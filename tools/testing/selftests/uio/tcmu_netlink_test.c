// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCMU: whom the kernel tells of a device, and for whom it waits, if there are many
 * devices or many listeners. The test acts as all daemons. A D number in a test's name is
 * the number of a defect of mainline: the test fails there.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"
#include "uio_testlib_tcmu.h"

#define SMALL	"cmd_ring_size_mb=1"

static long ms_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000;
}

static int start(struct uiot_op *op, long (*fn)(struct uiot_op *op),
		 struct uiot_tcmu *tcmu)
{
	*op = (struct uiot_op){ .fn = fn, .addr = tcmu };
	return uiot_start(op);
}

static int next(struct uiot_tcmu_daemon *daemon, struct uiot_tcmu_event *event,
		int cmd)
{
	int ret = uiot_tcmu_next_event(daemon, event);

	return ret ?: event->cmd == cmd ? 0 : -EPROTO;
}

static int done_of(int cmd)
{
	switch (cmd) {
	case TCMU_CMD_ADDED_DEVICE:
		return TCMU_CMD_ADDED_DEVICE_DONE;
	case TCMU_CMD_REMOVED_DEVICE:
		return TCMU_CMD_REMOVED_DEVICE_DONE;
	default:
		return TCMU_CMD_RECONFIG_DEVICE_DONE;
	}
}

/* Answers, and ignores whether the kernel still waits for the answer. */
static int say_yes(struct uiot_tcmu_daemon *daemon, struct uiot_tcmu_event *event)
{
	int ret = uiot_tcmu_next_event(daemon, event);

	if (!ret)
		uiot_tcmu_answer(daemon, event, done_of(event->cmd), 0);
	return ret;
}

static int enable(struct uiot_tcmu_daemon *daemon, struct uiot_tcmu *tcmu)
{
	struct uiot_tcmu_event event;
	struct uiot_op op;
	int ret = start(&op, uiot_op_enable, tcmu);

	if (!ret)
		ret = say_yes(daemon, &event);
	return uiot_join_or_reset(&op) ?: ret ?: op.ret;
}

/* One device, and a daemon that hears of it. */
FIXTURE(one)
{
	struct uiot_tcmu tcmu;
	struct uiot_tcmu_daemon daemon;
	struct uiot_tcmu_daemon other;
	struct uiot_tcmu_event event;
	struct uiot_op op;
};

FIXTURE_SETUP(one)
{
	self->other.commands = -1;
	UIOT_NEED(uiot_tcmu_setup());
	ASSERT_EQ(0, uiot_tcmu_daemon_start(&self->daemon));
	ASSERT_EQ(0, uiot_tcmu_make(&self->tcmu, "one", ""));
}

FIXTURE_TEARDOWN(one)
{
	struct uiot_tcmu_daemon last;

	/* the next test begins with a kernel that expects no answers */
	if (self->daemon.commands < 0 && !uiot_tcmu_daemon_start(&last))
		uiot_tcmu_daemon_end(&last);
	uiot_tcmu_daemon_end(&self->other);
	uiot_tcmu_daemon_end(&self->daemon);
	uiot_tcmu_delete_all();
}

/* One daemon refuses a device that another one has already opened and mapped. */
TEST_F(one, d21_refused_device_is_taken_back_from_who_has_it)
{
	__u32 word;
	int fd, told;
	void *p;

	ASSERT_EQ(0, uiot_tcmu_daemon_start(&self->other));
	ASSERT_EQ(0, start(&self->op, uiot_op_enable, &self->tcmu));
	ASSERT_EQ(0, next(&self->daemon, &self->event, TCMU_CMD_ADDED_DEVICE));
	ASSERT_EQ(0, uiot_tcmu_find(&self->tcmu));
	fd = uiot_open(&self->tcmu.uio, O_RDWR);
	ASSERT_LE(0, fd);
	p = uiot_tcmu_map(&self->tcmu, fd);
	ASSERT_NE(MAP_FAIL, p);

	ASSERT_EQ(0, next(&self->other, &self->event, TCMU_CMD_ADDED_DEVICE));
	ASSERT_EQ(0, uiot_tcmu_answer(&self->other, &self->event,
				      TCMU_CMD_ADDED_DEVICE_DONE, -EDOM));
	told = next(&self->daemon, &self->event, TCMU_CMD_REMOVED_DEVICE);
	EXPECT_EQ(0, told) {
		TH_LOG("the daemon is not told");
	}
	/* otherwise the kernel may have freed the ring: D14 */
	if (!told)
		EXPECT_EQ(0, uiot_load_word(p, &word)) {
			TH_LOG("the daemon loses a ring that it still maps");
		}
	munmap(p, self->tcmu.size);
	close(fd);
	UIOT_ENDED(&self->op, -EDOM);
	EXPECT_EQ(0, uiot_tcmu_rings());
}

TEST_F(one, d21_refused_device_is_not_opened_any_more)
{
	int fd, late;

	ASSERT_EQ(0, start(&self->op, uiot_op_enable, &self->tcmu));
	ASSERT_EQ(0, next(&self->daemon, &self->event, TCMU_CMD_ADDED_DEVICE));
	ASSERT_EQ(0, uiot_tcmu_find(&self->tcmu));
	fd = uiot_open(&self->tcmu.uio, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, uiot_tcmu_answer(&self->daemon, &self->event,
				      TCMU_CMD_ADDED_DEVICE_DONE, -EDOM));
	EXPECT_EQ(0, next(&self->daemon, &self->event, TCMU_CMD_REMOVED_DEVICE)) {
		TH_LOG("the daemon is not told");
	}
	close(fd);
	late = uiot_open(&self->tcmu.uio, O_RDWR);
	EXPECT_GT(0, late);
	UIOT_ENDED(&self->op, -EDOM);
}

/* A process that never closes the device delays the create only for a while. */
TEST_F(one, holder_of_a_refused_device_is_not_waited_for_for_ever)
{
	int fd;

	ASSERT_EQ(0, start(&self->op, uiot_op_enable, &self->tcmu));
	ASSERT_EQ(0, next(&self->daemon, &self->event, TCMU_CMD_ADDED_DEVICE));
	ASSERT_EQ(0, uiot_tcmu_find(&self->tcmu));
	fd = uiot_open(&self->tcmu.uio, O_RDWR);
	ASSERT_LE(0, fd);
	uiot_tcmu_set_time_out(&self->tcmu, "1");
	ASSERT_EQ(0, uiot_tcmu_answer(&self->daemon, &self->event,
				      TCMU_CMD_ADDED_DEVICE_DONE, -EDOM));
	UIOT_ENDED(&self->op, -EDOM);
	close(fd);
}

/* Programs find the device by the id that configfs shows. */
TEST_F(one, d25_id_of_a_device_stays_after_a_time_out)
{
	__u32 id;

	ASSERT_EQ(0, start(&self->op, uiot_op_enable, &self->tcmu));
	ASSERT_EQ(0, say_yes(&self->daemon, &self->event));
	UIOT_ENDED(&self->op, 0);
	id = self->event.device_id;

	uiot_tcmu_set_time_out(&self->tcmu, "1");
	ASSERT_EQ(0, start(&self->op, uiot_op_grow, &self->tcmu));
	/* a kernel without a time-out needs a reset to end */
	uiot_join_or_reset(&self->op);
	EXPECT_GT(0, self->op.ret);
	ASSERT_EQ(0, say_yes(&self->daemon, &self->event));
	EXPECT_EQ(id, self->event.device_id);

	ASSERT_EQ(0, start(&self->op, uiot_op_delete, &self->tcmu));
	ASSERT_EQ(0, say_yes(&self->daemon, &self->event));
	EXPECT_EQ(id, self->event.device_id);
	UIOT_ENDED(&self->op, 0);
}

TEST_F(one, d27_create_fails_at_once_if_nobody_listens)
{
	uiot_tcmu_daemon_die(&self->daemon);
	ASSERT_EQ(0, start(&self->op, uiot_op_enable, &self->tcmu));
	UIOT_ENDED(&self->op, -ESRCH);
	EXPECT_EQ(-ENOENT, uiot_tcmu_find(&self->tcmu));
	EXPECT_EQ(0, uiot_tcmu_rings());
}

TEST_F(one, d27_create_fails_at_once_if_the_listener_dies)
{
	ASSERT_EQ(0, start(&self->op, uiot_op_enable, &self->tcmu));
	ASSERT_EQ(0, next(&self->daemon, &self->event, TCMU_CMD_ADDED_DEVICE));
	uiot_tcmu_daemon_die(&self->daemon);
	UIOT_ENDED(&self->op, -ESRCH);
}

TEST_F(one, create_waits_for_a_new_daemon_after_one_that_died)
{
	uiot_tcmu_daemon_die(&self->daemon);
	ASSERT_EQ(0, uiot_tcmu_daemon_start(&self->daemon));
	EXPECT_EQ(0, enable(&self->daemon, &self->tcmu));
}

/* Many devices. */
#define NR_OF_CREATES	120
#define NR_OF_DELETES	100

FIXTURE(many)
{
	struct uiot_tcmu_daemon daemon;
	struct uiot_tcmu *tcmus;
	struct uiot_op *ops;
};

FIXTURE_SETUP(many)
{
	self->tcmus = calloc(NR_OF_CREATES, sizeof(*self->tcmus));
	self->ops = calloc(NR_OF_CREATES, sizeof(*self->ops));
	ASSERT_TRUE(self->tcmus && self->ops);
	UIOT_NEED(uiot_tcmu_setup());
	ASSERT_EQ(0, uiot_tcmu_daemon_start(&self->daemon));
}

FIXTURE_TEARDOWN(many)
{
	uiot_tcmu_daemon_end(&self->daemon);
	uiot_tcmu_delete_all();
	free(self->ops);
	free(self->tcmus);
}

static int make(struct uiot_tcmu *tcmu, int i)
{
	char name[16];

	snprintf(name, sizeof(name), "many%d", i);
	return uiot_tcmu_make(tcmu, name, SMALL);
}

/* Answers until there are no more events. Returns their number. */
static int say_yes_to_all(struct uiot_tcmu_daemon *daemon)
{
	struct uiot_tcmu_event event;
	int nr = 0;

	while (uiot_tcmu_has_event(daemon, 2000)) {
		int ret = say_yes(daemon, &event);

		/* some events were lost: the daemon goes on */
		if (ret && ret != -ENOBUFS)
			return ret;
		nr += !ret;
	}
	return nr;
}

/* More events than the socket's buffer holds, while the daemon is busy. */
TEST_F_TIMEOUT(many, d22_creates_do_not_get_lost, 600)
{
	int i, nr, lost = 0, failed = 0;

	for (i = 0; i < NR_OF_CREATES; i++) {
		ASSERT_EQ(0, make(&self->tcmus[i], i));
		ASSERT_EQ(0, start(&self->ops[i], uiot_op_enable, &self->tcmus[i]));
		ASSERT_EQ(0, uiot_wait_asleep(&self->ops[i]));
	}
	nr = say_yes_to_all(&self->daemon);
	for (i = 0; i < NR_OF_CREATES; i++)
		lost += !!uiot_wait_done(&self->ops[i], 0);
	if (lost)
		uiot_tcmu_reset_netlink();
	for (i = 0; i < NR_OF_CREATES; i++) {
		ASSERT_EQ(0, uiot_join_or_reset(&self->ops[i]));
		failed += !!self->ops[i].ret;
	}
	EXPECT_EQ(0, lost) {
		TH_LOG("creates wait though the daemon has answered all it got");
	}
	EXPECT_EQ(0, failed);
	EXPECT_EQ(NR_OF_CREATES, nr);
}

#define NO_ANSWER	SMALL ",nl_reply_supported=-1"

/* Reads up to @max events, and answers none. Returns their number. */
static int read_events(struct uiot_tcmu_daemon *daemon, int max)
{
	struct uiot_tcmu_event event;
	int ret, nr = 0;

	while (nr < max && uiot_tcmu_has_event(daemon, UIOT_SOON_MS)) {
		ret = uiot_tcmu_next_event(daemon, &event);
		if (ret && ret != -ENOBUFS)
			return ret;
		nr += !ret;
	}
	return nr;
}

/* The kernel sends later what the socket had no room for, even if no answer comes. */
TEST_F_TIMEOUT(many, d22_messages_that_need_no_answer_do_not_get_lost, 600)
{
	char name[16];
	int i;

	for (i = 0; i < NR_OF_CREATES; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		ASSERT_EQ(0, uiot_tcmu_make(&self->tcmus[i], name, NO_ANSWER));
		ASSERT_EQ(0, uiot_tcmu_enable(&self->tcmus[i]));
	}
	EXPECT_EQ(NR_OF_CREATES, read_events(&self->daemon, NR_OF_CREATES));
}

/* as in TCMU */
#define UNREAD_MAX	32

/*
 * The kernel waits with more messages until the daemon has answered some. If a create gives up
 * before its message was sent, the daemon does not hear of it.
 */
TEST_F_TIMEOUT(many, message_that_was_not_sent_is_taken_back, 600)
{
	struct uiot_tcmu *last = &self->tcmus[UNREAD_MAX];
	int i;

	UIOT_TCMU_SKIP_ON_MAINLINE();
	for (i = 0; i < UNREAD_MAX; i++) {
		ASSERT_EQ(0, make(&self->tcmus[i], i));
		ASSERT_EQ(0, start(&self->ops[i], uiot_op_enable, &self->tcmus[i]));
		ASSERT_EQ(0, uiot_wait_asleep(&self->ops[i]));
	}
	ASSERT_EQ(0, make(last, UNREAD_MAX));
	uiot_tcmu_set_time_out(last, "1");
	ASSERT_EQ(0, start(&self->ops[UNREAD_MAX], uiot_op_enable, last));
	UIOT_ENDED(&self->ops[UNREAD_MAX], -ETIMEDOUT);

	EXPECT_EQ(UNREAD_MAX, say_yes_to_all(&self->daemon));
	for (i = 0; i < UNREAD_MAX; i++)
		UIOT_ENDED(&self->ops[i], 0);
}

/* as in TCMU, and what the socket holds */
#define QUEUE_MAX	1024
#define SOCKET_MAX	500

/*
 * The daemon never reads. Messages wait for room in its socket, but not any number of them.
 * The oldest one that waits only for an answer has to go first.
 */
TEST_F_TIMEOUT(many, queue_for_a_daemon_is_bounded, 600)
{
	struct uiot_tcmu *late = &self->tcmus[0], *busy = &self->tcmus[1];
	int i, ret = 0;

	UIOT_TCMU_SKIP_ON_MAINLINE();
	ASSERT_EQ(0, make(late, 0));
	ASSERT_EQ(0, enable(&self->daemon, late));
	uiot_tcmu_set_time_out(late, "1");
	ASSERT_EQ(0, start(&self->ops[0], uiot_op_grow, late));
	UIOT_ENDED(&self->ops[0], -ETIMEDOUT);

	ASSERT_EQ(0, uiot_tcmu_make(busy, "busy", NO_ANSWER));
	ASSERT_EQ(0, uiot_tcmu_enable(busy));
	for (i = 0; !ret && i < QUEUE_MAX + SOCKET_MAX; i++)
		ret = uiot_tcmu_set(busy, "attrib/dev_size", i % 2 ? "1048576" : "2097152");
	EXPECT_EQ(-ENOBUFS, ret);
	EXPECT_LT(QUEUE_MAX, i);
}

/* Deletes one device after the other. The daemon does not answer. Returns the time in ms. */
static long delete_all(struct uiot_tcmu *tcmus, int nr)
{
	long began = ms_now();
	struct uiot_op op;
	int i, ret;

	for (i = 0; i < nr; i++) {
		ret = start(&op, uiot_op_delete, &tcmus[i]);
		if (!ret)
			ret = uiot_join_or_reset(&op) ?: op.ret;
		if (ret)
			return ret;
	}
	return ms_now() - began;
}

TEST_F_TIMEOUT(many, d23_time_outs_do_not_add_up, 600)
{
	int i;
	long ms;

	for (i = 0; i < NR_OF_DELETES; i++) {
		ASSERT_EQ(0, make(&self->tcmus[i], i));
		ASSERT_EQ(0, enable(&self->daemon, &self->tcmus[i]));
		uiot_tcmu_set_time_out(&self->tcmus[i], "1");
	}
	ms = delete_all(self->tcmus, NR_OF_DELETES);
	EXPECT_LE(1000, ms) {
		TH_LOG("a delete does not end");
	}
	/* a time-out for each would take this long, on the fastest machine */
	EXPECT_GT(NR_OF_DELETES * 1000, ms) {
		TH_LOG("%d deletes take %ld ms", NR_OF_DELETES, ms);
	}
	/* the daemon hears of all deletes when it reads its socket again */
	EXPECT_EQ(NR_OF_DELETES, say_yes_to_all(&self->daemon));
}

/* Less than UIOT_SOON_MS. What takes less than this has not waited, even where all is slow. */
#define LIMIT		"3"
#define LIMIT_MS	3000

TEST_F(many, d23_daemon_that_shows_itself_is_waited_for_again)
{
	struct uiot_tcmu_event event;
	long ms;
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, make(&self->tcmus[i], i));
		ASSERT_EQ(0, enable(&self->daemon, &self->tcmus[i]));
	}
	for (i = 0; i < 2; i++)
		uiot_tcmu_set_time_out(&self->tcmus[i], LIMIT);
	ASSERT_LE(LIMIT_MS, delete_all(self->tcmus, 1));
	ms = delete_all(&self->tcmus[1], 1);
	EXPECT_LE(0, ms);
	EXPECT_GT(LIMIT_MS, ms) {
		TH_LOG("waits for the daemon");
	}

	uiot_tcmu_show_life(&self->daemon);
	ASSERT_EQ(0, start(&self->ops[2], uiot_op_delete, &self->tcmus[2]));
	EXPECT_EQ(-ETIMEDOUT, uiot_wait_done(&self->ops[2], 1000));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, say_yes(&self->daemon, &event));
	EXPECT_EQ(0, uiot_join_or_reset(&self->ops[2]));
}

static const char * const longer_limits[] = { "0", "120" };

TEST_F(many, d23_device_with_a_longer_limit_waits_for_a_silent_daemon)
{
	struct uiot_tcmu *quick = &self->tcmus[0], *slow = &self->tcmus[1];
	struct uiot_tcmu_event event;
	struct uiot_op *op = &self->ops[0];
	int i;

	/* one after the other: a delete also waits for the delete before it */
	for (i = 0; i < ARRAY_SIZE(longer_limits); i++) {
		ASSERT_EQ(0, make(quick, 0));
		ASSERT_EQ(0, make(slow, 1));
		ASSERT_EQ(0, enable(&self->daemon, quick));
		ASSERT_EQ(0, enable(&self->daemon, slow));
		uiot_tcmu_set_time_out(quick, "1");
		uiot_tcmu_set_time_out(slow, longer_limits[i]);
		ASSERT_LE(1000, delete_all(quick, 1));
		ASSERT_EQ(0, start(op, uiot_op_delete, slow));
		EXPECT_EQ(-ETIMEDOUT, uiot_wait_done(op, 1000)) {
			TH_LOG("limit %s: does not wait for the daemon", longer_limits[i]);
		}
		EXPECT_EQ(0, say_yes(&self->daemon, &event));
		EXPECT_EQ(0, say_yes(&self->daemon, &event));
		EXPECT_EQ(0, uiot_join_or_reset(op));
	}
}

TEST_F(many, d23_create_fails_at_once_if_the_daemon_is_silent)
{
	long began;

	ASSERT_EQ(0, make(&self->tcmus[0], 0));
	ASSERT_EQ(0, enable(&self->daemon, &self->tcmus[0]));
	uiot_tcmu_set_time_out(&self->tcmus[0], LIMIT);
	ASSERT_LE(LIMIT_MS, delete_all(self->tcmus, 1));

	ASSERT_EQ(0, make(&self->tcmus[1], 1));
	uiot_tcmu_set_time_out(&self->tcmus[1], LIMIT);
	began = ms_now();
	ASSERT_EQ(0, start(&self->ops[1], uiot_op_enable, &self->tcmus[1]));
	EXPECT_EQ(0, uiot_join_or_reset(&self->ops[1]));
	EXPECT_GT(LIMIT_MS, ms_now() - began) {
		TH_LOG("waits for the daemon");
	}
	EXPECT_EQ(-ETIMEDOUT, self->ops[1].ret);
}

TEST_F(many, d23_daemon_that_lost_an_answer_is_found_by_the_next_create)
{
	struct uiot_tcmu_event event;

	ASSERT_EQ(0, make(&self->tcmus[0], 0));
	ASSERT_EQ(0, enable(&self->daemon, &self->tcmus[0]));
	uiot_tcmu_set_time_out(&self->tcmus[0], "1");
	ASSERT_LE(1000, delete_all(self->tcmus, 1));
	ASSERT_EQ(0, next(&self->daemon, &event, TCMU_CMD_REMOVED_DEVICE));

	ASSERT_EQ(0, make(&self->tcmus[1], 1));
	uiot_tcmu_set_time_out(&self->tcmus[1], "1");
	ASSERT_EQ(0, start(&self->ops[1], uiot_op_enable, &self->tcmus[1]));
	EXPECT_EQ(0, uiot_join_or_reset(&self->ops[1]));
	EXPECT_EQ(-ETIMEDOUT, self->ops[1].ret);
	EXPECT_EQ(0, say_yes(&self->daemon, &event));
	EXPECT_EQ(TCMU_CMD_ADDED_DEVICE, event.cmd);
	EXPECT_EQ(0, say_yes(&self->daemon, &event));
	EXPECT_EQ(TCMU_CMD_REMOVED_DEVICE, event.cmd);

	EXPECT_EQ(0, enable(&self->daemon, &self->tcmus[1]));
}

TEST_HARNESS_MAIN
