// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: the log message about a driver without a context whose device is mapped when it is
 * unregistered. The core limits the rate of this message, and other tests may have used up
 * the limit. So each test reloads the core.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

#define NOTICE	"has no context"

FIXTURE(notice)
{
	struct uiot_dev dev;	/* only to see whether the core has contexts */
	int log;
};

FIXTURE_SETUP(notice)
{
	UIOT_SETUP(&self->dev, "ctx");
	ASSERT_TRUE(uiot_module_goes("uio_test", 4 * UIOT_SOON_MS));
	if (uiot_module_refs("uio"))
		SKIP(return, "uio is not a module, or somebody uses it");
	ASSERT_TRUE(uiot_module_goes("uio", UIOT_SOON_MS));
	ASSERT_EQ(0, uiot_reset());
	self->log = uiot_log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(notice)
{
	close(self->log);
	EXPECT_EQ(0, uiot_reset());
}

static int unregister_mapped(const char *options)
{
	struct uiot_dev dev;
	void *map;
	int fd, ret;

	ret = uiot_create(&dev, options);
	if (ret)
		return ret;
	fd = uiot_open(&dev, O_RDWR);
	if (fd < 0)
		return fd;
	map = uiot_map(fd, 0, 1, PROT_READ, MAP_SHARED);
	close(fd);
	if (map == MAP_FAILED)
		return -errno;
	ret = uiot_do(&dev, "unregister");
	munmap(map, uiot_page());
	return ret;
}

/* Expects exactly one line. */
static void expect_notice(struct __test_metadata *_metadata, int log)
{
	char line[256] = "";

	EXPECT_TRUE(uiot_log_find(log, NOTICE, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "uio: uio_test has no context: uio0 was mapped")) {
		TH_LOG("%s", line);
	}
	EXPECT_FALSE(uiot_log_find(log, NOTICE, line, sizeof(line)));
}

TEST_F(notice, names_driver_and_device_each_time)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, unregister_mapped("mem=virtual:1"));
		expect_notice(_metadata, self->log);
	}
}

TEST_F(notice, the_same_when_the_parent_is_unbound)
{
	ASSERT_EQ(0, unregister_mapped("devm mem=virtual:1"));
	expect_notice(_metadata, self->log);
}

TEST_F(notice, none_with_a_context)
{
	char line[256];

	ASSERT_EQ(0, unregister_mapped("ctx mem=virtual:1"));
	EXPECT_FALSE(uiot_log_find(self->log, NOTICE, line, sizeof(line)));
}

TEST_F(notice, none_without_a_mapping)
{
	struct uiot_dev dev;
	char line[256];
	void *map;
	int fd;

	ASSERT_EQ(0, uiot_create(&dev, "mem=virtual:1"));
	fd = uiot_open(&dev, O_RDWR);
	ASSERT_LE(0, fd);
	map = uiot_map(fd, 0, 1, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, munmap(map, uiot_page()));
	ASSERT_EQ(0, uiot_do(&dev, "unregister"));
	close(fd);
	EXPECT_FALSE(uiot_log_find(self->log, NOTICE, line, sizeof(line)));
}

TEST_HARNESS_MAIN
