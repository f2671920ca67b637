// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCMU: what the kernel does while it waits for a daemon's answer that does not
 * come, comes late, or is no. The daemon is the test itself. The D numbers are
 * those of the list of mainline's defects: such a test fails there.
 */

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"
#include "uio_testlib_tcmu.h"

FIXTURE(daemon)
{
	struct uiot_tcmu tcmu;
	struct uiot_tcmu_daemon daemon;
	struct uiot_tcmu_event event;
	struct uiot_op op;
};

static long op_enable(struct uiot_op *op)
{
	errno = -uiot_write_file(op->text, "1");
	return errno ? -1 : 0;
}

static long op_grow(struct uiot_op *op)
{
	errno = -uiot_write_file(op->text, "2097152");
	return errno ? -1 : 0;
}

static long op_rename(struct uiot_op *op)
{
	errno = -uiot_write_file(op->text, "test/another");
	return errno ? -1 : 0;
}

static long op_rmdir(struct uiot_op *op)
{
	return rmdir(op->text);
}

/* How long the kernel waits, where it can be told. */
static void set_time_out(struct uiot_tcmu *tcmu, const char *seconds)
{
	uiot_tcmu_set(tcmu, "attrib/nl_reply_time_out", seconds);
}

FIXTURE_SETUP(daemon)
{
	ASSERT_EQ(0, uiot_tcmu_setup());
	ASSERT_EQ(0, uiot_tcmu_daemon_start(&self->daemon));
	ASSERT_EQ(0, uiot_tcmu_make(&self->tcmu, "one", ""));
}

FIXTURE_TEARDOWN(daemon)
{
	uiot_tcmu_daemon_end(&self->daemon);
	uiot_tcmu_delete_all();
}

/* As long as a thread waits for ever, a test that has failed can't end. */
static int join(struct uiot_op *op)
{
	int ret = uiot_join(op, UIOT_SOON_MS);

	if (ret) {
		uiot_tcmu_reset_netlink();
		uiot_join(op, UIOT_SOON_MS);
	}
	return ret;
}

#define START(_fn, _file) do {						\
	self->op = (struct uiot_op){ .fn = _fn };			\
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

/* It has ended, and how. */
#define ENDED(_ret) do {						\
	ASSERT_EQ(0, join(&self->op)) {					\
		TH_LOG("waits for the daemon");				\
	}								\
	EXPECT_EQ(_ret, self->op.ret);					\
} while (0)

#define ENABLED() do {							\
	START(op_enable, "/enable");					\
	EVENT(ADDED_DEVICE);						\
	ASSERT_EQ(0, ANSWER(ADDED_DEVICE_DONE, 0));			\
	ENDED(0);							\
	ASSERT_EQ(0, uiot_tcmu_find(&self->tcmu));			\
} while (0)

#define NOTHING_IS_LEFT() do {						\
	EXPECT_EQ(-ENOENT, uiot_tcmu_find(&self->tcmu));		\
	EXPECT_EQ(0, uiot_tcmu_rings());				\
} while (0)

TEST_F(daemon, is_asked_for_everything)
{
	ENABLED();

	START(op_grow, "/attrib/dev_size");
	EVENT(RECONFIG_DEVICE);
	ASSERT_EQ(0, ANSWER(RECONFIG_DEVICE_DONE, 0));
	ENDED(0);

	START(op_rmdir, "");
	EVENT(REMOVED_DEVICE);
	ASSERT_EQ(0, ANSWER(REMOVED_DEVICE_DONE, 0));
	ENDED(0);
	NOTHING_IS_LEFT();
}

TEST_F(daemon, can_refuse_a_device)
{
	START(op_enable, "/enable");
	EVENT(ADDED_DEVICE);
	ASSERT_EQ(0, ANSWER(ADDED_DEVICE_DONE, -EDOM));
	ENDED(-EDOM);
	NOTHING_IS_LEFT();
}

TEST_F(daemon, d19_delete_is_bounded)
{
	ENABLED();
	set_time_out(&self->tcmu, "1");
	START(op_rmdir, "");
	EVENT(REMOVED_DEVICE);
	ENDED(0);
	NOTHING_IS_LEFT();
}

TEST_F(daemon, d19_create_is_bounded)
{
	set_time_out(&self->tcmu, "1");
	START(op_enable, "/enable");
	EVENT(ADDED_DEVICE);
	ENDED(-ETIMEDOUT);
	NOTHING_IS_LEFT();
	EXPECT_EQ(0, uiot_tcmu_delete(&self->tcmu));
}

TEST_F(daemon, d19_create_is_bounded_if_nobody_listens)
{
	uiot_tcmu_daemon_deafen(&self->daemon);
	set_time_out(&self->tcmu, "1");
	START(op_enable, "/enable");
	ENDED(-ETIMEDOUT);
	NOTHING_IS_LEFT();
}

TEST_F(daemon, d19_create_can_be_tried_again)
{
	set_time_out(&self->tcmu, "1");
	START(op_enable, "/enable");
	EVENT(ADDED_DEVICE);
	ENDED(-ETIMEDOUT);
	set_time_out(&self->tcmu, "0");
	ENABLED();
}

TEST_F(daemon, d19_reconfiguration_is_bounded)
{
	char size[32];

	ENABLED();
	set_time_out(&self->tcmu, "1");
	START(op_grow, "/attrib/dev_size");
	EVENT(RECONFIG_DEVICE);
	ENDED(-ETIMEDOUT);
	ASSERT_EQ(0, uiot_tcmu_get(&self->tcmu, "attrib/dev_size", size, sizeof(size)));
	EXPECT_STREQ("1048576\n", size);
}

/* It belongs to a command that nobody waits for any more. */
TEST_F(daemon, d19_late_answer_is_not_taken_for_another)
{
	ENABLED();
	set_time_out(&self->tcmu, "1");
	START(op_grow, "/attrib/dev_size");
	EVENT(RECONFIG_DEVICE);
	ENDED(-ETIMEDOUT);

	set_time_out(&self->tcmu, "0");
	START(op_rmdir, "");
	EVENT(REMOVED_DEVICE);
	EXPECT_EQ(-EINVAL, ANSWER(RECONFIG_DEVICE_DONE, 0));
	usleep(UIOT_WHILE_MS * 1000);
	EXPECT_FALSE(self->op.done);
	EXPECT_EQ(0, ANSWER(REMOVED_DEVICE_DONE, 0));
	ENDED(0);
}

static bool has_exited(void *arg)
{
	return waitpid(*(pid_t *)arg, NULL, WNOHANG) > 0;
}

/* A child that was killed is gone. */
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
	set_time_out(&self->tcmu, "0");
	pid = fork_delete(&self->tcmu);
	ASSERT_LT(0, pid);
	EVENT(REMOVED_DEVICE);
	EXPECT_TRUE(dies(pid)) {
		TH_LOG("can't be killed");
	}
	/* what it began is done all the same */
	NOTHING_IS_LEFT();
}

/* A kernel that forgets the command then waits for ever, and can't be helped. */
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

/* 0: it is a name of the device's */
static long op_show_name(struct uiot_op *op)
{
	static const char begin[] = "tcm-user/0/one/test/";
	char name[256];

	errno = -uiot_read_file(op->text, name, sizeof(name));
	return errno ? -1 : !!strncmp(name, begin, sizeof(begin) - 1);
}

TEST_F(daemon, d15_name_is_kept_while_it_is_shown)
{
	struct uiot_op show = { .fn = op_show_name, .thread_name = UIOT_WINDOW };

	ENABLED();
	snprintf(show.text, sizeof(show.text), "/sys/class/uio/%s/name",
		 self->tcmu.uio.node + strlen("/dev/"));
	ASSERT_EQ(0, uiot_window_arm(false));
	ASSERT_EQ(0, uiot_start(&show));
	ASSERT_TRUE(uiot_window_hit());

	START(op_rename, "/attrib/dev_config");
	EVENT(RECONFIG_DEVICE);
	ASSERT_EQ(0, ANSWER(RECONFIG_DEVICE_DONE, 0));
	ENDED(0);

	uiot_window_go();
	ASSERT_EQ(0, uiot_join(&show, UIOT_SOON_MS));
	EXPECT_EQ(0, show.ret);
}

TEST_F(daemon, d14_refused_device_leaves_its_ring_to_the_holder)
{
	__u32 word;
	void *p;
	int fd;

	START(op_enable, "/enable");
	EVENT(ADDED_DEVICE);
	ASSERT_EQ(0, uiot_tcmu_find(&self->tcmu));
	fd = uiot_open(&self->tcmu.uio, O_RDWR);
	ASSERT_LE(0, fd);
	p = uiot_tcmu_map(&self->tcmu, fd);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	ASSERT_EQ(0, ANSWER(ADDED_DEVICE_DONE, -EDOM));
	ENDED(-EDOM);

	EXPECT_EQ(0, uiot_load_word(p, &word));
	EXPECT_EQ(SIGBUS, uiot_load_word(p + uiot_page(), &word));
	EXPECT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(1, uiot_tcmu_rings());
	munmap(p, self->tcmu.size);
	close(fd);
	NOTHING_IS_LEFT();
}

/*
 * A disk whose daemon has the ring and takes nothing off it. Each scan of the SCSI
 * host sends some commands; where they go can be seen in the ring.
 */
#define SCAN_TEST_S	120

FIXTURE(silent)
{
	struct uiot_tcmu tcmu;
	struct tcmu_mailbox *ring;
	int fd;
};

static void rescan(void)
{
	char path[128], driver[32];
	glob_t hosts;
	size_t i;

	if (glob("/sys/class/scsi_host/host*", 0, NULL, &hosts))
		return;
	for (i = 0; i < hosts.gl_pathc; i++) {
		snprintf(path, sizeof(path), "%s/proc_name", hosts.gl_pathv[i]);
		if (uiot_read_file(path, driver, sizeof(driver)) ||
		    strncmp(driver, "tcm_loop", strlen("tcm_loop")))
			continue;
		snprintf(path, sizeof(path), "%s/scan", hosts.gl_pathv[i]);
		uiot_write_file(path, "- - -");
	}
	globfree(&hosts);
}

static bool scan_queues_nothing(void *arg)
{
	const struct tcmu_mailbox *ring = arg;
	__u32 head = __atomic_load_n(&ring->cmd_head, __ATOMIC_RELAXED);

	rescan();
	return __atomic_load_n(&ring->cmd_head, __ATOMIC_RELAXED) == head;
}

FIXTURE_SETUP(silent)
{
	ASSERT_EQ(0, uiot_tcmu_setup());
	ASSERT_EQ(0, uiot_tcmu_create(&self->tcmu, "one"));
	ASSERT_EQ(0, uiot_tcmu_set(&self->tcmu, "attrib/cmd_time_out", "1"));
	/* where there is one */
	uiot_tcmu_set(&self->tcmu, "attrib/daemon_time_out", "2");
	self->fd = uiot_open(&self->tcmu.uio, O_RDWR);
	ASSERT_LE(0, self->fd);
	self->ring = uiot_tcmu_map(&self->tcmu, self->fd);
	ASSERT_NE(MAP_FAIL, self->ring);
	ASSERT_EQ(0, uiot_tcmu_export(&self->tcmu));
}

FIXTURE_TEARDOWN(silent)
{
	uiot_tcmu_unexport();
	munmap(self->ring, self->tcmu.size);
	close(self->fd);
	uiot_tcmu_delete_all();
}

TEST_F_TIMEOUT(silent, d19_commands_fail_at_once, SCAN_TEST_S)
{
	EXPECT_TRUE(uiot_wait_until(scan_queues_nothing, self->ring, 4 * UIOT_SOON_MS)) {
		TH_LOG("commands wait for the daemon");
	}
}

TEST_F_TIMEOUT(silent, d19_sign_of_life_is_seen, SCAN_TEST_S)
{
	__s32 done = 0;

	ASSERT_TRUE(uiot_wait_until(scan_queues_nothing, self->ring, 4 * UIOT_SOON_MS)) {
		TH_LOG("commands wait for the daemon");
	}
	self->ring->cmd_tail = self->ring->cmd_head;
	ASSERT_EQ(sizeof(done), write(self->fd, &done, sizeof(done)));
	EXPECT_FALSE(scan_queues_nothing(self->ring));
}

TEST_F_TIMEOUT(silent, d19_new_daemon_gets_its_time, SCAN_TEST_S)
{
	ASSERT_TRUE(uiot_wait_until(scan_queues_nothing, self->ring, 4 * UIOT_SOON_MS)) {
		TH_LOG("commands wait for the daemon");
	}
	close(self->fd);
	munmap(self->ring, self->tcmu.size);
	self->fd = uiot_open(&self->tcmu.uio, O_RDWR);
	ASSERT_LE(0, self->fd);
	self->ring = uiot_tcmu_map(&self->tcmu, self->fd);
	ASSERT_NE(MAP_FAIL, self->ring);
	EXPECT_FALSE(scan_queues_nothing(self->ring));
}

TEST_HARNESS_MAIN
