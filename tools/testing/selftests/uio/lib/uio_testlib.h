/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Library of the UIO tests: devices made by the uio_test module, touches that may raise a
 * signal, operations in threads and child processes. Functions return 0 or a negative
 * error code unless a comment says otherwise. Each wait has a time-out.
 */

#ifndef _UIO_TESTLIB_H
#define _UIO_TESTLIB_H

#include <errno.h>
#include <linux/types.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/types.h>

/*
 * How long a test waits for an event that must happen. It suffices for a slow emulated CPU
 * that also does other work, and is longer on a debug kernel. So tests need a longer
 * time-out than the default of the harness.
 */
int uiot_soon_ms(void);
#define UIOT_SOON_MS	uiot_soon_ms()
#ifdef TEST_TIMEOUT_DEFAULT
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	180
#endif
/* How long a test watches for an event that must not happen. */
#define UIOT_WHILE_MS	100

/* What a failed mmap() returns, as a pointer to any type. */
#define MAP_FAIL		((void *)-1)

/* more open files than the core can tell apart with 32 bits, less than a process may open */
#define UIOT_MANY_FILES	600

/* Every page of a new region is filled with this word. */
#define UIOT_WORD(map, page)	(0x7e570000u | (map) << 8 | (page))

long uiot_now_ms(void);

/* waits for a condition */
bool uiot_wait_until(bool (*cond)(void *arg), void *arg, int ms);

/* devices of the uio_test module */
struct uiot_dev {
	char name[48];
	char node[32];
};

/* Skips if a module or debugfs is missing, or if this process may not use them. */
#define UIOT_NEED(_call) do {						\
	int _needed = (_call);						\
									\
	if (_needed == -ENOENT || _needed == -EACCES)			\
		SKIP(return, "needs root, and what is in the file config"); \
	ASSERT_EQ(0, _needed);						\
} while (0)

/*
 * Removes what other tests have left, and creates a device. Skips if the core or the
 * machine lacks what it needs.
 */
#define UIOT_SETUP(_dev, _options) do {					\
	int _ret;							\
									\
	UIOT_NEED(uiot_reset());					\
	_ret = uiot_create(_dev, _options);				\
	if (_ret == -EOPNOTSUPP)					\
		SKIP(return, "this core has no contexts, or no such memory"); \
	if (_ret == -ENXIO)						\
		SKIP(return, "no I/O memory of this machine is known");	\
	ASSERT_EQ(0, _ret);						\
} while (0)

#define UIOT_OPEN(_fd, _dev)	ASSERT_LE(0, (_fd) = uiot_open(_dev, O_RDWR))

/* If the check fails, it logs the name of the error: reports quote it. */
#define UIOT_EXPECT_ERRNO(_errno) do {					\
	int _err = errno;						\
									\
	EXPECT_EQ(_errno, _err) {					\
		TH_LOG("%s", strerrorname_np(_err));			\
	}								\
} while (0)

#define UIOT_EXPECT_HANGUP(_events) do {				\
	unsigned int _both = (_events) & (POLLHUP | POLLERR);		\
									\
	EXPECT_EQ(POLLHUP | POLLERR, _both) {				\
		TH_LOG("%s", _both == POLLERR ? "ERR without HUP" : "no HUP"); \
	}								\
} while (0)

int uiot_load(const char *module);
int uiot_load_file(const char *module, const char *file);	/* file: without .ko */
int uiot_reset(void);
int uiot_cmd(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int uiot_create(struct uiot_dev *dev, const char *options);
int uiot_do(const struct uiot_dev *dev, const char *command);
long uiot_count(const struct uiot_dev *dev, const char *counter);
bool uiot_count_becomes(const struct uiot_dev *dev, const char *counter,
			long value);
int uiot_set(const struct uiot_dev *dev, const char *file, long value);
int uiot_open(const struct uiot_dev *dev, int flags);
int uiot_open_other_node(const struct uiot_dev *dev, int flags);
__u32 uiot_peek(const struct uiot_dev *dev, int map, int page);
int uiot_poke(const struct uiot_dev *dev, int map, int page, __u32 word);
void *uiot_map(int fd, int map, int pages, int prot, int flags);
int uiot_sysfs(const struct uiot_dev *dev, const char *file, char *buf,
	       size_t size);
int uiot_sysfs_open(const struct uiot_dev *dev, const char *file);
int uiot_read_file(const char *path, char *buf, size_t size);
bool uiot_file_counts(const char *path);
int uiot_write_file(const char *path, const char *text);
/* the value of a line in /proc/self/fdinfo; -ENOENT: there is no such line */
int uiot_fdinfo(int fd, const char *key, char *value, size_t size);
long long uiot_fdinfo_number(int fd, const char *key);

/* runs a command, and returns its exit status */
int uiot_shell(const char *command);

/* modules */
long uiot_module_refs(const char *module);
int uiot_module_remove(const char *module);
bool uiot_module_goes(const char *module, int ms);

/* memory: these two return 0 or the signal that the touch raised */
int uiot_load_word(const void *addr, __u32 *word);
int uiot_store_word(void *addr, __u32 word);
size_t uiot_page(void);
void uiot_make_absent(void *p, int pages);	/* a touch may map its neighbours */
void *uiot_move(void *p, int pages);	/* mremap() to a free address */
/* caching of I/O memory: wb, wc, uc- or uc; -EOPNOTSUPP: the kernel does not say */
int uiot_caching(const void *addr, char *buf, size_t size);

/* Does a page fault lock only its VMA? It does since 6.4. */
bool uiot_has_vma_locks(void);

/* Can ptrace() access I/O memory on this machine? */
bool uiot_has_ioremap_prot(void);

/*
 * Without a special bit in page table entries, this core refuses private mappings of I/O
 * memory, and of memory whose pages have no reference count: see uio_memtype_test.c.
 */
bool uiot_has_special_bit(void);
#define UIOT_NO_SPECIAL_BIT	"page table entries have no special bit"
#define UIOT_SKIP_IF_REFUSED(_p) do {					\
	if ((_p) == MAP_FAIL && errno == EINVAL && !uiot_has_special_bit()) \
		SKIP(return, UIOT_NO_SPECIAL_BIT);			\
} while (0)

/*
 * An operation that may block. It runs in a thread. If it can block with the mmap_lock
 * held, it has to run in a child process, and this struct must be in shared memory.
 */
struct uiot_op {
	long (*fn)(struct uiot_op *op);
	bool in_child;
	int fd;
	void *addr;
	const char *thread_name;
	char text[96];		/* for uiot_op_cmd() */
	long ret;		/* what the call returned, or a negative error code */
	unsigned int events;	/* what poll, select or epoll reported */
	pid_t tid;
	bool started;
	bool done;
	pthread_t thread;
};

long uiot_op_open(struct uiot_op *op);	/* text is the path */
long uiot_op_read(struct uiot_op *op);
long uiot_op_write(struct uiot_op *op);
long uiot_op_poll(struct uiot_op *op);
long uiot_op_select(struct uiot_op *op);
long uiot_op_epoll(struct uiot_op *op);
long uiot_op_edge(struct uiot_op *op);	/* epoll, edge-triggered */
long uiot_op_exclusive(struct uiot_op *op);	/* epoll, EPOLLEXCLUSIVE */
long uiot_op_uring(struct uiot_op *op);	/* a poll request */
long uiot_op_mmap(struct uiot_op *op);
long uiot_op_load(struct uiot_op *op);	/* touches addr */
long uiot_op_close(struct uiot_op *op);
long uiot_op_cmd(struct uiot_op *op);	/* text is the command */

struct uiot_op *uiot_op_alloc(void);
int uiot_start(struct uiot_op *op);
int uiot_wait_asleep(struct uiot_op *op);
int uiot_wait_done(struct uiot_op *op, int ms);	/* uiot_join() is still needed */
int uiot_join(struct uiot_op *op, int ms);

/* a child process that does what the test asks for */
struct uiot_child {
	pid_t pid;
	int ask;
	int answer;
};

int uiot_child_start(struct uiot_child *child, int (*fn)(void *arg, int what),
		     void *arg);
int uiot_child_ask(struct uiot_child *child, int what);
int uiot_child_end(struct uiot_child *child);

/* a program, and what it has printed since its start */
struct uiot_program {
	pid_t pid;
	int out;
	int status;
	size_t len;
	char said[4096];
};

/* file is a path; the arguments can be NULL */
int uiot_program_start(struct uiot_program *p, const char *file, const char *arg,
		       const char *next_arg);
bool uiot_program_says(struct uiot_program *p, const char *text);
/* waits for its end; returns the exit status, or -EINTR if a signal killed it */
int uiot_program_end(struct uiot_program *p);

/* the uio_window module holds up threads with this name until uiot_window_go() */
#define UIOT_WINDOW	"uio-window"

int uiot_window_arm(bool after);
bool uiot_window_hit(void);
int uiot_window_hits(void);
void uiot_window_move(void);	/* lets the thread go from before the call to after it */
bool uiot_window_late(void);	/* the thread was held up too long, and went on by itself */
bool uiot_window_go(void);	/* false if uiot_window_late() */

/* a test whose thread went on by itself has shown nothing */
#define UIOT_SKIP_IF_LATE(_held) do {					\
	if (!(_held))							\
		SKIP(return, "held up for too long: it went on by itself"); \
} while (0)

/* the uio_step module stops threads with this name at each call that uio makes */
#define UIOT_STEP	"uio-step"

int uiot_step_arm(unsigned int at, const char *fail);
int uiot_step_arm_locks(unsigned int at);	/* also before it takes a mutex */
int uiot_step_fail(const char *function);	/* stops nowhere, but this function fails */
int uiot_step_stopped(struct uiot_op *op, char *where, size_t size);	/* 0: done */
void uiot_step_go(void);
void uiot_step_end(void);
/* waits until @op sleeps in a function whose name has @where in it; -ECANCELED: done */
int uiot_wait_asleep_in(struct uiot_op *op, const char *where, int ms);

/* makes a device node for the next device to be registered */
int uiot_next_node(char *node, size_t size);

/* the kernel log, beginning at uiot_log_open() */
int uiot_log_open(void);
bool uiot_log_find(int fd, const char *text, char *line, size_t size);
bool uiot_log_splat(int fd, char *text, size_t size);	/* text: a short name of it */
int uiot_lockdep_on(void);

/* uevents, beginning at uiot_uevent_open(); finds one of a new device */
int uiot_uevent_open(void);
bool uiot_uevent_added(int fd, char *path, size_t size);	/* path: below /sys */

/* makes allocation number n of this thread fail, if the kernel supports it */
int uiot_faults_on(void);
int uiot_fault_arm(int n);	/* returns a descriptor */
int uiot_fault_end(int fd);	/* 0: it failed; else: there were too few */

/* io_uring */
struct uiot_uring {
	int fd;
	size_t size;
	void *rings;
	void *request;
	void *result;
	__u32 *submitted;
};

int uiot_uring_open(struct uiot_uring *ring);
void uiot_uring_close(struct uiot_uring *ring);
int uiot_uring_poll(struct uiot_uring *ring, int fd, unsigned int events);
int uiot_uring_ask(struct uiot_uring *ring, int fd, unsigned int events);
int uiot_uring_pin(struct uiot_uring *ring, void *addr, size_t size);
int uiot_uring_write(struct uiot_uring *ring, int fd, off_t at, const void *addr,
		     size_t size);
int uiot_uring_keep(struct uiot_uring *ring, int fd);
int uiot_uring_forget(struct uiot_uring *ring);

/* passes descriptors through a socket */
int uiot_send_fd(int sock, int fd);
int uiot_recv_fd(int sock);

/* signals of a file */
void uiot_sigio_block(void);
int uiot_sigio_on(int fd);
int uiot_sigio_wait(int ms);	/* the si_code, or a negative error code */

#endif /* _UIO_TESTLIB_H */
