// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: when the core calls the driver's release and the context's release, and what stays
 * pinned until then. A D number in a test's name is the number of a defect of mainline:
 * the test fails there.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

#define PAGES		4

/* The ways in which user space can hold a device. */
struct hold {
	int fd;
	int other_fd;
	void *p;
	struct uiot_child child;
	struct uiot_uring ring;
};

FIXTURE(held)
{
	struct uiot_dev dev;
	struct hold hold;
	bool context;
};

FIXTURE_VARIANT(held)
{
	/* makes the hold from hold->fd, and then closes that */
	int (*take)(struct hold *hold);
	void (*drop)(struct hold *hold);
	bool other_node;
};

static int take_fd(struct hold *hold)
{
	(void)hold;
	return 0;
}

static void drop_fd(struct hold *hold)
{
	close(hold->fd);
}

static int take_dup(struct hold *hold)
{
	hold->other_fd = dup(hold->fd);
	close(hold->fd);
	return hold->other_fd < 0 ? -errno : 0;
}

static void drop_other_fd(struct hold *hold)
{
	close(hold->other_fd);
}

static int nothing(void *arg, int what)
{
	(void)arg;
	return what;
}

static int take_child(struct hold *hold)
{
	int ret = uiot_child_start(&hold->child, nothing, NULL);

	close(hold->fd);
	return ret;
}

static void drop_child(struct hold *hold)
{
	uiot_child_end(&hold->child);
}

/* A message that nobody has received holds the descriptor. */
static int take_message(struct hold *hold)
{
	int pair[2];
	int ret;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -errno;

	ret = uiot_send_fd(pair[0], hold->fd);
	close(pair[0]);
	close(hold->fd);
	hold->other_fd = pair[1];
	return ret;
}

static int take_received(struct hold *hold)
{
	int ret = take_message(hold);
	int sock = hold->other_fd;

	if (ret)
		return ret;
	hold->other_fd = uiot_recv_fd(sock);
	close(sock);
	return hold->other_fd < 0 ? hold->other_fd : 0;
}

static int take_mapping(struct hold *hold)
{
	hold->p = uiot_map(hold->fd, 0, PAGES, PROT_READ, MAP_SHARED);
	close(hold->fd);
	return hold->p == MAP_FAIL ? -errno : 0;
}

static void drop_mapping(struct hold *hold)
{
	munmap(hold->p, PAGES * uiot_page());
}

static int take_private_mapping(struct hold *hold)
{
	hold->p = uiot_map(hold->fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	close(hold->fd);
	return hold->p == MAP_FAIL || uiot_store_word(hold->p, 1) ? -EFAULT : 0;
}

static int take_both(struct hold *hold)
{
	hold->p = uiot_map(hold->fd, 0, PAGES, PROT_READ, MAP_SHARED);
	return hold->p == MAP_FAIL ? -errno : 0;
}

static void drop_both(struct hold *hold)
{
	close(hold->fd);
	drop_mapping(hold);
}

/* The file is registered with an io_uring. */
static int take_ring(struct hold *hold)
{
	int ret = uiot_uring_open(&hold->ring);

	if (!ret)
		ret = uiot_uring_keep(&hold->ring, hold->fd);
	close(hold->fd);
	return ret;
}

static void drop_ring(struct hold *hold)
{
	uiot_uring_forget(&hold->ring);
	uiot_uring_close(&hold->ring);
}

static int touch(void *p)
{
	__u32 word;

	return uiot_load_word(p, &word) ? -EFAULT : 0;
}

static int take_present_mapping(struct hold *hold)
{
	int ret = take_mapping(hold);

	return ret ? ret : touch(hold->p);
}

static int take_forked_mapping(struct hold *hold)
{
	int ret = take_present_mapping(hold);

	if (!ret)
		ret = uiot_child_start(&hold->child, nothing, NULL);
	drop_mapping(hold);
	return ret;
}

static int take_moved_mapping(struct hold *hold)
{
	int ret = take_present_mapping(hold);

	if (ret)
		return ret;
	hold->p = uiot_move(hold->p, PAGES);
	return hold->p == MAP_FAIL ? -errno : 0;
}

static int take_piece_of_mapping(struct hold *hold)
{
	int ret = take_present_mapping(hold);

	if (ret)
		return ret;
	munmap(hold->p, uiot_page());
	munmap(hold->p + 2 * uiot_page(), 2 * uiot_page());
	return 0;
}

#define HELD(_take, _drop)						\
	FIXTURE_VARIANT_ADD(held, _take) {				\
		.take = take_ ## _take, .drop = drop_ ## _drop,		\
	}

HELD(fd, fd);
HELD(dup, other_fd);
HELD(child, child);
HELD(message, other_fd);
HELD(received, other_fd);
HELD(ring, ring);
HELD(both, both);
HELD(mapping, mapping);
HELD(private_mapping, mapping);
HELD(present_mapping, mapping);
HELD(forked_mapping, child);
HELD(moved_mapping, mapping);
HELD(piece_of_mapping, mapping);

FIXTURE_VARIANT_ADD(held, mapping_of_another_node)
{
	.take = take_present_mapping,
	.drop = drop_mapping,
	.other_node = true,
};

/* Mainline has no contexts, so D5 is tested without one. */
FIXTURE_SETUP(held)
{
	int ret;

	UIOT_NEED(uiot_reset());
	self->context = true;
	ret = uiot_create(&self->dev, "ctx mem=virtual:4 mem=phys:1");
	if (ret == -EOPNOTSUPP) {
		self->context = false;
		ret = uiot_create(&self->dev, "mem=virtual:4 mem=phys:1");
	}
	ASSERT_EQ(0, ret);
	self->hold.fd = variant->other_node ?
			uiot_open_other_node(&self->dev, O_RDWR) :
			uiot_open(&self->dev, O_RDWR);
	ASSERT_LE(0, self->hold.fd);
	ASSERT_EQ(0, variant->take(&self->hold));
}

FIXTURE_TEARDOWN(held)
{
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(held, d5_release_is_called_once_for_the_open)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(0, uiot_count(&self->dev, "releases"));
	variant->drop(&self->hold);
	EXPECT_EQ(1, uiot_count(&self->dev, "releases")) {
		TH_LOG("release is not called");
	}
	EXPECT_EQ(1, uiot_count(&self->dev, "opens"));
}

TEST_F(held, release_of_a_live_device)
{
	EXPECT_EQ(0, uiot_count(&self->dev, "releases"));
	variant->drop(&self->hold);
	EXPECT_EQ(1, uiot_count(&self->dev, "releases"));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(1, uiot_count(&self->dev, "releases"));
	EXPECT_EQ(1, uiot_count(&self->dev, "frees"));
}

TEST_F(held, context_is_released_with_the_last_holder)
{
	if (!self->context) {
		/* left to exit(), a ring would keep the file for a while */
		variant->drop(&self->hold);
		SKIP(return, "this core has no contexts");
	}

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(0, uiot_count(&self->dev, "frees"));
	variant->drop(&self->hold);
	EXPECT_EQ(1, uiot_count(&self->dev, "frees"));
}

TEST_F(held, context_waits_for_the_driver_too)
{
	if (!self->context) {
		/* left to exit(), a ring would keep the file for a while */
		variant->drop(&self->hold);
		SKIP(return, "this core has no contexts");
	}

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister keep"));
	variant->drop(&self->hold);
	EXPECT_EQ(1, uiot_count(&self->dev, "releases"));
	EXPECT_EQ(0, uiot_count(&self->dev, "frees"));
	ASSERT_EQ(0, uiot_do(&self->dev, "put"));
	EXPECT_EQ(1, uiot_count(&self->dev, "frees"));
}

TEST_F(held, module_is_pinned_while_held)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(1, uiot_module_refs("uio_test"));
	EXPECT_EQ(-EAGAIN, uiot_module_remove("uio_test"));
	variant->drop(&self->hold);
	EXPECT_TRUE(uiot_module_goes("uio_test", UIOT_SOON_MS));
}

TEST_F(held, minor_is_free_while_held)
{
	struct uiot_dev next;

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	ASSERT_EQ(0, uiot_create(&next, ""));
	EXPECT_STREQ(self->dev.node, next.node);
	variant->drop(&self->hold);
	ASSERT_EQ(0, uiot_do(&next, "notify"));
}

/* Several files. */
FIXTURE(files)
{
	struct uiot_dev dev;
	bool context;
};

FIXTURE_SETUP(files)
{
	int ret;

	UIOT_NEED(uiot_reset());
	self->context = true;
	ret = uiot_create(&self->dev, "ctx mem=virtual:4");
	if (ret == -EOPNOTSUPP) {
		self->context = false;
		ret = uiot_create(&self->dev, "mem=virtual:4");
	}
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(files)
{
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(files, d5_release_for_each_open)
{
	int fds[8];
	int i;

	for (i = 0; i < 8; i++) {
		fds[i] = uiot_open(&self->dev, O_RDWR);
		ASSERT_LE(0, fds[i]);
	}
	close(fds[0]);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(1, uiot_count(&self->dev, "releases"));
	for (i = 1; i < 8; i++) {
		EXPECT_EQ(0, self->context ? uiot_count(&self->dev, "frees") : 0);
		close(fds[i]);
		EXPECT_EQ(i + 1, uiot_count(&self->dev, "releases")) {
			TH_LOG("release is not called");
		}
	}
	EXPECT_EQ(1, uiot_count(&self->dev, "frees"));
}

TEST_F(files, legacy_release_is_skipped_as_today)
{
	struct uiot_dev legacy;
	int fd;

	ASSERT_EQ(0, uiot_create(&legacy, "mem=virtual:4"));
	fd = uiot_open(&legacy, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, uiot_do(&legacy, "unregister"));
	EXPECT_EQ(1, uiot_count(&legacy, "frees"));
	close(fd);
	EXPECT_EQ(0, uiot_count(&legacy, "releases"));
}

TEST_F(files, failed_open_is_not_released)
{
	if (!self->context)
		SKIP(return, "this core has no contexts");

	ASSERT_EQ(0, uiot_set(&self->dev, "open_errno", ENXIO));
	EXPECT_EQ(-ENXIO, uiot_open(&self->dev, O_RDWR));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(0, uiot_count(&self->dev, "releases"));
	EXPECT_EQ(1, uiot_count(&self->dev, "frees"));
}

TEST_F(files, many_generations_at_once)
{
	struct uiot_dev devs[16];
	int fds[16];
	int i;

	if (!self->context)
		SKIP(return, "this core has no contexts");

	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	for (i = 0; i < 16; i++) {
		ASSERT_EQ(0, uiot_create(&devs[i], "ctx mem=virtual:1"));
		fds[i] = uiot_open(&devs[i], O_RDWR);
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, uiot_do(&devs[i], "unregister"));
	}
	for (i = 0; i < 16; i++) {
		close(fds[i]);
		EXPECT_EQ(1, uiot_count(&devs[i], "frees"));
	}
}

TEST_HARNESS_MAIN
