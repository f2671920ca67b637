// SPDX-License-Identifier: GPL-2.0-only
/* tcmu_chaos: processes. The first thread of each is a daemon, the others send commands. */

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tcmu.h"

const struct kind user_kinds[] = {
	{ "serve",		300, daemon_serve },
	{ "adopt",		40, daemon_adopt },
	{ "answer",		20, daemon_answer },
	{ "free-kept",		8,  daemon_free_kept },
	{ "misuse",		8,  daemon_misuse },
	{ "babble",		4,  daemon_babble },
	{ "hold",		8,  daemon_hold },
	{ "drop",		8,  daemon_drop },
	{ "rest",		8,  daemon_rest },
	{ "reset-own",		4,  daemon_reset },
	{ "mute",		4,  daemon_mute },
	{ "renew",		2,  daemon_renew },
	{ "exit",		1,  daemon_exit },
	/* of the other threads */
	{ "write",		80, io_write },
	{ "read",		80, io_read },
	{ "big-read",		16, io_big_read },
	{ "ready",		8,  io_ready },
	{ }
};

__u64 user_kinds_of(unsigned int thread)
{
	bool is_daemons = true;
	__u64 kinds = 0;
	unsigned int i;

	for (i = 0; user_kinds[i].name; i++) {
		is_daemons &= user_kinds[i].run != io_write;
		if (is_daemons == !thread)
			kinds |= 1ULL << i;
	}
	return kinds & world->user_kinds;
}

static void run_thread(struct task *task, unsigned int thread, void *actor)
{
	__u64 kinds = user_kinds_of(thread);

	task->pid = getpid();
	task->tid = gettid();
	while (kinds && !NOW(world->stop))
		run_next(user_kinds, kinds, task, actor);
}

static void *run_initiator(void *arg)
{
	struct task *task = arg;

	run_thread(task, 1, task);
	return NULL;
}

/* The first thread returns when the run ends. Then everything is open: watch() kills us. */
static void run_process(unsigned int process)
{
	struct task *task = task_of(process, 0);
	pthread_t thread;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	catch_touches();
	daemon_begin(process % 2);
	SET(task->pid, getpid());
	SET(world->born[process], world->ticks);
	for (i = 1; i < world->threads; i++)
		if (pthread_create(&thread, NULL, run_initiator, task + i))
			_exit(1);
	run_thread(task, 0, &process);
	for (;;)
		pause();
}

pid_t user_start(unsigned int process)
{
	pid_t pid = fork();

	if (!pid)
		run_process(process);
	return pid;
}
