// SPDX-License-Identifier: GPL-2.0-only
/* uio-late-release, the tool in tools/uio: which backstore a device belongs to. */

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"
#include "uio_testlib_tcmu.h"
#include "uio_testlib_tool.h"

FIXTURE(backstore)
{
	struct uiot_tcmu tcmu;
	int fd;
	bool tells;
	struct uiot_holder found;
};

FIXTURE_SETUP(backstore)
{
	UIOT_TOOL_SETUP();
	UIOT_NEED(uiot_tcmu_setup());
	ASSERT_EQ(0, uiot_tcmu_create(&self->tcmu, "one"));
	UIOT_OPEN(self->fd, &self->tcmu.uio);
	self->tells = uiot_tool_core_tells(self->fd);
}

FIXTURE_TEARDOWN(backstore)
{
	close(self->fd);
	uiot_tcmu_delete_all();
}

#define FIND()	ASSERT_EQ(1, uiot_tool_holders(UIOT_ROOT, getpid(), &self->found, 1, NULL))

TEST_F(backstore, name_and_handler)
{
	FIND();
	EXPECT_STREQ("user_0/one", self->found.backstore);
	EXPECT_STREQ("test", self->found.handler);
	EXPECT_STREQ("live", self->found.state);
	EXPECT_EQ(self->tells, self->found.ring >= 0);
	EXPECT_EQ(self->tells, self->found.data >= 0);
}

/* The kernel has let go of the ring. A mapping keeps the page that was touched. */
TEST_F(backstore, after_its_delete)
{
	void *p = uiot_tcmu_map(&self->tcmu, self->fd);
	__u32 word;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	FIND();
	EXPECT_STREQ("removed", self->found.state);
	EXPECT_EQ(self->tcmu.size, self->found.mapped);
	if (self->tells) {
		EXPECT_STREQ("user_0/one", self->found.backstore);
		EXPECT_STREQ("test", self->found.handler);
		EXPECT_EQ(0, self->found.ring);
		EXPECT_EQ(0, self->found.data);
	}
	if (!access("/proc/self/smaps", F_OK)) {
		EXPECT_LE((long long)uiot_page(), self->found.present);
		EXPECT_GE(self->tcmu.size / 2, self->found.present);
	}
	munmap(p, self->tcmu.size);
}

TEST_HARNESS_MAIN
