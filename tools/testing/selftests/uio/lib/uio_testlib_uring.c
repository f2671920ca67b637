// SPDX-License-Identifier: GPL-2.0-only
/* Library of the UIO tests: io_uring, as much as one request needs. */

#include <endian.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <linux/swab.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "uio_testlib.h"

static void *ring_part(const struct uiot_uring *ring, off_t part)
{
	return mmap(NULL, ring->size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		    part);
}

/* Returns -ENOSYS if the kernel lacks io_uring, -EPERM if it forbids it. */
int uiot_uring_open(struct uiot_uring *ring)
{
	struct io_uring_params params = { };
	__u32 *array;

	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(SYS_io_uring_setup, 1, &params);
	if (ring->fd < 0)
		return -errno;

	/* each part fits into one page */
	ring->size = uiot_page();
	ring->rings = ring_part(ring, IORING_OFF_SQ_RING);
	ring->request = ring_part(ring, IORING_OFF_SQES);
	if (ring->rings == MAP_FAILED || ring->request == MAP_FAILED)
		return -errno;

	ring->submitted = ring->rings + params.sq_off.tail;
	ring->result = ring->rings + params.cq_off.cqes;
	array = ring->rings + params.sq_off.array;
	array[0] = 0;
	return 0;
}

void uiot_uring_close(struct uiot_uring *ring)
{
	if (ring->fd < 0)
		return;
	munmap(ring->request, ring->size);
	munmap(ring->rings, ring->size);
	close(ring->fd);
}

/* Submits the request. If @wait is set, returns its result or a negative error code. */
static int submit(struct uiot_uring *ring, bool wait)
{
	const struct io_uring_cqe *result = ring->result;

	__atomic_store_n(ring->submitted, 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, wait, wait ? IORING_ENTER_GETEVENTS : 0,
		    NULL, 0) < 0)
		return -errno;
	return wait ? result->res : 0;
}

static void poll_request(struct uiot_uring *ring, int fd, unsigned int events)
{
	struct io_uring_sqe *request = ring->request;

	memset(request, 0, sizeof(*request));
	request->opcode = IORING_OP_POLL_ADD;
	request->fd = fd;
	/* a field of 16 bits has become one of 32 */
	request->poll32_events = events;
	if (BYTE_ORDER != LITTLE_ENDIAN)
		request->poll32_events = __swahw32(events);
}

/* Waits, and returns the events or a negative error code. A ring takes one request only. */
int uiot_uring_poll(struct uiot_uring *ring, int fd, unsigned int events)
{
	poll_request(ring, fd, events);
	return submit(ring, true);
}

/* The same without a wait. Closing the ring ends the request. */
int uiot_uring_ask(struct uiot_uring *ring, int fd, unsigned int events)
{
	poll_request(ring, fd, events);
	return submit(ring, false);
}

/* The ring pins this memory until it is closed. */
int uiot_uring_pin(struct uiot_uring *ring, void *addr, size_t size)
{
	struct iovec iov = { addr, size };

	return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS,
		       &iov, 1) ? -errno : 0;
}

/* Writes pinned memory to a file. Returns the number of bytes or a negative error code. */
int uiot_uring_write(struct uiot_uring *ring, int fd, off_t at, const void *addr,
		     size_t size)
{
	struct io_uring_sqe *request = ring->request;

	memset(request, 0, sizeof(*request));
	request->opcode = IORING_OP_WRITE_FIXED;
	request->fd = fd;
	request->off = at;
	request->addr = (unsigned long)addr;
	request->len = size;
	return submit(ring, true);
}

/* The ring gets a reference to the file, and puts it. */
int uiot_uring_keep(struct uiot_uring *ring, int fd)
{
	return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES,
		       &fd, 1) ? -errno : 0;
}

int uiot_uring_forget(struct uiot_uring *ring)
{
	return syscall(SYS_io_uring_register, ring->fd, IORING_UNREGISTER_FILES,
		       NULL, 0) ? -errno : 0;
}
