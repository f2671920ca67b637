// SPDX-License-Identifier: GPL-2.0-only
/* uio_plug: one cycle: a device is plugged in, held, unplugged and let go. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plug.h"
#include "uio_testlib.h"

#define PAGES		2
/* Much longer than anything takes. */
#define WAIT_MS		60000
#define CYCLES_SHOWN	5000

/* Each word of a page says whose page it is: see modules/memory.c. */
#define WORD(owner, page)	(0xa0000000u | (owner) << 9 | (page))

/* What a touch of a page gives when its device is gone. */
enum after {
	GONE,		/* SIGBUS */
	KEPT,		/* the memory, unchanged */
	ZEROS,		/* the sink */
};

struct form {
	const char *name;
	const char *options;	/* see modules/control.c */
	bool context;
	enum after present;	/* a page that was touched before */
	enum after absent;	/* a page that was not */
};

static const struct form forms[] = {
	{ "context",		"ctx mem=context:2",		true, KEPT, GONE },
	{ "context-sink",	"ctx sink mem=context:2",	true, KEPT, ZEROS },
	{ "virtual",		"ctx mem=virtual:2",		true, KEPT, GONE },
	{ "logical",		"ctx mem=logical:2",		true, KEPT, GONE },
	{ "phys",		"ctx mem=phys:2",		true, GONE, GONE },
	{ "phys-sink",		"ctx sink mem=phys:2",		true, ZEROS, ZEROS },
	{ "coherent",		"ctx mem=dma:2",		true, GONE, GONE },
	{ "legacy-virtual",	"mem=virtual:2",		false, GONE, GONE },
	{ "legacy-logical",	"mem=logical:2",		false, GONE, GONE },
	{ "legacy-phys",	"mem=phys:2",			false, GONE, GONE },
	{ "legacy-coherent",	"mem=dma:2",			false, GONE, GONE },
	{ "legacy-own-mmap",	"mmap mem=virtual:2",		false, GONE, GONE },
};

#define FORMS	(sizeof(forms) / sizeof(*forms))

struct device {
	const struct form *form;
	struct uiot_dev dev;
	long freed;		/* by the driver, before this cycle */
};

static struct device devices[FORMS];
static unsigned int devices_nr;
static int control;

/* Who holds the current device: a descriptor, a mapping, and two threads that sleep. */
static struct device *current;
static unsigned long current_nr;
static char node[32];
static int fd;
static char *map;
static struct uiot_op reader, poller;

/* Ends the process, and with it the run. */
static void stop(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

static void stop(const char *fmt, ...)
{
	va_list ap;

	printf("# wrong: cycle %lu, %s: ", current_nr, current ? current->form->name : "-");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	_exit(1);
}

static void command(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void command(const char *fmt, ...)
{
	char line[128];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (write(control, line, n) != n)
		stop("\"%s\" gives %s", line, strerrorname_np(errno));
}

static long count(const char *counter)
{
	long value = uiot_count(&current->dev, counter);

	if (value < 0)
		stop("%s cannot be read: %s", counter, strerrorname_np(-value));
	return value;
}

/* How many devices has the driver freed in this cycle? */
static void expect_frees(long wanted, const char *when)
{
	long frees = count("frees") - current->freed;

	if (frees != wanted)
		stop("%ld devices are freed %s", frees, when);
}

/* The holders of a device */

static int open_node(void)
{
	int opened = open(node, O_RDWR | O_CLOEXEC);

	if (opened < 0)
		stop("open of %s gives %s", node, strerrorname_np(errno));
	return opened;
}

static void start(struct uiot_op *op, long (*fn)(struct uiot_op *op))
{
	*op = (struct uiot_op){ .fn = fn, .fd = open_node() };
	if (uiot_start(op))
		stop("there is no thread for a holder");
}

/* @where: part of the name of the function that it has to sleep in */
static void expect_asleep(struct uiot_op *op, const char *where)
{
	int ret = uiot_wait_asleep_in(op, where, WAIT_MS);

	if (ret)
		stop("no thread sleeps in %s: %s", where, strerrorname_np(-ret));
}

static void expect_touch(int page, enum after after)
{
	__u32 word = 1, wanted = after == KEPT ? WORD((__u32)current_nr + 1, page) : 0;
	int sig = uiot_load_word(map + page * uiot_page(), &word);

	if (sig != (after == GONE ? SIGBUS : 0) || (!sig && word != wanted))
		stop("a touch of page %d gives signal %d and the word %08x", page, sig, word);
}

/* The mapping has no descriptor: it alone keeps its file. */
static void take(void)
{
	int mapped = open_node();

	start(&reader, uiot_op_read);
	start(&poller, uiot_op_poll);
	fd = open_node();
	map = uiot_map(mapped, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
	if (map == MAP_FAIL)
		stop("mmap gives %s", strerrorname_np(errno));
	close(mapped);
	expect_touch(0, KEPT);
	expect_asleep(&reader, "uio_wait");
	expect_asleep(&poller, "poll");
}

static void expect_eio(bool failed, const char *what)
{
	if (!failed || errno != EIO)
		stop("%s gives %s, not EIO", what, failed ? strerrorname_np(errno) : "no error");
}

static void expect_hangup(int ret, unsigned int events, const char *what)
{
	if (ret != 1 || events != (POLLHUP | POLLERR))
		stop("%s returns %d, and the events %#x", what, ret, events);
}

static void check_descriptor(void)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	__s32 on = 1;
	int ret;

	expect_eio(read(fd, &on, sizeof(on)) < 0, "read");
	expect_eio(write(fd, &on, sizeof(on)) < 0, "write");
	expect_eio(uiot_map(fd, 0, 1, PROT_READ, MAP_SHARED) == MAP_FAIL, "mmap");
	ret = poll(&pfd, 1, 0);
	expect_hangup(ret, pfd.revents, "poll");
	if (open(node, O_RDWR | O_CLOEXEC) >= 0 || (errno != ENODEV && errno != ENOENT))
		stop("the device can be opened, or open gives %s", strerrorname_np(errno));
}

static void check_sleepers(void)
{
	if (uiot_join(&reader, WAIT_MS) || uiot_join(&poller, WAIT_MS))
		stop("the reader or the poller sleeps on");
	if (reader.ret != -EIO)
		stop("the read that slept returns %ld, not -EIO", reader.ret);
	expect_hangup(poller.ret, poller.events, "the poll that slept");
}

static void let_go(unsigned int which)
{
	switch (which % HOLDERS) {
	case 0:
		close(fd);
		break;
	case 1:
		munmap(map, PAGES * uiot_page());
		break;
	case 2:
		close(reader.fd);
		break;
	case 3:
		close(poller.fd);
		break;
	}
}

/* Each of them is the last one at times. */
static void let_all_go(void)
{
	unsigned int turn = current_nr / devices_nr, i;

	for (i = 0; i < HOLDERS - 1; i++)
		let_go(turn + i);
	if (current->form->context)
		expect_frees(0, "while one holder is left");
	let_go(turn + i);
	expect_frees(1, "when the last holder has let go");
}

static void cycle(unsigned long nr)
{
	const struct form *form;

	current_nr = nr;
	current = &devices[nr % devices_nr];
	form = current->form;
	current->freed = count("frees");

	command("renew %s owner=%lu %s", current->dev.name, nr + 1, form->options);
	snprintf(node, sizeof(node), "/dev/uio%ld", count("minor"));
	take();

	command("unregister %s", current->dev.name);
	check_sleepers();
	check_descriptor();
	expect_touch(0, form->present);
	expect_touch(1, form->absent);
	let_all_go();
}

void cycles_run(unsigned long first, unsigned long end)
{
	unsigned long nr;

	control = open("/sys/kernel/debug/uio_test/control", O_WRONLY | O_CLOEXEC);
	for (nr = first; nr < end; nr++) {
		cycle(nr);
		if ((nr + 1) % CYCLES_SHOWN == 0)
			printf("# %lu cycles\n", nr + 1);
	}
}

/*
 * With an owner, the module gives I/O memory to the next device, and makes no file for the
 * memory. A form that this kernel does not have is left out.
 */
int devices_make(void)
{
	struct device *device;
	unsigned int i;
	int ret = uiot_reset();

	for (i = 0; !ret && i < FORMS; i++) {
		device = &devices[devices_nr];
		device->form = &forms[i];
		snprintf(device->dev.name, sizeof(device->dev.name), "plug-%s", forms[i].name);
		ret = uiot_cmd("create %s owner=1 %s idle", device->dev.name, forms[i].options);
		if (!ret)
			ret = uiot_do(&device->dev, "put");
		if (!ret)
			devices_nr++;
		else if (ret == -EOPNOTSUPP)
			ret = 0;
	}
	return ret ? ret : devices_nr ? 0 : -EOPNOTSUPP;
}

unsigned int devices_count(void)
{
	return devices_nr;
}

static bool counters_agree(const struct device *device, const char *made, const char *ended)
{
	long a = uiot_count(&device->dev, made), b = uiot_count(&device->dev, ended);

	if (a != b)
		printf("# wrong: %s: %ld %s, %ld %s\n", device->form->name, a, made, b, ended);
	return a == b && a > 0;
}

/* Without a context, release is not called for files that outlive the device. */
bool devices_agree(void)
{
	bool agree = true;
	unsigned int i;

	for (i = 0; i < devices_nr; i++) {
		agree &= counters_agree(&devices[i], "creates", "frees");
		if (devices[i].form->context)
			agree &= counters_agree(&devices[i], "opens", "releases");
	}
	return agree;
}
