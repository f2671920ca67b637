// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: a context that has chosen the sink, a writable page of zeros, instead of SIGBUS. A C
 * number in a test's name is the number of a former bug of this core that mainline never had.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

#define PAGES		4

FIXTURE(sink)
{
	struct uiot_dev dev;
	size_t page;
	int fd;
	void *p;
};

FIXTURE_VARIANT(sink)
{
	const char *options;
	bool io;		/* unmapped, even if it was present */
	bool dma;		/* the kernel accepts no sink in a private mapping of it */
};

FIXTURE_VARIANT_ADD(sink, phys) { .options = "ctx sink mem=phys:4", .io = true, };
FIXTURE_VARIANT_ADD(sink, iova) { .options = "ctx sink mem=iova:4", .io = true, };
FIXTURE_VARIANT_ADD(sink, dma) {
	.options = "ctx sink mem=dma:4", .io = true, .dma = true,
};

FIXTURE_VARIANT_ADD(sink, logical) { .options = "ctx sink mem=logical:4", };
FIXTURE_VARIANT_ADD(sink, block) { .options = "ctx sink mem=block:4", };
FIXTURE_VARIANT_ADD(sink, virtual) { .options = "ctx sink mem=virtual:4", };
FIXTURE_VARIANT_ADD(sink, fault) { .options = "ctx sink mem=context:4", };

FIXTURE_SETUP(sink)
{
	__u32 word;

	self->page = uiot_page();
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	self->p = uiot_map(self->fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, self->p);
	ASSERT_EQ(0, uiot_load_word(self->p, &word));
	ASSERT_EQ(UIOT_WORD(0, 0), word);
	uiot_make_absent(self->p + self->page, PAGES - 1);
}

FIXTURE_TEARDOWN(sink)
{
	munmap(self->p, PAGES * self->page);
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(sink, absent_page_is_zeros_that_take_writes)
{
	__u32 word = 1;

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_load_word(self->p + self->page, &word));
	EXPECT_EQ(0, word);
	ASSERT_EQ(0, uiot_store_word(self->p + self->page, 7));
	ASSERT_EQ(0, uiot_load_word(self->p + self->page, &word));
	EXPECT_EQ(7, word);
}

TEST_F(sink, first_touch_may_be_a_write)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(0, uiot_store_word(self->p + self->page, 7));
}

TEST_F(sink, present_page)
{
	__u32 word = 1;

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_load_word(self->p, &word));
	EXPECT_EQ(variant->io ? 0 : UIOT_WORD(0, 0), word);
}

TEST_F(sink, private_mapping)
{
	void *p = uiot_map(self->fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	__u32 word = 1;

	UIOT_SKIP_IF_REFUSED(p);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(variant->io ? SIGBUS : 0, uiot_store_word(p + self->page, 7));
	ASSERT_EQ(0, uiot_load_word(self->p + self->page, &word));
	EXPECT_EQ(0, word);
	munmap(p, PAGES * self->page);
}

TEST_F(sink, other_files_do_not_see_it)
{
	int fd = uiot_open(&self->dev, O_RDWR);
	__u32 word = 1;
	void *p;

	ASSERT_LE(0, fd);
	p = uiot_map(fd, 0, PAGES, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_store_word(self->p + self->page, 7));
	ASSERT_EQ(0, uiot_load_word(p + self->page, &word));
	EXPECT_EQ(0, word);
	munmap(p, PAGES * self->page);
	close(fd);
}

TEST_F(sink, driver_does_not_see_it)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister keep"));
	ASSERT_EQ(0, uiot_store_word(self->p + self->page, 7));
	EXPECT_EQ(UIOT_WORD(0, 1), uiot_peek(&self->dev, 0, 1));
	EXPECT_EQ(0, uiot_do(&self->dev, "put"));
}

TEST_F(sink, context_is_released_after_it)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_store_word(self->p + self->page, 7));
	munmap(self->p, PAGES * self->page);
	close(self->fd);
	EXPECT_TRUE(uiot_count_becomes(&self->dev, "frees", 1));
	self->fd = -1;
}

/*
 * If the sink were uncached, as registers are, a read could show what the page held before its
 * zeros: those may be in the cache only. x86 looks up by itself that the page is RAM.
 */
TEST(c5_sink_of_registers_is_cached)
{
	struct uiot_dev dev;
	char caching[16];
	__u32 word;
	void *p;
	int fd, ret;

	UIOT_SETUP(&dev, "ctx sink mem=phys:1");
	UIOT_OPEN(fd, &dev);
	p = uiot_map(fd, 0, 1, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_do(&dev, "unregister"));
	ASSERT_EQ(0, uiot_load_word(p, &word));
	EXPECT_EQ(0, word);
	ret = uiot_caching(p, caching, sizeof(caching));
	munmap(p, uiot_page());
	close(fd);
	EXPECT_EQ(0, uiot_reset());
	if (ret == -EOPNOTSUPP)
		SKIP(return, "this machine's page tables are not looked into");
	ASSERT_EQ(0, ret);
	EXPECT_STREQ("wb", caching);
}

TEST_HARNESS_MAIN
