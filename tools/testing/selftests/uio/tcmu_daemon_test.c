// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCMU: the kernel waits for a daemon's answer, which does not come, comes late, or is a
 * refusal. The test acts as the daemon. A D number in a test's name is the number of a
 * defect of mainline: the test fails there.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"
#include "uio_testlib_tcmu.h"

/* How long to wait until a daemon is asked: less than uio_window holds up a thread. */
#define ASKED_MS	5000

FIXTURE(daemon)
{
	struct uiot_tcmu tcmu;
	struct uiot_tcmu_daemon daemon;
	struct uiot_tcmu_event event;
	struct uiot_op op;
	/* what REFUSED() leaves */
	int fd;
	void *p;
};

static long op_rename(struct uiot_op *op)
{
	errno = -uiot_write_file(op->text, "test/another");
	return errno ? -1 : 0;
}

FIXTURE_SETUP(daemon)
{
	UIOT_NEED(uiot_tcmu_setup());
	ASSERT_EQ(0, uiot_tcmu_daemon_start(&self->daemon));
	ASSERT_EQ(0, uiot_tcmu_make(&self->tcmu, "one", ""));
}

FIXTURE_TEARDOWN(daemon)
{
	uiot_tcmu_daemon_end(&self->daemon);
	uiot_tcmu_delete_all();
}

#define START(_fn, _file) do {						\
	self->op = (struct uiot_op){ .fn = _fn, .addr = &self->tcmu };	\
	snprintf(self->op.text, sizeof(self->op.text), "%s%s",		\
		 self->tcmu.dir, _file);				\
	ASSERT_EQ(0, uiot_start(&self->op));				\
} while (0)

#define EVENT(_cmd) do {						\
	ASSERT_EQ(0, uiot_tcmu_next_event(&self->daemon, &self->event));	\
	ASSERT_EQ(TCMU_CMD_ ## _cmd, self->event.cmd);			\
} while (0)

#define ANSWER(_done, _status)						\
	uiot_tcmu_answer(&self->daemon, &self->event, TCMU_CMD_ ## _done, _status)

#define ENABLED() do {							\
	START(uiot_op_enable, "");					\
	EVENT(ADDED_DEVICE);						\
	ASSERT_EQ(0, ANSWER(ADDED_DEVICE_DONE, 0));			\
	UIOT_ENDED(&self->op, 0);					\
	ASSERT_EQ(0, uiot_tcmu_find(&self->tcmu));			\
} while (0)

#define RECONFIGURATION_TIMES_OUT() do {				\
	ENABLED();							\
	uiot_tcmu_set_time_out(&self->tcmu, "1");			\
	START(uiot_op_grow, "");					\
	EVENT(RECONFIG_DEVICE);						\
	UIOT_ENDED(&self->op, -ETIMEDOUT);				\
} while (0)

#define NOTHING_IS_LEFT() do {						\
	EXPECT_EQ(-ENOENT, uiot_tcmu_find(&self->tcmu));		\
	EXPECT_EQ(0, uiot_tcmu_rings());				\
} while (0)

TEST_F(daemon, is_asked_for_everything)
{
	ENABLED();

	START(uiot_op_grow, "");
	EVENT(RECONFIG_DEVICE);
	ASSERT_EQ(0, ANSWER(RECONFIG_DEVICE_DONE, 0));
	UIOT_ENDED(&self->op, 0);

	START(uiot_op_delete, "");
	EVENT(REMOVED_DEVICE);
	ASSERT_EQ(0, ANSWER(REMOVED_DEVICE_DONE, 0));
	UIOT_ENDED(&self->op, 0);
	NOTHING_IS_LEFT();
}

TEST_F(daemon, can_refuse_a_device)
{
	START(uiot_op_enable, "");
	EVENT(ADDED_DEVICE);
	ASSERT_EQ(0, ANSWER(ADDED_DEVICE_DONE, -EDOM));
	UIOT_ENDED(&self->op, -EDOM);
	NOTHING_IS_LEFT();
}

TEST_F(daemon, d19_delete_is_bounded)
{
	ENABLED();
	uiot_tcmu_set_time_out(&self->tcmu, "1");
	START(uiot_op_delete, "");
	EVENT(REMOVED_DEVICE);
	UIOT_ENDED(&self->op, 0);
	NOTHING_IS_LEFT();
}

TEST_F(daemon, d19_create_is_bounded)
{
	uiot_tcmu_set_time_out(&self->tcmu, "1");
	START(uiot_op_enable, "");
	EVENT(ADDED_DEVICE);
	UIOT_ENDED(&self->op, -ETIMEDOUT);
	NOTHING_IS_LEFT();
	EXPECT_EQ(0, uiot_tcmu_delete(&self->tcmu));
}

TEST_F(daemon, d19_create_can_be_tried_again)
{
	uiot_tcmu_set_time_out(&self->tcmu, "1");
	START(uiot_op_enable, "");
	EVENT(ADDED_DEVICE);
	UIOT_ENDED(&self->op, -ETIMEDOUT);
	EVENT(REMOVED_DEVICE);
	EXPECT_EQ(-ENODEV, ANSWER(REMOVED_DEVICE_DONE, 0));
	uiot_tcmu_set_time_out(&self->tcmu, "0");
	ENABLED();
}

/* The daemon may have opened the device, so it has to learn that the device is gone. */
TEST_F(daemon, d19_is_told_of_a_create_that_was_given_up)
{
	struct uiot_tcmu_event added;

	uiot_tcmu_set_time_out(&self->tcmu, "1");
	START(uiot_op_enable, "");
	EVENT(ADDED_DEVICE);
	added = self->event;
	UIOT_ENDED(&self->op, -ETIMEDOUT);
	EVENT(REMOVED_DEVICE);
	EXPECT_EQ(added.minor, self->event.minor);
	EXPECT_EQ(-ENODEV, ANSWER(REMOVED_DEVICE_DONE, 0));
}

TEST_F(daemon, d19_reconfiguration_is_bounded)
{
	char size[32];

	RECONFIGURATION_TIMES_OUT();
	ASSERT_EQ(0, uiot_tcmu_get(&self->tcmu, "attrib/dev_size", size, sizeof(size)));
	EXPECT_STREQ("1048576\n", size);
}

/* The late answer belongs to a command for which nobody waits any more. */
TEST_F(daemon, d19_late_answer_is_not_taken_for_another)
{
	RECONFIGURATION_TIMES_OUT();
	uiot_tcmu_show_life(&self->daemon);

	uiot_tcmu_set_time_out(&self->tcmu, "0");
	START(uiot_op_delete, "");
	EVENT(REMOVED_DEVICE);
	EXPECT_GT(0, ANSWER(RECONFIG_DEVICE_DONE, 0));
	usleep(UIOT_WHILE_MS * 1000);
	EXPECT_FALSE(self->op.done);
	EXPECT_EQ(0, ANSWER(REMOVED_DEVICE_DONE, 0));
	UIOT_ENDED(&self->op, 0);
}

TEST_F(daemon, d19_late_answer_is_not_taken_for_the_next_of_its_kind)
{
	struct uiot_tcmu_event next;

	RECONFIGURATION_TIMES_OUT();
	uiot_tcmu_show_life(&self->daemon);

	uiot_tcmu_set_time_out(&self->tcmu, "0");
	START(uiot_op_grow, "");
	ASSERT_EQ(0, uiot_tcmu_next_event(&self->daemon, &next));
	EXPECT_EQ(-ENODEV, ANSWER(RECONFIG_DEVICE_DONE, -EDOM));
	self->event = next;
	EXPECT_EQ(0, ANSWER(RECONFIG_DEVICE_DONE, 0));
	UIOT_ENDED(&self->op, 0);
}

static bool has_exited(void *arg)
{
	return waitpid(*(pid_t *)arg, NULL, WNOHANG) > 0;
}

/* Returns whether the child ends after a SIGKILL. */
static bool dies(pid_t pid)
{
	bool ret;

	kill(pid, SIGKILL);
	ret = uiot_wait_until(has_exited, &pid, UIOT_SOON_MS);
	if (!ret)
		uiot_tcmu_reset_netlink();
	return ret;
}

static pid_t fork_delete(struct uiot_tcmu *tcmu)
{
	pid_t pid = fork();

	if (!pid) {
		rmdir(tcmu->dir);
		_exit(0);
	}
	return pid;
}

TEST_F(daemon, d19_delete_can_be_killed)
{
	pid_t pid;

	ENABLED();
	uiot_tcmu_set_time_out(&self->tcmu, "0");
	pid = fork_delete(&self->tcmu);
	ASSERT_LT(0, pid);
	EVENT(REMOVED_DEVICE);
	EXPECT_TRUE(dies(pid)) {
		TH_LOG("the waiting process can't be killed");
	}
	/* the delete that it began completes anyway */
	NOTHING_IS_LEFT();
}

/* After a wrong answer, mainline forgets the command and waits for ever: nothing ends this. */
TEST_F(daemon, d19_wrong_answer_is_refused)
{
	pid_t pid;

	ENABLED();
	pid = fork_delete(&self->tcmu);
	ASSERT_LT(0, pid);
	EVENT(REMOVED_DEVICE);
	EXPECT_EQ(-EINVAL, ANSWER(RECONFIG_DEVICE_DONE, 0));
	EXPECT_EQ(0, ANSWER(REMOVED_DEVICE_DONE, 0));
	EXPECT_TRUE(uiot_wait_until(has_exited, &pid, UIOT_SOON_MS)) {
		TH_LOG("waits for the daemon");
	}
}

TEST_F(daemon, answer_that_says_nothing_is_refused)
{
	ENABLED();
	EXPECT_EQ(-EINVAL, uiot_tcmu_answer_nothing(&self->daemon));
}

/* An operator ends the wait. Then nobody waits, and there is nothing more to end. */
TEST_F(daemon, reset_ends_a_wait)
{
	UIOT_TCMU_SKIP_ON_MAINLINE();
	START(uiot_op_enable, "");
	EVENT(ADDED_DEVICE);
	uiot_tcmu_reset_netlink();
	UIOT_ENDED(&self->op, -EINTR);
	uiot_tcmu_reset_netlink();
	NOTHING_IS_LEFT();
}

TEST_F(daemon, create_fails_at_once_if_netlink_is_blocked)
{
	int ret;

	UIOT_TCMU_SKIP_ON_MAINLINE();
	ASSERT_EQ(0, uiot_tcmu_param("block_netlink", "1"));
	START(uiot_op_enable, "");
	ret = uiot_join_or_reset(&self->op);
	uiot_tcmu_param("block_netlink", "0");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(-EAGAIN, self->op.ret);
	NOTHING_IS_LEFT();
}

TEST_F(daemon, is_asked_one_thing_of_a_device_at_a_time)
{
	struct uiot_op second = { .fn = uiot_op_grow, .addr = &self->tcmu };

	UIOT_TCMU_SKIP_ON_MAINLINE();
	ENABLED();
	START(uiot_op_grow, "");
	EVENT(RECONFIG_DEVICE);
	ASSERT_EQ(0, uiot_start(&second));
	UIOT_ENDED(&second, -EBUSY);
	EXPECT_EQ(0, ANSWER(RECONFIG_DEVICE_DONE, 0));
	UIOT_ENDED(&self->op, 0);
}

TEST_F(daemon, limits_are_numbers)
{
	static const char * const limits[] = {
		"attrib/nl_reply_time_out", "attrib/daemon_time_out",
	};
	char text[16];
	int i;

	UIOT_TCMU_SKIP_ON_MAINLINE();
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, uiot_tcmu_set(&self->tcmu, limits[i], "7"));
		EXPECT_EQ(-EINVAL, uiot_tcmu_set(&self->tcmu, limits[i], "soon"));
		ASSERT_EQ(0, uiot_tcmu_get(&self->tcmu, limits[i], text, sizeof(text)));
		EXPECT_STREQ("7\n", text);
	}
}

/* Returns 0 if the name belongs to the device. */
static long op_show_name(struct uiot_op *op)
{
	static const char begin[] = "tcm-user/0/one/test/";
	char name[256];

	errno = -uiot_read_file(op->text, name, sizeof(name));
	return errno ? -1 : !!strncmp(name, begin, sizeof(begin) - 1);
}

#define RENAMED() do {							\
	EVENT(RECONFIG_DEVICE);						\
	ASSERT_EQ(0, ANSWER(RECONFIG_DEVICE_DONE, 0));			\
	UIOT_ENDED(&self->op, 0);					\
} while (0)

TEST_F(daemon, d15_name_is_kept_while_it_is_shown)
{
	struct uiot_op show = { .fn = op_show_name, .thread_name = UIOT_WINDOW };
	bool asked, held;

	ENABLED();
	snprintf(show.text, sizeof(show.text), "/sys/class/uio/%s/name",
		 self->tcmu.uio.node + strlen("/dev/"));
	ASSERT_EQ(0, uiot_window_arm(false));
	ASSERT_EQ(0, uiot_start(&show));
	ASSERT_TRUE(uiot_window_hit());

	START(op_rename, "/attrib/dev_config");
	/* a small fix of mainline locks the name, so it may wait for the reader */
	asked = uiot_tcmu_has_event(&self->daemon, ASKED_MS);
	EXPECT_TRUE(asked || UIOT_TCMU_IS_MAINLINE());
	if (asked)
		RENAMED();
	held = uiot_window_go();
	if (!asked)
		RENAMED();
	ASSERT_EQ(0, uiot_join(&show, UIOT_SOON_MS));
	UIOT_SKIP_IF_LATE(held);
	EXPECT_EQ(0, show.ret);
}

/* The daemon opens the device, maps it, touches the first page, and refuses the device. */
#define REFUSED() do {							\
	__u32 first;							\
									\
	START(uiot_op_enable, "");					\
	EVENT(ADDED_DEVICE);						\
	ASSERT_EQ(0, uiot_tcmu_find(&self->tcmu));			\
	self->fd = uiot_open(&self->tcmu.uio, O_RDWR);			\
	ASSERT_LE(0, self->fd);						\
	self->p = uiot_tcmu_map(&self->tcmu, self->fd);			\
	ASSERT_NE(MAP_FAIL, self->p);					\
	ASSERT_EQ(0, uiot_load_word(self->p, &first));			\
	/* how long the kernel waits for those who have it open */	\
	uiot_tcmu_set_time_out(&self->tcmu, "1");			\
	ASSERT_EQ(0, ANSWER(ADDED_DEVICE_DONE, -EDOM));			\
	UIOT_ENDED(&self->op, -EDOM);					\
	NOTHING_IS_LEFT();						\
} while (0)

#define DROP_REFUSED() do {						\
	munmap(self->p, self->tcmu.size);				\
	close(self->fd);						\
} while (0)

TEST_F(daemon, d14_refused_device_leaves_its_ring_to_the_holder)
{
	__u32 word;

	REFUSED();
	EXPECT_EQ(0, uiot_load_word(self->p, &word));
	EXPECT_EQ(SIGBUS, uiot_load_word(self->p + uiot_page(), &word));
	DROP_REFUSED();
}

TEST_F(daemon, d14_refused_device_gets_a_new_ring)
{
	__u32 word;
	void *next;
	int fd;

	REFUSED();
	/* mainline tells nobody of the end */
	if (!UIOT_TCMU_IS_MAINLINE())
		EVENT(REMOVED_DEVICE);
	ENABLED();
	fd = uiot_open(&self->tcmu.uio, O_RDWR);
	ASSERT_LE(0, fd);
	next = uiot_tcmu_map(&self->tcmu, fd);
	ASSERT_NE(MAP_FAIL, next);
	EXPECT_EQ(0, uiot_load_word(next + uiot_page(), &word));
	EXPECT_EQ(SIGBUS, uiot_load_word(self->p + uiot_page(), &word)) {
		TH_LOG("the old mapping gets pages of the new ring");
	}
	DROP_REFUSED();
	munmap(next, self->tcmu.size);
	close(fd);
}

/*
 * A unit whose daemon has the ring, but stops taking commands off it. The head of the ring
 * shows whether the kernel queues a command.
 */
#define COMMANDS_TEST_S	300
/* A command times out after 4 s. The daemon may be silent for 3 s. */
#define AT_ONCE_MS	20000

FIXTURE(silent)
{
	struct uiot_tcmu tcmu;
	struct uiot_lun lun;
};

static bool command_is_not_queued(void *arg)
{
	const struct uiot_lun *lun = arg;
	const __u32 *head = &lun->ring->cmd_head;
	__u32 before = __atomic_load_n(head, __ATOMIC_RELAXED);

	/* a negative error says that the kernel has given up the unit: that shows nothing */
	return uiot_lun_is_ready(lun) > 0 &&
	       __atomic_load_n(head, __ATOMIC_RELAXED) == before;
}

#define COMMANDS_FAIL_AT_ONCE()							\
	uiot_wait_until(command_is_not_queued, &self->lun, AT_ONCE_MS)

FIXTURE_SETUP(silent)
{
	UIOT_LUN_SETUP();
	ASSERT_EQ(0, uiot_lun_create(&self->lun, &self->tcmu));
	/* where there is one */
	uiot_tcmu_set(&self->tcmu, "attrib/daemon_time_out", "3");
}

FIXTURE_TEARDOWN(silent)
{
	uiot_lun_detach(&self->lun);
	uiot_lun_close_ring(&self->lun);
	uiot_tcmu_delete_all();
}

TEST_F_TIMEOUT(silent, d19_commands_fail_at_once, COMMANDS_TEST_S)
{
	EXPECT_TRUE(COMMANDS_FAIL_AT_ONCE()) {
		TH_LOG("commands wait for the daemon");
	}
}

TEST_F_TIMEOUT(silent, d19_sign_of_life_is_seen, COMMANDS_TEST_S)
{
	ASSERT_TRUE(COMMANDS_FAIL_AT_ONCE()) {
		TH_LOG("commands wait for the daemon");
	}
	ASSERT_TRUE(uiot_lun_answer(&self->lun, UIOT_LUN_ALL));
	EXPECT_FALSE(command_is_not_queued(&self->lun));
}

TEST_F_TIMEOUT(silent, d19_new_daemon_gets_its_time, COMMANDS_TEST_S)
{
	ASSERT_TRUE(COMMANDS_FAIL_AT_ONCE()) {
		TH_LOG("commands wait for the daemon");
	}
	uiot_lun_close_ring(&self->lun);
	ASSERT_EQ(0, uiot_lun_reopen_ring(&self->lun));
	EXPECT_FALSE(command_is_not_queued(&self->lun));
}

static long op_ask(struct uiot_op *op)
{
	return uiot_lun_is_ready(op->addr);
}

/* The daemon blocks the device when it starts, and dies before it unblocks it. */
TEST_F_TIMEOUT(silent, d20_blocked_device_is_bounded, COMMANDS_TEST_S)
{
	struct uiot_op op = { .fn = op_ask, .addr = &self->lun };

	ASSERT_EQ(0, uiot_tcmu_set(&self->tcmu, "action/block_dev", "1"));
	ASSERT_EQ(0, uiot_start(&op));
	EXPECT_EQ(-ETIMEDOUT, uiot_wait_done(&op, 1000)) {
		TH_LOG("the command does not wait for the daemon");
	}
	EXPECT_EQ(0, uiot_wait_done(&op, AT_ONCE_MS)) {
		TH_LOG("the command is retried for ever");
	}
	/* the time-out of SCSI is 30 s */
	ASSERT_EQ(0, uiot_join(&op, 2 * AT_ONCE_MS));
	EXPECT_EQ(RING_CHECK_CONDITION, op.ret);

	EXPECT_EQ(0, uiot_tcmu_set(&self->tcmu, "action/block_dev", "0"));
	EXPECT_FALSE(command_is_not_queued(&self->lun));
}

static bool answers_last_of_two(void *arg)
{
	return uiot_lun_answer_last(arg);
}

/* Real daemons forget commands that they do not know. */
TEST_F_TIMEOUT(silent, command_that_was_forgotten_does_not_fail_the_next, COMMANDS_TEST_S)
{
	struct uiot_op ops[2];
	int i;

	for (i = 0; i < 2; i++) {
		ops[i] = (struct uiot_op){ .fn = op_ask, .addr = &self->lun };
		ASSERT_EQ(0, uiot_start(&ops[i]));
	}
	ASSERT_TRUE(uiot_wait_until(answers_last_of_two, &self->lun, UIOT_SOON_MS));
	/* one has timed out */
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, uiot_join(&ops[i], 2 * UIOT_SOON_MS));
	EXPECT_NE(ops[0].ret, ops[1].ret);

	/* an idle time that is longer than the daemon may be silent */
	sleep(6);
	EXPECT_FALSE(command_is_not_queued(&self->lun)) {
		TH_LOG("a command fails though the daemon has answered all but one");
	}
}

/* A unit whose commands have no time-out, and whose daemon is slow. */
FIXTURE(patient)
{
	struct uiot_tcmu tcmu;
	struct uiot_lun lun;
	struct uiot_op ops[2];
};

static bool answers_until_done(void *arg)
{
	struct uiot_op *op = arg;

	uiot_lun_answer(op->addr, UIOT_LUN_ALL);
	return !uiot_wait_done(op, 0);
}

FIXTURE_SETUP(patient)
{
	UIOT_LUN_SETUP();
	ASSERT_EQ(0, uiot_tcmu_create(&self->tcmu, "one"));
	ASSERT_EQ(0, uiot_tcmu_set(&self->tcmu, "attrib/cmd_time_out", "0"));
	/* where there is one */
	uiot_tcmu_set(&self->tcmu, "attrib/daemon_time_out", "1");
	ASSERT_EQ(0, uiot_lun_open_ring(&self->lun, &self->tcmu,
					uiot_open(&self->tcmu.uio, O_RDWR)));
	ASSERT_EQ(0, uiot_lun_attach(&self->lun));
}

FIXTURE_TEARDOWN(patient)
{
	uiot_lun_detach(&self->lun);
	uiot_lun_close_ring(&self->lun);
	uiot_tcmu_delete_all();
}

TEST_F(patient, slow_command_does_not_fail_the_next)
{
	int i;

	for (i = 0; i < 2; i++) {
		self->ops[i] = (struct uiot_op){ .fn = op_ask, .addr = &self->lun };
		ASSERT_EQ(0, uiot_start(&self->ops[i]));
		EXPECT_EQ(0, uiot_wait_asleep(&self->ops[i])) {
			TH_LOG("command %d fails at once", i);
		}
		/* longer than daemon_time_out, which must not end a command */
		if (!i)
			EXPECT_EQ(-ETIMEDOUT, uiot_wait_done(&self->ops[i], 2500));
	}
	for (i = 0; i < 2; i++) {
		uiot_wait_until(answers_until_done, &self->ops[i], UIOT_SOON_MS);
		ASSERT_EQ(0, uiot_join(&self->ops[i], UIOT_SOON_MS));
		EXPECT_EQ(0, self->ops[i].ret);
	}
}

static bool fails_until_done(void *arg)
{
	struct uiot_op *op = arg;
	struct uiot_lun *lun = op->addr;

	uiot_tcmu_set(lun->tcmu, "action/reset_ring", "2");
	return !uiot_wait_done(op, 0);
}

/* Only an operator ends the commands, with one reset. */
TEST_F(patient, d26_commands_can_be_ended_when_the_daemon_is_dead)
{
	int i;

	uiot_lun_close_ring(&self->lun);
	self->ops[0] = (struct uiot_op){ .fn = op_ask, .addr = &self->lun };
	ASSERT_EQ(0, uiot_start(&self->ops[0]));
	EXPECT_EQ(-ETIMEDOUT, uiot_wait_done(&self->ops[0], UIOT_SOON_MS));
	ASSERT_EQ(0, uiot_tcmu_set(&self->tcmu, "action/reset_ring", "2"));
	self->ops[1] = (struct uiot_op){ .fn = op_ask, .addr = &self->lun };
	ASSERT_EQ(0, uiot_start(&self->ops[1]));
	EXPECT_EQ(0, uiot_wait_done(&self->ops[1], UIOT_SOON_MS)) {
		TH_LOG("the next command waits for the daemon again");
	}
	for (i = 0; i < 2; i++) {
		uiot_wait_until(fails_until_done, &self->ops[i], UIOT_SOON_MS);
		ASSERT_EQ(0, uiot_join(&self->ops[i], UIOT_SOON_MS));
		EXPECT_EQ(RING_CHECK_CONDITION, self->ops[i].ret);
	}
}

TEST_F(patient, d26_who_opens_the_device_gets_commands_again)
{
	ASSERT_EQ(0, uiot_tcmu_set(&self->tcmu, "action/reset_ring", "2"));
	self->ops[0] = (struct uiot_op){ .fn = op_ask, .addr = &self->lun };
	ASSERT_EQ(0, uiot_start(&self->ops[0]));
	EXPECT_EQ(0, uiot_wait_asleep(&self->ops[0]));
	EXPECT_TRUE(uiot_wait_until(answers_until_done, &self->ops[0], UIOT_SOON_MS));
	ASSERT_EQ(0, uiot_join(&self->ops[0], UIOT_SOON_MS));
	EXPECT_EQ(0, self->ops[0].ret);

	uiot_lun_close_ring(&self->lun);
	ASSERT_EQ(0, uiot_tcmu_set(&self->tcmu, "action/reset_ring", "2"));
	ASSERT_EQ(0, uiot_lun_reopen_ring(&self->lun));
	self->ops[0] = (struct uiot_op){ .fn = op_ask, .addr = &self->lun };
	ASSERT_EQ(0, uiot_start(&self->ops[0]));
	EXPECT_TRUE(uiot_wait_until(answers_until_done, &self->ops[0], UIOT_SOON_MS));
	ASSERT_EQ(0, uiot_join(&self->ops[0], UIOT_SOON_MS));
	EXPECT_EQ(0, self->ops[0].ret);
}

TEST_HARNESS_MAIN
