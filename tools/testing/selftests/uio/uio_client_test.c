// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: the programs in samples/uio, while a device goes that they use. It goes in two ways.
 * Either the device is unregistered, which ends a read(). Or the driver of a live device
 * takes its I/O memory away. Then the program has its event, and touches memory that is gone.
 */

#include <fcntl.h>
#include <linux/uio_device.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

#define CLIENT	"./uio_client"
#define PYTHON	"/usr/bin/python3"

FIXTURE(client)
{
	struct uiot_dev dev;
	struct uiot_program program;
};

FIXTURE_VARIANT(client)
{
	const char *file;
	const char *interpreter;
	const char *first_words;
	bool goes_on_with_zeros;
};

FIXTURE_VARIANT_ADD(client, c) {
	.file = CLIENT,
};

FIXTURE_VARIANT_ADD(client, zeros) {
	.file = "./uio_zeros", .goes_on_with_zeros = true,
};

/* this core knows the number of UIO_IOC_REVOKE */
FIXTURE_VARIANT_ADD(client, python) {
	.file = "./uio_client.py", .interpreter = PYTHON, .first_words = "late release: yes\n",
};

FIXTURE_VARIANT_ADD(client, rust) {
	.file = "./uio_client_rust",
};

FIXTURE_VARIANT_ADD(client, go) {
	.file = "./uio_client_go",
};

/* An interpreter takes long to start on an emulated CPU. */
#define START_MS	60000

static bool is_open(void *dev)
{
	return uiot_count(dev, "opens") == 1;
}

/* The program has touched the memory. */
FIXTURE_SETUP(client)
{
	char text[64];

	if (access(variant->file, X_OK))
		SKIP(return, "there is no %s", variant->file);
	if (variant->interpreter && access(variant->interpreter, X_OK))
		SKIP(return, "there is no %s", variant->interpreter);
	UIOT_SETUP(&self->dev, "ctx mem=phys:1 noirqcontrol");
	ASSERT_EQ(0, uiot_program_start(&self->program, variant->file, self->dev.node, NULL));
	ASSERT_TRUE(uiot_wait_until(is_open, &self->dev, START_MS));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	snprintf(text, sizeof(text), "1 events, %u ticks\n", UIOT_WORD(0, 0));
	ASSERT_TRUE(uiot_program_says(&self->program, text)) {
		TH_LOG("%s", self->program.said);
	}
	if (variant->first_words)
		EXPECT_EQ(0, strncmp(variant->first_words, self->program.said,
				     strlen(variant->first_words)));
}

FIXTURE_TEARDOWN(client)
{
	EXPECT_TRUE(uiot_program_says(&self->program, "the device has gone\n"));
	EXPECT_EQ(0, uiot_program_end(&self->program)) {
		TH_LOG("%s", self->program.said);
	}
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(client, ends_when_its_device_goes)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
}

TEST_F(client, survives_a_touch_of_what_is_gone)
{
	ASSERT_EQ(0, uiot_do(&self->dev, "unmap 0,0,1"));
	ASSERT_EQ(0, uiot_do(&self->dev, "notify"));
	if (!variant->goes_on_with_zeros)
		return;
	EXPECT_TRUE(uiot_program_says(&self->program, "2 events, 0 ticks\n"));
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
}

/* Returns a copy of the descriptor that the process has of this file. */
static int take_fd(pid_t pid, const char *file)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	char path[64], target[64];
	int fd, ret = -1;
	ssize_t n;

	for (fd = 0; ret < 0 && fd < 64; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = 0;
		if (!strcmp(target, file))
			ret = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	}
	close(pidfd);
	return ret;
}

/*
 * A thread waits in a page fault, which is going to fail. Meanwhile, another thread touches
 * its own device, and has left its touch when the first one gets SIGBUS.
 */
TEST(threads_do_not_jump_out_of_the_touch_of_another)
{
	struct uiot_dev waiting, other;
	struct uiot_program client;
	char text[64];
	int fd;

	if (access(CLIENT, X_OK))
		SKIP(return, "there is no %s", CLIENT);
	UIOT_SETUP(&waiting, "ctx mem=context:1");
	ASSERT_EQ(0, uiot_create(&other, "ctx mem=context:1"));
	ASSERT_EQ(0, uiot_program_start(&client, CLIENT, waiting.node, other.node));
	ASSERT_TRUE(uiot_count_becomes(&waiting, "opens", 1));
	ASSERT_TRUE(uiot_count_becomes(&other, "opens", 1));
	/* its first output allocates memory, which could wait for the page fault */
	ASSERT_EQ(0, uiot_do(&other, "notify"));
	ASSERT_TRUE(uiot_program_says(&client, ": 1 events"));
	ASSERT_EQ(0, uiot_do(&waiting, "stall fault"));
	ASSERT_EQ(0, uiot_do(&waiting, "notify"));
	ASSERT_TRUE(uiot_count_becomes(&waiting, "inside", 1));

	ASSERT_EQ(0, uiot_do(&other, "notify"));
	EXPECT_TRUE(uiot_program_says(&client, ": 2 events"));
	fd = take_fd(client.pid, waiting.node);
	EXPECT_EQ(0, ioctl(fd, UIO_IOC_REVOKE, 0));
	close(fd);
	ASSERT_EQ(0, uiot_do(&waiting, "resume"));
	snprintf(text, sizeof(text), "%s: the device has gone\n", waiting.node);
	EXPECT_TRUE(uiot_program_says(&client, text)) {
		TH_LOG("%s", client.said);
	}

	ASSERT_EQ(0, uiot_do(&other, "unregister"));
	EXPECT_EQ(0, uiot_program_end(&client));
	EXPECT_EQ(0, uiot_reset());
}

TEST_HARNESS_MAIN
