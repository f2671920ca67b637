// SPDX-License-Identifier: GPL-2.0
/*
 * holder PID UIO [WHAT]: hold a TCMU device. It copies the descriptor of /dev/UIO from
 * process PID, because TCMU allows only one open(), the daemon's. It maps the ring, and
 * blocks one thread in read() and one in poll(). WHAT says what it holds:
 *
 *	both		descriptor and mapping (the default)
 *	descriptor	no mapping
 *	mapping		no descriptor, and so no threads
 *	child		both, in a child process; the parent lets go of them
 *
 * Then it reads commands from stdin, one in a line:
 *
 *	probe	the device has been deleted: use it in each way, and print the results
 *	release	unmap, close and end
 *
 * It prints "event NAME t=NANOSECONDS KEY=VALUE..." lines.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "holder.h"

/* How long a wake-up or the release of the ring may take, in ms. */
#define PATIENCE	5000

struct holder {
	struct ring ring;
	char node[64];		/* a second device node, which devtmpfs does not remove */
	int fd;
	int fd_flags;
	char *map;
	size_t page;
	char *untouched;	/* a page of the ring, not present */
	char *copy;		/* copy of the first page of the ring, which is present */
	char *zeros;
	struct waiter reader, poller;
};

void die(const char *fmt, ...)
{
	int err = errno;
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "holder: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, ": %s\n", strerror(err));
	va_end(ap);
	exit(1);
}

unsigned long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Returns the name of the error, or "ok". */
static const char *outcome(long ret, int err)
{
	return ret < 0 ? strerrorname_np(err) : "ok";
}

static void report(const char *name, long ret)
{
	int err = errno;

	printf("event %s t=%llu got=%s ret=%ld\n", name, now(), outcome(ret, err), ret);
}

/* ---- touching memory that may be gone ---- */

static sigjmp_buf fault_jmp;

static void on_fault(int sig)
{
	siglongjmp(fault_jmp, sig);
}

/* Returns 0, or the signal that a read of the byte raised. */
static int touch(const volatile char *p)
{
	int sig = sigsetjmp(fault_jmp, 1);

	if (!sig)
		(void)*p;
	return sig;
}

/* Touches a page. If that works, compares it with expected. */
static void report_page(const char *name, const char *page, const char *expected,
			size_t size)
{
	bool before = page_present(page);
	int sig = touch(page);
	unsigned long long when = now();
	const char *got = "data", *content = "-";

	if (sig)
		got = sig == SIGBUS ? "SIGBUS" : "SIGSEGV";
	else
		content = memcmp(page, expected, size) ? "other" : "same";
	printf("event %s t=%llu before=%d got=%s content=%s after=%d\n",
	       name, when, before, got, content, page_present(page));
}

/* ---- the three steps ---- */

static void take(struct holder *h, pid_t pid, const char *uio)
{
	int theirs, pidfd;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/%s", uio);
	find_ring(uio, &h->ring);
	theirs = find_fd(pid, path);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		die("pidfd_open");
	h->fd = syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
	if (h->fd < 0)
		die("pidfd_getfd");
	close(pidfd);

	if (fstat(h->fd, &st))
		die("fstat");
	snprintf(h->node, sizeof(h->node), "/tmp/%s.%d", uio, getpid());
	if (mknod(h->node, S_IFCHR | 0600, st.st_rdev))
		die("mknod %s", h->node);

	h->map = mmap(NULL, h->ring.size, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, 0);
	if (h->map == MAP_FAILED)
		die("mmap");
	h->page = sysconf(_SC_PAGESIZE);
	h->untouched = h->map + ring_held(&h->ring) / 2;
	h->copy = malloc(h->page);
	h->zeros = calloc(1, h->page);
	if (!h->copy || !h->zeros)
		die("malloc");
	memcpy(h->copy, h->map, h->page);

	printf("event take t=%llu pid=%d fd=%d theirs=%d mapped=%lu ring=%lu\n",
	       now(), getpid(), h->fd, theirs, h->ring.size, ring_held(&h->ring));
}

static void drop_map(struct holder *h)
{
	if (munmap(h->map, h->ring.size))
		die("munmap");
	h->map = NULL;
}

static void drop_fd(struct holder *h)
{
	close(h->fd);
	h->fd = -1;
}

/* Returns in the child only. */
static void become_child(struct holder *h)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (!pid)
		return;
	drop_map(h);
	drop_fd(h);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void block(struct holder *h)
{
	unsigned long long end = now() + PATIENCE * 1000000ULL;
	char in_read[64], in_poll[64];

	/*
	 * The daemon's file is non-blocking, and so is the copy, because they
	 * share the flag. The daemon works without it, because it polls first.
	 */
	h->fd_flags = fcntl(h->fd, F_GETFL);
	if (fcntl(h->fd, F_SETFL, h->fd_flags & ~O_NONBLOCK))
		die("F_SETFL");

	waiter_start(&h->reader, h->fd, false);
	waiter_start(&h->poller, h->fd, true);
	while (!waiter_blocked(&h->reader) || !waiter_blocked(&h->poller)) {
		if (h->reader.done || h->poller.done || now() > end) {
			fprintf(stderr, "holder: read or poll did not block\n");
			exit(1);
		}
		usleep(1000);
	}
	thread_wchan(h->reader.tid, in_read, sizeof(in_read));
	thread_wchan(h->poller.tid, in_poll, sizeof(in_poll));
	printf("event block t=%llu read=%s poll=%s\n", now(), in_read, in_poll);
}

static void report_waiter(const char *name, const struct waiter *w)
{
	char names[64];

	if (!waiter_wait(w, PATIENCE))
		printf("event %s t=%llu got=still-blocked\n", name, now());
	else if (w->polls && w->ret > 0)
		printf("event %s t=%llu got=%s\n", name, w->when,
		       poll_names(w->revents, names, sizeof(names)));
	else
		printf("event %s t=%llu got=%s ret=%ld\n", name, w->when,
		       outcome(w->ret, w->err), w->ret);
}

static void probe_file(struct holder *h)
{
	struct pollfd pfd = { .fd = h->fd, .events = POLLIN };
	char names[64];
	int32_t word = 1;
	void *map;

	report_waiter("blocked_read", &h->reader);
	report_waiter("blocked_poll", &h->poller);
	waiter_stop(&h->reader);
	waiter_stop(&h->poller);
	fcntl(h->fd, F_SETFL, h->fd_flags | O_NONBLOCK);

	report("read", read(h->fd, &word, sizeof(word)));
	poll(&pfd, 1, 0);
	printf("event poll t=%llu got=%s\n", now(),
	       poll_names(pfd.revents, names, sizeof(names)));
	report("write", write(h->fd, &word, sizeof(word)));

	map = mmap(NULL, h->ring.size, PROT_READ | PROT_WRITE, MAP_SHARED, h->fd, 0);
	report("mmap", map == MAP_FAILED ? -1 : 0);
	if (map != MAP_FAILED)
		munmap(map, h->ring.size);
}

static void probe_node(struct holder *h)
{
	int fd = open(h->node, O_RDWR | O_CLOEXEC);

	report("open", fd);
	if (fd >= 0)
		close(fd);
	unlink(h->node);
}

static void probe_map(struct holder *h)
{
	struct sigaction sa = { .sa_handler = on_fault };

	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	report_page("present", h->map, h->copy, h->page);
	report_page("absent", h->untouched, h->zeros, h->page);
}

static void probe(struct holder *h)
{
	if (h->fd >= 0)
		probe_file(h);
	probe_node(h);
	if (h->map)
		probe_map(h);
	printf("event probed t=%llu ring=%lu\n", now(), ring_held(&h->ring));
}

static void release(struct holder *h)
{
	unsigned long long start = now(), end;

	if (h->map)
		drop_map(h);
	printf("event munmap t=%llu ring=%lu\n", start, ring_held(&h->ring));

	start = now();
	if (h->fd >= 0)
		drop_fd(h);
	end = now() + PATIENCE * 1000000ULL;
	while (ring_held(&h->ring) && now() < end)
		usleep(1000);
	printf("event close t=%llu ring=%lu gone=%llu\n", start, ring_held(&h->ring), now());
}

/* Lets go of what WHAT does not name. */
static int keep(struct holder *h, const char *what)
{
	if (!strcmp(what, "descriptor"))
		drop_map(h);
	else if (!strcmp(what, "mapping"))
		drop_fd(h);
	else if (!strcmp(what, "child"))
		become_child(h);
	else if (strcmp(what, "both"))
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc == 4 ? argv[3] : "both";
	struct holder h = { 0 };
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: holder PID UIO [both|descriptor|mapping|child]\n");
		return 2;
	}
	take(&h, atoi(argv[1]), argv[2]);
	if (keep(&h, what)) {
		fprintf(stderr,
			"holder: unknown WHAT '%s': give both, descriptor, mapping or child\n",
			what);
		return 2;
	}
	if (h.fd >= 0)
		block(&h);
	printf("event ready t=%llu\n", now());
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "probe\n"))
			probe(&h);
		else if (!strcmp(line, "release\n"))
			return release(&h), 0;
	}
	return 1;
}
