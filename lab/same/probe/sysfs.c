// SPDX-License-Identifier: GPL-2.0-only
/* What sysfs, /dev and /proc show of a device. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "memory.h"

#define CLASS	"/sys/class/uio"

/* Replaces the device's number, which may differ. */
static void without_number(const struct dev *dev, char *text, size_t size)
{
	char number[16], copy[4096], *at;

	snprintf(number, sizeof(number), "uio%d", dev->minor);
	at = strstr(text, number);
	if (!at)
		return;
	snprintf(copy, sizeof(copy), "%.*suioN%s", (int)(at - text), text,
		 at + strlen(number));
	snprintf(text, size, "%s", copy);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int not_dots(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

static void tell_entry(const struct dev *dev, const char *path, const char *below)
{
	char target[1024] = "";
	struct stat st;

	if (lstat(path, &st)) {
		fact(below, "%s", strerrorname_np(errno));
		return;
	}
	if (S_ISLNK(st.st_mode) && readlink(path, target, sizeof(target) - 1) > 0)
		without_number(dev, target, sizeof(target));
	fact(below, "%#o %u:%u%s%s%s", st.st_mode, st.st_uid, st.st_gid,
	     target[0] ? " to " : "", target,
	     S_ISREG(st.st_mode) && st.st_size != 4096 ? " of another size" : "");
}

/* Prints each file in the directory and its subdirectories once. */
static void tell_tree(const struct dev *dev, const char *path, const char *below)
{
	struct dirent **entries;
	int n = scandir(path, &entries, not_dots, by_name), i;
	char deeper[1024], name[1024];
	struct stat st;

	for (i = 0; i < n; i++) {
		snprintf(deeper, sizeof(deeper), "%s/%s", path, entries[i]->d_name);
		snprintf(name, sizeof(name), "%s%s%s", below, below[0] ? "." : "",
			 entries[i]->d_name);
		tell_entry(dev, deeper, name);
		if (!lstat(deeper, &st) && S_ISDIR(st.st_mode))
			tell_tree(dev, deeper, name);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	else
		fact("tree", "%s", strerrorname_np(errno));
}

static void path_of(char *path, size_t size, const struct dev *dev, const char *file)
{
	snprintf(path, size, CLASS "/uio%d%s%s", dev->minor, file[0] ? "/" : "", file);
}

static void value(const struct dev *dev, const char *file)
{
	char path[128], text[8192], name[128];
	int ret, i;

	path_of(path, sizeof(path), dev, file);
	ret = uiot_read_file(path, text, sizeof(text));
	snprintf(name, sizeof(name), "%s", file);
	for (i = 0; name[i]; i++)
		if (name[i] == '/')
			name[i] = '.';
	if (ret)
		return fact_err(name, ret);
	without_number(dev, text, sizeof(text));
	fact(name, "%s", text);
}

static void values(const struct dev *dev)
{
	static const char *const attrs[] = { "name", "addr", "size", "offset" };
	static const char *const port_attrs[] = { "name", "start", "size", "porttype" };
	char file[64];
	int i, j;

	value(dev, "name");
	value(dev, "version");
	value(dev, "event");
	for (i = 0; i < 6; i++)
		for (j = 0; j < 4; j++) {
			snprintf(file, sizeof(file), "maps/map%d/%s", i, attrs[j]);
			value(dev, file);
		}
	for (i = 0; i < 6; i++)
		for (j = 0; j < 4; j++) {
			snprintf(file, sizeof(file), "portio/port%d/%s", i, port_attrs[j]);
			value(dev, file);
		}
}

static void raw_mem(const struct dev *dev, int index, unsigned long long addr, long size,
		    const char *name)
{
	dev_set(dev, UIO_SAME_MEM_ADDR, index, addr);
	dev_set(dev, UIO_SAME_MEM_SIZE, index, size);
	dev_set(dev, UIO_SAME_MEM_TYPE, index, UIO_SAME_PHYS);
	dev_text(dev, UIO_SAME_MEM_NAME, index, name);
}

static void port(const struct dev *dev, int index, long start, long size, int type,
		 const char *name)
{
	dev_set(dev, UIO_SAME_PORT_START, index, start);
	dev_set(dev, UIO_SAME_PORT_SIZE, index, size);
	dev_set(dev, UIO_SAME_PORT_TYPE, index, type);
	dev_text(dev, UIO_SAME_PORT_NAME, index, name);
}

static void full(struct dev *dev)
{
	raw_mem(dev, 0, 0, 1, NULL);
	raw_mem(dev, 1, ~0ULL, 0x7fffffffffffffffL, "");
	raw_mem(dev, 2, UIO_SAME_FAR, 4096, "with a blank");
	raw_mem(dev, 3, 0x12345678, 0x1001, "100%s %n");
	raw_mem(dev, 4, 0x1000, 0x2000, "two\nlines");
	dev_set(dev, UIO_SAME_MEM_OFFS, 2, 0x123);
	dev_set(dev, UIO_SAME_MEM_OFFS, 3, -1);
	port(dev, 0, 0x300, 8, 0, NULL);
	port(dev, 1, 0, 1, 1, "");
	port(dev, 2, -1, -1, 2, "gpio port");
	port(dev, 3, 1, 2, 3, "other");
	port(dev, 4, 1, 2, 4, "of no type");
	dev_up(dev);
}

static void tree(const struct group *group)
{
	struct dev dev = dev_new();
	char path[128];

	if (group->a)
		full(&dev);
	else
		dev_up(&dev);
	path_of(path, sizeof(path), &dev, "");
	tell_entry(&dev, path, "link");
	strcat(path, "/.");
	tell_tree(&dev, path, "");
}

static void contents(const struct group *group)
{
	struct dev dev = dev_new();

	if (group->a)
		full(&dev);
	else
		dev_up(&dev);
	values(&dev);
}

static void names(const struct group *group)
{
	static const char *const odd[] = {
		"", " ", "a b", "tab\there", "line\nbreak", "\n", "%s%n%p", "../../x", "/",
		"\xc3\xa4\xe2\x82\xac", "\xff\xfe", "trailing ", "same",
	};
	unsigned int i;
	char *text;

	(void)group;
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		struct dev dev = dev_new();

		under("odd-%u", i);
		dev_text(&dev, UIO_SAME_NAME, 0, odd[i]);
		dev_text(&dev, UIO_SAME_VERSION, 0, odd[i]);
		fact_err("register", dev_register(&dev, 0));
		value(&dev, "name");
		value(&dev, "version");
		close(dev.ctl);
	}
	for (i = 10; i < 4095; i *= 4) {
		struct dev dev = dev_new();

		under("length-%u", i);
		text = malloc(i + 1);
		memset(text, 'x', i);
		text[i] = 0;
		dev_text(&dev, UIO_SAME_NAME, 0, text);
		dev_text(&dev, UIO_SAME_VERSION, 0, text);
		dev_text(&dev, UIO_SAME_MEM_NAME, 0, text);
		dev_set(&dev, UIO_SAME_MEM_SIZE, 0, 4096);
		fact_err("register", dev_register(&dev, 0));
		value(&dev, "name");
		value(&dev, "version");
		value(&dev, "maps/map0/name");
		close(dev.ctl);
		free(text);
	}
}

/* Prints which regions have directories, for several sets of sizes. */
static void gaps(const struct group *group)
{
	unsigned int mask;
	char path[128], words[64];
	int i;

	for (mask = 0; mask < 32; mask++) {
		struct dev dev = dev_new();

		for (i = 0; i < 5; i++) {
			if (!(mask & 1 << i))
				continue;
			if (group->a)
				port(&dev, i, i, 1, 1, NULL);
			else
				raw_mem(&dev, i, 0, 1, NULL);
		}
		dev_up(&dev);
		words[0] = 0;
		for (i = 0; i < 5; i++) {
			snprintf(path, sizeof(path), CLASS "/uio%d/%s%d", dev.minor,
				 group->a ? "portio/port" : "maps/map", i);
			if (!access(path, F_OK))
				snprintf(words + strlen(words), sizeof(words) - strlen(words),
					 " %d", i);
		}
		path_of(path, sizeof(path), &dev, group->a ? "portio" : "maps");
		under("sizes-%u%u%u%u%u", mask & 1, mask >> 1 & 1, mask >> 2 & 1,
		      mask >> 3 & 1, mask >> 4 & 1);
		fact("shown", "%s:%s", access(path, F_OK) ? "no directory" : "directory",
		     words);
		close(dev.ctl);
	}
}

/* Calls on an attribute */

static void attribute_calls(const struct dev *dev, const char *file)
{
	char path[128], text[64] = "";
	struct pollfd pfd = { .events = POLLPRI | POLLIN };
	int fd;

	path_of(path, sizeof(path), dev, file);
	under("%s", file);
	TRY_OK("open-write", fd = open(path, O_WRONLY));
	if (fd >= 0)
		TRY("write", write(fd, "1", 1));
	close(fd);
	TRY_OK("open-rdwr", fd = open(path, O_RDWR));
	close(fd);
	TRY_OK("open-trunc", fd = open(path, O_RDONLY | O_TRUNC));
	close(fd);
	TRY("chmod", chmod(path, 0666));
	TRY_OK("open-write-after-chmod", fd = open(path, O_WRONLY));
	if (fd >= 0)
		TRY("write-after-chmod", write(fd, "1", 1));
	close(fd);
	chmod(path, 0444);
	fd = open(path, O_RDONLY);
	TRY("read-1", read(fd, text, 1));
	TRY("read-rest", read(fd, text, sizeof(text)));
	TRY("read-end", read(fd, text, sizeof(text)));
	TRY("pread-2", pread(fd, text, 2, 1));
	TRY("pread-far", pread(fd, text, 2, 1000));
	TRY("lseek", lseek(fd, 0, SEEK_SET));
	TRY("read-0", read(fd, text, 0));
	TRY("read-null", syscall(SYS_read, fd, NULL, 4));
	pfd.fd = fd;
	TRY("poll", poll(&pfd, 1, 0));
	fact("poll-events", "%s", mask_words(pfd.revents));
	TRY_OK("mmap", mmap(NULL, page_size(), PROT_READ, MAP_SHARED, fd, 0));
	TRY("unlink", unlink(path));
	close(fd);
}

static void attributes(const struct group *group)
{
	struct dev dev = dev_new();

	(void)group;
	full(&dev);
	attribute_calls(&dev, "name");
	attribute_calls(&dev, "version");
	attribute_calls(&dev, "event");
	attribute_calls(&dev, "maps/map0/name");
	attribute_calls(&dev, "maps/map2/addr");
	attribute_calls(&dev, "maps/map2/size");
	attribute_calls(&dev, "portio/port1/start");
	attribute_calls(&dev, "portio/port4/porttype");
}

static void events(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	char path[128], text[64] = "";
	int fd, i;

	path_of(path, sizeof(path), &dev, "event");
	fd = open(path, O_RDONLY);
	for (i = 0; i < 4; i++) {
		under("after-%d", i);
		value(&dev, "event");
		memset(text, 0, sizeof(text));
		TRY("pread-of-an-open-one", pread(fd, text, sizeof(text), 0));
		fact("pread-gives", "%s", text);
		dev_notify(&dev, 1);
	}
	dev_open(&dev, O_RDWR);
	under("opened");
	value(&dev, "event");
	dev_unregister(&dev);
	dev_up(&dev);
	under("registered-again");
	value(&dev, "event");
}

/* What is not in the device's directory */
static void elsewhere(const struct group *group)
{
	struct dev dev = dev_new();
	char path[128], text[4096], target[512] = "";
	struct stat st;
	const char *line;

	(void)group;
	dev_mem(&dev, 0, UIO_SAME_PAGES, UIO_SAME_LOGICAL, 1);
	dev_up(&dev);
	stat(dev.node, &st);
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", major(st.st_rdev),
		 minor(st.st_rdev));
	if (readlink(path, target, sizeof(target) - 1) > 0)
		without_number(&dev, target, sizeof(target));
	fact("sys-dev-char", "%s", target);
	uiot_read_file("/proc/devices", text, sizeof(text));
	line = strstr(text, " uio\n");
	fact("proc-devices", "%s", line ? "uio" : "none");
	path_of(path, sizeof(path), &dev, "uevent");
	uiot_read_file(path, text, sizeof(text));
	line = strstr(text, "DEVNAME=");
	fact("uevent", "%s%s%s", strstr(text, "MAJOR=") ? "MAJOR " : "",
	     strstr(text, "MINOR=") ? "MINOR " : "", line ? "DEVNAME" : "");
	TRY("trigger-uevent", uiot_write_file(path, "add"));
	TRY("trigger-bad-uevent", uiot_write_file(path, "nonsense"));
	TRY("class-version", access(CLASS "/version", F_OK));
	TRY("module-holders", access("/sys/module/uio/holders/uio_same", F_OK));
	TRY("module-parameters", access("/sys/module/uio/parameters", F_OK));
	TRY("module-version", access("/sys/module/uio/version", F_OK));
	TRY("module-srcversion", access("/sys/module/uio/srcversion", F_OK));
	TRY("debugfs", access("/sys/kernel/debug/uio", F_OK));
	uiot_read_file("/proc/filesystems", text, sizeof(text));
	fact("proc-filesystems", "%s", strstr(text, "uio") ? "uio" : "none");
}

static void fact_fdinfo(const char *name, int fd)
{
	char path[64], text[4096], *line, *rest = text, full_name[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (uiot_read_file(path, text, sizeof(text)))
		broken("no fdinfo");
	while ((line = strsep(&rest, "\n")) && *line) {
		char *value = line + strcspn(line, ":");

		*value++ = 0;
		value += strspn(value, " \t");
		snprintf(full_name, sizeof(full_name), "%s.%s", name, line);
		if (!strcmp(line, "mnt_id") || !strcmp(line, "ino"))
			value = "a number";
		fact(full_name, "%s", value);
	}
}

static void fdinfo(const struct group *group)
{
	struct dev dev = dev_of(group->a, 2);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	struct mapping m;

	fact_fdinfo("open", fd);
	m = map(&dev, fd, 2, MAP_SHARED);
	fact_ok("mmap", mapped(&m) ? 0 : -1);
	touch(m.p);
	fact_fdinfo("mapped", fd);
}

const struct group sysfs_groups[] = {
	{ "sysfs.tree.least", tree, 0 },
	{ "sysfs.tree.full", tree, 1 },
	{ "sysfs.values.least", contents, 0 },
	{ "sysfs.values.full", contents, 1 },
	{ "sysfs.names", names },
	{ "sysfs.gaps.maps", gaps, 0 },
	{ "sysfs.gaps.ports", gaps, 1 },
	{ "sysfs.calls", attributes },
	{ "sysfs.event.irq-none", events, UIO_SAME_IRQ_NONE },
	{ "sysfs.event.irq-custom", events, UIO_SAME_IRQ_CUSTOM },
	{ "sysfs.elsewhere", elsewhere },
	{ "fdinfo.logical", fdinfo, LOGICAL },
	{ "fdinfo.phys", fdinfo, PHYS },
	{ }
};
