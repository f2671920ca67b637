// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: what a process without privileges can do with an open file that it was given, and
 * whom the kernel's memory for it is charged to. The documentation has a table of it.
 */

#include <fcntl.h>
#include <linux/uio_device.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

#define NOBODY		65534

/* Nobody has a copy of the descriptor "given". Root has another open file. */
FIXTURE(nobody)
{
	struct uiot_dev dev;
	struct uiot_child child;
	int given, other;
};

FIXTURE_VARIANT(nobody)
{
	const char *options;
	bool context;
};

FIXTURE_VARIANT_ADD(nobody, legacy) { .options = "mem=virtual:1", };
FIXTURE_VARIANT_ADD(nobody, context) { .options = "ctx mem=virtual:1", .context = true, };

enum what { BECOME_NOBODY, OPEN, USE, REVOKE };

static int use(int fd)
{
	__s32 event, on = 1;
	__u32 word;
	void *p;

	if (write(fd, &on, sizeof(on)) < 0 || read(fd, &event, sizeof(event)) < 0)
		return -errno;
	p = uiot_map(fd, 0, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
	if (p == MAP_FAIL)
		return -errno;
	return uiot_load_word(p, &word) || word != UIOT_WORD(0, 0) ? -EFAULT : 0;
}

static int act_on(FIXTURE_DATA(nobody) *self, enum what what)
{
	int fd;

	switch (what) {
	case BECOME_NOBODY:
		return setresgid(NOBODY, NOBODY, NOBODY) ||
		       setresuid(NOBODY, NOBODY, NOBODY) ? -errno : 0;
	case OPEN:
		fd = uiot_open(&self->dev, O_RDONLY);
		return fd < 0 ? fd : 0;
	case USE:
		return use(self->given);
	default:
		return ioctl(self->given, UIO_IOC_REVOKE, 0) ? -errno : 0;
	}
}

static int act(void *arg, int what)
{
	return act_on(arg, what);
}

FIXTURE_SETUP(nobody)
{
	UIOT_SETUP(&self->dev, variant->options);
	ASSERT_EQ(0, chmod(self->dev.node, 0600));
	UIOT_OPEN(self->given, &self->dev);
	UIOT_OPEN(self->other, &self->dev);
	ASSERT_EQ(0, uiot_child_start(&self->child, act, self));
	ASSERT_EQ(0, uiot_child_ask(&self->child, BECOME_NOBODY));
}

FIXTURE_TEARDOWN(nobody)
{
	uiot_child_end(&self->child);
	close(self->given);
	close(self->other);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(nobody, cannot_open_the_node)
{
	EXPECT_EQ(-EACCES, uiot_child_ask(&self->child, OPEN));
}

TEST_F(nobody, uses_what_it_was_given)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(0, uiot_child_ask(&self->child, USE));
}

TEST_F(nobody, revokes_only_what_it_was_given)
{
	__s32 event;

	ASSERT_EQ(0, uiot_child_ask(&self->child, REVOKE));
	EXPECT_EQ(-1, read(self->given, &event, sizeof(event)));
	UIOT_EXPECT_ERRNO(ENODEV);
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(sizeof(event), read(self->other, &event, sizeof(event)));
}

/* The memory of one device, as long as the process lives. Without a context, none. */
TEST_F(nobody, keeps_memory_until_it_ends)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	ASSERT_EQ(0, uiot_child_ask(&self->child, USE));
	close(self->given);
	close(self->other);
	self->given = -1;
	self->other = -1;
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(!variant->context, uiot_count(&self->dev, "frees"));
	uiot_child_end(&self->child);
	EXPECT_TRUE(uiot_count_becomes(&self->dev, "frees", 1));
}

/* ---- memory that is charged */

#define CGROUP		"/tmp/uio-cgroup"
#define GROUP		CGROUP "/test"
/* the kernel charges up to 64 pages a CPU in advance */
#define FILES		400

FIXTURE(charged)
{
	struct uiot_dev dev;
	void *p[FILES];
	int fd[FILES];
};

/* Moves this process to a group of its own. */
static int enter_group(void)
{
	char pid[16];
	int ret;

	if ((mkdir(CGROUP, 0755) && errno != EEXIST) ||
	    mount("cgroup2", CGROUP, "cgroup2", 0, NULL))
		return -errno;
	ret = uiot_write_file(CGROUP "/cgroup.subtree_control", "+memory");
	if (!ret && mkdir(GROUP, 0755) && errno != EEXIST)
		ret = -errno;
	snprintf(pid, sizeof(pid), "%d", getpid());
	return ret ? ret : uiot_write_file(GROUP "/cgroup.procs", pid);
}

static void leave_group(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	uiot_write_file(CGROUP "/cgroup.procs", pid);
	rmdir(GROUP);
	umount(CGROUP);
	rmdir(CGROUP);
}

/* in bytes */
static long charged(void)
{
	char buf[32];

	return uiot_read_file(GROUP "/memory.current", buf, sizeof(buf)) ? -1 : atol(buf);
}

FIXTURE_SETUP(charged)
{
	int i;

	UIOT_SETUP(&self->dev, "ctx sink mem=virtual:1");
	if (enter_group())
		SKIP(return, "this kernel does not charge memory to cgroups");
	for (i = 0; i < FILES; i++) {
		UIOT_OPEN(self->fd[i], &self->dev);
		self->p[i] = uiot_map(self->fd[i], 0, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
		ASSERT_NE(MAP_FAIL, self->p[i]);
	}
}

FIXTURE_TEARDOWN(charged)
{
	int i;

	for (i = 0; i < FILES; i++) {
		munmap(self->p[i], uiot_page());
		close(self->fd[i]);
	}
	leave_group();
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(charged, sinks_count_to_whoever_touches_them)
{
	long before, after;
	__u32 word;
	int i;

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	before = charged();
	ASSERT_LT(0, before);
	for (i = 0; i < FILES; i++)
		ASSERT_EQ(0, uiot_load_word(self->p[i], &word));
	after = charged();
	EXPECT_LE(FILES * (long)uiot_page() / 2, after - before) {
		TH_LOG("%d sinks: %ld bytes", FILES, after - before);
	}
}

TEST_HARNESS_MAIN
