// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: the memory of a live device. These tests also pass on mainline: existing users of
 * UIO must not notice a difference.
 */

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

/* Memory of each type. Region 1 is there to notice if it is mapped instead of region 0. */
FIXTURE(memory)
{
	struct uiot_dev dev;
	int fd;
	size_t page;
};

FIXTURE_VARIANT(memory)
{
	const char *options;
	bool is_io;
};

FIXTURE_VARIANT_ADD(memory, phys)
{
	.options = "mem=phys:4 mem=phys:2", .is_io = true,
};

FIXTURE_VARIANT_ADD(memory, iova)
{
	.options = "mem=iova:4 mem=iova:2", .is_io = true,
};

FIXTURE_VARIANT_ADD(memory, dma)
{
	.options = "mem=dma:4 mem=dma:2", .is_io = true,
};

FIXTURE_VARIANT_ADD(memory, logical)
{
	.options = "mem=logical:4 mem=logical:2",
};

FIXTURE_VARIANT_ADD(memory, virtual)
{
	.options = "mem=virtual:4 mem=virtual:2",
};

FIXTURE_VARIANT_ADD(memory, own_mmap)
{
	.options = "mmap mem=virtual:4 mem=virtual:2",
};

FIXTURE_SETUP(memory)
{
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	self->page = uiot_page();
}

FIXTURE_TEARDOWN(memory)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

static void *map_rw(int fd, int map, int pages)
{
	return uiot_map(fd, map, pages, PROT_READ | PROT_WRITE, MAP_SHARED);
}

TEST_F(memory, every_page_is_the_right_one)
{
	void *p = map_rw(self->fd, 0, 4);
	__u32 word;
	int i;

	ASSERT_NE(MAP_FAIL, p);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, uiot_load_word(p + i * self->page, &word));
		EXPECT_EQ(UIOT_WORD(0, i), word);
	}
}

/* With 32 bits, the core's numbers for files are not enough for so many. */
TEST_F(memory, r9_many_files_map_it)
{
	static int fds[UIOT_MANY_FILES];
	__u32 word;
	void *p;
	int i;

	for (i = 0; i < UIOT_MANY_FILES; i++) {
		UIOT_OPEN(fds[i], &self->dev);
		p = map_rw(fds[i], 0, 1);
		ASSERT_NE(MAP_FAIL, p) {
			TH_LOG("file %d: %s", i, strerror(errno));
		}
		ASSERT_EQ(0, uiot_load_word(p, &word));
		EXPECT_EQ(UIOT_WORD(0, 0), word);
	}
	while (i--)
		close(fds[i]);
}

TEST_F(memory, page_offset_selects_the_region)
{
	void *p = map_rw(self->fd, 1, 2);
	__u32 word;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	EXPECT_EQ(UIOT_WORD(1, 0), word);
	ASSERT_EQ(0, uiot_load_word(p + self->page, &word));
	EXPECT_EQ(UIOT_WORD(1, 1), word);
}

TEST_F(memory, user_write_is_seen_by_the_driver)
{
	void *p = map_rw(self->fd, 0, 4);

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_store_word(p + 2 * self->page, 0xcafe));
	EXPECT_EQ(0xcafe, uiot_peek(&self->dev, 0, 2));
}

TEST_F(memory, driver_write_is_seen_by_the_user)
{
	void *p = map_rw(self->fd, 0, 4);
	__u32 word;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p + self->page, &word));
	ASSERT_EQ(0, uiot_poke(&self->dev, 0, 1, 0xbeef));
	ASSERT_EQ(0, uiot_load_word(p + self->page, &word));
	EXPECT_EQ(0xbeef, word);
}

TEST_F(memory, two_mappings_share)
{
	void *p = map_rw(self->fd, 0, 4);
	void *q = map_rw(self->fd, 0, 4);
	__u32 word;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_NE(MAP_FAIL, q);
	ASSERT_EQ(0, uiot_store_word(p, 77));
	ASSERT_EQ(0, uiot_load_word(q, &word));
	EXPECT_EQ(77, word);
}

TEST_F(memory, private_mapping_reads_the_memory)
{
	void *p = uiot_map(self->fd, 0, 4, PROT_READ, MAP_PRIVATE);
	__u32 word;

	UIOT_SKIP_IF_REFUSED(p);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p + self->page, &word));
	EXPECT_EQ(UIOT_WORD(0, 1), word);
}

TEST_F(memory, private_mapping_keeps_writes_to_itself)
{
	void *p = uiot_map(self->fd, 0, 4, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	__u32 word;

	UIOT_SKIP_IF_REFUSED(p);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	ASSERT_EQ(0, uiot_store_word(p, 99));
	ASSERT_EQ(0, uiot_store_word(p + self->page, 99));
	ASSERT_EQ(0, uiot_load_word(p, &word));
	EXPECT_EQ(99, word);
	EXPECT_EQ(UIOT_WORD(0, 0), uiot_peek(&self->dev, 0, 0));
	EXPECT_EQ(UIOT_WORD(0, 1), uiot_peek(&self->dev, 0, 1));
}

TEST_F(memory, smaller_mapping_is_the_beginning)
{
	void *p = map_rw(self->fd, 0, 2);
	__u32 word;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p + self->page, &word));
	EXPECT_EQ(UIOT_WORD(0, 1), word);
}

TEST_F(memory, larger_mapping_is_einval)
{
	EXPECT_EQ(MAP_FAIL, map_rw(self->fd, 0, 5));
	UIOT_EXPECT_ERRNO(EINVAL);
	EXPECT_EQ(MAP_FAIL, map_rw(self->fd, 1, 3));
	UIOT_EXPECT_ERRNO(EINVAL);
}

TEST_F(memory, mapping_of_no_region_is_einval)
{
	EXPECT_EQ(MAP_FAIL, map_rw(self->fd, 2, 1));
	UIOT_EXPECT_ERRNO(EINVAL);
	EXPECT_EQ(MAP_FAIL, map_rw(self->fd, 5, 1));
	UIOT_EXPECT_ERRNO(EINVAL);
	EXPECT_EQ(MAP_FAIL, map_rw(self->fd, 1000, 1));
	UIOT_EXPECT_ERRNO(EINVAL);
}

TEST_F(memory, mapping_outlives_the_descriptor)
{
	void *p = map_rw(self->fd, 0, 4);
	__u32 word;

	ASSERT_NE(MAP_FAIL, p);
	close(self->fd);
	EXPECT_EQ(0, uiot_count(&self->dev, "releases"));
	EXPECT_EQ(0, uiot_load_word(p, &word));
	munmap(p, 4 * self->page);
	EXPECT_EQ(1, uiot_count(&self->dev, "releases"));
}

static int load_it(void *arg, int what)
{
	__u32 word = 0;

	return uiot_load_word(arg, &word) ? -EFAULT : (int)word - what;
}

TEST_F(memory, forked_mapping_shares)
{
	void *p = map_rw(self->fd, 0, 4);
	struct uiot_child child;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_store_word(p, 1234));
	ASSERT_EQ(0, uiot_child_start(&child, load_it, p));
	EXPECT_EQ(0, uiot_child_ask(&child, 1234));
	ASSERT_EQ(0, uiot_store_word(p, 5678));
	EXPECT_EQ(0, uiot_child_ask(&child, 5678));
	EXPECT_EQ(0, uiot_child_end(&child));
}

TEST_F(memory, moved_mapping_shares)
{
	void *p = map_rw(self->fd, 0, 4);
	__u32 word;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	p = uiot_move(p, 4);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	EXPECT_EQ(UIOT_WORD(0, 0), word);
	ASSERT_EQ(0, uiot_load_word(p + 3 * self->page, &word));
	EXPECT_EQ(UIOT_WORD(0, 3), word);
}

TEST_F(memory, mapping_can_not_grow)
{
	void *p = map_rw(self->fd, 0, 2);

	ASSERT_NE(MAP_FAIL, p);
	EXPECT_EQ(MAP_FAIL, mremap(p, 2 * self->page, 4 * self->page,
				   MREMAP_MAYMOVE));
	UIOT_EXPECT_ERRNO(EFAULT);
}

TEST_F(memory, system_call_can_use_the_address)
{
	void *p = map_rw(self->fd, 0, 4);
	__u32 word = 0;
	int fds[2];

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(4, write(fds[1], p, 4));
	EXPECT_EQ(4, read(fds[0], &word, 4));
	EXPECT_EQ(UIOT_WORD(0, 0), word);
}

/* mmap() maps all pages of I/O memory at once, from the region's address at that time. */
#define MANY	64

FIXTURE(present)
{
	struct uiot_dev dev;
	int fd;
};

FIXTURE_VARIANT(present)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(present, phys) { .options = "mem=phys:64 mem=phys:64" };
FIXTURE_VARIANT_ADD(present, iova) { .options = "mem=iova:64 mem=iova:64" };
FIXTURE_VARIANT_ADD(present, phys_ctx) { .options = "ctx mem=phys:64 mem=phys:64" };

FIXTURE_SETUP(present)
{
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
}

FIXTURE_TEARDOWN(present)
{
	munlockall();
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

/* Returns the number of page faults that a walk through all pages takes. */
static long faults_of_a_walk(const void *p)
{
	struct rusage before, after;
	__u32 sum = 0;
	int i;

	getrusage(RUSAGE_THREAD, &before);
	getrusage(RUSAGE_THREAD, &after);
	getrusage(RUSAGE_THREAD, &before);
	for (i = 0; i < MANY; i++)
		sum += *(const volatile __u32 *)(p + i * uiot_page());
	getrusage(RUSAGE_THREAD, &after);
	return sum ? after.ru_minflt + after.ru_majflt -
		     before.ru_minflt - before.ru_majflt : -1;
}

TEST_F(present, r3_no_fault_after_mmap)
{
	void *p = map_rw(self->fd, 0, MANY);

	ASSERT_NE(MAP_FAIL, p);
	EXPECT_EQ(0, faults_of_a_walk(p));
}

TEST_F(present, r3_no_fault_in_a_locked_process)
{
	void *p;

	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	p = map_rw(self->fd, 0, MANY);
	ASSERT_NE(MAP_FAIL, p);
	EXPECT_EQ(0, faults_of_a_walk(p));
}

TEST_F(present, r3_no_fault_with_map_populate)
{
	void *p = uiot_map(self->fd, 0, MANY, PROT_READ, MAP_SHARED | MAP_POPULATE);

	ASSERT_NE(MAP_FAIL, p);
	EXPECT_EQ(0, faults_of_a_walk(p));
}

TEST_F(present, r3_no_fault_in_a_private_mapping)
{
	void *p = uiot_map(self->fd, 0, MANY, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	UIOT_SKIP_IF_REFUSED(p);
	ASSERT_NE(MAP_FAIL, p);
	EXPECT_EQ(0, faults_of_a_walk(p));
}

static int faults_of_a_childs_walk(void *arg, int what)
{
	void **areas = arg;

	return faults_of_a_walk(areas[what]);
}

/* Some processors take a fault to note the first access: in any memory, so also there. */
TEST_F(present, r3_no_fault_in_a_child)
{
	void *p = map_rw(self->fd, 0, MANY);
	size_t size = MANY * uiot_page();
	void *other = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *areas[] = { other, other + size, p };
	struct uiot_child child;
	int usual;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_NE(MAP_FAIL, other);
	memset(other, 1, 2 * size);
	ASSERT_EQ(0, uiot_child_start(&child, faults_of_a_childs_walk, areas));
	/* the first walk also faults in the child's stack and code */
	uiot_child_ask(&child, 0);
	usual = uiot_child_ask(&child, 1);
	EXPECT_EQ(usual, uiot_child_ask(&child, 2));
	EXPECT_EQ(0, uiot_child_end(&child));
	munmap(other, 2 * size);
}

/* The core must still find each mapping after a child that shared it is gone. */
TEST_F(present, mapped_by_children_that_are_gone)
{
	struct uiot_op *child = uiot_op_alloc();
	int i;

	ASSERT_NE(MAP_FAIL, child);
	for (i = 0; i < 3; i++) {
		*child = (struct uiot_op){ .fn = uiot_op_mmap, .fd = self->fd,
					   .in_child = true };
		ASSERT_EQ(0, uiot_start(child));
		ASSERT_EQ(0, uiot_join(child, UIOT_SOON_MS));
		ASSERT_EQ(0, child->ret);
		ASSERT_NE(MAP_FAIL, map_rw(self->fd, 0, MANY));
	}
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
}

TEST_F(present, r5_window_that_moves)
{
	void *before = map_rw(self->fd, 0, 2), *after;
	__u32 word;

	ASSERT_NE(MAP_FAIL, before);
	ASSERT_EQ(0, uiot_do(&self->dev, "move"));
	after = map_rw(self->fd, 0, 2);
	ASSERT_NE(MAP_FAIL, after);
	ASSERT_EQ(0, uiot_load_word(before + uiot_page(), &word));
	EXPECT_EQ(UIOT_WORD(0, 1), word);
	ASSERT_EQ(0, uiot_load_word(after + uiot_page(), &word));
	EXPECT_EQ(UIOT_WORD(1, 1), word);
}

/* More pages than one touch maps. What a touch maps is aligned in memory. */
#define LARGE	40

FIXTURE(large)
{
	struct uiot_dev dev;
	int fd;
	void *space;
};

FIXTURE_VARIANT(large)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(large, phys) { .options = "mem=phys:40" };
FIXTURE_VARIANT_ADD(large, iova) { .options = "mem=iova:40" };
FIXTURE_VARIANT_ADD(large, logical) { .options = "mem=logical:40" };
FIXTURE_VARIANT_ADD(large, virtual) { .options = "mem=virtual:40" };
FIXTURE_VARIANT_ADD(large, fault) { .options = "ctx mem=context:40" };
FIXTURE_VARIANT_ADD(large, around) { .options = "ctx around mem=context:40" };

FIXTURE_SETUP(large)
{
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	self->space = mmap(NULL, 2 * LARGE * uiot_page(), PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAIL, self->space);
}

FIXTURE_TEARDOWN(large)
{
	munmap(self->space, 2 * LARGE * uiot_page());
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

/* Maps the whole region at page @at of the reserved addresses. */
static void *map_large(int fd, void *space, int at, int flags)
{
	return mmap(space + at * uiot_page(), LARGE * uiot_page(),
		    PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
}

/* Returns the number of wrong pages. */
static int wrong_pages(void *p, int stride)
{
	int i, page, wrong = 0;
	__u32 word;

	for (i = 0; i < LARGE; i++) {
		page = i * stride % LARGE;
		wrong += uiot_load_word(p + page * uiot_page(), &word) ||
			 word != UIOT_WORD(0, page);
	}
	return wrong;
}

TEST_F(large, pages_are_right_in_any_order)
{
	static const int strides[] = { 1, LARGE - 1, 3, 17 };
	unsigned int i;
	int at;

	for (i = 0; i < ARRAY_SIZE(strides); i++) {
		for (at = 0; at < 16; at += 5) {
			void *p = map_large(self->fd, self->space, at, MAP_SHARED);

			ASSERT_NE(MAP_FAIL, p);
			EXPECT_EQ(0, wrong_pages(p, strides[i])) {
				TH_LOG("stride %d from page %d", strides[i], at);
			}
		}
	}
}

TEST_F(large, private_copies_stay_what_they_are)
{
	void *p = map_large(self->fd, self->space, 0, MAP_PRIVATE);
	__u32 word;

	UIOT_SKIP_IF_REFUSED(p);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_store_word(p + 5 * uiot_page(), 42));
	EXPECT_EQ(1, wrong_pages(p, 1));
	ASSERT_EQ(0, uiot_load_word(p + 5 * uiot_page(), &word));
	EXPECT_EQ(42, word);
	EXPECT_EQ(UIOT_WORD(0, 5), uiot_peek(&self->dev, 0, 5));
}

TEST_F(large, touch_leaves_alone_what_was_unmapped)
{
	void *p = map_large(self->fd, self->space, 0, MAP_SHARED);
	__u32 word;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, munmap(p + 3 * uiot_page(), (LARGE - 3) * uiot_page()));
	ASSERT_EQ(0, uiot_load_word(p + uiot_page(), &word));
	EXPECT_EQ(UIOT_WORD(0, 1), word);
	ASSERT_EQ(0, uiot_load_word(p + 2 * uiot_page(), &word));
	EXPECT_EQ(UIOT_WORD(0, 2), word);
	EXPECT_EQ(SIGSEGV, uiot_load_word(p + 3 * uiot_page(), &word));
}

/*
 * Access by ptrace() and the like. The I/O memory has to be real, because the kernel
 * refuses this access if the pages are RAM.
 */
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
	bool writable;
};

FIXTURE_VARIANT_ADD(proc_mem, rom) { .options = "mem=rom:4" };
FIXTURE_VARIANT_ADD(proc_mem, logical)
{
	.options = "mem=logical:4", .writable = true,
};

FIXTURE_VARIANT_ADD(proc_mem, virtual)
{
	.options = "mem=virtual:4", .writable = true,
};

FIXTURE_SETUP(proc_mem)
{
	UIOT_SETUP(&self->dev, variant->options);
	if (!variant->writable && !uiot_has_ioremap_prot())
		SKIP(return, "no access to I/O memory by ptrace() on this machine");
	UIOT_OPEN(self->fd, &self->dev);
	self->p = map_rw(self->fd, 0, 4);
	ASSERT_NE(MAP_FAIL, self->p);
	self->mem = open("/proc/self/mem", O_RDWR);
	ASSERT_LE(0, self->mem);
}

FIXTURE_TEARDOWN(proc_mem)
{
	munmap(self->p, 4 * uiot_page());
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(proc_mem, reads_what_a_touch_reads)
{
	__u32 word = 0, touched = 1;

	ASSERT_EQ(0, uiot_load_word(self->p, &touched));
	EXPECT_EQ(4, pread(self->mem, &word, 4, (off_t)(uintptr_t)self->p));
	EXPECT_EQ(touched, word);
}

TEST_F(proc_mem, reads_a_page_that_was_not_touched)
{
	__u32 word = 0, touched = 1;
	void *p = self->p + uiot_page();

	EXPECT_EQ(4, pread(self->mem, &word, 4, (off_t)(uintptr_t)p));
	ASSERT_EQ(0, uiot_load_word(p, &touched));
	EXPECT_EQ(touched, word);
}

TEST_F(proc_mem, writes)
{
	__u32 word = 31;

	/* a write to ROM succeeds, without effect */
	EXPECT_EQ(4, pwrite(self->mem, &word, 4, (off_t)(uintptr_t)self->p));
	if (variant->writable)
		EXPECT_EQ(31, uiot_peek(&self->dev, 0, 0));
}

/* Calls of mmap() that have to fail. */
FIXTURE(refused)
{
	struct uiot_dev dev;
	int fd;
};

FIXTURE_VARIANT(refused)
{
	const char *options;
	int error;
};

FIXTURE_VARIANT_ADD(refused, none)
{
	.options = "mem=none:1", .error = EINVAL,
};

FIXTURE_VARIANT_ADD(refused, unaligned_phys)
{
	.options = "mem=phys:2 unaligned", .error = ENODEV,
};

FIXTURE_VARIANT_ADD(refused, unaligned_iova)
{
	.options = "mem=iova:2 unaligned", .error = ENODEV,
};

FIXTURE_VARIANT_ADD(refused, unaligned_dma)
{
	.options = "mem=dma:2 unaligned", .error = ENODEV,
};

FIXTURE_VARIANT_ADD(refused, more_than_a_short_phys)
{
	.options = "mem=phys:1 short", .error = EINVAL,
};

FIXTURE_VARIANT_ADD(refused, dma_without_a_device)
{
	.options = "mem=dma:1 nodevice", .error = ENODEV,
};

FIXTURE_SETUP(refused)
{
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
}

FIXTURE_TEARDOWN(refused)
{
	close(self->fd);
	uiot_reset();
}

TEST_F(refused, mmap_fails)
{
	EXPECT_EQ(MAP_FAIL, map_rw(self->fd, 0, 1));
	EXPECT_EQ(variant->error, errno);
}

TEST_HARNESS_MAIN
