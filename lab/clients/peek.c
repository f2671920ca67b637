// SPDX-License-Identifier: GPL-2.0
/*
 * peek /dev/uioN: keep the first region of a device mapped, which DPDK does not do. Each
 * line of stdin is an offset. Print the 32-bit register there, or SIGBUS if the touch
 * raises it. A line that is no number ends the program.
 */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE	0x10000

static sigjmp_buf gone;

static void on_sigbus(int sig)
{
	siglongjmp(gone, sig);
}

static void peek(const char *map, unsigned long offset)
{
	if (sigsetjmp(gone, 1))
		printf("SIGBUS\n");
	else
		printf("%#010x\n", *(const volatile uint32_t *)(map + offset));
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_sigbus };
	char line[32], *end;
	unsigned long offset;
	void *map;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: peek /dev/uioN\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "peek: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		fprintf(stderr, "peek: mmap: %s\n", strerror(errno));
		return 1;
	}
	sigaction(SIGBUS, &action, NULL);
	while (fgets(line, sizeof(line), stdin)) {
		offset = strtoul(line, &end, 0);
		if (end == line || offset > SIZE - sizeof(uint32_t))
			break;
		peek(map, offset);
	}
	munmap(map, SIZE);
	close(fd);
	return 0;
}
