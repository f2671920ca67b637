// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: how I/O memory is cached, and the memory types that the kernel reserves for it. An
 * R or C number in a test's name is the number of a former bug of this core that mainline
 * never had.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include <linux/uio_device.h>
#include "kselftest_harness.h"
#include "uio_testlib.h"

#define PAGES		4
/* Long enough for an unmap to race with fork and mremap many times. */
#define LOOP_SECONDS	3

/* Counts memory types reserved where only the tests have memory. x86 only. */
static int reserved(void)
{
	FILE *list = fopen("/sys/kernel/debug/x86/pat_memtype_list", "r");
	unsigned long long start;
	char line[128], *range;
	int nr = 0;

	if (!list)
		return 0;
	while (fgets(line, sizeof(line), list)) {
		range = strstr(line, "[mem 0x");
		start = range ? strtoull(range + strlen("[mem "), NULL, 16) : 0;
		nr += start >= 0x800000000ull && start < 0x1000000000ull;
	}
	fclose(list);
	return nr;
}

FIXTURE(type)
{
	struct uiot_dev dev;
	int before;
	int fd;
	void *p;
};

FIXTURE_VARIANT(type)
{
	const char *options;
	const char *caching;
};

FIXTURE_VARIANT_ADD(type, phys) { .options = "mem=far:4", .caching = "uc-" };
FIXTURE_VARIANT_ADD(type, iova) { .options = "mem=shared:4", .caching = "wb" };
FIXTURE_VARIANT_ADD(type, own)
{
	.options = "mmap remap mem=far:4", .caching = "wc",
};

FIXTURE_VARIANT_ADD(type, phys_ctx) { .options = "ctx mem=far:4", .caching = "uc-" };
FIXTURE_VARIANT_ADD(type, iova_ctx) { .options = "ctx mem=shared:4", .caching = "wb" };

FIXTURE_SETUP(type)
{
	/* what a failed test has left */
	self->before = reserved();
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	self->p = uiot_map(self->fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, self->p);
}

FIXTURE_TEARDOWN(type)
{
	munmap(self->p, PAGES * uiot_page());
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
	EXPECT_EQ(self->before, reserved()) {
		TH_LOG("a memory type stays reserved");
	}
}

TEST_F(type, r2_caching)
{
	char caching[16];
	int i, ret;

	for (i = 0; i < PAGES; i++) {
		ret = uiot_caching(self->p + i * uiot_page(), caching, sizeof(caching));
		if (ret == -EOPNOTSUPP)
			SKIP(return, "this machine's page tables are not looked into");
		ASSERT_EQ(0, ret);
		EXPECT_STREQ(variant->caching, caching);
	}
}

TEST_F(type, r2_caching_of_a_part)
{
	void *p = uiot_map(self->fd, 0, 1, PROT_READ, MAP_SHARED);
	char caching[16];
	int ret;

	ASSERT_NE(MAP_FAIL, p);
	ret = uiot_caching(p, caching, sizeof(caching));
	if (ret == -EOPNOTSUPP)
		SKIP(return, "this machine's page tables are not looked into");
	ASSERT_EQ(0, ret);
	EXPECT_STREQ(variant->caching, caching);
	munmap(p, uiot_page());
}

TEST_F(type, r6_private_copy_of_the_first_page)
{
	int log = uiot_log_open();
	char line[256];
	void *p = uiot_map(self->fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	UIOT_SKIP_IF_REFUSED(p);
	ASSERT_LE(0, log);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_store_word(p, 42));
	munmap(p, PAGES * uiot_page());
	EXPECT_FALSE(uiot_log_find(log, "invalid memtype", line, sizeof(line))) {
		TH_LOG("%s", line);
	}
	close(log);
}

/* mm could not tell its pages, and the core could not find it: see uio_mapping.h. */
TEST_F(type, r6_private_mapping_needs_a_special_bit)
{
	void *p = uiot_map(self->fd, 0, PAGES, PROT_READ, MAP_PRIVATE);

	if (uiot_has_special_bit() || strstr(variant->options, "mmap")) {
		EXPECT_NE(MAP_FAIL, p);
		munmap(p, PAGES * uiot_page());
	} else {
		EXPECT_EQ(MAP_FAIL, p);
		UIOT_EXPECT_ERRNO(EINVAL);
	}
}

TEST_F(type, r6_parts_are_unmapped_one_by_one)
{
	int i;

	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(0, munmap(self->p + i * uiot_page(), uiot_page()));
}

TEST_F(type, r6_a_child_has_it_longer)
{
	struct uiot_op *child = uiot_op_alloc();

	ASSERT_NE(MAP_FAIL, child);
	child->fn = uiot_op_read;
	child->fd = self->fd;
	child->in_child = true;
	ASSERT_EQ(0, uiot_start(child));
	ASSERT_EQ(0, uiot_wait_asleep(child));
	munmap(self->p, PAGES * uiot_page());
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(0, uiot_join(child, UIOT_SOON_MS));
}

/* The core removes a mapping while the process forks or moves it. */
FIXTURE(loop)
{
	struct uiot_dev dev;
	int before;
	struct uiot_op mover, forker;
	void *places;
	int fd;
};

FIXTURE_VARIANT(loop)
{
	const char *options;
	bool revoke;		/* by UIO_IOC_REVOKE, not by unregistration */
	int flags;
};

#define LOOP(_name, _options, _flags, ...)				\
	FIXTURE_VARIANT_ADD(loop, _name) {				\
		.options = _options, .flags = _flags, ##__VA_ARGS__	\
	}

LOOP(dma, "mem=dma:4", MAP_SHARED);
LOOP(dma_revoke, "mem=dma:4", MAP_SHARED, .revoke = true);
LOOP(phys, "mem=far:4", MAP_SHARED);
LOOP(phys_revoke, "mem=far:4", MAP_SHARED, .revoke = true);
LOOP(phys_private, "mem=far:4", MAP_PRIVATE);
LOOP(phys_private_revoke, "mem=far:4", MAP_PRIVATE, .revoke = true);
LOOP(iova, "ctx mem=shared:4", MAP_SHARED);
LOOP(iova_revoke, "ctx mem=shared:4", MAP_SHARED, .revoke = true);
LOOP(ram, "ctx mem=phys:4", MAP_SHARED);
LOOP(ram_revoke, "ctx mem=phys:4", MAP_SHARED, .revoke = true);
LOOP(own, "mmap remap mem=far:4", MAP_SHARED);
LOOP(own_revoke, "mmap remap mem=far:4", MAP_SHARED, .revoke = true);

/* op->events ends the loop; op->ret counts its rounds. */
static bool goes_on(struct uiot_op *op)
{
	op->ret++;
	__atomic_add_fetch((int *)op->text, 1, __ATOMIC_RELEASE);
	return !__atomic_load_n(&op->events, __ATOMIC_ACQUIRE);
}

/* Moves the mapping from the first of two places to the second, and back. */
static long move_it(struct uiot_op *op)
{
	size_t size = PAGES * uiot_page();
	void *from = op->addr, *to = op->addr + size, *moved;

	do {
		moved = mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		if (moved == MAP_FAILED)
			return -1;
		to = from;
		from = moved;
	} while (goes_on(op));
	return 0;
}

static long fork_it(struct uiot_op *op)
{
	pid_t pid;

	do {
		pid = fork();
		if (!pid)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
	} while (goes_on(op));
	return 0;
}

static bool has_begun(void *arg)
{
	return __atomic_load_n((int *)((struct uiot_op *)arg)->text, __ATOMIC_ACQUIRE) > 1;
}

FIXTURE_SETUP(loop)
{
	/* only cores with contexts pass, and only if they can have such a device */
	UIOT_SETUP(&self->dev, "ctx");
	UIOT_SETUP(&self->dev, variant->options);
	ASSERT_EQ(0, uiot_reset());
	self->before = reserved();
	self->places = mmap(NULL, 2 * PAGES * uiot_page(), PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAIL, self->places);
}

FIXTURE_TEARDOWN(loop)
{
	munmap(self->places, 2 * PAGES * uiot_page());
	EXPECT_EQ(0, uiot_reset());
	EXPECT_EQ(self->before, reserved()) {
		TH_LOG("a memory type stays reserved");
	}
}

static int start(struct uiot_op *op, long (*fn)(struct uiot_op *op), void *addr)
{
	*op = (struct uiot_op){ .fn = fn, .addr = addr };
	return uiot_start(op);
}

static int end(struct uiot_op *op)
{
	__atomic_store_n(&op->events, 1, __ATOMIC_RELEASE);
	return uiot_join(op, UIOT_SOON_MS);
}

static void round_of(struct __test_metadata *_metadata,
		     FIXTURE_DATA(loop) *self,
		     const FIXTURE_VARIANT(loop) *variant)
{
	size_t size = PAGES * uiot_page();
	void *p;

	ASSERT_EQ(0, uiot_create(&self->dev, variant->options));
	UIOT_OPEN(self->fd, &self->dev);
	p = mmap(self->places, size, PROT_READ | PROT_WRITE, variant->flags | MAP_FIXED,
		 self->fd, 0);
	ASSERT_EQ(self->places, p);
	ASSERT_EQ(0, start(&self->mover, move_it, p));
	ASSERT_EQ(0, start(&self->forker, fork_it, NULL));
	ASSERT_TRUE(uiot_wait_until(has_begun, &self->mover, UIOT_SOON_MS));
	ASSERT_TRUE(uiot_wait_until(has_begun, &self->forker, UIOT_SOON_MS));

	ASSERT_EQ(0, variant->revoke ? ioctl(self->fd, UIO_IOC_REVOKE, 0) :
				       uiot_do(&self->dev, "unregister"));

	ASSERT_EQ(0, end(&self->mover));
	ASSERT_EQ(0, end(&self->forker));
	EXPECT_EQ(0, self->mover.ret);
	EXPECT_EQ(0, self->forker.ret);
	/* keeps the addresses reserved */
	p = mmap(self->places, 2 * size, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(self->places, p);
	close(self->fd);
	ASSERT_EQ(0, uiot_reset());
}

TEST_F(loop, c9_taken_away)
{
	time_t until = time(NULL) + LOOP_SECONDS;
	int log = uiot_log_open();
	char text[128];

	if (variant->flags == MAP_PRIVATE && !uiot_has_special_bit())
		SKIP(return, UIOT_NO_SPECIAL_BIT);
	ASSERT_LE(0, log);
	while (time(NULL) < until)
		round_of(_metadata, self, variant);
	EXPECT_FALSE(uiot_log_splat(log, text, sizeof(text))) {
		TH_LOG("%s", text);
	}
	close(log);
}

TEST_HARNESS_MAIN
