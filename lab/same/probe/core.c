// SPDX-License-Identifier: GPL-2.0-only
/* Direct use of struct uio_device by a driver; the kernel's log. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

/* The count wraps around. */
static void counts(const struct group *group)
{
	static const int from[] = { INT_MAX, -1, INT_MIN, 0, 1 };
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	unsigned int i;

	(void)group;
	for (i = 0; i < ARRAY_SIZE(from); i++) {
		under("from-%d", from[i]);
		dev_ioctl(&dev, UIO_SAME_COUNT_TO, from[i]);
		fact_poll("poll", fd);
		fact_read("read", fd);
		dev_notify(&dev, 1);
		fact_attribute(&dev, "event", "event");
		fact_poll("poll-after-one", fd);
		fact_read("read-after-one", fd);
	}
	/* after 2^32 events, the count is the same: there is no event */
	under("all-the-way");
	dev_ioctl(&dev, UIO_SAME_COUNT_TO, 5);
	fact_read("read", fd);
	dev_ioctl(&dev, UIO_SAME_COUNT_TO, 5);
	fact_read("read-the-same", fd);
}

/* An event by the fields of struct uio_device */
static void wakes(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	struct uiot_op *op;
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		under("%s", ways[i].name);
		op = op_start(ways[i].fn, dev_open(&dev, O_RDWR));
		fact_asleep("waits", op);
		TRY("wake", dev_ioctl(&dev, UIO_SAME_WAKE, 0));
		fact_done("woken", op);
		fact("events", "%s", mask_words(op->events));
	}
	under("sigio");
	fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	fact_err("on", uiot_sigio_on(fd));
	dev_ioctl(&dev, UIO_SAME_WAKE, 0);
	fact("signal", "%d", uiot_sigio_wait(0) >= 0);
	fact_read("read", fd);
}

/* An attribute of the driver's, in the device's directory */
static void attributes(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);

	(void)group;
	fact_attribute(&dev, "before", "own");
	TRY("add", dev_ioctl(&dev, UIO_SAME_ATTRIBUTE, 1));
	fact_attribute(&dev, "there", "own");
	TRY("remove", dev_ioctl(&dev, UIO_SAME_ATTRIBUTE, 0));
	fact_attribute(&dev, "after", "own");
	TRY("add-again", dev_ioctl(&dev, UIO_SAME_ATTRIBUTE, 1));
	dev_unregister(&dev);
	fact_err("register-again", dev_register(&dev, 0));
	fact_attribute(&dev, "registered-again", "own");
}

/* The kernel's log */

static int open_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		broken("no log");
	return fd;
}

/* Replaces numbers, which differ each time: device numbers, PIDs, addresses. */
static void without_numbers(char *text)
{
	char *to = text;

	while (*text) {
		size_t digits = strncmp(text, "0x", 2) ? strspn(text, "0123456789") :
				2 + strspn(text + 2, "0123456789abcdef");

		if (digits)
			*to++ = 'N';
		else
			*to++ = *text++;
		text += digits;
	}
	*to = 0;
}

/* Ignores messages on delayed releases: a debug kernel logs them, at any time. */
static bool is_ours(const char *text)
{
	return (strstr(text, "uio") || strstr(text, "UIO")) &&
	       !strstr(text, ": kobject_release, ");
}

/* Prints the lines that name the driver's parent or the core. */
static void fact_kernel_log(const char *name, int log)
{
	char record[4096], words[4096] = "", *text;
	size_t n = 0;
	ssize_t got;

	while ((got = read(log, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (got <= 0)
			continue;
		record[got] = 0;
		text = strchr(record, ';');
		if (!text || !is_ours(text))
			continue;
		text++;
		text[strcspn(text, "\n")] = 0;
		without_numbers(text);
		n += snprintf(words + n, sizeof(words) - n, "%s<%c>%s", n ? " | " : "",
			      '0' + (record[0] - '0') % 8, text);
	}
	fact(name, "%s", words);
}

static void kernel_log(const struct group *group)
{
	int log = open_log();
	struct dev dev = dev_of(group->a, 2), wrong = dev_new();
	struct mapping m;
	int fd, on = 1;

	fact_kernel_log("register", log);
	fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	if (write(fd, &on, sizeof(on)) != sizeof(on))
		broken("no write");
	fact_kernel_log("open-and-write", log);
	m = map(&dev, fd, 2, MAP_SHARED);
	touch(m.p);
	fact_kernel_log("mmap", log);
	m = map(&dev, fd, 3, MAP_SHARED);
	fact_kernel_log("mmap-too-long", log);
	unmap(&m);
	close(fd);
	fact_kernel_log("close", log);
	dev_text(&wrong, UIO_SAME_NAME, 0, NULL);
	dev_register(&wrong, 0);
	fact_kernel_log("register-without-a-name", log);
	dev_text(&wrong, UIO_SAME_NAME, 0, "same");
	dev_set(&wrong, UIO_SAME_IRQ, 0, 100000);
	dev_register(&wrong, 0);
	fact_kernel_log("register-no-such-interrupt", log);
}

const struct group core_groups[] = {
	{ "core.count", counts },
	{ "core.wake", wakes, UIO_SAME_IRQ_CUSTOM },
	{ "core.attribute", attributes },
	{ "core.log.logical", kernel_log, LOGICAL },
	{ "core.log.phys", kernel_log, PHYS },
	{ "core.log.dma", kernel_log, DMA },
	{ "core.log.own-fault", kernel_log, OWN_FAULT },
	{ }
};
