// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: revoke, drain and the time in between, as the driver sees it; and calls that the
 * core refuses. A core without contexts skips these tests.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <linux/uio_device.h>
#include "kselftest_harness.h"
#include "uio_testlib.h"

/* A device whose user is in one of the driver's callbacks. */
FIXTURE(inside)
{
	struct uiot_dev dev;
	struct uiot_op *user;
	struct uiot_op driver;
	int fd;
	int other_fd;
};

FIXTURE_VARIANT(inside)
{
	const char *options;
	const char *stall;
	long (*fn)(struct uiot_op *op);
	bool in_child;
	long ret;
	int kicks;
};

FIXTURE_VARIANT_ADD(inside, open_legacy)
{
	.options = "mem=virtual:1", .stall = "stall open", .fn = uiot_op_open,
};

FIXTURE_VARIANT_ADD(inside, open)
{
	.kicks = 1, .options = "ctx mem=virtual:1", .stall = "stall open",
	.fn = uiot_op_open,
};

FIXTURE_VARIANT_ADD(inside, irqcontrol_legacy)
{
	.options = "mem=virtual:1", .stall = "stall irqcontrol",
	.fn = uiot_op_write, .ret = 4,
};

FIXTURE_VARIANT_ADD(inside, irqcontrol)
{
	.kicks = 1, .options = "ctx mem=virtual:1", .stall = "stall irqcontrol",
	.fn = uiot_op_write, .ret = 4,
};

FIXTURE_VARIANT_ADD(inside, release)
{
	.kicks = 1, .options = "ctx mem=virtual:1", .stall = "stall release",
	.fn = uiot_op_close,
};

FIXTURE_VARIANT_ADD(inside, mmap)
{
	.options = "mmap mem=virtual:1", .stall = "stall mmap",
	.fn = uiot_op_mmap, .in_child = true,
};

FIXTURE_VARIANT_ADD(inside, fault)
{
	.kicks = 1, .options = "ctx mem=context:1", .stall = "stall fault",
	.fn = uiot_op_load, .in_child = true,
};

FIXTURE_SETUP(inside)
{
	struct uiot_dev probe;

	UIOT_SETUP(&probe, "ctx");
	ASSERT_EQ(0, uiot_create(&self->dev, variant->options));
	UIOT_OPEN(self->fd, &self->dev);
	UIOT_OPEN(self->other_fd, &self->dev);

	self->user = uiot_op_alloc();
	ASSERT_NE((void *)-1, self->user);
	self->user->fn = variant->fn;
	self->user->in_child = variant->in_child;
	self->user->fd = self->fd;
	if (variant->fn == uiot_op_load) {
		self->user->addr = uiot_map(self->fd, 0, 1, PROT_READ, MAP_SHARED);
		ASSERT_NE((void *)-1, self->user->addr);
	}
	snprintf(self->user->text, sizeof(self->user->text), "%s", self->dev.node);
	ASSERT_EQ(0, uiot_do(&self->dev, variant->stall));
	ASSERT_EQ(0, uiot_start(self->user));
	ASSERT_TRUE(uiot_count_becomes(&self->dev, "inside", 1));
}

FIXTURE_TEARDOWN(inside)
{
	uiot_do(&self->dev, "resume");
	EXPECT_EQ(0, uiot_reset());
}

static void make_cmd(struct uiot_op *op, const struct uiot_dev *dev,
		     const char *verb, const char *arg)
{
	op->fn = uiot_op_cmd;
	snprintf(op->text, sizeof(op->text), "%s %s %s", verb, dev->name, arg);
}

static int start_cmd(struct uiot_op *op, const struct uiot_dev *dev,
		     const char *verb, const char *arg)
{
	make_cmd(op, dev, verb, arg);
	return uiot_start(op);
}

/* The user's call began before the revoke, so it succeeds. */
#define EXPECT_USER_DONE() do {						\
	ASSERT_EQ(0, uiot_join(self->user, UIOT_SOON_MS));		\
	if (variant->fn == uiot_op_open) {				\
		EXPECT_LE(0, self->user->ret);				\
	} else {							\
		EXPECT_EQ(variant->ret, self->user->ret);		\
	}								\
} while (0)

TEST_F(inside, unregister_waits_for_it)
{
	ASSERT_EQ(0, start_cmd(&self->driver, &self->dev, "unregister", "keep"));
	ASSERT_EQ(0, uiot_wait_asleep(&self->driver));
	EXPECT_EQ(-ETIMEDOUT, uiot_join(&self->driver, UIOT_WHILE_MS));
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	ASSERT_EQ(0, uiot_join(&self->driver, UIOT_SOON_MS));
	EXPECT_EQ(0, self->driver.ret);
	EXPECT_EQ(0, uiot_count(&self->dev, "inside"));
	EXPECT_USER_DONE();
}

TEST_F(inside, revoke_does_not_wait)
{
	ASSERT_EQ(0, start_cmd(&self->driver, &self->dev, "revoke", ""));
	ASSERT_EQ(0, uiot_join(&self->driver, UIOT_SOON_MS));
	EXPECT_EQ(1, uiot_count(&self->dev, "inside"));
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	EXPECT_USER_DONE();
}

TEST_F(inside, drain_waits_for_it)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "revoke"));
	ASSERT_EQ(0, start_cmd(&self->driver, &self->dev, "drain", ""));
	ASSERT_EQ(0, uiot_wait_asleep(&self->driver));
	EXPECT_EQ(-ETIMEDOUT, uiot_join(&self->driver, UIOT_WHILE_MS));
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	ASSERT_EQ(0, uiot_join(&self->driver, UIOT_SOON_MS));
	EXPECT_USER_DONE();
}

TEST_F(inside, context_is_kicked_at_once)
{
	ASSERT_EQ(0, start_cmd(&self->driver, &self->dev, "unregister", "keep"));
	ASSERT_EQ(0, uiot_wait_asleep(&self->driver));
	EXPECT_EQ(variant->kicks, uiot_count(&self->dev, "kicks"));
	EXPECT_EQ(1, uiot_count(&self->dev, "inside"));
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	ASSERT_EQ(0, uiot_join(&self->driver, UIOT_SOON_MS));
	EXPECT_USER_DONE();
}

TEST_F(inside, kick_can_end_the_wait)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "kickable"));
	ASSERT_EQ(0, start_cmd(&self->driver, &self->dev, "unregister", "keep"));
	if (!variant->kicks) {
		ASSERT_EQ(0, uiot_wait_asleep(&self->driver));
		ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	}
	ASSERT_EQ(0, uiot_join(&self->driver, UIOT_SOON_MS));
	EXPECT_USER_DONE();
}

TEST_F(inside, sleepers_wake_while_unregister_waits)
{
	struct uiot_op sleeper = { .fn = uiot_op_read, .fd = self->other_fd };

	ASSERT_EQ(0, uiot_start(&sleeper));
	ASSERT_EQ(0, uiot_wait_asleep(&sleeper));
	ASSERT_EQ(0, start_cmd(&self->driver, &self->dev, "unregister", "keep"));
	ASSERT_EQ(0, uiot_join(&sleeper, UIOT_SOON_MS));
	EXPECT_EQ(-EIO, sleeper.ret);
	EXPECT_EQ(1, uiot_count(&self->dev, "inside"));
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	ASSERT_EQ(0, uiot_join(&self->driver, UIOT_SOON_MS));
	EXPECT_USER_DONE();
}

TEST_F(inside, other_device_is_not_delayed)
{
	struct uiot_dev other;
	__s32 on = 1;
	int fd;

	ASSERT_EQ(0, start_cmd(&self->driver, &self->dev, "unregister", "keep"));
	ASSERT_EQ(0, uiot_wait_asleep(&self->driver));

	ASSERT_EQ(0, uiot_create(&other, "ctx"));
	fd = uiot_open(&other, O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(4, write(fd, &on, 4));
	close(fd);
	ASSERT_EQ(0, uiot_do(&other, "unregister"));
	EXPECT_EQ(1, uiot_count(&other, "frees"));
	EXPECT_EQ(1, uiot_count(&self->dev, "inside"));
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	ASSERT_EQ(0, uiot_join(&self->driver, UIOT_SOON_MS));
	EXPECT_USER_DONE();
}

TEST_F(inside, revoke_frees_nothing)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "revoke"));
	EXPECT_EQ(0, uiot_count(&self->dev, "frees"));
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	EXPECT_USER_DONE();
	EXPECT_EQ(0, uiot_count(&self->dev, "frees"));
}

/*
 * A process that has mapped the device. It now sleeps in another device's mmap callback,
 * with its mmap_lock held. For these kinds of memory, mmap() inserts the pages, so the core
 * waits for each mmap() of the device. It must not wait for that of another device.
 */
FIXTURE(busy)
{
	struct uiot_dev dev;
	struct uiot_dev other;
	struct uiot_op *user;
	struct uiot_op owner;
};

FIXTURE_VARIANT(busy)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(busy, dma) { .options = "ctx mem=dma:1" };
FIXTURE_VARIANT_ADD(busy, own_mmap) { .options = "mmap mem=virtual:1" };

/* Maps the device, and then the one whose path is in text. */
static long map_and_map_other(struct uiot_op *op)
{
	long ret = uiot_op_mmap(op);
	int fd;

	if (ret)
		return ret;
	fd = uiot_op_open(op);
	if (fd < 0)
		return -1;
	return uiot_map(fd, 0, 1, PROT_READ, MAP_SHARED) == MAP_FAIL ? -1 : 0;
}

static long revoke_file(struct uiot_op *op)
{
	return ioctl(op->fd, UIO_IOC_REVOKE, 0);
}

FIXTURE_SETUP(busy)
{
	struct uiot_dev probe;

	UIOT_SETUP(&probe, "ctx");
	if (!uiot_has_vma_locks())
		SKIP(return, "without per-VMA locks, the core can't tell the two apart");
	UIOT_SETUP(&self->dev, variant->options);
	ASSERT_EQ(0, uiot_create(&self->other, "mmap mem=virtual:1"));
	ASSERT_EQ(0, uiot_do(&self->other, "stall mmap"));

	self->user = uiot_op_alloc();
	ASSERT_NE(MAP_FAIL, self->user);
	self->user->fn = map_and_map_other;
	self->user->in_child = true;
	UIOT_OPEN(self->user->fd, &self->dev);
	snprintf(self->user->text, sizeof(self->user->text), "%s", self->other.node);
	ASSERT_EQ(0, uiot_start(self->user));
	ASSERT_TRUE(uiot_count_becomes(&self->other, "inside", 1));
}

FIXTURE_TEARDOWN(busy)
{
	uiot_do(&self->other, "resume");
	EXPECT_EQ(0, uiot_reset());
}

#define EXPECT_OWNER_DONE_AND_USER_NOT() do {				\
	ASSERT_EQ(0, uiot_join(&self->owner, UIOT_SOON_MS));		\
	EXPECT_EQ(0, self->owner.ret);					\
	EXPECT_EQ(1, uiot_count(&self->other, "inside"));		\
	ASSERT_EQ(0, uiot_do(&self->other, "resume"));			\
	ASSERT_EQ(0, uiot_join(self->user, UIOT_SOON_MS));		\
	EXPECT_EQ(0, self->user->ret);					\
} while (0)

TEST_F(busy, process_does_not_delay_unregister)
{
	ASSERT_EQ(0, start_cmd(&self->owner, &self->dev, "unregister", "keep"));
	EXPECT_OWNER_DONE_AND_USER_NOT();
}

TEST_F(busy, process_does_not_delay_the_revoke_of_a_file)
{
	self->owner.fn = revoke_file;
	self->owner.fd = self->user->fd;
	ASSERT_EQ(0, uiot_start(&self->owner));
	EXPECT_OWNER_DONE_AND_USER_NOT();
}

/*
 * A page can get into a page table after revoke has cleared it, because a call that
 * inserts pages was already under way. drain and UIO_IOC_REVOKE have to remove that page.
 */
FIXTURE(straggler)
{
	struct uiot_dev dev;
	struct user *user;
	struct uiot_op driver;
};

/* Where the user of the device is while it is revoked. */
enum where {
	FAULT,		/* before the page is inserted */
	FAULT_AFTER,	/* after that, but still in the fault handler */
	GET_PAGES,	/* in the driver's get_pages() */
	DRIVER,		/* in the driver's own mmap() */
	BEFORE,		/* in the core's mmap(), before the core knows of the mmap() */
	AFTER,		/* after that, but nobody can find the mapping yet */
};

FIXTURE_VARIANT(straggler)
{
	const char *options;
	enum where where;
	bool walks;		/* inserts several pages */
	bool kept;		/* revoke leaves present pages mapped */
	int faults;		/* calls of get_pages() */
};

#define STRAGGLER(_name, _options, _where, ...)				\
	FIXTURE_VARIANT_ADD(straggler, _name) {				\
		.options = _options, .where = _where, ##__VA_ARGS__	\
	}

STRAGGLER(legacy_virtual, "mem=virtual:4", FAULT);
STRAGGLER(legacy_virtual_after, "mem=virtual:4", FAULT_AFTER);
STRAGGLER(legacy_walk, "mem=virtual:4", FAULT, .walks = true);
STRAGGLER(legacy_walk_after, "mem=virtual:4", FAULT_AFTER, .walks = true);
STRAGGLER(legacy_slab, "mem=slab:4", FAULT);
STRAGGLER(legacy_slab_after, "mem=slab:4", FAULT_AFTER);
STRAGGLER(virtual, "ctx mem=virtual:4", FAULT, .kept = true);
STRAGGLER(virtual_after, "ctx mem=virtual:4", FAULT_AFTER, .kept = true);
STRAGGLER(context, "ctx mem=context:4", FAULT, .kept = true, .faults = 1);
STRAGGLER(context_after, "ctx mem=context:4", FAULT_AFTER, .kept = true, .faults = 1);
STRAGGLER(context_driver, "ctx mem=context:4", GET_PAGES, .kept = true, .faults = 1);
STRAGGLER(legacy_phys_before, "mem=phys:1", BEFORE);
STRAGGLER(legacy_phys, "mem=phys:1", AFTER);
STRAGGLER(phys_before, "ctx mem=phys:1", BEFORE);
STRAGGLER(phys, "ctx mem=phys:1", AFTER);
STRAGGLER(iova, "ctx mem=iova:1", AFTER);
STRAGGLER(dma, "ctx mem=dma:1", AFTER);
STRAGGLER(own_mmap, "mmap mem=virtual:1", DRIVER);
STRAGGLER(mmap, "mmap populate mem=virtual:1", DRIVER);

#define PAGES		4
#define UNDER_WAY	(-1)

/**
 * struct user - a process that maps the device, in shared memory
 * @op: the first thread, which is held up
 * @walks: the first thread touches two pages, and is held up at the second
 * @page: the page that it touches
 * @first: the result of the touch, or UNDER_WAY
 * @hits: number of uiot_window_hits() when the page has been inserted
 * @pipe: the second thread writes the page to it, when asked: this touches the page
 *	without a signal, because both threads would share the handler
 * @asked: how often the test has asked the second thread
 * @answered: how often the second thread has answered
 * @answer: its last answer: 0 or a negative error code
 */
struct user {
	struct uiot_op op;
	bool walks;
	void *page;
	int first;
	int hits;
	int pipe[2];
	int asked;
	int answered;
	int answer;
};

/* Maps, waits until op->events is set, and touches the page. */
static long map_wait_touch(struct uiot_op *op)
{
	__u32 word;
	long ret = uiot_op_mmap(op);

	if (ret)
		return ret;
	while (!__atomic_load_n(&op->events, __ATOMIC_ACQUIRE))
		usleep(1000);
	return uiot_load_word(op->addr, &word);
}

static void *touch_when_asked(void *arg)
{
	struct user *user = arg;
	int n;

	for (n = 1; ; n++) {
		while (__atomic_load_n(&user->asked, __ATOMIC_ACQUIRE) < n)
			usleep(1000);
		user->answer = write(user->pipe[1], user->page, 4) < 0 ? -errno : 0;
		__atomic_store_n(&user->answered, n, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* The window has to hold up the first touch, but not mmap(). So the name is set late. */
static long map_touch_wait_touch(struct uiot_op *op)
{
	struct user *user = (struct user *)op;
	pthread_t other;
	__u32 word;
	int first;

	user->page = uiot_map(op->fd, 0, PAGES, PROT_READ, MAP_SHARED);
	if (user->page == MAP_FAIL)
		return -1;
	if (pthread_create(&other, NULL, touch_when_asked, user))
		return -EAGAIN;
	if (user->walks) {
		uiot_load_word(user->page, &word);
		user->page += uiot_page();
	}
	prctl(PR_SET_NAME, UIOT_WINDOW);
	first = uiot_load_word(user->page, &word);
	__atomic_store_n(&user->first, first, __ATOMIC_RELEASE);

	while (!__atomic_load_n(&op->events, __ATOMIC_ACQUIRE))
		usleep(1000);
	return uiot_load_word(user->page, &word);
}

static bool has_answered(void *arg)
{
	struct user *user = arg;

	return __atomic_load_n(&user->answered, __ATOMIC_ACQUIRE) == user->asked;
}

/* Asks whether the second thread can use the page now. Returns 0 or -EFAULT. */
static int ask_user(struct user *user)
{
	__atomic_store_n(&user->asked, user->asked + 1, __ATOMIC_RELEASE);
	return uiot_wait_until(has_answered, user, UIOT_SOON_MS) ? user->answer :
								   -ETIMEDOUT;
}

static bool is_fault(enum where where)
{
	return where == FAULT || where == FAULT_AFTER || where == GET_PAGES;
}

FIXTURE_SETUP(straggler)
{
	struct uiot_dev probe;
	int ret;

	UIOT_SETUP(&probe, "ctx");
	ret = uiot_create(&self->dev, variant->options);
	if (ret == -EOPNOTSUPP)
		SKIP(return, "this kernel's drivers cannot insert pages in mmap");
	ASSERT_EQ(0, ret);
#ifdef __riscv
	if (variant->where == BEFORE)
		SKIP(return, "mutex_unlock() can't be probed on this machine");
#endif
	self->user = mmap(NULL, sizeof(*self->user), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAIL, self->user);
	ASSERT_EQ(0, pipe(self->user->pipe));
	self->user->walks = variant->walks;
	self->user->first = UNDER_WAY;
	self->user->op.fn = is_fault(variant->where) ? map_touch_wait_touch :
						       map_wait_touch;
	if (variant->where == BEFORE || variant->where == AFTER)
		self->user->op.thread_name = UIOT_WINDOW;
	self->user->op.in_child = true;
	UIOT_OPEN(self->user->op.fd, &self->dev);
}

FIXTURE_TEARDOWN(straggler)
{
	uiot_window_go();
	EXPECT_EQ(0, uiot_reset());
}

static const char *stall_of(enum where where)
{
	return where == DRIVER ? "stall mmap" :
	       where == GET_PAGES ? "stall fault" : NULL;
}

/* The driver holds up a user that is in it. The window then holds up the user again. */
static void hold_user(struct __test_metadata *_metadata,
		      FIXTURE_DATA(straggler) *self,
		      const FIXTURE_VARIANT(straggler) *variant)
{
	const char *stall = stall_of(variant->where);

	ASSERT_EQ(0, uiot_window_arm(variant->where != FAULT && variant->where != BEFORE));
	if (stall)
		ASSERT_EQ(0, uiot_do(&self->dev, stall));
	ASSERT_EQ(0, uiot_start(&self->user->op));
	ASSERT_TRUE(stall ? uiot_count_becomes(&self->dev, "inside", 1) :
			    uiot_window_hit());
}

static bool is_behind_or_over(void *arg)
{
	struct user *user = arg;

	return uiot_window_hits() == user->hits ||
	       __atomic_load_n(&user->first, __ATOMIC_ACQUIRE) != UNDER_WAY;
}

/*
 * Lets the user insert the page, and holds it up again behind that. Returns false if the
 * user had gone on by itself.
 */
static bool let_user_insert(FIXTURE_DATA(straggler) *self, enum where where)
{
	bool held = !uiot_window_late();

	if (stall_of(where)) {
		held = uiot_count(&self->dev, "inside") == 1;
		uiot_do(&self->dev, "resume");
	}
	if (where == FAULT || where == GET_PAGES) {
		self->user->hits = where == FAULT ? 2 : 1;
		uiot_window_move();
		uiot_wait_until(is_behind_or_over, self->user, UIOT_SOON_MS);
	}
	return held;
}

/**
 * struct found - what the test has seen while it revoked the device
 * @held: the user did not go on too early
 * @waited: -ETIMEDOUT: the revoker waited for the user; 0: it did not
 * @behind: the second thread's answer after the revoker has returned, while the user
 *	is still behind the insertion
 * @after: the second thread's answer after both have gone on
 */
struct found {
	bool held;
	int waited;
	int behind;
	int after;
};

/* Holds up the user while the driver revokes. @waits: the driver has to wait for the user. */
static void revoke_meanwhile(struct __test_metadata *_metadata,
			     FIXTURE_DATA(straggler) *self,
			     const FIXTURE_VARIANT(straggler) *variant,
			     bool waits, struct found *found)
{
	bool fault = is_fault(variant->where);

	found->behind = -EFAULT;
	found->after = -EFAULT;
	hold_user(_metadata, self, variant);
	ASSERT_EQ(0, uiot_start(&self->driver));
	/* give the driver time to fall asleep */
	if (waits)
		uiot_wait_asleep(&self->driver);
	found->waited = uiot_wait_done(&self->driver, waits ? UIOT_WHILE_MS :
							      UIOT_SOON_MS);
	found->held = let_user_insert(self, variant->where);
	if (fault && !uiot_wait_done(&self->driver, 0))
		found->behind = ask_user(self->user);

	found->held &= uiot_window_go();
	ASSERT_EQ(0, uiot_join(&self->driver, UIOT_SOON_MS));
	if (fault)
		found->after = ask_user(self->user);
	__atomic_store_n(&self->user->op.events, 1, __ATOMIC_RELEASE);
	ASSERT_EQ(0, uiot_join(&self->user->op, UIOT_SOON_MS));
}

TEST_F(straggler, page_is_gone_after_unregister)
{
	struct found found;

	make_cmd(&self->driver, &self->dev, "unregister", "keep");
	revoke_meanwhile(_metadata, self, variant, true, &found);
	UIOT_SKIP_IF_LATE(found.held);
	EXPECT_EQ(-ETIMEDOUT, found.waited);
	EXPECT_EQ(0, self->driver.ret);
	EXPECT_EQ(variant->kept ? 0 : -EFAULT, found.after);
	EXPECT_EQ(variant->kept ? 0 : SIGBUS, self->user->op.ret);
	EXPECT_EQ(variant->faults, uiot_count(&self->dev, "faults"));
}

static bool its_file_waits(enum where where)
{
	return where == FAULT || where == FAULT_AFTER || where == AFTER;
}

/* The ioctl waits for calls that are in the core, but not for those in the driver. */
TEST_F(straggler, c3_page_is_gone_after_its_file)
{
	bool waits = its_file_waits(variant->where);
	struct found found;

	self->driver.fn = revoke_file;
	self->driver.fd = self->user->op.fd;
	revoke_meanwhile(_metadata, self, variant, waits, &found);
	UIOT_SKIP_IF_LATE(found.held);
	EXPECT_EQ(waits ? -ETIMEDOUT : 0, found.waited);
	EXPECT_EQ(0, self->driver.ret);
	EXPECT_EQ(-EFAULT, found.behind);
	EXPECT_EQ(-EFAULT, found.after);
	/* a user whose mmap() was under way has no mapping */
	EXPECT_EQ(waits || is_fault(variant->where) ? SIGBUS : -ENODEV,
		  self->user->op.ret);
	if (variant->where == GET_PAGES)
		EXPECT_EQ(SIGBUS, self->user->first);
	EXPECT_EQ(variant->faults, uiot_count(&self->dev, "faults"));
}

/* A device with nobody in its callbacks. */
FIXTURE(device)
{
	struct uiot_dev dev;
	int fd;
};

FIXTURE_VARIANT(device)
{
	const char *options;
	bool context;
};

FIXTURE_VARIANT_ADD(device, legacy) { .options = "mem=virtual:1" };
FIXTURE_VARIANT_ADD(device, context)
{
	.options = "ctx mem=virtual:1", .context = true,
};

FIXTURE_SETUP(device)
{
	struct uiot_dev probe;

	UIOT_SETUP(&probe, "ctx");
	ASSERT_EQ(0, uiot_create(&self->dev, variant->options));
	UIOT_OPEN(self->fd, &self->dev);
}

FIXTURE_TEARDOWN(device)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(device, revoked_device_behaves_as_gone)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	__s32 word = 1;
	char buf[64];

	ASSERT_EQ(0, uiot_do(&self->dev, "revoke"));
	EXPECT_EQ(-ENODEV, uiot_open(&self->dev, O_RDWR));
	EXPECT_EQ(-ENODEV, uiot_sysfs(&self->dev, "name", buf, sizeof(buf)));
	EXPECT_EQ(-ENODEV, uiot_sysfs(&self->dev, "maps/map0/name", buf, sizeof(buf)));
	EXPECT_EQ(-EIO, uiot_sigio_on(self->fd));
	EXPECT_EQ(-1, read(self->fd, &word, 4));
	UIOT_EXPECT_ERRNO(EIO);
	EXPECT_EQ(-1, write(self->fd, &word, 4));
	UIOT_EXPECT_ERRNO(EIO);
	EXPECT_EQ((void *)-1, uiot_map(self->fd, 0, 1, PROT_READ, MAP_SHARED));
	UIOT_EXPECT_ERRNO(EIO);
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	UIOT_EXPECT_HANGUP(pfd.revents);
}

TEST_F(device, revoke_twice_is_revoke)
{
	ASSERT_EQ(0, uiot_sigio_on(self->fd));
	EXPECT_EQ(0, uiot_do(&self->dev, "revoke"));
	EXPECT_EQ(0, uiot_do(&self->dev, "revoke"));
	EXPECT_EQ(variant->context, uiot_count(&self->dev, "kicks"));
	EXPECT_EQ(POLL_HUP, uiot_sigio_wait(UIOT_SOON_MS));
	EXPECT_EQ(-EAGAIN, uiot_sigio_wait(UIOT_WHILE_MS));
}

TEST_F(device, unregister_after_revoke_and_drain)
{
	EXPECT_EQ(0, uiot_do(&self->dev, "revoke"));
	EXPECT_EQ(0, uiot_do(&self->dev, "drain"));
	EXPECT_EQ(0, uiot_do(&self->dev, "drain"));
	EXPECT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(variant->context, uiot_count(&self->dev, "kicks"));
	EXPECT_EQ(!variant->context, uiot_count(&self->dev, "frees"));
}

TEST_F(device, notify_between_revoke_and_unregister_is_ignored)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };

	ASSERT_EQ(0, uiot_do(&self->dev, "revoke"));
	EXPECT_EQ(0, uiot_do(&self->dev, "notify"));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	UIOT_EXPECT_HANGUP(pfd.revents);
}

TEST_F(device, unregister_kicks_once)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister keep"));
	EXPECT_EQ(variant->context, uiot_count(&self->dev, "kicks"));
}

TEST_F(device, drain_of_an_idle_device_returns)
{
	EXPECT_EQ(0, uiot_do(&self->dev, "revoke"));
	EXPECT_EQ(0, uiot_do(&self->dev, "drain"));
}

/* An interrupt that arrives during revoke or drain, or between them. */
TEST_F(device, interrupt_after_revoke_is_no_event)
{
	struct pollfd pfd = { .events = POLLIN };
	struct uiot_dev irq;

	ASSERT_EQ(0, uiot_create(&irq, variant->context ? "ctx irq=real" :
							  "irq=real"));
	pfd.fd = uiot_open(&irq, O_RDWR);
	ASSERT_LE(0, pfd.fd);
	ASSERT_EQ(0, uiot_do(&irq, "revoke"));
	uiot_do(&irq, "interrupt");
	/* on PREEMPT_RT a thread handles it */
	EXPECT_TRUE(uiot_count_becomes(&irq, "interrupts", 1));
	ASSERT_EQ(0, uiot_do(&irq, "drain"));
	uiot_do(&irq, "interrupt");
	EXPECT_EQ(1, uiot_count(&irq, "interrupts"));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	UIOT_EXPECT_HANGUP(pfd.revents);
	close(pfd.fd);
}

/* Wrong uses of a context, which the core refuses. */
FIXTURE(context)
{
	struct uiot_dev dev;
	int fd;
};

FIXTURE_SETUP(context)
{
	UIOT_SETUP(&self->dev, "ctx mem=virtual:1");
	UIOT_OPEN(self->fd, &self->dev);
}

FIXTURE_TEARDOWN(context)
{
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(context, registering_a_used_context_is_ebusy)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister keep"));
	EXPECT_EQ(-EBUSY, uiot_do(&self->dev, "register"));
	close(self->fd);
	EXPECT_EQ(-EBUSY, uiot_do(&self->dev, "register"));
}

TEST_F(context, registering_a_registered_context_is_ebusy)
{
	__s32 on = 1;

	EXPECT_EQ(-EBUSY, uiot_do(&self->dev, "register-again"));
	/* the registered device still works */
	EXPECT_EQ(4, write(self->fd, &on, 4));
}

TEST_F(context, with_mmap_callback_is_einval)
{
	struct uiot_dev both;

	EXPECT_EQ(-EINVAL, uiot_create(&both, "ctx mmap mem=virtual:1"));
	EXPECT_EQ(0, uiot_create(&both, "mmap mem=virtual:1"));
}

TEST_F(context, failed_registration_frees_it_once)
{
	struct uiot_dev both;

	EXPECT_EQ(-EINVAL, uiot_create(&both, "ctx mmap mem=virtual:1"));
	EXPECT_EQ(1, uiot_count(&both, "frees"));
}

TEST_HARNESS_MAIN
