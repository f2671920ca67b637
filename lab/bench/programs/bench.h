/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uio_bench: declarations that all cases share. A case measures one operation. Any error
 * ends the program with a message.
 */

#ifndef _BENCH_H
#define _BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counter.h"
#include "uio_bench_abi.h"

#define PAGE	4096

/* The form of device that is measured, from the command line. */
struct form {
	const char *name;
	unsigned int core;
	bool context;
};

extern const struct form *form;

/**
 * struct bench_case - something to measure
 * @name: as in the table of cases
 * @setup: called once before; optional
 * @op: does the operation once; returns how much the counter advanced in it
 * @teardown: called once after; optional
 * @repeats: number of operations in a batch; a batch gives their mean
 * @batches: number of batches; the result is their median
 * @wants: the case is only for forms for which this returns true; NULL: for all
 * @is_result: @op returns the result itself, not time
 */
struct bench_case {
	const char *name;
	void (*setup)(void);
	uint64_t (*op)(void);
	void (*teardown)(void);
	unsigned int repeats;
	unsigned int batches;
	bool (*wants)(const struct form *form);
	bool is_result;
};

/* cases_*.c; a case without a name ends the list */
extern const struct bench_case file_cases[];
extern const struct bench_case map_cases[];
extern const struct bench_case life_cases[];
extern const struct bench_case holder_cases[];
extern const struct bench_case rate_cases[];
extern const struct bench_case memory_cases[];

/* lib.c: the device */
extern int control;
extern int file;
extern char node[32];

void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void device_add(unsigned int regions, unsigned int count);
void device_make(unsigned int regions);
void device_remove(void);
uint64_t device_unregister(void);
int device_open(int flags);
bool can_be_revoked(const struct form *form);
void read_until_revoked(void);
void allow_files(unsigned int nr);
void notify(void);
uint64_t stamp(void);
void *map(int fd, unsigned int region, size_t size);
void unmap(void *p, size_t size);
void touch(const char *p);

/* lib.c: priority of threads */
void go_first(void);
void go_like_others(void);

#endif /* _BENCH_H */
