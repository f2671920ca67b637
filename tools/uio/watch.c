// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio-late-release watch: events of UIO devices as they come.
 *
 * The events go to a tracing instance of their own. So whoever else traces is not disturbed.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

#define TRACING	"/sys/kernel/tracing"

static char *instance;
static int events = -1;

static int set(const char *file, const char *value)
{
	char *path = format("%s/%s", instance, file);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		ret = -errno;
	if (fd >= 0)
		close(fd);
	free(path);
	return ret;
}

static void remove_instance(void)
{
	if (events >= 0)
		close(events);
	set("events/uio/enable", "0");
	if (rmdir(instance))
		fprintf(stderr, TOOL ": %s is left: %s\n", instance, strerror(errno));
}

static void fail(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
static void fail(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = copy_of("out of memory");
	va_end(ap);
	remove_instance();
	die("watch: %s", text);
}

/* Says what to do, before anything is changed. */
static void check_tracing(void)
{
	if (geteuid())
		die("watch: only root can do this");
	if (access(TRACING "/instances", F_OK))
		die("watch: the kernel's tracing is not there: mount -t tracefs nodev " TRACING);
	if (access("/sys/module/uio", F_OK))
		die("watch: uio is not loaded: modprobe uio");
	if (access(TRACING "/events/uio/enable", F_OK))
		die("watch: the loaded uio has no events: see " TOOL " status");
}

/* With 0 % of the buffer, poll() tells each event, and not only when it is half full. */
static void open_events(void)
{
	char *path = format("%s/trace_pipe", instance);
	int ret;

	ret = set("buffer_percent", "0");
	if (!ret)
		ret = set("events/uio/enable", "1");
	if (ret)
		fail("the events can't be enabled: %s", strerror(-ret));
	events = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (events < 0)
		fail("%s: %s", path, strerror(errno));
	free(path);
}

/* Signals that end it can be read. SIGPIPE does not end it: write() fails instead. */
static int open_signals(void)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (fd < 0)
		die("watch: %s", strerror(errno));
	return fd;
}

/*
 * Prints TIME COMMAND-PID EVENT FIELDS. The kernel prints the command in 16 columns, and after
 * the process also the CPU and flags. Prints other lines as they are.
 */
static void print_event(const char *line)
{
	const char *command = line + strspn(line, " ");
	const char *at = line, *time;
	size_t columns;
	char *text;

	if (strlen(line) < 18 || line[16] != '-')
		goto other;
	columns = 17 + strspn(line + 17, "0123456789");
	at = strstr(line + columns, "] ");
	if (!at)
		goto other;
	at += 2 + strcspn(at + 2, " ");		/* flags */
	time = at + strspn(at, " ");
	at = strstr(time, ": ");
	if (!at || !isdigit(*time))
		goto other;
	text = format("%.*s %.*s %s", (int)(at - time), time, (int)(line + columns - command),
		      command, at + 2);
	print_clean(text, 0);
	putchar('\n');
	free(text);
	return;
other:
	print_clean(line, 0);
	putchar('\n');
}

/* An event can come in two parts. */
static void take(struct text *text, const char *data, size_t len)
{
	char *line, *newline;

	text->data = realloc(text->data, text->len + len + 1);
	if (!text->data)
		fail("out of memory");
	memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = 0;
	for (line = text->data; (newline = strchr(line, '\n')); line = newline + 1) {
		*newline = 0;
		print_event(line);
	}
	text->len -= line - text->data;
	memmove(text->data, line, text->len + 1);
}

/* Until a signal comes, or nobody reads the output any more. */
static void follow(int signals)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
		{ .fd = events, .events = POLLIN },
	};
	struct text text = {};
	char data[8192];
	ssize_t n;

	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			fail("%s", strerror(errno));
		if (fds[0].revents || fds[1].revents)
			break;
		n = read(events, data, sizeof(data));
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			fail("the events can't be read: %s", strerror(errno));
		if (n > 0)
			take(&text, data, n);
		if (fflush(stdout))
			break;
	}
	free(text.data);
}

int watch_main(int argc, char *const *argv)
{
	int signals;

	if (argc)
		die("watch: what is '%s'? See " TOOL " --help", argv[0]);
	check_tracing();
	signals = open_signals();
	instance = format(TRACING "/instances/" TOOL "-%d", getpid());
	if (mkdir(instance, 0700))
		die("watch: %s: %s", instance, strerror(errno));
	open_events();
	fprintf(stderr, TOOL ": watching until Ctrl-C\n");
	follow(signals);
	remove_instance();
	/* as without SIG_IGN: a program like head has seen enough */
	signal(SIGPIPE, SIG_DFL);
	return EXIT_FINE;
}
