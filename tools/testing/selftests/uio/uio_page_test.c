// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: memory whose pages have no reference count of their own, defect D10 of mainline.
 * The tests fail there.
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

/* The next owner of freed pages writes this to them. */
#define CHURN_PAGES	256
#define CHURN_BYTE	0xa5

FIXTURE(page)
{
	struct uiot_dev dev;
	int fd;
	void *p;
	int log;
	bool context;
};

FIXTURE_VARIANT(page)
{
	const char *options;
	int pages;
};

#define PAGE(_name, _nr, _options)					\
	FIXTURE_VARIANT_ADD(page, _name) {				\
		.options = _options, .pages = _nr,			\
	}

/* the slab's own pages, and those of an allocation that is too large for it */
PAGE(slab_1_legacy, 1, "mem=slab:1");
PAGE(slab_1_context, 1, "ctx mem=slab:1");
PAGE(slab_2_legacy, 2, "mem=slab:2");
PAGE(slab_2_context, 2, "ctx mem=slab:2");
PAGE(slab_4_legacy, 4, "mem=slab:4");
PAGE(slab_4_context, 4, "ctx mem=slab:4");
/* order > 0, not compound: only the first has a count */
PAGE(block_2_legacy, 2, "mem=block:2");
PAGE(block_2_context, 2, "ctx mem=block:2");
PAGE(block_4_legacy, 4, "mem=block:4");
PAGE(block_4_context, 4, "ctx mem=block:4");

/* One CPU allocates first the pages that were last freed on it. */
static int stay_on_this_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

FIXTURE_SETUP(page)
{
	ASSERT_EQ(0, stay_on_this_cpu());
	UIOT_SETUP(&self->dev, variant->options);
	self->context = !strncmp(variant->options, "ctx", 3);
	UIOT_OPEN(self->fd, &self->dev);
	self->p = uiot_map(self->fd, 0, variant->pages, PROT_READ | PROT_WRITE,
			   MAP_SHARED);
	ASSERT_NE(MAP_FAIL, self->p);
	self->log = uiot_log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(page)
{
	close(self->fd);
	close(self->log);
	EXPECT_EQ(0, uiot_reset());
}

#define EXPECT_NO_SPLAT() do {						\
	char splat[128];						\
	bool seen = uiot_log_splat(self->log, splat, sizeof(splat));	\
									\
	ASSERT_FALSE(seen) {						\
		TH_LOG("%s", splat);					\
	}								\
} while (0)

#define PAGE_AT(_i) (self->p + (_i) * uiot_page())

#define EXPECT_DATA() do {						\
	__u32 word;							\
	int i;								\
									\
	for (i = 0; i < variant->pages; i++) {				\
		EXPECT_EQ(0, uiot_load_word(PAGE_AT(i), &word));	\
		EXPECT_EQ(UIOT_WORD(0, i), word);			\
	}								\
} while (0)

/* The same check from the driver's side. */
#define EXPECT_DRIVERS_DATA() do {					\
	int i;								\
									\
	for (i = 0; i < variant->pages; i++) {				\
		EXPECT_EQ(UIOT_WORD(0, i), uiot_peek(&self->dev, 0, i)) { \
			TH_LOG("page %d of the driver has foreign data", i); \
		}							\
	}								\
} while (0)

static void unmap(void *p, int pages)
{
	munmap(p, pages * uiot_page());
}

/* Allocates pages, as another process would, and so reuses the freed ones. */
static void churn(void)
{
	size_t size = CHURN_PAGES * uiot_page();
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAIL)
		return;
	memset(p, CHURN_BYTE, size);
	munmap(p, size);
}

TEST_F(page, d10_is_right_while_live)
{
	int i;

	EXPECT_DATA();
	for (i = 0; i < variant->pages; i++) {
		EXPECT_EQ(0, uiot_store_word(PAGE_AT(i), 0x1234 + i));
		EXPECT_EQ(0x1234u + i, uiot_peek(&self->dev, 0, i));
		ASSERT_EQ(0, uiot_poke(&self->dev, 0, i, UIOT_WORD(0, i)));
	}
	EXPECT_DATA();
	unmap(self->p, variant->pages);
	EXPECT_NO_SPLAT();
}

/* See uio_memtype_test.c. An allocation that is too large for the slab is compound. */
TEST_F(page, r8_private_mapping_needs_a_special_bit)
{
	bool counted = strstr(variant->options, "slab:4");
	void *p = uiot_map(self->fd, 0, variant->pages, PROT_READ, MAP_PRIVATE);
	__u32 word;

	if (counted || uiot_has_special_bit()) {
		ASSERT_EQ(0, uiot_load_word(p, &word));
		EXPECT_EQ(UIOT_WORD(0, 0), word);
		unmap(p, variant->pages);
	} else {
		EXPECT_EQ(MAP_FAIL, p);
		UIOT_EXPECT_ERRNO(EINVAL);
	}
	EXPECT_NO_SPLAT();
}

TEST_F(page, d10_is_gone_or_kept_after_unregister)
{
	__u32 word;
	int i;

	EXPECT_DATA();
	EXPECT_NO_SPLAT();
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_NO_SPLAT();
	churn();
	if (self->context)
		EXPECT_DATA();
	for (i = 0; !self->context && i < variant->pages; i++) {
		EXPECT_EQ(SIGBUS, uiot_load_word(PAGE_AT(i), &word)) {
			TH_LOG("page %d of freed memory is still mapped", i);
		}
	}
	EXPECT_EQ(!self->context, uiot_count(&self->dev, "frees"));
	unmap(self->p, variant->pages);
	close(self->fd);
	EXPECT_EQ(1, uiot_count(&self->dev, "frees"));
	churn();
	EXPECT_NO_SPLAT();
}

TEST_F(page, d10_is_the_drivers_after_munmap)
{
	int round;

	for (round = 0; round < 3; round++) {
		EXPECT_DATA();
		unmap(self->p, variant->pages);
		churn();
		EXPECT_DRIVERS_DATA();
		EXPECT_NO_SPLAT();
		self->p = uiot_map(self->fd, 0, variant->pages,
				   PROT_READ | PROT_WRITE, MAP_SHARED);
		ASSERT_NE(MAP_FAIL, self->p);
	}
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	unmap(self->p, variant->pages);
	EXPECT_NO_SPLAT();
}

static int nothing(void *arg, int what)
{
	(void)arg;
	return what;
}

TEST_F(page, d10_is_the_drivers_after_a_forked_copy_ends)
{
	struct uiot_child child;

	EXPECT_DATA();
	ASSERT_EQ(0, uiot_child_start(&child, nothing, NULL));
	ASSERT_EQ(0, uiot_child_end(&child));
	churn();
	EXPECT_DRIVERS_DATA();
	EXPECT_DATA();
	unmap(self->p, variant->pages);
	EXPECT_NO_SPLAT();
}

/* Makes devices that reuse the freed memory for other data. */
static int reuse(const char *options)
{
	struct uiot_dev devs[8];
	char others[64];
	int i, ret = 0;

	snprintf(others, sizeof(others), "mem=virtual:1 %s", strstr(options, "mem="));
	for (i = 0; !ret && i < 8; i++)
		ret = uiot_create(&devs[i], others);
	return ret;
}

/* A pipe can keep references to pages of the mapping for any time. */
TEST_F(page, d10_pipe_has_no_foreign_data)
{
	struct iovec iov = { .iov_len = uiot_page() };
	int pipefd[2];
	__u32 word[65536 / 4];
	int i, got = 0;

	EXPECT_DATA();
	ASSERT_EQ(0, pipe2(pipefd, O_CLOEXEC | O_NONBLOCK));
	for (i = 0; i < variant->pages; i++) {
		iov.iov_base = PAGE_AT(i);
		if (vmsplice(pipefd[1], &iov, 1, 0) > 0)
			got |= 1 << i;
	}
	EXPECT_NO_SPLAT();
	unmap(self->p, variant->pages);
	close(self->fd);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(1, uiot_count(&self->dev, "frees"));
	ASSERT_EQ(0, reuse(variant->options));
	churn();
	for (i = 0; i < variant->pages; i++) {
		if (!(got & 1 << i))
			continue;
		EXPECT_EQ(uiot_page(), read(pipefd[0], word, uiot_page()));
		EXPECT_EQ(UIOT_WORD(0, i), word[0]) {
			TH_LOG("a pipe has page %d with foreign data", i);
		}
	}
	close(pipefd[0]);
	close(pipefd[1]);
	EXPECT_NO_SPLAT();
}

TEST_HARNESS_MAIN
