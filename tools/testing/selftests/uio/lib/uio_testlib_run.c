// SPDX-License-Identifier: GPL-2.0-only
/* Library of the UIO tests: operations in threads and child processes, and waits for them. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "uio_testlib.h"

/* Operations that may block */

long uiot_op_open(struct uiot_op *op)
{
	return open(op->text, O_RDWR | O_CLOEXEC);
}

long uiot_op_read(struct uiot_op *op)
{
	__s32 event;

	return read(op->fd, &event, sizeof(event));
}

long uiot_op_write(struct uiot_op *op)
{
	__s32 on = 1;

	return write(op->fd, &on, sizeof(on));
}

long uiot_op_poll(struct uiot_op *op)
{
	struct pollfd pfd = { .fd = op->fd, .events = POLLIN };
	int ret = poll(&pfd, 1, -1);

	op->events = pfd.revents;
	return ret;
}

long uiot_op_select(struct uiot_op *op)
{
	fd_set readable;
	int ret;

	FD_ZERO(&readable);
	FD_SET(op->fd, &readable);
	ret = select(op->fd + 1, &readable, NULL, NULL, NULL);
	op->events = ret > 0 && FD_ISSET(op->fd, &readable) ? POLLIN : 0;
	return ret;
}

static long epoll_once(struct uiot_op *op, unsigned int how)
{
	struct epoll_event event = { .events = EPOLLIN | how };
	int epfd = epoll_create1(EPOLL_CLOEXEC);
	int ret;

	if (epfd < 0)
		return -1;

	ret = epoll_ctl(epfd, EPOLL_CTL_ADD, op->fd, &event);
	if (!ret)
		ret = epoll_wait(epfd, &event, 1, -1);
	if (ret > 0)
		op->events = event.events;
	close(epfd);
	return ret;
}

long uiot_op_epoll(struct uiot_op *op)
{
	return epoll_once(op, 0);
}

long uiot_op_edge(struct uiot_op *op)
{
	return epoll_once(op, EPOLLET);
}

long uiot_op_exclusive(struct uiot_op *op)
{
	return epoll_once(op, EPOLLEXCLUSIVE);
}

long uiot_op_uring(struct uiot_op *op)
{
	struct uiot_uring ring;
	int ret = uiot_uring_open(&ring);

	if (!ret)
		ret = uiot_uring_poll(&ring, op->fd, POLLIN);
	if (ret > 0)
		op->events = ret;
	uiot_uring_close(&ring);
	return ret > 0 ? 1 : ret;
}

long uiot_op_mmap(struct uiot_op *op)
{
	op->addr = uiot_map(op->fd, 0, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
	return op->addr == MAP_FAILED ? -1 : 0;
}

long uiot_op_load(struct uiot_op *op)
{
	__u32 word;

	return uiot_load_word(op->addr, &word);
}

long uiot_op_close(struct uiot_op *op)
{
	return close(op->fd);
}

long uiot_op_cmd(struct uiot_op *op)
{
	return uiot_cmd("%s", op->text);
}

static void *run_op(void *arg)
{
	struct uiot_op *op = arg;
	long ret;

	if (op->thread_name)
		prctl(PR_SET_NAME, op->thread_name);
	op->tid = gettid();
	__atomic_store_n(&op->started, true, __ATOMIC_RELEASE);
	ret = op->fn(op);
	op->ret = ret == -1 ? -errno : ret;
	__atomic_store_n(&op->done, true, __ATOMIC_RELEASE);
	return NULL;
}

struct uiot_op *uiot_op_alloc(void)
{
	return mmap(NULL, sizeof(struct uiot_op), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

int uiot_start(struct uiot_op *op)
{
	pid_t pid;

	if (!op->in_child)
		return -pthread_create(&op->thread, NULL, run_op, op);

	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_op(op);
		_exit(0);
	}
	if (pid < 0)
		return -errno;
	/* for uiot_join(), which may run before the child does */
	op->tid = pid;
	return 0;
}

static bool op_asleep(void *arg)
{
	struct uiot_op *op = arg;
	char path[64], stat[512], *state;

	if (!__atomic_load_n(&op->started, __ATOMIC_ACQUIRE))
		return false;

	snprintf(path, sizeof(path), "/proc/%d/stat", op->tid);
	if (uiot_read_file(path, stat, sizeof(stat)))
		return false;
	state = strrchr(stat, ')');
	return state && (state[2] == 'S' || state[2] == 'D');
}

static bool op_asleep_or_done(void *arg)
{
	struct uiot_op *op = arg;

	return __atomic_load_n(&op->done, __ATOMIC_ACQUIRE) || op_asleep(op);
}

/* A thread also sleeps for a moment when it needs a lock or a page. So look five times. */
int uiot_wait_asleep(struct uiot_op *op)
{
	int i;

	for (i = 0; i < 5; i++) {
		if (!uiot_wait_until(op_asleep_or_done, op, UIOT_SOON_MS))
			return -ETIMEDOUT;
		if (__atomic_load_n(&op->done, __ATOMIC_ACQUIRE))
			return -ECANCELED;
		usleep(1000);
	}
	return 0;
}

static bool op_done(void *arg)
{
	struct uiot_op *op = arg;

	return __atomic_load_n(&op->done, __ATOMIC_ACQUIRE);
}

int uiot_wait_done(struct uiot_op *op, int ms)
{
	return uiot_wait_until(op_done, op, ms) ? 0 : -ETIMEDOUT;
}

static bool op_reaped(void *arg)
{
	struct uiot_op *op = arg;

	return waitpid(op->tid, NULL, WNOHANG) == op->tid;
}

int uiot_join(struct uiot_op *op, int ms)
{
	struct timespec ts;

	if (op->in_child)
		return uiot_wait_until(op_reaped, op, ms) ? 0 : -ETIMEDOUT;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return -pthread_timedjoin_np(op->thread, NULL, &ts);
}

/* Children */

static void child_loop(int ask, int answer, int (*fn)(void *arg, int what),
		       void *arg)
{
	int what, ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(ask, &what, sizeof(what)) == sizeof(what)) {
		ret = fn(arg, what);
		if (write(answer, &ret, sizeof(ret)) != sizeof(ret))
			break;
	}
	_exit(0);
}

int uiot_child_start(struct uiot_child *child, int (*fn)(void *arg, int what),
		     void *arg)
{
	int ask[2], answer[2];

	if (pipe2(ask, O_CLOEXEC) || pipe2(answer, O_CLOEXEC))
		return -errno;

	child->pid = fork();
	if (child->pid < 0)
		return -errno;
	if (!child->pid) {
		close(ask[1]);
		close(answer[0]);
		child_loop(ask[0], answer[1], fn, arg);
	}

	close(ask[0]);
	close(answer[1]);
	child->ask = ask[1];
	child->answer = answer[0];
	return 0;
}

int uiot_child_ask(struct uiot_child *child, int what)
{
	struct pollfd pfd = { .fd = child->answer, .events = POLLIN };
	int ret;

	if (write(child->ask, &what, sizeof(what)) != sizeof(what))
		return -errno;
	if (poll(&pfd, 1, UIOT_SOON_MS) != 1)
		return -ETIMEDOUT;
	if (read(child->answer, &ret, sizeof(ret)) != sizeof(ret))
		return -EPIPE;
	return ret;
}

static bool child_gone(void *arg)
{
	return waitpid(*(pid_t *)arg, NULL, WNOHANG) != 0;
}

int uiot_child_end(struct uiot_child *child)
{
	close(child->ask);
	close(child->answer);
	if (uiot_wait_until(child_gone, &child->pid, UIOT_SOON_MS))
		return 0;
	kill(child->pid, SIGKILL);
	return -ETIMEDOUT;
}

/* Descriptors through a socket */

union fd_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

int uiot_send_fd(int sock, int fd)
{
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	union fd_control control = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) < 0 ? -errno : 0;
}

int uiot_recv_fd(int sock)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	union fd_control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&msg);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* The uio_window module */

#define WINDOW	"/sys/module/uio_window/parameters/"

int uiot_window_arm(bool after)
{
	int ret = uiot_load("uio_window");

	if (!ret)
		ret = uiot_write_file(WINDOW "after", after ? "Y" : "N");
	if (!ret)
		ret = uiot_write_file(WINDOW "hits", "0");
	if (!ret)
		ret = uiot_write_file(WINDOW "late", "0");
	if (!ret)
		ret = uiot_write_file(WINDOW "go", "N");
	return ret;
}

int uiot_window_hits(void)
{
	char buf[16];

	return uiot_read_file(WINDOW "hits", buf, sizeof(buf)) ? 0 : atoi(buf);
}

static bool window_hit(void *arg)
{
	(void)arg;
	return uiot_window_hits() > 0;
}

bool uiot_window_hit(void)
{
	return uiot_wait_until(window_hit, NULL, UIOT_SOON_MS);
}

void uiot_window_move(void)
{
	uiot_write_file(WINDOW "after", "Y");
}

bool uiot_window_late(void)
{
	return uiot_file_counts(WINDOW "late");
}

bool uiot_window_go(void)
{
	uiot_write_file(WINDOW "go", "Y");
	return !uiot_window_late();
}

/* Signals of a file */

static void sigio_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGRTMIN);
}

/* uiot_sigio_wait() needs the signal blocked in this thread and in all that it starts. */
void uiot_sigio_block(void)
{
	sigset_t set;

	sigio_set(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* F_SETSIG: without it, the signal has neither si_band nor si_code. */
int uiot_sigio_on(int fd)
{
	uiot_sigio_block();
	if (fcntl(fd, F_SETOWN, getpid()) || fcntl(fd, F_SETSIG, SIGRTMIN) ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC))
		return -errno;
	return 0;
}

int uiot_sigio_wait(int ms)
{
	struct timespec limit = { ms / 1000, ms % 1000 * 1000000 };
	siginfo_t info;
	sigset_t set;

	sigio_set(&set);
	return sigtimedwait(&set, &info, &limit) < 0 ? -errno : info.si_code;
}
