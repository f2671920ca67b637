// SPDX-License-Identifier: GPL-2.0-only
/* uio-late-release: memory, files, numbers, commands. */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

void die(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs(TOOL ": ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(EXIT_TROUBLE);
}

/* Doubles the room each time it is full, which is at powers of two. */
void *grow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	array = reallocarray(array, nr ? 2 * nr : 1, size);
	if (!array)
		die("out of memory");
	return array;
}

char *copy_of(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		die("out of memory");
	return copy;
}

char *format(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	return text;
}

static int read_all(int fd, struct text *text)
{
	ssize_t n;

	text->len = 0;
	do {
		if (text->size - text->len < 4096) {
			text->size = text->size ? 2 * text->size : 8192;
			text->data = realloc(text->data, text->size);
			if (!text->data)
				die("out of memory");
		}
		n = read(fd, text->data + text->len, text->size - text->len - 1);
		if (n > 0)
			text->len += n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	text->data[text->len] = 0;
	return n < 0 ? -errno : 0;
}

int read_text(int dir, const char *path, struct text *text)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = read_all(fd, text);
	close(fd);
	return ret;
}

static void cut_newlines(struct text *text, size_t most)
{
	while (most-- && text->len && text->data[text->len - 1] == '\n')
		text->data[--text->len] = 0;
}

char *read_line(const char *path)
{
	struct text text = {};

	if (read_text(AT_FDCWD, path, &text)) {
		free(text.data);
		return NULL;
	}
	cut_newlines(&text, 1);
	return text.data;
}

bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* Unlike strtoull(), takes neither blanks nor a sign. */
const char *parse_number(const char *text, int base, uint64_t *value)
{
	const char *digits = "0123456789abcdef";
	const char *start = text, *digit;

	for (*value = 0; *text; text++) {
		digit = memchr(digits, *text, base);
		if (!digit)
			break;
		*value = *value * base + (digit - digits);
	}
	return text == start ? NULL : text;
}

static void run_child(int out, const char *const *argv)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDIN_FILENO);
	dup2(null, STDERR_FILENO);
	dup2(out, STDOUT_FILENO);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

int output_of(char **output, const char *const *argv)
{
	struct text text = {};
	int fds[2], status;
	pid_t pid;

	fflush(stdout);
	if (pipe2(fds, O_CLOEXEC))
		die("can't run %s: %s", argv[0], strerror(errno));
	pid = fork();
	if (pid < 0)
		die("can't run %s: %s", argv[0], strerror(errno));
	if (!pid)
		run_child(fds[1], argv);
	close(fds[1]);
	read_all(fds[0], &text);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	cut_newlines(&text, text.len);
	*output = text.data;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
