// SPDX-License-Identifier: GPL-2.0-only
/* Library of the UIO tests: devices, modules, files, memory. */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "uio_testlib.h"

#define DEBUGFS	"/sys/kernel/debug/uio_test"

long uiot_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool uiot_wait_until(bool (*cond)(void *arg), void *arg, int ms)
{
	long end = uiot_now_ms() + ms;

	while (!cond(arg)) {
		if (uiot_now_ms() >= end)
			return cond(arg);
		usleep(1000);
	}
	return true;
}

int uiot_soon_ms(void)
{
	static int ms;

	if (!ms)
		ms = access("/sys/kernel/debug/kmemleak", F_OK) ? 5000 : 20000;
	return ms;
}

size_t uiot_page(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Files */

int uiot_read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;

	n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	else
		buf[n] = 0;
	close(fd);
	return n < 0 ? n : 0;
}

/* Returns whether the counter in this file has left 0. */
bool uiot_file_counts(const char *path)
{
	char buf[16];

	return !uiot_read_file(path, buf, sizeof(buf)) && buf[0] != '0';
}

int uiot_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;

	n = write(fd, text, strlen(text));
	if (n < 0)
		n = -errno;
	close(fd);
	return n < 0 ? n : 0;
}

int uiot_fdinfo(int fd, const char *key, char *value, size_t size)
{
	char path[64], line[256];
	size_t n = strlen(key);
	int ret = -ENOENT;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return -errno;

	while (ret && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, n) || strncmp(line + n, ":\t", 2))
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(value, size, "%s", line + n + 2);
		ret = 0;
	}
	fclose(f);
	return ret;
}

long long uiot_fdinfo_number(int fd, const char *key)
{
	char value[32];
	int ret = uiot_fdinfo(fd, key, value, sizeof(value));

	return ret ? ret : atoll(value);
}

/* Modules */

/*
 * The name of the driver in a module, such as uio_test_devm in uio_test. A kernel with
 * CONFIG_DEBUG_KOBJECT_RELEASE keeps it for a while after the module is gone.
 */
static bool driver_name_is_free(void *arg)
{
	glob_t found;

	if (glob(arg, GLOB_BRACE, NULL, &found))
		return true;
	globfree(&found);
	return false;
}

int uiot_shell(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int uiot_load_file(const char *module, const char *file)
{
	char path[96], command[160];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	if (!access(path, F_OK))
		return 0;

	snprintf(path, sizeof(path), "/sys/bus/{pci,platform}/drivers/%s{,_devm}",
		 module);
	if (!uiot_wait_until(driver_name_is_free, path, 2 * UIOT_SOON_MS))
		return -EEXIST;

	/* kselftest has the test modules in modules/; insmod does not load what they need */
	snprintf(command, sizeof(command),
		 "m=%s; modprobe -q $m || { modprobe -q uio; insmod modules/$m.ko; } 2>/dev/null",
		 file);
	return uiot_shell(command) ? -ENOENT : 0;
}

int uiot_load(const char *module)
{
	return uiot_load_file(module, module);
}

long uiot_module_refs(const char *module)
{
	char path[96], buf[32];
	int ret;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", module);
	ret = uiot_read_file(path, buf, sizeof(buf));
	return ret ? ret : atol(buf);
}

int uiot_module_remove(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

static bool module_removed(void *arg)
{
	return uiot_module_remove(arg) == 0;
}

bool uiot_module_goes(const char *module, int ms)
{
	return uiot_wait_until(module_removed, (void *)module, ms);
}

/* Devices */

int uiot_cmd(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return uiot_write_file(DEBUGFS "/control", line);
}

int uiot_reset(void)
{
	int ret = uiot_load("uio_test");

	return ret ? ret : uiot_cmd("reset");
}

int uiot_create(struct uiot_dev *dev, const char *options)
{
	static int nr;
	int ret;

	snprintf(dev->name, sizeof(dev->name), "test-%d-%d", getpid(), nr++);
	ret = uiot_cmd("create %s %s", dev->name, options);
	if (!ret)
		snprintf(dev->node, sizeof(dev->node), "/dev/uio%ld",
			 uiot_count(dev, "minor"));
	return ret;
}

int uiot_do(const struct uiot_dev *dev, const char *command)
{
	char verb[32];
	int n = strcspn(command, " ");

	snprintf(verb, sizeof(verb), "%.*s", n, command);
	return uiot_cmd("%s %s%s", verb, dev->name, command + n);
}

static void slot_path(char *path, size_t size, const struct uiot_dev *dev,
		      const char *file)
{
	snprintf(path, size, DEBUGFS "/%s/%s", dev->name, file);
}

long uiot_count(const struct uiot_dev *dev, const char *counter)
{
	char path[128], buf[32];
	int ret;

	slot_path(path, sizeof(path), dev, counter);
	ret = uiot_read_file(path, buf, sizeof(buf));
	return ret ? ret : atol(buf);
}

struct counter {
	const struct uiot_dev *dev;
	const char *name;
	long value;
};

static bool counter_is(void *arg)
{
	struct counter *c = arg;

	return uiot_count(c->dev, c->name) == c->value;
}

bool uiot_count_becomes(const struct uiot_dev *dev, const char *counter,
			long value)
{
	struct counter c = { dev, counter, value };

	return uiot_wait_until(counter_is, &c, UIOT_SOON_MS);
}

int uiot_set(const struct uiot_dev *dev, const char *file, long value)
{
	char path[128], buf[32];

	slot_path(path, sizeof(path), dev, file);
	snprintf(buf, sizeof(buf), "%ld", value);
	return uiot_write_file(path, buf);
}

int uiot_open(const struct uiot_dev *dev, int flags)
{
	int fd = open(dev->node, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Opens the device through a second device node, which has an inode of its own. */
int uiot_open_other_node(const struct uiot_dev *dev, int flags)
{
	struct stat st;
	char node[64];
	int fd;

	snprintf(node, sizeof(node), "/tmp/uio-node-%d", getpid());
	if (stat(dev->node, &st) || mknod(node, S_IFCHR | 0600, st.st_rdev))
		return -errno;

	fd = open(node, flags | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	unlink(node);
	return fd;
}

static int open_mem(const struct uiot_dev *dev, int map)
{
	char path[128], file[16];

	snprintf(file, sizeof(file), "mem%d", map);
	slot_path(path, sizeof(path), dev, file);
	return open(path, O_RDWR | O_CLOEXEC);
}

__u32 uiot_peek(const struct uiot_dev *dev, int map, int page)
{
	__u32 word = 0;
	int fd = open_mem(dev, map);

	if (fd < 0 || pread(fd, &word, sizeof(word), page * uiot_page()) < 0)
		word = 0;
	if (fd >= 0)
		close(fd);
	return word;
}

int uiot_poke(const struct uiot_dev *dev, int map, int page, __u32 word)
{
	int fd = open_mem(dev, map);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (pwrite(fd, &word, sizeof(word), page * uiot_page()) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

void *uiot_map(int fd, int map, int pages, int prot, int flags)
{
	return mmap(NULL, pages * uiot_page(), prot, flags, fd,
		    map * uiot_page());
}

static void sysfs_path(char *path, size_t size, const struct uiot_dev *dev,
		       const char *file)
{
	snprintf(path, size, "/sys/class/uio/%s/%s", dev->node + strlen("/dev/"),
		 file);
}

int uiot_sysfs(const struct uiot_dev *dev, const char *file, char *buf,
	       size_t size)
{
	char path[128];
	int ret;

	sysfs_path(path, sizeof(path), dev, file);
	ret = uiot_read_file(path, buf, size);
	if (!ret)
		buf[strcspn(buf, "\n")] = 0;
	return ret;
}

int uiot_sysfs_open(const struct uiot_dev *dev, const char *file)
{
	char path[128];
	int fd;

	sysfs_path(path, sizeof(path), dev, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Touching memory */

static __thread sigjmp_buf touch_env;

static void touch_failed(int sig)
{
	siglongjmp(touch_env, sig);
}

static void catch_touch(void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
}

int uiot_load_word(const void *addr, __u32 *word)
{
	int sig;

	catch_touch(touch_failed);
	sig = sigsetjmp(touch_env, 1);
	if (!sig)
		*word = *(const volatile __u32 *)addr;
	catch_touch(SIG_DFL);
	return sig;
}

int uiot_store_word(void *addr, __u32 word)
{
	int sig;

	catch_touch(touch_failed);
	sig = sigsetjmp(touch_env, 1);
	if (!sig)
		*(volatile __u32 *)addr = word;
	catch_touch(SIG_DFL);
	return sig;
}

void *uiot_move(void *p, int pages)
{
	size_t size = pages * uiot_page();
	void *to = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return to == MAP_FAILED ? to :
	       mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

/* This has no effect on I/O memory. It need not: revoke always unmaps that. */
void uiot_make_absent(void *p, int pages)
{
	madvise(p, pages * uiot_page(), MADV_DONTNEED);
}

bool uiot_has_special_bit(void)
{
	return uiot_file_counts(DEBUGFS "/pte_special");
}

bool uiot_has_ioremap_prot(void)
{
	return uiot_file_counts(DEBUGFS "/ioremap_prot");
}

bool uiot_has_vma_locks(void)
{
	return uiot_file_counts(DEBUGFS "/vma_locks");
}

int uiot_caching(const void *addr, char *buf, size_t size)
{
	int fd = open(DEBUGFS "/caching", O_RDWR | O_CLOEXEC);
	char text[32];
	ssize_t n;

	if (fd < 0)
		return -errno;

	snprintf(text, sizeof(text), "%p", addr);
	n = write(fd, text, strlen(text));
	if (n >= 0)
		n = read(fd, buf, size - 1);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	buf[n] = 0;
	buf[strcspn(buf, "\n")] = 0;
	return strcmp(buf, "unknown") ? 0 : -EOPNOTSUPP;
}
