// SPDX-License-Identifier: GPL-2.0-only
/* Other ways to make calls: io_uring, aio, and 32-bit system calls. */

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"

/* Makes one request. Returns its result, or a negative error code. */
static int ring_once(int fd, int opcode, void *buffer, unsigned int length)
{
	struct io_uring_sqe *request;
	const struct io_uring_cqe *result;
	struct uiot_uring ring;
	int ret = uiot_uring_open(&ring);

	if (ret)
		return ret;

	request = ring.request;
	result = ring.result;
	memset(request, 0, sizeof(*request));
	request->opcode = opcode;
	request->fd = fd;
	request->addr = (uintptr_t)buffer;
	request->len = length;
	if (opcode == IORING_OP_READ || opcode == IORING_OP_WRITE)
		request->off = -1;
	__atomic_store_n(ring.submitted, 1, __ATOMIC_RELEASE);
	ret = syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	ret = ret < 0 ? -errno : result->res;
	uiot_uring_close(&ring);
	return ret;
}

static void ring_state(const struct dev *dev, const char *state)
{
	int fd = dev_open(dev, O_RDWR | O_NONBLOCK), word = 1;

	under("%s", state);
	dev_notify(dev, 1);
	fact_err("read", ring_once(fd, IORING_OP_READ, &word, 4));
	dev_notify(dev, 1);
	fact_err("read-3", ring_once(fd, IORING_OP_READ, &word, 3));
	fact_err("read-to-null", ring_once(fd, IORING_OP_READ, NULL, 4));
	fact_err("read-then", ring_once(fd, IORING_OP_READ, &word, 4));
	word = 5;
	fact_err("write", ring_once(fd, IORING_OP_WRITE, &word, 4));
	fact_err("write-5", ring_once(fd, IORING_OP_WRITE, &word, 5));
	fact_err("fsync", ring_once(fd, IORING_OP_FSYNC, NULL, 0));
	fact_err("fallocate", ring_once(fd, IORING_OP_FALLOCATE, NULL, 0));
	fact_err("madvise", ring_once(-1, IORING_OP_MADVISE, NULL, 0));
	fact_log(dev, "callbacks");
	log_forget(dev);
	fact_err("close", ring_once(fd, IORING_OP_CLOSE, NULL, 0));
	fact_log(dev, "callbacks.close");
}

static void rings(const struct group *group)
{
	struct dev dev = dev_plain(group->a);

	ring_state(&dev, "nonblock");
}

/* A thread of io_uring does a read that has to wait. */
static long read_by_ring(struct uiot_op *op)
{
	int event = 0, ret = ring_once(op->fd, IORING_OP_READ, &event, sizeof(event));

	op->events = event;
	return ret;
}

static void ring_waits(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	struct uiot_op *op = op_start(read_by_ring, dev_open(&dev, O_RDWR));

	(void)group;
	fact_asleep("waits", op);
	dev_notify(&dev, 1);
	fact_done("woken", op);
	fact("event", "%u", op->events);
}

static void aio_once(const char *name, aio_context_t context, int fd, int opcode,
		     void *buffer, long length)
{
	struct iocb cb = {
		.aio_fildes = fd,
		.aio_lio_opcode = opcode,
		.aio_buf = (uintptr_t)buffer,
		.aio_nbytes = length,
	}, *cbs = &cb;
	struct io_event event = { };
	struct timespec now = { };

	errno = 0;
	if (syscall(SYS_io_submit, context, 1, &cbs) != 1) {
		fact(name, "not taken: %s", strerrorname_np(errno));
		return;
	}
	if (syscall(SYS_io_getevents, context, 0, 1, &event, &now) == 1)
		fact(name, "result %lld", (long long)event.res);
	else
		fact(name, "waits");
}

static void aios(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK), word = 1;
	aio_context_t context = 0;

	TRY("setup", syscall(SYS_io_setup, 4, &context));
	dev_notify(&dev, 1);
	aio_once("pread", context, fd, IOCB_CMD_PREAD, &word, 4);
	aio_once("pwrite", context, fd, IOCB_CMD_PWRITE, &word, 4);
	aio_once("fsync", context, fd, IOCB_CMD_FSYNC, NULL, 0);
	aio_once("poll", context, fd, IOCB_CMD_POLL, (void *)1L, 0);
	fact_log(&dev, "callbacks");
	syscall(SYS_io_destroy, context);
}

#ifdef __x86_64__
/* All arguments, also pointers, have to fit into 32 bits. */
static long call_32(long nr, long a, long b, long c)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret) : "a" (nr), "b" (a), "c" (b), "d" (c)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static void not_there(int sig)
{
	_exit(sig);
}

/* A kernel without 32-bit calls sends a signal, and logs it if nobody handles it. */
static int try_32(void *arg)
{
	(void)arg;
	signal(SIGSEGV, not_there);
	/* 20: getpid */
	return call_32(20, 0, 0, 0) != getpid();
}

static void compat(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	int *word = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int missing = in_child(try_32, NULL);

	(void)group;
	fact("there", "%s", missing ? "no" : "yes");
	if (missing)
		return;
	/* 54: ioctl, 3: read, 4: write, 19: lseek */
	fact_err("ioctl-0", call_32(54, fd, 0, 0));
	fact_err("ioctl-FIONREAD", call_32(54, fd, 0x541b, (long)word));
	fact_err("ioctl-TCGETS", call_32(54, fd, 0x5401, (long)word));
	fact_err("ioctl-FIGETBSZ", call_32(54, fd, 2, (long)word));
	fact_err("ioctl-revoke-1", call_32(54, fd, 0x40047550, 1));
	dev_notify(&dev, 1);
	fact_err("read", call_32(3, fd, (long)word, 4));
	fact_err("read-8", call_32(3, fd, (long)word, 8));
	fact_err("write", call_32(4, fd, (long)word, 4));
	fact_err("lseek", call_32(19, fd, 5, 0));
	fact_log(&dev, "callbacks");
}
#else
static void compat(const struct group *group)
{
	(void)group;
	fact("there", "no");
}
#endif

const struct group async_groups[] = {
	{ "async.uring.irq-none", rings, UIO_SAME_IRQ_NONE },
	{ "async.uring.irq-custom", rings, UIO_SAME_IRQ_CUSTOM },
	{ "async.uring.waits", ring_waits },
	{ "async.aio.irq-none", aios, UIO_SAME_IRQ_NONE },
	{ "async.aio.irq-custom", aios, UIO_SAME_IRQ_CUSTOM },
	{ "call.compat", compat },
	{ }
};
