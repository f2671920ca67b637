// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: the sample driver and its client, which others copy from.
 */

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

#define SAMPLE		"/sys/devices/uio-sample"

FIXTURE(sample)
{
	char node[32];
};

/* The sample's node in /dev, of which there is one at a time. */
static int find_node(char *node, size_t size)
{
	DIR *dir = opendir(SAMPLE "/uio");
	struct dirent *entry;
	int ret = -ENODEV;

	if (!dir)
		return ret;
	while (ret && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "uio", 3))
			continue;
		snprintf(node, size, "/dev/%.20s", entry->d_name);
		ret = 0;
	}
	closedir(dir);
	return ret;
}

static int plug(const char *state)
{
	return uiot_write_file(SAMPLE "/plugged", state);
}

FIXTURE_SETUP(sample)
{
	if (strcmp(getenv("UIO_LAB_MODULES") ?: "", "mainline") == 0)
		SKIP(return, "this core has no contexts");
	ASSERT_EQ(0, uiot_load("uio_sample"));
	ASSERT_EQ(0, find_node(self->node, sizeof(self->node)));
}

FIXTURE_TEARDOWN(sample)
{
	EXPECT_EQ(0, uiot_module_remove("uio_sample"));
}

/* Appends what the client says to @out until that contains @text. */
static bool client_says(int fd, char *out, size_t size, const char *text)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t len = strlen(out);
	ssize_t n;

	while (!strstr(out, text)) {
		if (poll(&pfd, 1, UIOT_SOON_MS) != 1)
			return false;
		n = read(fd, out + len, size - len - 1);
		if (n <= 0)
			return false;
		len += n;
		out[len] = 0;
	}
	return true;
}

TEST_F(sample, client_survives_the_unplug)
{
	char out[4096] = "";
	int says[2];
	int status;
	pid_t pid;

	ASSERT_EQ(0, pipe(says));
	pid = fork();
	if (!pid) {
		dup2(says[1], 1);
		execl("./uio_client", "uio_client", self->node, NULL);
		_exit(127);
	}
	close(says[1]);

	EXPECT_TRUE(client_says(says[0], out, sizeof(out), "2 events"));
	EXPECT_EQ(0, plug("0"));
	EXPECT_TRUE(client_says(says[0], out, sizeof(out), "the device has gone")) {
		kill(pid, SIGKILL);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(says[0]);
}

TEST_F(sample, is_plugged_in_again_while_the_old_one_is_held)
{
	int fd = open(self->node, O_RDWR);
	char node[32];
	__u32 word;
	void *p;

	ASSERT_LE(0, fd);
	p = uiot_map(fd, 0, 1, PROT_READ, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_load_word(p, &word));

	ASSERT_EQ(0, plug("0"));
	EXPECT_EQ(-ENODEV, find_node(node, sizeof(node)));
	ASSERT_EQ(0, plug("1"));
	EXPECT_EQ(0, find_node(node, sizeof(node)));
	EXPECT_EQ(0, uiot_load_word(p, &word));
	EXPECT_EQ(-EAGAIN, uiot_module_remove("uio_sample"));

	munmap(p, uiot_page());
	close(fd);
}

TEST_HARNESS_MAIN
