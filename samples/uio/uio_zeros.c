// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program to copy from, for programs that touch a device's memory in many places, such as
 * poll mode drivers. Its threads touch the memory all the time, and know nothing of unplugs:
 *
 *	uio_zeros /dev/uio0
 *
 * When the memory is gone, a touch raises SIGBUS. The handler maps zeros in its place and
 * returns. Then the touch is repeated, and succeeds. The main thread learns from read() that
 * the device has gone, and stops the others.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define THREADS	2

/*
 * The mapping. Nobody may unmap it before all threads have ended that touch it. Otherwise
 * the handler could destroy what has been mapped there since.
 */
static char *memory;
static size_t size;

static bool stop;

/* Several threads can be here at the same time: then the last one's zeros stay. */
static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	char *touched = info->si_addr;
	int saved = errno;
	void *p = MAP_FAILED;

	(void)context;
	if (info->si_code == BUS_ADRERR && touched >= memory && touched < memory + size)
		p = mmap(memory, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (p == MAP_FAILED) {
		/* act as without this handler */
		signal(sig, SIG_DFL);
		raise(sig);
	}
	errno = saved;
}

static void *touch(void *unused)
{
	const volatile __u32 *ticks = (void *)memory;
	__u32 sum = 0;

	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		sum += *ticks;
	return NULL;
}

/* Returns -EIO if the device has gone, or another negative error code. */
static int follow(int fd)
{
	const volatile __u32 *ticks = (void *)memory;
	__s32 events, on = 1;

	for (;;) {
		/* ENOSYS: this driver does not disable interrupts */
		if (write(fd, &on, sizeof(on)) < 0 && errno != ENOSYS)
			return -errno;
		while (read(fd, &events, sizeof(events)) < 0)
			if (errno != EINTR)
				return -errno;
		printf("%d events, %u ticks\n", events, *ticks);
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	pthread_t threads[THREADS];
	int fd, i, ret;

	if (argc != 2) {
		fprintf(stderr, "usage: uio_zeros /dev/uioN\n");
		return 2;
	}
	setlinebuf(stdout);
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	size = getpagesize();
	memory = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	sigaction(SIGBUS, &action, NULL);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, touch, NULL))
			return 1;

	ret = follow(fd);

	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	munmap(memory, size);
	close(fd);
	if (ret != -EIO) {
		fprintf(stderr, "uio_zeros: %s\n", strerror(-ret));
		return 1;
	}
	printf("the device has gone\n");
	return 0;
}
