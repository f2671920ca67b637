// SPDX-License-Identifier: GPL-2.0-only
/* Functions that the groups share. */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "same.h"

size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Runs @fn in a child. Returns its result, up to 255, or a negative error code. */
int in_child(int (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		exit(fn(arg));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* Returns, for example, "IN RDNORM", in a static buffer. */
const char *mask_words(unsigned int mask)
{
	static const struct {
		unsigned int bit;
		const char *word;
	} bits[] = {
		{ POLLIN, "IN" }, { POLLPRI, "PRI" }, { POLLOUT, "OUT" },
		{ POLLERR, "ERR" }, { POLLHUP, "HUP" }, { POLLNVAL, "NVAL" },
		{ POLLRDNORM, "RDNORM" }, { POLLRDBAND, "RDBAND" },
		{ POLLWRNORM, "WRNORM" }, { POLLWRBAND, "WRBAND" },
		{ POLLMSG, "MSG" }, { POLLREMOVE, "REMOVE" }, { POLLRDHUP, "RDHUP" },
	};
	static char words[128];
	unsigned int i;
	size_t n = 0;

	words[0] = 0;
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		if (!(mask & bits[i].bit))
			continue;
		n += snprintf(words + n, sizeof(words) - n, "%s%s", n ? " " : "",
			      bits[i].word);
		mask &= ~bits[i].bit;
	}
	if (mask)
		snprintf(words + n, sizeof(words) - n, " and %#x", mask);
	return words[0] ? words : "nothing";
}

unsigned int poll_mask(int fd, unsigned int events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, 0) > 0 ? pfd.revents : 0;
}

/* Polls for all events. */
void fact_poll(const char *name, int fd)
{
	fact(name, "%s", mask_words(poll_mask(fd, 0x7fff)));
}

/* Prints the count, or the error. The read must not block. */
void fact_read(const char *name, int fd)
{
	int event = -1;
	ssize_t n;

	errno = 0;
	n = read(fd, &event, sizeof(event));
	if (n == sizeof(event))
		fact(name, "event %d", event);
	else
		fact_ret(name, n);
}

const struct way ways[7] = {
	{ "read", uiot_op_read },
	{ "poll", uiot_op_poll },
	{ "select", uiot_op_select },
	{ "epoll", uiot_op_epoll },
	{ "edge", uiot_op_edge },
	{ "exclusive", uiot_op_exclusive },
	{ "uring", uiot_op_uring },
};

struct uiot_op *op_start(long (*fn)(struct uiot_op *op), int fd)
{
	struct uiot_op *op = uiot_op_alloc();

	if (op == MAP_FAILED)
		broken("no memory");
	op->fn = fn;
	op->fd = fd;
	if (uiot_start(op))
		broken("no thread");
	return op;
}

void fact_asleep(const char *name, struct uiot_op *op)
{
	fact(name, "%s", uiot_wait_asleep(op) ? "no" : "yes");
}

/* Prints what the operation has returned, or that it still waits. */
void fact_done(const char *name, struct uiot_op *op)
{
	if (uiot_wait_done(op, UIOT_SOON_MS)) {
		fact(name, "still waits");
		return;
	}
	uiot_join(op, UIOT_SOON_MS);
	fact_err(name, op->ret);
}

/* A file of the device in sysfs. */
void fact_attribute(const struct dev *dev, const char *name, const char *file)
{
	char path[128], text[8192];
	int ret;

	snprintf(path, sizeof(path), "/sys/class/uio/uio%d/%s", dev->minor, file);
	ret = uiot_read_file(path, text, sizeof(text));
	if (ret)
		fact_err(name, ret);
	else
		fact(name, "%s", text);
}
