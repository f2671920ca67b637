// SPDX-License-Identifier: GPL-2.0-only
/*
 * Library of the UIO tests: the kernel log, uevents, and threads that are stopped inside
 * the kernel.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "uio_testlib.h"

/* The log */

int uiot_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END);
	return fd;
}

/* Reads the first line of one record's text, which begins after the semicolon. */
static int log_line(int fd, char *line, size_t size)
{
	char record[2048], *text;
	ssize_t n;

	do {
		n = read(fd, record, sizeof(record) - 1);
	} while (n < 0 && errno == EPIPE);	/* the oldest records are lost */
	if (n < 0)
		return -errno;

	record[n] = 0;
	text = strchr(record, ';');
	if (!text)
		return -EBADMSG;
	text++;
	text[strcspn(text, "\n")] = 0;
	snprintf(line, size, "%s", text);
	return 0;
}

bool uiot_log_find(int fd, const char *text, char *line, size_t size)
{
	while (!log_line(fd, line, size))
		if (strstr(line, text))
			return true;
	return false;
}

/* Complaints of the kernel. Words: how a test quotes it; NULL: as in the log. */
static const struct {
	const char *mark;
	const char *words;
} splats[] = {
	{ "KASAN: ", NULL },
	{ "refcount_t: ", NULL },
	{ "possible circular locking", NULL },
	{ "possible recursive locking", NULL },
	{ "kobject_get() is being called", "a kobject is used before its time" },
	{ "cannot create duplicate", "a name in sysfs is taken" },
	{ "ad page state", "bad page state" },
	{ "BUG: ", NULL },
	{ "WARNING: ", "the kernel warns" },
	{ NULL, NULL },
};

bool uiot_log_splat(int fd, char *text, size_t size)
{
	char line[256], *words;
	unsigned int i;

	while (!log_line(fd, line, sizeof(line)))
		for (i = 0; splats[i].mark; i++) {
			words = strstr(line, splats[i].mark);
			if (!words)
				continue;
			words[strcspn(words, "+;")] = 0;
			snprintf(text, size, "%s",
				 splats[i].words ? splats[i].words : words);
			return true;
		}
	return false;
}

/* Returns 1 if lockdep is on, 0 if it is off. Its first report switches it off. */
int uiot_lockdep_on(void)
{
	char buf[4096], *word;
	int ret = uiot_read_file("/proc/lockdep_stats", buf, sizeof(buf));

	if (ret)
		return ret;
	word = strstr(buf, "debug_locks:");
	return word ? atoi(word + strlen("debug_locks:")) : -ENOENT;
}

/* Uevents */

int uiot_uevent_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;
	return fd;
}

/* An event begins with "add@" and the path of the device. The rest is not needed. */
bool uiot_uevent_added(int fd, char *path, size_t size)
{
	char event[4096];
	unsigned int nr;
	const char *name;
	ssize_t n;

	while ((n = read(fd, event, sizeof(event) - 1)) > 0) {
		event[n] = 0;
		name = strrchr(event, '/');
		if (strncmp(event, "add@", 4) || !name || sscanf(name, "/uio%u", &nr) != 1)
			continue;
		snprintf(path, size, "%s", event + 4);
		return true;
	}
	return false;
}

/* Allocations that fail */

/* failslab ignores allocations that may wait unless told otherwise. */
int uiot_faults_on(void)
{
	int ret = uiot_write_file("/sys/kernel/debug/failslab/verbose", "0");

	if (!ret)
		ret = uiot_write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
	if (!ret)
		ret = uiot_write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	return ret;
}

int uiot_fault_arm(int n)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	char buf[16];

	if (fd < 0)
		return -errno;

	snprintf(buf, sizeof(buf), "%d", n);
	if (pwrite(fd, buf, strlen(buf), 0) > 0)
		return fd;
	close(fd);
	return -EIO;
}

int uiot_fault_end(int fd)
{
	char buf[16] = "";

	pread(fd, buf, sizeof(buf) - 1, 0);
	pwrite(fd, "0", 1, 0);
	close(fd);
	return atoi(buf);
}

/* The uio_step module */

#define STEP	"/sys/module/uio_step/parameters/"

int uiot_step_arm(unsigned int at, const char *fail)
{
	int ret = uiot_load("uio_step");
	char buf[16];

	snprintf(buf, sizeof(buf), "%u", at);
	if (!ret)
		ret = uiot_write_file(STEP "at", buf);
	if (!ret)
		ret = uiot_write_file(STEP "fail", fail);
	if (!ret)
		ret = uiot_write_file(STEP "on", "Y");
	return ret;
}

int uiot_step_arm_locks(unsigned int at)
{
	int ret = uiot_load("uio_step");

	if (!ret)
		ret = uiot_write_file(STEP "locks", "Y");
	return ret ? ret : uiot_step_arm(at, "");
}

int uiot_step_fail(const char *function)
{
	int ret = uiot_load("uio_step");

	return ret ? ret : uiot_write_file(STEP "fail", function);
}

struct stop {
	struct uiot_op *op;
	char *where;
	size_t size;
};

static bool stopped_or_done(void *arg)
{
	struct stop *stop = arg;

	return (!uiot_read_file(STEP "where", stop->where, stop->size) &&
		stop->where[0] != '\n' && stop->where[0]) ||
	       __atomic_load_n(&stop->op->done, __ATOMIC_ACQUIRE);
}

int uiot_step_stopped(struct uiot_op *op, char *where, size_t size)
{
	struct stop stop = { op, where, size };

	where[0] = 0;
	if (!uiot_wait_until(stopped_or_done, &stop, UIOT_SOON_MS))
		return -ETIMEDOUT;
	where[strcspn(where, "\n")] = 0;
	return where[0] != 0;
}

void uiot_step_go(void)
{
	uiot_write_file(STEP "on", "N");
}

void uiot_step_end(void)
{
	uiot_step_go();
	uiot_write_file(STEP "fail", "\n");
	uiot_write_file(STEP "locks", "N");
}

/* Sleepers */

struct sleeper {
	struct uiot_op *op;
	const char *where;
};

static bool op_inside_or_done(void *arg)
{
	struct sleeper *sleeper = arg;
	struct uiot_op *op = sleeper->op;
	char path[64], where[64];

	if (__atomic_load_n(&op->done, __ATOMIC_ACQUIRE))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/wchan", op->tid);
	return __atomic_load_n(&op->started, __ATOMIC_ACQUIRE) &&
	       !uiot_read_file(path, where, sizeof(where)) &&
	       strstr(where, sleeper->where);
}

int uiot_wait_asleep_in(struct uiot_op *op, const char *where, int ms)
{
	struct sleeper sleeper = { op, where };

	if (!uiot_wait_until(op_inside_or_done, &sleeper, ms))
		return -ETIMEDOUT;
	return __atomic_load_n(&op->done, __ATOMIC_ACQUIRE) ? -ECANCELED : 0;
}

/* Nodes */

int uiot_next_node(char *node, size_t size)
{
	struct uiot_dev dev;
	struct stat st;
	int ret;

	ret = uiot_create(&dev, "");
	if (ret)
		return ret;

	ret = stat(dev.node, &st) ? -errno : 0;
	snprintf(node, size, "/dev/next-%d-%u", getpid(), minor(st.st_rdev));
	if (!ret && mknod(node, S_IFCHR | 0600, st.st_rdev) && errno != EEXIST)
		ret = -errno;
	return ret ? ret : uiot_do(&dev, "unregister");
}
