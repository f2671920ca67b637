// SPDX-License-Identifier: GPL-2.0-only
/* All other system calls that take a descriptor. */

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "same.h"

static void seek(const struct group *group)
{
	static const struct {
		const char *name;
		int whence;
	} whences[] = {
		{ "set", SEEK_SET }, { "cur", SEEK_CUR }, { "end", SEEK_END },
		{ "data", SEEK_DATA }, { "hole", SEEK_HOLE }, { "bad", 17 },
	};
	static const long offsets[] = { 0, 1, 4096, -1, 1L << 40 };
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	unsigned int i, j;

	(void)group;
	for (i = 0; i < ARRAY_SIZE(whences); i++)
		for (j = 0; j < ARRAY_SIZE(offsets); j++) {
			under("%s.%ld", whences[i].name, offsets[j]);
			TRY("lseek", lseek(fd, offsets[j], whences[i].whence));
		}
	at_top();
	dev_notify(&dev, 1);
	fact_read("read", fd);
	TRY("position-after-read", lseek(fd, 0, SEEK_CUR));
}

static void ioctl_named(const struct group *group)
{
	static const struct {
		const char *name;
		unsigned long request;
	} requests[] = {
		{ "0", 0 }, { "FIONREAD", FIONREAD }, { "FIGETBSZ", FIGETBSZ },
		{ "FIBMAP", FIBMAP }, { "TCGETS", TCGETS }, { "FIOQSIZE", FIOQSIZE },
		{ "FS_IOC_FIEMAP", FS_IOC_FIEMAP }, { "FICLONE", FICLONE },
		{ "FIFREEZE", FIFREEZE }, { "FS_IOC_GETFLAGS", FS_IOC_GETFLAGS },
		{ "BLKGETSIZE64", BLKGETSIZE64 }, { "SIOCGIFNAME", 0x8910 },
		{ "FS_IOC_GETUUID", 0x80111500 }, { "all-ones", ~0UL },
	};
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR);
	char buffer[256] = "";
	unsigned int i;

	(void)group;
	log_forget(&dev);
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		TRY(requests[i].name, ioctl(fd, requests[i].request, buffer));
	fact_log(&dev, "callbacks");
}

/* Tries all numbers with likely letters and sizes, and prints those that are not ENOTTY. */
static void ioctl_numbers(const struct group *group)
{
	static const unsigned int forms[] = { 0, 0x40040000, 0x80040000, 0x40080000 };
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR);
	unsigned int form, nr, known = 0;
	char name[32];

	for (form = 0; form < 4; form++)
		for (nr = 0; nr < 256; nr++) {
			unsigned long request = forms[form] | group->a << 8 | nr;

			/* -1 is no valid argument */
			if (ioctl(fd, request, -1L) == -1 && errno == ENOTTY)
				continue;
			known++;
			snprintf(name, sizeof(name), "request-%lx", request);
			TRY(name, ioctl(fd, request, -1L));
		}
	fact("not-ENOTTY", "%u", known);
}

static void set_flags(int fd, const char *name, int flags)
{
	under("%s", name);
	TRY("set", fcntl(fd, F_SETFL, flags));
	fact("get", "%#o", fcntl(fd, F_GETFL));
	fcntl(fd, F_SETFL, 0);
}

static void fcntl_flags(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR), on = 1;

	(void)group;
	set_flags(fd, "nonblock", O_NONBLOCK);
	set_flags(fd, "append", O_APPEND);
	set_flags(fd, "async", O_ASYNC);
	set_flags(fd, "async-nonblock", O_ASYNC | O_NONBLOCK);
	set_flags(fd, "direct", O_DIRECT);
	set_flags(fd, "noatime", O_NOATIME);
	set_flags(fd, "sync", O_SYNC);
	set_flags(fd, "all", -1);
	at_top();
	TRY("FIONBIO", ioctl(fd, FIONBIO, &on));
	fact("after-FIONBIO", "%#o", fcntl(fd, F_GETFL));
	TRY("FIOASYNC", ioctl(fd, FIOASYNC, &on));
	fact("after-FIOASYNC", "%#o", fcntl(fd, F_GETFL));
	TRY("FIOCLEX", ioctl(fd, FIOCLEX));
	fact("after-FIOCLEX", "%d", fcntl(fd, F_GETFD));
	TRY("FIONCLEX", ioctl(fd, FIONCLEX));
	fact("after-FIONCLEX", "%d", fcntl(fd, F_GETFD));
}

static void fcntl_other(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR), second = dev_open(&dev, O_RDWR);
	struct flock lock = { .l_type = F_WRLCK };
	unsigned long long hint = 2;

	(void)group;
	TRY("F_GETOWN", fcntl(fd, F_GETOWN));
	TRY("F_SETOWN", fcntl(fd, F_SETOWN, getpid()));
	TRY("F_GETSIG", fcntl(fd, F_GETSIG));
	TRY("F_SETSIG", fcntl(fd, F_SETSIG, SIGRTMIN));
	TRY("F_SETSIG-bad", fcntl(fd, F_SETSIG, 1000));
	TRY("F_SETLK", fcntl(fd, F_SETLK, &lock));
	TRY("F_GETLK", fcntl(second, F_GETLK, &lock));
	lock = (struct flock){ .l_type = F_WRLCK };
	TRY("F_OFD_SETLK", fcntl(fd, F_OFD_SETLK, &lock));
	TRY("F_OFD_SETLK-second", fcntl(second, F_OFD_SETLK, &lock));
	TRY("flock", flock(fd, LOCK_EX | LOCK_NB));
	TRY("flock-second", flock(second, LOCK_EX | LOCK_NB));
	TRY("F_SETLEASE", fcntl(fd, F_SETLEASE, F_RDLCK));
	TRY("F_GETLEASE", fcntl(fd, F_GETLEASE));
	TRY("F_NOTIFY", fcntl(fd, F_NOTIFY, DN_ACCESS));
	TRY("F_GETPIPE_SZ", fcntl(fd, F_GETPIPE_SZ));
	TRY("F_ADD_SEALS", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	TRY("F_GET_SEALS", fcntl(fd, F_GET_SEALS));
	TRY("F_GET_RW_HINT", fcntl(fd, F_GET_RW_HINT, &hint));
	hint = 2;
	TRY("F_SET_RW_HINT", fcntl(fd, F_SET_RW_HINT, &hint));
	TRY("bad", fcntl(fd, 9999));
}

static void file_data(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	struct file_clone_range clone = { .src_fd = fd };

	(void)group;
	TRY("fsync", fsync(fd));
	TRY("fdatasync", fdatasync(fd));
	TRY("syncfs", syncfs(fd));
	TRY("sync_file_range", sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE));
	TRY("fallocate", fallocate(fd, 0, 0, 4096));
	TRY("fallocate-punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
					 4096));
	TRY("ftruncate", ftruncate(fd, 0));
	TRY("truncate", truncate(dev.node, 0));
	TRY("fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
	TRY("fadvise-dontneed", posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
	TRY("readahead", readahead(fd, 0, 4096));
	TRY("FICLONERANGE", ioctl(fd, FICLONERANGE, &clone));
	TRY("cachestat", syscall(451, fd, NULL, NULL, 0));
}

static void splice_all(const struct dev *dev, int fd, const char *state)
{
	int pipes[2], file = memfd_create("same", 0), null = open("/dev/null", O_WRONLY);
	int on = 1;
	loff_t at = 0;

	if (pipe2(pipes, O_NONBLOCK) || write(pipes[1], &on, 4) != 4)
		broken("no pipe");
	under("%s", state);
	log_forget(dev);
	TRY("from-pipe", splice(pipes[0], NULL, fd, NULL, 4, SPLICE_F_NONBLOCK));
	TRY("to-pipe", splice(fd, NULL, pipes[1], NULL, 4, SPLICE_F_NONBLOCK));
	TRY("to-pipe-at-0", splice(fd, &at, pipes[1], NULL, 4, SPLICE_F_NONBLOCK));
	TRY("tee", tee(fd, pipes[1], 4, SPLICE_F_NONBLOCK));
	TRY("vmsplice", vmsplice(fd, &(struct iovec){ &on, 4 }, 1, SPLICE_F_NONBLOCK));
	TRY("sendfile-from", sendfile(null, fd, NULL, 4));
	TRY("ftruncate", ftruncate(file, 4));
	TRY("sendfile-to", sendfile(fd, file, NULL, 4));
	TRY("copy_file_range-from", copy_file_range(fd, NULL, file, NULL, 4, 0));
	TRY("copy_file_range-to", copy_file_range(file, NULL, fd, NULL, 4, 0));
	fact_log(dev, "callbacks");
	close(pipes[0]);
	close(pipes[1]);
	close(file);
	close(null);
}

static void splices(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);

	splice_all(&dev, fd, "no-event");
	dev_notify(&dev, 1);
	splice_all(&dev, fd, "event");
}

static void not_this_kind(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK), second = dup(fd);
	struct { struct file_handle handle; char space[128]; } handle;
	char buffer[64];
	int mount;

	(void)group;
	TRY("fchdir", fchdir(fd));
	TRY("getdents", syscall(SYS_getdents64, fd, buffer, sizeof(buffer)));
	TRY("openat-below", openat(fd, "x", O_RDONLY));
	TRY("listen", listen(fd, 1));
	TRY("send", send(fd, "x", 1, 0));
	TRY("epoll_wait", epoll_wait(fd, &(struct epoll_event){ }, 1, 0));
	TRY("inotify_add_watch", inotify_add_watch(fd, "/", IN_OPEN));
	TRY("fgetxattr", fgetxattr(fd, "user.x", buffer, sizeof(buffer)));
	TRY("fsetxattr", fsetxattr(fd, "user.x", "1", 1, 0));
	TRY("fsetxattr-trusted", fsetxattr(fd, "trusted.x", "1", 1, 0));
	TRY("flistxattr", flistxattr(fd, buffer, sizeof(buffer)));
	TRY("fremovexattr", fremovexattr(fd, "user.x"));
	TRY("execveat", syscall(SYS_execveat, fd, "", NULL, NULL, AT_EMPTY_PATH));
	TRY("kcmp-copy", syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, fd, second));
	handle.handle.handle_bytes = sizeof(handle.space);
	TRY("name_to_handle_at", name_to_handle_at(fd, "", &handle.handle, &mount,
						   AT_EMPTY_PATH));
	TRY("linkat", linkat(fd, "", AT_FDCWD, "/dev/same-link", AT_EMPTY_PATH));
	unlink("/dev/same-link");
	TRY("pidfd_send_signal", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	TRY("memfd-seals", fcntl(fd, F_GET_SEALS));
	TRY("swapon", syscall(SYS_swapon, dev.node, 0));
	TRY("acct", acct(dev.node));
}

static void watch_events(int watch, const char *name)
{
	char buffer[4096] __attribute__((aligned(8)));
	char words[512] = "";
	ssize_t n = read(watch, buffer, sizeof(buffer)), at = 0;
	size_t length = 0;

	while (at < n) {
		struct inotify_event *event = (void *)(buffer + at);

		length += snprintf(words + length, sizeof(words) - length, "%s%#x",
				   length ? " " : "", event->mask);
		at += sizeof(*event) + event->len;
	}
	fact(name, "%s", n < 0 ? strerrorname_np(errno) : words);
}

/* The events of inotify for operations on the node. */
static void watched(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int watch = inotify_init1(IN_NONBLOCK), fd, on = 1;
	void *p;

	(void)group;
	dev_mem(&dev, 0, UIO_SAME_PAGES, UIO_SAME_LOGICAL, 1);
	if (inotify_add_watch(watch, dev.node, IN_ALL_EVENTS) < 0)
		broken("no watch");
	fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	watch_events(watch, "open");
	dev_notify(&dev, 1);
	watch_events(watch, "event");
	fact_read("read", fd);
	watch_events(watch, "after-read");
	TRY("write", write(fd, &on, sizeof(on)));
	watch_events(watch, "after-write");
	fact_read("read-nothing", fd);
	watch_events(watch, "after-read-of-nothing");
	p = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, fd, 0);
	watch_events(watch, "mmap");
	close(fd);
	watch_events(watch, "close");
	munmap(p, page_size());
	watch_events(watch, "munmap");
}

static void at_and_m_times(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK), on = 1;
	struct stat before, after;

	(void)group;
	futimens(fd, (struct timespec[]){ { 1 }, { 1 } });
	fstat(fd, &before);
	dev_notify(&dev, 1);
	fact_read("read", fd);
	fstat(fd, &after);
	fact("read-changes-atime", "%d", before.st_atime != after.st_atime);
	futimens(fd, (struct timespec[]){ { 1 }, { 1 } });
	TRY("write", write(fd, &on, sizeof(on)));
	fstat(fd, &after);
	fact("write-changes-mtime", "%d", before.st_mtime != after.st_mtime);
}

static void limits(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fds[600];
	unsigned int i, opened = 0;
	long before = uiot_module_refs("uio_same");

	(void)group;
	dev_mem(&dev, 0, UIO_SAME_PAGES, UIO_SAME_LOGICAL, 1);
	for (i = 0; i < 600; i++) {
		fds[i] = open(dev.node, O_RDWR);
		if (fds[i] < 0)
			break;
		opened++;
		if (mmap(NULL, page_size(), PROT_READ, MAP_SHARED, fds[i], 0) == MAP_FAILED)
			break;
	}
	fact("files-that-map-it", "%u", opened);
	fact("references", "%ld", uiot_module_refs("uio_same") - before);
}

const struct group call_groups[] = {
	{ "call.lseek", seek },
	{ "call.ioctl.named", ioctl_named },
	{ "call.ioctl.letter-U", ioctl_numbers, 'U' },
	{ "call.ioctl.letter-u", ioctl_numbers, 'u' },
	{ "call.fcntl.flags", fcntl_flags },
	{ "call.fcntl.other", fcntl_other },
	{ "call.data", file_data },
	{ "call.splice.irq-none", splices, UIO_SAME_IRQ_NONE },
	{ "call.splice.irq-custom", splices, UIO_SAME_IRQ_CUSTOM },
	{ "call.other-kinds", not_this_kind },
	{ "call.inotify", watched },
	{ "call.times", at_and_m_times },
	{ "call.many-files", limits },
	{ }
};
