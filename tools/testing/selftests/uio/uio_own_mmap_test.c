// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: a driver that maps its memory itself. The device, or a file, is taken away while mm is
 * between two of the driver's vm_operations, or in one of them. A C number in a test's name is
 * the number of a former bug of this core.
 */

#include <fcntl.h>
#include <linux/uio_device.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

/* Mainline's core can't do what the tests ask for, so they skip there. */
static int create_and_open(struct uiot_dev *dev, const char *options)
{
	int ret = uiot_create(dev, options);

	return ret ? ret : uiot_open(dev, O_RDWR);
}

static int revoke_file(int fd)
{
	return ioctl(fd, UIO_IOC_REVOKE, 0) ? -errno : 0;
}

static long op_store(struct uiot_op *op)
{
	return uiot_store_word(op->addr, 7);
}

/* The driver's fault handler waits. It gets the page, and must not leave it mapped. */
FIXTURE(fault)
{
	struct uiot_dev dev;
	struct uiot_op *toucher;
	int fd;
};

FIXTURE_VARIANT(fault)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(fault, plain) { .options = "mmap mem=virtual:1" };
FIXTURE_VARIANT_ADD(fault, locked) { .options = "mmap full mem=virtual:1" };
FIXTURE_VARIANT_ADD(fault, counted) { .options = "mmap counted mem=virtual:1" };

/* A child process touches, because a fault may hold the mmap_lock. */
FIXTURE_SETUP(fault)
{
	UIOT_SETUP(&self->dev, "ctx");
	self->fd = create_and_open(&self->dev, variant->options);
	ASSERT_LE(0, self->fd);
	self->toucher = uiot_op_alloc();
	ASSERT_NE(MAP_FAIL, self->toucher);
	self->toucher->in_child = true;
	self->toucher->addr = uiot_map(self->fd, 0, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, self->toucher->addr);
	ASSERT_EQ(0, uiot_do(&self->dev, "stall fault"));
}

FIXTURE_TEARDOWN(fault)
{
	uiot_do(&self->dev, "resume");
	munmap(self->toucher->addr, uiot_page());
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(fault, c3_file_is_revoked_meanwhile)
{
	__u32 word;

	self->toucher->fn = uiot_op_load;
	ASSERT_EQ(0, uiot_start(self->toucher));
	ASSERT_TRUE(uiot_count_becomes(&self->dev, "inside", 1));
	ASSERT_EQ(0, revoke_file(self->fd));
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	ASSERT_EQ(0, uiot_join(self->toucher, UIOT_SOON_MS));
	EXPECT_EQ(SIGBUS, self->toucher->ret);
	/* the driver is not asked again */
	EXPECT_EQ(SIGBUS, uiot_load_word(self->toucher->addr, &word));
	EXPECT_EQ(1, uiot_count(&self->dev, "faults"));
}

/* mm asks for the page, and then for leave to write to it. */
TEST(device_is_revoked_before_page_mkwrite)
{
	struct uiot_op *writer = uiot_op_alloc();
	struct uiot_dev dev;
	int fd;

	UIOT_SETUP(&dev, "ctx");
	fd = create_and_open(&dev, "mmap full mem=virtual:1");
	ASSERT_LE(0, fd);
	ASSERT_NE(MAP_FAIL, writer);
	writer->fn = op_store;
	writer->in_child = true;
	writer->addr = uiot_map(fd, 0, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, writer->addr);
	ASSERT_EQ(0, uiot_do(&dev, "stall fault"));
	ASSERT_EQ(0, uiot_start(writer));
	ASSERT_TRUE(uiot_count_becomes(&dev, "inside", 1));
	/* does not wait for the fault */
	ASSERT_EQ(0, uiot_do(&dev, "revoke"));
	ASSERT_EQ(0, uiot_do(&dev, "resume"));
	ASSERT_EQ(0, uiot_join(writer, UIOT_SOON_MS));
	EXPECT_EQ(SIGBUS, writer->ret);
	EXPECT_EQ(UIOT_WORD(0, 0), uiot_peek(&dev, 0, 0));
	munmap(writer->addr, uiot_page());
	close(fd);
	EXPECT_EQ(0, uiot_reset());
}

/* Nobody else tells the driver that the mmap() has failed. */
TEST(mmap_that_fails_is_closed)
{
	struct uiot_op *mapper = uiot_op_alloc();
	struct uiot_dev dev;
	int fd;

	UIOT_SETUP(&dev, "ctx");
	fd = create_and_open(&dev, "mmap counted mem=virtual:1");
	ASSERT_LE(0, fd);
	ASSERT_NE(MAP_FAIL, mapper);
	mapper->fn = uiot_op_mmap;
	mapper->in_child = true;
	mapper->fd = fd;
	ASSERT_EQ(0, uiot_do(&dev, "stall mmap"));
	ASSERT_EQ(0, uiot_start(mapper));
	ASSERT_TRUE(uiot_count_becomes(&dev, "inside", 1));
	ASSERT_EQ(0, revoke_file(fd));
	ASSERT_EQ(0, uiot_do(&dev, "resume"));
	ASSERT_EQ(0, uiot_join(mapper, UIOT_SOON_MS));
	EXPECT_EQ(-ENODEV, mapper->ret);
	EXPECT_EQ(1, uiot_count(&dev, "closes"));
	close(fd);
	EXPECT_EQ(0, uiot_reset());
}

/* What a debugger reads. */
FIXTURE(debugger)
{
	struct uiot_dev dev;
	int fd;
	int mem;
	void *p;
};

FIXTURE_VARIANT(debugger)
{
	const char *options;
	bool io;
};

FIXTURE_VARIANT_ADD(debugger, memory) { .options = "mmap full mem=virtual:1" };
FIXTURE_VARIANT_ADD(debugger, remapped)
{
	.options = "mmap remap mem=rom:1", .io = true,
};

FIXTURE_SETUP(debugger)
{
	UIOT_SETUP(&self->dev, "ctx");
	if (variant->io && !uiot_has_ioremap_prot())
		SKIP(return, "no access to I/O memory by ptrace() on this machine");
	self->fd = create_and_open(&self->dev, variant->options);
	if (self->fd == -ENXIO)
		SKIP(return, "no I/O memory of this machine is known");
	ASSERT_LE(0, self->fd);
	self->p = uiot_map(self->fd, 0, 1, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, self->p);
	self->mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->mem);
}

FIXTURE_TEARDOWN(debugger)
{
	munmap(self->p, uiot_page());
	close(self->mem);
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(debugger, reads_it_while_the_device_is_there)
{
	__u32 word = 0, touched = 1;

	EXPECT_EQ(4, pread(self->mem, &word, 4, (off_t)(uintptr_t)self->p));
	ASSERT_EQ(0, uiot_load_word(self->p, &touched));
	EXPECT_EQ(touched, word);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(-1, pread(self->mem, &word, 4, (off_t)(uintptr_t)self->p));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_HARNESS_MAIN
