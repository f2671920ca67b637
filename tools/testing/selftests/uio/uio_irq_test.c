// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: a driver's interrupts, also if they come and go while the device is live. An R or C
 * number in a test's name is the number of a former bug of this core that mainline never had.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

static int read_event(int fd)
{
	__s32 event;
	ssize_t n = read(fd, &event, sizeof(event));

	return n < 0 ? -errno : n;
}

static int poll_now(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, 0) < 0 ? -errno : pfd.revents;
}

/* A device that has no interrupt at registration, and gets one later. */
FIXTURE(comes)
{
	struct uiot_dev dev;
	int fd;
};

FIXTURE_VARIANT(comes)
{
	const char *options;
	const char *command;
};

FIXTURE_VARIANT_ADD(comes, in_open) { .options = "irq=open" };
FIXTURE_VARIANT_ADD(comes, in_open_ctx) { .options = "ctx irq=open" };
FIXTURE_VARIANT_ADD(comes, later) { .options = "irq=none", .command = "irq custom" };

FIXTURE_SETUP(comes)
{
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	if (variant->command)
		ASSERT_EQ(0, uiot_do(&self->dev, variant->command));
}

FIXTURE_TEARDOWN(comes)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(comes, r1_nonblocking_read_is_eagain)
{
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, read_event(self->fd));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(4, read_event(self->fd));
}

TEST_F(comes, r1_poll_has_nothing_before_an_event)
{
	EXPECT_EQ(0, poll_now(self->fd, POLLIN));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(POLLIN, poll_now(self->fd, POLLIN));
}

static void wakes_by_event(struct __test_metadata *_metadata, struct uiot_dev *dev,
			   int fd, const char *notify, long (*fn)(struct uiot_op *op),
			   long ret)
{
	struct uiot_op op = { .fn = fn, .fd = fd };

	ASSERT_EQ(0, uiot_start(&op));
	ASSERT_EQ(0, uiot_wait_asleep(&op));
	ASSERT_EQ(0, uiot_do(dev, notify));
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(ret, op.ret);
}

TEST_F(comes, r1_read_sleeps_until_the_event)
{
	wakes_by_event(_metadata, &self->dev, self->fd, "notify", uiot_op_read, 4);
}

TEST_F(comes, r1_poll_sleeps_until_the_event)
{
	wakes_by_event(_metadata, &self->dev, self->fd, "notify", uiot_op_poll, 1);
}

TEST_F(comes, r1_epoll_sleeps_until_the_event)
{
	wakes_by_event(_metadata, &self->dev, self->fd, "notify", uiot_op_epoll, 1);
}

/* The interrupt goes, but the driver notifies nobody. A task that is about to sleep notices. */
FIXTURE(goes)
{
	struct uiot_dev dev;
	int fd;
};

FIXTURE_VARIANT(goes)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(goes, legacy) { .options = "" };
FIXTURE_VARIANT_ADD(goes, context) { .options = "ctx" };

FIXTURE_SETUP(goes)
{
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	ASSERT_EQ(0, uiot_do(&self->dev, "irq none"));
}

FIXTURE_TEARDOWN(goes)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(goes, r1_read_is_eio)
{
	struct uiot_op op = { .fn = uiot_op_read, .fd = self->fd };

	ASSERT_EQ(0, uiot_start(&op));
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(-EIO, op.ret);
}

TEST_F(goes, r1_nonblocking_read_is_eio)
{
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	EXPECT_EQ(-EIO, read_event(self->fd));
}

TEST_F(goes, r1_poll_has_err)
{
	EXPECT_EQ(POLLERR, poll_now(self->fd, POLLIN) & POLLERR);
}

TEST_F(goes, r1_and_comes_back)
{
	EXPECT_EQ(POLLERR, poll_now(self->fd, POLLIN) & POLLERR);
	ASSERT_EQ(0, uiot_do(&self->dev, "irq custom"));
	EXPECT_EQ(0, poll_now(self->fd, POLLIN));
	wakes_by_event(_metadata, &self->dev, self->fd, "notify", uiot_op_read, 4);
}

/* An interrupt that read info->irq just before the change must not undo it. */
TEST_F(goes, c4_an_interrupt_at_the_same_time)
{
	char command[32];

	snprintf(command, sizeof(command), "storm %d", self->fd);
	EXPECT_EQ(0, uiot_do(&self->dev, command)) {
		TH_LOG("poll() still reports a device with events");
	}
}

/* A poll() that read info->irq just before the change must not undo it. */
TEST_F(goes, c10_a_poll_at_the_same_time)
{
	char command[32];
	int ret;

	snprintf(command, sizeof(command), "stale %d", self->fd);
	ret = uiot_do(&self->dev, command);
	if (ret == -EOPNOTSUPP)
		SKIP(return, "needs x86 and two CPUs");
	EXPECT_EQ(0, ret) {
		TH_LOG("poll() reports an event, and no error");
	}
}

/*
 * The driver notifies from its interrupt handler. On PREEMPT_RT this is a thread. A handler
 * that asks for a hard interrupt even there can call neither mainline's core nor this one:
 * both take the locks of wait queues, which sleep there.
 */
FIXTURE(handler)
{
	struct uiot_dev dev;
	int fd;
};

FIXTURE_VARIANT(handler)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(handler, legacy) { .options = "" };
FIXTURE_VARIANT_ADD(handler, context) { .options = "ctx" };

FIXTURE_SETUP(handler)
{
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
}

FIXTURE_TEARDOWN(handler)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(handler, wakes_read)
{
	wakes_by_event(_metadata, &self->dev, self->fd, "notify-irq", uiot_op_read, 4);
}

TEST_F(handler, wakes_poll)
{
	wakes_by_event(_metadata, &self->dev, self->fd, "notify-irq", uiot_op_poll, 1);
}

TEST_F(handler, wakes_epoll)
{
	wakes_by_event(_metadata, &self->dev, self->fd, "notify-irq", uiot_op_epoll, 1);
}

TEST_F(handler, sends_a_signal)
{
	uiot_sigio_block();
	ASSERT_EQ(0, uiot_sigio_on(self->fd));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify-irq"));
	EXPECT_EQ(POLL_IN, uiot_sigio_wait(UIOT_SOON_MS));
	EXPECT_EQ(4, read_event(self->fd));
}

/* What poll() returns for a live device without an interrupt, as on mainline. */
static int no_irq_events(void)
{
	struct utsname name;
	int major, minor;

	if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		return -1;
	return major * 100 + minor < 702 ? POLLIN | POLLPRI | POLLERR | POLLHUP :
					   POLLERR;
}

TEST(r7_poll_without_interrupt)
{
	struct uiot_dev dev;
	int fd;

	UIOT_SETUP(&dev, "irq=none");
	UIOT_OPEN(fd, &dev);
	EXPECT_EQ(no_irq_events(), poll_now(fd, POLLIN | POLLPRI));
	close(fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_HARNESS_MAIN
