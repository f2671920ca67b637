// SPDX-License-Identifier: GPL-2.0-only
/* Uevents: their contents, their order, and what exists when they come. */

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "same.h"

static int listen_to_uevents(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int sock = socket(AF_NETLINK, SOCK_DGRAM | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof(addr)))
		broken("no uevents");
	return sock;
}

/* Replaces "uio7" by "uioN". */
static void print_key(char *to, size_t size, const char *key)
{
	const char *number = strstr(key, "uio");

	while (number && (number[3] < '0' || number[3] > '9'))
		number = strstr(number + 3, "uio");
	if (!number) {
		snprintf(to, size, "%s", key);
		return;
	}
	snprintf(to, size, "%.*suioN%s", (int)(number - key), key,
		 number + 3 + strspn(number + 3, "0123456789"));
}

static void one_uevent(const char *name, const char *message, ssize_t length)
{
	char words[8192] = "", key[4096];
	const char *at = message;
	size_t n = 0;

	for (; at < message + length; at += strlen(at) + 1) {
		if (!strncmp(at, "SEQNUM=", 7) || !strncmp(at, "MAJOR=", 6) ||
		    !strncmp(at, "MINOR=", 6))
			snprintf(key, sizeof(key), "%.5s", at);
		else
			print_key(key, sizeof(key), at);
		n += snprintf(words + n, sizeof(words) - n, "%s%s", n ? " " : "", key);
	}
	fact(name, "%s", words);
}

static void fact_uevents(const char *what, int sock)
{
	char message[4096], name[64];
	ssize_t length;
	int nr = 0;

	while ((length = recv(sock, message, sizeof(message), 0)) > 0) {
		/* ignore other devices that come and go meanwhile */
		if (!memmem(message, length, "uio", 3))
			continue;
		snprintf(name, sizeof(name), "%s.%d", what, ++nr);
		one_uevent(name, message, length);
	}
	snprintf(name, sizeof(name), "%s.number", what);
	fact(name, "%d", nr);
}

static void describe(struct dev *dev, int regions)
{
	int i;

	for (i = 0; i < regions; i++) {
		dev_mem(dev, i, UIO_SAME_PAGES, UIO_SAME_LOGICAL, 1);
		dev_text(dev, UIO_SAME_MEM_NAME, i, "region");
		dev_set(dev, UIO_SAME_PORT_SIZE, i, 1);
		dev_text(dev, UIO_SAME_PORT_NAME, i, "port");
	}
}

static void uevents(const struct group *group)
{
	struct dev dev = dev_new();
	int sock = listen_to_uevents(), fd;

	describe(&dev, group->a);
	fact_err("register", dev_register(&dev, group->b));
	fact_uevents("registration", sock);
	fd = dev_open(&dev, O_RDWR);
	dev_notify(&dev, 1);
	close(fd);
	fact_uevents("use", sock);
	dev_text(&dev, UIO_SAME_NAME, 0, "another");
	dev_set(&dev, UIO_SAME_IRQ, 0, UIO_SAME_IRQ_NONE);
	fact_uevents("change", sock);
	dev_unregister(&dev);
	fact_uevents("unregistration", sock);
	fact_err("register-again", dev_register(&dev, group->b));
	fact_uevents("second-registration", sock);
}

/* A registration that fails */
static void uevents_of_failure(const struct group *group)
{
	struct dev dev = dev_new();
	int sock = listen_to_uevents();

	(void)group;
	describe(&dev, 1);
	dev_set(&dev, UIO_SAME_IRQ, 0, 100000);
	fact_err("register", dev_register(&dev, 0));
	fact_uevents("registration", sock);
}

static void there_is(const char *name, int minor, const char *file)
{
	char path[128], text[256];
	int ret;

	snprintf(path, sizeof(path), "/sys/class/uio/uio%d/%s", minor, file);
	ret = uiot_read_file(path, text, sizeof(text));
	if (ret)
		fact_err(name, ret);
	else
		fact(name, "%s", text);
}

/* What a listener finds if it acts at once. */
static void look_around(const struct dev *dev, int minor)
{
	char path[64];
	struct stat st;
	int fd, on = 1;
	void *p;

	there_is("name", minor, "name");
	there_is("version", minor, "version");
	there_is("map0-name", minor, "maps/map0/name");
	there_is("map1-size", minor, "maps/map1/size");
	there_is("port0-name", minor, "portio/port0/name");
	snprintf(path, sizeof(path), "/dev/uio%d", minor);
	TRY("node", stat(path, &st));
	TRY_OK("open", fd = open(path, O_RDWR | O_NONBLOCK));
	if (fd >= 0) {
		fact_read("read", fd);
		fact_poll("poll", fd);
		TRY("write", write(fd, &on, sizeof(on)));
		errno = 0;
		p = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, fd, 0);
		fact_ok("mmap", (long)p);
		if (p != MAP_FAILED)
			munmap(p, page_size());
		close(fd);
	}
	fact_log(dev, "callbacks");
}

static long hold_and_register(struct uiot_op *op)
{
	struct dev dev = { .ctl = op->fd };
	long ret = dev_ioctl(&dev, UIO_SAME_HOLD_UEVENTS, 0);

	return ret ? ret : dev_ioctl(&dev, UIO_SAME_REGISTER, 0);
}

struct hold {
	const struct dev *dev;
	struct uiot_op *op;
	long nr;
};

static bool held_or_done(void *arg)
{
	struct hold *hold = arg;

	return dev_ioctl(hold->dev, UIO_SAME_HELD, 0) >= hold->nr ||
	       __atomic_load_n(&hold->op->done, __ATOMIC_ACQUIRE);
}

static int next_minor(void)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int minor = dev.minor;

	close(dev.ctl);
	return minor;
}

static void seen_at_uevents(const struct group *group)
{
	struct dev dev = dev_new();
	int minor = next_minor();
	struct hold hold = { &dev, NULL, 1 };
	struct uiot_op *op;

	describe(&dev, group->a);
	dev_set(&dev, UIO_SAME_IRQ, 0, group->b);
	op = op_start(hold_and_register, dev.ctl);
	hold.op = op;
	for (; hold.nr < 20; hold.nr++) {
		if (!uiot_wait_until(held_or_done, &hold, UIOT_SOON_MS))
			broken("no uevent and no end");
		if (__atomic_load_n(&op->done, __ATOMIC_ACQUIRE))
			break;
		under("uevent-%ld", hold.nr);
		look_around(&dev, minor);
		dev_ioctl(&dev, UIO_SAME_GO_ON, 0);
	}
	under("registered");
	fact("uevents", "%ld", hold.nr - 1);
	fact_done("register", op);
	look_around(&dev, minor);
}

const struct group uevent_groups[] = {
	{ "uevent.list.least", uevents, 0, 0 },
	{ "uevent.list.two-regions", uevents, 2, 0 },
	{ "uevent.list.devm", uevents, 1, UIO_SAME_DEVM },
	{ "uevent.list.failure", uevents_of_failure },
	{ "uevent.seen.least", seen_at_uevents, 0, UIO_SAME_IRQ_CUSTOM },
	{ "uevent.seen.two-regions", seen_at_uevents, 2, UIO_SAME_IRQ_CUSTOM },
	{ "uevent.seen.irq-none", seen_at_uevents, 2, UIO_SAME_IRQ_NONE },
	{ }
};
