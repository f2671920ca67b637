// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio-late-release: finds the holders of UIO devices in /proc.
 *
 * A process can end at any time. What has vanished is no error.
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "holders.h"
#include "tool.h"

#define PF_KTHREAD	0x00200000

/* The name of UIO in /proc/devices. */
#ifndef UIO_NAME
#define UIO_NAME	"uio"
#endif

struct process {
	struct task task;
	int dir;		/* /proc/PID */
	pid_t *tids;
	size_t nr_tids;
	unsigned int major;
	bool unseen;
};

bool find_major(unsigned int *major)
{
	struct text text = {};
	char *line, *next;
	uint64_t number = 0;
	bool found = false;

	if (read_text(AT_FDCWD, "/proc/devices", &text))
		die("/proc/devices can't be read: mount /proc");
	/* block devices come last, and may have the same name */
	for (line = strtok_r(text.data, "\n", &next); line && !found;
	     line = strtok_r(NULL, "\n", &next)) {
		const char *name = parse_number(line + strspn(line, " "), 10, &number);

		if (starts_with(line, "Block"))
			break;
		found = name && !strcmp(name, " " UIO_NAME);
	}
	free(text.data);
	*major = number;
	return found;
}

/* Has the process no more memory, files and threads, or never had any? */
static bool has_nothing(const struct process *process)
{
	static struct text text;
	uint64_t flags = 0;
	const char *field;
	char state;
	int i;

	if (read_text(process->dir, "stat", &text))
		return true;
	/* PID (COMMAND) STATE PPID PGRP SESSION TTY TPGID FLAGS */
	field = strrchr(text.data, ')');
	if (!field || strlen(field) < 3)
		return false;
	state = field[2];
	for (i = 0; i < 7 && field; i++)
		field = strchr(field + 1, ' ');
	if (field)
		parse_number(field + 1, 10, &flags);
	return flags & PF_KTHREAD || (strchr("ZX", state) && process->nr_tids <= 1);
}

static void failed(struct process *process, int error)
{
	if (error == EACCES || error == EPERM)
		process->unseen = true;
}

/* ---- descriptors */

/*
 * Looks at the target of a link in /proc. It does not ask a server of a network or of FUSE,
 * which may hang.
 */
static int stat_node(int dir, const char *path, unsigned int major, struct node *node)
{
	struct statx st;

	if (statx(dir, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
		  STATX_TYPE | STATX_INO | STATX_NLINK, &st))
		return -errno;
	if (!S_ISCHR(st.stx_mode) || st.stx_rdev_major != major)
		return 0;
	*node = (struct node) {
		.dev = makedev(st.stx_dev_major, st.stx_dev_minor),
		.ino = st.stx_ino,
		.minor = st.stx_rdev_minor,
		.deleted = !st.stx_nlink,
	};
	return 1;
}

static void scan_descriptor(struct process *process, int fds, const char *name)
{
	struct node node;
	struct facts facts;
	char path[sizeof("../fdinfo/") + NAME_MAX];
	int ret = stat_node(fds, name, process->major, &node);

	if (ret <= 0) {
		failed(process, -ret);
		return;
	}
	snprintf(path, sizeof(path), "../fdinfo/%s", name);
	read_facts(fds, path, &facts);
	found_descriptor(&process->task, &node, &facts);
}

/* Returns whether the thread has any descriptor. */
static bool scan_descriptors(struct process *process, pid_t tid)
{
	struct dirent *entry;
	bool found = false;
	char path[32];
	DIR *dir;
	int fds;

	snprintf(path, sizeof(path), "task/%d/fd", tid);
	fds = openat(process->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fds < 0 ? NULL : fdopendir(fds);
	if (!dir) {
		failed(process, errno);
		return false;
	}
	process->task.tid = tid;
	while (!process->unseen && (entry = readdir(dir))) {
		if (!isdigit(entry->d_name[0]))
			continue;
		found = true;
		scan_descriptor(process, fds, entry->d_name);
	}
	closedir(dir);
	return found;
}

static bool same_files(pid_t one, pid_t other)
{
	return !syscall(SYS_kcmp, one, other, KCMP_FILES, 0, 0);
}

static bool shares_files(pid_t tid, const pid_t *seen, size_t nr_seen)
{
	size_t i;

	for (i = 0; i < nr_seen; i++)
		if (same_files(tid, seen[i]))
			return true;
	return false;
}

/* Threads share their descriptors, but clone() and unshare() can give a thread its own. */
static void scan_threads(struct process *process)
{
	pid_t *seen = NULL;
	size_t nr_seen = 0, i;

	for (i = 0; i < process->nr_tids && !process->unseen; i++) {
		pid_t tid = process->tids[i];

		if (shares_files(tid, seen, nr_seen))
			continue;
		if (!scan_descriptors(process, tid))
			continue;
		seen = grow(seen, nr_seen, sizeof(*seen));
		seen[nr_seen++] = tid;
		/* without CONFIG_KCMP, or if seccomp forbids it, each thread would count */
		if (!same_files(tid, tid) && errno != ESRCH)
			break;
	}
	free(seen);
}

/* ---- mappings */

/* /dev/uioN, also if it is deleted */
static bool is_path_of_node(const char *path, struct node *node)
{
	const char *end;
	uint64_t minor;

	if (!starts_with(path, "/dev/uio"))
		return false;
	end = parse_number(path + strlen("/dev/uio"), 10, &minor);
	if (!end || (*end && strcmp(end, " (deleted)")))
		return false;
	node->minor = minor;
	node->deleted = *end;
	return true;
}

/*
 * Is this a mapping of a UIO device? Root can look at the file. Others know its name only.
 */
static bool is_mapping(const struct process *process, uint64_t start, uint64_t end,
		       const char *path, struct node *node)
{
	char link[64];
	int ret;

	snprintf(link, sizeof(link), "map_files/%llx-%llx", (unsigned long long)start,
		 (unsigned long long)end);
	ret = stat_node(process->dir, link, process->major, node);
	return ret < 0 ? is_path_of_node(path, node) : ret;
}

static const char *number_after(char before, const char *at, int base, uint64_t *value)
{
	return at && *at == before ? parse_number(at + 1, base, value) : NULL;
}

/* The line of a mapping: START-END PERMS OFFSET MAJOR:MINOR INODE   PATH */
static bool parse_mapping(const struct process *process, const char *line, struct node *node,
			  uint64_t *bytes)
{
	static struct node last, last_node;
	static bool last_is_ours;
	uint64_t start, end, skipped, major, minor, ino;
	const char *at = parse_number(line, 16, &start);

	at = number_after('-', at, 16, &end);
	at = at && strlen(at) > 6 ? number_after(' ', at + 5, 16, &skipped) : NULL;
	at = number_after(' ', at, 16, &major);
	at = number_after(':', at, 16, &minor);
	at = number_after(' ', at, 10, &ino);
	if (!at || !ino)
		return false;
	/* one file is often mapped in many parts */
	if (last.dev != makedev(major, minor) || last.ino != ino) {
		last = (struct node) { .dev = makedev(major, minor), .ino = ino };
		last_node = last;
		last_is_ours = is_mapping(process, start, end, at + strspn(at, " "),
					  &last_node);
	}
	*node = last_node;
	*bytes = end - start;
	return last_is_ours;
}

/* Lines of a mapping in smaps come after its line in maps. */
static void scan_present(struct process *process)
{
	static const char key[] = "Rss:";
	static struct text text;
	char path[32], *line, *next;
	struct node node;
	uint64_t bytes;
	bool ours = false;

	snprintf(path, sizeof(path), "task/%d/smaps", process->task.tid);
	if (read_text(process->dir, path, &text))
		return;
	for (line = strtok_r(text.data, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next)) {
		if (!isupper(*line))
			ours = parse_mapping(process, line, &node, &bytes);
		else if (ours && starts_with(line, key) &&
			 parse_number(line + strlen(key) + strspn(line + strlen(key), " "), 10,
				      &bytes))
			found_present(&process->task, &node, bytes * 1024);
	}
}

/* Reads the memory of the first thread that has any. A thread that has ended has none. */
static int read_maps(struct process *process, struct text *text)
{
	char path[32];
	int ret = 0;
	size_t i;

	text->len = 0;
	for (i = 0; i < process->nr_tids && !ret && !text->len; i++) {
		process->task.tid = process->tids[i];
		snprintf(path, sizeof(path), "task/%d/maps", process->tids[i]);
		ret = read_text(process->dir, path, text);
		if (ret == -ENOENT || ret == -ESRCH)
			ret = 0;
	}
	return ret;
}

static void scan_mappings(struct process *process)
{
	static struct text text;
	char *line, *next;
	struct node node;
	uint64_t bytes;
	bool found = false;
	int ret = read_maps(process, &text);

	if (ret || !text.len) {
		failed(process, -ret);
		return;
	}
	for (line = strtok_r(text.data, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next)) {
		if (!parse_mapping(process, line, &node, &bytes))
			continue;
		found_mapping(&process->task, &node, bytes);
		found = true;
	}
	if (found)
		scan_present(process);
}

/* ---- processes */

/* Not atoi(): a program that is compiled with a new libc would need it. */
static pid_t number_of(const char *name)
{
	uint64_t number;

	parse_number(name, 10, &number);
	return number;
}

static void list_threads(struct process *process)
{
	int fd = openat(process->dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!isdigit(entry->d_name[0]))
			continue;
		process->tids = grow(process->tids, process->nr_tids, sizeof(*process->tids));
		process->tids[process->nr_tids++] = number_of(entry->d_name);
	}
	closedir(dir);
}

static void read_command(struct process *process)
{
	static struct text text;

	if (read_text(process->dir, "comm", &text) || !text.len)
		return;
	if (text.data[text.len - 1] == '\n')
		text.data[--text.len] = 0;
	snprintf(process->task.command, sizeof(process->task.command), "%s", text.data);
}

/* Returns whether it could be seen. */
static bool scan_process(int proc, const char *pid, unsigned int major)
{
	struct process process = {
		.task = { .pid = number_of(pid) },
		.dir = openat(proc, pid, O_PATH | O_DIRECTORY | O_CLOEXEC),
		.major = major,
	};

	if (process.dir < 0)
		return true;
	read_command(&process);
	list_threads(&process);
	scan_threads(&process);
	if (!process.unseen)
		scan_mappings(&process);
	if (process.unseen && has_nothing(&process))
		process.unseen = false;
	free(process.tids);
	close(process.dir);
	return !process.unseen;
}

unsigned int scan_processes(unsigned int major)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	unsigned int unseen = 0;

	if (!proc)
		die("/proc can't be read: mount it");
	while ((entry = readdir(proc)))
		if (isdigit(entry->d_name[0]))
			unseen += !scan_process(dirfd(proc), entry->d_name, major);
	closedir(proc);
	return unseen;
}
