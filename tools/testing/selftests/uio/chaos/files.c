// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_chaos: descriptors. The threads of a process share them. A thread takes a descriptor out
 * of the table while it uses it, so that nobody closes it and opens another file by that
 * number. Others use the same open file through copies: dup, fork, passed descriptors.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>

#include <linux/uio_device.h>

#include "chaos.h"
#include "uio_testlib.h"

/* the number of the open file, and the descriptor + 1 */
__u64 held[FILES];

static const struct view nothing_known;

static const struct view *view_of(__u32 nr)
{
	struct open_file *file = file_find(nr);

	return file ? &file->view : &nothing_known;
}

/* After the end, all operations of the file have to say so. */
static bool is_over(const struct state *state)
{
	return state->gone || state->file_revoked;
}

static __u64 swap(unsigned int slot, __u64 value)
{
	return __atomic_exchange_n(&held[slot], value, __ATOMIC_ACQ_REL);
}

/* Takes any descriptor. Returns false if it finds none. */
bool take(struct dice *dice, int *fd, __u32 *file)
{
	unsigned int at = roll(dice, FILES), i;
	__u64 value = 0;

	for (i = 0; !value && i < FILES; i++)
		value = swap((at + i) % FILES, 0);
	*file = value >> 32;
	*fd = (int)(__u32)value - 1;
	return value;
}

/* The same, of a certain open file. */
static bool take_file(__u32 file, int *fd)
{
	unsigned int i;
	__u64 value;

	for (i = 0; i < FILES; i++) {
		value = __atomic_load_n(&held[i], __ATOMIC_ACQUIRE);
		if (!value || value >> 32 != file)
			continue;
		*fd = (int)(__u32)value - 1;
		if (__atomic_compare_exchange_n(&held[i], &value, 0, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/*
 * Puts a descriptor into the table. If that is full, another one is closed. Files that are over
 * have to go some time: else there would be no others.
 */
void give(struct dice *dice, int fd, __u32 file)
{
	__u64 value = (__u64)file << 32 | (__u32)(fd + 1), none = 0;
	struct state state = look(file, view_of(file)->owner);
	unsigned int at = roll(dice, FILES), i;

	if (is_over(&state) && chance(dice, 4)) {
		close(fd);
		return;
	}
	for (i = 0; i < FILES; i++, none = 0)
		if (__atomic_compare_exchange_n(&held[(at + i) % FILES], &none, value, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return;
	value = swap(at, value);
	if (value)
		close((int)(__u32)value - 1);
}

/*
 * fork() copies the table of descriptors first, and then memory with our table. So nobody may
 * make a descriptor for our table in between.
 */
static pthread_rwlock_t fork_lock = PTHREAD_RWLOCK_INITIALIZER;

void make_begin(void)
{
	pthread_rwlock_rdlock(&fork_lock);
}

void make_end(void)
{
	pthread_rwlock_unlock(&fork_lock);
}

pid_t fork_between(void)
{
	pid_t pid;

	pthread_rwlock_wrlock(&fork_lock);
	pid = fork();
	if (pid)
		pthread_rwlock_unlock(&fork_lock);
	else
		fork_lock = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
	return pid;
}

/* Opening */

static int open_node(const char *path, struct dice *dice)
{
	int fd, flags = O_CLOEXEC | (chance(dice, 8) ? O_RDONLY : O_RDWR) |
			(chance(dice, 2) ? O_NONBLOCK : 0);

	make_begin();
	fd = open(path, flags);
	make_end();
	return fd;
}

static void opened(struct dice *dice, int fd, const struct registration *reg,
		   __u32 owner)
{
	struct state now = look(0, owner);
	const struct view *view = &nothing_known;

	if (fd < 0)
		return;
	happened(OPENS);
	/* if the device is not leaving, nobody else can have its number */
	if (reg && !now.leaving)
		view = &reg->view;
	give(dice, fd, file_new(view)->nr);
}

static struct registration *current_registration(struct dice *dice, __u32 *owner)
{
	*owner = __atomic_load_n(&world->current[roll(dice, world->devices)],
				 __ATOMIC_ACQUIRE);
	return *owner ? registration_find(*owner) : NULL;
}

OPERATION(do_open)
{
	struct registration *reg;
	char path[64];
	__u32 owner;

	reg = current_registration(dice, &owner);
	if (!reg)
		return;
	node_path(path, sizeof(path), reg->minor);
	opened(dice, open_node(path, dice), reg, owner);
}

/* The node of devtmpfs comes and goes with the device. */
OPERATION(do_open_by_name)
{
	struct registration *reg;
	char path[32];
	__u32 owner;

	reg = current_registration(dice, &owner);
	if (!reg)
		return;
	snprintf(path, sizeof(path), "/dev/uio%d", reg->minor);
	opened(dice, open_node(path, dice), reg, owner);
}

OPERATION(do_close)
{
	__u32 file;
	int fd;

	if (take(dice, &fd, &file))
		close(fd);
}

void give_copy(struct dice *dice, int fd, __u32 file)
{
	int copy;

	make_begin();
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	make_end();
	if (copy >= 0)
		give(dice, copy, file);
}

OPERATION(do_dup)
{
	__u32 file;
	int fd;

	if (!take(dice, &fd, &file))
		return;
	give_copy(dice, fd, file);
	give(dice, fd, file);
}

/*
 * Sleeping. watch() fails if a sleeper is not woken when its file or device is revoked. Else
 * it wakes it by a signal after some time.
 */

/* the descriptors of this process that threads sleep on, + 1 */
static int asleep[MAX_THREADS];

static int *asleep_of(const struct task *task)
{
	return &asleep[(task - world->tasks - MAX_DRIVERS) % MAX_THREADS];
}

void sleep_begin(struct task *task, int fd, __u32 file, struct dice *dice)
{
	/* so that others can use or close the file meanwhile */
	if (chance(dice, 4))
		give_copy(dice, fd, file);
	__atomic_store_n(&task->uses, file, __ATOMIC_RELAXED);
	task->sleeps_until = uiot_now_ms() + roll(dice, chance(dice, 8) ? 200 : 20);
	task->sleeps_on = file;
	__atomic_store_n(asleep_of(task), fd + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&task->sleeps, true, __ATOMIC_RELEASE);
}

/* Returns the descriptor, or -1 if another thread has closed it. */
int sleep_end(struct task *task)
{
	__atomic_store_n(&task->sleeps, false, __ATOMIC_RELEASE);
	__atomic_store_n(&task->uses, 0, __ATOMIC_RELAXED);
	return __atomic_exchange_n(asleep_of(task), 0, __ATOMIC_ACQ_REL) - 1;
}

/* Closes a descriptor on which another thread sleeps. */
OPERATION(do_close_asleep)
{
	struct user *user = actor;
	unsigned int thread = roll(dice, world->threads);
	struct task *task = task_of(user->process, thread);
	int fd;

	/* a child has no other threads */
	if (user->depth || task == user->task || !__atomic_load_n(&task->sleeps, __ATOMIC_ACQUIRE))
		return;
	/* watch() waits for it to wake up by itself */
	if (task->late)
		return;
	fd = __atomic_exchange_n(&asleep[thread], 0, __ATOMIC_ACQ_REL) - 1;
	if (fd < 0)
		return;
	/* from now on it may sleep on another file that gets the number */
	__atomic_store_n(&task->sleeps_on, 0, __ATOMIC_SEQ_CST);
	close(fd);
}

static void judge_call(const char *what, const struct state *before, long ret, __u32 file)
{
	bool refused = ret < 0 && (errno == EIO || errno == ENODEV);

	if (is_over(before) && refused)
		happened(REFUSED_CALLS);
	else if (is_over(before))
		fail("%s of file %u, which is %s: %ld, errno %d", what, file,
		     before->file_revoked ? "revoked" : "of a device that is gone", ret, errno);
}

/* The call of a sleeper says that its file or device has ended: did that happen meanwhile? */
static void count_end(const struct state *before, __u32 file)
{
	struct state now = look(file, view_of(file)->owner);

	if (!before->file_revoking && !before->revoking && (now.file_revoking || now.revoking))
		happened(WOKEN);
}

static void give_back(struct user *user, struct dice *dice, __u32 file)
{
	int fd = sleep_end(user->task);

	if (fd >= 0)
		give(dice, fd, file);
}

OPERATION(do_read)
{
	struct user *user = actor;
	struct state before;
	__s32 event;
	__u32 file;
	long ret;
	int fd;

	if (!take(dice, &fd, &file))
		return;
	before = look(file, view_of(file)->owner);
	sleep_begin(user->task, fd, file, dice);
	ret = read(fd, &event, sizeof(event));
	/* errno of a descriptor that was closed before says nothing */
	if (user->task->sleeps_on)
		judge_call("read", &before, ret, file);
	if (ret < 0 && (errno == EIO || errno == ENODEV))
		count_end(&before, file);
	give_back(user, dice, file);
}

OPERATION(do_write)
{
	struct state before;
	__s32 value;
	__u32 file;
	int fd;

	if (!take(dice, &fd, &file))
		return;
	value = roll(dice, 3);
	before = look(file, view_of(file)->owner);
	if (!(fcntl(fd, F_GETFL) & O_RDWR))
		before = (struct state){ };
	judge_call("write", &before, write(fd, &value, sizeof(value)), file);
	give(dice, fd, file);
}

static void judge_events(const char *what, const struct state *before, int ret,
			 unsigned int events, __u32 file)
{
	const unsigned int both = POLLHUP | POLLERR;
	bool ended = ret == 1 && (events & both) == both;

	if (ended)
		count_end(before, file);
	else if (is_over(before))
		fail("%s of file %u, which is %s: %d, events 0x%x", what, file,
		     before->file_revoked ? "revoked" : "of a device that is gone", ret,
		     events);
}

OPERATION(do_poll)
{
	struct user *user = actor;
	struct pollfd pfd = { .events = POLLIN };
	struct state before;
	__u32 file;
	int ret;

	if (!take(dice, &pfd.fd, &file))
		return;
	before = look(file, view_of(file)->owner);
	sleep_begin(user->task, pfd.fd, file, dice);
	ret = poll(&pfd, 1, chance(dice, 2) ? 0 : -1);
	if (user->task->sleeps_on)
		judge_events("poll", &before, ret, pfd.revents, file);
	give_back(user, dice, file);
}

OPERATION(do_select)
{
	struct user *user = actor;
	struct state before;
	fd_set set;
	__u32 file;
	int fd, ret;

	if (!take(dice, &fd, &file))
		return;
	FD_ZERO(&set);
	FD_SET(fd, &set);
	before = look(file, view_of(file)->owner);
	sleep_begin(user->task, fd, file, dice);
	ret = select(fd + 1, &set, NULL, NULL, NULL);
	if (user->task->sleeps_on && is_over(&before) && ret != 1)
		fail("select of file %u, which is over: %d", file, ret);
	give_back(user, dice, file);
}

static const __u32 epoll_ways[] = {
	EPOLLIN, EPOLLIN | EPOLLET, EPOLLIN | EPOLLEXCLUSIVE, EPOLLIN | EPOLLONESHOT,
};

OPERATION(do_epoll)
{
	struct user *user = actor;
	struct epoll_event event = { .events = epoll_ways[roll(dice, 4)] };
	int epfd = epoll_create1(EPOLL_CLOEXEC);
	struct state before;
	__u32 file;
	int fd, ret = -1;

	if (epfd < 0 || !take(dice, &fd, &file)) {
		close(epfd);
		return;
	}
	before = look(file, view_of(file)->owner);
	sleep_begin(user->task, fd, file, dice);
	if (!epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event))
		ret = epoll_wait(epfd, &event, 1, chance(dice, 2) ? 0 : -1);
	if (user->task->sleeps_on && ret >= 0)
		judge_events("epoll", &before, ret, event.events, file);
	give_back(user, dice, file);
	close(epfd);
}

/* The signal is ignored: what counts is that the kernel finds whom to send it to. */
OPERATION(do_fasync)
{
	bool on = !chance(dice, 3);
	__u32 file;
	int fd, flags;

	if (!take(dice, &fd, &file))
		return;
	flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETOWN, getpid());
	fcntl(fd, F_SETSIG, chance(dice, 2) ? SIGRTMIN : 0);
	fcntl(fd, F_SETFL, on ? flags | O_ASYNC : flags & ~O_ASYNC);
	give(dice, fd, file);
}

/* Takes a file that some thread is sleeping on, touching or mapping. */
static bool take_busy(struct dice *dice, int *fd, __u32 *file)
{
	unsigned int at = roll(dice, MAX_TASKS), i;

	for (i = 0; i < MAX_TASKS; i++) {
		*file = __atomic_load_n(&world->tasks[(at + i) % MAX_TASKS].uses,
					__ATOMIC_RELAXED);
		if (*file && take_file(*file, fd))
			return true;
	}
	return false;
}

OPERATION(do_revoke)
{
	struct open_file *file;
	bool taken = false;
	__u32 nr;
	int fd;

	if (!chance(dice, 4))
		taken = take_busy(dice, &fd, &nr);
	if (!taken && !take(dice, &fd, &nr))
		return;
	file = file_find(nr);
	if (file)
		__atomic_store_n(&file->revoking, true, __ATOMIC_SEQ_CST);
	if (!ioctl(fd, UIO_IOC_REVOKE, 0) && file && file_find(nr) == file) {
		happened(FILES_REVOKED);
		__atomic_store_n(&file->revoked, true, __ATOMIC_RELEASE);
	}
	give(dice, fd, nr);
}

OPERATION(do_ioctl)
{
	__u32 file;
	int fd;

	if (!take(dice, &fd, &file))
		return;
	ioctl(fd, chance(dice, 2) ? UIO_IOC_REVOKE : FIONREAD, 1 + roll(dice, 4));
	give(dice, fd, file);
}

/* Keeps the attribute open until the next time: it must not hold up the driver. */
OPERATION(do_sysfs)
{
	static const char * const files[] = {
		"name", "version", "event", "maps/map0/addr", "maps/map0/name",
		"portio/port0/start", "uevent",
	};
	struct user *user = actor;
	struct registration *reg;
	char path[96], buf[256];
	__u32 owner;

	if (user->attribute >= 0) {
		if (pread(user->attribute, buf, sizeof(buf), 0) < 0 && errno == EINVAL)
			fail("an attribute in sysfs: EINVAL");
		close(user->attribute);
	}
	user->attribute = -1;
	reg = current_registration(dice, &owner);
	if (!reg)
		return;
	snprintf(path, sizeof(path), "/sys/class/uio/uio%d/%s", reg->minor,
		 files[roll(dice, sizeof(files) / sizeof(*files))]);
	user->attribute = open(path, O_RDONLY | O_CLOEXEC);
	if (user->attribute >= 0 && pread(user->attribute, buf, sizeof(buf), 0) < 0)
		errno = 0;
}
