// SPDX-License-Identifier: GPL-2.0-only
/* open(), close(), read(), write(). */

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "same.h"

static const struct {
	const char *name;
	int flags;
} open_flags[] = {
	{ "read-only", O_RDONLY },
	{ "write-only", O_WRONLY },
	{ "rdwr", O_RDWR },
	{ "accmode", O_ACCMODE },
	{ "nonblock", O_RDWR | O_NONBLOCK },
	{ "append", O_RDWR | O_APPEND },
	{ "trunc", O_RDWR | O_TRUNC },
	{ "rdonly-trunc", O_RDONLY | O_TRUNC },
	{ "creat", O_RDWR | O_CREAT },
	{ "creat-excl", O_RDWR | O_CREAT | O_EXCL },
	{ "excl", O_RDWR | O_EXCL },
	{ "direct", O_RDWR | O_DIRECT },
	{ "sync", O_RDWR | O_SYNC },
	{ "dsync", O_RDWR | O_DSYNC },
	{ "noatime", O_RDWR | O_NOATIME },
	{ "path", O_PATH },
	{ "directory", O_RDONLY | O_DIRECTORY },
	{ "nofollow", O_RDWR | O_NOFOLLOW },
	{ "async", O_RDWR | O_ASYNC },
	{ "tmpfile", O_RDWR | O_TMPFILE },
	{ "noctty", O_RDWR | O_NOCTTY },
	{ "largefile", O_RDWR | O_LARGEFILE },
};

static void open_with_flags(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	unsigned int i;
	int fd;

	(void)group;
	for (i = 0; i < ARRAY_SIZE(open_flags); i++) {
		under("%s", open_flags[i].name);
		log_forget(&dev);
		errno = 0;
		fd = open(dev.node, open_flags[i].flags, 0600);
		fact_ok("open", fd);
		if (fd >= 0) {
			fact("flags", "%#o", fcntl(fd, F_GETFL));
			fact_ok("close", close(fd));
		}
		fact_log(&dev, "callbacks");
	}
}

static int open_as_nobody(void *arg)
{
	struct dev *dev = arg;
	int fd;

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return 1;
	fd = open(dev->node, O_RDWR);
	return fd < 0 ? errno : 0;
}

static void open_node(const char *name, const char *path, int flags)
{
	int fd;

	errno = 0;
	fd = open(path, flags);
	fact_ok(name, fd);
	if (fd >= 0)
		close(fd);
}

static void open_on_a_mount(const struct dev *dev, dev_t number, const char *name,
			    unsigned long flags)
{
	char path[64];

	mkdir("/tmp/same-mount", 0700);
	if (mount("none", "/tmp/same-mount", "tmpfs", 0, ""))
		broken("no tmpfs");
	snprintf(path, sizeof(path), "/tmp/same-mount/node%d", dev->minor);
	if (mknod(path, S_IFCHR | 0600, number) ||
	    mount("none", "/tmp/same-mount", "", MS_REMOUNT | flags, ""))
		broken("no node");
	open_node(name, path, O_RDWR);
	umount("/tmp/same-mount");
}

static void open_at2(const struct dev *dev, const char *name, unsigned long long resolve)
{
	struct open_how how = { .flags = O_RDWR, .resolve = resolve };
	int fd;

	errno = 0;
	fd = syscall(SYS_openat2, AT_FDCWD, dev->node, &how, sizeof(how));
	fact_ok(name, fd);
	if (fd >= 0)
		close(fd);
}

/* Other nodes: their numbers belong to a device, or to none. */
static void open_node_of(const char *name, mode_t type, dev_t number)
{
	mknod("/tmp/same-node", type | 0600, number);
	open_node(name, "/tmp/same-node", O_RDWR);
	unlink("/tmp/same-node");
}

static void open_nodes(const struct dev *dev, dev_t number)
{
	open_node_of("another-node", S_IFCHR, number);
	open_node_of("a-block-node", S_IFBLK, number);
	open_node_of("no-such-minor", S_IFCHR, makedev(major(number), 12345));
	open_node_of("last-minor", S_IFCHR, makedev(major(number), 0xfffff));
	open_on_a_mount(dev, number, "nodev", MS_NODEV);
	open_on_a_mount(dev, number, "noexec", MS_NOEXEC);
	open_on_a_mount(dev, number, "readonly", MS_RDONLY);
}

static void open_paths(const struct dev *dev)
{
	char path[64];
	int fd;

	if (symlink(dev->node, "/tmp/same-link"))
		broken("no link");
	open_node("symlink", "/tmp/same-link", O_RDWR);
	open_node("symlink-nofollow", "/tmp/same-link", O_RDWR | O_NOFOLLOW);
	unlink("/tmp/same-link");
	snprintf(path, sizeof(path), "%s/", dev->node);
	open_node("as-a-directory", path, O_RDWR);
	snprintf(path, sizeof(path), "%s/x", dev->node);
	open_node("below-it", path, O_RDWR);

	fd = dev_open(dev, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	open_node("again-by-proc", path, O_RDWR);
	close(fd);
	fd = open(dev->node, O_PATH);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	open_node("by-a-path-descriptor", path, O_RDWR);
	close(fd);
}

static void open_ways(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	struct stat st;
	int nobody;

	(void)group;
	if (stat(dev.node, &st))
		broken("no stat");

	fact("nobody", "%s", strerrorname_np(in_child(open_as_nobody, &dev)));
	chmod(dev.node, 0666);
	nobody = in_child(open_as_nobody, &dev);
	fact("nobody-may", "%s", nobody ? strerrorname_np(nobody) : "ok");
	chmod(dev.node, 0600);

	open_nodes(&dev, st.st_rdev);
	open_paths(&dev);
	open_at2(&dev, "openat2", 0);
	open_at2(&dev, "openat2-cached", RESOLVE_CACHED);
	open_at2(&dev, "openat2-no-xdev", RESOLVE_NO_XDEV);
	open_at2(&dev, "openat2-beneath", RESOLVE_BENEATH);
}

static void stat_facts(const char *name, const struct dev *dev, const struct stat *st)
{
	under("%s", name);
	fact("mode", "%#o", st->st_mode);
	fact("minor", "%s", (int)minor(st->st_rdev) == dev->minor ? "its own" : "another");
	fact("links", "%lu", (unsigned long)st->st_nlink);
	fact("owner", "%u:%u", st->st_uid, st->st_gid);
	fact("size", "%ld", (long)st->st_size);
	fact("blocks", "%ld of %ld", (long)st->st_blocks, (long)st->st_blksize);
}

static void open_stat(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	struct stat node, file;
	struct statfs fs;
	char path[64], target[64] = "";
	int fd;

	(void)group;
	if (stat(dev.node, &node))
		broken("no stat");
	stat_facts("node", &dev, &node);
	fd = dev_open(&dev, O_RDWR);
	TRY("fstat", fstat(fd, &file));
	stat_facts("file", &dev, &file);
	at_top();
	fact("same-inode", "%d", node.st_ino == file.st_ino && node.st_dev == file.st_dev);
	TRY("fstatfs", fstatfs(fd, &fs));
	fact("fs-type", "%#lx", (long)fs.f_type);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, target, sizeof(target) - 1) < 0)
		target[0] = 0;
	fact("proc-link", "%s", strcmp(target, dev.node) ? target : "the node");
	TRY("fchmod", fchmod(fd, 0640));
	stat(dev.node, &node);
	fact("node-mode-after-fchmod", "%#o", node.st_mode);
	TRY("fchown", fchown(fd, 1, 2));
	stat(dev.node, &node);
	fact("node-owner-after-fchown", "%u:%u", node.st_uid, node.st_gid);
	TRY("futimens", futimens(fd, NULL));
	TRY("isatty", isatty(fd));
}

static const int driver_errors[] = {
	-EBUSY, -EPERM, -ENODEV, -EIO, -EAGAIN, -ENXIO, -EINTR, -ENOMEM, -ERANGE,
	-512 /* ERESTARTSYS */, -517 /* EPROBE_DEFER */,
};

static void open_fails(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	unsigned int i;
	long before = uiot_module_refs("uio_same");
	int fd;

	(void)group;
	for (i = 0; i < ARRAY_SIZE(driver_errors); i++) {
		under("error-%d", -driver_errors[i]);
		dev_set(&dev, UIO_SAME_RETURN, UIO_SAME_OPEN, driver_errors[i]);
		log_forget(&dev);
		errno = 0;
		fd = open(dev.node, O_RDWR);
		fact_ok("open", fd);
		if (fd >= 0)
			close(fd);
		fact_log(&dev, "callbacks");
		fact("references-left", "%ld", uiot_module_refs("uio_same") - before);
	}
	at_top();
	dev_set(&dev, UIO_SAME_RETURN, UIO_SAME_OPEN, 0);
	TRY_OK("afterwards", dev_open(&dev, O_RDWR));
}

static void close_returns(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	unsigned int i;
	int fd;

	(void)group;
	for (i = 0; i < ARRAY_SIZE(driver_errors); i++) {
		under("error-%d", -driver_errors[i]);
		dev_set(&dev, UIO_SAME_RETURN, UIO_SAME_RELEASE, driver_errors[i]);
		fd = dev_open(&dev, O_RDWR);
		log_forget(&dev);
		TRY("close", close(fd));
		fact_log(&dev, "callbacks");
		TRY("once-more", close(fd));
	}
}

/* read() */

static const size_t counts[] = { 0, 1, 2, 3, 4, 5, 8, 4096, SIZE_MAX };

static void *bad_buffer(int prot)
{
	return mmap(NULL, 2 * page_size(), prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void read_counts(int fd, const char *state)
{
	char buffer[4096];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		under("%s.count-%zd", state, counts[i]);
		TRY("read", syscall(SYS_read, fd, buffer, counts[i]));
	}
}

static void read_buffers(const struct dev *dev, int fd, const char *state)
{
	char *none = bad_buffer(PROT_NONE), *rdonly = bad_buffer(PROT_READ);
	char *rw = bad_buffer(PROT_READ | PROT_WRITE);

	mprotect(rw + page_size(), page_size(), PROT_NONE);
	under("%s", state);
	TRY("to-null", syscall(SYS_read, fd, NULL, 4));
	TRY("to-prot-none", syscall(SYS_read, fd, none, 4));
	TRY("to-read-only", syscall(SYS_read, fd, rdonly, 4));
	TRY("to-the-kernel", syscall(SYS_read, fd, -4096L, 4));
	TRY("across-the-end", syscall(SYS_read, fd, rw + page_size() - 2, 4));
	fact_read("then-read", fd);
	dev_notify(dev, 1);
	TRY("unaligned", syscall(SYS_read, fd, rw + 1, 4));
}

/* Reads that never wait: the device has no events, or the file is O_NONBLOCK. */
static void read_args(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);

	read_counts(fd, "no-event");
	read_buffers(&dev, fd, "no-event");
	dev_notify(&dev, 1);
	read_counts(fd, "event");
	dev_notify(&dev, 1);
	read_buffers(&dev, fd, "event");
}

static void read_vectors(int fd, const char *name, int a, int b)
{
	char buffer[2][16];
	struct iovec iov[2] = { { buffer[0], a }, { buffer[1], b < 0 ? 0 : b } };

	under("%s", name);
	TRY("readv", readv(fd, iov, b < 0 ? 1 : 2));
	TRY("preadv", preadv(fd, iov, b < 0 ? 1 : 2, 0));
}

static void read_other(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	static const int flags[] = { 0, RWF_NOWAIT, RWF_HIPRI, RWF_SYNC, RWF_APPEND, 0x1000 };
	char buffer[16];
	struct iovec iov = { buffer, 4 };
	unsigned int i;
	int other;

	dev_notify(&dev, 3);
	read_vectors(fd, "4", 4, -1);
	read_vectors(fd, "none-left-4", 4, -1);
	dev_notify(&dev, 1);
	read_vectors(fd, "2+2", 2, 2);
	read_vectors(fd, "0+4", 0, 4);
	dev_notify(&dev, 1);
	read_vectors(fd, "4+4", 4, 4);
	dev_notify(&dev, 1);
	read_vectors(fd, "4+2", 4, 2);
	dev_notify(&dev, 1);
	read_vectors(fd, "8", 8, -1);
	read_vectors(fd, "0", 0, -1);

	at_top();
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		dev_notify(&dev, 1);
		under("preadv2-%#x", flags[i]);
		TRY("read", preadv2(fd, &iov, 1, -1, flags[i]));
		TRY("at-0", preadv2(fd, &iov, 1, 0, flags[i]));
	}
	under("pread");
	dev_notify(&dev, 1);
	TRY("at-0", pread(fd, buffer, 4, 0));
	dev_notify(&dev, 1);
	TRY("at-4096", pread(fd, buffer, 4, 4096));
	TRY("at-end", pread(fd, buffer, 4, LONG_MAX));
	TRY("at-minus-1", pread(fd, buffer, 4, -1));
	at_top();
	other = dev_open(&dev, O_WRONLY | O_NONBLOCK);
	TRY("write-only", read(other, buffer, 4));
	other = open(dev.node, O_PATH);
	TRY("path-only", read(other, buffer, 4));
	TRY("closed", read(999, buffer, 4));
}

/* The count that each of several files reads. */
static void read_counts_events(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int first, second, copy;

	(void)group;
	dev_notify(&dev, 3);
	first = dev_open(&dev, O_RDWR | O_NONBLOCK);
	fact_read("before-open-is-not-news", first);
	dev_notify(&dev, 1);
	fact_read("one", first);
	fact_read("once", first);
	dev_notify(&dev, 5);
	second = dev_open(&dev, O_RDWR | O_NONBLOCK);
	copy = dup(first);
	fact_read("five-at-once", first);
	fact_read("second-file", second);
	fact_read("copy", copy);
	dev_notify(&dev, 1);
	fact_read("copy-first", copy);
	fact_read("then-original", first);
	fact_read("second-has-its-own", second);
	close(first);
	dev_notify(&dev, 1);
	fact_read("copy-after-close", copy);
	TRY("closed", read(first, &first, 4));
}

static int read_by_child(void *arg)
{
	int fd = *(int *)arg, event = 0;

	return read(fd, &event, sizeof(event)) == sizeof(event) ? event : errno + 100;
}

static void read_shared(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);

	(void)group;
	dev_notify(&dev, 2);
	fact("child", "%d", in_child(read_by_child, &fd));
	fact_read("parent-after-child", fd);
	dev_notify(&dev, 1);
	fact_read("parent", fd);
	fact("child-after-parent", "%d", in_child(read_by_child, &fd));
}

/* write() */

static void write_values(const struct group *group)
{
	static const int values[] = { 0, 1, 2, -1, INT_MIN, INT_MAX };
	struct dev dev = dev_plain(group->a);
	int fd = dev_open(&dev, O_RDWR);
	unsigned int i;

	log_forget(&dev);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		under("value-%d", values[i]);
		TRY("write", write(fd, &values[i], 4));
		fact_log(&dev, "callbacks");
	}
}

static void write_args(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	int fd = dev_open(&dev, O_RDWR), other;
	char *none = bad_buffer(PROT_NONE), *rdonly = bad_buffer(PROT_READ);
	char *rw = bad_buffer(PROT_READ | PROT_WRITE);
	unsigned int i;

	if (group->b)
		dev_set(&dev, UIO_SAME_HAS, UIO_SAME_IRQCONTROL, 0);
	log_forget(&dev);
	mprotect(rw + page_size(), page_size(), PROT_NONE);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		under("count-%zd", counts[i]);
		TRY("write", syscall(SYS_write, fd, rw, counts[i]));
		fact_log(&dev, "callbacks");
	}
	at_top();
	TRY("from-null", syscall(SYS_write, fd, NULL, 4));
	TRY("from-null-3", syscall(SYS_write, fd, NULL, 3));
	TRY("from-prot-none", syscall(SYS_write, fd, none, 4));
	TRY("from-read-only", syscall(SYS_write, fd, rdonly, 4));
	TRY("from-the-kernel", syscall(SYS_write, fd, -4096L, 4));
	TRY("across-the-end", syscall(SYS_write, fd, rw + page_size() - 2, 4));
	TRY("unaligned", syscall(SYS_write, fd, rw + 1, 4));
	fact_log(&dev, "callbacks");
	other = dev_open(&dev, O_RDONLY);
	TRY("read-only", write(other, rw, 4));
	other = open(dev.node, O_PATH);
	TRY("path-only", write(other, rw, 4));
	TRY("nonblock", write(dev_open(&dev, O_RDWR | O_NONBLOCK), rw, 4));
}

static void write_returns(const struct group *group)
{
	static const int returns[] = {
		0, 1, 3, 4, 100, -EIO, -EINVAL, -ENODEV, -EAGAIN, -EINTR, -EOPNOTSUPP,
		-EFAULT, -512, -515, -516, -517,
	};
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR), on = 1;
	unsigned int i;

	(void)group;
	for (i = 0; i < ARRAY_SIZE(returns); i++) {
		under("return-%d", returns[i]);
		dev_set(&dev, UIO_SAME_RETURN, UIO_SAME_IRQCONTROL, returns[i]);
		log_forget(&dev);
		TRY("write", write(fd, &on, 4));
		fact_log(&dev, "callbacks");
	}
}

static void write_vectors(const struct dev *dev, int fd, const char *name, int a, int b)
{
	int values[2][4] = { { 1, 2 }, { 3, 4 } };
	struct iovec iov[2] = { { values[0], a }, { values[1], b < 0 ? 0 : b } };

	under("%s", name);
	log_forget(dev);
	TRY("writev", writev(fd, iov, b < 0 ? 1 : 2));
	TRY("pwritev", pwritev(fd, iov, b < 0 ? 1 : 2, 0));
	fact_log(dev, "callbacks");
}

static void write_other(const struct group *group)
{
	static const int flags[] = { 0, RWF_NOWAIT, RWF_HIPRI, RWF_SYNC, RWF_APPEND, 0x1000 };
	struct dev dev = dev_plain(group->a);
	int fd = dev_open(&dev, O_RDWR), on = 7;
	struct iovec iov = { &on, 4 };
	unsigned int i;

	write_vectors(&dev, fd, "4", 4, -1);
	write_vectors(&dev, fd, "2+2", 2, 2);
	write_vectors(&dev, fd, "4+4", 4, 4);
	write_vectors(&dev, fd, "4+2", 4, 2);
	write_vectors(&dev, fd, "0+4", 0, 4);
	write_vectors(&dev, fd, "8", 8, -1);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		under("pwritev2-%#x", flags[i]);
		TRY("write", pwritev2(fd, &iov, 1, -1, flags[i]));
		TRY("at-0", pwritev2(fd, &iov, 1, 0, flags[i]));
	}
	under("pwrite");
	TRY("at-0", pwrite(fd, &on, 4, 0));
	TRY("at-4096", pwrite(fd, &on, 4, 4096));
	TRY("at-minus-1", pwrite(fd, &on, 4, -1));
	fact_log(&dev, "callbacks");
}

const struct group file_groups[] = {
	{ "open.flags", open_with_flags },
	{ "open.ways", open_ways },
	{ "open.stat", open_stat },
	{ "open.driver-fails", open_fails },
	{ "close.driver-returns", close_returns },
	{ "read.args.irq-none", read_args, UIO_SAME_IRQ_NONE },
	{ "read.args.irq-custom", read_args, UIO_SAME_IRQ_CUSTOM },
	{ "read.vectors.irq-none", read_other, UIO_SAME_IRQ_NONE },
	{ "read.vectors.irq-custom", read_other, UIO_SAME_IRQ_CUSTOM },
	{ "read.events", read_counts_events },
	{ "read.shared", read_shared },
	{ "write.values.irq-none", write_values, UIO_SAME_IRQ_NONE },
	{ "write.values.irq-custom", write_values, UIO_SAME_IRQ_CUSTOM },
	{ "write.args.irq-none", write_args, UIO_SAME_IRQ_NONE },
	{ "write.args.irq-custom", write_args, UIO_SAME_IRQ_CUSTOM },
	{ "write.args.no-irqcontrol", write_args, UIO_SAME_IRQ_CUSTOM, 1 },
	{ "write.returns", write_returns },
	{ "write.vectors.irq-none", write_other, UIO_SAME_IRQ_NONE },
	{ "write.vectors.irq-custom", write_other, UIO_SAME_IRQ_CUSTOM },
	{ }
};
