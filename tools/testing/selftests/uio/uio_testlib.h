/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of UIO share: devices made by the uio_test module, touches
 * that may raise a signal, things that go on in threads and children. Functions
 * return 0 or a negative error code unless they say otherwise; none waits for
 * ever.
 */

#ifndef _UIO_TESTLIB_H
#define _UIO_TESTLIB_H

#include <linux/types.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/* How long what must happen may take, on a slow emulated CPU. */
#define UIOT_SOON_MS	5000
/* How long to look for what must not happen. */
#define UIOT_WHILE_MS	100

/* What word every page of a fresh region is filled with. */
#define UIOT_WORD(map, page)	(0x7e570000u | (map) << 8 | (page))

/* waiting */
bool uiot_wait_until(bool (*cond)(void *arg), void *arg, int ms);

/* devices of the uio_test module */
struct uiot_dev {
	char name[48];
	char node[32];
};

int uiot_load(const char *module);
int uiot_reset(void);
int uiot_cmd(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int uiot_create(struct uiot_dev *dev, const char *options);
int uiot_do(const struct uiot_dev *dev, const char *command);
long uiot_count(const struct uiot_dev *dev, const char *counter);
bool uiot_count_becomes(const struct uiot_dev *dev, const char *counter,
			long value);
int uiot_set(const struct uiot_dev *dev, const char *file, long value);
int uiot_open(const struct uiot_dev *dev, int flags);
__u32 uiot_peek(const struct uiot_dev *dev, int map, int page);
int uiot_poke(const struct uiot_dev *dev, int map, int page, __u32 word);
void *uiot_map(int fd, int map, int pages, int prot, int flags);
int uiot_sysfs(const struct uiot_dev *dev, const char *file, char *buf,
	       size_t size);
int uiot_sysfs_open(const struct uiot_dev *dev, const char *file);
int uiot_read_file(const char *path, char *buf, size_t size);
int uiot_write_file(const char *path, const char *text);

/* modules */
long uiot_module_refs(const char *module);
int uiot_module_remove(const char *module);

/* memory: 0 or the signal that the touch raised */
int uiot_load_word(const void *addr, __u32 *word);
int uiot_store_word(void *addr, __u32 word);
size_t uiot_page(void);
void *uiot_move(void *p, int pages);	/* mremap() to where nothing is */

/*
 * Something that may block, in a thread; in a child for what blocks with the
 * lock of the address space held, the operation must then be shared memory.
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
long uiot_op_mmap(struct uiot_op *op);
long uiot_op_load(struct uiot_op *op);	/* addr is touched */
long uiot_op_close(struct uiot_op *op);
long uiot_op_cmd(struct uiot_op *op);	/* text is the command */

struct uiot_op *uiot_op_alloc(void);
int uiot_start(struct uiot_op *op);
int uiot_wait_asleep(struct uiot_op *op);
int uiot_join(struct uiot_op *op, int ms);

/* a child that does what it is asked for */
struct uiot_child {
	pid_t pid;
	int ask;
	int answer;
};

int uiot_child_start(struct uiot_child *child, int (*fn)(void *arg, int what),
		     void *arg);
int uiot_child_ask(struct uiot_child *child, int what);
int uiot_child_end(struct uiot_child *child);

/* the uio_window module holds threads of that name up until it is told to go */
#define UIOT_WINDOW	"uio-window"

int uiot_window_arm(bool after);
bool uiot_window_hit(void);
void uiot_window_go(void);

/* descriptors through a socket */
int uiot_send_fd(int sock, int fd);
int uiot_recv_fd(int sock);

/* signals of a file */
int uiot_sigio_on(int fd);
int uiot_sigio_wait(int ms);	/* the si_code, or a negative error code */

#endif /* _UIO_TESTLIB_H */
