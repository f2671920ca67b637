/* SPDX-License-Identifier: GPL-2.0 */
/*
 * holder: a process that keeps a TCMU device open and mapped, and prints what it gets
 * from the device.
 */

#ifndef HOLDER_H
#define HOLDER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Prints "holder: ..." with the error in errno, and ends the process. */
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* CLOCK_MONOTONIC in ns, like timed-targetcli. */
unsigned long long now(void);

/* A thread that blocks in one system call on the device. */
struct waiter {
	pthread_t thread;
	int fd;
	bool polls;		/* blocks in poll(), else in read() */
	atomic_int tid;
	/* valid once done is set */
	atomic_bool done;
	unsigned long long when;
	long ret;
	int err;
	short revents;
};

void waiter_start(struct waiter *w, int fd, bool polls);
bool waiter_blocked(const struct waiter *w);
bool waiter_wait(const struct waiter *w, unsigned int ms);
void waiter_stop(struct waiter *w);
const char *poll_names(short revents, char *buf, size_t size);

/* The ring of a TCMU device, from uio's files in sysfs. */
struct ring {
	unsigned long addr;	/* kernel address */
	unsigned long size;	/* what user space maps: ring and data area */
};

int find_fd(pid_t pid, const char *path);
void find_ring(const char *uio, struct ring *ring);
unsigned long ring_held(const struct ring *ring);
bool page_present(const void *addr);
bool thread_blocked(pid_t tid, long syscall_nr);
void thread_wchan(pid_t tid, char *buf, size_t size);

#endif /* HOLDER_H */
