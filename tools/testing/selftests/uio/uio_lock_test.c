// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: which locks the core holds when it calls a driver, as the driver and lockdep see
 * it. A D number in a test's name is the number of a defect of mainline: the test fails
 * there.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

/* Makes the driver's callback run; the device is open as fd. */
static int call_open(const struct uiot_dev *dev, int fd)
{
	int other = uiot_open(dev, O_RDWR);

	(void)fd;
	if (other < 0)
		return other;
	close(other);
	return 0;
}

static int call_irqcontrol(const struct uiot_dev *dev, int fd)
{
	__s32 on = 1;

	(void)dev;
	return write(fd, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* A driver whose callbacks take locks. */
FIXTURE(callback)
{
	struct uiot_dev dev;
	struct uiot_dev other;
	int fd;
	int log;
	bool lockdep;
};

FIXTURE_VARIANT(callback)
{
	const char *options;
	const char *name;
	int (*call)(const struct uiot_dev *dev, int fd);
};

#define CALLBACK(_name, _driver, _options, _call)			\
	FIXTURE_VARIANT_ADD(callback, _name ## _ ## _driver) {		\
		.options = _options "mem=virtual:1", .name = #_name,	\
		.call = call_ ## _call,					\
	}

CALLBACK(open, legacy, "", open);
CALLBACK(open, context, "ctx ", open);
CALLBACK(release, legacy, "", open);
CALLBACK(release, context, "ctx ", open);
CALLBACK(irqcontrol, legacy, "", irqcontrol);
CALLBACK(irqcontrol, context, "ctx ", irqcontrol);

FIXTURE_SETUP(callback)
{
	int on = uiot_lockdep_on();

	UIOT_SETUP(&self->dev, variant->options);
	if (on == 0)
		SKIP(return, "lockdep has ended with an earlier report");
	self->lockdep = on == 1;
	ASSERT_EQ(0, uiot_create(&self->other, variant->options));
	UIOT_OPEN(self->fd, &self->dev);
	self->log = uiot_log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(callback)
{
	close(self->fd);
	close(self->log);
	EXPECT_EQ(0, uiot_reset());
}

#define ACT(_what) \
	ASSERT_EQ(0, uiot_cmd("act %s %s:%s", self->dev.name, variant->name, _what))

#define MAP_AND_TOUCH() do {						\
	void *p = uiot_map(self->fd, 0, 1, PROT_READ, MAP_SHARED);	\
	__u32 word;							\
									\
	ASSERT_NE(MAP_FAIL, p);						\
	EXPECT_EQ(0, uiot_load_word(p, &word));				\
	munmap(p, uiot_page());						\
} while (0)

#define EXPECT_NO_REPORT() do {						\
	char report[128] = "";						\
									\
	if (self->lockdep) {						\
		uiot_log_splat(self->log, report, sizeof(report));	\
		EXPECT_EQ(1, uiot_lockdep_on()) {			\
			TH_LOG("lockdep: %s", report);			\
		}							\
	}								\
} while (0)

TEST_F(callback, d11_may_take_the_lock_of_the_address_space)
{
	if (!self->lockdep)
		SKIP(return, "this kernel has no lockdep");

	MAP_AND_TOUCH();
	ACT("mmap");
	EXPECT_EQ(0, variant->call(&self->dev, self->fd));
	MAP_AND_TOUCH();
	EXPECT_NO_REPORT();
}

/* Many system calls copy from or to user space with the rtnl lock held. */
TEST_F(callback, d11_may_take_rtnl)
{
	if (!self->lockdep)
		SKIP(return, "this kernel has no lockdep");

	ACT("rtnl");
	EXPECT_EQ(0, variant->call(&self->dev, self->fd));
	MAP_AND_TOUCH();
	ASSERT_EQ(0, uiot_do(&self->dev, "nest rtnl:mmap"));
	EXPECT_NO_REPORT();
}

TEST_F(callback, may_revoke_the_device)
{
	struct uiot_dev probe;
	__s32 event;

	if (uiot_create(&probe, "ctx idle") == -EOPNOTSUPP)
		SKIP(return, "this core has no contexts, and no revoke");

	ACT("revoke");
	EXPECT_EQ(0, variant->call(&self->dev, self->fd));
	EXPECT_EQ(-1, read(self->fd, &event, sizeof(event)));
	UIOT_EXPECT_ERRNO(EIO);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_NO_REPORT();
}

TEST_F(callback, may_unregister_another_device)
{
	char act[80];
	int fd;

	snprintf(act, sizeof(act), "unregister:%s", self->other.name);
	ACT(act);
	EXPECT_EQ(0, variant->call(&self->dev, self->fd));
	fd = uiot_open(&self->other, O_RDWR);
	EXPECT_EQ(-ENOENT, fd);
	ASSERT_EQ(0, uiot_do(&self->other, "put"));
	EXPECT_EQ(1, uiot_count(&self->other, "frees"));
	EXPECT_NO_REPORT();
}

TEST_F(callback, unregister_under_a_lock_that_it_does_not_take)
{
	EXPECT_EQ(0, variant->call(&self->dev, self->fd));
	MAP_AND_TOUCH();
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister-under rtnl"));
	ASSERT_EQ(0, uiot_do(&self->dev, "put"));
	EXPECT_NO_REPORT();
}

/*
 * Callbacks that deadlock on any core. Each test needs a guest of its own: lockdep reports
 * only once, and a task then waits for itself until the guest ends.
 */
FIXTURE(own_callback)
{
	struct uiot_dev dev;
	struct uiot_op *user;
	int log;
};

FIXTURE_VARIANT(own_callback)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(own_callback, legacy) { .options = "mem=virtual:1" };
FIXTURE_VARIANT_ADD(own_callback, context) { .options = "ctx mem=virtual:1" };

FIXTURE_SETUP(own_callback)
{
	if (uiot_lockdep_on() != 1)
		SKIP(return, "this kernel has no lockdep");

	UIOT_SETUP(&self->dev, variant->options);
	self->log = uiot_log_open();
	ASSERT_LE(0, self->log);
	self->user = uiot_op_alloc();
	ASSERT_NE(MAP_FAIL, self->user);
	self->user->fn = uiot_op_open;
	self->user->in_child = true;
	snprintf(self->user->text, sizeof(self->user->text), "%s",
		 self->dev.node);
}

FIXTURE_TEARDOWN(own_callback)
{
	close(self->log);
}

struct report {
	int log;
	const char *text;
	char line[128];
};

static bool reported(void *arg)
{
	struct report *report = arg;

	return uiot_log_find(report->log, report->text, report->line,
			     sizeof(report->line));
}

#define EXPECT_REPORT(_text) do {					\
	struct report report = { .log = self->log, .text = _text };	\
									\
	EXPECT_TRUE(uiot_wait_until(reported, &report, 2 * UIOT_SOON_MS)) { \
		TH_LOG("lockdep does not report it");			\
	}								\
} while (0)

TEST_F(own_callback, that_unregisters_is_reported)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "act open:unregister"));
	ASSERT_EQ(0, uiot_start(self->user));
	EXPECT_REPORT("possible recursive locking detected");
	EXPECT_EQ(-ETIMEDOUT, uiot_wait_done(self->user, UIOT_WHILE_MS));
}

TEST_F(own_callback, that_drains_is_reported)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "act open:drain"));
	ASSERT_EQ(0, uiot_start(self->user));
	EXPECT_REPORT("possible recursive locking detected");
	EXPECT_EQ(-ETIMEDOUT, uiot_wait_done(self->user, UIOT_WHILE_MS));
}

/* The two steps run one after the other, so nobody waits for ever. */
TEST_F(own_callback, that_takes_the_lock_of_unregister_is_reported)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "act open:rtnl"));
	ASSERT_EQ(0, uiot_start(self->user));
	ASSERT_EQ(0, uiot_join(self->user, UIOT_SOON_MS));
	EXPECT_LE(0, self->user->ret);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister-under rtnl"));
		EXPECT_REPORT("possible circular locking dependency detected");
	EXPECT_EQ(0, uiot_reset());
}

/* A callback that takes the mmap_lock, while mmap() holds it. */
FIXTURE(inversion)
{
	struct uiot_dev dev;
	struct uiot_child child;
	struct uiot_op *callback;
	struct uiot_op *mmap;
	bool stuck;
};

FIXTURE_VARIANT(inversion)
{
	const char *options;
	const char *stall;
	const char *act;
	long (*fn)(struct uiot_op *op);
};

#define INVERSION(_name, _driver, _options, _fn)			\
	FIXTURE_VARIANT_ADD(inversion, _name ## _ ## _driver) {		\
		.options = _options "mem=virtual:1",			\
		.stall = "stall " #_name, .act = "act " #_name ":mmap",	\
		.fn = uiot_op_ ## _fn,					\
	}

INVERSION(open, legacy, "", open);
INVERSION(open, context, "ctx ", open);
INVERSION(irqcontrol, legacy, "", write);
INVERSION(irqcontrol, context, "ctx ", write);

static int start_thread(void *arg, int what)
{
	struct uiot_op **ops = arg;

	return uiot_start(ops[what]);
}

/* The threads belong to a child process, because they may never end. */
FIXTURE_SETUP(inversion)
{
	struct uiot_op *ops[2];

	UIOT_SETUP(&self->dev, variant->options);
	self->callback = uiot_op_alloc();
	self->mmap = uiot_op_alloc();
	ASSERT_NE(MAP_FAIL, self->callback);
	ASSERT_NE(MAP_FAIL, self->mmap);
	self->mmap->fn = uiot_op_mmap;
	UIOT_OPEN(self->mmap->fd, &self->dev);
	self->callback->fn = variant->fn;
	self->callback->fd = self->mmap->fd;
	snprintf(self->callback->text, sizeof(self->callback->text), "%s",
		 self->dev.node);
	ops[0] = self->callback;
	ops[1] = self->mmap;
	ASSERT_EQ(0, uiot_child_start(&self->child, start_thread, ops));
}

FIXTURE_TEARDOWN(inversion)
{
	/* the next operation would hang, too */
	if (self->stuck)
		return;
	EXPECT_EQ(0, uiot_child_end(&self->child));
	close(self->mmap->fd);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(inversion, d11_callback_and_mmap_both_end)
{
	ASSERT_EQ(0, uiot_do(&self->dev, variant->stall));
	ASSERT_EQ(0, uiot_do(&self->dev, variant->act));
	ASSERT_EQ(0, uiot_child_ask(&self->child, 0));
	ASSERT_TRUE(uiot_count_becomes(&self->dev, "inside", 1));
	ASSERT_EQ(0, uiot_child_ask(&self->child, 1));
	ASSERT_NE(-ETIMEDOUT, uiot_wait_asleep(self->mmap));
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));

	self->stuck = true;
	ASSERT_EQ(0, uiot_wait_done(self->mmap, UIOT_SOON_MS)) {
		TH_LOG("the callback and mmap wait for each other");
	}
	ASSERT_EQ(0, uiot_wait_done(self->callback, UIOT_SOON_MS));
	self->stuck = false;
	EXPECT_EQ(0, self->mmap->ret);
	EXPECT_LE(0, self->callback->ret);
}

TEST_F(inversion, d11_mmap_does_not_wait_for_a_callback)
{
	ASSERT_EQ(0, uiot_do(&self->dev, variant->stall));
	ASSERT_EQ(0, uiot_child_ask(&self->child, 0));
	ASSERT_TRUE(uiot_count_becomes(&self->dev, "inside", 1));
	ASSERT_EQ(0, uiot_child_ask(&self->child, 1));
	EXPECT_EQ(0, uiot_wait_done(self->mmap, UIOT_SOON_MS)) {
		TH_LOG("mmap waits for the callback");
	}
	EXPECT_EQ(1, uiot_count(&self->dev, "inside"));
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	EXPECT_EQ(0, uiot_wait_done(self->callback, UIOT_SOON_MS));
	EXPECT_EQ(0, uiot_wait_done(self->mmap, UIOT_SOON_MS));
}

/* Concurrent calls of open and release. */
FIXTURE(turns)
{
	struct uiot_dev dev;
	struct uiot_op first;
	struct uiot_op second;
	int fd;
};

FIXTURE_VARIANT(turns)
{
	const char *options;
	bool take_turns;
};

FIXTURE_VARIANT_ADD(turns, legacy) { .options = "", .take_turns = true };
FIXTURE_VARIANT_ADD(turns, context) { .options = "ctx" };

FIXTURE_SETUP(turns)
{
	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	self->first.fd = self->fd;
	snprintf(self->first.text, sizeof(self->first.text), "%s", self->dev.node);
	self->second = self->first;
}

FIXTURE_TEARDOWN(turns)
{
	uiot_do(&self->dev, "resume");
	EXPECT_EQ(0, uiot_reset());
}

#define EXPECT_TURNS() do {						\
	ASSERT_EQ(0, uiot_start(&self->first));				\
	ASSERT_TRUE(uiot_count_becomes(&self->dev, "inside", 1));	\
	ASSERT_EQ(0, uiot_start(&self->second));			\
	if (variant->take_turns) {					\
		EXPECT_EQ(0, uiot_wait_asleep(&self->second));		\
		EXPECT_EQ(1, uiot_count(&self->dev, "inside"));		\
	} else {							\
		EXPECT_TRUE(uiot_count_becomes(&self->dev, "inside", 2)); \
	}								\
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));			\
	ASSERT_EQ(0, uiot_join(&self->first, UIOT_SOON_MS));		\
	ASSERT_EQ(0, uiot_join(&self->second, UIOT_SOON_MS));		\
	EXPECT_LE(0, self->first.ret);					\
	EXPECT_LE(0, self->second.ret);					\
} while (0)

TEST_F(turns, of_two_opens)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "stall open"));
	self->first.fn = uiot_op_open;
	self->second.fn = uiot_op_open;
	EXPECT_TURNS();
	EXPECT_EQ(3, uiot_count(&self->dev, "opens"));
}

TEST_F(turns, of_open_and_release)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "stall open"));
	ASSERT_EQ(0, uiot_do(&self->dev, "stall release"));
	self->first.fn = uiot_op_close;
	self->second.fn = uiot_op_open;
	EXPECT_TURNS();
	EXPECT_EQ(2, uiot_count(&self->dev, "opens"));
	EXPECT_EQ(1, uiot_count(&self->dev, "releases"));
}

TEST_HARNESS_MAIN
