/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probe prints what a program and a driver can see of a live UIO device. Each line is a
 * fact:
 *
 *	GROUP/NAME = VALUE
 *
 * Names are the same on each core. Values contain no addresses, times or process numbers.
 * Each group runs in a process of its own.
 */

#ifndef _UIO_SAME_PROBE_H
#define _UIO_SAME_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "uio_same_abi.h"
#include "uio_testlib.h"

#define ARRAY_SIZE(_array)	(sizeof(_array) / sizeof((_array)[0]))

/**
 * struct group - facts that belong together
 * @name: the name of the test that compares them
 * @run: prints the facts
 * @a: parameter of @run
 * @b: parameter of @run
 */
struct group {
	const char *name;
	void (*run)(const struct group *group);
	int a;
	int b;
};

/* Each table ends with an entry without a name. */
extern const struct group file_groups[];
extern const struct group wait_groups[];
extern const struct group call_groups[];
extern const struct group map_groups[];
extern const struct group split_groups[];
extern const struct group access_groups[];
extern const struct group change_groups[];
extern const struct group callback_groups[];
extern const struct group pair_groups[];
extern const struct group sysfs_groups[];
extern const struct group uevent_groups[];
extern const struct group register_groups[];
extern const struct group core_groups[];
extern const struct group async_groups[];

/* facts.c */
void facts_of(const struct group *group);

/* Set a prefix for the names of facts, which a dot follows; reset it. */
void under(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void at_top(void);
void fact(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Print a return value: a number, or for -1 the name of the error in errno. */
void fact_ret(const char *name, long ret);
/* Print the return value of a function that returns a negative error code. */
void fact_err(const char *name, long err);
/* Print "ok", or for -1 the name of the error in errno. */
void fact_ok(const char *name, long ret);

/* Makes a call with errno cleared, and prints its return value. */
#define TRY(_name, _call) do {						\
	errno = 0;							\
	fact_ret(_name, (long)(_call));					\
} while (0)

#define TRY_OK(_name, _call) do {					\
	errno = 0;							\
	fact_ok(_name, (long)(_call));					\
} while (0)

/* For errors of the probe itself: prints a message and ends the group. */
void broken(const char *what) __attribute__((noreturn));

/* device.c */

/**
 * struct dev - a driver with its device
 * @ctl: the descriptor of the driver
 * @minor: of the registered device
 * @node: the path of its node
 */
struct dev {
	int ctl;
	int minor;
	char node[32];
};

struct dev dev_new(void);
void dev_set(const struct dev *dev, enum uio_same_field field, unsigned int index,
	     long long value);
void dev_text(const struct dev *dev, enum uio_same_field field, unsigned int index,
	      const char *text);
void dev_mem(const struct dev *dev, unsigned int index, enum uio_same_backing backing,
	     int type, unsigned int pages);
int dev_register(struct dev *dev, unsigned long how);
/* Registers a device, and ends the group if that fails. */
void dev_up(struct dev *dev);
void dev_unregister(const struct dev *dev);
void dev_notify(const struct dev *dev, unsigned long times);
int dev_open(const struct dev *dev, int flags);
long dev_ioctl(const struct dev *dev, unsigned long request, unsigned long arg);
unsigned int dev_peek(const struct dev *dev, unsigned int index, unsigned int page);
void dev_poke(const struct dev *dev, unsigned int index, unsigned int page,
	      unsigned int word);

/* A registered device without memory. @irq: UIO_SAME_IRQ_... */
struct dev dev_plain(long irq);

/* What the driver has seen since the last call: the names in order, or with details. */
void log_forget(const struct dev *dev);
void fact_log(const struct dev *dev, const char *name);
void fact_details(const struct dev *dev, const char *name);

/* misc.c */
int in_child(int (*fn)(void *arg), void *arg);
unsigned int poll_mask(int fd, unsigned int events);
void fact_poll(const char *name, int fd);
void fact_read(const char *name, int fd);
void fact_attribute(const struct dev *dev, const char *name, const char *file);
const char *mask_words(unsigned int mask);
/* the ways to wait for an event */
struct way {
	const char *name;
	long (*fn)(struct uiot_op *op);
};

extern const struct way ways[7];
struct uiot_op *op_start(long (*fn)(struct uiot_op *op), int fd);
void fact_asleep(const char *name, struct uiot_op *op);
void fact_done(const char *name, struct uiot_op *op);
size_t page_size(void);

#endif /* _UIO_SAME_PROBE_H */
