// SPDX-License-Identifier: GPL-2.0-only
/* Commands to the driver, the module uio_same. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "same.h"

struct dev dev_new(void)
{
	struct dev dev = { .ctl = open(UIO_SAME_NODE, O_RDWR | O_CLOEXEC), .minor = -1 };

	if (dev.ctl < 0)
		broken("no " UIO_SAME_NODE);
	return dev;
}

long dev_ioctl(const struct dev *dev, unsigned long request, unsigned long arg)
{
	return ioctl(dev->ctl, request, arg);
}

static void set(const struct dev *dev, const struct uio_same_set *set)
{
	if (dev_ioctl(dev, UIO_SAME_SET, (unsigned long)set))
		broken("the driver does not accept a setting");
}

void dev_set(const struct dev *dev, enum uio_same_field field, unsigned int index,
	     long long value)
{
	struct uio_same_set what = { .field = field, .index = index, .value = value };

	set(dev, &what);
}

void dev_text(const struct dev *dev, enum uio_same_field field, unsigned int index,
	      const char *text)
{
	struct uio_same_set what = {
		.field = field, .index = index, .text = (unsigned long)text,
	};

	set(dev, &what);
}

void dev_mem(const struct dev *dev, unsigned int index, enum uio_same_backing backing,
	     int type, unsigned int pages)
{
	struct uio_same_alloc alloc = {
		.index = index, .backing = backing, .type = type, .pages = pages,
	};

	if (dev_ioctl(dev, UIO_SAME_ALLOC, (unsigned long)&alloc))
		broken("the driver has no memory");
}

/* Returns 0 or a negative error code. */
int dev_register(struct dev *dev, unsigned long how)
{
	int ret = dev_ioctl(dev, UIO_SAME_REGISTER, how);

	if (ret)
		return -errno;

	dev->minor = dev_ioctl(dev, UIO_SAME_MINOR, 0);
	snprintf(dev->node, sizeof(dev->node), "/dev/uio%d", dev->minor);
	return 0;
}

void dev_up(struct dev *dev)
{
	int ret = dev_register(dev, 0);

	if (ret) {
		errno = -ret;
		broken("no registration");
	}
}

void dev_unregister(const struct dev *dev)
{
	if (dev_ioctl(dev, UIO_SAME_UNREGISTER, 0))
		broken("no unregistration");
}

void dev_notify(const struct dev *dev, unsigned long times)
{
	if (dev_ioctl(dev, UIO_SAME_NOTIFY, times))
		broken("no notification");
}

int dev_open(const struct dev *dev, int flags)
{
	int fd = open(dev->node, flags | O_CLOEXEC);

	if (fd < 0)
		broken("a device can't be opened");
	return fd;
}

unsigned int dev_peek(const struct dev *dev, unsigned int index, unsigned int page)
{
	struct uio_same_word word = { .index = index, .page = page };

	if (dev_ioctl(dev, UIO_SAME_PEEK, (unsigned long)&word))
		broken("memory can't be read by the driver");
	return word.word;
}

void dev_poke(const struct dev *dev, unsigned int index, unsigned int page,
	      unsigned int word)
{
	struct uio_same_word to = { .index = index, .page = page, .word = word };

	if (dev_ioctl(dev, UIO_SAME_POKE, (unsigned long)&to))
		broken("memory can't be written by the driver");
}

struct dev dev_plain(long irq)
{
	struct dev dev = dev_new();

	dev_set(&dev, UIO_SAME_IRQ, 0, irq);
	dev_up(&dev);
	return dev;
}

/* What the driver has seen */

static void read_log(const struct dev *dev, char *log, size_t size)
{
	ssize_t n = read(dev->ctl, log, size - 1);

	if (n < 0)
		broken("the driver says nothing");
	log[n] = 0;
}

void log_forget(const struct dev *dev)
{
	char log[16384];

	read_log(dev, log, sizeof(log));
}

/* Leaves out the details, which follow a tab. */
void fact_log(const struct dev *dev, const char *name)
{
	char log[16384], words[8192] = "", *line, *rest = log;
	size_t n = 0;

	read_log(dev, log, sizeof(log));
	while ((line = strsep(&rest, "\n")) && *line && n < sizeof(words))
		n += snprintf(words + n, sizeof(words) - n, "%s%.*s", n ? " " : "",
			      (int)strcspn(line, "\t"), line);
	fact(name, "%s", words);
}

/* Prints a fact for each pair in "KEY VALUE, KEY VALUE". */
static void fact_keys(const char *name, char *details)
{
	char full[96], *item, *value, *rest = details;

	while ((item = strsep(&rest, ","))) {
		item += strspn(item, " ");
		value = item + strcspn(item, " ");
		if (*value)
			*value++ = 0;
		snprintf(full, sizeof(full), "%s.%s", name, item);
		fact(full, "%s", value);
	}
}

void fact_details(const struct dev *dev, const char *name)
{
	char log[16384], full[64], *line, *details, *rest = log;
	int nr = 0;

	read_log(dev, log, sizeof(log));
	while ((line = strsep(&rest, "\n")) && *line) {
		details = line + strcspn(line, "\t");
		if (*details)
			*details++ = 0;
		snprintf(full, sizeof(full), "%s.%d", name, ++nr);
		fact(full, "%s", line);
		if (*details)
			fact_keys(full, details);
	}
	snprintf(full, sizeof(full), "%s.number", name);
	fact(full, "%d", nr);
}
