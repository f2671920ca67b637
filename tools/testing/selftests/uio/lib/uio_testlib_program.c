// SPDX-License-Identifier: GPL-2.0-only
/* Library of the UIO tests: programs whose output the test reads. */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "uio_testlib.h"

int uiot_program_start(struct uiot_program *p, const char *file, const char *arg,
		       const char *next_arg)
{
	int fds[2];

	*p = (struct uiot_program) { 0 };
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	p->pid = fork();
	if (!p->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		execl(file, file, arg, next_arg, NULL);
		_exit(127);
	}
	p->out = fds[0];
	close(fds[1]);
	return p->pid < 0 ? -errno : 0;
}

bool uiot_program_says(struct uiot_program *p, const char *text)
{
	struct pollfd pfd = { .fd = p->out, .events = POLLIN };
	ssize_t n;

	while (!strstr(p->said, text)) {
		if (poll(&pfd, 1, UIOT_SOON_MS) != 1)
			return false;
		n = read(p->out, p->said + p->len, sizeof(p->said) - p->len - 1);
		if (n <= 0)
			return false;
		p->len += n;
	}
	return true;
}

static bool has_ended(void *arg)
{
	struct uiot_program *p = arg;

	return waitpid(p->pid, &p->status, WNOHANG) == p->pid;
}

int uiot_program_end(struct uiot_program *p)
{
	bool ended = uiot_wait_until(has_ended, p, UIOT_SOON_MS);

	if (!ended) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, &p->status, 0);
	}
	close(p->out);
	if (!ended)
		return -ETIMEDOUT;
	return WIFEXITED(p->status) ? WEXITSTATUS(p->status) : -EINTR;
}
