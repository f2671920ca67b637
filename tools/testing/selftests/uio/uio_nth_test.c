// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: each allocation of each operation fails once. An operation may report this, or do
 * without the memory. It may not lose anything, and it has to succeed when it is tried again.
 * The kernel needs fault injection.
 */

#include <fcntl.h>
#include <linux/uio_device.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "uio_testlib_nth.h"

#define PAGES		4
#define EACH_TEST_S	600

/* Each test is a process of its own. */
static struct {
	const char *options;
	struct uiot_dev dev;
	int control;
	int fd;
	int other;	/* another descriptor that an operation needs or makes */
	void *p;
	void *also;	/* another mapping of PAGES, or MAP_FAIL */
} s;

/*
 * When a process was preempted, the kernel writes to its rseq area. After fork() this needs a
 * page. If there is none, the kernel kills the process. So this program runs without rseq.
 */
static void __attribute__((constructor)) begin_without_rseq(int argc, char **argv)
{
	static const char tunables[] = "GLIBC_TUNABLES";

	(void)argc;
	if (getenv(tunables) || setenv(tunables, "glibc.pthread.rseq=0", 1))
		return;
	execv("/proc/self/exe", argv);
}

FIXTURE(each)
{
};

FIXTURE_VARIANT(each)
{
	const char *options;
};

#define KIND(_name, _options)						\
	FIXTURE_VARIANT_ADD(each, _name) { .options = _options }

KIND(legacy_phys, "mem=phys:4");
KIND(legacy_virtual, "mem=virtual:4");
KIND(legacy_dma, "mem=dma:4");
KIND(own_mmap, "mmap mem=virtual:4");
KIND(phys, "ctx sink mem=phys:4");
KIND(virtual, "ctx mem=virtual:4");
KIND(dma, "ctx sink mem=dma:4");
KIND(context, "ctx sink mem=context:4");

FIXTURE_SETUP(each)
{
	UIOT_NEED(uiot_reset());
	if (uiot_nth_on())
		SKIP(return, "this kernel has no fault injection");
	s.options = variant->options;
	s.control = open("/sys/kernel/debug/uio_test/control", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, s.control);
}

FIXTURE_TEARDOWN(each)
{
	close(s.control);
	uiot_nth_off();
	EXPECT_EQ(0, uiot_reset());
}

/* ---- the device, before and after each operation */

/* Unlike uiot_do(), this opens nothing. */
static int command(const char *what)
{
	char line[96];

	snprintf(line, sizeof(line), "%s %s", what, s.dev.name);
	return write(s.control, line, strlen(line)) < 0 ? -errno : 0;
}

/* Opens and maps the device. */
static int use(void)
{
	s.fd = uiot_open(&s.dev, O_RDWR);
	if (s.fd < 0)
		return s.fd;
	s.p = uiot_map(s.fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED);
	return s.p == MAP_FAIL ? -errno : 0;
}

static int make_idle(void)
{
	char line[64];

	s.fd = -1;
	s.other = -1;
	s.p = MAP_FAIL;
	s.also = MAP_FAIL;
	snprintf(line, sizeof(line), "%s idle", s.options);
	return uiot_create(&s.dev, line);
}

static int do_register(void)
{
	return command("register");
}

static void find_node(void)
{
	snprintf(s.dev.node, sizeof(s.dev.node), "/dev/uio%ld", uiot_count(&s.dev, "minor"));
}

static int is_registered(void)
{
	find_node();
	return use();
}

static int make(void)
{
	return make_idle() ?: do_register() ?: is_registered();
}

/* Nobody has opened it yet. */
static int make_unopened(void)
{
	int ret = make_idle() ?: do_register();

	if (!ret)
		find_node();
	return ret;
}

/* Takes everything down, and returns 0 if all was given back. */
static int drop(void)
{
	if (s.p != MAP_FAIL)
		munmap(s.p, PAGES * uiot_page());
	if (s.also != MAP_FAIL)
		munmap(s.also, PAGES * uiot_page());
	if (s.other >= 0)
		close(s.other);
	if (s.fd >= 0)
		close(s.fd);
	/* whatever state it is in */
	if (uiot_do(&s.dev, "unregister"))
		uiot_do(&s.dev, "put");
	if (!uiot_count_becomes(&s.dev, "frees", 1))
		return -EBUSY;
	/* without a context, release is not called any more after unregistration */
	if (strstr(s.options, "ctx") &&
	    uiot_count(&s.dev, "opens") != uiot_count(&s.dev, "releases"))
		return -EUCLEAN;
	return 0;
}

/* ---- what operations do, and what has to be true afterwards */

static int touch(void)
{
	__u32 word;
	int page;

	for (page = 0; page < PAGES; page++)
		if (uiot_load_word(s.p + page * uiot_page(), &word) ||
		    word != UIOT_WORD(0, page))
			return -EFAULT;
	return 0;
}

static int is_gone(void)
{
	__s32 event;
	int fd = uiot_open(&s.dev, O_RDWR);

	if (fd >= 0) {
		close(fd);
		return -EEXIST;
	}
	if (read(s.fd, &event, sizeof(event)) >= 0 || errno != EIO)
		return -EBADFD;
	return 0;
}

static int do_close(void)
{
	int ret = close(s.fd) ? -errno : 0;

	s.fd = -1;
	return ret;
}

static int do_munmap_all(void)
{
	int ret = munmap(s.p, PAGES * uiot_page()) ? -errno : 0;

	if (!ret)
		s.p = MAP_FAIL;
	return ret;
}

static int do_revoke(void)
{
	return command("revoke");
}

static int do_unregister(void)
{
	return command("unregister");
}

static int do_open(void)
{
	s.other = uiot_open(&s.dev, O_RDWR);
	return s.other < 0 ? s.other : 0;
}

/* The last reference to the file goes with the mapping. */
static int only_mapped(void)
{
	return touch() ?: do_close();
}

static int do_mmap(void)
{
	s.also = uiot_map(s.fd, 0, PAGES, PROT_READ, MAP_SHARED);
	return s.also == MAP_FAIL ? -errno : 0;
}

static int do_mmap_private(void)
{
	s.also = uiot_map(s.fd, 0, PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	return s.also == MAP_FAIL ? -errno : 0;
}

static int do_store_private(void)
{
	__u32 word;

	return uiot_store_word(s.also, 1) || uiot_load_word(s.also, &word) || word != 1 ?
		-EFAULT : 0;
}

static int do_mremap(void)
{
	size_t size = PAGES * uiot_page();
	void *to = mremap(s.p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, s.also);

	if (to == MAP_FAIL)
		return -errno;
	s.p = to;
	s.also = MAP_FAIL;
	return 0;
}

/* an address to move to */
static int touch_and_reserve(void)
{
	s.also = mmap(NULL, PAGES * uiot_page(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return s.also == MAP_FAIL ? -errno : touch();
}

static int do_munmap(void)
{
	return munmap(s.p + uiot_page(), uiot_page()) ? -errno : 0;
}

static int do_mprotect(void)
{
	return mprotect(s.p + uiot_page(), uiot_page(), PROT_READ) ? -errno : 0;
}

static int do_fork(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(0);
	if (pid < 0)
		return -errno;
	return waitpid(pid, &status, 0) == pid && !status ? 0 : -ECHILD;
}

static int do_sigio(void)
{
	return fcntl(s.fd, F_SETFL, O_ASYNC) ? -errno : 0;
}

static int do_poll(void)
{
	struct pollfd pfd = { .fd = s.fd, .events = POLLIN };

	return poll(&pfd, 1, 0) < 0 ? -errno : 0;
}

static int make_epoll(void)
{
	s.other = epoll_create1(EPOLL_CLOEXEC);
	return s.other < 0 ? -errno : 0;
}

static int do_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(s.other, EPOLL_CTL_ADD, s.fd, &event) ? -errno : 0;
}

static int notify(void)
{
	return uiot_do(&s.dev, "notify");
}

static int do_read(void)
{
	__s32 event;

	return read(s.fd, &event, sizeof(event)) < 0 ? -errno : 0;
}

static int do_write(void)
{
	__s32 on = 1;

	return write(s.fd, &on, sizeof(on)) < 0 ? -errno : 0;
}

/* the way that a debugger takes */
static int do_peek(void)
{
	__u32 word;

	if (pread(s.other, &word, sizeof(word), (uintptr_t)s.p) < 0)
		return -errno;
	return word == UIOT_WORD(0, 0) ? 0 : -EILSEQ;
}

/* It is not possible with I/O memory that is RAM. */
static int open_own_memory(void)
{
	int ret;

	s.other = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	if (s.other < 0)
		return -errno;
	ret = do_peek();
	return ret == -EIO ? -EOPNOTSUPP : ret;
}

static int do_revoke_file(void)
{
	return ioctl(s.fd, UIO_IOC_REVOKE, 0) ? -errno : 0;
}

static int file_is_revoked(void)
{
	__s32 event;

	return read(s.fd, &event, sizeof(event)) < 0 && errno == ENODEV ? 0 : -EBADFD;
}

/* It gets the sink or SIGBUS, which depends on the kind. */
static int touch_gone(void)
{
	__u32 word;

	uiot_load_word(s.p, &word);
	return 0;
}

#define EACH(_make, ...) do {						\
	const struct uiot_nth op = {					\
		.make = _make, .drop = drop, __VA_ARGS__		\
	};								\
									\
	UIOT_NTH(&op);							\
} while (0)

TEST_F_TIMEOUT(each, register, EACH_TEST_S)
{
	/* a context can be registered once */
	EACH(make_idle, .run = do_register, .check = is_registered,
	     .once = strstr(variant->options, "ctx"));
}

TEST_F_TIMEOUT(each, revoke, EACH_TEST_S)
{
	EACH(make, .prepare = touch, .run = do_revoke, .check = is_gone);
}

TEST_F_TIMEOUT(each, unregister, EACH_TEST_S)
{
	EACH(make, .prepare = touch, .run = do_unregister, .check = is_gone);
}

TEST_F_TIMEOUT(each, open, EACH_TEST_S)
{
	EACH(make, .run = do_open);
}

/* It also makes what all files of the device need. */
TEST_F_TIMEOUT(each, first_open, EACH_TEST_S)
{
	EACH(make_unopened, .run = do_open);
}

TEST_F_TIMEOUT(each, close, EACH_TEST_S)
{
	EACH(make, .prepare = do_munmap_all, .run = do_close, .never_fails = true);
}

TEST_F_TIMEOUT(each, last_munmap, EACH_TEST_S)
{
	EACH(make, .prepare = only_mapped, .run = do_munmap_all);
}

TEST_F_TIMEOUT(each, mmap, EACH_TEST_S)
{
	EACH(make, .run = do_mmap);
}

TEST_F_TIMEOUT(each, touch, EACH_TEST_S)
{
	EACH(make, .run = touch, .never_fails = true);
}

TEST_F_TIMEOUT(each, touch_gone, EACH_TEST_S)
{
	EACH(make, .prepare = do_unregister, .run = touch_gone, .never_fails = true);
}

TEST_F_TIMEOUT(each, private_store, EACH_TEST_S)
{
	EACH(make, .prepare = do_mmap_private, .run = do_store_private, .never_fails = true);
}

TEST_F_TIMEOUT(each, mremap, EACH_TEST_S)
{
	EACH(make, .prepare = touch_and_reserve, .run = do_mremap);
}

TEST_F_TIMEOUT(each, munmap, EACH_TEST_S)
{
	EACH(make, .prepare = touch, .run = do_munmap);
}

TEST_F_TIMEOUT(each, mprotect, EACH_TEST_S)
{
	EACH(make, .prepare = touch, .run = do_mprotect);
}

TEST_F_TIMEOUT(each, fork, EACH_TEST_S)
{
	EACH(make, .prepare = touch, .run = do_fork, .may_fail = { -EAGAIN });
}

TEST_F_TIMEOUT(each, sigio, EACH_TEST_S)
{
	EACH(make, .run = do_sigio);
}

TEST_F_TIMEOUT(each, poll, EACH_TEST_S)
{
	EACH(make, .run = do_poll);
}

TEST_F_TIMEOUT(each, epoll, EACH_TEST_S)
{
	EACH(make, .prepare = make_epoll, .run = do_epoll);
}

TEST_F_TIMEOUT(each, read, EACH_TEST_S)
{
	EACH(make, .prepare = notify, .run = do_read);
}

TEST_F_TIMEOUT(each, write, EACH_TEST_S)
{
	EACH(make, .run = do_write);
}

TEST_F_TIMEOUT(each, ptrace, EACH_TEST_S)
{
	EACH(make, .prepare = open_own_memory, .run = do_peek, .may_fail = { -EIO });
}

TEST_F_TIMEOUT(each, revoke_file, EACH_TEST_S)
{
	EACH(make, .prepare = touch, .run = do_revoke_file, .check = file_is_revoked);
}

TEST_HARNESS_MAIN
