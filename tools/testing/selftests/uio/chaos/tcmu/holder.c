// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcmu_chaos: processes that hold a device: they inherit it from its daemon, and keep it longer
 * than the kernel does. What was present stays, anything else is refused.
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tcmu.h"

#define HOLDERS_MAX	8
#define HOLD_TICKS	600	/* how long a holder waits for the end of the device */

static void expect_refusal(const struct device *dev, const char *call, long ret)
{
	if (ret < 0 && errno == EIO)
		happened(CALLS_REFUSED);
	else
		fail("unit%u: %s gives %s after the end", unit_nr(dev->unit), call,
		     ret < 0 ? strerrorname_np(errno) : "success");
}

static void check_calls(const struct device *dev)
{
	struct pollfd pfd = { .fd = dev->fd, .events = POLLIN };
	__s32 word = 1;
	void *p;

	expect_refusal(dev, "read", read(dev->fd, &word, sizeof(word)));
	expect_refusal(dev, "write", write(dev->fd, &word, sizeof(word)));
	p = mmap(NULL, dev->size, PROT_READ, MAP_SHARED, dev->fd, 0);
	expect_refusal(dev, "mmap", p == MAP_FAILED ? -1 : 0);
	if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLHUP) || !(pfd.revents & POLLERR))
		fail("unit%u: poll gives %x after the end", unit_nr(dev->unit), pfd.revents);
}

/* The page after the mailbox is not present in this process. */
static void check_absent(const struct device *dev)
{
	__u32 word = 0;
	int sig = peek((char *)dev->ring + uiot_page(), &word);

	if (shared->has_sink ? !sig && !word : sig)
		happened(LATE_TOUCHES);
	else
		fail("unit%u: the first touch of a page after the end gives signal %d, word %x",
		     unit_nr(dev->unit), sig, word);
}

static bool is_over(const struct device *dev, unsigned int began)
{
	return NOW(dev->unit->gone) >= dev->generation || NOW(world->stop) ||
	       NOW(world->ticks) - began > HOLD_TICKS;
}

/* Mailbox and version never change. */
static void be_holder(const struct device *dev, bool has_ring)
{
	unsigned int began = NOW(world->ticks);
	__u32 before, after = 0;
	int sig = peek(dev->ring, &before);

	if (sig) {
		if (is_live(dev->unit, dev->generation))
			fail("unit%u: a holder gets signal %d", unit_nr(dev->unit), sig);
		return;
	}
	while (!is_over(dev, began))
		usleep(TICK_US);
	if (NOW(dev->unit->gone) < dev->generation)
		return;
	sig = peek(dev->ring, &after);
	if (sig || before != after)
		fail("unit%u: a page that is held gives signal %d, word %x in place of %x",
		     unit_nr(dev->unit), sig, after, before);
	else
		happened(HELD_PAGES);
	if (has_ring)
		check_absent(dev);
	if (dev->fd >= 0)
		check_calls(dev);
}

/* Keeps a descriptor and the ring, or the ring, or a page of it. */
static void run_holder(struct device *dev, unsigned int what)
{
	char *rest = (char *)dev->ring + uiot_page();
	size_t size = dev->size - uiot_page();

	if (what) {
		close(dev->fd);
		dev->fd = -1;
	}
	if (what == 2)
		munmap(rest, size);
	else
		madvise(rest, size, MADV_DONTNEED);
	be_holder(dev, what != 2);
}

/* A process that holds @dev; it does not end with this one. The daemon goes on. */
void hold(struct device *dev, struct daemon *daemon, struct dice *dice)
{
	unsigned int what = roll(dice, 4);
	pid_t pid;

	if (__atomic_add_fetch(&shared->holders, 1, __ATOMIC_RELAXED) > HOLDERS_MAX)
		goto out;
	pid = fork();
	if (!pid) {
		/* the kernel would take it for a daemon that listens */
		uiot_tcmu_daemon_die(&daemon->netlink);
		daemon_close_others(dev);
		run_holder(dev, what > 2 ? 1 : what);
		__atomic_sub_fetch(&shared->holders, 1, __ATOMIC_RELAXED);
		_exit(0);
	}
	if (pid > 0)
		return;
out:
	__atomic_sub_fetch(&shared->holders, 1, __ATOMIC_RELAXED);
}
