// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_chaos: the driver. Each device belongs to one thread, which makes it, registers it,
 * takes it away and lets go of it. All threads send events to all devices, and make their
 * callbacks wait.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "chaos.h"
#include "options.h"
#include "uio_testlib.h"

#define DEBUGFS	"/sys/kernel/debug/uio_test/"
#define NODES	"/dev/uio-chaos-"
/* such memory is never freed: see uio_test_keeps_memory() in modules/device.c */
#define COUNTED_MAX	64

enum stage { NONE, IDLE, LIVE, REVOKED, DRAINED, KEPT };

/**
 * struct device - a slot of the module
 * @lock: for writing when the driver lets go of it, for reading by whoever sends events
 * @name: of the slot
 * @context: its devices have contexts
 * @stage: what the owning thread has done with it
 * @options: of the device
 * @reg: the registration, from LIVE to KEPT
 * @may_revoke: a callback may revoke it
 */
struct device {
	pthread_rwlock_t lock;
	char name[16];
	bool context;
	enum stage stage;
	struct options options;
	struct registration *reg;
	bool may_revoke;
};

static struct device devices[MAX_DEVICES];
static int control;
static unsigned int uio_major;
static unsigned int counted;

static int command(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return write(control, line, n) < 0 ? -errno : 0;
}

/* Nodes */

static int find_major(void)
{
	char line[64], name[32];
	FILE *file = fopen("/proc/devices", "re");
	unsigned int major;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%u %31s", &major, name) == 2 && !strcmp(name, "uio"))
			uio_major = major;
	if (file)
		fclose(file);
	return uio_major ? 0 : -ENODEV;
}

/* These nodes are always there, also while a device is registered or goes. */
void node_path(char *path, size_t size, int minor)
{
	snprintf(path, size, NODES "%d", minor);
}

static int make_node(int minor)
{
	char path[64];

	node_path(path, sizeof(path), minor);
	return mknod(path, S_IFCHR | 0600, makedev(uio_major, minor)) && errno != EEXIST ?
		-errno : 0;
}

/* Registration */

static void mark(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_SEQ_CST);
}

static __u32 new_owner(void)
{
	__u32 owner;

	do {
		owner = __atomic_add_fetch(&world->last_owner, 1, __ATOMIC_RELAXED) & OWNER_MAX;
	} while (!owner);
	return owner;
}

/* The device is registered: user space may use it now. */
static void publish(struct device *dev, __u32 owner)
{
	struct registration *reg = registration_new(owner);
	struct view view = dev->options.view;
	long minor = device_count(dev - devices, "minor");

	if (make_node(minor))
		fail("there is no node for %s, minor %ld", dev->name, minor);
	reg->minor = minor;
	view.owner = 0;
	view.last_owner = dev->reg ? dev->reg->view.owner : 0;
	reg->view = view;
	/* pairs with drive_act(): it sees the registration, or we see the mark */
	__atomic_store_n(&dev->reg, reg, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&dev->may_revoke, __ATOMIC_SEQ_CST))
		mark(&reg->revoking);
	__atomic_store_n(&reg->view.owner, owner, __ATOMIC_RELEASE);
	dev->stage = LIVE;
	__atomic_store_n(&world->current[dev - devices], owner, __ATOMIC_RELEASE);
}

static void let_go(struct device *dev)
{
	pthread_rwlock_wrlock(&dev->lock);
	command("put %s", dev->name);
	dev->stage = NONE;
	dev->reg = NULL;
	pthread_rwlock_unlock(&dev->lock);
}

static void make(struct device *dev, struct dice *dice)
{
	bool allow_counted = counted < COUNTED_MAX;
	__u32 owner = new_owner();
	bool idle = chance(dice, 8);
	int ret;

	options_choose(&dev->options, dev->context, allow_counted, dice);
	if (dev->options.counted)
		__atomic_add_fetch(&counted, 1, __ATOMIC_RELAXED);
	pthread_rwlock_wrlock(&dev->lock);
	dev->may_revoke = false;
	ret = command("renew %s owner=%u %s%s", dev->name, owner, dev->options.text,
		      idle ? " idle" : "");
	if (!ret)
		dev->stage = IDLE;
	pthread_rwlock_unlock(&dev->lock);
	if (ret && ret != -EOPNOTSUPP && ret != -ENOMEM && !world->faults)
		fail("renew %s %s: %s", dev->name, dev->options.text, strerror(-ret));
	if (!ret && !idle)
		publish(dev, owner);
}

static void do_register(struct device *dev)
{
	__u32 owner = new_owner();
	int ret = command("register %s %u", dev->name, owner);

	if (!ret)
		publish(dev, owner);
	else if (world->faults)
		let_go(dev);
	else
		fail("register %s %s: %s", dev->name, dev->options.text, strerror(-ret));
}

static void take_away(struct device *dev)
{
	struct registration *reg = dev->reg;

	mark(&reg->revoking);
	mark(&reg->leaving);
	mark(&reg->ending);
	command("unregister %s keep", dev->name);
	happened(UNREGISTRATIONS);
	mark(&reg->gone);
	dev->stage = KEPT;
}

/* Does the next step that leads to a live device. */
static void go_on(struct device *dev, struct dice *dice)
{
	switch (dev->stage) {
	case NONE:
		make(dev, dice);
		break;
	case IDLE:
		do_register(dev);
		break;
	case LIVE:
		break;
	case REVOKED:
	case DRAINED:
		take_away(dev);
		break;
	case KEPT:
		let_go(dev);
		break;
	}
}

/* Operations of the thread to which a device belongs */

static unsigned int driver_nr(void *actor)
{
	return (struct task *)actor - world->tasks;
}

/* One of the thread's own devices, or NULL if it has none. */
static struct device *own_device(void *actor, struct dice *dice)
{
	unsigned int nr = driver_nr(actor);
	unsigned int own = (world->devices + world->drivers - 1 - nr) / world->drivers;

	return own ? &devices[nr + roll(dice, own) * world->drivers] : NULL;
}

/* Returns one of the thread's own devices that is live and in use, or NULL. */
static struct device *busy_device(void *actor, struct dice *dice)
{
	unsigned int at = roll(dice, MAX_TASKS), i, nr;
	struct open_file *file;
	__u32 owner;

	for (i = 0; i < MAX_TASKS; i++) {
		file = file_find(world->tasks[(at + i) % MAX_TASKS].uses);
		owner = file ? file->view.owner : 0;
		for (nr = driver_nr(actor); owner && nr < world->devices; nr += world->drivers)
			if (devices[nr].stage == LIVE && devices[nr].reg->view.owner == owner)
				return &devices[nr];
	}
	return NULL;
}

/* One that is going to go, or NULL. */
static struct device *victim(void *actor, struct dice *dice)
{
	struct device *dev = chance(dice, 2) ? busy_device(actor, dice) : NULL;

	if (!dev)
		dev = own_device(actor, dice);
	return dev && dev->options.lasts && !chance(dice, 64) ? NULL : dev;
}

static OPERATION(drive_make)
{
	struct device *dev = own_device(actor, dice);

	if (dev)
		go_on(dev, dice);
}

static OPERATION(drive_revoke)
{
	struct device *dev = victim(actor, dice);

	if (!dev || dev->stage != LIVE) {
		if (dev)
			go_on(dev, dice);
		return;
	}
	mark(&dev->reg->revoking);
	mark(&dev->reg->ending);
	if (command("revoke %s", dev->name))
		return;
	happened(DEVICES_REVOKED);
	dev->stage = REVOKED;
}

static OPERATION(drive_drain)
{
	struct device *dev = own_device(actor, dice);

	if (dev && dev->stage == REVOKED) {
		command("drain %s", dev->name);
		dev->stage = DRAINED;
	}
}

static OPERATION(drive_unregister)
{
	struct device *dev = victim(actor, dice);

	if (dev && dev->stage != LIVE)
		go_on(dev, dice);
	else if (dev)
		take_away(dev);
}

static OPERATION(drive_put)
{
	struct device *dev = own_device(actor, dice);

	if (dev && (dev->stage == IDLE || dev->stage == KEPT))
		let_go(dev);
}

/* A device without a context can be registered again. */
static OPERATION(drive_again)
{
	struct device *dev = own_device(actor, dice);

	if (dev && dev->stage == KEPT && !dev->context && !dev->options.view.stays)
		do_register(dev);
	else if (dev)
		go_on(dev, dice);
}

static OPERATION(drive_unmap)
{
	struct device *dev = own_device(actor, dice);
	const struct view *view = &dev->options.view;
	unsigned int region;

	if (!dev || dev->stage < LIVE || !view->regions)
		return;
	region = roll(dice, view->regions);
	mark(&dev->reg->unmapped);
	command("unmap %s %u,%u,%u", dev->name, region, roll(dice, view->pages[region]),
		roll(dice, view->pages[region]));
}

/* Operations on any device */

/* Returns a device that the driver has, read-locked, or NULL. */
static struct device *any_device(struct dice *dice)
{
	struct device *dev = &devices[roll(dice, world->devices)];

	pthread_rwlock_rdlock(&dev->lock);
	if (dev->stage != NONE)
		return dev;
	pthread_rwlock_unlock(&dev->lock);
	return NULL;
}

static void send_event(struct dice *dice, const char *verb)
{
	struct device *dev = any_device(dice);

	if (!dev)
		return;
	if (!dev->options.quiet)
		command("%s %s", verb, dev->name);
	pthread_rwlock_unlock(&dev->lock);
}

static OPERATION(drive_notify)
{
	send_event(dice, "notify");
}

static OPERATION(drive_interrupt)
{
	send_event(dice, "interrupt");
}

/* The kernel's own core needs info->irq to free a real interrupt. */
static OPERATION(drive_irq)
{
	struct device *dev = any_device(dice);
	static const char * const commands[] = {
		"noirq %s", "irq %s none", "irq %s custom", "irq %s custom",
	};

	if (!dev)
		return;
	if (!dev->options.real_irq && !dev->options.quiet)
		command(commands[roll(dice, 4)], dev->name);
	pthread_rwlock_unlock(&dev->lock);
}

static const char *any_callback(const struct device *dev, struct dice *dice)
{
	static const char * const names[] = { "open", "release", "irqcontrol" };
	unsigned int i = roll(dice, 6);

	if (i < 3)
		return names[i];
	return dev->context ? "fault" : "mmap";
}

/* Not for long: this thread may soon wait for the callback. */
static OPERATION(drive_stall)
{
	struct device *dev = any_device(dice);

	if (!dev)
		return;
	if (chance(dice, 2))
		command("kickable %s", dev->name);
	command("stall %s %s:%u", dev->name, any_callback(dev, dice), 1 + roll(dice, 100));
	pthread_rwlock_unlock(&dev->lock);
}

static OPERATION(drive_resume)
{
	struct device *dev = any_device(dice);

	if (!dev)
		return;
	command("resume %s", dev->name);
	pthread_rwlock_unlock(&dev->lock);
}

/* Not in release: that may come when the slot has another device. */
static OPERATION(drive_act)
{
	struct device *dev = any_device(dice);
	unsigned int what = roll(dice, 4);
	struct registration *reg;

	if (!dev)
		return;
	if (dev->options.lasts && !what)
		what = 1;
	if (!what) {
		mark(&dev->may_revoke);
		reg = __atomic_load_n(&dev->reg, __ATOMIC_SEQ_CST);
		if (reg)
			mark(&reg->revoking);
	}
	command("act %s %s:%s", dev->name, chance(dice, 2) ? "open" : "irqcontrol",
		what ? what < 3 ? "rtnl" : "mmap" : "revoke");
	pthread_rwlock_unlock(&dev->lock);
}

static void set_errno(const char *name, const char *file, __u32 value)
{
	char path[96], buf[16];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", name, file);
	snprintf(buf, sizeof(buf), "%u", value);
	uiot_write_file(path, buf);
}

static OPERATION(drive_errno)
{
	struct device *dev = any_device(dice);
	__u32 value = chance(dice, 2) ? EBUSY : 0;

	if (!dev)
		return;
	set_errno(dev->name, chance(dice, 2) ? "open_errno" : "irqcontrol_errno", value);
	pthread_rwlock_unlock(&dev->lock);
}

static OPERATION(drive_kill)
{
	pid_t pid = old_process(dice);

	if (pid)
		kill(pid, SIGKILL);
}

const struct kind driver_kinds[] = {
	{ "make",	20, drive_make },
	{ "register-again", 2, drive_again },
	{ "revoke",	4, drive_revoke },
	{ "drain",	6, drive_drain },
	{ "unregister",	5, drive_unregister },
	{ "put",	6, drive_put },
	{ "unmap",	4, drive_unmap },
	{ "notify",	30, drive_notify },
	{ "interrupt",	10, drive_interrupt },
	{ "irq",	3, drive_irq },
	{ "stall",	4, drive_stall },
	{ "resume",	4, drive_resume },
	{ "act",	2, drive_act },
	{ "errno",	1, drive_errno },
	{ "kill",	1, drive_kill },
	{ }
};

/* The run */

static int open_device(struct device *dev)
{
	unsigned int nr = dev - devices;
	int ret;

	snprintf(dev->name, sizeof(dev->name), "chaos-%u", nr);
	dev->context = world->with_context && (!world->without_context || nr % 2 == 0);
	pthread_rwlock_init(&dev->lock, NULL);
	ret = command("create %s idle", dev->name);
	if (!ret)
		ret = command("put %s", dev->name);
	return ret;
}

/* Mainline's core has no contexts. */
static bool has_contexts(void)
{
	int ret = command("create chaos-context ctx idle");

	if (!ret)
		command("put chaos-context");
	return !ret;
}

int drivers_open(void)
{
	unsigned int i;
	int ret = uiot_load("uio_test");

	if (ret)
		return ret;
	ret = find_major();
	if (ret)
		return ret;
	control = open(DEBUGFS "control", O_WRONLY | O_CLOEXEC);
	if (control < 0)
		return -errno;
	world->with_context &= has_contexts();
	if (!world->with_context && !world->without_context)
		return -EOPNOTSUPP;

	for (i = 0; !ret && i < world->devices; i++)
		ret = open_device(&devices[i]);
	return ret;
}

/* The driver goes: all threads have ended. */
int drivers_end(void)
{
	return command("reset");
}

void drivers_close(void)
{
	char path[64];
	int minor;

	close(control);
	for (minor = 0; minor <= 2 * MAX_DEVICES; minor++) {
		snprintf(path, sizeof(path), NODES "%d", minor);
		unlink(path);
	}
}

bool device_has_context(unsigned int nr)
{
	return devices[nr].context;
}

/* Returns a counter of the module, or -1. */
long device_count(unsigned int nr, const char *counter)
{
	char path[96], buf[32];

	snprintf(path, sizeof(path), DEBUGFS "%s/%s", devices[nr].name, counter);
	return uiot_read_file(path, buf, sizeof(buf)) ? -1 : atol(buf);
}
