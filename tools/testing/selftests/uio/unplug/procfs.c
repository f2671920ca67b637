// SPDX-License-Identifier: GPL-2.0
/*
 * holder: what /proc and /sys say about the holder, the daemon and the ring.
 */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holder.h"

/* Returns the descriptor with which process pid has path open. */
int find_fd(pid_t pid, const char *path)
{
	char dir[64], link[PATH_MAX], target[PATH_MAX];
	struct dirent *de;
	ssize_t len;
	int fd = -1;
	DIR *d;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
	d = opendir(dir);
	if (!d)
		die("%s", dir);

	while (fd < 0 && (de = readdir(d))) {
		snprintf(link, sizeof(link), "%s/%s", dir, de->d_name);
		len = readlink(link, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = '\0';
		if (!strcmp(target, path))
			fd = atoi(de->d_name);
	}
	closedir(d);
	if (fd < 0)
		die("process %d does not have %s open", pid, path);
	return fd;
}

static unsigned long map_attribute(const char *uio, const char *name)
{
	char path[PATH_MAX];
	unsigned long value;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/uio/%s/maps/map0/%s", uio, name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%lx", &value) != 1)
		die("%s", path);
	fclose(f);
	return value;
}

void find_ring(const char *uio, struct ring *ring)
{
	ring->addr = map_attribute(uio, "addr");
	ring->size = map_attribute(uio, "size");
}

/*
 * Returns how many bytes of the ring are still allocated. Also compares the allocating
 * function, because the address may have been reused.
 */
unsigned long ring_held(const struct ring *ring)
{
	unsigned long addr, held = 0;
	char line[512], *pages;
	FILE *f = fopen("/proc/vmallocinfo", "r");

	if (!f)
		die("/proc/vmallocinfo");
	while (!held && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "0x%lx-", &addr) != 1 || addr != ring->addr ||
		    !strstr(line, "tcmu_configure_device"))
			continue;
		pages = strstr(line, " pages=");
		if (pages)
			held = strtoul(pages + 7, NULL, 10) * sysconf(_SC_PAGESIZE);
	}
	fclose(f);
	return held;
}

/* Returns whether the page has a page table entry. A touch would make one. */
bool page_present(const void *addr)
{
	off_t index = (uintptr_t)addr / sysconf(_SC_PAGESIZE);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry;

	if (fd < 0 || pread(fd, &entry, sizeof(entry), index * sizeof(entry)) !=
		      sizeof(entry))
		die("/proc/self/pagemap");
	close(fd);
	return entry >> 63;
}

static bool thread_file(pid_t tid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, buf, size - 1);
	close(fd);
	if (len <= 0)
		return false;
	buf[len] = '\0';
	return true;
}

/* Returns whether the thread sleeps in that system call, and not on its way to it. */
bool thread_blocked(pid_t tid, long syscall_nr)
{
	char buf[512], *state;

	if (!thread_file(tid, "syscall", buf, sizeof(buf)) ||
	    strtol(buf, NULL, 10) != syscall_nr || buf[0] == 'r')
		return false;
	if (!thread_file(tid, "stat", buf, sizeof(buf)))
		return false;
	state = strrchr(buf, ')');
	return state && state[2] == 'S';
}

void thread_wchan(pid_t tid, char *buf, size_t size)
{
	if (!thread_file(tid, "wchan", buf, size))
		snprintf(buf, size, "?");
}
