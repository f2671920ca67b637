// SPDX-License-Identifier: GPL-2.0-only
/* Library of the tests of uio-late-release: runs it, and reads its output. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "uio_testlib_tool.h"

#define NOBODY		65534
#define OUTPUT_SIZE	(1024 * 1024)

const char *uiot_tool(void)
{
	static const char *const paths[] = {
		"./uio-late-release", "/usr/bin/uio-late-release",
	};
	unsigned int i;

	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (!access(paths[i], X_OK))
			return paths[i];
	return NULL;
}

/* By a descriptor, because nobody may not search the directory that the tool is in. */
static void run_child(enum uiot_tool_user user, bool errors, int out, const char *const *argv)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin", NULL };
	int tool = open(uiot_tool(), O_RDONLY | O_CLOEXEC);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(out, STDOUT_FILENO);
	dup2(errors ? out : null, STDERR_FILENO);
	if (user == UIOT_ROOT || (!setresgid(NOBODY, NOBODY, NOBODY) &&
				  !setresuid(NOBODY, NOBODY, NOBODY)))
		fexecve(tool, (char *const *)argv, (char *const *)env);
	_exit(126);
}

int uiot_tool_run(enum uiot_tool_user user, bool errors, const char *const *argv,
		  char *text, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;
	int fds[2], status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		run_child(user, errors, fds[1], argv);
	close(fds[1]);
	while (n > 0 && len + 1 < size) {
		n = read(fds[0], text + len, size - len - 1);
		if (n > 0)
			len += n;
	}
	text[len] = 0;
	close(fds[0]);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

/* The value of a key in this line of JSON, or NULL. */
static const char *find_value(const char *line, const char *key)
{
	char start[48];

	snprintf(start, sizeof(start), "\"%s\": ", key);
	line = strstr(line, start);
	return line ? line + strlen(start) : NULL;
}

static long long number_of(const char *line, const char *key, long long old)
{
	const char *value = find_value(line, key);

	if (!value)
		return old;
	return *value == 'n' ? -1 : atoll(value);
}

/* Texts of tests have no quotes. */
static void read_string(const char *line, const char *key, char *text, size_t size)
{
	const char *value = find_value(line, key);

	if (value && *value == '"')
		snprintf(text, size, "%.*s", (int)strcspn(value + 1, "\""), value + 1);
}

static void read_device(const char *line, struct uiot_holder *device)
{
	if (find_value(line, "serial"))
		*device = (struct uiot_holder) { .place = device->place + 1 };
	device->serial = number_of(line, "serial", device->serial);
	device->ring = number_of(line, "ring_bytes", device->ring);
	device->data = number_of(line, "data_bytes", device->data);
	read_string(line, "device", device->device, sizeof(device->device));
	read_string(line, "state", device->state, sizeof(device->state));
	read_string(line, "name", device->name, sizeof(device->name));
	read_string(line, "backstore", device->backstore, sizeof(device->backstore));
	read_string(line, "handler", device->handler, sizeof(device->handler));
}

/* Each holder has a line. */
static bool read_holder(const char *line, struct uiot_holder *holder)
{
	if (!find_value(line, "pid"))
		return false;
	holder->pid = number_of(line, "pid", 0);
	holder->tid = number_of(line, "tid", 0);
	holder->descriptors = number_of(line, "descriptors", 0);
	holder->revoked = number_of(line, "revoked_descriptors", 0);
	holder->mapped = number_of(line, "mapped_bytes", 0);
	holder->present = number_of(line, "present_bytes", 0);
	read_string(line, "command", holder->command, sizeof(holder->command));
	return true;
}

int uiot_tool_holders(enum uiot_tool_user user, pid_t pid, struct uiot_holder *found,
		      int max, int *unseen)
{
	static const char *const argv[] = { "uio-late-release", "holders", "--json", NULL };
	struct uiot_holder device = { .place = -1 };
	char *text = malloc(OUTPUT_SIZE), *line, *next;
	long long others = -1;
	int nr = 0, ret;

	if (!text)
		return -ENOMEM;
	ret = uiot_tool_run(user, false, argv, text, OUTPUT_SIZE);
	for (line = strtok_r(text, "\n", &next); line && !ret;
	     line = strtok_r(NULL, "\n", &next)) {
		others = number_of(line, "unseen_processes", others);
		read_device(line, &device);
		if (read_holder(line, &device) && device.pid == pid && nr < max)
			found[nr++] = device;
	}
	free(text);
	if (ret || others < 0)
		return -EIO;
	if (unseen)
		*unseen = others;
	return nr;
}

bool uiot_tool_core_tells(int fd)
{
	char path[48], text[4096];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return !uiot_read_file(path, text, sizeof(text)) && strstr(text, "uio-serial:");
}
