// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: the sample drivers and the client of one.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

#define SAMPLE		"/sys/devices/uio-sample"
#define CLIENT		"./uio_client"
#define SAMPLE_PAGES	"/sys/devices/platform/uio_sample_pages"

FIXTURE(sample)
{
	char node[32];
};

static bool core_has_contexts(void)
{
	return strcmp(getenv("UIO_LAB_MODULES") ?: "", "mainline");
}

/* Finds a sample's node in /dev. There is one at a time. */
static int find_node(const char *class_dir, char *node, size_t size)
{
	DIR *dir = opendir(class_dir);
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
	if (!core_has_contexts())
		SKIP(return, "this core has no contexts");
	UIOT_NEED(uiot_load("uio_sample"));
	ASSERT_EQ(0, find_node(SAMPLE "/uio", self->node, sizeof(self->node)));
}

FIXTURE_TEARDOWN(sample)
{
	EXPECT_EQ(0, uiot_module_remove("uio_sample"));
}

TEST_F(sample, client_survives_the_unplug)
{
	struct uiot_program client;

	if (access(CLIENT, X_OK))
		SKIP(return, "there is no " CLIENT ": samples/uio has it");
	ASSERT_EQ(0, uiot_program_start(&client, CLIENT, self->node, NULL));
	EXPECT_TRUE(uiot_program_says(&client, "2 events"));
	EXPECT_EQ(0, plug("0"));
	EXPECT_TRUE(uiot_program_says(&client, "the device has gone"));
	EXPECT_EQ(0, uiot_program_end(&client));
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
	EXPECT_EQ(-ENODEV, find_node(SAMPLE "/uio", node, sizeof(node)));
	ASSERT_EQ(0, plug("1"));
	EXPECT_EQ(0, find_node(SAMPLE "/uio", node, sizeof(node)));
	EXPECT_EQ(0, uiot_load_word(p, &word));
	EXPECT_EQ(-EAGAIN, uiot_module_remove("uio_sample"));

	munmap(p, uiot_page());
	close(fd);
}

/* The first two pages are mapped, and nothing was touched. */
FIXTURE(pages)
{
	int fd;
	void *p;
};

#define PAGES	2

FIXTURE_SETUP(pages)
{
	char node[32];

	if (!core_has_contexts())
		SKIP(return, "this core has no contexts");
	UIOT_NEED(uiot_load("uio_sample_pages"));
	ASSERT_EQ(0, find_node(SAMPLE_PAGES "/uio", node, sizeof(node)));
	self->fd = open(node, O_RDWR);
	ASSERT_LE(0, self->fd);
	self->p = uiot_map(self->fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
	ASSERT_NE(MAP_FAIL, self->p);
}

FIXTURE_TEARDOWN(pages)
{
	munmap(self->p, PAGES * uiot_page());
	close(self->fd);
	EXPECT_EQ(0, uiot_module_remove("uio_sample_pages"));
}

static long long memory_of(int fd)
{
	return uiot_fdinfo_number(fd, "sample-bytes");
}

TEST_F(pages, take_memory_when_they_are_touched)
{
	EXPECT_EQ(0, memory_of(self->fd));
	EXPECT_EQ(0, uiot_store_word(self->p, 1));
	EXPECT_EQ(uiot_page(), memory_of(self->fd));
	EXPECT_EQ(0, uiot_store_word(self->p + uiot_page(), 1));
	EXPECT_EQ(2 * uiot_page(), memory_of(self->fd));
}

TEST_F(pages, that_are_taken_back_are_new_at_the_next_touch)
{
	__u32 word;

	ASSERT_EQ(0, uiot_store_word(self->p, 1));
	ASSERT_EQ(0, uiot_write_file(SAMPLE_PAGES "/trim", "1"));
	EXPECT_EQ(0, memory_of(self->fd));
	EXPECT_EQ(0, uiot_load_word(self->p, &word));
	EXPECT_EQ(0, word);
	EXPECT_EQ(uiot_page(), memory_of(self->fd));
}

TEST_F(pages, that_are_mapped_stay_when_the_device_is_unbound)
{
	__u32 word;

	ASSERT_EQ(0, uiot_store_word(self->p, 1));
	ASSERT_EQ(0, uiot_write_file("/sys/bus/platform/drivers/uio_sample_pages/unbind",
				     "uio_sample_pages"));
	EXPECT_EQ(0, memory_of(self->fd));
	EXPECT_EQ(0, uiot_load_word(self->p, &word));
	EXPECT_EQ(1, word);
	EXPECT_EQ(SIGBUS, uiot_load_word(self->p + uiot_page(), &word));
}

/*
 * module_init() fails, while somebody opens the device as soon as that works. The kernel
 * then frees the module without a look at its count. So nobody may have an open file,
 * because its close would call the freed code. The kernel needs fault injection.
 */
FIXTURE(init)
{
	char file[256];
	char node[64];
	int log;
};

/* Only the last allocations are in module_init(). Each load takes seconds. */
#define ALLOCATIONS	16
#define INIT_TEST_S	600
/* A debug kernel delays releases to find bugs, which delays the removal of a module. */
#define REMOVE_MS	(4 * UIOT_SOON_MS)

static int find_module(char *file, size_t size)
{
	FILE *out = popen("modinfo -n uio_sample", "r");
	int ret = -ENOENT;

	if (!out)
		return -errno;
	if (fgets(file, size, out))
		ret = 0;
	file[strcspn(file, "\n")] = 0;
	pclose(out);
	return ret;
}

FIXTURE_SETUP(init)
{
	if (!core_has_contexts())
		SKIP(return, "this core has no contexts");
	if (uiot_faults_on())
		SKIP(return, "this kernel has no fault injection");
	UIOT_NEED(uiot_reset());
	ASSERT_EQ(0, find_module(self->file, sizeof(self->file)));
	ASSERT_EQ(0, uiot_next_node(self->node, sizeof(self->node)));
	self->log = uiot_log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(init)
{
	unlink(self->node);
	close(self->log);
	EXPECT_TRUE(!access("/sys/module/uio_sample", F_OK) ||
		    !uiot_load("uio_sample"));
	EXPECT_TRUE(uiot_module_goes("uio_sample", REMOVE_MS));
}

static bool opener_stop;

/* Returns the descriptor, or -1. */
static long open_at_once(struct uiot_op *op)
{
	int fd;

	do {
		fd = open(op->text, O_RDWR | O_CLOEXEC);
	} while (fd < 0 && !__atomic_load_n(&opener_stop, __ATOMIC_ACQUIRE));
	return fd;
}

/* Loads with allocation number @n failing. *@left: 0 if it failed, else there were fewer. */
static int load_with_fault(const char *file, int n, int *left)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int nth, ret;

	if (fd < 0)
		return -errno;
	nth = uiot_fault_arm(n);
	if (nth >= 0) {
		ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
		*left = uiot_fault_end(nth);
	} else {
		ret = nth;
	}
	close(fd);
	return ret;
}

/* The same, while a thread tries to open the node. *@opened: it succeeded. */
static int load_while_opened(const char *file, const char *node, int n, bool *opened)
{
	struct uiot_op opener = { .fn = open_at_once };
	int ret, left;

	*opened = false;
	snprintf(opener.text, sizeof(opener.text), "%s", node);
	__atomic_store_n(&opener_stop, false, __ATOMIC_RELEASE);
	ret = uiot_start(&opener);
	if (ret)
		return ret;

	ret = load_with_fault(file, n, &left);
	__atomic_store_n(&opener_stop, true, __ATOMIC_RELEASE);
	if (uiot_join(&opener, UIOT_SOON_MS))
		return -ETIMEDOUT;
	*opened = opener.ret >= 0;
	/* close calls code of the module, which must still be there */
	if (*opened)
		close(opener.ret);
	return ret;
}

TEST_F_TIMEOUT(init, c1_fails_for_want_of_memory, INIT_TEST_S)
{
	const int many = 100000;
	char splat[128];
	int total, opens = 0;
	bool opened, seen;
	int n, ret, left;

	ASSERT_EQ(0, load_with_fault(self->file, many, &left));
	ASSERT_TRUE(uiot_module_goes("uio_sample", REMOVE_MS));
	total = many - left;
	ASSERT_LT(ALLOCATIONS, total);

	for (n = total; n > total - ALLOCATIONS; n--) {
		ret = load_while_opened(self->file, self->node, n, &opened);
		EXPECT_TRUE(!ret || ret == -ENOMEM) {
			TH_LOG("%s", strerrorname_np(-ret));
		}
		EXPECT_FALSE(ret && opened) {
			TH_LOG("allocation %d of %d fails when it is open", n, total);
		}
		opens += opened;
		if (!ret)
			ASSERT_TRUE(uiot_module_goes("uio_sample", REMOVE_MS));
		seen = uiot_log_splat(self->log, splat, sizeof(splat));
		ASSERT_FALSE(seen) {
			TH_LOG("%s, allocation %d of %d", splat, n, total);
		}
	}
	EXPECT_LT(0, opens);
}

TEST_HARNESS_MAIN
