// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: two things at a time. One is stopped at each call that the core makes
 * meanwhile, and the other done there. The D numbers are those of the list of
 * mainline's defects: such a test fails there.
 */

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

/* More calls than any operation makes. */
#define STEPS		50
/* How long it may take to go through all of them. */
#define STEPS_TEST_S	300
/* A kernel that delays releases, to find bugs, delays the end of a module. */
#define REMOVE_MS	(4 * UIOT_SOON_MS)

/*
 * The first operation is stopped at one of its calls, of which where says the
 * function, and the second is done there; or the node is opened.
 */
struct scene {
	struct uiot_dev dev;
	struct uiot_op first;
	struct uiot_op second;
	char where[32];
	char node[64];
	char options[96];
	int fd;
	int log;
};

static const char *name_of(int error)
{
	return error ? strerrorname_np(error) : "success";
}

#define EXPECT_ERROR(_errno, _what, _error) do {			\
	int _err = (_error);						\
									\
	EXPECT_EQ(_errno, _err) {					\
		TH_LOG("%s gives %s, stopped at %s", _what,		\
		       name_of(_err), self->scene.where);		\
	}								\
} while (0)

#define EXPECT_GIVES(_errno, _what, _call) \
	EXPECT_ERROR(_errno, _what, (long)(_call) == -1 ? errno : 0)

#define ASSERT_NO_SPLAT() do {						\
	char splat[128];						\
	bool seen = uiot_log_splat(self->scene.log, splat, sizeof(splat)); \
									\
	ASSERT_FALSE(seen) {						\
		TH_LOG("%s, stopped at %s", splat, self->scene.where);	\
	}								\
} while (0)

static int prepare(struct scene *scene)
{
	int ret = uiot_next_node(scene->node, sizeof(scene->node));

	if (ret)
		return ret;
	scene->log = uiot_log_open();
	return scene->log < 0 ? scene->log : 0;
}

static int clean_up(struct scene *scene)
{
	uiot_step_end();
	unlink(scene->node);
	close(scene->log);
	return uiot_reset();
}

static int go_on(struct scene *scene)
{
	uiot_step_go();
	return uiot_join(&scene->first, UIOT_SOON_MS);
}

/*
 * Begins the first operation. 1: it is stopped at its call number @n; 0: it has
 * ended without so many.
 */
static int stop_at(struct scene *scene, int n, const char *fail)
{
	int ret = uiot_step_arm(n, fail);

	scene->first.thread_name = UIOT_STEP;
	if (!ret)
		ret = uiot_start(&scene->first);
	if (!ret)
		ret = uiot_step_stopped(&scene->first, scene->where,
					sizeof(scene->where));
	return ret ? ret : go_on(scene);
}

static int stop_open_at(struct scene *scene, int n)
{
	int ret = uiot_create(&scene->dev, scene->options);

	if (ret)
		return ret;
	scene->first = (struct uiot_op){ .fn = uiot_op_open };
	snprintf(scene->first.text, sizeof(scene->first.text), "%s", scene->node);
	return stop_at(scene, n, "");
}

static int stop_cmd_at(struct scene *scene, const char *verb, int n,
		       const char *fail)
{
	int ret = uiot_create(&scene->dev, scene->options);

	if (ret)
		return ret;
	scene->first = (struct uiot_op){ .fn = uiot_op_cmd };
	snprintf(scene->first.text, sizeof(scene->first.text), "%s %s", verb,
		 scene->dev.name);
	return stop_at(scene, n, fail);
}

/* Until it ends, or waits for the first. */
static int do_second(struct scene *scene, long (*fn)(struct uiot_op *op), int ms)
{
	int ret;

	scene->second = (struct uiot_op){ .fn = fn };
	snprintf(scene->second.text, sizeof(scene->second.text), "unregister %s",
		 scene->dev.name);
	ret = uiot_start(&scene->second);
	if (!ret)
		ret = uiot_wait_asleep_in(&scene->second, "uio_", ms);
	return ret == -ECANCELED ? 0 : ret;
}

FIXTURE(race)
{
	struct scene scene;
};

FIXTURE_VARIANT(race)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(race, legacy) { .options = "mem=virtual:1" };
FIXTURE_VARIANT_ADD(race, context) { .options = "ctx mem=virtual:1" };

FIXTURE_SETUP(race)
{
	UIOT_SETUP(&self->scene.dev, variant->options);
	ASSERT_EQ(0, uiot_do(&self->scene.dev, "unregister"));
	ASSERT_EQ(0, prepare(&self->scene));
}

FIXTURE_TEARDOWN(race)
{
	EXPECT_EQ(0, clean_up(&self->scene));
}

/* An interrupt means more calls to stop at. */
#define SET_OPTIONS(_more)						\
	snprintf(self->scene.options, sizeof(self->scene.options), "%s%s", \
		 variant->options, _more)

static long remove_module(struct uiot_op *op)
{
	(void)op;
	return uiot_module_remove("uio_test");
}

/*
 * The module of the driver goes while open() is on its way to it. Mainline's
 * open() asks a module that is no more. Without an interrupt, which would pin
 * the module.
 */
TEST_F_TIMEOUT(race, d6_module_removed_at_each_step_of_open, STEPS_TEST_S)
{
	struct scene *scene = &self->scene;
	int n, stopped;

	SET_OPTIONS("");
	for (n = 0; n < STEPS; n++) {
		ASSERT_EQ(0, uiot_reset());
		stopped = stop_open_at(scene, n);
		ASSERT_LE(0, stopped);
		if (!stopped)
			break;

		ASSERT_EQ(0, do_second(scene, remove_module, REMOVE_MS));
		ASSERT_EQ(0, go_on(scene));
		ASSERT_EQ(0, uiot_join(&scene->second, REMOVE_MS));
		ASSERT_NO_SPLAT();

		if (scene->first.ret < 0) {
			EXPECT_ERROR(ENODEV, "open", -scene->first.ret);
			EXPECT_EQ(0, scene->second.ret);
			continue;
		}
		EXPECT_EQ(-EAGAIN, scene->second.ret) {
			TH_LOG("the module went although it was open");
		}
		EXPECT_EQ(1, uiot_module_refs("uio_test"));
		close(scene->first.ret);
	}
	EXPECT_LT(0, n);
	close(scene->first.ret);
	EXPECT_TRUE(uiot_module_goes("uio_test", REMOVE_MS));
}

/* Whoever got a file finds it dead, whoever did not is told that it is gone. */
TEST_F_TIMEOUT(race, d13_unregister_at_each_step_of_open, STEPS_TEST_S)
{
	struct scene *scene = &self->scene;
	int n, stopped, fd;
	__s32 event;

	SET_OPTIONS(" irq=real");
	for (n = 0; n < STEPS; n++) {
		stopped = stop_open_at(scene, n);
		ASSERT_LE(0, stopped);
		if (!stopped)
			break;

		ASSERT_EQ(0, do_second(scene, uiot_op_cmd, UIOT_SOON_MS));
		ASSERT_EQ(0, go_on(scene));
		ASSERT_EQ(0, uiot_join(&scene->second, UIOT_SOON_MS));
		EXPECT_EQ(0, scene->second.ret);

		fd = scene->first.ret;
		if (fd < 0) {
			EXPECT_ERROR(ENODEV, "open", -fd);
			continue;
		}
		EXPECT_GIVES(EIO, "read", read(fd, &event, sizeof(event)));
		close(fd);
	}
	EXPECT_LT(0, n);
	close(scene->first.ret);
}

/*
 * A file that is opened before registration has ended, by a node that was there
 * before. On mainline it holds a device without a reference.
 */
TEST_F_TIMEOUT(race, d7_open_at_each_step_of_register, STEPS_TEST_S)
{
	struct scene *scene = &self->scene;
	int n, stopped, fd;
	__s32 event;

	SET_OPTIONS(" irq=real idle");
	for (n = 0; n < STEPS; n++) {
		stopped = stop_cmd_at(scene, "register", n, "");
		ASSERT_LE(0, stopped);
		if (!stopped)
			break;

		fd = open(scene->node, O_RDWR | O_NONBLOCK);
		if (fd < 0)
			EXPECT_GIVES(ENODEV, "open", fd);
		ASSERT_NO_SPLAT();
		ASSERT_EQ(0, go_on(scene));
		EXPECT_EQ(0, scene->first.ret);

		EXPECT_EQ(fd >= 0, uiot_count(&scene->dev, "opens"));
		if (fd >= 0)
			EXPECT_GIVES(EAGAIN, "read",
				     read(fd, &event, sizeof(event)));
		ASSERT_EQ(0, uiot_do(&scene->dev, "unregister"));
		if (fd >= 0) {
			EXPECT_GIVES(EIO, "read", read(fd, &event, sizeof(event)));
			close(fd);
		}
		EXPECT_EQ(1, uiot_count(&scene->dev, "frees"));
		ASSERT_NO_SPLAT();
	}
	EXPECT_LT(0, n);
}

TEST_F_TIMEOUT(race, d8_register_at_each_step_of_unregister, STEPS_TEST_S)
{
	struct scene *scene = &self->scene;
	struct uiot_dev other;
	int n, stopped, ret;

	SET_OPTIONS(" irq=real");
	for (n = 0; n < STEPS; n++) {
		stopped = stop_cmd_at(scene, "unregister", n, "");
		ASSERT_LE(0, stopped);
		if (!stopped)
			break;

		ret = uiot_create(&other, scene->options);
		EXPECT_ERROR(0, "register", -ret);
		ASSERT_EQ(0, go_on(scene));
		EXPECT_EQ(0, scene->first.ret);
		EXPECT_EQ(1, uiot_count(&scene->dev, "frees"));
		if (!ret)
			ASSERT_EQ(0, uiot_do(&other, "unregister"));
	}
	EXPECT_LT(0, n);
}

/* A registration that fails at a function, with a file that got in before. */
FIXTURE(failing)
{
	struct scene scene;
	bool context;
};

FIXTURE_VARIANT(failing)
{
	bool context;
	const char *function;
	long ret;
};

#define FAILING(_driver, _name, _function, _ret)			\
	FIXTURE_VARIANT_ADD(failing, _name ## _ ## _driver) {		\
		.context = #_driver[0] == 'c', .function = #_function,	\
		.ret = _ret,						\
	}

FAILING(legacy, name, device_add, -ENOMEM);
FAILING(context, name, device_add, -ENOMEM);
FAILING(legacy, sysfs, kobject_create_and_add, -ENOMEM);
FAILING(context, sysfs, kobject_create_and_add, -ENOMEM);
FAILING(legacy, irq, request_threaded_irq, -EBUSY);
FAILING(context, irq, request_threaded_irq, -EBUSY);

/* Mainline's best is a device without a context. */
FIXTURE_SETUP(failing)
{
	struct uiot_dev probe;

	ASSERT_EQ(0, uiot_reset());
	self->context = variant->context && !uiot_create(&probe, "ctx idle");
	ASSERT_EQ(0, prepare(&self->scene));
	snprintf(self->scene.options, sizeof(self->scene.options),
		 "%smem=virtual:1 irq=real idle", self->context ? "ctx " : "");
}

FIXTURE_TEARDOWN(failing)
{
	EXPECT_EQ(0, clean_up(&self->scene));
}

/* What gets in at the first two calls is, on mainline, D7. */
#define FIRST_STEP	2

/* 1: scene->fd is the file that got in, or why not; 0: there are no more calls. */
static int open_and_fail(struct scene *scene, const char *function, int n)
{
	int ret = stop_cmd_at(scene, "register", n, function);

	if (ret <= 0)
		return ret;

	scene->fd = open(scene->node, O_RDWR | O_NONBLOCK);
	if (scene->fd < 0)
		scene->fd = -errno;
	ret = go_on(scene);
	return ret ? ret : 1;
}

typedef void check_file_fn(struct __test_metadata *_metadata,
			   FIXTURE_DATA(failing) *self,
			   const FIXTURE_VARIANT(failing) *variant);

/* For the file that gets in at each call of the registration, if one does. */
static void check_each_file(struct __test_metadata *_metadata,
			    FIXTURE_DATA(failing) *self,
			    const FIXTURE_VARIANT(failing) *variant,
			    check_file_fn *check)
{
	struct scene *scene = &self->scene;
	int n, ret, files = 0;

	for (n = FIRST_STEP; n < STEPS; n++) {
		ret = open_and_fail(scene, variant->function, n);
		ASSERT_LE(0, ret);
		EXPECT_EQ(variant->ret, scene->first.ret);
		if (!ret)
			break;
		if (scene->fd < 0) {
			EXPECT_ERROR(ENODEV, "open", -scene->fd);
			continue;
		}
		files++;
		check(_metadata, self, variant);
	}
	EXPECT_LT(0, files);
	ASSERT_NO_SPLAT();
}

static void check_dead(struct __test_metadata *_metadata,
		       FIXTURE_DATA(failing) *self,
		       const FIXTURE_VARIANT(failing) *variant)
{
	struct pollfd pfd = { .fd = self->scene.fd, .events = POLLIN };
	__s32 word = 1;
	void *p;

	(void)variant;
	EXPECT_GIVES(EIO, "read", read(pfd.fd, &word, sizeof(word)));
	EXPECT_EQ(1, poll(&pfd, 1, 0)) {
		TH_LOG("poll sees nothing");
	}
	UIOT_EXPECT_HANGUP(pfd.revents);
	EXPECT_GIVES(EIO, "write", write(pfd.fd, &word, sizeof(word)));
	p = uiot_map(pfd.fd, 0, 1, PROT_READ, MAP_SHARED);
	EXPECT_GIVES(EIO, "mmap", p);
	if (p != MAP_FAIL)
		munmap(p, uiot_page());
	close(pfd.fd);
}

TEST_F_TIMEOUT(failing, d12_file_is_dead, STEPS_TEST_S)
{
	check_each_file(_metadata, self, variant, check_dead);
}

static void check_release(struct __test_metadata *_metadata,
			  FIXTURE_DATA(failing) *self,
			  const FIXTURE_VARIANT(failing) *variant)
{
	struct scene *scene = &self->scene;
	long releases;

	EXPECT_EQ(1, uiot_count(&scene->dev, "opens"));
	EXPECT_EQ(0, uiot_count(&scene->dev, "releases"));
	close(scene->fd);
	releases = uiot_count(&scene->dev, "releases");
	EXPECT_EQ(variant->context, releases) {
		TH_LOG("release is called %ld times, stopped at %s", releases,
		       scene->where);
	}
}

/* Without a context it is skipped, as after unregistration. */
TEST_F_TIMEOUT(failing, d12_release_is_called, STEPS_TEST_S)
{
	check_each_file(_metadata, self, variant, check_release);
}

static void check_driver(struct __test_metadata *_metadata,
			 FIXTURE_DATA(failing) *self,
			 const FIXTURE_VARIANT(failing) *variant)
{
	struct scene *scene = &self->scene;
	__s32 event;

	(void)variant;
	ASSERT_EQ(0, uiot_do(&scene->dev, "put"));
	EXPECT_EQ(!self->context, uiot_count(&scene->dev, "frees"));
	EXPECT_GIVES(EIO, "read", read(scene->fd, &event, sizeof(event)));
	close(scene->fd);
	EXPECT_EQ(1, uiot_count(&scene->dev, "frees"));
}

/* The driver lets go, as one does whose registration failed. */
TEST_F_TIMEOUT(failing, d12_driver_is_not_reached, STEPS_TEST_S)
{
	check_each_file(_metadata, self, variant, check_driver);
}

/* The same for each allocation of memory, where the kernel can make them fail. */
FIXTURE(allocations)
{
	struct uiot_dev dev;
	struct uiot_op opener;
	int control;
	int nth;
};

FIXTURE_VARIANT(allocations)
{
	const char *options;
	bool context;
};

/*
 * No real interrupt: what procfs shows of one can be incomplete when it was short of
 * memory, and the kernel then warns when the interrupt is freed.
 */
FIXTURE_VARIANT_ADD(allocations, legacy) {
	.options = "mem=virtual:1 ports idle",
};

FIXTURE_VARIANT_ADD(allocations, context) {
	.options = "ctx mem=virtual:1 ports idle", .context = true,
};

static bool opener_stop;

/* Finds the device absent, live or dead, and nothing else. */
static long open_loop(struct uiot_op *op)
{
	long ret = 0;
	__s32 event;
	int fd;

	while (!ret && !__atomic_load_n(&opener_stop, __ATOMIC_ACQUIRE)) {
		fd = open(op->text, O_RDWR | O_NONBLOCK);
		if (fd < 0) {
			ret = errno == ENODEV ? 0 : -errno;
			continue;
		}
		read(fd, &event, sizeof(event));
		ret = errno == EAGAIN || errno == EIO ? 0 : -errno;
		close(fd);
	}
	return ret;
}

/* Without a backtrace of each. */
static int quiet_faults(void)
{
	int ret = uiot_write_file("/sys/kernel/debug/failslab/verbose", "0");

	if (!ret)
		ret = uiot_write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	if (!ret)
		ret = uiot_write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	return ret;
}

FIXTURE_SETUP(allocations)
{
	char node[64];

	ASSERT_EQ(0, uiot_reset());
	if (quiet_faults())
		SKIP(return, "this kernel has no fault injection");

	self->nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->nth);
	self->control = open("/sys/kernel/debug/uio_test/control",
			     O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, self->control);
	ASSERT_EQ(0, uiot_next_node(node, sizeof(node)));
	self->opener.fn = open_loop;
	snprintf(self->opener.text, sizeof(self->opener.text), "%s", node);
	ASSERT_EQ(0, uiot_start(&self->opener));
}

FIXTURE_TEARDOWN(allocations)
{
	__atomic_store_n(&opener_stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, uiot_join(&self->opener, UIOT_SOON_MS));
	EXPECT_EQ(0, self->opener.ret);
	unlink(self->opener.text);
	close(self->control);
	close(self->nth);
	EXPECT_EQ(0, uiot_reset());
}

/* Registers; the allocation number @n fails. *@left if there are not as many. */
static int register_with_fault(int control, int nth, const struct uiot_dev *dev,
			       int n, bool *left)
{
	char line[80], buf[16];
	int ret;

	snprintf(line, sizeof(line), "register %s", dev->name);
	snprintf(buf, sizeof(buf), "%d", n);
	if (pwrite(nth, buf, strlen(buf), 0) < 0)
		return -errno;
	ret = write(control, line, strlen(line)) < 0 ? -errno : 0;

	memset(buf, 0, sizeof(buf));
	pread(nth, buf, sizeof(buf) - 1, 0);
	*left = atoi(buf) > 0;
	pwrite(nth, "0", 1, 0);
	return ret;
}

TEST_F_TIMEOUT(allocations, fail_in_turn_while_somebody_opens, STEPS_TEST_S)
{
	bool left = false;
	int failed = 0;
	int n, ret;

	for (n = 1; !left && n < 1000; n++) {
		ASSERT_EQ(0, uiot_create(&self->dev, variant->options));
		ret = register_with_fault(self->control, self->nth, &self->dev, n,
					  &left);
		if (ret) {
			failed++;
			EXPECT_EQ(-ENOMEM, ret);
		}
		ASSERT_EQ(0, uiot_do(&self->dev, ret ? "put" : "unregister"));
		EXPECT_TRUE(uiot_count_becomes(&self->dev, "frees", 1));
		if (variant->context)
			EXPECT_EQ(uiot_count(&self->dev, "opens"),
				  uiot_count(&self->dev, "releases"));
	}
	EXPECT_TRUE(left);
	EXPECT_LT(10, failed);
}

TEST_HARNESS_MAIN
