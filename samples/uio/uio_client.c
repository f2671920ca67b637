// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program to copy from. It uses a UIO device and survives when the device is unplugged.
 * It shows the ticks of the sample driver:
 *
 *	uio_client /dev/uio0
 *
 * The device can go away at any time. Then read() fails, and poll() reports POLLHUP and
 * POLLERR. If the device goes away between these calls and an access to its memory, the
 * access raises SIGBUS. This would kill the program, so the handler jumps out of it.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf gone;
static volatile sig_atomic_t touching;

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
	if (sigsetjmp(gone, 1)) {
		touching = 0;
		return false;
	}

	touching = 1;
	*value = *ticks;
	touching = 0;
	return true;
}

/* Returns 0 if the device has gone, or a negative error code. */
static int follow(int fd, const volatile __u32 *ticks)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	__s32 events, on = 1;
	__u32 value;

	/* enable interrupts */
	if (write(fd, &on, sizeof(on)) < 0)
		return errno == EIO ? 0 : -errno;

	for (;;) {
		if (poll(&pfd, 1, -1) < 0)
			return -errno;
		/* after POLLHUP and POLLERR as well, because read() gives the error */
		if (read(fd, &events, sizeof(events)) < 0)
			return errno == EIO ? 0 : -errno;
		if (!read_ticks(ticks, &value))
			return 0;
		printf("%d events, %u ticks\n", events, value);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_sigbus };
	void *memory;
	int fd, ret;

	if (argc != 2) {
		fprintf(stderr, "usage: uio_client /dev/uioN\n");
		return 2;
	}
	sigaction(SIGBUS, &action, NULL);

	fd = open(argv[1], O_RDWR);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	/* region N is at offset N * page size */
	memory = mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		perror("mmap");
		return 1;
	}

	ret = follow(fd, memory);

	/* the driver frees its memory when the mapping and the file are gone */
	munmap(memory, getpagesize());
	close(fd);
	if (ret) {
		fprintf(stderr, "uio_client: %s\n", strerror(-ret));
		return 1;
	}
	printf("the device has gone\n");
	return 0;
}
