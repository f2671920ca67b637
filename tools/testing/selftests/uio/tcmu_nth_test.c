// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCMU: each allocation fails once while a device is made, changed and deleted. The kernel
 * does not wait for a daemon. It needs fault injection.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib_nth.h"
#include "uio_testlib_tcmu.h"

#define EACH_TEST_S	600
#define NAME		"nth"
#define NO_DAEMON	"nl_reply_supported=-1"
#define CONFIG		"dev_config=test/x,dev_size=1048576,max_data_area_mb=1," NO_DAEMON

/* Each test is a process of its own. */
static struct {
	struct uiot_tcmu tcmu;
	struct uiot_tcmu_daemon daemon;
	bool has_daemon;
	int fd;
	void *ring;	/* or MAP_FAIL */
} s;

FIXTURE(each)
{
};

FIXTURE_SETUP(each)
{
	UIOT_NEED(uiot_tcmu_setup());
	if (uiot_nth_on())
		SKIP(return, "this kernel has no fault injection");
}

FIXTURE_TEARDOWN(each)
{
	uiot_nth_off();
	uiot_tcmu_delete_all();
}

/* ---- the device, before and after each operation */

static int nothing(void)
{
	s.fd = -1;
	s.ring = MAP_FAIL;
	snprintf(s.tcmu.dir, sizeof(s.tcmu.dir), UIOT_TCMU_HBA "/" NAME);
	return mkdir(UIOT_TCMU_HBA, 0755) && errno != EEXIST ? -errno : 0;
}

static bool no_ring(void *arg)
{
	(void)arg;
	return !uiot_tcmu_rings();
}

static int drop(void)
{
	if (s.ring != MAP_FAIL)
		munmap(s.ring, s.tcmu.size);
	if (s.fd >= 0)
		close(s.fd);
	if (s.has_daemon)
		uiot_tcmu_daemon_end(&s.daemon);
	s.has_daemon = false;
	if (rmdir(s.tcmu.dir) && errno != ENOENT)
		return -errno;
	return uiot_wait_until(no_ring, NULL, UIOT_SOON_MS) ? 0 : -EBUSY;
}

static int configured(void)
{
	return uiot_tcmu_make(&s.tcmu, NAME, NO_DAEMON);
}

static int enabled(void)
{
	return uiot_tcmu_create(&s.tcmu, NAME);
}

static int opened(void)
{
	int ret = enabled();

	if (ret)
		return ret;
	s.fd = uiot_open(&s.tcmu.uio, O_RDWR);
	return s.fd < 0 ? s.fd : 0;
}

static int do_mmap(void)
{
	s.ring = uiot_tcmu_map(&s.tcmu, s.fd);
	return s.ring == MAP_FAIL ? -errno : 0;
}

/* The ring begins with TCMU's version. */
static int touch(void)
{
	__u32 version;

	return uiot_load_word(s.ring, &version) || !version ? -EILSEQ : 0;
}

static int mapped(void)
{
	return opened() ?: do_mmap() ?: touch();
}

/* Somebody has to hear of the change. */
static int enabled_and_heard(void)
{
	int ret = uiot_tcmu_daemon_start(&s.daemon);

	s.has_daemon = !ret;
	return ret ? ret : enabled();
}

/* ---- what operations do, and what has to be true afterwards */

static int do_create(void)
{
	return mkdir(s.tcmu.dir, 0755) ? -errno : 0;
}

static int created(void)
{
	return do_create();
}

static int do_configure(void)
{
	return uiot_tcmu_set(&s.tcmu, "control", CONFIG);
}

static int do_enable(void)
{
	return uiot_tcmu_enable(&s.tcmu);
}

static int is_enabled(void)
{
	int ret = uiot_tcmu_find(&s.tcmu);

	if (ret)
		return ret;
	s.fd = uiot_open(&s.tcmu.uio, O_RDWR);
	return s.fd < 0 ? s.fd : do_mmap() ?: touch();
}

static int do_reconfigure(void)
{
	return uiot_tcmu_set(&s.tcmu, "attrib/dev_size", "2097152");
}

static int do_reset_ring(void)
{
	return uiot_tcmu_set(&s.tcmu, "action/reset_ring", "2");
}

static int do_block(void)
{
	int ret = uiot_tcmu_set(&s.tcmu, "action/block_dev", "1");

	return ret ? ret : uiot_tcmu_set(&s.tcmu, "action/block_dev", "0");
}

static int do_delete(void)
{
	return uiot_tcmu_delete(&s.tcmu);
}

/* Late release: a page of the ring that was touched stays. */
static int is_deleted(void)
{
	return access(s.tcmu.uio.node, F_OK) ? touch() : -EEXIST;
}

#define EACH(...) do {							\
	const struct uiot_nth op = {					\
		.make = nothing, .drop = drop, __VA_ARGS__			\
	};								\
									\
	UIOT_NTH(&op);							\
} while (0)

TEST_F_TIMEOUT(each, create, EACH_TEST_S)
{
	EACH(.run = do_create);
}

TEST_F_TIMEOUT(each, configure, EACH_TEST_S)
{
	EACH(.prepare = created, .run = do_configure);
}

TEST_F_TIMEOUT(each, enable, EACH_TEST_S)
{
	EACH(.prepare = configured, .run = do_enable, .check = is_enabled,
	     .may_fail = { -ENOBUFS });
}

TEST_F_TIMEOUT(each, mmap, EACH_TEST_S)
{
	EACH(.prepare = opened, .run = do_mmap);
}

TEST_F_TIMEOUT(each, reconfigure, EACH_TEST_S)
{
	EACH(.prepare = enabled_and_heard, .run = do_reconfigure,
	     .may_fail = { -ENOBUFS });
}

TEST_F_TIMEOUT(each, reset_ring, EACH_TEST_S)
{
	EACH(.prepare = mapped, .run = do_reset_ring);
}

TEST_F_TIMEOUT(each, block, EACH_TEST_S)
{
	EACH(.prepare = mapped, .run = do_block);
}

TEST_F_TIMEOUT(each, delete, EACH_TEST_S)
{
	EACH(.prepare = mapped, .run = do_delete, .check = is_deleted);
}

TEST_HARNESS_MAIN
