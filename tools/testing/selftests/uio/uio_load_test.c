// SPDX-License-Identifier: GPL-2.0-only
/* UIO: the core is loaded, and something fails. Nothing is left, and it can be tried again. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

/* A debug kernel delays releases to find bugs, which delays the removal of a module. */
#define REMOVE_MS	(4 * UIOT_SOON_MS)
/* modprobe, under the name of threads in which calls fail */
#define MODPROBE	"/tmp/" UIOT_STEP

FIXTURE(load)
{
	struct uiot_dev dev;
	int log;
};

FIXTURE_VARIANT(load)
{
	const char *function;	/* that fails */
};

#define LOAD(_name, _function)						\
	FIXTURE_VARIANT_ADD(load, _name) { .function = #_function }

LOAD(file_system, init_pseudo);
LOAD(mount, kern_mount);
LOAD(class, class_register);
LOAD(numbers, __register_chrdev);

FIXTURE_SETUP(load)
{
	/* mainline's core calls other functions */
	UIOT_SETUP(&self->dev, "ctx");
	ASSERT_EQ(0, uiot_step_fail(variant->function));
	ASSERT_EQ(0, uiot_shell("ln -sf \"$(command -v kmod)\" " MODPROBE));
	ASSERT_TRUE(uiot_module_goes("uio_test", REMOVE_MS));
	if (uiot_module_refs("uio"))
		SKIP(return, "uio is not a module, or somebody uses it");
	ASSERT_TRUE(uiot_module_goes("uio", REMOVE_MS));
	self->log = uiot_log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(load)
{
	uiot_step_end();
	unlink(MODPROBE);
	EXPECT_EQ(0, uiot_reset());
}

/* Returns its exit status. */
static int modprobe_uio(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		/* it does what the first argument says */
		execl(MODPROBE, "modprobe", "-q", "uio", NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(load, failure_leaves_nothing)
{
	char splat[128];
	bool seen;

	EXPECT_EQ(1, modprobe_uio());
	EXPECT_EQ(-1, access("/sys/module/uio", F_OK));
	EXPECT_EQ(-1, access("/sys/class/uio", F_OK));
	seen = uiot_log_splat(self->log, splat, sizeof(splat));
	EXPECT_FALSE(seen) {
		TH_LOG("%s", splat);
	}
	uiot_step_end();
	EXPECT_EQ(0, modprobe_uio());
	ASSERT_EQ(0, uiot_reset());
	EXPECT_EQ(0, uiot_create(&self->dev, "ctx"));
}

TEST_HARNESS_MAIN
