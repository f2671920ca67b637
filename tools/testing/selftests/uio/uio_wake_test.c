// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: what happens to an open file when the device is unregistered. A D number in a
 * test's name is the number of a defect of mainline: the test fails there.
 */

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

/* An open file of a device, with both kinds of driver. */
FIXTURE(file)
{
	struct uiot_dev dev;
	int fd;
};

FIXTURE_VARIANT(file)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(file, legacy) { .options = "mem=virtual:1" };
FIXTURE_VARIANT_ADD(file, context) { .options = "ctx mem=virtual:1" };

FIXTURE_SETUP(file)
{
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
}

FIXTURE_TEARDOWN(file)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(file, new_open_is_enodev)
{
	struct stat st;
	char node[64];
	int fd;

	/* udev may take a while to remove the node */
	ASSERT_EQ(0, stat(self->dev.node, &st));
	snprintf(node, sizeof(node), "/dev/stale-%d", getpid());
	ASSERT_EQ(0, mknod(node, S_IFCHR | 0600, st.st_rdev));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	fd = open(node, O_RDWR);
	EXPECT_EQ(-1, fd);
	UIOT_EXPECT_ERRNO(ENODEV);
	unlink(node);
}

TEST_F(file, read_is_eio)
{
	__s32 event;

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(-1, read(self->fd, &event, 4));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F(file, read_of_event_left_over_is_eio)
{
	__s32 event;

	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(-1, read(self->fd, &event, 4));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F(file, nonblocking_read_is_eio)
{
	__s32 event;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(-1, read(self->fd, &event, 4));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F(file, d13_write_is_eio)
{
	__s32 on = 1;

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(-1, write(self->fd, &on, 4));
	UIOT_EXPECT_ERRNO(EIO);
	EXPECT_EQ(0, uiot_count(&self->dev, "irqcontrols"));
}

TEST_F(file, d13_mmap_is_eio)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ((void *)-1, uiot_map(self->fd, 0, 1, PROT_READ, MAP_SHARED));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F(file, poll_is_hup_and_err)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	UIOT_EXPECT_HANGUP(pfd.revents);
}

TEST_F(file, poll_for_nothing_is_hup_and_err)
{
	struct pollfd pfd = { .fd = self->fd, .events = 0 };

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	UIOT_EXPECT_HANGUP(pfd.revents);
	EXPECT_EQ(0, pfd.revents & ~(POLLHUP | POLLERR));
}

TEST_F(file, d3_all_exclusive_waiters_wake)
{
	struct uiot_op *ops[2];
	int i;

	for (i = 0; i < 2; i++) {
		ops[i] = uiot_op_alloc();
		ASSERT_NE(NULL, ops[i]);
		ops[i]->fn = uiot_op_exclusive;
		ops[i]->fd = self->fd;
		ASSERT_EQ(0, uiot_start(ops[i]));
		ASSERT_EQ(0, uiot_wait_asleep(ops[i]));
	}
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, uiot_join(ops[i], UIOT_SOON_MS)) {
			TH_LOG("waiter %d sleeps", i);
		}
		UIOT_EXPECT_HANGUP(ops[i]->events);
	}
}

TEST_F(file, fasync_sends_poll_hup_once)
{
	ASSERT_EQ(0, uiot_sigio_on(self->fd));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(POLL_HUP, uiot_sigio_wait(UIOT_SOON_MS));
	EXPECT_EQ(-EAGAIN, uiot_sigio_wait(UIOT_WHILE_MS));
}

TEST_F(file, devm_unbind_is_the_same)
{
	struct uiot_dev bound;
	char options[96];
	__s32 event;

	snprintf(options, sizeof(options), "devm %s", variant->options);
	ASSERT_EQ(0, uiot_create(&bound, options));
	close(self->fd);
	self->fd = uiot_open(&bound, O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, uiot_do(&bound, "unregister"));
	EXPECT_EQ(-1, read(self->fd, &event, 4));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F(file, name_is_free_for_the_next_device)
{
	struct uiot_dev next;
	int fd;

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_create(&next, ""));
	EXPECT_STREQ(self->dev.node, next.node);
	fd = uiot_open(&next, O_RDWR);
	EXPECT_LE(0, fd);
	EXPECT_EQ(1, uiot_count(&next, "opens"));
	close(fd);
}

TEST_F(file, event_of_the_next_device_is_not_seen)
{
	struct uiot_dev next;
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	__s32 event;

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_create(&next, ""));
	ASSERT_EQ(0, uiot_do(&next, "notify"));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	UIOT_EXPECT_HANGUP(pfd.revents);
	EXPECT_EQ(-1, read(self->fd, &event, 4));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F(file, sysfs_is_gone)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(-ENOENT, uiot_sysfs_open(&self->dev, "name"));
	EXPECT_EQ(-1, access(self->dev.node, F_OK));
}

TEST_F(file, open_sysfs_attributes_are_enodev)
{
	static const char * const files[] = { "name", "event", "maps/map0/size" };
	int fds[3];
	char buf[32];
	int i;

	for (i = 0; i < 3; i++) {
		fds[i] = uiot_sysfs_open(&self->dev, files[i]);
		ASSERT_LE(0, fds[i]);
	}
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(-1, read(fds[i], buf, sizeof(buf)));
		UIOT_EXPECT_ERRNO(ENODEV);
	}
}

TEST_F(file, other_devices_are_not_affected)
{
	struct uiot_dev other;
	struct pollfd pfd = { .events = POLLIN };

	ASSERT_EQ(0, uiot_create(&other, variant->options));
	pfd.fd = uiot_open(&other, O_RDWR);
	ASSERT_LE(0, pfd.fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, uiot_do(&other, "notify"));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLIN, pfd.revents);
	close(pfd.fd);
}

/* Each call that can sleep. Unregistration wakes it. */
FIXTURE(sleeper)
{
	struct uiot_dev dev;
	struct uiot_op op;
};

FIXTURE_VARIANT(sleeper)
{
	long (*fn)(struct uiot_op *op);
	const char *options;
	long ret;
};

#define SLEEPER(_call, _driver, _options, _ret)				\
	FIXTURE_VARIANT_ADD(sleeper, _call ## _ ## _driver) {		\
		.fn = uiot_op_ ## _call, .options = _options, .ret = _ret, \
	}

SLEEPER(read, legacy, "", -EIO);
SLEEPER(read, context, "ctx", -EIO);
SLEEPER(read, real_irq, "irq=real", -EIO);
SLEEPER(poll, legacy, "", 1);
SLEEPER(poll, context, "ctx", 1);
SLEEPER(select, legacy, "", 1);
SLEEPER(select, context, "ctx", 1);
SLEEPER(epoll, legacy, "", 1);
SLEEPER(epoll, context, "ctx", 1);
SLEEPER(edge, legacy, "", 1);
SLEEPER(edge, context, "ctx", 1);
SLEEPER(uring, legacy, "", 1);
SLEEPER(uring, context, "ctx", 1);

FIXTURE_SETUP(sleeper)
{
	UIOT_SETUP(&self->dev, variant->options);

	self->op.fn = variant->fn;
	UIOT_OPEN(self->op.fd, &self->dev);
}

FIXTURE_TEARDOWN(sleeper)
{
	close(self->op.fd);
	EXPECT_EQ(0, uiot_reset());
}

#define EXPECT_HANGUP() do {						\
	EXPECT_EQ(variant->ret, self->op.ret);				\
	if (self->op.fn != uiot_op_read && self->op.fn != uiot_op_select) \
		UIOT_EXPECT_HANGUP(self->op.events);			\
} while (0)

TEST_F(sleeper, unregister_wakes)
{
	ASSERT_EQ(0, uiot_start(&self->op));
	ASSERT_EQ(0, uiot_wait_asleep(&self->op));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_join(&self->op, UIOT_SOON_MS));
	EXPECT_HANGUP();
}

TEST_F(sleeper, all_are_woken)
{
	struct uiot_op ops[4];
	int i;

	for (i = 0; i < 4; i++) {
		ops[i] = self->op;
		ASSERT_EQ(0, uiot_start(&ops[i]));
		ASSERT_EQ(0, uiot_wait_asleep(&ops[i]));
	}
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, uiot_join(&ops[i], UIOT_SOON_MS));
		EXPECT_EQ(variant->ret, ops[i].ret);
	}
}

TEST_F(sleeper, revoke_wakes)
{
	int ret;

	ASSERT_EQ(0, uiot_start(&self->op));
	ASSERT_EQ(0, uiot_wait_asleep(&self->op));
	ret = uiot_do(&self->dev, "revoke");
	if (ret == -EOPNOTSUPP)
		SKIP(return, "this core has no contexts");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, uiot_join(&self->op, UIOT_SOON_MS));
	EXPECT_HANGUP();
}

/*
 * The sleeper has looked at the device. It is about to queue itself, or has just done so,
 * when unregistration wakes the queue.
 */
#define WINDOW_TEST(_after) do {					\
	bool held;							\
									\
	ASSERT_EQ(0, uiot_window_arm(_after));				\
	self->op.thread_name = UIOT_WINDOW;				\
	ASSERT_EQ(0, uiot_start(&self->op));				\
	ASSERT_TRUE(uiot_window_hit());					\
	EXPECT_EQ(0, uiot_do(&self->dev, "unregister"));		\
	held = uiot_window_go();					\
	ASSERT_EQ(0, uiot_join(&self->op, UIOT_SOON_MS)) {		\
		TH_LOG("still asleep: it missed the wake-up");		\
	}								\
	UIOT_SKIP_IF_LATE(held);					\
	EXPECT_HANGUP();						\
} while (0)

/* read() in the window. */
FIXTURE(reader)
{
	struct uiot_dev dev;
	struct uiot_op op;
};

FIXTURE_VARIANT(reader)
{
	const char *options;
	long ret;
};

FIXTURE_VARIANT_ADD(reader, legacy) { .options = "", .ret = -EIO };
FIXTURE_VARIANT_ADD(reader, context) { .options = "ctx", .ret = -EIO };

FIXTURE_SETUP(reader)
{
	UIOT_SETUP(&self->dev, variant->options);

	self->op.fn = uiot_op_read;
	UIOT_OPEN(self->op.fd, &self->dev);
}

FIXTURE_TEARDOWN(reader)
{
	uiot_window_go();
	close(self->op.fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(reader, d2_unregister_before_it_is_queued_wakes)
{
	WINDOW_TEST(false);
}

TEST_F(reader, unregister_after_it_is_queued_wakes)
{
	WINDOW_TEST(true);
}

/* poll(), select() and epoll in the window. */
FIXTURE(poller)
{
	struct uiot_dev dev;
	struct uiot_op op;
};

FIXTURE_VARIANT(poller)
{
	long (*fn)(struct uiot_op *op);
	const char *options;
	long ret;
};

#define POLLER(_call, _driver, _options)				\
	FIXTURE_VARIANT_ADD(poller, _call ## _ ## _driver) {		\
		.fn = uiot_op_ ## _call, .options = _options, .ret = 1,	\
	}

POLLER(poll, legacy, "");
POLLER(poll, context, "ctx");
POLLER(select, legacy, "");
POLLER(select, context, "ctx");
POLLER(epoll, legacy, "");
POLLER(epoll, context, "ctx");

FIXTURE_SETUP(poller)
{
	UIOT_SETUP(&self->dev, variant->options);

	self->op.fn = variant->fn;
	UIOT_OPEN(self->op.fd, &self->dev);
}

FIXTURE_TEARDOWN(poller)
{
	uiot_window_go();
	close(self->op.fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(poller, d3_unregister_before_it_is_queued_wakes)
{
	WINDOW_TEST(false);
}

TEST_F(poller, unregister_after_it_is_queued_wakes)
{
	WINDOW_TEST(true);
}

/* Events for a uio_info that is not registered. Mainline crashes. */
FIXTURE(notify)
{
	struct uiot_dev dev;
};

FIXTURE_VARIANT(notify)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(notify, legacy) { .options = "idle" };
FIXTURE_VARIANT_ADD(notify, context) { .options = "ctx idle" };

FIXTURE_SETUP(notify)
{
	UIOT_SETUP(&self->dev, variant->options);
}

FIXTURE_TEARDOWN(notify)
{
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(notify, d9_before_registration_is_ignored)
{
	char buf[16];

	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	ASSERT_EQ(0, uiot_do(&self->dev, "register"));
	snprintf(self->dev.node, sizeof(self->dev.node), "/dev/uio%ld",
		 uiot_count(&self->dev, "minor"));
	ASSERT_EQ(0, uiot_sysfs(&self->dev, "event", buf, sizeof(buf)));
	EXPECT_STREQ("0", buf);
}

TEST_F(notify, d9_after_unregistration_is_ignored)
{
	int log = uiot_log_open();
	char line[256];
	int left = 1;

	ASSERT_LE(0, log);
	ASSERT_EQ(0, uiot_do(&self->dev, "register"));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister keep"));
	/* a debug kernel delays releases by up to 4 s, and logs it */
	if (uiot_log_find(log, "(delayed ", line, sizeof(line)))
		left = 50;
	while (left--) {
		EXPECT_EQ(0, uiot_do(&self->dev, "notify"));
		if (left)
			usleep(100000);
	}
	EXPECT_EQ(0, uiot_do(&self->dev, "put"));
	close(log);
}

TEST_F(notify, d9_after_unregistration_with_a_file_is_ignored)
{
	struct pollfd pfd = { .events = POLLIN };

	ASSERT_EQ(0, uiot_do(&self->dev, "register"));
	snprintf(self->dev.node, sizeof(self->dev.node), "/dev/uio%ld",
		 uiot_count(&self->dev, "minor"));
	pfd.fd = uiot_open(&self->dev, O_RDWR);
	ASSERT_LE(0, pfd.fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister keep"));
	EXPECT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	UIOT_EXPECT_HANGUP(pfd.revents);
	close(pfd.fd);
}

TEST_HARNESS_MAIN
