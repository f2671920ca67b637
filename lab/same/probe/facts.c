// SPDX-License-Identifier: GPL-2.0-only
/* Printing facts. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "same.h"

static const struct group *current;
static char prefix[128];

void facts_of(const struct group *group)
{
	current = group;
	prefix[0] = 0;
}

void under(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(prefix, sizeof(prefix) - 2, fmt, args);
	va_end(args);
	strcat(prefix, ".");
}

void at_top(void)
{
	prefix[0] = 0;
}

/* Escapes the value, so that it is one line. */
static void print_value(const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			fputs("\\n", stdout);
		else if (*value == '\t')
			fputs("\\t", stdout);
		else
			putchar(*value);
	}
	putchar('\n');
}

void fact(const char *name, const char *fmt, ...)
{
	char value[8192];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);
	printf("%s/%s%s = ", current->name, prefix, name);
	print_value(value);
}

static const char *error_name(int error)
{
	static char number[16];
	const char *name = strerrorname_np(error);

	if (name)
		return name;
	snprintf(number, sizeof(number), "error %d", error);
	return number;
}

void fact_ret(const char *name, long ret)
{
	if (ret == -1)
		fact(name, "%s", error_name(errno));
	else
		fact(name, "%ld", ret);
}

void fact_err(const char *name, long err)
{
	if (err < 0)
		fact(name, "%s", error_name(-err));
	else
		fact(name, "%ld", err);
}

void fact_ok(const char *name, long ret)
{
	fact(name, "%s", ret == -1 ? error_name(errno) : "ok");
}

void broken(const char *what)
{
	fprintf(stderr, "uio_same: %s: %s: %s\n", current->name, what, strerror(errno));
	fflush(stdout);
	_exit(3);
}
