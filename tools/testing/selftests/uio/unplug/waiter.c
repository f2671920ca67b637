// SPDX-License-Identifier: GPL-2.0
/*
 * holder: threads that block in read() and in poll().
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "holder.h"

static void *waiter_main(void *arg)
{
	struct waiter *w = arg;
	struct pollfd pfd = { .fd = w->fd, .events = POLLIN };
	int32_t event;

	w->tid = gettid();
	/* not poll(): which system call that is depends on the machine */
	if (w->polls)
		w->ret = syscall(SYS_ppoll, &pfd, 1, NULL, NULL, 0);
	else
		w->ret = read(w->fd, &event, sizeof(event));
	w->err = errno;
	w->when = now();
	w->revents = pfd.revents;
	w->done = true;
	return NULL;
}

static void interrupt(int sig)
{
	(void)sig;
}

void waiter_start(struct waiter *w, int fd, bool polls)
{
	/* No SA_RESTART: this signal gets a stuck waiter out of the kernel. */
	struct sigaction sa = { .sa_handler = interrupt };

	sigaction(SIGUSR1, &sa, NULL);
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	w->polls = polls;
	errno = pthread_create(&w->thread, NULL, waiter_main, w);
	if (errno)
		die("pthread_create");
}

bool waiter_blocked(const struct waiter *w)
{
	return w->tid && !w->done &&
	       thread_blocked(w->tid, w->polls ? SYS_ppoll : SYS_read);
}

bool waiter_wait(const struct waiter *w, unsigned int ms)
{
	unsigned long long end = now() + ms * 1000000ULL;

	while (!w->done && now() < end)
		usleep(1000);
	return w->done;
}

void waiter_stop(struct waiter *w)
{
	if (!w->done)
		pthread_kill(w->thread, SIGUSR1);
	pthread_join(w->thread, NULL);
}

const char *poll_names(short revents, char *buf, size_t size)
{
	static const struct {
		short bit;
		const char *name;
	} bits[] = {
		{ POLLIN, "IN" }, { POLLERR, "ERR" },
		{ POLLHUP, "HUP" }, { POLLNVAL, "NVAL" },
		{ }
	};
	int len = snprintf(buf, size, "0x%x", revents);

	for (size_t i = 0; bits[i].name; i++)
		if (revents & bits[i].bit)
			len += snprintf(buf + len, size - len, "|%s", bits[i].name);
	return buf;
}
