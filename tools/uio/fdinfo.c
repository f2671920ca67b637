// SPDX-License-Identifier: GPL-2.0-only
/* uio-late-release: what the kernel says about an open file of a UIO device. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holders.h"
#include "tool.h"

static bool is_octal(const char *digits)
{
	return strspn(digits, "01234567") >= 3 && *digits < '4';
}

/* The kernel writes \012 for a newline. */
static char *without_escapes(const char *text)
{
	char *copy = copy_of(text), *to = copy;

	while (*text) {
		if (*text == '\\' && is_octal(text + 1)) {
			*to++ = (text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0');
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = 0;
	return copy;
}

static void set_number(uint64_t *number, const char *value)
{
	uint64_t parsed;

	if (parse_number(value, 10, &parsed))
		*number = parsed;
}

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = without_escapes(value);
}

static void take_fact(struct facts *facts, const char *key, const char *value)
{
	if (!strcmp(key, "uio-serial"))
		set_number(&facts->serial, value);
	else if (!strcmp(key, "uio-device"))
		set_text(&facts->device, value);
	else if (!strcmp(key, "uio-name"))
		set_text(&facts->name, value);
	else if (!strcmp(key, "uio-state"))
		set_text(&facts->state, value);
	else if (!strcmp(key, "uio-file-revoked"))
		facts->revoked = *value == '1';
	else if (!strcmp(key, "tcmu-ring-bytes"))
		set_number(&facts->ring, value);
	else if (!strcmp(key, "tcmu-data-bytes"))
		set_number(&facts->data, value);
}

/*
 * One read() gets all of it, because the kernel makes all of it at once. Thousands of files
 * are read, so a second call to find the end would count.
 */
static bool read_fdinfo(int dir, const char *path, char *text, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	if (n < 0)
		return false;
	text[n] = 0;
	return true;
}

/* Lines are KEY:<tab>VALUE. */
void read_facts(int dir, const char *path, struct facts *facts)
{
	static char text[16384];
	char *line, *next, *value;

	*facts = (struct facts) { .serial = UNKNOWN, .ring = UNKNOWN, .data = UNKNOWN };
	if (!read_fdinfo(dir, path, text, sizeof(text)))
		return;
	for (line = text; *line; line = next) {
		next = strchrnul(line, '\n');
		if (*next)
			*next++ = 0;
		value = strstr(line, ":\t");
		if (!value)
			continue;
		*value = 0;
		take_fact(facts, line, value + 2);
	}
}
