// SPDX-License-Identifier: GPL-2.0-only
/* Access to a mapping from outside its process: system calls, debuggers, pins. */

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

#define PAGES	4

static struct mapping a_mapping(const struct dev *dev, int flags)
{
	struct mapping m = map(dev, dev_open(dev, O_RDWR), PAGES, flags);

	if (!mapped(&m))
		broken("no mapping");
	return m;
}

static unsigned int *word_at(const struct mapping *m, int page)
{
	return (unsigned int *)(m->p + page * page_size());
}

/* System calls with a page as their buffer, touched before or not */
static void buffer(const struct mapping *m, const char *state, int page)
{
	char *p = (char *)word_at(m, page);
	int pipes[2], zero = open("/dev/zero", O_RDONLY), file = memfd_create("same", 0);
	int disk = open("/lab/same-file", O_RDWR | O_CREAT | O_DIRECT, 0600);
	unsigned int word = 0;

	if (pipe(pipes))
		broken("no pipe");
	under("%s", state);
	TRY("write-to-pipe", write(pipes[1], p, 4));
	TRY("read-from-pipe", read(pipes[0], p, 4));
	TRY("vmsplice", vmsplice(pipes[1], &(struct iovec){ p, 4 }, 1, SPLICE_F_NONBLOCK));
	TRY("vmsplice-gift", vmsplice(pipes[1], &(struct iovec){ p, page_size() }, 1,
				      SPLICE_F_NONBLOCK | SPLICE_F_GIFT));
	TRY("write-to-file", write(file, p, 4096));
	TRY("pread-from-file", pread(file, p, 4, 0));
	TRY("direct-write", pwrite(disk, p, 4096, 0));
	TRY("direct-read", pread(disk, p, 4096, 0));
	fact("word-then", "%s", *word_at(m, page) == UIO_SAME_WORD(0, page) ? "its word" :
	     "another");
	TRY("read-zeros", read(zero, p + 8, 4));
	TRY("futex-wake", syscall(SYS_futex, p, FUTEX_WAKE, 1, NULL, NULL, 0));
	TRY("futex-wake-private", syscall(SYS_futex, p, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	TRY("futex-wait-other", syscall(SYS_futex, p, FUTEX_WAIT, 0x1234567, NULL, NULL, 0));
	TRY("process_vm_readv", process_vm_readv(getpid(), &(struct iovec){ &word, 4 }, 1,
						 &(struct iovec){ p, 4 }, 1, 0));
	fact("word-read", "%s", word == UIO_SAME_WORD(0, page) ? "its word" : "another");
	TRY("process_vm_writev", process_vm_writev(getpid(), &(struct iovec){ &word, 4 }, 1,
						   &(struct iovec){ p, 4 }, 1, 0));
	close(pipes[0]);
	close(pipes[1]);
	close(zero);
	close(file);
	close(disk);
}

static void buffers(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);
	struct mapping m = a_mapping(&dev, group->b);

	buffer(&m, "untouched", 1);
	touch(word_at(&m, 2));
	buffer(&m, "touched", 2);
	uiot_store_word(word_at(&m, 3), UIO_SAME_WORD(0, 3));
	buffer(&m, "written", 3);
}

static void debug_one(pid_t child, const struct mapping *m, const char *state, int page)
{
	char path[64];
	unsigned int word = 0;
	long peeked;
	int mem;

	under("%s", state);
	snprintf(path, sizeof(path), "/proc/%d/mem", child);
	mem = open(path, O_RDWR);
	TRY("mem-read", pread(mem, &word, 4, (long)word_at(m, page)));
	fact("mem-word", "%s", word == UIO_SAME_WORD(0, page) ? "its word" : "another");
	word = 0xdeb;
	TRY("mem-write", pwrite(mem, &word, 4, (long)word_at(m, page)));
	TRY("mem-read-across", pread(mem, &word, 4, (long)word_at(m, page) +
				     page_size() - 2));
	errno = 0;
	peeked = ptrace(PTRACE_PEEKDATA, child, word_at(m, page), NULL);
	fact("peek", "%s", errno ? strerrorname_np(errno) :
	     (unsigned int)peeked == 0xdeb ? "what was written" : "another word");
	TRY("poke", ptrace(PTRACE_POKEDATA, child, word_at(m, page), 0xb0b0L));
	close(mem);
}

/* A child has the mapping, and is stopped. */
static void debugged(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);
	struct mapping m = a_mapping(&dev, group->b);
	pid_t child;

	touch(word_at(&m, 1));
	uiot_store_word(word_at(&m, 2), UIO_SAME_WORD(0, 2));
	fflush(stdout);
	child = fork();
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		fact("child-sees", "%#x %#x %#x", *word_at(&m, 0), *word_at(&m, 1),
		     *word_at(&m, 2));
		fflush(stdout);
		_exit(0);
	}
	if (child < 0 || waitpid(child, NULL, WUNTRACED) != child)
		broken("no child");
	debug_one(child, &m, "untouched", 0);
	debug_one(child, &m, "touched", 1);
	debug_one(child, &m, "written", 2);
	at_top();
	ptrace(PTRACE_CONT, child, NULL, 0);
	waitpid(child, NULL, 0);
	fact("parent-sees", "%#x %#x %#x", *word_at(&m, 0), *word_at(&m, 1), *word_at(&m, 2));
	if (dev_ioctl(&dev, UIO_SAME_PEEK, (unsigned long)&(struct uio_same_word){ }) == 0)
		fact("driver-sees", "%#x %#x %#x", dev_peek(&dev, 0, 0),
		     dev_peek(&dev, 0, 1), dev_peek(&dev, 0, 2));
	fact_log(&dev, "callbacks");
}

static void register_buffers(const struct mapping *m)
{
	struct io_uring_params params = { };
	struct iovec iov = { m->p, page_size() };
	int ring = syscall(SYS_io_uring_setup, 1, &params);

	if (ring < 0) {
		fact("uring-buffers", "no io_uring");
		return;
	}
	TRY("uring-buffers", syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS,
				     &iov, 1));
	close(ring);
}

static void register_faults(const struct mapping *m)
{
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (unsigned long)m->p, PAGES * page_size() },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api)) {
		fact("userfaultfd", "none here");
		return;
	}
	TRY("userfaultfd", ioctl(uffd, UFFDIO_REGISTER, &reg));
	reg.mode = UFFDIO_REGISTER_MODE_WP;
	TRY("userfaultfd-wp", ioctl(uffd, UFFDIO_REGISTER, &reg));
	close(uffd);
}

static void policies(const struct mapping *m)
{
	unsigned long nodes = 1;
	void *page = m->p;
	int mode = -1, status = 0;

	TRY("get_mempolicy", syscall(SYS_get_mempolicy, &mode, NULL, 0, m->p, MPOL_F_ADDR));
	TRY("get_mempolicy-node", syscall(SYS_get_mempolicy, &mode, NULL, 0, m->p,
					  MPOL_F_ADDR | MPOL_F_NODE));
	TRY("mbind", syscall(SYS_mbind, m->p, PAGES * page_size(), MPOL_PREFERRED, &nodes, 2,
			     0));
	TRY("mbind-move", syscall(SYS_mbind, m->p, PAGES * page_size(), MPOL_BIND, &nodes, 2,
				  MPOL_MF_STRICT | MPOL_MF_MOVE));
	TRY("move_pages", syscall(SYS_move_pages, 0, 1, &page, NULL, &status, 0));
	fact("move_pages.status", "%s", status < 0 ? strerrorname_np(-status) : "a node");
}

static void other_calls(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);
	struct mapping m = a_mapping(&dev, group->b);
	const size_t size = PAGES * page_size();
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0), i;
	struct iovec iov = { m.p, size };

	for (i = 0; i < PAGES; i++)
		touch(word_at(&m, i));
	TRY("msync-async", msync(m.p, size, MS_ASYNC));
	TRY("msync-sync", msync(m.p, size, MS_SYNC));
	TRY("msync-invalidate", msync(m.p, size, MS_SYNC | MS_INVALIDATE));
	TRY("msync-bad", msync(m.p, size, MS_SYNC | MS_ASYNC));
	TRY("process_madvise", syscall(SYS_process_madvise, pidfd, &iov, 1, MADV_WILLNEED, 0));
	TRY("process_madvise-cold", syscall(SYS_process_madvise, pidfd, &iov, 1, MADV_COLD, 0));
	policies(&m);
	register_buffers(&m);
	register_faults(&m);
	TRY("pkey_mprotect", syscall(SYS_pkey_mprotect, m.p, size, PROT_READ, -1));
	fact_vma("", &m);
	TRY("remap_file_pages", syscall(SYS_remap_file_pages, m.p, page_size(), 0, 1, 0));
	fact_table("table", &m);
	/* this is last, because a sealed mapping cannot be changed */
	TRY("mseal", syscall(462, m.p, size, 0));
	TRY("munmap", munmap(m.p, size));
}

static void clear_references(const struct mapping *m, const char *name, const char *what)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY);

	under("%s", name);
	TRY("write", write(fd, what, 1));
	close(fd);
	fact_table("table", m);
	fact_resident("resident", m);
	fact_vma("", m);
	fact_reads("read", m);
	fact_writes("write-then", m, 0xabc00);
	fact_table("table.written", m);
}

static void cleared(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);
	struct mapping m = a_mapping(&dev, group->b);
	int i;

	for (i = 0; i < PAGES; i++)
		touch(word_at(&m, i));
	clear_references(&m, "all", "1");
	clear_references(&m, "mapped", "3");
	clear_references(&m, "soft-dirty", "4");
}

/* exec and exit with a mapping. Its flags say what a core dump has. */
static void exits(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);
	pid_t child;

	log_forget(&dev);
	child = fork();
	if (!child) {
		struct mapping m = a_mapping(&dev, group->b);

		touch(m.p);
		close(m.fd);
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	waitpid(child, NULL, 0);
	fact_log(&dev, "callbacks.exec");
	child = fork();
	if (!child) {
		a_mapping(&dev, group->b);
		raise(SIGKILL);
	}
	waitpid(child, NULL, 0);
	fact_log(&dev, "callbacks.killed");
}

const struct group access_groups[] = {
	{ "buffer.phys.shared", buffers, PHYS, MAP_SHARED },
	{ "buffer.phys.private", buffers, PHYS, MAP_PRIVATE },
	{ "buffer.logical.shared", buffers, LOGICAL, MAP_SHARED },
	{ "buffer.logical.private", buffers, LOGICAL, MAP_PRIVATE },
	{ "buffer.virtual.shared", buffers, VIRTUAL, MAP_SHARED },
	{ "buffer.virtual.private", buffers, VIRTUAL, MAP_PRIVATE },
	{ "buffer.dma.shared", buffers, DMA, MAP_SHARED },
	{ "buffer.dma.private", buffers, DMA, MAP_PRIVATE },
	{ "buffer.own-wc.shared", buffers, OWN_WC, MAP_SHARED },
	{ "buffer.own-fault.shared", buffers, OWN_FAULT, MAP_SHARED },
	{ "buffer.own-fault.private", buffers, OWN_FAULT, MAP_PRIVATE },
	{ "buffer.own-insert.shared", buffers, OWN_INSERT, MAP_SHARED },
	{ "buffer.own-all.shared", buffers, OWN_ALL, MAP_SHARED },
	{ "buffer.own-pfn.shared", buffers, OWN_PFN, MAP_SHARED },
	{ "debug.phys.shared", debugged, PHYS, MAP_SHARED },
	{ "debug.phys.private", debugged, PHYS, MAP_PRIVATE },
	{ "debug.phys-far.shared", debugged, PHYS_FAR, MAP_SHARED },
	{ "debug.phys-far.private", debugged, PHYS_FAR, MAP_PRIVATE },
	{ "debug.iova-far.shared", debugged, IOVA_FAR, MAP_SHARED },
	{ "debug.own-wc-far.shared", debugged, OWN_WC_FAR, MAP_SHARED },
	{ "debug.iova.shared", debugged, IOVA, MAP_SHARED },
	{ "debug.logical.shared", debugged, LOGICAL, MAP_SHARED },
	{ "debug.logical.private", debugged, LOGICAL, MAP_PRIVATE },
	{ "debug.virtual.shared", debugged, VIRTUAL, MAP_SHARED },
	{ "debug.dma.shared", debugged, DMA, MAP_SHARED },
	{ "debug.dma.private", debugged, DMA, MAP_PRIVATE },
	{ "debug.own-wc.shared", debugged, OWN_WC, MAP_SHARED },
	{ "debug.own-fault.shared", debugged, OWN_FAULT, MAP_SHARED },
	{ "debug.own-insert.shared", debugged, OWN_INSERT, MAP_SHARED },
	{ "debug.own-all.shared", debugged, OWN_ALL, MAP_SHARED },
	{ "debug.own-pfn.shared", debugged, OWN_PFN, MAP_SHARED },
	{ "memory-call.phys.shared", other_calls, PHYS, MAP_SHARED },
	{ "memory-call.phys.private", other_calls, PHYS, MAP_PRIVATE },
	{ "memory-call.logical.shared", other_calls, LOGICAL, MAP_SHARED },
	{ "memory-call.logical.private", other_calls, LOGICAL, MAP_PRIVATE },
	{ "memory-call.virtual.shared", other_calls, VIRTUAL, MAP_SHARED },
	{ "memory-call.dma.shared", other_calls, DMA, MAP_SHARED },
	{ "memory-call.own-wc.shared", other_calls, OWN_WC, MAP_SHARED },
	{ "memory-call.own-fault.shared", other_calls, OWN_FAULT, MAP_SHARED },
	{ "memory-call.own-insert.shared", other_calls, OWN_INSERT, MAP_SHARED },
	{ "memory-call.own-pfn.shared", other_calls, OWN_PFN, MAP_SHARED },
	{ "clear-refs.phys.shared", cleared, PHYS, MAP_SHARED },
	{ "clear-refs.phys.private", cleared, PHYS, MAP_PRIVATE },
	{ "clear-refs.logical.shared", cleared, LOGICAL, MAP_SHARED },
	{ "clear-refs.logical.private", cleared, LOGICAL, MAP_PRIVATE },
	{ "clear-refs.dma.shared", cleared, DMA, MAP_SHARED },
	{ "clear-refs.own-fault.shared", cleared, OWN_FAULT, MAP_SHARED },
	{ "clear-refs.own-all.shared", cleared, OWN_ALL, MAP_SHARED },
	{ "clear-refs.own-pfn.shared", cleared, OWN_PFN, MAP_SHARED },
	{ "exit.phys", exits, PHYS, MAP_SHARED },
	{ "exit.logical", exits, LOGICAL, MAP_SHARED },
	{ "exit.dma", exits, DMA, MAP_SHARED },
	{ "exit.own-count", exits, OWN_COUNT, MAP_SHARED },
	{ }
};
