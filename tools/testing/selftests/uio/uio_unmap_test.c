// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: a driver with get_pages takes pages away while the device is live, with
 * uio_unmap_range(). Touching such a page faults again, which the driver counts.
 */

#include <fcntl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

#define PAGES		4
#define MAPS		2
#define FILES		2

/* Two open files. Both map both regions, and all pages are present. */
FIXTURE(range)
{
	struct uiot_dev dev;
	int fd[FILES];
	void *p[FILES][MAPS];
};

static int touch_all(void *p)
{
	__u32 word;
	int i, ret = 0;

	for (i = 0; !ret && i < PAGES; i++)
		ret = uiot_load_word(p + i * uiot_page(), &word);
	return ret;
}

FIXTURE_SETUP(range)
{
	int f, map;

	UIOT_SETUP(&self->dev, "ctx mem=context:4 mem=context:4");

	for (f = 0; f < FILES; f++) {
		self->fd[f] = uiot_open(&self->dev, O_RDWR);
		ASSERT_LE(0, self->fd[f]);
		for (map = 0; map < MAPS; map++) {
			self->p[f][map] = uiot_map(self->fd[f], map, PAGES,
						   PROT_READ | PROT_WRITE, MAP_SHARED);
			ASSERT_NE(MAP_FAIL, self->p[f][map]);
			ASSERT_EQ(0, touch_all(self->p[f][map]));
		}
	}
	ASSERT_EQ(FILES * MAPS * PAGES, uiot_count(&self->dev, "faults"));
}

FIXTURE_TEARDOWN(range)
{
	int f, map;

	for (f = 0; f < FILES; f++) {
		for (map = 0; map < MAPS; map++)
			munmap(self->p[f][map], PAGES * uiot_page());
		close(self->fd[f]);
	}
	EXPECT_EQ(0, uiot_reset());
}

/* Returns the number of faults that a touch of all pages takes. */
static long refaults(const struct uiot_dev *dev, void *p)
{
	long before = uiot_count(dev, "faults");

	return touch_all(p) ? -1 : uiot_count(dev, "faults") - before;
}

TEST_F(range, pages_go_from_all_files)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unmap 0,1,2"));
	EXPECT_EQ(2, refaults(&self->dev, self->p[0][0]));
	EXPECT_EQ(2, refaults(&self->dev, self->p[1][0]));
}

TEST_F(range, other_regions_keep_theirs)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unmap 0,0,4"));
	EXPECT_EQ(0, refaults(&self->dev, self->p[0][1]));
	EXPECT_EQ(0, refaults(&self->dev, self->p[1][1]));
	ASSERT_EQ(0, uiot_do(&self->dev, "unmap 1,0,4"));
	EXPECT_EQ(4, refaults(&self->dev, self->p[0][1]));
	EXPECT_EQ(4, refaults(&self->dev, self->p[1][1]));
}

TEST_F(range, zero_is_to_the_end)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unmap 0,1,0"));
	EXPECT_EQ(3, refaults(&self->dev, self->p[0][0]));
	EXPECT_EQ(0, refaults(&self->dev, self->p[0][1]));
}

TEST_F(range, split_mapping_is_found)
{
	ASSERT_EQ(0, mprotect(self->p[0][0] + uiot_page(), uiot_page(), PROT_READ));
	ASSERT_EQ(0, uiot_do(&self->dev, "unmap 0,1,2"));
	EXPECT_EQ(2, refaults(&self->dev, self->p[0][0]));
}

TEST_F(range, moved_mapping_is_found)
{
	void *p = uiot_move(self->p[0][0], PAGES);

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_do(&self->dev, "unmap 0,2,1"));
	EXPECT_EQ(1, refaults(&self->dev, p));
	munmap(p, PAGES * uiot_page());
}

TEST(pages_go_from_many_files)
{
	static struct { int fd; void *p; } file[UIOT_MANY_FILES];
	struct uiot_dev dev;
	__u32 word;
	int i;

	UIOT_SETUP(&dev, "ctx mem=context:1");
	for (i = 0; i < UIOT_MANY_FILES; i++) {
		UIOT_OPEN(file[i].fd, &dev);
		file[i].p = uiot_map(file[i].fd, 0, 1, PROT_READ, MAP_SHARED);
		ASSERT_NE(MAP_FAIL, file[i].p);
		ASSERT_EQ(0, uiot_load_word(file[i].p, &word));
	}
	ASSERT_EQ(0, uiot_do(&dev, "unmap 0,0,0"));
	for (i = 0; i < UIOT_MANY_FILES; i++)
		ASSERT_EQ(0, uiot_load_word(file[i].p, &word));
	EXPECT_EQ(2 * UIOT_MANY_FILES, uiot_count(&dev, "faults"));

	for (i = 0; i < UIOT_MANY_FILES; i++) {
		munmap(file[i].p, uiot_page());
		close(file[i].fd);
	}
	EXPECT_EQ(0, uiot_reset());
}

/* the start of a page table, also with pages of 64 KiB or with 32 bits */
#define ALIGNED	((void *)(1ul << 30))

/* Pages that the driver returned in addition to the touched one are unmapped as well. */
TEST(range_of_pages_that_were_not_touched)
{
	struct uiot_dev dev;
	__u32 word;
	void *p;
	int fd;

	UIOT_SETUP(&dev, "ctx around mem=context:40");
	UIOT_OPEN(fd, &dev);
	/* the number of pages that a touch maps depends on the address */
	p = mmap(ALIGNED, 40 * uiot_page(), PROT_READ,
		 MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	ASSERT_EQ(ALIGNED, p);

	/* the first touch maps one page, the next one all pages up to a missing one */
	ASSERT_EQ(0, uiot_load_word(p, &word));
	EXPECT_EQ(0, uiot_count(&dev, "arounds"));
	ASSERT_EQ(0, uiot_load_word(p + uiot_page(), &word));
	EXPECT_EQ(4, uiot_count(&dev, "arounds"));
	ASSERT_EQ(0, uiot_load_word(p + 5 * uiot_page(), &word));
	EXPECT_EQ(2, uiot_count(&dev, "faults"));

	ASSERT_EQ(0, uiot_do(&dev, "unmap 0,4,2"));
	ASSERT_EQ(0, uiot_load_word(p + 3 * uiot_page(), &word));
	EXPECT_EQ(2, uiot_count(&dev, "faults"));
	ASSERT_EQ(0, uiot_load_word(p + 4 * uiot_page(), &word));
	EXPECT_EQ(UIOT_WORD(0, 4), word);
	/* this touch does not follow the last one: it maps one page, and the next one several */
	EXPECT_EQ(4, uiot_count(&dev, "arounds"));
	ASSERT_EQ(0, uiot_load_word(p + 5 * uiot_page(), &word));
	EXPECT_EQ(UIOT_WORD(0, 5), word);
	EXPECT_EQ(4, uiot_count(&dev, "faults"));

	munmap(p, 40 * uiot_page());
	close(fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_HARNESS_MAIN
