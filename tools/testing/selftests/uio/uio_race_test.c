// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: two operations at the same time. The first one is stopped at each call that the core
 * makes, and the second one runs then. A D number in a test's name is the number of a
 * defect of mainline, a C number that of a former bug of this core.
 */

#include <fcntl.h>
#include <linux/uio_device.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

/* More calls than any operation makes. */
#define STEPS		50
/* How long all of them may take. */
#define STEPS_TEST_S	300
/* A debug kernel delays releases to find bugs, which delays the removal of a module. */
#define REMOVE_MS	(4 * UIOT_SOON_MS)
/* On mainline, one uevent in 13 was too early. */
#define ANNOUNCEMENTS	200

/*
 * The first operation is stopped at its call of the function @where. Then the second one
 * runs, or the node is opened.
 */
struct scene {
	struct uiot_dev dev;
	struct uiot_op first;
	struct uiot_op second;
	char where[32];
	char node[64];
	char options[96];
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
 * Begins the first operation. Returns 1 if it has stopped at its call number @n, 0 if it
 * has ended before that.
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

/* Runs the second operation until it ends, or waits for the first one. */
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
 * The driver's module is removed while open() is under way. Mainline's open() then asks a
 * module that is gone. There is no interrupt, because it would pin the module.
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
			TH_LOG("the module was removed while a file was open");
		}
		EXPECT_EQ(1, uiot_module_refs("uio_test"));
		close(scene->first.ret);
	}
	EXPECT_LT(0, n);
	close(scene->first.ret);
	EXPECT_TRUE(uiot_module_goes("uio_test", REMOVE_MS));
}

/* If the open succeeded, the file is dead. If it failed, it gave ENODEV. */
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
 * A device has to be usable as soon as a uevent announces it, because udev's rules use it:
 * it has its attributes, and can be opened. @path is the path of the device below /sys.
 * Returns what does not work, or NULL.
 */
static const char *use_device(const char *path)
{
	static const char * const files[] = {
		"name", "maps/map0/name", "portio/port0/start",
	};
	char file[192], buf[64];
	unsigned int i;
	int fd;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(file, sizeof(file), "/sys%s/%s", path, files[i]);
		if (uiot_read_file(file, buf, sizeof(buf)))
			return files[i];
	}
	snprintf(file, sizeof(file), "/dev%s", strrchr(path, '/'));
	fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return "open";
	close(fd);
	return NULL;
}

#define EXPECT_USABLE(_path) do {					\
	const char *_broken = use_device(_path);			\
									\
	EXPECT_EQ(NULL, _broken) {					\
		TH_LOG("%s fails, stopped at %s", _broken,		\
		       self->scene.where);				\
	}								\
} while (0)

static int open_error(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* ENOENT counts as ENODEV: the attribute may not be there yet. */
static int attribute_error(const struct uiot_dev *dev)
{
	char buf[64];
	int ret = uiot_sysfs(dev, "name", buf, sizeof(buf));

	return ret == -ENOENT ? ENODEV : -ret;
}

#define EXPECT_NOT_YET() do {						\
	EXPECT_ERROR(ENODEV, "open", open_error(self->scene.node));	\
	EXPECT_ERROR(ENODEV, "name", attribute_error(&self->scene.dev)); \
} while (0)

/*
 * Nobody can open the device before the last step of registration, the uevent: neither
 * through a node that was there before, nor after an early uevent. On mainline, a file
 * that is opened too early holds no reference to the device.
 */
TEST_F_TIMEOUT(race, d7_c2_nobody_gets_in_before_the_end, STEPS_TEST_S)
{
	struct scene *scene = &self->scene;
	int n, stopped, uevents = uiot_uevent_open();
	char path[96];
	bool told;

	ASSERT_LE(0, uevents);
	SET_OPTIONS(" irq=real ports idle");
	for (n = 0; n < STEPS; n++) {
		stopped = stop_cmd_at(scene, "register", n, "");
		ASSERT_LE(0, stopped);
		told = uiot_uevent_added(uevents, path, sizeof(path));
		if (!stopped) {
			EXPECT_TRUE(told);
			break;
		}

		if (told)
			EXPECT_USABLE(path);
		else if (strcmp(scene->where, "kobject_uevent"))
			EXPECT_NOT_YET();
		ASSERT_NO_SPLAT();
		ASSERT_EQ(0, go_on(scene));
		EXPECT_EQ(0, scene->first.ret);

		EXPECT_TRUE(told || uiot_uevent_added(uevents, path, sizeof(path))) {
			TH_LOG("no event");
		}
		ASSERT_EQ(0, uiot_do(&scene->dev, "unregister"));
		EXPECT_EQ(1, uiot_count(&scene->dev, "frees"));
		ASSERT_NO_SPLAT();
	}
	EXPECT_LT(0, n);
	close(uevents);
}

/* The same by chance, without a module that stops threads. */
struct udev {
	int uevents;
	int handled;
	const char *broken;
	bool stop;
};

static void *play_udev(void *arg)
{
	struct udev *udev = arg;
	const char *broken;
	char path[96];

	while (!__atomic_load_n(&udev->stop, __ATOMIC_ACQUIRE)) {
		if (!uiot_uevent_added(udev->uevents, path, sizeof(path)))
			continue;
		broken = use_device(path);
		if (broken)
			udev->broken = broken;
		__atomic_fetch_add(&udev->handled, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

struct handled {
	const struct udev *udev;
	int count;
};

static bool udev_has_handled(void *arg)
{
	struct handled *handled = arg;

	return __atomic_load_n(&handled->udev->handled, __ATOMIC_ACQUIRE) ==
	       handled->count;
}

TEST_F_TIMEOUT(race, c2_device_works_when_it_is_announced, STEPS_TEST_S)
{
	struct udev udev = { .uevents = uiot_uevent_open() };
	struct handled handled = { .udev = &udev };
	struct uiot_dev *dev = &self->scene.dev;
	pthread_t thread;
	bool done;
	int i;

	ASSERT_LE(0, udev.uevents);
	ASSERT_EQ(0, pthread_create(&thread, NULL, play_udev, &udev));
	SET_OPTIONS(" ports");
	for (i = 0; i < ANNOUNCEMENTS; i++) {
		ASSERT_EQ(0, uiot_create(dev, self->scene.options));
		handled.count = i + 1;
		done = uiot_wait_until(udev_has_handled, &handled, UIOT_SOON_MS);
		ASSERT_TRUE(done);
		ASSERT_EQ(NULL, udev.broken) {
			TH_LOG("%s fails, registration %d", udev.broken, i);
		}
		ASSERT_EQ(0, uiot_do(dev, "unregister"));
	}
	__atomic_store_n(&udev.stop, true, __ATOMIC_RELEASE);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	close(udev.uevents);
}

/* If open() gives a file, it holds the device, and the device works. */
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

		fd = open(scene->node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			EXPECT_ERROR(ENODEV, "open", errno);
		ASSERT_EQ(0, go_on(scene));
		EXPECT_EQ(0, scene->first.ret);
		if (fd >= 0)
			EXPECT_GIVES(EAGAIN, "read", read(fd, &event, sizeof(event)));
		ASSERT_EQ(0, uiot_do(&scene->dev, "unregister"));
		if (fd >= 0)
			EXPECT_GIVES(EIO, "read", read(fd, &event, sizeof(event)));
		close(fd);
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

/* A registration that fails at a function, while somebody tries to open the device. */
FIXTURE(failing)
{
	struct scene scene;
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
FAILING(legacy, minor, __xa_alloc, -EINVAL);
FAILING(context, minor, __xa_alloc, -EINVAL);
FAILING(legacy, irq, request_threaded_irq, -EBUSY);
FAILING(context, irq, request_threaded_irq, -EBUSY);

FIXTURE_SETUP(failing)
{
	UIOT_SETUP(&self->scene.dev, variant->context ? "ctx idle" : "idle");
	ASSERT_EQ(0, prepare(&self->scene));
	snprintf(self->scene.options, sizeof(self->scene.options),
		 "%smem=virtual:1 irq=real idle", variant->context ? "ctx " : "");
}

FIXTURE_TEARDOWN(failing)
{
	EXPECT_EQ(0, clean_up(&self->scene));
}

/* If nobody could open the device, the core has no user to clean up after, or to kick. */
TEST_F_TIMEOUT(failing, d12_c2_nobody_gets_in, STEPS_TEST_S)
{
	struct scene *scene = &self->scene;
	int n, stopped;

	for (n = 0; n < STEPS; n++) {
		stopped = stop_cmd_at(scene, "register", n, variant->function);
		ASSERT_LE(0, stopped);
		if (stopped) {
			EXPECT_NOT_YET();
			ASSERT_EQ(0, go_on(scene));
		}
		EXPECT_EQ(variant->ret, scene->first.ret);
		EXPECT_EQ(0, uiot_count(&scene->dev, "opens"));
		EXPECT_EQ(0, uiot_count(&scene->dev, "kicks"));
		ASSERT_EQ(0, uiot_do(&scene->dev, "put"));
		EXPECT_EQ(1, uiot_count(&scene->dev, "frees"));
		ASSERT_NO_SPLAT();
		if (!stopped)
			break;
	}
	EXPECT_LT(0, n);
}

/* The same for each memory allocation. The kernel needs fault injection. */
FIXTURE(allocations)
{
	struct uiot_dev dev;
	struct uiot_op opener;
	int control;
};

FIXTURE_VARIANT(allocations)
{
	const char *options;
	bool context;
};

/*
 * There is no real interrupt. If an allocation for its entries in procfs fails, the kernel
 * goes on without them, and warns when the interrupt is freed.
 */
FIXTURE_VARIANT_ADD(allocations, legacy) {
	.options = "mem=virtual:1 ports idle",
};

FIXTURE_VARIANT_ADD(allocations, context) {
	.options = "ctx mem=virtual:1 ports idle", .context = true,
};

static bool opener_stop;

/* open() finds the device absent or live. A device that was live may be dead later. */
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

FIXTURE_SETUP(allocations)
{
	char node[64];

	UIOT_NEED(uiot_reset());
	if (uiot_faults_on())
		SKIP(return, "this kernel has no fault injection");

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
	EXPECT_EQ(0, uiot_reset());
}

/* Registers with allocation number @n failing. *@left: there were fewer allocations. */
static int register_with_fault(int control, const struct uiot_dev *dev, int n,
			       bool *left)
{
	char line[80];
	int nth, ret;

	snprintf(line, sizeof(line), "register %s", dev->name);
	nth = uiot_fault_arm(n);
	if (nth < 0)
		return nth;
	ret = write(control, line, strlen(line)) < 0 ? -errno : 0;
	*left = uiot_fault_end(nth) > 0;
	return ret;
}

TEST_F_TIMEOUT(allocations, fail_in_turn_while_somebody_opens, STEPS_TEST_S)
{
	bool left = false;
	int failed = 0;
	int n, ret;

	for (n = 1; !left && n < 1000; n++) {
		ASSERT_EQ(0, uiot_create(&self->dev, variant->options));
		ret = register_with_fault(self->control, &self->dev, n, &left);
		if (ret) {
			failed++;
			EXPECT_EQ(-ENOMEM, ret);
			EXPECT_EQ(0, uiot_count(&self->dev, "opens"));
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

/* A file is revoked while mmap() is under way. */
FIXTURE(mapping)
{
	struct scene scene;
};

FIXTURE_VARIANT(mapping)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(mapping, phys) { .options = "ctx mem=phys:1" };
FIXTURE_VARIANT_ADD(mapping, virtual) { .options = "ctx mem=virtual:1" };
FIXTURE_VARIANT_ADD(mapping, own_mmap) { .options = "mmap mem=virtual:1" };

FIXTURE_SETUP(mapping)
{
	UIOT_SETUP(&self->scene.dev, "ctx");
	ASSERT_EQ(0, uiot_create(&self->scene.dev, variant->options));
	self->scene.log = uiot_log_open();
	ASSERT_LE(0, self->scene.log);
}

FIXTURE_TEARDOWN(mapping)
{
	EXPECT_EQ(0, clean_up(&self->scene));
}

/* Maps the page, and touches it when the test has revoked the file. */
static long map_and_touch(struct uiot_op *op)
{
	long ret = uiot_op_mmap(op);
	__u32 word;

	if (ret)
		return ret;
	/* for uiot_step_stopped(): mmap() is over */
	__atomic_store_n(&op->done, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&op->events, __ATOMIC_ACQUIRE))
		usleep(1000);
	return uiot_load_word(op->addr, &word);
}

/* mmap() holds the mmap_lock while it is stopped, so it is that of another process. */
static int stop_mmap_at(struct scene *scene, struct uiot_op *mapper, int n)
{
	int ret = uiot_step_arm_locks(n);

	mapper->fn = map_and_touch;
	mapper->in_child = true;
	mapper->thread_name = UIOT_STEP;
	if (!ret)
		ret = uiot_start(mapper);
	return ret ? ret : uiot_step_stopped(mapper, scene->where, sizeof(scene->where));
}

static long revoke_file(struct uiot_op *op)
{
	return ioctl(op->fd, UIO_IOC_REVOKE, 0);
}

TEST_F_TIMEOUT(mapping, c3_file_revoked_at_each_step, STEPS_TEST_S)
{
	struct scene *scene = &self->scene;
	struct uiot_op *mapper;
	int n, stopped = 1;

	for (n = 0; stopped && n < STEPS; n++) {
		mapper = uiot_op_alloc();
		ASSERT_NE(MAP_FAIL, mapper);
		UIOT_OPEN(mapper->fd, &scene->dev);
		stopped = stop_mmap_at(scene, mapper, n);
		ASSERT_LE(0, stopped);

		/* it may have to wait for that mmap() */
		scene->second = (struct uiot_op){ .fn = revoke_file, .fd = mapper->fd };
		ASSERT_EQ(0, uiot_start(&scene->second));
		uiot_wait_asleep(&scene->second);
		uiot_step_go();
		ASSERT_EQ(0, uiot_join(&scene->second, UIOT_SOON_MS));
		EXPECT_EQ(0, scene->second.ret);
		__atomic_store_n(&mapper->events, 1, __ATOMIC_RELEASE);
		ASSERT_EQ(0, uiot_join(mapper, UIOT_SOON_MS));
		EXPECT_TRUE(mapper->ret == -ENODEV || mapper->ret == SIGBUS) {
			TH_LOG("the page can be used, stopped at %s", scene->where);
		}
		close(mapper->fd);
		ASSERT_NO_SPLAT();
	}
	EXPECT_LT(1, n);
}

/* Two threads open a device that nobody has opened: each makes an inode for all mappings. */
TEST(first_opens_share_an_inode)
{
	struct uiot_op first = { .fn = uiot_op_open, .thread_name = UIOT_WINDOW };
	struct uiot_dev dev;
	void *p, *other;
	__u32 word;
	bool held;
	int fd;

	UIOT_SETUP(&dev, "ctx mem=phys:1");
	snprintf(first.text, sizeof(first.text), "%s", dev.node);
	ASSERT_EQ(0, uiot_window_arm(true));
	ASSERT_EQ(0, uiot_start(&first));
	ASSERT_TRUE(uiot_window_hit());
	UIOT_OPEN(fd, &dev);
	held = uiot_window_go();
	ASSERT_EQ(0, uiot_join(&first, UIOT_SOON_MS));
	ASSERT_LE(0, first.ret);
	UIOT_SKIP_IF_LATE(held);

	p = uiot_map(fd, 0, 1, PROT_READ, MAP_SHARED);
	other = uiot_map(first.ret, 0, 1, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_NE(MAP_FAIL, other);
	/* what is not in the one inode stays mapped */
	ASSERT_EQ(0, uiot_do(&dev, "unregister"));
	EXPECT_EQ(SIGBUS, uiot_load_word(p, &word));
	EXPECT_EQ(SIGBUS, uiot_load_word(other, &word));
	munmap(p, uiot_page());
	munmap(other, uiot_page());
	close(fd);
	close(first.ret);
	EXPECT_EQ(0, uiot_reset());
}

/* How often two threads touch a file for the first time, at the same moment. */
#define FIRST_TOUCHES	100

struct toucher {
	struct uiot_op op;
	int *turn;		/* both threads touch file N when it is N */
	int page;
	void **maps;
};

static long touch_in_turn(struct uiot_op *op)
{
	struct toucher *toucher = (struct toucher *)op;
	__u32 word;
	int i;

	/* the handler of a signal would be that of both threads; there is none */
	for (i = 0; i < FIRST_TOUCHES; i++) {
		while (__atomic_load_n(toucher->turn, __ATOMIC_ACQUIRE) < i)
			;
		word = *(volatile __u32 *)(toucher->maps[i] + toucher->page * uiot_page());
		if (word)
			return -EILSEQ;
		__atomic_store_n(&op->events, i + 1, __ATOMIC_RELEASE);
	}
	return 0;
}

static bool both_have_touched(struct toucher *touchers, unsigned int nr)
{
	return __atomic_load_n(&touchers[0].op.events, __ATOMIC_ACQUIRE) >= nr &&
	       __atomic_load_n(&touchers[1].op.events, __ATOMIC_ACQUIRE) >= nr;
}

struct turns {
	struct toucher *touchers;
	unsigned int nr;
};

static bool turn_is_over(void *arg)
{
	struct turns *turns = arg;

	return both_have_touched(turns->touchers, turns->nr);
}

/* Each open file has one sink, even if two threads come first. */
TEST(first_touches_share_a_sink)
{
	static void *maps[FIRST_TOUCHES];
	static int fds[FIRST_TOUCHES];
	struct toucher touchers[2] = { 0 };
	struct turns turns = { .touchers = touchers };
	struct uiot_dev dev;
	int turn = -1;
	__u32 word;
	bool over;
	int i;

	UIOT_SETUP(&dev, "ctx sink mem=virtual:2");
	for (i = 0; i < FIRST_TOUCHES; i++) {
		UIOT_OPEN(fds[i], &dev);
		maps[i] = uiot_map(fds[i], 0, 2, PROT_READ | PROT_WRITE, MAP_SHARED);
		ASSERT_NE(MAP_FAIL, maps[i]);
	}
	ASSERT_EQ(0, uiot_do(&dev, "unregister"));
	for (i = 0; i < 2; i++) {
		touchers[i] = (struct toucher){ .turn = &turn, .page = i, .maps = maps };
		touchers[i].op.fn = touch_in_turn;
		ASSERT_EQ(0, uiot_start(&touchers[i].op));
	}
	for (i = 0; i < FIRST_TOUCHES; i++) {
		turns.nr = i + 1;
		__atomic_store_n(&turn, i, __ATOMIC_RELEASE);
		over = uiot_wait_until(turn_is_over, &turns, UIOT_SOON_MS);
		ASSERT_TRUE(over);
		ASSERT_EQ(0, uiot_store_word(maps[i], 7));
		ASSERT_EQ(0, uiot_load_word(maps[i] + uiot_page(), &word));
		ASSERT_EQ(7, word);
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, uiot_join(&touchers[i].op, UIOT_SOON_MS));
		EXPECT_EQ(0, touchers[i].op.ret);
	}
	for (i = 0; i < FIRST_TOUCHES; i++) {
		munmap(maps[i], 2 * uiot_page());
		close(fds[i]);
	}
	EXPECT_EQ(0, uiot_reset());
}

TEST_HARNESS_MAIN
