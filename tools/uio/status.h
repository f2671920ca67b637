/* SPDX-License-Identifier: GPL-2.0-only */
/* uio-late-release status: whether late release is used. */

#ifndef _UIO_STATUS_H
#define _UIO_STATUS_H

#include <stdbool.h>

/* What modinfo says about a module that modprobe would load. NULL: it does not say it. */
struct module {
	char *file;
	char *version;
	char *srcversion;
	bool out_of_tree;
};

/* Returns whether there is such a module. */
bool find_module(const char *kernel, const char *name, struct module *module);
void free_module(struct module *module);

/*
 * What was found. say_fine() prints nothing with --quiet. say_todo() changes the exit status.
 * say_note() is about something that nobody can change.
 */
void say_fine(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_todo(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

void check_loaded(void);			/* loaded.c */
void check_secure_boot(void);			/* secure-boot.c */
/* kernels.c: without names, all installed kernels */
void check_kernels(int nr, char *const *kernels);

#endif /* _UIO_STATUS_H */
