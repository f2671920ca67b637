// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcmu_chaos: daemons. All of them listen to netlink, and whoever opens a device first serves
 * it. They answer, but not always, not at once, and not always rightly.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tcmu.h"

#define DEVICES		(2 * MAX_DEVICES)	/* with those that are gone */
#define EVENTS		16			/* that are answered late */
#define SERVE_MS	20
#define MUTE_MS		25000

static struct daemon self;
static struct device devices[DEVICES];
static struct uiot_tcmu_event late[EVENTS];
static unsigned int late_nr;

/* What disturbs others happens not more often than that, however fast this daemon is. */
static bool is_due(unsigned int *last, unsigned int ticks)
{
	unsigned int now = NOW(world->ticks);

	if (now - *last < ticks)
		return false;
	*last = now;
	return true;
}

/* Devices */

static void drop(struct device *dev)
{
	munmap(dev->ring, dev->size);
	close(dev->fd);
	dev->unit = NULL;
}

static struct device *find_device(const struct unit *unit, __u32 generation)
{
	struct device *dev;

	for (dev = devices; dev < devices + DEVICES; dev++)
		if (dev->unit == unit && dev->generation == generation)
			return dev;
	return NULL;
}

/* Those that are gone have to make place in time. */
static struct device *free_device(struct dice *dice)
{
	struct device *dev;

	for (dev = devices; dev < devices + DEVICES; dev++)
		if (!dev->unit)
			return dev;
	dev = &devices[roll(dice, DEVICES)];
	drop(dev);
	return dev;
}

/* One that is not known to be gone, or any; NULL if there is none. */
static struct device *any_device(struct dice *dice, bool or_stale)
{
	unsigned int at = roll(dice, DEVICES), i;
	struct device *dev;

	for (i = 0; i < DEVICES; i++) {
		dev = &devices[(at + i) % DEVICES];
		if (dev->unit && (or_stale || !dev->is_stale))
			return dev;
	}
	return NULL;
}

void daemon_close_others(const struct device *dev)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++)
		if (devices[i].unit && &devices[i] != dev)
			close(devices[i].fd);
}

/* Whose is the minor now? */
static struct unit *whose(const struct uiot_dev *uio, __u32 *generation)
{
	char name[256];
	unsigned int nr;

	if (uiot_sysfs(uio, "name", name, sizeof(name)) ||
	    sscanf(name, "tcm-user/0/unit%u/test/%u", &nr, generation) != 2 ||
	    nr >= world->devices)
		return NULL;
	return &shared->units[nr];
}

static int map(struct device *dev, const struct uiot_dev *uio)
{
	__u32 word = 0;
	char size[32];

	if (uiot_sysfs(uio, "maps/map0/size", size, sizeof(size)))
		return -ENODEV;
	dev->size = strtoul(size, NULL, 0);
	dev->ring = mmap(NULL, dev->size, PROT_READ | PROT_WRITE, MAP_SHARED, dev->fd, 0);
	if (dev->ring == MAP_FAILED)
		return -errno;
	/* the mailbox is present from now on, also when the device is gone */
	if (peek(dev->ring, &word) || !word) {
		munmap(dev->ring, dev->size);
		return -ENODEV;
	}
	return 0;
}

/* A minor may get another device at any time, but no name comes twice. */
static void open_minor(int minor, struct dice *dice)
{
	struct device dev = { };
	struct uiot_dev uio;
	__u32 again;

	snprintf(uio.node, sizeof(uio.node), "/dev/uio%d", minor);
	dev.unit = whose(&uio, &dev.generation);
	if (!dev.unit)
		return;
	dev.fd = chance(dice, 8) ? uiot_open_other_node(&uio, O_RDWR | O_NONBLOCK) :
				   uiot_open(&uio, O_RDWR | O_NONBLOCK);
	if (dev.fd < 0)
		return;
	if (whose(&uio, &again) != dev.unit || again != dev.generation || map(&dev, &uio)) {
		close(dev.fd);
		return;
	}
	if (self.lies)
		SET(dev.unit->spoiled, dev.generation);
	*free_device(dice) = dev;
}

static void look_at_device(struct device *dev, short events, struct dice *dice)
{
	__s32 count;

	if (events & POLLERR) {
		if (is_live(dev->unit, dev->generation))
			fail("unit%u: a device that is live hangs up", unit_nr(dev->unit));
		happened(HANGUPS);
		dev->is_stale = true;
		if (chance(dice, 2))
			drop(dev);
		return;
	}
	if (events & POLLIN && read(dev->fd, &count, sizeof(count)) < 0 && errno != EAGAIN &&
	    is_live(dev->unit, dev->generation))
		fail("unit%u: read from a live device: %s", unit_nr(dev->unit), strerror(errno));
	ring_work(dev, self.lies, dice);
}

/* Netlink */

static int done_of(int cmd)
{
	return cmd - TCMU_CMD_ADDED_DEVICE + TCMU_CMD_ADDED_DEVICE_DONE;
}

static void answer(const struct uiot_tcmu_event *event, struct dice *dice)
{
	struct uiot_tcmu_event wrong_event = *event;
	__s32 status = chance(dice, 12) ? -EDOM : 0;
	int done = done_of(event->cmd);

	switch (roll(dice, 16)) {
	case 0:
		wrong_event.device_id += 1 + roll(dice, 8);
		happened(WRONG_ANSWERS);
		break;
	case 1:
		done = TCMU_CMD_ADDED_DEVICE_DONE + roll(dice, 3);
		happened(WRONG_ANSWERS);
		break;
	case 2: /* twice */
		uiot_tcmu_answer(&self.netlink, event, done, status);
		break;
	}
	uiot_tcmu_answer(&self.netlink, &wrong_event, done, status);
}

static void drop_minor(__u32 minor)
{
	struct device *dev;
	struct uiot_dev uio;
	__u32 generation;

	snprintf(uio.node, sizeof(uio.node), "/dev/uio%u", minor);
	dev = find_device(whose(&uio, &generation), generation);
	if (dev)
		drop(dev);
}

static void react(struct dice *dice)
{
	struct uiot_tcmu_event event;

	if (uiot_tcmu_next_event(&self.netlink, &event))
		return;
	if (event.cmd == TCMU_CMD_ADDED_DEVICE && !chance(dice, 8))
		open_minor(event.minor, dice);
	if (event.cmd == TCMU_CMD_REMOVED_DEVICE && chance(dice, 2))
		drop_minor(event.minor);
	if (chance(dice, 32))
		return;
	if (late_nr < EVENTS && chance(dice, 6))
		late[late_nr++] = event;
	else
		answer(&event, dice);
}

/* Children that hold devices */
static void reap_holders(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (WIFSIGNALED(status))
			fail("a holder was killed by signal %d", WTERMSIG(status));
}

static bool rests(const struct device *dev)
{
	return !dev->unit || dev->is_stale || uiot_now_ms() < dev->rests_until;
}

/* What a daemon does most of the time. */
OPERATION(daemon_serve)
{
	struct pollfd pfds[DEVICES + 1] = { };
	unsigned int i;

	reap_holders();
	for (i = 0; i < DEVICES; i++) {
		pfds[i].fd = rests(&devices[i]) ? -1 : devices[i].fd;
		pfds[i].events = POLLIN;
	}
	pfds[DEVICES].fd = is_mute() ? -1 : self.netlink.events;
	pfds[DEVICES].events = POLLIN;
	if (poll(pfds, DEVICES + 1, SERVE_MS) < 0)
		return;
	if (pfds[DEVICES].revents)
		react(dice);
	/* a new one may have taken a place */
	for (i = 0; i < DEVICES; i++)
		if (pfds[i].fd >= 0 && !rests(&devices[i]) && devices[i].fd == pfds[i].fd)
			look_at_device(&devices[i], pfds[i].revents, dice);
}

/* Takes a device, if nobody else has it. */
OPERATION(daemon_adopt)
{
	struct unit *unit = any_unit(dice);
	__u32 generation = NOW(unit->stable);

	if (generation && !find_device(unit, generation))
		open_minor(NOW(unit->minor), dice);
}

/* Commands may time out meanwhile. */
OPERATION(daemon_rest)
{
	struct device *dev = any_device(dice, false);
	static unsigned int last;

	if (!dev || !is_due(&last, 200))
		return;
	dev->rests_until = uiot_now_ms() + roll(dice, 1500 * TIME_OUT_S);
	happened(LATE_ANSWERS);
}

/* Answers an event that it has heard of some time ago. */
OPERATION(daemon_answer)
{
	unsigned int i;

	if (!late_nr || is_mute())
		return;
	i = roll(dice, late_nr);
	answer(&late[i], dice);
	late[i] = late[--late_nr];
	happened(LATE_ANSWERS);
}

/* For a while. It may be longer than a delete may take. */
OPERATION(daemon_mute)
{
	int most = chance(dice, 2) ? 2000 * TIME_OUT_S : MUTE_MS;

	if (is_due(&shared->muted_at, 2500))
		SET(shared->mute_until, uiot_now_ms() + most / 2 + roll(dice, most / 2));
}

static void start_netlink(void)
{
	int ret = uiot_tcmu_daemon_start(&self.netlink);

	if (ret)
		fail("a daemon does not get netlink: %s", strerror(-ret));
}

/* Ends as a daemon ought to, or as if it had crashed. */
OPERATION(daemon_renew)
{
	static unsigned int last;

	if (!is_due(&last, 400))
		return;
	if (chance(dice, 2))
		uiot_tcmu_daemon_end(&self.netlink);
	else
		uiot_tcmu_daemon_die(&self.netlink);
	start_netlink();
}

/* Answers what nobody has asked. */
OPERATION(daemon_babble)
{
	struct uiot_tcmu_event event = { .device_id = roll(dice, 2 * MAX_DEVICES) };

	if (!is_mute())
		uiot_tcmu_answer(&self.netlink, &event, TCMU_CMD_ADDED_DEVICE_DONE + roll(dice, 3),
				 chance(dice, 2) ? -EDOM : 0);
}

OPERATION(daemon_drop)
{
	struct device *dev = any_device(dice, true);
	static unsigned int last;

	if (dev && is_due(&last, 40))
		drop(dev);
}

/* What tcmu-runner does when it has lost its place. */
OPERATION(daemon_reset)
{
	struct device *dev = any_device(dice, false);
	static unsigned int last;

	if (!dev || !is_due(&last, 100))
		return;
	unit_lock(dev->unit);
	if (NOW(dev->unit->generation) == dev->generation) {
		unit_set(dev->unit, "action/block_dev", 1);
		unit_set(dev->unit, "action/reset_ring", 1 + roll(dice, 2));
		unit_set(dev->unit, "action/block_dev", 0);
		happened(RESETS);
	}
	unit_unlock(dev->unit);
}

OPERATION(daemon_free_kept)
{
	struct device *dev = any_device(dice, false);

	if (dev && dev->kept)
		unit_set(dev->unit, "action/free_kept_buf", dev->kept);
	if (dev)
		dev->kept = 0;
}

/* Touches any page, and tells the kernel of answers though there are none. */
OPERATION(daemon_misuse)
{
	struct device *dev = any_device(dice, true);
	__s32 done = 0;
	__u32 word;
	bool gone;

	if (!dev)
		return;
	gone = NOW(dev->unit->gone) >= dev->generation;
	peek((char *)dev->ring + roll(dice, dev->size / uiot_page()) * uiot_page(), &word);
	if (write(dev->fd, &done, sizeof(done)) >= 0 && gone)
		fail("unit%u: write gives success after the end", unit_nr(dev->unit));
}

OPERATION(daemon_hold)
{
	struct device *dev = any_device(dice, false);
	static unsigned int last;

	if (dev && is_due(&last, 40))
		hold(dev, &self, dice);
}

OPERATION(daemon_exit)
{
	if (is_old(*(unsigned int *)actor))
		_exit(0);
}

void daemon_begin(bool lies)
{
	self.lies = lies;
	start_netlink();
}
