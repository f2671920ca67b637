// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio-late-release, the tool in tools/uio: who holds a device, in whichever way a process can
 * hold one. Mainline's core does not tell serial numbers, and no names of removed devices.
 */

#include <fcntl.h>
#include <linux/uio_device.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"
#include "uio_testlib_tool.h"

#define NOBODY		65534
#define PAGES		2
#define MANY		10000
/* Searching all descriptors for each of them would take hundreds of times as long. */
#define MANY_TIMES	20
#define MAX_FOUND	8

/* A child holds the device in some way. It is started first, and inherits nothing. */
FIXTURE(holders)
{
	struct uiot_dev dev;
	struct uiot_child child;
	int pair[2];
	bool tells;
	/* of the child */
	int fd;
	void *p;
	/* what the tool has found */
	struct uiot_holder found[MAX_FOUND];
	int nr;
};

FIXTURE_VARIANT(holders)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(holders, legacy) { .options = "mem=virtual:2", };
FIXTURE_VARIANT_ADD(holders, context) { .options = "ctx mem=virtual:2", };

enum what {
	OPEN, OPEN_OTHER_NODE, MAP, TOUCH, CLOSE, REVOKE, RECEIVE, FORK, SHARE, OWN_FILES,
	MANY_FILES, OWN_MOUNTS, NAME, BECOME_NOBODY,
};

static int ready[2];

static void *wait_for_ever(void *arg)
{
	char byte = 0;

	(void)arg;
	if (write(ready[1], &byte, 1) != 1)
		abort();
	for (;;)
		pause();
	return NULL;
}

/* Has descriptors of its own, and two more of the device. */
static void *own_files(void *arg)
{
	int fd = *(int *)arg;
	pid_t tid = syscall(SYS_gettid);

	if (unshare(CLONE_FILES) || dup(fd) < 0 || dup(fd) < 0)
		tid = -errno;
	if (write(ready[1], &tid, sizeof(tid)) != sizeof(tid))
		abort();
	for (;;)
		pause();
	return NULL;
}

static int start_thread(void *(*fn)(void *arg), void *arg, void *answer, size_t size)
{
	pthread_t thread;

	if (pipe2(ready, O_CLOEXEC) || pthread_create(&thread, NULL, fn, arg))
		return -EAGAIN;
	return read(ready[0], answer, size) == (ssize_t)size ? 0 : -EIO;
}

static int share_files(void)
{
	char byte;
	int i, ret = 0;

	for (i = 0; i < 3 && !ret; i++)
		ret = start_thread(wait_for_ever, NULL, &byte, 1);
	return ret;
}

static int start_own_files(int fd)
{
	pid_t tid;

	return start_thread(own_files, &fd, &tid, sizeof(tid)) ?: tid;
}

/* Ends with its parent. */
static int start_child(void)
{
	pid_t pid = fork();

	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

static int open_many(int fd)
{
	struct rlimit limit = { 2 * MANY, 2 * MANY };
	int i;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	for (i = 1; i < MANY; i++)
		if (dup(fd) < 0)
			return -errno;
	return 0;
}

/* Opens the device by a node that nobody outside can see. */
static int open_in_own_mounts(const struct uiot_dev *dev)
{
	struct stat st;
	int fd;

	if (stat(dev->node, &st) || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) ||
	    mknod("/tmp/mine", S_IFCHR | 0600, st.st_rdev))
		return -errno;
	fd = open("/tmp/mine", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Without PR_SET_DUMPABLE, only root could look at the process. */
static int become_nobody(void)
{
	return setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ||
	       prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

static int act_on(FIXTURE_DATA(holders) *self, enum what what)
{
	__u32 word;

	switch (what) {
	case OPEN:
		self->fd = uiot_open(&self->dev, O_RDWR);
		return self->fd < 0 ? self->fd : 0;
	case OPEN_OTHER_NODE:
		self->fd = uiot_open_other_node(&self->dev, O_RDWR);
		return self->fd < 0 ? self->fd : 0;
	case MAP:
		self->p = uiot_map(self->fd, 0, PAGES, PROT_READ, MAP_SHARED);
		return self->p == MAP_FAIL ? -errno : 0;
	case TOUCH:
		return uiot_load_word(self->p, &word) ? -EFAULT : 0;
	case CLOSE:
		return close(self->fd) ? -errno : 0;
	case REVOKE:
		return ioctl(self->fd, UIO_IOC_REVOKE, 0) ? -errno : 0;
	case RECEIVE:
		self->fd = uiot_recv_fd(self->pair[1]);
		return self->fd < 0 ? self->fd : 0;
	case FORK:
		return start_child();
	case SHARE:
		return share_files();
	case OWN_FILES:
		return start_own_files(self->fd);
	case MANY_FILES:
		return open_many(self->fd);
	case OWN_MOUNTS:
		self->fd = open_in_own_mounts(&self->dev);
		return self->fd < 0 ? self->fd : 0;
	case NAME:
		return prctl(PR_SET_NAME, "a\"b\\c\n\033[1m\xff") ? -errno : 0;
	default:
		return become_nobody();
	}
}

static int act(void *arg, int what)
{
	return act_on(arg, what);
}

/* The child inherits the device's name. */
FIXTURE_SETUP(holders)
{
	int fd;

	UIOT_TOOL_SETUP();
	UIOT_SETUP(&self->dev, variant->options);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, self->pair));
	ASSERT_EQ(0, uiot_child_start(&self->child, act, self));
	UIOT_OPEN(fd, &self->dev);
	self->tells = uiot_tool_core_tells(fd);
	close(fd);
}

FIXTURE_TEARDOWN(holders)
{
	uiot_child_end(&self->child);
	EXPECT_EQ(0, uiot_reset());
}

#define ASK(_what)	ASSERT_EQ(0, uiot_child_ask(&self->child, _what))

/* Finds what a process holds. */
#define FIND(_pid) do {							\
	self->nr = uiot_tool_holders(UIOT_ROOT, _pid, self->found, MAX_FOUND, NULL); \
	ASSERT_LE(0, self->nr);						\
} while (0)

/* The child is found as one holder of this device. */
#define FIND_ONE(_descriptors, _pages) do {				\
	FIND(self->child.pid);						\
	ASSERT_EQ(1, self->nr);						\
	EXPECT_STREQ(self->dev.node + strlen("/dev/"), self->found[0].device); \
	EXPECT_EQ(self->child.pid, self->found[0].tid);			\
	EXPECT_EQ((unsigned int)(_descriptors), self->found[0].descriptors); \
	EXPECT_EQ((_pages) * uiot_page(), self->found[0].mapped);	\
} while (0)

TEST_F(holders, open_file)
{
	ASK(OPEN);
	FIND_ONE(1, 0);
	EXPECT_STREQ("live", self->found[0].state);
	EXPECT_STREQ(self->dev.name, self->found[0].name);
	EXPECT_EQ(self->tells, self->found[0].serial > 0);
	EXPECT_EQ(-1, self->found[0].ring);
}

TEST_F(holders, file_and_mapping)
{
	ASK(OPEN);
	ASK(MAP);
	FIND_ONE(1, PAGES);
	EXPECT_GE(0, self->found[0].present);
	ASK(TOUCH);
	FIND_ONE(1, PAGES);
	if (!access("/proc/self/smaps", F_OK))
		EXPECT_LE((long long)uiot_page(), self->found[0].present);
}

/* The name is that of the live device that has the same device node. */
TEST_F(holders, mapping_only)
{
	ASK(OPEN);
	ASK(MAP);
	ASK(CLOSE);
	FIND_ONE(0, PAGES);
	EXPECT_STREQ("live", self->found[0].state);
	EXPECT_STREQ(self->dev.name, self->found[0].name);
}

TEST_F(holders, mapping_of_a_removed_device)
{
	ASK(OPEN);
	ASK(MAP);
	ASK(CLOSE);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	FIND_ONE(0, PAGES);
	EXPECT_STREQ("removed", self->found[0].state);
	EXPECT_EQ(-1, self->found[0].serial);
}

/* Somebody else has it open by the same node, which tells what the mapping is of. */
TEST_F(holders, mapping_of_what_another_has_open)
{
	int fd;

	UIOT_OPEN(fd, &self->dev);
	ASK(OPEN);
	ASK(MAP);
	ASK(CLOSE);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	FIND_ONE(0, PAGES);
	EXPECT_EQ(self->tells, self->found[0].serial > 0);
	close(fd);
}

/* Two devices had the same name, one after the other. */
TEST_F(holders, two_generations)
{
	struct uiot_dev next;
	int fd;

	ASK(OPEN);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_create(&next, variant->options));
	ASSERT_STREQ(self->dev.node, next.node) {
		TH_LOG("the number was not used again");
	}
	self->dev = next;
	UIOT_OPEN(fd, &self->dev);
	ASSERT_EQ(0, uiot_send_fd(self->pair[0], fd));
	close(fd);
	ASK(RECEIVE);

	FIND(self->child.pid);
	ASSERT_EQ(2, self->nr);
	EXPECT_STREQ(self->found[0].device, self->found[1].device);
	EXPECT_STREQ("removed", self->found[0].state);
	EXPECT_STREQ("live", self->found[1].state);
	EXPECT_STREQ(next.name, self->found[1].name);
	if (self->tells) {
		EXPECT_LT(self->found[0].serial, self->found[1].serial);
		EXPECT_STRNE(next.name, self->found[0].name);
	}
}

/* By another node it is the same device, if the core tells. */
TEST_F(holders, other_node)
{
	ASK(OPEN);
	ASK(OPEN_OTHER_NODE);
	FIND(self->child.pid);
	ASSERT_EQ(self->tells ? 1 : 2, self->nr);
	EXPECT_EQ(self->tells ? 2 : 1, self->found[0].descriptors);
}

TEST_F(holders, revoked_file)
{
	int ret;

	ASK(OPEN);
	ret = uiot_child_ask(&self->child, REVOKE);
	if (ret == -ENOTTY)
		SKIP(return, "this core has no UIO_IOC_REVOKE");
	ASSERT_EQ(0, ret);
	FIND_ONE(1, 0);
	if (self->tells)
		EXPECT_EQ(1, self->found[0].revoked);
}

TEST_F(holders, passed_descriptor)
{
	int fd;

	UIOT_OPEN(fd, &self->dev);
	ASSERT_EQ(0, uiot_send_fd(self->pair[0], fd));
	close(fd);
	/* a message holds it, and no process */
	FIND(self->child.pid);
	EXPECT_EQ(0, self->nr);
	ASK(RECEIVE);
	FIND_ONE(1, 0);
}

TEST_F(holders, forked)
{
	int pid;

	ASK(OPEN);
	ASK(MAP);
	pid = uiot_child_ask(&self->child, FORK);
	ASSERT_LT(0, pid);
	FIND_ONE(1, PAGES);
	FIND(pid);
	ASSERT_EQ(1, self->nr);
	EXPECT_EQ(1, self->found[0].descriptors);
	EXPECT_EQ(PAGES * uiot_page(), self->found[0].mapped);
}

TEST_F(holders, threads_share_descriptors)
{
	ASK(OPEN);
	ASK(MAP);
	ASK(SHARE);
	FIND_ONE(1, PAGES);
}

/* The memory is that of the whole process, so it counts once. */
TEST_F(holders, thread_with_its_own_descriptors)
{
	int tid;

	if (syscall(SYS_kcmp, getpid(), getpid(), 2, 0, 0))
		SKIP(return, "this kernel does not compare threads");
	ASK(OPEN);
	ASK(MAP);
	tid = uiot_child_ask(&self->child, OWN_FILES);
	ASSERT_LT(0, tid);
	FIND(self->child.pid);
	ASSERT_EQ(2, self->nr);
	EXPECT_EQ(self->child.pid, self->found[0].tid);
	EXPECT_EQ(1, self->found[0].descriptors);
	EXPECT_EQ(PAGES * uiot_page(), self->found[0].mapped);
	EXPECT_EQ(tid, self->found[1].tid);
	EXPECT_EQ(3, self->found[1].descriptors);
	EXPECT_EQ(0, self->found[1].mapped);
}

TEST_F(holders, own_mounts)
{
	ASK(OWN_MOUNTS);
	ASK(MAP);
	FIND_ONE(1, PAGES);
	ASK(CLOSE);
	FIND_ONE(0, PAGES);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	FIND_ONE(0, PAGES);
	EXPECT_STREQ("removed", self->found[0].state);
}

/* A name can have any bytes, and the output still has to be JSON. */
TEST_F(holders, strange_command)
{
	ASK(OPEN);
	ASK(NAME);
	FIND_ONE(1, 0);
	EXPECT_STREQ("a\\u0022b\\u005cc\\u000a\\u001b[1m\\ufffd", self->found[0].command);
}

/* Root sees all. Nobody sees his own processes, and how many others there are. */
TEST_F(holders, nobody)
{
	int unseen = -1;

	ASK(OPEN);
	ASK(MAP);
	self->nr = uiot_tool_holders(UIOT_NOBODY, self->child.pid, self->found, MAX_FOUND,
				     &unseen);
	EXPECT_EQ(0, self->nr);
	EXPECT_LE(2, unseen);

	ASK(BECOME_NOBODY);
	self->nr = uiot_tool_holders(UIOT_NOBODY, self->child.pid, self->found, MAX_FOUND,
				     &unseen);
	ASSERT_EQ(1, self->nr);
	EXPECT_EQ(1, self->found[0].descriptors);
	EXPECT_EQ(PAGES * uiot_page(), self->found[0].mapped);
	/* this process, at least */
	EXPECT_LE(1, unseen);

	ASK(CLOSE);
	self->nr = uiot_tool_holders(UIOT_NOBODY, self->child.pid, self->found, MAX_FOUND,
				     &unseen);
	ASSERT_EQ(1, self->nr);
	EXPECT_STREQ(self->dev.node + strlen("/dev/"), self->found[0].device);
	EXPECT_EQ(PAGES * uiot_page(), self->found[0].mapped);
}

/* What any program has to do to see all descriptors. Returns their number. */
static int read_all_fdinfo(pid_t pid)
{
	char path[64], text[1024];
	struct stat st;
	int fd, nr = 0;

	for (fd = 0; fd < 2 * MANY; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		if (stat(path, &st))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
		nr += !uiot_read_file(path, text, sizeof(text));
	}
	return nr;
}

TEST_F(holders, many_descriptors)
{
	long began, needed, ms;

	ASK(OPEN);
	ASK(MANY_FILES);
	began = uiot_now_ms();
	ASSERT_LE(MANY, read_all_fdinfo(self->child.pid));
	needed = uiot_now_ms() - began;

	began = uiot_now_ms();
	FIND_ONE(MANY, 0);
	ms = uiot_now_ms() - began;
	TH_LOG("%d descriptors: %ld ms, only to read them: %ld ms", MANY, ms, needed);
	EXPECT_GT(MANY_TIMES * needed, ms);
}

/* The first thread ends, and another one still has all that the process has. */
static void end_first_thread(const struct uiot_dev *dev, int out)
{
	int fd = uiot_open(dev, O_RDWR);
	char byte = 0;

	if (fd < 0 || uiot_map(fd, 0, PAGES, PROT_READ, MAP_SHARED) == MAP_FAIL)
		_exit(1);
	if (start_thread(wait_for_ever, NULL, &byte, 1) || write(out, &byte, 1) != 1)
		_exit(1);
	syscall(SYS_exit, 0);
}

static bool first_thread_ended(void *arg)
{
	char path[32], text[256];

	snprintf(path, sizeof(path), "/proc/%d/stat", *(pid_t *)arg);
	return !uiot_read_file(path, text, sizeof(text)) && strstr(text, ") Z ");
}

TEST_F(holders, first_thread_has_ended)
{
	int out[2];
	pid_t pid;
	char byte;

	ASSERT_EQ(0, pipe2(out, O_CLOEXEC));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(out[0]);
		end_first_thread(&self->dev, out[1]);
	}
	close(out[1]);
	ASSERT_EQ(1, read(out[0], &byte, 1));
	EXPECT_TRUE(uiot_wait_until(first_thread_ended, &pid, UIOT_SOON_MS));
	self->nr = uiot_tool_holders(UIOT_ROOT, pid, self->found, MAX_FOUND, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ASSERT_EQ(1, self->nr);
	EXPECT_NE(pid, self->found[0].tid);
	EXPECT_EQ(1, self->found[0].descriptors);
	EXPECT_EQ(PAGES * uiot_page(), self->found[0].mapped);
}

static void *make_processes(void *arg)
{
	const bool *stop = arg;
	pid_t pid;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		pid = fork();
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	return NULL;
}

/* Processes that vanish while it looks at them are no error. */
TEST_F(holders, processes_vanish)
{
	bool stop = false;
	pthread_t thread;
	int i;

	ASK(OPEN);
	ASSERT_EQ(0, pthread_create(&thread, NULL, make_processes, &stop));
	for (i = 0; i < 10; i++)
		FIND_ONE(1, 0);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* ---- watch */

#define TRACING		"/sys/kernel/tracing"
#define EVENTS		TRACING "/events/uio"

FIXTURE(watch)
{
	struct uiot_dev dev;
	char text[8192];
};

FIXTURE_SETUP(watch)
{
	UIOT_TOOL_SETUP();
	UIOT_SETUP(&self->dev, "");
}

FIXTURE_TEARDOWN(watch)
{
	EXPECT_EQ(0, uiot_reset());
}

static const char *const watch_argv[] = { "uio-late-release", "watch", NULL };

TEST_F(watch, tells_what_is_missing)
{
	if (!access(EVENTS, F_OK))
		SKIP(return, "this core has events");
	EXPECT_EQ(2, uiot_tool_run(UIOT_ROOT, true, watch_argv, self->text,
				   sizeof(self->text)));
	EXPECT_NE(NULL, strstr(self->text, access(TRACING "/instances", F_OK) ?
			       "mount -t tracefs" : "has no events"));
}

TEST_F(watch, is_for_root)
{
	EXPECT_EQ(2, uiot_tool_run(UIOT_NOBODY, true, watch_argv, self->text,
				   sizeof(self->text)));
	EXPECT_NE(NULL, strstr(self->text, "only root"));
}

/* Is there a tracing instance of the process, which watches? */
static bool has_instance(void *arg)
{
	char path[96], text[8];

	snprintf(path, sizeof(path),
		 TRACING "/instances/uio-late-release-%d/events/uio/enable", *(pid_t *)arg);
	return !uiot_read_file(path, text, sizeof(text)) && *text == '1';
}

struct watched {
	int fd;
	const char *wanted;
	char *text;
	size_t size;
	size_t len;
};

static bool has_event(void *arg)
{
	struct watched *watched = arg;
	ssize_t n = read(watched->fd, watched->text + watched->len,
			 watched->size - watched->len - 1);

	if (n > 0)
		watched->len += n;
	watched->text[watched->len] = 0;
	return strstr(watched->text, watched->wanted);
}

static void check_signal(struct __test_metadata *_metadata, FIXTURE_DATA(watch) *self,
			 int signal)
{
	struct watched watched = { .text = self->text, .size = sizeof(self->text) };
	int fds[2], status, fd;
	char wanted[64];
	pid_t pid;

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC | O_NONBLOCK));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(open("/dev/null", O_RDWR), STDERR_FILENO);
		execv(uiot_tool(), (char *const *)watch_argv);
		_exit(126);
	}
	close(fds[1]);
	EXPECT_TRUE(uiot_wait_until(has_instance, &pid, UIOT_SOON_MS));
	fd = uiot_open(&self->dev, O_RDWR);
	EXPECT_LE(0, fd);
	close(fd);
	watched.fd = fds[0];
	watched.wanted = wanted;
	snprintf(wanted, sizeof(wanted), "-%d uio_close: ", getpid());
	EXPECT_TRUE(uiot_wait_until(has_event, &watched, UIOT_SOON_MS)) {
		TH_LOG("no '%s' in '%s'", wanted, self->text);
	}
	snprintf(wanted, sizeof(wanted), "-%d uio_open: ", getpid());
	EXPECT_NE(NULL, strstr(self->text, wanted));
	kill(pid, signal);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_FALSE(has_instance(&pid));
	close(fds[0]);
}

TEST_F(watch, shows_events_until_ctrl_c)
{
	if (access(EVENTS, F_OK))
		SKIP(return, "this core has no events");
	check_signal(_metadata, self, SIGINT);
}

TEST_F(watch, shows_events_until_it_is_terminated)
{
	if (access(EVENTS, F_OK))
		SKIP(return, "this core has no events");
	check_signal(_metadata, self, SIGTERM);
}

TEST_HARNESS_MAIN
