// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_same [GROUP...]: print the facts of all groups, or of these. The last fact of a
 * group says how its process ended.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "same.h"

static const struct group *const all_groups[] = {
	file_groups, wait_groups, call_groups, map_groups, split_groups,
	access_groups, change_groups, callback_groups, pair_groups, sysfs_groups,
	uevent_groups, register_groups, core_groups, async_groups,
};

static void tell_end(const struct group *group, int status, bool in_time)
{
	facts_of(group);
	if (!in_time)
		fact("ended", "never");
	else if (WIFSIGNALED(status))
		fact("ended", "by signal %s", sigabbrev_np(WTERMSIG(status)));
	else
		fact("ended", "status %d", WEXITSTATUS(status));
}

struct child_end {
	pid_t pid;
	int status;
};

static bool child_ended(void *arg)
{
	struct child_end *end = arg;

	return waitpid(end->pid, &end->status, WNOHANG) == end->pid;
}

static void run(const struct group *group)
{
	struct child_end end = { };
	bool in_time;

	/* if the kernel dies, the last line names the group */
	fprintf(stderr, "# %s\n", group->name);
	fflush(stdout);
	end.pid = fork();
	if (end.pid < 0) {
		perror("uio_same: fork");
		exit(3);
	}
	if (!end.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		facts_of(group);
		group->run(group);
		exit(0);
	}
	in_time = uiot_wait_until(child_ended, &end, 12 * UIOT_SOON_MS);
	/* also kill processes that the group has started */
	kill(-end.pid, SIGKILL);
	if (!in_time)
		uiot_wait_until(child_ended, &end, UIOT_SOON_MS);
	tell_end(group, end.status, in_time);
}

static bool chosen(const struct group *group, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, group->name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const struct group *group;
	unsigned int i;

	(void)argc;
	for (i = 0; i < ARRAY_SIZE(all_groups); i++)
		for (group = all_groups[i]; group->name; group++)
			if (chosen(group, argv + 1))
				run(group);
	return 0;
}
