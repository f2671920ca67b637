// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for events: poll(), select(), epoll, blocked reads, signals. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "same.h"

static void poll_masks(int fd, const char *state)
{
	static const struct {
		const char *name;
		unsigned int events;
	} asked[] = {
		{ "in", POLLIN }, { "out", POLLOUT }, { "pri", POLLPRI },
		{ "rdnorm", POLLRDNORM }, { "wrnorm", POLLWRNORM }, { "rdhup", POLLRDHUP },
		{ "nothing", 0 }, { "everything", 0x7fff },
	};
	unsigned int i;

	under("%s", state);
	for (i = 0; i < ARRAY_SIZE(asked); i++)
		fact(asked[i].name, "%s", mask_words(poll_mask(fd, asked[i].events)));
}

static void poll_states(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK), second;

	poll_masks(fd, "fresh");
	dev_notify(&dev, 1);
	poll_masks(fd, "event");
	poll_masks(fd, "event-again");
	second = dev_open(&dev, O_RDWR | O_NONBLOCK);
	poll_masks(second, "second-file");
	at_top();
	fact_read("read", fd);
	poll_masks(fd, "read");
	poll_masks(dev_open(&dev, O_RDONLY), "read-only");
	poll_masks(dev_open(&dev, O_WRONLY), "write-only");
	poll_masks(open(dev.node, O_PATH), "path-only");
	close(fd);
	poll_masks(fd, "closed");
}

static void select_once(int fd, const char *state)
{
	struct timeval now = { };
	fd_set sets[3];
	int i, ret;

	for (i = 0; i < 3; i++) {
		FD_ZERO(&sets[i]);
		FD_SET(fd, &sets[i]);
	}
	ret = select(fd + 1, &sets[0], &sets[1], &sets[2], &now);
	fact(state, "%d:%s%s%s", ret, FD_ISSET(fd, &sets[0]) ? " readable" : "",
	     FD_ISSET(fd, &sets[1]) ? " writable" : "",
	     FD_ISSET(fd, &sets[2]) ? " exceptional" : "");
}

static void select_states(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);

	select_once(fd, "fresh");
	dev_notify(&dev, 1);
	select_once(fd, "event");
	fact_read("read", fd);
	select_once(fd, "after-read");
}

static void epoll_once(int epfd, const char *name)
{
	struct epoll_event event = { };
	int n = epoll_wait(epfd, &event, 1, 0);

	fact(name, "%d: %s", n, mask_words(n > 0 ? event.events : 0));
}

static void epoll_kind(const struct dev *dev, const char *kind, unsigned int events)
{
	int fd = dev_open(dev, O_RDWR | O_NONBLOCK), epfd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = events };

	under("%s", kind);
	TRY("add", epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event));
	TRY("add-again", epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event));
	epoll_once(epfd, "fresh");
	epoll_once(epfd, "fresh-again");
	dev_notify(dev, 1);
	epoll_once(epfd, "event");
	epoll_once(epfd, "event-again");
	dev_notify(dev, 1);
	epoll_once(epfd, "second-event");
	fact_read("read", fd);
	epoll_once(epfd, "after-read");
	dev_notify(dev, 1);
	epoll_once(epfd, "third-event");
	TRY("modify", epoll_ctl(epfd, EPOLL_CTL_MOD, fd, &event));
	epoll_once(epfd, "modified");
	TRY("delete", epoll_ctl(epfd, EPOLL_CTL_DEL, fd, &event));
	close(fd);
	close(epfd);
}

static void epoll_states(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	int fd, epfd;

	epoll_kind(&dev, "level", EPOLLIN);
	epoll_kind(&dev, "edge", EPOLLIN | EPOLLET);
	epoll_kind(&dev, "oneshot", EPOLLIN | EPOLLONESHOT);
	epoll_kind(&dev, "exclusive", EPOLLIN | EPOLLEXCLUSIVE);
	epoll_kind(&dev, "wakeup", EPOLLIN | EPOLLWAKEUP);
	epoll_kind(&dev, "out", EPOLLOUT);
	epoll_kind(&dev, "nothing", 0);
	epoll_kind(&dev, "all", 0x3fff | EPOLLET);

	/* closing a file removes it from the epoll */
	under("close");
	fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	epfd = epoll_create1(0);
	TRY("add", epoll_ctl(epfd, EPOLL_CTL_ADD, fd,
			     &(struct epoll_event){ .events = EPOLLIN }));
	dev_notify(&dev, 1);
	epoll_once(epfd, "before");
	log_forget(&dev);
	close(fd);
	fact_log(&dev, "callbacks");
	epoll_once(epfd, "after");
	/* an epoll in an epoll */
	under("nested");
	fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLIN });
	fact_poll("fresh", epfd);
	dev_notify(&dev, 1);
	fact_poll("event", epfd);
}

/* An event wakes a thread that waits. */
static void blocked(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	struct uiot_op *op;
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		under("%s", ways[i].name);
		fd = dev_open(&dev, O_RDWR);
		op = op_start(ways[i].fn, fd);
		fact_asleep("waits", op);
		dev_notify(&dev, 1);
		fact_done("woken", op);
		fact("events", "%s", mask_words(op->events));
		dev_notify(&dev, 1);
		op = op_start(ways[i].fn, fd);
		fact_done("does-not-wait", op);
		fact("events-then", "%s", mask_words(op->events));
		close(fd);
	}
}

static void many_blocked(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	struct uiot_op *ops[6];
	int i, done = 0;

	(void)group;
	for (i = 0; i < 6; i++) {
		ops[i] = op_start(i % 2 ? uiot_op_poll : uiot_op_read, dev_open(&dev, O_RDWR));
		if (uiot_wait_asleep(ops[i]))
			broken("no sleeper");
	}
	dev_notify(&dev, 1);
	for (i = 0; i < 6; i++)
		done += !uiot_wait_done(ops[i], UIOT_SOON_MS);
	fact("all-files-woken", "%d", done);
}

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static void interrupted(const struct group *group)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = group->a };
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	struct uiot_op *op;
	unsigned int i;
	int fd = dev_open(&dev, O_RDWR);

	sigaction(SIGUSR1, &sa, NULL);
	for (i = 0; i < 4; i++) {
		under("%s", ways[i].name);
		handled = 0;
		op = op_start(ways[i].fn, fd);
		fact_asleep("waits", op);
		pthread_kill(op->thread, SIGUSR1);
		while (!handled)
			usleep(1000);
		if (uiot_wait_asleep(op) == 0) {
			fact("goes-on-waiting", "yes");
			dev_notify(&dev, 1);
		}
		fact_done("returns", op);
		if (i)
			fact_read("left", fd = open(dev.node, O_RDWR | O_NONBLOCK));
		close(fd);
		fd = dev_open(&dev, O_RDWR);
	}
}

static void signals_of(const struct dev *dev, int fd, const char *state)
{
	int ret;

	under("%s", state);
	dev_notify(dev, 1);
	ret = uiot_sigio_wait(0);
	fact("code", "%s", ret == POLL_IN ? "POLL_IN" : ret == POLL_HUP ? "POLL_HUP" :
	     ret < 0 ? strerrorname_np(-ret) : "else");
	fact("second", "%d", uiot_sigio_wait(0) >= 0);
	fact_read("read", fd);
	fact("after-read", "%d", uiot_sigio_wait(0) >= 0);
}

static void signals(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK), second, copy;

	at_top();
	fact_err("on", uiot_sigio_on(fd));
	signals_of(&dev, fd, "one-file");
	copy = dup(fd);
	signals_of(&dev, fd, "with-a-copy");
	second = dev_open(&dev, O_RDWR | O_NONBLOCK);
	fact_err("on-second", uiot_sigio_on(second));
	dev_notify(&dev, 1);
	under("two-files");
	fact("first", "%d", uiot_sigio_wait(0) >= 0);
	fact("second", "%d", uiot_sigio_wait(0) >= 0);
	fact("third", "%d", uiot_sigio_wait(0) >= 0);
	close(second);
	close(fd);
	signals_of(&dev, copy, "copy-after-close");
	at_top();
	TRY("off", fcntl(copy, F_SETFL, O_NONBLOCK));
	signals_of(&dev, copy, "off");
	at_top();
	TRY("on-again", fcntl(copy, F_SETFL, O_NONBLOCK | O_ASYNC));
	log_forget(&dev);
	close(copy);
	fact_log(&dev, "close-with-it-on");
	dev_notify(&dev, 1);
	fact("after-close", "%d", uiot_sigio_wait(0) >= 0);
}

static void default_signal(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	struct timespec now = { };
	siginfo_t info = { };
	sigset_t set;

	(void)group;
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	TRY("own", fcntl(fd, F_SETOWN, getpid()));
	TRY("on", fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC));
	dev_notify(&dev, 3);
	fact("signal", "%s", sigtimedwait(&set, &info, &now) == SIGIO ? "SIGIO" : "none");
	fact("code", "%d", info.si_code);
	fact("once", "%d", sigtimedwait(&set, &info, &now) == SIGIO);
}

static void one_wake(const struct dev *dev, const char *name, int times)
{
	int fd = dev_open(dev, O_RDWR), epfd = epoll_create1(0), i, woken = 0;
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event);
	for (i = 0; i < times; i++) {
		dev_notify(dev, 1);
		woken += epoll_wait(epfd, &event, 1, 0);
	}
	fact(name, "%d", woken);
	close(epfd);
	close(fd);
}

static void edges(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);

	(void)group;
	one_wake(&dev, "one-notification", 1);
	one_wake(&dev, "five-notifications", 5);
}

static void passed_on(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK), sockets[2], got;

	(void)group;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) || uiot_send_fd(sockets[0], fd))
		broken("no socket");
	log_forget(&dev);
	close(fd);
	fact_log(&dev, "close-while-it-is-on-its-way");
	got = uiot_recv_fd(sockets[1]);
	dev_notify(&dev, 1);
	fact_read("read-by-the-receiver", got);
	close(got);
	fact_log(&dev, "close-by-the-receiver");
}

static void uring_files(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	struct uiot_uring ring;

	(void)group;
	fact_err("open", uiot_uring_open(&ring));
	dev_notify(&dev, 1);
	fact("poll", "%s", mask_words(uiot_uring_poll(&ring, fd, POLLIN)));
	fact_err("keep", uiot_uring_keep(&ring, fd));
	log_forget(&dev);
	close(fd);
	fact_log(&dev, "close-while-kept");
	fact_err("forget", uiot_uring_forget(&ring));
	uiot_uring_close(&ring);
}

const struct group wait_groups[] = {
	{ "poll.irq-none", poll_states, UIO_SAME_IRQ_NONE },
	{ "poll.irq-custom", poll_states, UIO_SAME_IRQ_CUSTOM },
	{ "select.irq-none", select_states, UIO_SAME_IRQ_NONE },
	{ "select.irq-custom", select_states, UIO_SAME_IRQ_CUSTOM },
	{ "epoll.irq-none", epoll_states, UIO_SAME_IRQ_NONE },
	{ "epoll.irq-custom", epoll_states, UIO_SAME_IRQ_CUSTOM },
	{ "epoll.edges", edges },
	{ "wait.one.irq-none", blocked, UIO_SAME_IRQ_NONE },
	{ "wait.one.irq-custom", blocked, UIO_SAME_IRQ_CUSTOM },
	{ "wait.many", many_blocked },
	{ "wait.signal", interrupted, 0 },
	{ "wait.signal-restart", interrupted, SA_RESTART },
	{ "sigio.irq-none", signals, UIO_SAME_IRQ_NONE },
	{ "sigio.irq-custom", signals, UIO_SAME_IRQ_CUSTOM },
	{ "sigio.default", default_signal },
	{ "wait.passed-on", passed_on },
	{ "wait.uring-file", uring_files },
	{ }
};
