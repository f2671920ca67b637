// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: events, sysfs files and all else of a live device except its memory, which has
 * uio_live_map_test.c. These tests also pass on mainline: existing users of UIO must not
 * notice a difference.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

static void *bad_address(void)
{
	return mmap(NULL, uiot_page(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
}

static int read_event(int fd, __s32 *event)
{
	ssize_t n = read(fd, event, sizeof(*event));

	return n < 0 ? -errno : n;
}

static int write_irq(int fd, __s32 on)
{
	ssize_t n = write(fd, &on, sizeof(on));

	return n < 0 ? -errno : n;
}

static bool poll_in(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1 && pfd.revents == POLLIN;
}

/* A device with one page of memory and events from the driver. */
FIXTURE(event)
{
	struct uiot_dev dev;
	int fd;
};

FIXTURE_SETUP(event)
{
	UIOT_SETUP(&self->dev, "mem=virtual:1");
	UIOT_OPEN(self->fd, &self->dev);
}

FIXTURE_TEARDOWN(event)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(event, open_and_close_reach_the_driver)
{
	int fd = uiot_open(&self->dev, O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(2, uiot_count(&self->dev, "opens"));
	close(fd);
	EXPECT_EQ(1, uiot_count(&self->dev, "releases"));
}

TEST_F(event, open_error_of_the_driver_is_returned)
{
	ASSERT_EQ(0, uiot_set(&self->dev, "open_errno", EPERM));
	EXPECT_EQ(-EPERM, uiot_open(&self->dev, O_RDWR));
	EXPECT_EQ(1, uiot_module_refs("uio_test"));
	EXPECT_EQ(0, uiot_count(&self->dev, "releases"));
}

TEST_F(event, open_file_pins_the_driver)
{
	EXPECT_EQ(1, uiot_module_refs("uio_test"));
	EXPECT_EQ(-EAGAIN, uiot_module_remove("uio_test"));
	close(self->fd);
	EXPECT_EQ(0, uiot_module_refs("uio_test"));
}

TEST_F(event, read_gives_event_count)
{
	__s32 event = 0;

	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(4, read_event(self->fd, &event));
	EXPECT_EQ(1, event);
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(4, read_event(self->fd, &event));
	EXPECT_EQ(3, event);
}

TEST_F(event, read_blocks_until_event)
{
	struct uiot_op op = { .fn = uiot_op_read, .fd = self->fd };

	ASSERT_EQ(0, uiot_start(&op));
	ASSERT_EQ(0, uiot_wait_asleep(&op));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(4, op.ret);
}

TEST_F(event, read_of_wrong_size_is_einval)
{
	char buf[8];

	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(-1, read(self->fd, buf, 8));
	UIOT_EXPECT_ERRNO(EINVAL);
	EXPECT_EQ(-1, read(self->fd, buf, 2));
	UIOT_EXPECT_ERRNO(EINVAL);
	EXPECT_EQ(-1, read(self->fd, buf, 0));
	UIOT_EXPECT_ERRNO(EINVAL);
}

TEST_F(event, read_to_bad_address_keeps_the_event)
{
	__s32 event;

	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(-1, read(self->fd, bad_address(), 4));
	UIOT_EXPECT_ERRNO(EFAULT);
	EXPECT_EQ(4, read_event(self->fd, &event));
}

TEST_F(event, nonblocking_read_is_eagain)
{
	int fd = uiot_open(&self->dev, O_RDWR | O_NONBLOCK);
	__s32 event;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EAGAIN, read_event(fd, &event));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(4, read_event(fd, &event));
	EXPECT_EQ(-EAGAIN, read_event(fd, &event));
	close(fd);
}

static void on_signal(int sig)
{
	(void)sig;
}

TEST_F(event, signal_interrupts_read)
{
	struct uiot_op op = { .fn = uiot_op_read, .fd = self->fd };
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &sa, NULL);
	ASSERT_EQ(0, uiot_start(&op));
	ASSERT_EQ(0, uiot_wait_asleep(&op));
	pthread_kill(op.thread, SIGUSR1);
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(-EINTR, op.ret);
}

TEST_F(event, event_before_open_is_not_seen)
{
	__s32 event;
	int fd;

	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	fd = uiot_open(&self->dev, O_RDWR | O_NONBLOCK);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EAGAIN, read_event(fd, &event));
	close(fd);
}

TEST_F(event, each_file_has_its_own_count)
{
	int fd = uiot_open(&self->dev, O_RDWR);
	__s32 event;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(4, read_event(fd, &event));
	EXPECT_FALSE(poll_in(fd, 0));
	EXPECT_TRUE(poll_in(self->fd, 0));
	EXPECT_EQ(4, read_event(self->fd, &event));
	EXPECT_EQ(1, event);
	close(fd);
}

TEST_F(event, poll_tells_of_event)
{
	__s32 event;

	EXPECT_FALSE(poll_in(self->fd, 0));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_TRUE(poll_in(self->fd, 0));
	EXPECT_EQ(4, read_event(self->fd, &event));
	EXPECT_FALSE(poll_in(self->fd, 0));
}

TEST_F(event, fasync_sends_poll_in)
{
	ASSERT_EQ(0, uiot_sigio_on(self->fd));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(POLL_IN, uiot_sigio_wait(UIOT_SOON_MS));
}

TEST_F(event, fasync_can_be_switched_off)
{
	ASSERT_EQ(0, uiot_sigio_on(self->fd));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(-EAGAIN, uiot_sigio_wait(UIOT_WHILE_MS));
}

TEST_F(event, write_reaches_irqcontrol)
{
	EXPECT_EQ(4, write_irq(self->fd, 1));
	EXPECT_EQ(1, uiot_count(&self->dev, "irq_on"));
	EXPECT_EQ(4, write_irq(self->fd, 0));
	EXPECT_EQ(0, uiot_count(&self->dev, "irq_on"));
	EXPECT_EQ(2, uiot_count(&self->dev, "irqcontrols"));
}

TEST_F(event, write_of_wrong_size_is_einval)
{
	EXPECT_EQ(-1, write(self->fd, "12345678", 8));
	UIOT_EXPECT_ERRNO(EINVAL);
	EXPECT_EQ(-1, write(self->fd, "1", 1));
	UIOT_EXPECT_ERRNO(EINVAL);
	EXPECT_EQ(0, uiot_count(&self->dev, "irqcontrols"));
}

TEST_F(event, write_from_bad_address_is_efault)
{
	EXPECT_EQ(-1, write(self->fd, bad_address(), 4));
	UIOT_EXPECT_ERRNO(EFAULT);
}

TEST_F(event, write_error_of_the_driver_is_returned)
{
	ASSERT_EQ(0, uiot_set(&self->dev, "irqcontrol_errno", ERANGE));
	EXPECT_EQ(-ERANGE, write_irq(self->fd, 1));
}

TEST_F(event, end_of_events_fails_read_and_write)
{
	__s32 event;

	ASSERT_EQ(0, uiot_do(&self->dev, "noirq"));
	EXPECT_EQ(-EIO, read_event(self->fd, &event));
	EXPECT_EQ(-EIO, write_irq(self->fd, 1));
}

TEST_F(event, lseek_does_nothing)
{
	EXPECT_EQ(0, lseek(self->fd, 4096, SEEK_SET));
}

TEST_F(event, ioctl_is_enotty)
{
	EXPECT_EQ(-1, ioctl(self->fd, 0x5501, 0));
	UIOT_EXPECT_ERRNO(ENOTTY);
}

TEST_F(event, unregister_without_files_frees_at_once)
{
	close(self->fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(1, uiot_count(&self->dev, "frees"));
	EXPECT_EQ(-ENOENT, uiot_open(&self->dev, O_RDWR));
}

TEST_F(event, minor_is_used_again)
{
	struct uiot_dev next;

	close(self->fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_create(&next, ""));
	EXPECT_STREQ(self->dev.node, next.node);
}

TEST_F(event, register_again_after_unregister)
{
	close(self->fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister keep"));
	ASSERT_EQ(0, uiot_do(&self->dev, "register"));
	UIOT_OPEN(self->fd, &self->dev);
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_TRUE(poll_in(self->fd, 0));
}

/* Each call that can sleep, and what wakes it. */
FIXTURE(sleeper)
{
	struct uiot_dev dev;
	int fd;
};

FIXTURE_VARIANT(sleeper)
{
	long (*fn)(struct uiot_op *op);
};

FIXTURE_VARIANT_ADD(sleeper, poll) { .fn = uiot_op_poll };
FIXTURE_VARIANT_ADD(sleeper, select) { .fn = uiot_op_select };
FIXTURE_VARIANT_ADD(sleeper, epoll) { .fn = uiot_op_epoll };
FIXTURE_VARIANT_ADD(sleeper, edge) { .fn = uiot_op_edge };
FIXTURE_VARIANT_ADD(sleeper, uring) { .fn = uiot_op_uring };

FIXTURE_SETUP(sleeper)
{
	UIOT_SETUP(&self->dev, "");
	UIOT_OPEN(self->fd, &self->dev);
}

FIXTURE_TEARDOWN(sleeper)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(sleeper, event_wakes)
{
	struct uiot_op op = { .fn = variant->fn, .fd = self->fd };

	ASSERT_EQ(0, uiot_start(&op));
	ASSERT_EQ(0, uiot_wait_asleep(&op));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(1, op.ret);
	EXPECT_EQ(POLLIN, op.events);
}

/* A device with special ways of getting events. */
FIXTURE(irq)
{
	struct uiot_dev dev;
};

FIXTURE_SETUP(irq)
{
	UIOT_NEED(uiot_reset());
}

FIXTURE_TEARDOWN(irq)
{
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(irq, real_interrupt_is_an_event)
{
	__s32 event = 0;
	int fd;

	ASSERT_EQ(0, uiot_create(&self->dev, "irq=real"));
	fd = uiot_open(&self->dev, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "interrupt"));
	ASSERT_TRUE(poll_in(fd, UIOT_SOON_MS));
	EXPECT_EQ(4, read_event(fd, &event));
	EXPECT_EQ(1, event);
	EXPECT_EQ(1, uiot_count(&self->dev, "interrupts"));
}

TEST_F(irq, real_interrupt_wakes_read)
{
	struct uiot_op op = { .fn = uiot_op_read };

	ASSERT_EQ(0, uiot_create(&self->dev, "irq=real"));
	op.fd = uiot_open(&self->dev, O_RDWR);
	ASSERT_LE(0, op.fd);
	ASSERT_EQ(0, uiot_start(&op));
	ASSERT_EQ(0, uiot_wait_asleep(&op));
	ASSERT_EQ(0, uiot_do(&self->dev, "interrupt"));
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(4, op.ret);
}

TEST_F(irq, interrupt_line_is_free_after_unregister)
{
	ASSERT_EQ(0, uiot_create(&self->dev, "irq=real"));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	/* nobody handles this interrupt: it must not reach the freed driver */
	uiot_do(&self->dev, "interrupt");
	EXPECT_EQ(0, uiot_count(&self->dev, "interrupts"));
}

TEST_F(irq, without_interrupt_read_poll_and_write_fail)
{
	struct pollfd pfd = { .events = POLLIN };
	__s32 event;
	int fd;

	ASSERT_EQ(0, uiot_create(&self->dev, "irq=none"));
	fd = uiot_open(&self->dev, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EIO, read_event(fd, &event));
	EXPECT_EQ(-EIO, write_irq(fd, 1));
	pfd.fd = fd;
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_TRUE(pfd.revents & POLLERR);
}

TEST_F(irq, without_irqcontrol_write_is_enosys)
{
	int fd;

	ASSERT_EQ(0, uiot_create(&self->dev, "noirqcontrol"));
	fd = uiot_open(&self->dev, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOSYS, write_irq(fd, 1));
}

TEST_F(irq, devm_registration_ends_with_the_parent)
{
	ASSERT_EQ(0, uiot_create(&self->dev, "devm mem=virtual:1"));
	EXPECT_EQ(0, access(self->dev.node, F_OK));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(-1, access(self->dev.node, F_OK));
	EXPECT_EQ(1, uiot_count(&self->dev, "frees"));
}

TEST_F(irq, devm_registration_works)
{
	__s32 event;
	int fd;

	ASSERT_EQ(0, uiot_create(&self->dev, "devm irq=custom"));
	fd = uiot_open(&self->dev, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(4, read_event(fd, &event));
}

/* Files in sysfs. */
FIXTURE(sysfs)
{
	struct uiot_dev dev;
	char buf[256];
};

FIXTURE_SETUP(sysfs)
{
	UIOT_SETUP(&self->dev, "mem=phys:2 mem=virtual:1 ports");
}

FIXTURE_TEARDOWN(sysfs)
{
	EXPECT_EQ(0, uiot_reset());
}

#define EXPECT_SYSFS(_file, _value) do {					\
	EXPECT_EQ(0, uiot_sysfs(&self->dev, _file, self->buf,			\
				sizeof(self->buf)));				\
	EXPECT_STREQ(_value, self->buf);					\
} while (0)

/* how many digits it has depends on the machine */
#define EXPECT_SYSFS_NUMBER(_file, _value) do {					\
	EXPECT_EQ(0, uiot_sysfs(&self->dev, _file, self->buf,			\
				sizeof(self->buf)));				\
	EXPECT_EQ(0, strncmp(self->buf, "0x", 2));				\
	EXPECT_EQ(_value, strtoull(self->buf, NULL, 16));			\
} while (0)

TEST_F(sysfs, name_and_version)
{
	EXPECT_SYSFS("name", self->dev.name);
	EXPECT_SYSFS("version", "1.0");
}

TEST_F(sysfs, event_counts)
{
	EXPECT_SYSFS("event", "0");
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_SYSFS("event", "1");
}

TEST_F(sysfs, dev_is_the_node)
{
	struct stat st;
	char want[32];

	ASSERT_EQ(0, stat(self->dev.node, &st));
	snprintf(want, sizeof(want), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	EXPECT_SYSFS("dev", want);
}

TEST_F(sysfs, maps)
{
	EXPECT_SYSFS("maps/map0/name", "region0");
	EXPECT_SYSFS_NUMBER("maps/map0/size", 2 * uiot_page());
	EXPECT_SYSFS("maps/map0/offset", "0x0");
	EXPECT_SYSFS("maps/map1/name", "");
	EXPECT_SYSFS_NUMBER("maps/map1/size", uiot_page());
	EXPECT_SYSFS("maps/map1/offset", "0x10");
	EXPECT_EQ(-ENOENT, uiot_sysfs_open(&self->dev, "maps/map2/name"));
}

TEST_F(sysfs, map_address)
{
	unsigned long long addr;
	char again[32];

	ASSERT_EQ(0, uiot_sysfs(&self->dev, "maps/map0/addr", self->buf,
				sizeof(self->buf)));
	addr = strtoull(self->buf, NULL, 0);
	EXPECT_NE(0, addr);
	EXPECT_EQ(0, addr % uiot_page());
	snprintf(again, sizeof(again), "0x%0*llx", (int)strlen(self->buf) - 2, addr);
	EXPECT_STREQ(again, self->buf);
}

TEST_F(sysfs, ports)
{
	EXPECT_SYSFS("portio/port0/name", "port");
	EXPECT_SYSFS("portio/port0/start", "0x300");
	EXPECT_SYSFS("portio/port0/size", "0x8");
	EXPECT_SYSFS("portio/port0/porttype", "port_x86");
	EXPECT_SYSFS("portio/port1/name", "");
	EXPECT_SYSFS("portio/port1/start", "0x1000");
	EXPECT_SYSFS("portio/port1/size", "0x20");
	EXPECT_SYSFS("portio/port1/porttype", "port_gpio");
	EXPECT_EQ(-EINVAL, uiot_sysfs(&self->dev, "portio/port2/porttype", self->buf,
				      sizeof(self->buf)));
}

TEST_F(sysfs, no_directories_without_regions)
{
	struct uiot_dev bare;

	ASSERT_EQ(0, uiot_create(&bare, ""));
	EXPECT_EQ(-ENOENT, uiot_sysfs_open(&bare, "maps"));
	EXPECT_EQ(-ENOENT, uiot_sysfs_open(&bare, "portio"));
}

TEST_F(sysfs, all_of_it_goes_with_the_device)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(-ENOENT, uiot_sysfs_open(&self->dev, "name"));
	EXPECT_EQ(-ENOENT, uiot_sysfs_open(&self->dev, "maps/map0/name"));
}

TEST_HARNESS_MAIN
