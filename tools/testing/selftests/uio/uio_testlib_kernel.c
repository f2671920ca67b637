// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tests of UIO share: what the kernel says, and threads that are
 * stopped inside of it.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* One record: the text behind the semicolon, without what follows the line. */
static int log_line(int fd, char *line, size_t size)
{
	char record[2048], *text;
	ssize_t n;

	do {
		n = read(fd, record, sizeof(record) - 1);
	} while (n < 0 && errno == EPIPE);	/* the oldest are lost */
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

/* What the kernel complains with; said in these words, or those of the line. */
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

/* 1 if it looks for deadlocks; 0 if it has stopped, as it does with a report. */
int uiot_lockdep_on(void)
{
	char buf[4096], *word;
	int ret = uiot_read_file("/proc/lockdep_stats", buf, sizeof(buf));

	if (ret)
		return ret;
	word = strstr(buf, "debug_locks:");
	return word ? atoi(word + strlen("debug_locks:")) : -ENOENT;
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
}

/* The uio_hold module */

#define HOLD	"/sys/module/uio_hold/parameters/"

int uiot_hold_arm(void)
{
	int ret = uiot_load("uio_hold");

	return ret ? ret : uiot_write_file(HOLD "go", "N");
}

static bool hold_hit(void *arg)
{
	(void)arg;
	return uiot_file_counts(HOLD "hits");
}

bool uiot_hold_hit(int ms)
{
	return uiot_wait_until(hold_hit, NULL, ms);
}

void uiot_hold_go(void)
{
	uiot_write_file(HOLD "go", "Y");
}

int uiot_wait_rcu(void)
{
	int ret = uiot_load("uio_hold");

	return ret ? ret : uiot_write_file(HOLD "go", "Y");
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
	       !strncmp(where, sleeper->where, strlen(sleeper->where));
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
