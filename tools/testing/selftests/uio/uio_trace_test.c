// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: trace events of a device's life, and of touches after its end.
 */

#include <fcntl.h>
#include <linux/uio_device.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

/* An instance has events and a buffer of its own. */
#define TRACING		"/sys/kernel/tracing"
#define INSTANCE	TRACING "/instances/uio-test"

/* A device, registered and open, whose events are recorded. */
FIXTURE(device)
{
	struct uiot_dev dev;
	int fd;
	long long serial;
	FILE *trace;
};

FIXTURE_VARIANT(device)
{
	const char *options;
	bool context;
	/* of page 2 of region 1, when the device is gone */
	int sig;
	const char *touch;
	/* the same, when the file was revoked */
	const char *touch_of_file;
};

FIXTURE_VARIANT_ADD(device, legacy)
{
	.options = "mem=virtual:4 mem=virtual:4",
	.sig = SIGBUS,
	.touch = "region=1 page=2 sigbus",
	.touch_of_file = "region=1 page=2 sigbus",
};

/* The core knows the offset in the file only. */
FIXTURE_VARIANT_ADD(device, own_mmap)
{
	.options = "mmap mem=virtual:4 mem=virtual:4",
	.sig = SIGBUS,
	.touch = "region=-1 page=3 sigbus",
	.touch_of_file = "region=-1 page=3 sigbus",
};

FIXTURE_VARIANT_ADD(device, context)
{
	.options = "ctx mem=virtual:4 mem=context:4",
	.context = true,
	.sig = SIGBUS,
	.touch = "region=1 page=2 sigbus",
	.touch_of_file = "region=1 page=2 sigbus",
};

FIXTURE_VARIANT_ADD(device, sink)
{
	.options = "ctx sink mem=virtual:4 mem=context:4",
	.context = true,
	.touch = "region=1 page=2 sink",
	.touch_of_file = "region=1 page=2 sigbus",
};

static void stop_recording(void)
{
	if (access(INSTANCE, F_OK))
		return;
	/* events that are on pin the module */
	uiot_write_file(INSTANCE "/events/enable", "0");
	rmdir(INSTANCE);
}

static int start_recording(void)
{
	int ret;

	/* of a test that failed */
	stop_recording();
	if (mkdir(INSTANCE, 0700))
		return -errno;
	/* the default is not in order across CPUs */
	ret = uiot_write_file(INSTANCE "/trace_clock", "mono");
	return ret ? ret : uiot_write_file(INSTANCE "/events/uio/enable", "1");
}

FIXTURE_SETUP(device)
{
	char options[96];

	snprintf(options, sizeof(options), "%s idle", variant->options);
	UIOT_SETUP(&self->dev, options);
	if (access(TRACING "/events", F_OK))
		SKIP(return, "this kernel has no trace events, or tracefs is not mounted");
	ASSERT_EQ(0, start_recording());
	ASSERT_EQ(0, uiot_do(&self->dev, "register"));
	snprintf(self->dev.node, sizeof(self->dev.node), "/dev/uio%ld",
		 uiot_count(&self->dev, "minor"));
	UIOT_OPEN(self->fd, &self->dev);
	self->serial = uiot_fdinfo_number(self->fd, "uio-serial");
}

FIXTURE_TEARDOWN(device)
{
	if (self->trace)
		fclose(self->trace);
	stop_recording();
	close(self->fd);
	EXPECT_EQ(0, uiot_reset());
}

/* Finds the next such event of the device, after the one that was found last. */
static int find(FIXTURE_DATA(device) *self, const char *event, char *text, size_t size)
{
	char line[512], mark[48], *found, *serial;

	if (!self->trace)
		self->trace = fopen(INSTANCE "/trace", "re");
	if (!self->trace)
		return -errno;

	snprintf(mark, sizeof(mark), ": %s: ", event);
	while (fgets(line, sizeof(line), self->trace)) {
		found = strstr(line, mark);
		serial = found ? strstr(found, "serial=") : NULL;
		if (!serial || atoll(serial + strlen("serial=")) != self->serial)
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(text, size, "%s", found + strlen(mark));
		return 0;
	}
	return -ENOENT;
}

/* The next such event has to have @_words. */
#define EXPECT_EVENT(_event, _words) do {				\
	const char *_want = _words;					\
	char _text[256] = "";						\
									\
	EXPECT_EQ(0, find(self, _event, _text, sizeof(_text)));		\
	EXPECT_NE(NULL, strstr(_text, _want)) {				\
		TH_LOG("not '%s' but '%s'", _want, _text);		\
	}								\
} while (0)

TEST_F(device, life_is_in_order)
{
	const char *node = self->dev.node + strlen("/dev/");
	char name[64];

	snprintf(name, sizeof(name), "name=%s", self->dev.name);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	close(self->fd);
	self->fd = -1;
	EXPECT_EVENT("uio_register", name);
	EXPECT_EVENT("uio_open", node);
	EXPECT_EVENT("uio_revoke", node);
	EXPECT_EVENT("uio_drain", node);
	EXPECT_EVENT("uio_close", node);
	if (variant->context)
		EXPECT_EVENT("uio_release", "");
}

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

TEST_F(device, drain_says_how_long_it_took)
{
	struct uiot_op caller = { .fn = uiot_op_write, .fd = self->fd };
	struct uiot_op unregister = { .fn = uiot_op_cmd };
	long long start, asleep, waited, total, ns;
	char text[128] = "", *found;

	snprintf(unregister.text, sizeof(unregister.text), "unregister %s", self->dev.name);
	ASSERT_EQ(0, uiot_do(&self->dev, "stall irqcontrol"));
	ASSERT_EQ(0, uiot_start(&caller));
	ASSERT_TRUE(uiot_count_becomes(&self->dev, "inside", 1));
	start = now_ns();
	ASSERT_EQ(0, uiot_start(&unregister));
	ASSERT_EQ(0, uiot_wait_asleep(&unregister));
	asleep = now_ns();
	usleep(UIOT_WHILE_MS * 1000);
	waited = now_ns() - asleep;
	ASSERT_EQ(0, uiot_do(&self->dev, "resume"));
	ASSERT_EQ(0, uiot_join(&caller, UIOT_SOON_MS));
	ASSERT_EQ(0, uiot_join(&unregister, UIOT_SOON_MS));
	total = now_ns() - start;

	EXPECT_EVENT("uio_revoke", "inside=1");
	ASSERT_EQ(0, find(self, "uio_drain", text, sizeof(text)));
	found = strstr(text, " ns=");
	ASSERT_NE(NULL, found);
	ns = atoll(found + strlen(" ns="));
	EXPECT_LE(waited, ns);
	EXPECT_GE(total, ns);
}

TEST_F(device, touch_after_unregistration)
{
	void *p = uiot_map(self->fd, 1, 4, PROT_READ, MAP_SHARED);
	__u32 word;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, uiot_do(&self->dev, "unregister"));
	EXPECT_EQ(variant->sig, uiot_load_word(p + 2 * uiot_page(), &word));
	EXPECT_EVENT("uio_drain", "");
	EXPECT_EVENT("uio_fault_revoked", variant->touch);
}

TEST_F(device, touch_after_the_file_was_revoked)
{
	void *p = uiot_map(self->fd, 1, 4, PROT_READ, MAP_SHARED);
	__u32 word;

	ASSERT_NE(MAP_FAIL, p);
	ASSERT_EQ(0, ioctl(self->fd, UIO_IOC_REVOKE, 0));
	EXPECT_EQ(SIGBUS, uiot_load_word(p + 2 * uiot_page(), &word));
	EXPECT_EVENT("uio_fault_revoked", variant->touch_of_file);
}

TEST_HARNESS_MAIN
