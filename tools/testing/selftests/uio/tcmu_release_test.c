// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCMU: a device is deleted while user space has its ring open or mapped. The devices
 * have no daemon, and do not wait for one. A D number in a test's name is the number of a
 * defect of mainline: the test fails there.
 */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"
#include "uio_testlib_tcmu.h"

static bool rings_are(void *arg)
{
	return uiot_tcmu_rings() == *(int *)arg;
}

#define EXPECT_RINGS(_nr) \
	EXPECT_TRUE(uiot_wait_until(rings_are, &(int){ _nr }, UIOT_SOON_MS)) { \
		TH_LOG("ring is freed while it is held, or is not freed"); \
	}

/* One device. Its ring is mapped, and the first page is present. */
FIXTURE(ring)
{
	struct uiot_tcmu tcmu;
	int fd;
	void *p;
};

FIXTURE_SETUP(ring)
{
	__u32 word;

	UIOT_NEED(uiot_tcmu_setup());
	ASSERT_EQ(0, uiot_tcmu_create(&self->tcmu, "one"));
	self->fd = uiot_open(&self->tcmu.uio, O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = uiot_tcmu_map(&self->tcmu, self->fd);
	ASSERT_NE(MAP_FAIL, self->p);
	ASSERT_EQ(0, uiot_load_word(self->p, &word));
}

FIXTURE_TEARDOWN(ring)
{
	munmap(self->p, self->tcmu.size);
	close(self->fd);
	uiot_tcmu_delete_all();
}

TEST_F(ring, is_one_open_file_at_a_time)
{
	EXPECT_EQ(-EBUSY, uiot_open(&self->tcmu.uio, O_RDWR));
}

TEST_F(ring, live_pages_can_be_touched)
{
	__u32 word;

	EXPECT_EQ(0, uiot_load_word(self->p + uiot_page(), &word));
	EXPECT_EQ(0, uiot_store_word(self->p + uiot_page(), 5));
	/* no request has used the data area yet */
	EXPECT_EQ(SIGBUS, uiot_load_word(self->p + self->tcmu.size - uiot_page(),
					 &word));
}

/*
 * The second of two touches in a row maps several pages, but does not wait for one that is
 * locked, because a fault is about to map it.
 */
TEST_F(ring, page_that_is_locked_is_not_waited_for)
{
	size_t page = uiot_page();
	struct uiot_op holder = {
		.fn = uiot_op_load, .addr = self->p + 8 * page, .thread_name = UIOT_WINDOW,
	};
	__u32 word;
	bool held;

	UIOT_TCMU_SKIP_ON_MAINLINE();
	ASSERT_EQ(0, uiot_window_arm(false));
	ASSERT_EQ(0, uiot_start(&holder));
	ASSERT_TRUE(uiot_window_hit());
	EXPECT_EQ(0, uiot_load_word(self->p + 6 * page, &word));
	EXPECT_EQ(0, uiot_load_word(self->p + 7 * page, &word));
	held = uiot_window_go();
	ASSERT_EQ(0, uiot_join(&holder, UIOT_SOON_MS));
	UIOT_SKIP_IF_LATE(held);
	EXPECT_EQ(0, holder.ret);
}

TEST_F(ring, delete_does_not_wait_for_the_holder)
{
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(-1, access(self->tcmu.uio.node, F_OK));
}

TEST_F(ring, present_page_is_unchanged_after_delete)
{
	__u32 before = 0, after = 1;

	ASSERT_EQ(0, uiot_load_word(self->p, &before));
	ASSERT_NE(0, before);
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(0, uiot_load_word(self->p, &after));
	EXPECT_EQ(before, after);
	EXPECT_EQ(0, uiot_store_word(self->p + 128, 1));
}

TEST_F(ring, d18_absent_page_is_sigbus_after_delete)
{
	__u32 word;

	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(SIGBUS, uiot_load_word(self->p + uiot_page(), &word)) {
		TH_LOG("page gets mapped");
	}
}

TEST_F(ring, read_is_eio_after_delete)
{
	__s32 event;

	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(-1, read(self->fd, &event, 4));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F(ring, d13_write_is_eio_after_delete)
{
	__s32 on = 1;

	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(-1, write(self->fd, &on, 4));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F(ring, d13_mmap_is_eio_after_delete)
{
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(MAP_FAIL, uiot_tcmu_map(&self->tcmu, self->fd));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F(ring, poll_is_hup_and_err_after_delete)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };

	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	UIOT_EXPECT_HANGUP(pfd.revents);
}

TEST_F(ring, open_is_enodev_after_delete)
{
	struct stat st;
	char node[64];
	int fd;

	ASSERT_EQ(0, stat(self->tcmu.uio.node, &st));
	snprintf(node, sizeof(node), "/dev/stale-%d", getpid());
	ASSERT_EQ(0, mknod(node, S_IFCHR | 0600, st.st_rdev));
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	fd = open(node, O_RDWR);
	EXPECT_EQ(-1, fd);
	UIOT_EXPECT_ERRNO(ENODEV);
	unlink(node);
}

TEST_F(ring, delete_wakes_read_and_poll)
{
	struct uiot_op reader = { .fn = uiot_op_read, .fd = self->fd };
	struct uiot_op poller = { .fn = uiot_op_poll, .fd = self->fd };

	ASSERT_EQ(0, uiot_start(&reader));
	ASSERT_EQ(0, uiot_start(&poller));
	ASSERT_EQ(0, uiot_wait_asleep(&reader));
	ASSERT_EQ(0, uiot_wait_asleep(&poller));
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	ASSERT_EQ(0, uiot_join(&reader, UIOT_SOON_MS));
	ASSERT_EQ(0, uiot_join(&poller, UIOT_SOON_MS));
	EXPECT_EQ(-EIO, reader.ret);
	UIOT_EXPECT_HANGUP(poller.events);
}

struct view {
	void *p;
	__u32 word;
};

/* Returns 0 if the page is unchanged. */
static int touch_view(void *arg, int what)
{
	struct view *view = arg;
	__u32 word = 0;

	if (what)
		return uiot_load_word(view->p + what * uiot_page(), &word);
	return uiot_load_word(view->p, &word) ? -EFAULT : word != view->word;
}

TEST_F(ring, d18_forked_copy_is_the_same_after_delete)
{
	struct view view = { .p = self->p };
	struct uiot_child child;

	ASSERT_EQ(0, uiot_load_word(self->p, &view.word));
	ASSERT_EQ(0, uiot_child_start(&child, touch_view, &view));
	ASSERT_EQ(0, uiot_child_ask(&child, 0));
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(0, uiot_child_ask(&child, 0));
	EXPECT_EQ(SIGBUS, uiot_child_ask(&child, 3)) {
		TH_LOG("page gets mapped");
	}
	EXPECT_EQ(0, uiot_child_end(&child));
}

TEST_F(ring, fdinfo_shows_its_memory)
{
	const struct tcmu_mailbox *mailbox = self->p;
	long long ring = mailbox->cmdr_off + mailbox->cmdr_size;
	long long size = self->tcmu.size;

	EXPECT_EQ(ring, uiot_fdinfo_number(self->fd, "tcmu-ring-bytes"));
	/* no request has used the data area yet */
	EXPECT_EQ(0, uiot_fdinfo_number(self->fd, "tcmu-data-bytes"));
	EXPECT_EQ(size, uiot_fdinfo_number(self->fd, "uio-mapped-0"));
}

/* What is mapped belongs to the mapping. */
TEST_F(ring, fdinfo_shows_no_memory_after_delete)
{
	long long size = self->tcmu.size;
	char state[16] = "";

	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(0, uiot_fdinfo_number(self->fd, "tcmu-ring-bytes"));
	EXPECT_EQ(0, uiot_fdinfo_number(self->fd, "tcmu-data-bytes"));
	EXPECT_EQ(size, uiot_fdinfo_number(self->fd, "uio-mapped-0"));
	EXPECT_EQ(0, uiot_fdinfo(self->fd, "uio-state", state, sizeof(state)));
	EXPECT_STREQ("drained", state);
}

/* A daemon that also serves other devices may prefer zeros to being killed. */
FIXTURE(sink)
{
	struct uiot_tcmu tcmu;
	int fd;
	void *p;
};

FIXTURE_SETUP(sink)
{
	UIOT_NEED(uiot_tcmu_setup());
	if (uiot_tcmu_param("revoked_fault", "zero"))
		SKIP(return, "this core has no contexts");
	ASSERT_EQ(0, uiot_tcmu_create(&self->tcmu, "one"));
	self->fd = uiot_open(&self->tcmu.uio, O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = uiot_tcmu_map(&self->tcmu, self->fd);
	ASSERT_NE(MAP_FAIL, self->p);
}

FIXTURE_TEARDOWN(sink)
{
	munmap(self->p, self->tcmu.size);
	close(self->fd);
	uiot_tcmu_delete_all();
	EXPECT_EQ(0, uiot_tcmu_param("revoked_fault", "sigbus"));
}

TEST_F(sink, absent_page_is_zeros_after_delete)
{
	__u32 before = 0, word = 1;

	ASSERT_EQ(0, uiot_load_word(self->p, &before));
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(0, uiot_load_word(self->p + self->tcmu.size - uiot_page(), &word));
	EXPECT_EQ(0, word);
	EXPECT_EQ(0, uiot_load_word(self->p, &word));
	EXPECT_EQ(before, word);
}

TEST_F(sink, live_device_has_none)
{
	__u32 word;

	EXPECT_EQ(SIGBUS, uiot_load_word(self->p + self->tcmu.size - uiot_page(),
					 &word));
}

TEST_F(sink, nothing_else_can_be_chosen)
{
	char text[16];

	EXPECT_EQ(-EINVAL, uiot_tcmu_param("revoked_fault", "ones"));
	ASSERT_EQ(0, uiot_read_file("/sys/module/target_core_user/parameters/revoked_fault",
				    text, sizeof(text)));
	EXPECT_STREQ("zero\n", text);
}

/* The ways in which user space can hold a device. */
struct hold {
	int fd;
	void *p;
	size_t size;
	struct uiot_child child;
};

FIXTURE(held)
{
	struct uiot_tcmu tcmu;
	struct hold hold;
};

FIXTURE_VARIANT(held)
{
	/* gets a descriptor and a mapping, keeps what it holds the device by, drops the rest */
	int (*take)(struct hold *hold);
	void (*drop)(struct hold *hold);
};

static int nothing(void *arg, int what)
{
	(void)arg;
	return what;
}

static int take_descriptor(struct hold *hold)
{
	return munmap(hold->p, hold->size) ? -errno : 0;
}

static void drop_descriptor(struct hold *hold)
{
	close(hold->fd);
}

static int take_mapping(struct hold *hold)
{
	return close(hold->fd) ? -errno : 0;
}

static void drop_mapping(struct hold *hold)
{
	munmap(hold->p, hold->size);
}

static int take_page(struct hold *hold)
{
	size_t page = uiot_page();
	int ret = take_mapping(hold);

	return !ret && munmap(hold->p + page, hold->size - page) ? -errno : ret;
}

static int take_child(struct hold *hold)
{
	int ret = uiot_child_start(&hold->child, nothing, NULL);

	close(hold->fd);
	munmap(hold->p, hold->size);
	return ret;
}

static void drop_child(struct hold *hold)
{
	uiot_child_end(&hold->child);
}

#define HELD(_take, _drop)						\
	FIXTURE_VARIANT_ADD(held, _take) {				\
		.take = take_ ## _take, .drop = drop_ ## _drop,		\
	}

HELD(descriptor, descriptor);
HELD(mapping, mapping);
HELD(page, mapping);
HELD(child, child);

FIXTURE_SETUP(held)
{
	__u32 word;

	UIOT_NEED(uiot_tcmu_setup());
	EXPECT_RINGS(0);
	ASSERT_EQ(0, uiot_tcmu_create(&self->tcmu, "one"));
	self->hold.fd = uiot_open(&self->tcmu.uio, O_RDWR);
	ASSERT_LE(0, self->hold.fd);
	self->hold.size = self->tcmu.size;
	self->hold.p = uiot_tcmu_map(&self->tcmu, self->hold.fd);
	ASSERT_NE(MAP_FAIL, self->hold.p);
	ASSERT_EQ(0, uiot_load_word(self->hold.p, &word));
	ASSERT_EQ(0, variant->take(&self->hold));
}

FIXTURE_TEARDOWN(held)
{
	uiot_tcmu_delete_all();
}

TEST_F(held, d24_ring_is_freed_at_the_delete)
{
	EXPECT_RINGS(1);
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_RINGS(0);
	variant->drop(&self->hold);
	EXPECT_RINGS(0);
}

TEST_F(held, ring_lives_on_with_the_device)
{
	variant->drop(&self->hold);
	usleep(UIOT_WHILE_MS * 1000);
	EXPECT_RINGS(1);
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_RINGS(0);
}

TEST_F(held, module_is_pinned_while_held)
{
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	ASSERT_EQ(0, rmdir(UIOT_TCMU_HBA));
	EXPECT_EQ(-EAGAIN, uiot_module_remove("target_core_user"));
	variant->drop(&self->hold);
	EXPECT_TRUE(uiot_module_goes("target_core_user", UIOT_SOON_MS));
}

TEST_F(held, name_can_be_used_again)
{
	struct uiot_tcmu next;
	int fd;

	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	ASSERT_EQ(0, uiot_tcmu_create(&next, "one"));
	fd = uiot_open(&next.uio, O_RDWR);
	EXPECT_LE(0, fd);
	variant->drop(&self->hold);
	/* the last user of the old device is gone, and the new device is still in use */
	EXPECT_EQ(-EBUSY, uiot_open(&next.uio, O_RDWR));
	EXPECT_RINGS(1);
	close(fd);
	ASSERT_EQ(0, uiot_tcmu_delete(&next));
	EXPECT_RINGS(0);
}

TEST_HARNESS_MAIN
