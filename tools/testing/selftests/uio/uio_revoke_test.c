// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: UIO_IOC_REVOKE revokes one open file. Other files do not notice.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/uio_device.h>
#include "kselftest_harness.h"
#include "uio_testlib.h"

#define PAGES		4

/* Two open files, each with a mapping. Page 0 of each is present. */
FIXTURE(file)
{
	struct uiot_dev dev;
	size_t page;
	int fd, other;
	void *p, *other_p;
};

FIXTURE_VARIANT(file)
{
	const char *options;
	bool kept;		/* uio_revoke_device() leaves present pages mapped */
};

#define FILE_OF(_name, _options, _kept)					\
	FIXTURE_VARIANT_ADD(file, _name) {				\
		.options = _options, .kept = _kept,			\
	}

FILE_OF(legacy_phys, "mem=phys:4", false);
FILE_OF(legacy_iova, "mem=iova:4", false);
FILE_OF(legacy_dma, "mem=dma:4", false);
FILE_OF(legacy_logical, "mem=logical:4", false);
FILE_OF(legacy_virtual, "mem=virtual:4", false);
FILE_OF(phys, "ctx mem=phys:4", false);
FILE_OF(iova, "ctx mem=iova:4", false);
FILE_OF(dma, "ctx mem=dma:4", false);
FILE_OF(logical, "ctx mem=logical:4", true);
FILE_OF(virtual, "ctx mem=virtual:4", true);
FILE_OF(fault, "ctx mem=context:4", true);
FILE_OF(slab, "ctx mem=slab:4", true);
FILE_OF(block, "ctx mem=block:4", true);
FILE_OF(own_mmap, "mmap mem=virtual:4", false);
FILE_OF(own_counted, "mmap counted mem=virtual:4", true);

static void *map(int fd)
{
	return uiot_map(fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static int has_page(void *p, int page)
{
	__u32 word = 0;
	int sig = uiot_load_word(p + page * uiot_page(), &word);

	return sig ? sig : word != UIOT_WORD(0, page);
}

static int revoke_file(int fd)
{
	return ioctl(fd, UIO_IOC_REVOKE, 0) ? -errno : 0;
}

#define ASSERT_REVOKE(_fd) do {						\
	int _ret = revoke_file(_fd);					\
	ASSERT_EQ(0, _ret) {						\
		TH_LOG("%s", strerrorname_np(-_ret));			\
	}								\
} while (0)

FIXTURE_SETUP(file)
{
	self->page = uiot_page();
	UIOT_SETUP(&self->dev, variant->options);
	self->fd = uiot_open(&self->dev, O_RDWR | O_NONBLOCK);
	self->other = uiot_open(&self->dev, O_RDWR | O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->other);
	self->p = map(self->fd);
	self->other_p = map(self->other);
	ASSERT_NE(MAP_FAIL, self->p);
	ASSERT_NE(MAP_FAIL, self->other_p);
	ASSERT_EQ(0, has_page(self->p, 0));
	ASSERT_EQ(0, has_page(self->other_p, 0));
}

FIXTURE_TEARDOWN(file)
{
	munmap(self->p, PAGES * self->page);
	munmap(self->other_p, PAGES * self->page);
	close(self->fd);
	close(self->other);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(file, present_page_is_gone)
{
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(SIGBUS, has_page(self->p, 0));
}

TEST_F(file, absent_page_is_gone)
{
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(SIGBUS, has_page(self->p, 1));
}

/* Not even for a page that is unmapped at once: another thread could read it. */
TEST_F(file, driver_is_not_asked_for_a_page)
{
	long faults;

	ASSERT_REVOKE(self->fd);
	faults = uiot_count(&self->dev, "faults");
	EXPECT_EQ(SIGBUS, has_page(self->p, 0));
	EXPECT_EQ(SIGBUS, has_page(self->p, 1));
	EXPECT_EQ(faults, uiot_count(&self->dev, "faults"));
}

/* When there are too many files, a file is revoked whole or, with ENOSPC, not at all. */
TEST_F(file, r9_one_of_many_files)
{
	static int fds[UIOT_MANY_FILES];
	void *p = NULL;
	int i, ret;

	for (i = 0; i < UIOT_MANY_FILES; i++) {
		UIOT_OPEN(fds[i], &self->dev);
		p = map(fds[i]);
		ASSERT_NE(MAP_FAIL, p);
	}
	ASSERT_EQ(0, has_page(p, 0));
	ret = revoke_file(fds[UIOT_MANY_FILES - 1]);
	if (ret)
		EXPECT_EQ(-ENOSPC, ret);
	EXPECT_EQ(ret ? 0 : SIGBUS, has_page(p, 0));
	EXPECT_EQ(0, has_page(self->other_p, 0));

	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(SIGBUS, has_page(self->p, 0));
	EXPECT_EQ(ret ? 0 : SIGBUS, has_page(p, 0));
	EXPECT_EQ(0, has_page(self->other_p, 0));
	while (i--)
		close(fds[i]);
}

/* The same with as many bits as this machine has: the kernel says that all numbers are used. */
TEST(r9_file_without_a_number_of_its_own)
{
	struct uiot_op mapper = { .fn = uiot_op_mmap, .thread_name = UIOT_STEP };
	struct uiot_dev dev;

	UIOT_SETUP(&dev, "ctx mem=phys:1");
	UIOT_OPEN(mapper.fd, &dev);
	ASSERT_EQ(0, uiot_step_fail("__xa_alloc"));
	ASSERT_EQ(0, uiot_start(&mapper));
	ASSERT_EQ(0, uiot_join(&mapper, UIOT_SOON_MS));
	uiot_step_end();
	ASSERT_EQ(0, mapper.ret);
	EXPECT_EQ(0, has_page(mapper.addr, 0));
	EXPECT_EQ(-ENOSPC, revoke_file(mapper.fd));
	EXPECT_EQ(0, has_page(mapper.addr, 0));
	ASSERT_EQ(0, uiot_do(&dev, "unregister"));
	EXPECT_EQ(SIGBUS, has_page(mapper.addr, 0));
	munmap(mapper.addr, uiot_page());
	close(mapper.fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(file, others_keep_their_pages)
{
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(0, has_page(self->other_p, 0));
	EXPECT_EQ(0, has_page(self->other_p, 1));
}

static int check_gone(void *arg, int what)
{
	return has_page(arg, what) == SIGBUS ? 0 : -EEXIST;
}

TEST_F(file, forked_mapping_is_gone)
{
	struct uiot_child child;

	ASSERT_EQ(0, uiot_child_start(&child, check_gone, self->p));
	ASSERT_EQ(-EEXIST, uiot_child_ask(&child, 0));
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(0, uiot_child_ask(&child, 0));
	EXPECT_EQ(0, uiot_child_ask(&child, 1));
	EXPECT_EQ(0, uiot_child_end(&child));
}

TEST_F(file, moved_mapping_is_gone)
{
	void *p = uiot_move(self->p, PAGES);

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, has_page(p, 0));
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(SIGBUS, has_page(p, 0));
	munmap(p, PAGES * self->page);
}

TEST_F(file, split_mapping_is_gone)
{
	ASSERT_EQ(0, munmap(self->p + self->page, self->page));
	ASSERT_EQ(0, has_page(self->p, 2));
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(SIGBUS, has_page(self->p, 0));
	EXPECT_EQ(SIGBUS, has_page(self->p, 2));
}

TEST_F(file, copy_of_the_descriptor_is_revoked)
{
	int copy = dup(self->fd);
	__s32 count;

	ASSERT_LE(0, copy);
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(-1, read(copy, &count, sizeof(count)));
	UIOT_EXPECT_ERRNO(ENODEV);
	close(copy);
}

TEST_F(file, proc_mem_is_refused)
{
	int mem = open("/proc/self/mem", O_RDONLY);
	__u32 word;

	ASSERT_LE(0, mem);
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(-1, pread(mem, &word, sizeof(word), (off_t)(uintptr_t)self->p));
	UIOT_EXPECT_ERRNO(EIO);
	close(mem);
}

TEST_F(file, system_call_is_refused_the_address)
{
	int pipe_fd[2];

	ASSERT_EQ(0, pipe(pipe_fd));
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(-1, write(pipe_fd[1], self->p, 4));
	UIOT_EXPECT_ERRNO(EFAULT);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

TEST_F(file, after_the_device_others_keep_what_they_have)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(SIGBUS, has_page(self->p, 0));
	EXPECT_EQ(variant->kept ? 0 : SIGBUS, has_page(self->other_p, 0));
}

TEST_F(file, slot_is_used_again)
{
	ASSERT_REVOKE(self->fd);
	munmap(self->p, PAGES * self->page);
	close(self->fd);

	self->fd = uiot_open(&self->dev, O_RDWR | O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	self->p = map(self->fd);
	ASSERT_NE(MAP_FAIL, self->p);
	EXPECT_EQ(0, has_page(self->p, 0));
	ASSERT_REVOKE(self->other);
	EXPECT_EQ(0, has_page(self->p, 0));
	EXPECT_EQ(SIGBUS, has_page(self->other_p, 0));
}

/* Calls that need no memory. */
FIXTURE(call)
{
	struct uiot_dev dev;
	int fd, other;
};

FIXTURE_VARIANT(call)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(call, legacy) { .options = "mem=virtual:1", };
FIXTURE_VARIANT_ADD(call, context) { .options = "ctx mem=virtual:1", };

FIXTURE_SETUP(call)
{
	UIOT_SETUP(&self->dev, variant->options);
	self->fd = uiot_open(&self->dev, O_RDWR);
	self->other = uiot_open(&self->dev, O_RDWR);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->other);
}

FIXTURE_TEARDOWN(call)
{
	close(self->fd);
	close(self->other);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(call, read_write_and_mmap_give_enodev)
{
	__s32 count = 1;

	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(-1, read(self->fd, &count, sizeof(count)));
	UIOT_EXPECT_ERRNO(ENODEV);
	EXPECT_EQ(-1, write(self->fd, &count, sizeof(count)));
	UIOT_EXPECT_ERRNO(ENODEV);
	EXPECT_EQ(MAP_FAIL, uiot_map(self->fd, 0, 1, PROT_READ, MAP_SHARED));
	UIOT_EXPECT_ERRNO(ENODEV);
	EXPECT_EQ(0, uiot_count(&self->dev, "irqcontrols"));
}

TEST_F(call, the_same_when_the_device_is_gone_as_well)
{
	__s32 count = 1;

	ASSERT_REVOKE(self->fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(-1, read(self->fd, &count, sizeof(count)));
	UIOT_EXPECT_ERRNO(ENODEV);
	EXPECT_EQ(-1, read(self->other, &count, sizeof(count)));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F(call, event_that_was_not_read_is_gone)
{
	__s32 count;

	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(-1, read(self->fd, &count, sizeof(count)));
	UIOT_EXPECT_ERRNO(ENODEV);
}

TEST_F(call, poll_has_hup_and_err)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };

	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	UIOT_EXPECT_HANGUP(pfd.revents);
	EXPECT_EQ(0, pfd.revents & ~(POLLHUP | POLLERR));
}

TEST_F(call, no_more_signals)
{
	ASSERT_EQ(0, uiot_sigio_on(self->fd));
	ASSERT_REVOKE(self->fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(-EAGAIN, uiot_sigio_wait(UIOT_WHILE_MS));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(-EAGAIN, uiot_sigio_wait(UIOT_WHILE_MS));
	EXPECT_EQ(-ENODEV, uiot_sigio_on(self->fd));
}

TEST_F(call, others_get_their_signals)
{
	ASSERT_EQ(0, uiot_sigio_on(self->other));
	ASSERT_REVOKE(self->fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(POLL_IN, uiot_sigio_wait(UIOT_SOON_MS));
}

static void blocked_wakes(struct __test_metadata *_metadata, int fd,
			  long (*fn)(struct uiot_op *op), long ret,
			  unsigned int events)
{
	struct uiot_op *op = uiot_op_alloc();

	ASSERT_NE(NULL, op);
	op->fn = fn;
	op->fd = fd;
	ASSERT_EQ(0, uiot_start(op));
	ASSERT_EQ(0, uiot_wait_asleep(op));
	ASSERT_REVOKE(fd);
	ASSERT_EQ(0, uiot_join(op, UIOT_SOON_MS));
	EXPECT_EQ(ret, op->ret);
	EXPECT_EQ(events, op->events);
}

TEST_F(call, blocked_read_wakes)
{
	blocked_wakes(_metadata, self->fd, uiot_op_read, -ENODEV, 0);
}

TEST_F(call, blocked_poll_wakes)
{
	blocked_wakes(_metadata, self->fd, uiot_op_poll, 1, POLLHUP | POLLERR);
}

TEST_F(call, blocked_epoll_wakes)
{
	blocked_wakes(_metadata, self->fd, uiot_op_epoll, 1, POLLHUP | POLLERR);
}

/* A waiter on another file of the device is first in the queue. */
TEST_F(call, exclusive_waiter_wakes)
{
	struct uiot_op *other = uiot_op_alloc();

	ASSERT_NE(NULL, other);
	other->fn = uiot_op_exclusive;
	other->fd = self->other;
	ASSERT_EQ(0, uiot_start(other));
	ASSERT_EQ(0, uiot_wait_asleep(other));

	blocked_wakes(_metadata, self->fd, uiot_op_exclusive, 1, POLLHUP | POLLERR);
	EXPECT_FALSE(other->done);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(0, uiot_join(other, UIOT_SOON_MS));
}

TEST_F(call, others_go_on)
{
	struct uiot_dev *dev = &self->dev;
	__s32 count = 0;
	int fd;

	ASSERT_REVOKE(self->fd);
	ASSERT_EQ(0, uiot_do(dev, "notify"));
	EXPECT_EQ(4, read(self->other, &count, sizeof(count)));
	EXPECT_EQ(1, count);
	EXPECT_EQ(4, write(self->other, &count, sizeof(count)));

	fd = uiot_open(dev, O_RDWR);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(call, release_is_called_once)
{
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(0, uiot_count(&self->dev, "releases"));
	close(self->fd);
	EXPECT_TRUE(uiot_count_becomes(&self->dev, "releases", 1));
	self->fd = -1;
}

TEST_F(call, second_time_gives_enodev)
{
	ASSERT_REVOKE(self->fd);
	EXPECT_EQ(-ENODEV, revoke_file(self->fd));
}

TEST_F(call, argument_and_request_are_checked)
{
	EXPECT_EQ(-1, ioctl(self->fd, UIO_IOC_REVOKE, 1));
	UIOT_EXPECT_ERRNO(EINVAL);
	EXPECT_EQ(-1, ioctl(self->fd, _IO('u', 0x51), 0));
	UIOT_EXPECT_ERRNO(ENOTTY);
}

/*
 * Calls that are on their way to the driver, or to the list of files that get signals. Once
 * the ioctl has returned, none of them gets there for the revoked file.
 */
static long op_revoke(struct uiot_op *op)
{
	return ioctl(op->fd, UIO_IOC_REVOKE, 0);
}

/* The write waits for its turn, because the driver is busy with another file's write. */
TEST(c3_write_that_waits_for_its_turn)
{
	struct uiot_op first = { .fn = uiot_op_write }, second = first;
	struct uiot_op revoker = { .fn = op_revoke };
	struct uiot_dev dev;

	UIOT_SETUP(&dev, "");
	UIOT_OPEN(first.fd, &dev);
	UIOT_OPEN(second.fd, &dev);
	revoker.fd = second.fd;
	ASSERT_EQ(0, uiot_do(&dev, "stall irqcontrol"));
	ASSERT_EQ(0, uiot_start(&first));
	ASSERT_TRUE(uiot_count_becomes(&dev, "inside", 1));
	ASSERT_EQ(0, uiot_start(&second));
	ASSERT_EQ(0, uiot_wait_asleep(&second));

	ASSERT_EQ(0, uiot_start(&revoker));
	EXPECT_EQ(0, uiot_join(&revoker, UIOT_SOON_MS));
	EXPECT_EQ(0, revoker.ret);
	EXPECT_EQ(1, uiot_count(&dev, "inside"));
	EXPECT_FALSE(second.done);
	ASSERT_EQ(0, uiot_do(&dev, "resume"));
	ASSERT_EQ(0, uiot_join(&first, UIOT_SOON_MS));
	ASSERT_EQ(0, uiot_join(&second, UIOT_SOON_MS));
	EXPECT_EQ(4, first.ret);
	EXPECT_EQ(-ENODEV, second.ret);
	EXPECT_EQ(1, uiot_count(&dev, "irqcontrols"));
	close(first.fd);
	close(second.fd);
	EXPECT_EQ(0, uiot_reset());
}

static long write_from_addr(struct uiot_op *op)
{
	return write(op->fd, op->addr, sizeof(__s32));
}

/* The argument is a page of another device. A child writes, because it may lock its mm. */
TEST_F(call, c3_write_that_waits_for_its_argument)
{
	struct uiot_op *writer = uiot_op_alloc();
	struct uiot_op revoker = { .fn = op_revoke, .fd = self->fd };
	struct uiot_dev memory;
	int fd;

	ASSERT_NE(MAP_FAIL, writer);
	ASSERT_EQ(0, uiot_create(&memory, "ctx mem=context:1"));
	UIOT_OPEN(fd, &memory);
	writer->fn = write_from_addr;
	writer->in_child = true;
	writer->fd = self->fd;
	writer->addr = uiot_map(fd, 0, 1, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, writer->addr);
	ASSERT_EQ(0, uiot_do(&memory, "stall fault"));
	ASSERT_EQ(0, uiot_start(writer));
	ASSERT_TRUE(uiot_count_becomes(&memory, "inside", 1));

	ASSERT_EQ(0, uiot_start(&revoker));
	EXPECT_EQ(0, uiot_join(&revoker, UIOT_SOON_MS));
	EXPECT_EQ(0, revoker.ret);
	EXPECT_EQ(1, uiot_count(&memory, "inside"));
	ASSERT_EQ(0, uiot_do(&memory, "resume"));
	ASSERT_EQ(0, uiot_join(writer, UIOT_SOON_MS));
	EXPECT_EQ(-ENODEV, writer->ret);
	EXPECT_EQ(0, uiot_count(&self->dev, "irqcontrols"));
	munmap(writer->addr, uiot_page());
	close(fd);
}

static long op_sigio_on(struct uiot_op *op)
{
	return uiot_sigio_on(op->fd);
}

static bool fasync_is_behind(void *arg)
{
	struct uiot_op *op = arg;

	return uiot_window_hits() == 2 || __atomic_load_n(&op->done, __ATOMIC_ACQUIRE);
}

/*
 * The ioctl waits for a call that puts the file on the list of files that get signals.
 * Otherwise, the file could get on this list after the ioctl has returned.
 */
static void check_fasync(struct __test_metadata *_metadata, const struct uiot_dev *dev,
			 int fd, bool after)
{
	struct uiot_op asker = { .fn = op_sigio_on, .fd = fd, .thread_name = UIOT_WINDOW };
	struct uiot_op revoker = { .fn = op_revoke, .fd = fd };
	int waited, early = -EAGAIN;
	bool held;

	uiot_sigio_block();
	ASSERT_EQ(0, uiot_window_arm(after));
	ASSERT_EQ(0, uiot_start(&asker));
	ASSERT_TRUE(uiot_window_hit());
	ASSERT_EQ(0, uiot_start(&revoker));
	uiot_wait_asleep(&revoker);
	waited = uiot_wait_done(&revoker, UIOT_WHILE_MS);
	held = !uiot_window_late();
	if (!after) {
		uiot_window_move();
		uiot_wait_until(fasync_is_behind, &asker, UIOT_SOON_MS);
	}
	if (!uiot_wait_done(&revoker, 0)) {
		uiot_do(dev, "notify");
		early = uiot_sigio_wait(UIOT_WHILE_MS);
	}

	held &= uiot_window_go();
	ASSERT_EQ(0, uiot_join(&revoker, UIOT_SOON_MS));
	ASSERT_EQ(0, uiot_do(dev, "notify"));
	EXPECT_EQ(-EAGAIN, uiot_sigio_wait(UIOT_WHILE_MS));
	ASSERT_EQ(0, uiot_join(&asker, UIOT_SOON_MS));
	UIOT_SKIP_IF_LATE(held);
	EXPECT_EQ(-ETIMEDOUT, waited);
	EXPECT_EQ(-EAGAIN, early);
	EXPECT_EQ(0, revoker.ret);
	ASSERT_EQ(0, uiot_do(dev, "unregister"));
	EXPECT_EQ(-EAGAIN, uiot_sigio_wait(UIOT_WHILE_MS));
}

TEST_F(call, c3_no_signals_for_who_was_about_to_ask)
{
	check_fasync(_metadata, &self->dev, self->fd, false);
}

TEST_F(call, c3_no_signals_for_who_had_just_asked)
{
	check_fasync(_metadata, &self->dev, self->fd, true);
}

TEST_HARNESS_MAIN
