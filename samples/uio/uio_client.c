// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program to copy from. It uses UIO devices, each in a thread, and survives when they are
 * unplugged. It shows the ticks of the sample driver:
 *
 *	uio_client /dev/uio0 [/dev/uio1 ...]
 *
 * A device can go away at any time. Then read() fails, and poll() reports POLLHUP and
 * POLLERR. If the device goes away between these calls and an access to its memory, the
 * access raises SIGBUS. This would kill the program, so the handler jumps out of it.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Each thread has its own: the handler runs in the thread whose access raised the signal. */
static __thread sigjmp_buf gone;
static __thread volatile sig_atomic_t touching;

static void on_sigbus(int sig)
{
	if (touching)
		siglongjmp(gone, 1);

	/* another access raised this signal: act as without this handler */
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Returns false if the memory is gone. */
static bool read_ticks(const volatile __u32 *ticks, __u32 *value)
{
	if (sigsetjmp(gone, 0)) {
		touching = 0;
		return false;
	}

	touching = 1;
	*value = *ticks;
	touching = 0;
	return true;
}

/* Returns -EIO if the device has gone, or another negative error code. */
static int follow(const char *node, int fd, const volatile __u32 *ticks)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	__s32 events, on = 1;
	__u32 value;

	for (;;) {
		/* each time, as some drivers disable it; ENOSYS: this driver never does */
		if (write(fd, &on, sizeof(on)) < 0 && errno != ENOSYS)
			return -errno;
		while (poll(&pfd, 1, -1) < 0)
			if (errno != EINTR)
				return -errno;
		/* after POLLHUP and POLLERR as well, because read() gives the error */
		if (read(fd, &events, sizeof(events)) < 0)
			return -errno;
		if (!read_ticks(ticks, &value))
			return -EIO;
		printf("%s: %d events, %u ticks\n", node, events, value);
	}
}

static int use(const char *node)
{
	void *memory;
	int fd, ret;

	fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* region N is at offset N * page size */
	memory = mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		ret = -errno;
	} else {
		ret = follow(node, fd, memory);
		munmap(memory, getpagesize());
	}
	/* the driver frees its memory when the mapping and the file are gone */
	close(fd);
	return ret;
}

static void *run(void *node)
{
	int ret = use(node);

	if (ret == -EIO) {
		printf("%s: the device has gone\n", (char *)node);
		return NULL;
	}
	fprintf(stderr, "uio_client: %s: %s\n", (char *)node, strerror(-ret));
	return node;
}

int main(int argc, char **argv)
{
	/* SA_NODEFER: a jump out of the handler does not unblock the signal */
	struct sigaction action = { .sa_handler = on_sigbus, .sa_flags = SA_NODEFER };
	pthread_t threads[argc];
	void *failed;
	int i, ret = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: uio_client /dev/uioN ...\n");
		return 2;
	}
	sigaction(SIGBUS, &action, NULL);
	setlinebuf(stdout);

	for (i = 1; i < argc; i++)
		if (pthread_create(&threads[i], NULL, run, argv[i]))
			abort();
	for (i = 1; i < argc; i++) {
		pthread_join(threads[i], &failed);
		if (failed)
			ret = 1;
	}
	return ret;
}
