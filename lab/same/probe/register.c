// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registration and unregistration, right and wrong. A second unregistration is left out, and
 * so is a notification before registration or after the end: there mainline uses a pointer
 * that is NULL or dangles (D9).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

static void wrong_one(const char *name, enum uio_same_field null, unsigned long how)
{
	struct dev dev = dev_new();

	under("%s", name);
	if (null != UIO_SAME_FIELDS)
		dev_text(&dev, null, 0, NULL);
	fact_err("register", dev_register(&dev, how));
	fact("minor", "%s", dev_ioctl(&dev, UIO_SAME_MINOR, 0) < 0 ? "none" : "some");
	dev_text(&dev, UIO_SAME_NAME, 0, "same");
	dev_text(&dev, UIO_SAME_VERSION, 0, "1");
	fact_err("then-right", dev_register(&dev, 0));
	close(dev.ctl);
}

static void wrong(const struct group *group)
{
	struct dev dev;

	(void)group;
	wrong_one("no-name", UIO_SAME_NAME, 0);
	wrong_one("no-version", UIO_SAME_VERSION, 0);
	wrong_one("no-parent", UIO_SAME_FIELDS, UIO_SAME_NO_PARENT);
	wrong_one("no-info", UIO_SAME_FIELDS, UIO_SAME_NO_INFO);
	wrong_one("nothing", UIO_SAME_NAME, UIO_SAME_NO_INFO | UIO_SAME_NO_PARENT);
	wrong_one("devm-no-name", UIO_SAME_NAME, UIO_SAME_DEVM);
	under("unregister");
	dev = dev_new();
	TRY("null", dev_ioctl(&dev, UIO_SAME_UNREG_NULL, 0));
	TRY("never-registered", dev_ioctl(&dev, UIO_SAME_UNREGISTER, 0));
}

static void twice(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int first = dev_open(&dev, O_RDWR | O_NONBLOCK), second, minor = dev.minor;
	struct stat st;

	(void)group;
	log_forget(&dev);
	TRY("register-again", dev_ioctl(&dev, UIO_SAME_REG_TWICE, 0));
	dev.minor = dev_ioctl(&dev, UIO_SAME_MINOR, 0);
	fact("minor-after-first", "%d", dev.minor - minor);
	TRY("first-node", stat(dev.node, &st));
	snprintf(dev.node, sizeof(dev.node), "/dev/uio%d", dev.minor);
	TRY("second-node", stat(dev.node, &st));
	second = open(dev.node, O_RDWR | O_NONBLOCK);
	fact_ok("open-second", second);
	dev_notify(&dev, 1);
	fact_read("read-first", first);
	fact_read("read-second", second);
	TRY("write-first", write(first, &minor, 4));
	TRY("write-second", write(second, &minor, 4));
	fact_log(&dev, "callbacks");
	close(first);
	close(second);
	dev_unregister(&dev);
	TRY("node-after-both-unregistered", stat(dev.node, &st));
}

/* Registers several times, while a file of an earlier registration is still open. */
static void again(const struct group *group)
{
	struct dev dev = dev_of(group->a, 2);
	int first = dev.minor, fd, i;
	struct mapping m;
	char name[64];

	for (i = 0; i < 3; i++) {
		under("registration-%d", i);
		fact("minor-after-first", "%d", dev.minor - first);
		fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
		fact_read("read", fd);
		dev_notify(&dev, 2);
		fact_read("event", fd);
		m = map(&dev, fd, 2, MAP_SHARED);
		fact_ok("mmap", mapped(&m) ? 0 : -1);
		fact_reads("touch", &m);
		unmap(&m);
		close(fd);
		fact_log(&dev, "callbacks");
		dev_unregister(&dev);
		snprintf(name, sizeof(name), "/dev/uio%d", dev.minor);
		TRY("node-after-it", access(name, F_OK));
		dev_up(&dev);
	}
}

/* A device gets the lowest free minor, which is also in its name. */
static void minors(const struct group *group)
{
	struct dev devs[5];
	int i, first;

	(void)group;
	for (i = 0; i < 4; i++)
		devs[i] = dev_plain(UIO_SAME_IRQ_CUSTOM);
	first = devs[0].minor;
	for (i = 1; i < 4; i++) {
		under("device-%d", i);
		fact("minor-after-first", "%d", devs[i].minor - first);
	}
	at_top();
	close(devs[2].ctl);
	close(devs[1].ctl);
	devs[4] = dev_plain(UIO_SAME_IRQ_CUSTOM);
	fact("after-two-are-free", "%d", devs[4].minor - first);
}

static void many(const struct group *group)
{
	struct dev devs[100];
	char path[64];
	int i, nodes = 0;

	for (i = 0; i < group->a; i++) {
		devs[i] = dev_plain(UIO_SAME_IRQ_CUSTOM);
		snprintf(path, sizeof(path), "/sys/class/uio/uio%d/name", devs[i].minor);
		nodes += !access(devs[i].node, F_OK) && !access(path, F_OK);
	}
	fact("nodes", "%d", nodes);
	fact("last-minor-after-first", "%d", devs[group->a - 1].minor - devs[0].minor);
}

static void no_owner(const struct group *group)
{
	struct dev dev = dev_new();
	long before = uiot_module_refs("uio_same");
	int fd;

	(void)group;
	fact_err("register", dev_register(&dev, UIO_SAME_NO_OWNER));
	fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	fact("references", "%ld", uiot_module_refs("uio_same") - before);
	fact_read("read", fd);
	close(fd);
	fact_log(&dev, "callbacks");
}

/* What the core writes to struct uio_info. */
static void shown(const struct group *group)
{
	struct dev dev = dev_new();
	int i;

	(void)group;
	for (i = 0; i < 5; i += 1 + (i == 1)) {
		dev_mem(&dev, i, UIO_SAME_PAGES, UIO_SAME_LOGICAL, 1);
		dev_set(&dev, UIO_SAME_PORT_SIZE, i, 1);
	}
	fact("before", "%#lx", dev_ioctl(&dev, UIO_SAME_SHOWN, 0));
	dev_up(&dev);
	fact("registered", "%#lx", dev_ioctl(&dev, UIO_SAME_SHOWN, 0));
	fact("minor", "%s", dev_ioctl(&dev, UIO_SAME_MINOR, 0) < 0 ? "none" : "some");
}

static void held_minor(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM), next;
	int fd = dev_open(&dev, O_RDWR);

	(void)group;
	dev_unregister(&dev);
	next = dev_plain(UIO_SAME_IRQ_CUSTOM);
	fact("minor-while-a-file-is-open", "%d", next.minor - dev.minor);
	close(fd);
}

static void managed(const struct group *group)
{
	struct dev dev = dev_new();
	char path[128], target[256] = "", *at;
	int fd;

	(void)group;
	dev_mem(&dev, 0, UIO_SAME_PAGES, UIO_SAME_LOGICAL, 1);
	fact_err("register", dev_register(&dev, UIO_SAME_DEVM));
	fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	fact_read("read", fd);
	snprintf(path, sizeof(path), "/sys/class/uio/uio%d/device", dev.minor);
	if (readlink(path, target, sizeof(target) - 1) > 0) {
		at = strrchr(target, '/');
		fact("parent", "%s", at ? at + 1 : target);
	}
	close(fd);
	dev_unregister(&dev);
	fact_log(&dev, "callbacks");
	TRY("node-after-it", access(dev.node, F_OK));
	fact_err("register-again", dev_register(&dev, UIO_SAME_DEVM));
}

const struct group register_groups[] = {
	{ "register.wrong", wrong },
	{ "register.twice", twice },
	{ "register.again.logical", again, LOGICAL },
	{ "register.again.phys", again, PHYS },
	{ "register.again.dma", again, DMA },
	{ "register.again.own-fault", again, OWN_FAULT },
	{ "register.minors", minors },
	{ "register.many", many, 100 },
	{ "register.no-owner", no_owner },
	{ "register.shown", shown },
	{ "register.held-minor", held_minor },
	{ "register.managed", managed },
	{ }
};
