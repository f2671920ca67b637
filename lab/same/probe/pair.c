// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two operations at the same time. The first one stays inside the driver while the second
 * one is tried. Each runs in a process of its own, because threads of one process would
 * wait for its mmap_lock.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"

enum action {
	A_OPEN,
	A_RELEASE,
	A_IRQCONTROL,
	A_MMAP,
	A_LOCK,		/* the driver takes info_lock itself */
	/* these do not call the driver, so they can only be the second operation */
	A_READ,
	A_POLL,
	A_NAME,
	A_MAP_NAME,
	A_EVENT,
	A_NOTIFY,
	A_TOUCH,
	A_MUNMAP,
	A_LSEEK,
	A_FASYNC,
	ACTIONS,
};

static const char *const action_names[ACTIONS] = {
	"open", "release", "irqcontrol", "mmap", "info-lock", "read", "poll", "sysfs-name",
	"sysfs-map-name", "sysfs-event", "notify", "touch", "munmap", "lseek", "fasync",
};

/* A process with its operation. */
struct actor {
	struct uiot_op *op;
	const struct dev *dev;
	enum action action;
	int fd;
	char *p;
};

static struct actor *acting;	/* in the process that acts */

static long read_attribute(const struct dev *dev, const char *file)
{
	char path[96], text[64];

	snprintf(path, sizeof(path), "/sys/class/uio/uio%d/%s", dev->minor, file);
	return uiot_read_file(path, text, sizeof(text));
}

/* Waits until all other processes have closed the file, because this has to be the last close. */
static long last_close(struct uiot_op *op, int fd)
{
	while (!__atomic_load_n(&op->text[0], __ATOMIC_ACQUIRE))
		usleep(1000);
	return close(fd);
}

static void close_others(const struct actor *actor)
{
	int fd;

	for (fd = 3; fd < 64; fd++)
		if (fd != actor->fd && fd != actor->dev->ctl)
			close(fd);
}

static long act(struct uiot_op *op)
{
	struct actor *actor = acting;
	struct pollfd pfd = { .fd = actor->fd, .events = POLLIN };
	int word = 1;

	close_others(actor);
	switch (actor->action) {
	case A_OPEN:
		return open(actor->dev->node, O_RDWR) < 0 ? -1 : 0;
	case A_RELEASE:
		return last_close(op, actor->fd);
	case A_IRQCONTROL:
		return write(actor->fd, &word, sizeof(word));
	case A_MMAP:
		return mmap(NULL, page_size(), PROT_READ, MAP_SHARED, actor->fd, 0) ==
		       MAP_FAILED ? -1 : 0;
	case A_LOCK:
		return dev_ioctl(actor->dev, UIO_SAME_LOCK, 0);
	case A_READ:
		return read(actor->fd, &word, sizeof(word));
	case A_POLL:
		return poll(&pfd, 1, 0);
	case A_NAME:
		return read_attribute(actor->dev, "name");
	case A_MAP_NAME:
		return read_attribute(actor->dev, "maps/map0/name");
	case A_EVENT:
		return read_attribute(actor->dev, "event");
	case A_NOTIFY:
		return dev_ioctl(actor->dev, UIO_SAME_NOTIFY, 1);
	case A_TOUCH:
		return touch(actor->p);
	case A_MUNMAP:
		return munmap(actor->p, page_size());
	case A_LSEEK:
		return lseek(actor->fd, 0, SEEK_CUR);
	case A_FASYNC:
		return fcntl(actor->fd, F_SETFL, O_ASYNC | O_NONBLOCK);
	default:
		return -1;
	}
}

/* Opens the file. For a release, this process later closes it, so that the actor is last. */
static void prepare(struct actor *actor, const struct dev *dev, enum action action)
{
	struct mapping m;

	actor->dev = dev;
	actor->action = action;
	actor->fd = action == A_OPEN ? -1 : dev_open(dev, O_RDWR | O_NONBLOCK);
	if (action == A_TOUCH || action == A_MUNMAP) {
		m = map(dev, actor->fd, 1, MAP_SHARED);
		if (!mapped(&m))
			broken("no mapping");
		actor->p = m.p;
	}
	actor->op = uiot_op_alloc();
	actor->op->fn = act;
	actor->op->in_child = true;
}

static void start(struct actor *actor)
{
	acting = actor;
	if (uiot_start(actor->op))
		broken("no process");
	if (actor->action == A_RELEASE) {
		close(actor->fd);
		__atomic_store_n(&actor->op->text[0], 1, __ATOMIC_RELEASE);
	}
}

static long inside(const struct dev *dev, enum action action)
{
	return dev_ioctl(dev, UIO_SAME_INSIDE, action);
}

struct goal {
	const struct dev *dev;
	enum action action;
	long value;
	struct uiot_op *op;
};

static bool has_come_in(void *arg)
{
	struct goal *goal = arg;

	return inside(goal->dev, goal->action) >= goal->value;
}

/* The actor is in the driver, has ended, or sleeps on its way to the driver. */
static bool is_settled(void *arg)
{
	struct goal *goal = arg;
	char path[64], where[64] = "";

	if (__atomic_load_n(&goal->op->done, __ATOMIC_ACQUIRE))
		return true;
	if (goal->action <= A_LOCK && has_come_in(goal))
		return true;
	snprintf(path, sizeof(path), "/proc/%d/wchan", goal->op->tid);
	return !uiot_read_file(path, where, sizeof(where)) &&
	       strncmp(where, "uio_same_dwell", 14) &&
	       (!strncmp(where, "uio_", 4) || strstr(where, "_show"));
}

static void pair(const struct dev *dev, enum action first, enum action second)
{
	bool calls = second <= A_LOCK;
	struct goal goal = { dev, first, 1, NULL };
	struct actor a, b;
	const char *word;

	dev_ioctl(dev, UIO_SAME_DWELL, 0);
	prepare(&a, dev, first);
	prepare(&b, dev, second);
	dev_ioctl(dev, UIO_SAME_DWELL, 1UL << first | (calls ? 1UL << second : 0));
	start(&a);
	if (!uiot_wait_until(has_come_in, &goal, UIOT_SOON_MS))
		broken("nobody is inside");

	start(&b);
	goal = (struct goal){ dev, second, first == second ? 2 : 1, b.op };
	if (!uiot_wait_until(is_settled, &goal, UIOT_SOON_MS))
		word = "not known";
	else if (calls && has_come_in(&goal))
		word = "is inside, too";
	else if (__atomic_load_n(&b.op->done, __ATOMIC_ACQUIRE))
		word = "does not wait";
	else
		word = "waits";
	fact("second", "%s", word);
	dev_ioctl(dev, UIO_SAME_DWELL, 0);
	if (uiot_join(a.op, UIOT_SOON_MS) || uiot_join(b.op, UIOT_SOON_MS))
		broken("somebody stays inside");
	fact_err("second-returns", b.op->ret);
	if (a.fd >= 0 && first != A_RELEASE)
		close(a.fd);
	if (b.fd >= 0 && second != A_RELEASE)
		close(b.fd);
}

static void pairs(const struct group *group)
{
	struct dev dev = dev_new();
	enum action second;

	dev_mem(&dev, 0, UIO_SAME_VMALLOC, UIO_SAME_VIRTUAL, 2);
	if (group->a == A_MMAP || group->b)
		dev_set(&dev, UIO_SAME_OWN_MMAP, 0, UIO_SAME_MMAP_FAULT);
	dev_up(&dev);
	for (second = 0; second < ACTIONS; second++) {
		/* there is no mmap callback in which it could be */
		if (second == A_MMAP && group->a != A_MMAP && !group->b)
			continue;
		under("%s", action_names[second]);
		pair(&dev, group->a, second);
	}
}

/* An operation on another device does not wait for the first device. */
static void two_devices(const struct group *group)
{
	struct dev dev = dev_new(), other = dev_new();
	struct goal goal = { &dev, group->a, 1, NULL };
	enum action second;
	struct actor a, b;

	dev_mem(&dev, 0, UIO_SAME_VMALLOC, UIO_SAME_VIRTUAL, 2);
	dev_mem(&other, 0, UIO_SAME_VMALLOC, UIO_SAME_VIRTUAL, 2);
	dev_set(&dev, UIO_SAME_OWN_MMAP, 0, UIO_SAME_MMAP_FAULT);
	dev_up(&dev);
	dev_up(&other);
	prepare(&a, &dev, group->a);
	dev_ioctl(&dev, UIO_SAME_DWELL, 1UL << group->a);
	start(&a);
	if (!uiot_wait_until(has_come_in, &goal, UIOT_SOON_MS))
		broken("nobody is inside");
	for (second = 0; second < ACTIONS; second++) {
		prepare(&b, &other, second);
		start(&b);
		under("%s", action_names[second]);
		fact("second", "%s", uiot_join(b.op, UIOT_SOON_MS) ? "waits" :
		     "does not wait");
		fact_err("second-returns", b.op->ret);
		if (b.fd >= 0 && second != A_RELEASE)
			close(b.fd);
	}
	under("registration");
	close(other.ctl);
	other = dev_new();
	fact_err("of-another", dev_register(&other, 0));
	dev_ioctl(&dev, UIO_SAME_DWELL, 0);
	if (uiot_join(a.op, UIOT_SOON_MS))
		broken("somebody stays inside");
}

/* Many operations at once. Prints how many were inside at the same time. */
static void crowd(const struct group *group)
{
	struct dev dev = dev_new();
	struct actor actors[8];
	int i;

	dev_mem(&dev, 0, UIO_SAME_VMALLOC, UIO_SAME_VIRTUAL, 2);
	dev_up(&dev);
	for (i = 0; i < 8; i++)
		prepare(&actors[i], &dev, group->a);
	for (i = 0; i < 8; i++)
		start(&actors[i]);
	for (i = 0; i < 8; i++)
		if (uiot_join(actors[i].op, UIOT_SOON_MS))
			broken("somebody stays inside");
	fact("all-returned", "%d", i);
}

const struct group pair_groups[] = {
	{ "pair.open", pairs, A_OPEN },
	{ "pair.release", pairs, A_RELEASE },
	{ "pair.irqcontrol", pairs, A_IRQCONTROL },
	{ "pair.mmap", pairs, A_MMAP },
	{ "pair.info-lock", pairs, A_LOCK },
	{ "pair.info-lock.own-mmap", pairs, A_LOCK, 1 },
	{ "pair.open.own-mmap", pairs, A_OPEN, 1 },
	{ "pair.release.own-mmap", pairs, A_RELEASE, 1 },
	{ "pair.irqcontrol.own-mmap", pairs, A_IRQCONTROL, 1 },
	{ "pair.other-device.open", two_devices, A_OPEN },
	{ "pair.other-device.release", two_devices, A_RELEASE },
	{ "pair.other-device.irqcontrol", two_devices, A_IRQCONTROL },
	{ "pair.other-device.mmap", two_devices, A_MMAP },
	{ "pair.crowd.open", crowd, A_OPEN },
	{ "pair.crowd.irqcontrol", crowd, A_IRQCONTROL },
	{ }
};
