// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_chaos: the main thread. It starts processes again that have ended, ends sleeps, and
 * fails if an operation hangs, if a sleeper was forgotten, or if the kernel complains.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chaos.h"
#include "uio_testlib.h"

static pid_t pids[MAX_PROCESSES];

static unsigned int task_nr(const struct task *task)
{
	return task - world->tasks;
}

/* Prints where a thread is. */
static void show_stack(const struct task *task)
{
	char path[64], buf[2048], *line, *save;

	snprintf(path, sizeof(path), "/proc/%d/stack", task->tid);
	if (uiot_read_file(path, buf, sizeof(buf)))
		return;
	for (line = strtok_r(buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		printf("# %s\n", line);
}

static void check_hang(const struct task *task)
{
	if (!task->limit || task->ticks < task->limit)
		return;
	fail("%s hangs: task %u, operation %lu", task->what, task_nr(task), task->next - 1);
	show_stack(task);
}

/* When must whoever sleeps on the file wake up? */
static enum { NEVER, PERHAPS, NOW } wake_up(__u32 nr)
{
	struct open_file *file = file_find(nr);
	struct registration *reg;
	struct state state;

	if (!file)
		return NEVER;
	reg = registration_find(file->view.owner);
	if (reg && file->view.owner && __atomic_load_n(&reg->ending, __ATOMIC_ACQUIRE))
		return NOW;
	state = look(nr, file->view.owner);
	/* a process that revokes a file may have been killed before it did */
	return state.file_revoked ? NOW : state.file_revoking ? PERHAPS : NEVER;
}

/* A signal would hide a lost wake-up, so whoever should be awake does not get one at once. */
static void check_sleeper(struct task *task)
{
	int when = wake_up(task->sleeps_on);

	if (when != NEVER && ++task->late < TICKS_LATE)
		return;
	if (when != NOW) {
		if (uiot_now_ms() >= task->sleeps_until)
			syscall(SYS_tgkill, task->pid, task->tid, SIGUSR1);
		return;
	}
	fail("%s: a sleeper is forgotten: task %u, operation %lu, file %u", task->what,
	     task_nr(task), task->next - 1, task->sleeps_on);
	show_stack(task);
}

static void look_at(struct task *task)
{
	unsigned long next = __atomic_load_n(&task->next, __ATOMIC_ACQUIRE);

	if (next != task->seen || !task->what) {
		task->seen = next;
		task->ticks = 0;
		task->late = 0;
	}
	task->ticks++;
}

static void check_tasks(void)
{
	struct task *task;

	for (task = world->tasks; task < world->tasks + MAX_TASKS; task++) {
		if (!task->tid)
			continue;
		look_at(task);
		check_hang(task);
		if (task->sleeps)
			check_sleeper(task);
	}
}

/* Processes */

static void start_process(unsigned int process)
{
	pids[process] = user_start(process);
	if (pids[process] < 0) {
		pids[process] = 0;
		/* the kernel may be short of memory for a moment */
		if (!world->faults)
			fail("fork: %s", strerror(errno));
	}
}

static void process_ended(unsigned int process, int status)
{
	struct task *task = task_of(process, 0);
	unsigned int i;

	pids[process] = 0;
	world->born[process] = 0;
	for (i = 0; i < MAX_THREADS; i++, task++) {
		task->what = NULL;
		task->tid = 0;
		task->pid = 0;
		task->shows = NULL;
		task->sleeps = false;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		fail("process %u was killed by signal %d", process, WTERMSIG(status));
}

/* Children of processes that have ended are ours, too. Returns whether any child is left. */
static bool reap(void)
{
	unsigned int i;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < world->processes; i++)
			if (pids[i] == pid)
				process_ended(i, status);
	return !pid;
}

/* May it end? */
bool is_old(unsigned int process)
{
	unsigned int born = __atomic_load_n(&world->born[process], __ATOMIC_ACQUIRE);

	return born && __atomic_load_n(&world->ticks, __ATOMIC_RELAXED) - born >
		       world->old_ticks;
}

/* Chooses a process. Returns 0 if there is none, or if it may not end yet. */
pid_t old_process(struct dice *dice)
{
	unsigned int process;
	pid_t pid;

	if (!world->processes)
		return 0;
	process = roll(dice, world->processes);
	/* first: it may be gone by now, and then it is not old */
	pid = __atomic_load_n(&task_of(process, 0)->pid, __ATOMIC_RELAXED);
	return is_old(process) ? pid : 0;
}

static void start_processes(void)
{
	unsigned int i;

	for (i = 0; i < world->processes; i++)
		if (!pids[i])
			start_process(i);
}

static bool is_enough(long began)
{
	unsigned long done = __atomic_load_n(&world->done, __ATOMIC_RELAXED);
	long ms = uiot_now_ms() - began;

	if (__atomic_load_n(&world->stop, __ATOMIC_ACQUIRE))
		return true;
	if (world->max_ops && done >= world->max_ops)
		return true;
	if (!world->seconds || ms < world->seconds * 1000L)
		return false;
	return has_enough() || ms >= world->seconds * 1000L * SLOW_MACHINE;
}

static void check_log(int log)
{
	char splat[128];

	if (uiot_log_splat(log, splat, sizeof(splat)))
		fail("the kernel complains: %s", splat);
}

/* Returns when the run is over. */
void watch(void)
{
	int log = uiot_log_open();
	long began = uiot_now_ms();

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	while (!is_enough(began)) {
		/* from 1 */
		__atomic_add_fetch(&world->ticks, 1, __ATOMIC_RELAXED);
		reap();
		start_processes();
		check_tasks();
		if (world->ticks % 20 == 0)
			check_log(log);
		usleep(TICK_US);
	}
	__atomic_store_n(&world->stop, true, __ATOMIC_RELEASE);
	check_log(log);
	close(log);
}

/* Kills all processes, with everything open, and waits for them. */
int users_end(void)
{
	long end = uiot_now_ms() + END_MS;
	unsigned int i;

	while (reap()) {
		for (i = 0; i < world->processes; i++)
			if (pids[i])
				kill(pids[i], SIGKILL);
		if (uiot_now_ms() > end)
			return -ETIMEDOUT;
		usleep(TICK_US);
	}
	return 0;
}

void show_tasks(void)
{
	struct task *task;

	for (task = world->tasks; task < world->tasks + MAX_TASKS; task++)
		if (task->tid && task->what) {
			printf("# task %u: %s, operation %lu\n", task_nr(task), task->what,
			       task->next - 1);
			show_stack(task);
		}
}
