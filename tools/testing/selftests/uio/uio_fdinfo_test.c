// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: what /proc/PID/fdinfo says of an open file: which device it is, even if that is gone,
 * how many bytes are mapped through it, and what its context says.
 */

#include <fcntl.h>
#include <linux/uio_device.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

#define EXPECT_LINE(_fd, _key, _value) do {				\
	const char *_name = _key;					\
	char _is[96] = "";						\
									\
	EXPECT_EQ(0, uiot_fdinfo(_fd, _name, _is, sizeof(_is))) {	\
		TH_LOG("no line %s", _name);				\
	}								\
	EXPECT_STREQ(_value, _is);					\
} while (0)

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

TEST_F(file, has_all_lines_in_order)
{
	static const char * const keys[] = {
		"uio-device", "uio-name", "uio-serial", "uio-state", "uio-file-revoked",
	};
	char path[64], text[1024], *line = text;
	unsigned int i;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->fd);
	ASSERT_EQ(0, uiot_read_file(path, text, sizeof(text)));
	for (i = 0; i < 5; i++) {
		line = strstr(line, keys[i]);
		ASSERT_NE(NULL, line) {
			TH_LOG("no line %s, or not here", keys[i]);
		}
	}
}

TEST_F(file, tells_which_device_it_is)
{
	EXPECT_LINE(self->fd, "uio-device", self->dev.node + strlen("/dev/"));
	EXPECT_LINE(self->fd, "uio-name", self->dev.name);
	EXPECT_LINE(self->fd, "uio-state", "live");
	EXPECT_LE(1, uiot_fdinfo_number(self->fd, "uio-serial"));
}

TEST_F(file, tells_the_same_when_the_device_is_gone)
{
	long long serial = uiot_fdinfo_number(self->fd, "uio-serial");

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_LINE(self->fd, "uio-device", self->dev.node + strlen("/dev/"));
	EXPECT_LINE(self->fd, "uio-name", self->dev.name);
	EXPECT_LINE(self->fd, "uio-state", "drained");
	ASSERT_LE(1, serial);
	EXPECT_EQ(serial, uiot_fdinfo_number(self->fd, "uio-serial"));
}

TEST_F(file, next_device_of_the_same_number_has_another_serial)
{
	long long serial = uiot_fdinfo_number(self->fd, "uio-serial");
	struct uiot_dev next;
	int fd;

	ASSERT_LE(1, serial);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_create(&next, ""));
	ASSERT_STREQ(self->dev.node, next.node);
	UIOT_OPEN(fd, &next);
	EXPECT_LT(serial, uiot_fdinfo_number(fd, "uio-serial"));
	close(fd);
}

TEST_F(file, is_revoked_while_a_call_is_inside)
{
	struct uiot_op op = { .fn = uiot_op_write, .fd = self->fd };

	ASSERT_EQ(0, uiot_do(&self->dev, "stall irqcontrol"));
	ASSERT_EQ(0, uiot_start(&op));
	ASSERT_TRUE(uiot_count_becomes(&self->dev, "inside", 1));
	EXPECT_LINE(self->fd, "uio-state", "live");
	ASSERT_EQ(0, uiot_do(&self->dev, "revoke"));
	EXPECT_LINE(self->fd, "uio-state", "revoked");
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_LINE(self->fd, "uio-state", "drained");
}

/* Its handler may still run until the drain. */
TEST_F(file, is_revoked_while_it_has_an_interrupt)
{
	struct uiot_dev dev;
	char options[64];
	int fd;

	snprintf(options, sizeof(options), "%s irq=real", variant->options);
	ASSERT_EQ(0, uiot_create(&dev, options));
	UIOT_OPEN(fd, &dev);
	ASSERT_EQ(0, uiot_do(&dev, "revoke"));
	EXPECT_LINE(fd, "uio-state", "revoked");
	ASSERT_EQ(0, uiot_do(&dev, "drain"));
	EXPECT_LINE(fd, "uio-state", "drained");
	close(fd);
}

TEST_F(file, tells_whether_it_was_revoked_itself)
{
	int other;

	UIOT_OPEN(other, &self->dev);
	EXPECT_LINE(self->fd, "uio-file-revoked", "0");
	ASSERT_EQ(0, ioctl(self->fd, UIO_IOC_REVOKE, 0));
	EXPECT_LINE(self->fd, "uio-file-revoked", "1");
	EXPECT_LINE(self->fd, "uio-state", "live");
	EXPECT_LINE(other, "uio-file-revoked", "0");
	close(other);
}

TEST_F(file, name_has_no_control_characters)
{
	struct uiot_dev odd;
	char options[64];
	int fd;

	snprintf(options, sizeof(options), "%s oddname", variant->options);
	ASSERT_EQ(0, uiot_create(&odd, options));
	UIOT_OPEN(fd, &odd);
	ASSERT_EQ(0, uiot_do(&odd, "unregister"));
	EXPECT_LINE(fd, "uio-name", "odd\\012uio-state:\\011live\\134\\177");
	EXPECT_LINE(fd, "uio-state", "drained");
	close(fd);
}

/* So that an operator can tell which module it is. */
TEST_F(file, module_has_a_version)
{
	char buf[64];

	ASSERT_EQ(0, uiot_read_file("/sys/module/uio/version", buf, sizeof(buf)));
	EXPECT_LE('0', buf[0]);
	EXPECT_GE('9', buf[0]);
	EXPECT_EQ(0, uiot_read_file("/sys/module/uio/srcversion", buf, sizeof(buf)));
}

/* Two regions of each type of memory. */
#define PAGES		8

FIXTURE(mapped)
{
	struct uiot_dev dev;
	size_t page;
	int fd;
};

FIXTURE_VARIANT(mapped)
{
	const char *options;
	/* the driver maps: the core does not know the regions */
	bool by_driver;
};

#define MAPPED(_name, _options, _by_driver)				\
	FIXTURE_VARIANT_ADD(mapped, _name) {				\
		.options = _options, .by_driver = _by_driver,		\
	}

MAPPED(legacy_phys, "mem=phys:8 mem=phys:8", false);
MAPPED(legacy_virtual, "mem=virtual:8 mem=virtual:8", false);
MAPPED(own_mmap, "mmap mem=virtual:8 mem=virtual:8", true);
MAPPED(own_counted, "mmap counted mem=virtual:8 mem=virtual:8", true);
MAPPED(phys, "ctx mem=phys:8 mem=phys:8", false);
MAPPED(dma, "ctx mem=dma:8 mem=dma:8", false);
MAPPED(virtual, "ctx mem=virtual:8 mem=virtual:8", false);
MAPPED(context, "ctx mem=context:8 mem=context:8", false);

FIXTURE_SETUP(mapped)
{
	self->page = uiot_page();
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
}

FIXTURE_TEARDOWN(mapped)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

/* The pages of a line, which is not there if they are 0. */
static long pages_in(int fd, const char *key)
{
	long long bytes = uiot_fdinfo_number(fd, key);

	return bytes == -ENOENT ? 0 : bytes < 0 ? bytes : bytes / (long long)uiot_page();
}

static void *map(int fd, int region, int pages)
{
	return uiot_map(fd, region, pages, PROT_READ | PROT_WRITE, MAP_SHARED);
}

/* Pages that are mapped through @_fd: in region 0, in region 1. */
#define EXPECT_PAGES(_fd, _in_0, _in_1) do {				\
	bool _driver = variant->by_driver;				\
	int _of = _fd, _0 = _in_0, _1 = _in_1;				\
									\
	EXPECT_EQ(_driver ? 0 : _0, pages_in(_of, "uio-mapped-0"));	\
	EXPECT_EQ(_driver ? 0 : _1, pages_in(_of, "uio-mapped-1"));	\
	EXPECT_EQ(_driver ? _0 + _1 : 0,				\
		  pages_in(_of, "uio-mapped-driver"));			\
} while (0)

TEST_F(mapped, by_region)
{
	void *p, *q;

	EXPECT_PAGES(self->fd, 0, 0);
	p = map(self->fd, 0, PAGES);
	ASSERT_NE(MAP_FAIL, p);
	EXPECT_PAGES(self->fd, PAGES, 0);
	q = map(self->fd, 1, 3);
	ASSERT_NE(MAP_FAIL, q);
	EXPECT_PAGES(self->fd, PAGES, 3);
	munmap(p, PAGES * self->page);
	EXPECT_PAGES(self->fd, 0, 3);
	munmap(q, 3 * self->page);
	EXPECT_PAGES(self->fd, 0, 0);
}

TEST_F(mapped, several_times_adds_up)
{
	ASSERT_NE(MAP_FAIL, map(self->fd, 1, PAGES));
	ASSERT_NE(MAP_FAIL, map(self->fd, 1, 2));
	ASSERT_NE(MAP_FAIL, map(self->fd, 1, 1));
	EXPECT_PAGES(self->fd, 0, PAGES + 3);
}

TEST_F(mapped, each_file_counts_its_own)
{
	int other;

	UIOT_OPEN(other, &self->dev);
	ASSERT_NE(MAP_FAIL, map(self->fd, 0, 2));
	ASSERT_NE(MAP_FAIL, map(other, 0, 5));
	ASSERT_NE(MAP_FAIL, map(other, 1, PAGES));
	EXPECT_PAGES(self->fd, 2, 0);
	EXPECT_PAGES(other, 5, PAGES);
	close(other);
}

/* With 32 bits, the core's numbers for files are not enough for so many. */
TEST_F(mapped, each_of_many_files_counts_its_own)
{
	static int fds[UIOT_MANY_FILES];
	int i;

	for (i = 0; i < UIOT_MANY_FILES; i++) {
		UIOT_OPEN(fds[i], &self->dev);
		ASSERT_NE(MAP_FAIL, map(fds[i], 0, 1 + i % PAGES));
	}
	for (i = 0; i < UIOT_MANY_FILES; i++) {
		/* this is slow */
		if (i % 25 == 0)
			EXPECT_PAGES(fds[i], 1 + i % PAGES, 0);
		close(fds[i]);
	}
}

TEST_F(mapped, parts_of_a_split_mapping)
{
	void *p = map(self->fd, 0, PAGES), *q = map(self->fd, 1, PAGES);

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_NE(MAP_FAIL, q);
	ASSERT_EQ(0, mprotect(p + self->page, self->page, PROT_READ));
	EXPECT_PAGES(self->fd, PAGES, PAGES);
	ASSERT_EQ(0, munmap(p + 3 * self->page, 2 * self->page));
	EXPECT_PAGES(self->fd, PAGES - 2, PAGES);
	ASSERT_EQ(0, munmap(q, self->page));
	EXPECT_PAGES(self->fd, PAGES - 2, PAGES - 1);
	ASSERT_EQ(0, munmap(q + (PAGES - 1) * self->page, self->page));
	EXPECT_PAGES(self->fd, PAGES - 2, PAGES - 2);
}

TEST_F(mapped, moved_and_shrunk)
{
	void *p = map(self->fd, 1, PAGES);

	ASSERT_NE(MAP_FAIL, p);
	p = uiot_move(p, PAGES);
	ASSERT_NE(MAP_FAIL, p);
	EXPECT_PAGES(self->fd, 0, PAGES);
	ASSERT_NE(MAP_FAIL, mremap(p, PAGES * self->page, 2 * self->page, 0));
	EXPECT_PAGES(self->fd, 0, 2);
}

struct mapping {
	void *p;
	size_t size;
};

static int unmap(void *arg, int what)
{
	struct mapping *mapping = arg;

	(void)what;
	return munmap(mapping->p, mapping->size) ? -errno : 0;
}

TEST_F(mapped, by_parent_and_child)
{
	struct mapping mapping = { map(self->fd, 0, PAGES), 2 * self->page };
	struct uiot_child child;

	ASSERT_NE(MAP_FAIL, mapping.p);
	ASSERT_EQ(0, uiot_child_start(&child, unmap, &mapping));
	EXPECT_PAGES(self->fd, 2 * PAGES, 0);
	ASSERT_EQ(0, uiot_child_ask(&child, 0));
	EXPECT_PAGES(self->fd, 2 * PAGES - 2, 0);
	ASSERT_EQ(0, uiot_child_end(&child));
	EXPECT_PAGES(self->fd, PAGES, 0);
}

/* Pages are gone, or stay: the process has the addresses, and with them the file. */
TEST_F(mapped, until_unmapped_though_the_device_is_gone)
{
	void *p = map(self->fd, 0, PAGES);

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_NE(MAP_FAIL, map(self->fd, 1, 3));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_PAGES(self->fd, PAGES, 3);
	munmap(p, PAGES * self->page);
	EXPECT_PAGES(self->fd, 0, 3);
}

TEST_F(mapped, until_unmapped_though_the_file_is_revoked)
{
	void *p = map(self->fd, 1, PAGES);

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, ioctl(self->fd, UIO_IOC_REVOKE, 0));
	EXPECT_PAGES(self->fd, 0, PAGES);
	munmap(p, PAGES * self->page);
	EXPECT_PAGES(self->fd, 0, 0);
}

/* A device that counts touches, and shows this count. */
FIXTURE(context)
{
	struct uiot_dev dev;
	int fd;
	void *p;
};

FIXTURE_SETUP(context)
{
	__u32 word;

	UIOT_SETUP(&self->dev, "ctx mem=context:4");
	UIOT_OPEN(self->fd, &self->dev);
	self->p = map(self->fd, 0, 4);
	ASSERT_NE(MAP_FAIL, self->p);
	ASSERT_EQ(0, uiot_load_word(self->p, &word));
}

FIXTURE_TEARDOWN(context)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(context, is_asked_while_the_device_is_live)
{
	__u32 word;

	EXPECT_LINE(self->fd, "test-faults", "1");
	ASSERT_EQ(0, uiot_load_word(self->p + 2 * uiot_page(), &word));
	EXPECT_LINE(self->fd, "test-faults", "2");
}

/* It does not wait for another callback, either. */
TEST_F(context, is_asked_while_a_call_is_inside)
{
	struct uiot_op op = { .fn = uiot_op_write, .fd = self->fd };

	ASSERT_EQ(0, uiot_do(&self->dev, "stall irqcontrol"));
	ASSERT_EQ(0, uiot_start(&op));
	ASSERT_TRUE(uiot_count_becomes(&self->dev, "inside", 1));
	EXPECT_LINE(self->fd, "test-faults", "1");
	ASSERT_EQ(0, uiot_do(&self->dev, "revoke"));
	EXPECT_LINE(self->fd, "test-faults", "1");
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
}

TEST_F(context, is_asked_when_the_device_is_gone)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(0, uiot_count(&self->dev, "frees"));
	EXPECT_LINE(self->fd, "test-faults", "1");
}

TEST_F(context, is_asked_when_the_file_is_revoked)
{
	ASSERT_EQ(0, ioctl(self->fd, UIO_IOC_REVOKE, 0));
	EXPECT_LINE(self->fd, "test-faults", "1");
}

TEST_HARNESS_MAIN
