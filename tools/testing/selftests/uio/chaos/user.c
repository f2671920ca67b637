// SPDX-License-Identifier: GPL-2.0-only
/* uio_chaos: user space: processes with threads. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "chaos.h"
#include "uio_testlib.h"

const struct kind user_kinds[] = {
	{ "open",		40, do_open },
	{ "open-by-name",	6,  do_open_by_name },
	{ "close",		16, do_close },
	{ "close-asleep",	4,  do_close_asleep },
	{ "dup",		10, do_dup },
	{ "read",		16, do_read },
	{ "write",		16, do_write },
	{ "poll",		16, do_poll },
	{ "select",		4,  do_select },
	{ "epoll",		12, do_epoll },
	{ "fasync",		8,  do_fasync },
	{ "revoke-file",	8,  do_revoke },
	{ "ioctl",		1,  do_ioctl },
	{ "sysfs",		4,  do_sysfs },
	{ "mmap",		80, do_mmap },
	{ "munmap",		8,  do_munmap },
	{ "munmap-part",	6,  do_munmap_part },
	{ "load",		80, do_load },
	{ "store",		50, do_store },
	{ "walk",		20, do_walk },
	{ "mprotect",		10, do_mprotect },
	{ "move",		10, do_move },
	{ "dontunmap",		4,  do_dontunmap },
	{ "shrink",		4,  do_shrink },
	{ "madvise",		16, do_madvise },
	{ "mlock",		4,  do_mlock },
	{ "mincore",		4,  do_mincore },
	{ "vm-read",		8,  do_vm_read },
	{ "vm-write",		8,  do_vm_write },
	{ "mem-read",		8,  do_mem_read },
	{ "mem-write",		8,  do_mem_write },
	{ "vm-other",		4,  do_vm_other },
	{ "direct-write",	2,  do_direct_write },
	{ "direct-read",	2,  do_direct_read },
	{ "splice",		4,  do_splice },
	{ "ring-pin",		2,  do_ring_pin },
	{ "ring-write",		2,  do_ring_write },
	{ "ring-poll",		2,  do_ring_poll },
	{ "fork",		2,  do_fork },
	{ "fork-kill",		1,  do_fork_kill },
	{ "send",		4,  do_send },
	{ "receive",		4,  do_receive },
	{ "exit",		1,  do_exit },
	{ }
};

static struct user users[MAX_THREADS];

/* All threads do all of them. */
__u64 user_kinds_of(unsigned int thread)
{
	return world->user_kinds;
}

static void wake(int sig)
{
	(void)sig;
}

static void set_signals(void)
{
	struct sigaction sa = { .sa_handler = wake };

	/* without SA_RESTART: it ends a sleep */
	sigaction(SIGUSR1, &sa, NULL);
	signal(SIGIO, SIG_IGN);
	signal(SIGRTMIN, SIG_IGN);
	catch_touches();
}

static void open_user(struct user *user, unsigned int process, unsigned int thread)
{
	*user = (struct user){
		.task = task_of(process, thread),
		.process = process,
		.thread = thread,
		.attribute = -1,
		.pipe = { -1, -1 },
	};
	/* nobody else writes to it, not even what is left of a process that was killed */
	user->scratch = open(".", O_RDWR | O_TMPFILE | O_CLOEXEC | O_DIRECT, 0600);
	if (pipe2(user->pipe, O_NONBLOCK | O_CLOEXEC))
		user->pipe[1] = -1;
	user->aligned = aligned_alloc(uiot_page(), uiot_page());
}

static bool is_stopped(void)
{
	return __atomic_load_n(&world->stop, __ATOMIC_ACQUIRE);
}

/* Runs some operations: all, if @operations is 0. */
void user_run(struct user *user, unsigned long operations)
{
	while (!is_stopped()) {
		run_next(user_kinds, world->user_kinds, user->task, user);
		if (operations && !--operations)
			break;
	}
}

static void *user_thread(void *arg)
{
	struct user *user = arg;

	user->task->pid = getpid();
	user->task->tid = gettid();
	user_run(user, 0);
	return NULL;
}

/* The first thread of the process returns when the run ends. */
static void run_process(unsigned int process)
{
	pthread_t thread;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set_signals();
	__atomic_store_n(&task_of(process, 0)->pid, getpid(), __ATOMIC_RELAXED);
	__atomic_store_n(&world->born[process], world->ticks, __ATOMIC_RELEASE);
	for (i = 0; i < world->threads; i++) {
		open_user(&users[i], process, i);
		if (i && pthread_create(&thread, NULL, user_thread, &users[i]))
			_exit(1);
	}
	user_thread(&users[0]);
	/* everything is open and mapped: watch() kills us */
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
