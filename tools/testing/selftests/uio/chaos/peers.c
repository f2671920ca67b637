// SPDX-License-Identifier: GPL-2.0-only
/* uio_chaos: other processes, and access to memory from outside. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chaos.h"
#include "uio_testlib.h"

/* Access from outside */

static unsigned int any_page(const struct map *map, struct dice *dice)
{
	return roll(dice, map->pages);
}

static __u32 word_at(const struct map *map, unsigned int page)
{
	return WORD(MINE, map->view.owner, map->region, map->first + page);
}

static bool is_io(const struct map *map)
{
	return memory_kinds[map->view.kind[map->region]].io;
}

/* The kernel looks at I/O memory while it is inside the driver, and pins other pages. */
static struct sight sight_from_outside(const char *how, const struct map *map,
				       unsigned int page)
{
	struct sight sight = sight_begin(how, &map->view, map->file, map->region,
					 map->first + page);

	sight.pinned = !is_io(map);
	return sight;
}

OPERATION(do_vm_read)
{
	struct map *map = any_map(actor, dice);
	unsigned int page = map ? any_page(map, dice) : 0;
	__u32 word;
	struct iovec to = { &word, sizeof(word) };
	struct iovec from;
	struct sight sight;

	if (!map)
		return;
	from = (struct iovec){ map->addr + page * uiot_page(), sizeof(word) };
	sight = sight_from_outside("process_vm_readv", map, page);
	if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) == sizeof(word))
		judge_word(&sight, word);
}

OPERATION(do_vm_write)
{
	struct map *map = any_map(actor, dice);
	unsigned int page = map ? any_page(map, dice) : 0;
	__u32 word;
	struct iovec from = { &word, sizeof(word) };
	struct iovec to;
	struct sight sight;

	if (!map)
		return;
	word = word_at(map, page);
	to = (struct iovec){ map->addr + page * uiot_page(), sizeof(word) };
	sight = sight_from_outside("process_vm_writev", map, page);
	if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) == sizeof(word))
		judge_seen(&sight);
}

/* This memory is RAM: the kernel refuses to access it as I/O memory, and warns. */
static bool is_ram_as_io(const struct map *map)
{
	return is_io(map) && memory_kinds[map->view.kind[map->region]].has_words;
}

OPERATION(do_mem_read)
{
	struct map *map = any_map(actor, dice);
	unsigned int page = map ? any_page(map, dice) : 0;
	struct sight sight;
	__u32 word;
	int fd;

	if (!map || is_ram_as_io(map))
		return;
	fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	sight = sight_from_outside("read of /proc/PID/mem", map, page);
	if (pread(fd, &word, sizeof(word), (off_t)(unsigned long)map->addr + page * uiot_page()) ==
	    sizeof(word))
		judge_word(&sight, word);
	close(fd);
}

/*
 * To copy a page that has no count, mm reads it at the address of the mapping, and warns if
 * that is PROT_NONE.
 */
static bool is_copied_blindly(const struct map *map)
{
	return map->private && map->prot == PROT_NONE;
}

OPERATION(do_mem_write)
{
	struct map *map = any_map(actor, dice);
	unsigned int page = map ? any_page(map, dice) : 0;
	struct sight sight;
	__u32 word;
	int fd;

	if (!map || is_ram_as_io(map) || is_copied_blindly(map))
		return;
	word = word_at(map, page);
	fd = open("/proc/self/mem", O_WRONLY | O_CLOEXEC);
	sight = sight_from_outside("write of /proc/PID/mem", map, page);
	if (pwrite(fd, &word, sizeof(word), (off_t)(unsigned long)map->addr + page * uiot_page()) ==
	    sizeof(word))
		judge_seen(&sight);
	close(fd);
}

/* Another process may map something else there meanwhile, so nothing is wrong. */
OPERATION(do_vm_other)
{
	struct task *other = task_of(roll(dice, world->processes), roll(dice, world->threads));
	struct user *user = actor;
	char buf[64];
	struct iovec to = { buf, sizeof(buf) };
	struct iovec from = { other->shows, sizeof(buf) };

	if (other != user->task && other->pid && other->shows)
		process_vm_readv(other->pid, &to, 1, &from, 1, 0);
}

/* Children */

static void be_child(struct user *user, pid_t parent, unsigned int operations)
{
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* it was killed before that: nobody would end our sleeps */
	if (getppid() != parent)
		_exit(0);
	user->depth++;
	/* it is the parent's, and its pages need not be mapped here */
	user->has_ring = false;
	user->task->pid = getpid();
	user->task->tid = gettid();
	for (i = 0; i < MAPS; i++)
		if (user->maps[i].not_forked)
			user->maps[i].pages = 0;
	user_run(user, operations);
	task_begin(user->task, "exit of a child");
	_exit(0);
}

static void forked(struct user *user, unsigned int operations, bool kill_it)
{
	struct task *task = user->task;
	pid_t parent = getpid(), pid;
	int status = 0;

	if (user->depth > 1)
		return;
	pid = fork_between();
	if (!pid)
		be_child(user, parent, operations);
	if (pid < 0)
		return;
	happened(CHILDREN);
	if (kill_it)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	__atomic_store_n(&task->sleeps, false, __ATOMIC_RELEASE);
	task->pid = getpid();
	task->tid = gettid();
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		fail("a child was killed by signal %d", WTERMSIG(status));
}

OPERATION(do_fork)
{
	forked(actor, 1 + roll(dice, 12), false);
}

OPERATION(do_fork_kill)
{
	forked(actor, 1000, true);
}

OPERATION(do_exit)
{
	struct user *user = actor;

	if (user->depth || is_old(user->process))
		_exit(0);
}

/* Passing descriptors. The socket of a process outlives it. */

static int mailboxes[MAX_PROCESSES][2];

int mailboxes_open(void)
{
	unsigned int i;

	for (i = 0; i < world->processes; i++)
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
			       mailboxes[i]))
			return -errno;
	return 0;
}

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static struct msghdr message(struct iovec *iov, union control *control)
{
	return (struct msghdr){
		.msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(*control),
	};
}

OPERATION(do_send)
{
	__u32 file;
	struct iovec iov = { &file, sizeof(file) };
	union control control = { 0 };
	struct msghdr msg = message(&iov, &control);
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
	int fd;

	if (!take(dice, &fd, &file))
		return;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	sendmsg(mailboxes[roll(dice, world->processes)][0], &msg, 0);
	give(dice, fd, file);
}

/* Returns the descriptor, or -1. */
static int receive(unsigned int process, __u32 *file)
{
	struct iovec iov = { file, sizeof(*file) };
	union control control;
	struct msghdr msg = message(&iov, &control);
	struct cmsghdr *header;
	ssize_t size;
	int fd;

	make_begin();
	size = recvmsg(mailboxes[process][1], &msg, MSG_CMSG_CLOEXEC);
	make_end();
	if (size != sizeof(*file))
		return -1;
	header = CMSG_FIRSTHDR(&msg);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -1;
	happened(PASSED);
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

OPERATION(do_receive)
{
	struct user *user = actor;
	__u32 file;
	int fd = receive(user->process, &file);

	if (fd >= 0)
		give(dice, fd, file);
}

/* The last sockets: descriptors in them are closed as well. */
void mailboxes_close(void)
{
	unsigned int i;

	for (i = 0; i < world->processes; i++) {
		close(mailboxes[i][0]);
		close(mailboxes[i][1]);
	}
}
