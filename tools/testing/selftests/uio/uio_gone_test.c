// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: what is left of a mapping after its device is unregistered. A D number in a test's
 * name is the number of a defect of mainline: the test fails there.
 */

#include <fcntl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

#define PAGES		4

/* The required result of a touch after unregistration. */
enum after {
	GONE,		/* SIGBUS */
	KEPT,		/* the memory, unchanged */
	DRIVERS,	/* the same, because the driver counts its mappings */
};

FIXTURE(memory)
{
	struct uiot_dev dev;
	size_t page;
	int fd;
	void *p;
};

FIXTURE_VARIANT(memory)
{
	const char *options;
	enum after present;	/* a page that was touched before */
	enum after absent;	/* a page that was not touched */
	bool eager;		/* mmap() makes all pages present */
};

#define MEMORY(_name, _options, _present, _absent, _eager)		\
	FIXTURE_VARIANT_ADD(memory, _name) {				\
		.options = _options, .present = _present,		\
		.absent = _absent, .eager = _eager,			\
	}

MEMORY(legacy_phys, "mem=phys:4 mem=phys:4", GONE, GONE, false);
MEMORY(legacy_iova, "mem=iova:4 mem=iova:4", GONE, GONE, false);
MEMORY(legacy_dma, "mem=dma:4 mem=dma:4", GONE, GONE, true);
MEMORY(legacy_logical, "mem=logical:4 mem=logical:4", GONE, GONE, false);
MEMORY(legacy_virtual, "mem=virtual:4 mem=virtual:4", GONE, GONE, false);
MEMORY(own_mmap, "mmap mem=virtual:4 mem=virtual:4", GONE, GONE, false);
MEMORY(own_counted, "mmap counted mem=virtual:4 mem=virtual:4", DRIVERS, DRIVERS, false);
MEMORY(phys, "ctx mem=phys:4 mem=phys:4", GONE, GONE, false);
MEMORY(iova, "ctx mem=iova:4 mem=iova:4", GONE, GONE, false);
MEMORY(dma, "ctx mem=dma:4 mem=dma:4", GONE, GONE, true);
MEMORY(logical, "ctx mem=logical:4 mem=logical:4", KEPT, GONE, false);
MEMORY(virtual, "ctx mem=virtual:4 mem=virtual:4", KEPT, GONE, false);
MEMORY(fault, "ctx mem=context:4 mem=context:4", KEPT, GONE, false);

FIXTURE_SETUP(memory)
{
	__u32 word;

	self->page = uiot_page();
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	self->p = uiot_map(self->fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, self->p);

	/* pages 0 and 1 are present, 2 and 3 are not */
	ASSERT_EQ(0, uiot_load_word(self->p, &word));
	ASSERT_EQ(UIOT_WORD(0, 0), word);
	ASSERT_EQ(0, uiot_load_word(self->p + self->page, &word));
	ASSERT_EQ(UIOT_WORD(0, 1), word);
	uiot_make_absent(self->p + 2 * self->page, 2);
}

FIXTURE_TEARDOWN(memory)
{
	munmap(self->p, PAGES * self->page);
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

/* Returns 0 if a touch of page number @page gives what the contract says. */
static int check_touch(void *p, int page, enum after after)
{
	__u32 word = 0;
	int sig = uiot_load_word(p + page * uiot_page(), &word);

	if (after == GONE)
		return sig == SIGBUS ? 0 : -EADDRINUSE;
	if (sig)
		return -EFAULT;
	return word == UIOT_WORD(0, page) ? 0 : -EILSEQ;
}

static const char *touch_says(int ret)
{
	switch (ret) {
	case -EADDRINUSE: return "page stays mapped";
	case -EFAULT: return "SIGBUS";
	case -EILSEQ: return "another page is there";
	default: return "";
	}
}

#define EXPECT_TOUCH(_p, _page, _after) do {				\
	int _ret = check_touch(_p, _page, _after);			\
	EXPECT_EQ(0, _ret) {						\
		TH_LOG("%s", touch_says(_ret));				\
	}								\
} while (0)

#define EXPECT_CHILD_TOUCH(_child, _what) do {				\
	int _ret = uiot_child_ask(_child, _what);			\
	EXPECT_EQ(0, _ret) {						\
		TH_LOG("%s", touch_says(_ret));				\
	}								\
} while (0)

struct view {
	void *p;
	enum after present;
	enum after absent;
};

static int check_view(void *arg, int what)
{
	struct view *view = arg;
	int ret = check_touch(view->p, 0, view->present);

	if (!ret)
		ret = check_touch(view->p, 1, view->present);
	if (!ret && what)
		ret = check_touch(view->p, 2, view->absent);
	return ret;
}

TEST_F(memory, d4_present_page)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_TOUCH(self->p, 0, variant->present);
	EXPECT_TOUCH(self->p, 1, variant->present);
}

TEST_F(memory, absent_page)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_TOUCH(self->p, 2, variant->absent);
	EXPECT_TOUCH(self->p, 3, variant->absent);
}

TEST_F(memory, f2_driver_is_not_asked)
{
	long faults = uiot_count(&self->dev, "faults");
	__u32 word;

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	uiot_load_word(self->p + 2 * self->page, &word);
	EXPECT_EQ(faults + (variant->absent == DRIVERS),
		  uiot_count(&self->dev, "faults"));
}

TEST_F(memory, d4_write_to_present_page)
{
	int sig;

	/* the driver keeps the memory, so mainline's stray write hits nobody else */
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister keep"));
	sig = uiot_store_word(self->p, 42);
	EXPECT_EQ(variant->present == GONE ? SIGBUS : 0, sig) {
		TH_LOG("page stays mapped");
	}
	if (variant->present == GONE)
		EXPECT_EQ(UIOT_WORD(0, 0), uiot_peek(&self->dev, 0, 0));
	EXPECT_EQ(0, uiot_do(&self->dev, "put"));
}

TEST_F(memory, d4_second_region)
{
	void *p = uiot_map(self->fd, 1, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
	__u32 word = 0;
	int sig;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	ASSERT_EQ(UIOT_WORD(1, 0), word);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	sig = uiot_load_word(p, &word);
	EXPECT_EQ(variant->present == GONE ? SIGBUS : 0, sig) {
		TH_LOG("page stays mapped");
	}
	EXPECT_EQ(UIOT_WORD(1, 0), word);
}

TEST_F(memory, d4_mapping_of_another_node)
{
	int fd = uiot_open_other_node(&self->dev, O_RDWR);
	void *p = uiot_map(fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
	__u32 word = 0;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_TOUCH(p, 0, variant->present);
	munmap(p, PAGES * self->page);
	close(fd);
}

TEST_F(memory, d4_private_mapping)
{
	void *p = uiot_map(self->fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	__u32 word = 0;

	UIOT_SKIP_IF_REFUSED(p);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_TOUCH(p, 0, variant->present);
}

TEST_F(memory, d4_forked_copy)
{
	struct view view = { self->p, variant->present, variant->absent };
	struct uiot_child child;

	ASSERT_EQ(0, uiot_child_start(&child, check_view, &view));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_CHILD_TOUCH(&child, !variant->eager);
	EXPECT_EQ(0, uiot_child_end(&child));
}

struct forked {
	void *p;
	enum after after;
};

/* @what is not 0: makes the pages present; 0: checks them. */
static int touch_then_check(void *arg, int what)
{
	struct forked *forked = arg;

	return what ? check_touch(forked->p, 3, KEPT) :
		      check_touch(forked->p, 3, forked->after);
}

TEST_F(memory, d4_page_that_only_the_child_has)
{
	struct forked forked = { self->p, variant->present };
	struct uiot_child child;

	ASSERT_EQ(0, uiot_child_start(&child, touch_then_check, &forked));
	ASSERT_EQ(0, uiot_child_ask(&child, 1));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_CHILD_TOUCH(&child, 0);
	EXPECT_TOUCH(self->p, 3, variant->eager ? GONE : variant->absent);
	EXPECT_EQ(0, uiot_child_end(&child));
}

TEST_F(memory, d4_moved_copy)
{
	self->p = uiot_move(self->p, PAGES);
	ASSERT_NE(MAP_FAIL, self->p);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_TOUCH(self->p, 1, variant->present);
	EXPECT_TOUCH(self->p, 2, variant->absent);
}

TEST_F(memory, d4_moved_after_unregister)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	self->p = uiot_move(self->p, PAGES);
	ASSERT_NE(MAP_FAIL, self->p);
	EXPECT_TOUCH(self->p, 1, variant->present);
	EXPECT_TOUCH(self->p, 2, variant->absent);
}

TEST_F(memory, d4_forked_after_unregister)
{
	struct view view = { self->p, variant->present, variant->absent };
	struct uiot_child child;

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_child_start(&child, check_view, &view));
	EXPECT_TOUCH(self->p, 1, variant->present);
	EXPECT_CHILD_TOUCH(&child, 1);
	EXPECT_EQ(0, uiot_child_end(&child));
}

TEST_F(memory, d4_rest_of_a_partial_unmap)
{
	ASSERT_EQ(0, munmap(self->p, self->page));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_TOUCH(self->p, 1, variant->present);
}

TEST_F(memory, d4_system_call_with_the_address)
{
	int fds[2];
	int ret;

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ret = write(fds[1], self->p, 4);
	if (variant->present == GONE) {
		EXPECT_EQ(-1, ret) {
			TH_LOG("page stays mapped");
		}
		UIOT_EXPECT_ERRNO(EFAULT);
	} else {
		EXPECT_EQ(4, ret);
	}
}

TEST_F(memory, unmap_after_unregister)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(0, munmap(self->p + self->page, self->page));
	EXPECT_TOUCH(self->p, 0, variant->present);
	EXPECT_EQ(0, munmap(self->p, PAGES * self->page));
	close(self->fd);
	EXPECT_EQ(1, uiot_count(&self->dev, "frees"));
}

/* Access through /proc/PID/mem. The I/O memory is real: see uio_live_map_test.c. */
FIXTURE(proc_mem)
{
	struct uiot_dev dev;
	void *p;
	int fd;
	int mem;
};

FIXTURE_VARIANT(proc_mem)
{
	const char *options;
	bool kept;
};

FIXTURE_VARIANT_ADD(proc_mem, legacy_rom) { .options = "mem=rom:4" };
FIXTURE_VARIANT_ADD(proc_mem, legacy_virtual) { .options = "mem=virtual:4" };
FIXTURE_VARIANT_ADD(proc_mem, rom) { .options = "ctx mem=rom:4" };
FIXTURE_VARIANT_ADD(proc_mem, virtual)
{
	.options = "ctx mem=virtual:4", .kept = true,
};

FIXTURE_SETUP(proc_mem)
{
	__u32 word;

	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	self->p = uiot_map(self->fd, 0, PAGES, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, self->p);
	ASSERT_EQ(0, uiot_load_word(self->p, &word));
	uiot_make_absent(self->p + 2 * uiot_page(), 2);
	self->mem = open("/proc/self/mem", O_RDONLY);
	ASSERT_LE(0, self->mem);
}

FIXTURE_TEARDOWN(proc_mem)
{
	munmap(self->p, PAGES * uiot_page());
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(proc_mem, d4_present_page)
{
	__u32 word = 0;

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	if (variant->kept) {
		EXPECT_EQ(4, pread(self->mem, &word, 4, (off_t)(uintptr_t)self->p));
		EXPECT_EQ(UIOT_WORD(0, 0), word);
	} else {
		EXPECT_EQ(-1, pread(self->mem, &word, 4, (off_t)(uintptr_t)self->p)) {
			TH_LOG("page can be read");
		}
		UIOT_EXPECT_ERRNO(EIO);
	}
}

TEST_F(proc_mem, d4_absent_page)
{
	__u32 word = 0;
	off_t where = (off_t)(uintptr_t)self->p + 2 * uiot_page();

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(-1, pread(self->mem, &word, 4, where)) {
		TH_LOG("page can be read");
	}
	UIOT_EXPECT_ERRNO(EIO);
}

/* Pages that a context keeps stay shared between all that mapped them. */
FIXTURE(kept)
{
	struct uiot_dev dev;
	int fd;
};

FIXTURE_VARIANT(kept)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(kept, logical) { .options = "ctx mem=logical:4" };
FIXTURE_VARIANT_ADD(kept, virtual) { .options = "ctx mem=virtual:4" };
FIXTURE_VARIANT_ADD(kept, fault) { .options = "ctx mem=context:4" };

FIXTURE_SETUP(kept)
{
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
}

FIXTURE_TEARDOWN(kept)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(kept, memory_is_still_shared_with_the_driver)
{
	__u32 word = 0;
	void *p = uiot_map(self->fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister keep"));
	ASSERT_EQ(0, uiot_poke(&self->dev, 0, 0, 4711));
	ASSERT_EQ(0, uiot_load_word(p, &word));
	EXPECT_EQ(4711, word);
	ASSERT_EQ(0, uiot_store_word(p, 815));
	EXPECT_EQ(815, uiot_peek(&self->dev, 0, 0));
}

TEST_F(kept, memory_is_still_shared_by_two_mappings)
{
	__u32 word = 0;
	void *p = uiot_map(self->fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
	void *q = uiot_map(self->fd, 0, PAGES, PROT_READ, MAP_SHARED);

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_NE(MAP_FAIL, q);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	ASSERT_EQ(0, uiot_load_word(q, &word));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_store_word(p, 4711));
	ASSERT_EQ(0, uiot_load_word(q, &word));
	EXPECT_EQ(4711, word);
}

/*
 * A mapping that is split while the device is live. Each part must still show the same
 * pages. No page is present before, because a present page would hide a wrong offset.
 */
FIXTURE(split)
{
	struct uiot_dev dev;
	size_t page;
	int fd;
	void *p;
};

FIXTURE_VARIANT(split)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(split, legacy_logical)
{
	.options = "mem=logical:4 mem=logical:4",
};

FIXTURE_VARIANT_ADD(split, legacy_virtual)
{
	.options = "mem=virtual:4 mem=virtual:4",
};

FIXTURE_VARIANT_ADD(split, phys) { .options = "mem=phys:4 mem=phys:4" };
FIXTURE_VARIANT_ADD(split, virtual) { .options = "ctx mem=virtual:4 mem=virtual:4" };
FIXTURE_VARIANT_ADD(split, fault) { .options = "ctx mem=context:4 mem=context:4" };

FIXTURE_SETUP(split)
{
	self->page = uiot_page();
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	self->p = uiot_map(self->fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, self->p);
}

FIXTURE_TEARDOWN(split)
{
	munmap(self->p, PAGES * self->page);
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(split, d1_unmapped_first_page)
{
	ASSERT_EQ(0, munmap(self->p, self->page));
	EXPECT_TOUCH(self->p, 1, KEPT);
	EXPECT_TOUCH(self->p, 3, KEPT);
}

TEST_F(split, d1_changed_protection)
{
	ASSERT_EQ(0, mprotect(self->p, self->page, PROT_READ));
	EXPECT_TOUCH(self->p, 0, KEPT);
	EXPECT_TOUCH(self->p, 1, KEPT);
	EXPECT_TOUCH(self->p, 3, KEPT);
}

TEST_F(split, d1_moved_second_page)
{
	void *to = uiot_move(self->p + self->page, 1);

	ASSERT_NE(MAP_FAIL, to);
	EXPECT_TOUCH(to - self->page, 1, KEPT);
	munmap(to, self->page);
}

TEST_F(split, unmapped_last_page)
{
	ASSERT_EQ(0, munmap(self->p + 3 * self->page, self->page));
	EXPECT_TOUCH(self->p, 0, KEPT);
	EXPECT_TOUCH(self->p, 2, KEPT);
}

/* Memory that was mapped as I/O memory is unmapped, even if the driver changes its type. */
TEST(region_that_has_become_memory)
{
	struct uiot_dev dev;
	__u32 word;
	void *p;
	int fd;

	UIOT_SETUP(&dev, "ctx mem=phys:1 mem=virtual:1");
	UIOT_OPEN(fd, &dev);
	p = uiot_map(fd, 0, 1, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	ASSERT_EQ(0, uiot_do(&dev, "retype"));
	ASSERT_EQ(0, uiot_do(&dev, "unregister"));
	EXPECT_EQ(SIGBUS, uiot_load_word(p, &word));
	munmap(p, uiot_page());
	close(fd);
	EXPECT_EQ(0, uiot_reset());
}

/* A driver changes its region while it is mapped. Only the pages that it still has are there. */
FIXTURE(change)
{
	struct uiot_dev dev;
	int fd;
	void *p;
};

FIXTURE_VARIANT(change)
{
	const char *options;
	const char *command;
	int left;		/* pages of 4 */
};

FIXTURE_VARIANT_ADD(change, smaller)
{
	.options = "ctx mem=virtual:4 mem=virtual:2", .command = "resize", .left = 2,
};

FIXTURE_VARIANT_ADD(change, no_type)
{
	.options = "ctx mem=virtual:4 mem=none:4", .command = "retype", .left = 0,
};

FIXTURE_SETUP(change)
{
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	self->p = uiot_map(self->fd, 0, 4, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, self->p);
}

FIXTURE_TEARDOWN(change)
{
	munmap(self->p, 4 * uiot_page());
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(change, pages_that_are_gone_are_sigbus)
{
	__u32 word;
	int i;

	ASSERT_EQ(0, uiot_do(&self->dev, variant->command));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(i < variant->left ? 0 : SIGBUS,
			  uiot_load_word(self->p + i * uiot_page(), &word)) {
			TH_LOG("page %d", i);
		}
	}
}

/* A walk, which the touch of the second page begins, stops before it. */
TEST(hole_in_a_region)
{
	struct uiot_dev dev;
	__u32 word;
	void *p;
	int fd, i;

	UIOT_SETUP(&dev, "ctx mem=hole:3");
	UIOT_OPEN(fd, &dev);
	p = uiot_map(fd, 0, 4, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, p);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, uiot_load_word(p + i * uiot_page(), &word));
		EXPECT_EQ(UIOT_WORD(0, i), word);
	}
	EXPECT_EQ(SIGBUS, uiot_load_word(p + 3 * uiot_page(), &word));
	munmap(p, 4 * uiot_page());
	close(fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_HARNESS_MAIN
