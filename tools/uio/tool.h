/* SPDX-License-Identifier: GPL-2.0-only */
/* uio-late-release: what all its commands share. */

#ifndef _UIO_TOOL_H
#define _UIO_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOOL	"uio-late-release"

/* Exit statuses. Commands other than status have no TODO. */
#define EXIT_FINE	0
#define EXIT_TODO	1
#define EXIT_TROUBLE	2

#define ARRAY_SIZE(_array)	(sizeof(_array) / sizeof((_array)[0]))

/* Prints a message, and exits with EXIT_TROUBLE. */
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* memory: these exit if there is none */
void *grow(void *array, size_t nr, size_t size);	/* room for one more than nr */
char *copy_of(const char *text);
char *format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* a text that is used again and again; it ends with a 0, which does not count */
struct text {
	char *data;
	size_t len;
	size_t size;
};

int read_text(int dir, const char *path, struct text *text);	/* a negative error code */
char *read_line(const char *path);	/* without the newline at the end; NULL: an error */
bool starts_with(const char *text, const char *start);
const char *parse_number(const char *text, int base, uint64_t *value);	/* NULL: none */

/* The output of a command, without newlines at the end. Its status; 127: there is none. */
int output_of(char **output, const char *const *argv);

/* A text that comes from a user: without control characters, at least so wide. */
void print_clean(const char *text, int width);
void json_text(const char *key, const char *text);	/* NULL: null */

/* uio-late-release status; argv[0] is the first argument */
int status_main(int argc, char *const *argv);
int holders_main(int argc, char *const *argv);
int watch_main(int argc, char *const *argv);

#endif /* _UIO_TOOL_H */
