// SPDX-License-Identifier: GPL-2.0-only
/* Which callbacks run, in which order, with which arguments; references to the module. */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

static void arguments(const struct group *group)
{
	struct dev dev = dev_of(LOGICAL, 4);
	struct stat st;
	int fd, on = 1;

	(void)group;
	log_forget(&dev);
	fd = dev_open(&dev, O_RDWR);
	fact_details(&dev, "open");
	if (write(fd, &on, sizeof(on)) != sizeof(on))
		broken("no write");
	fact_details(&dev, "write");
	close(fd);
	fact_details(&dev, "close");

	if (stat(dev.node, &st) || mknod("/tmp/same-node", S_IFCHR | 0640, st.st_rdev) ||
	    chown("/tmp/same-node", 7, 7))
		broken("no node");
	fd = open("/tmp/same-node", O_RDWR);
	fact_details(&dev, "another-node.open");
	close(fd);
	fact_details(&dev, "another-node.close");
	unlink("/tmp/same-node");
}

static void arguments_of_mmap(const struct group *group)
{
	struct dev dev = dev_of(group->a, 4);
	int fd = dev_open(&dev, O_RDWR);
	struct mapping m;

	log_forget(&dev);
	m = map(&dev, fd, 2, MAP_SHARED);
	fact_details(&dev, "mmap");
	if (!mapped(&m))
		return;
	touch(m.p + page_size());
	uiot_store_word(m.p, 1);
	fact_details(&dev, "touches");
	unmap(&m);
	fact_details(&dev, "munmap");
	m = map(&dev, fd, 4, MAP_PRIVATE);
	fact_details(&dev, "mmap-private");
	uiot_store_word(m.p, 1);
	touch(m.p + page_size());
	fact_details(&dev, "touches-private");
	unmap(&m);
	fact_details(&dev, "munmap-private");
	m = map(&dev, fd, 5, MAP_SHARED);
	fact_details(&dev, "mmap-too-long");
	dev_set(&dev, UIO_SAME_RETURN, UIO_SAME_MMAP, -EPERM);
	m = map(&dev, fd, 4, MAP_SHARED);
	fact_ok("mmap-fails", mapped(&m) ? 0 : -1);
	fact_details(&dev, "mmap-fails");
	close(fd);
	fact_details(&dev, "close");
}

static int child_of_the_mapping(void *arg)
{
	const struct mapping *m = arg;

	touch(m->p);
	touch(m->p + 3 * page_size());
	return 0;
}

/* The calls of open and close that a driver gets when it counts its mappings. */
static void vma_operations(const struct group *group)
{
	struct dev dev = dev_of(group->a, 8);
	struct mapping m = map(&dev, dev_open(&dev, O_RDWR), 8, group->b);
	const size_t page = page_size();
	int i;

	fact_log(&dev, "mmap");
	for (i = 0; i < 8; i++)
		touch(m.p + i * page);
	fact_log(&dev, "touches");
	in_child(child_of_the_mapping, &m);
	fact_log(&dev, "fork");
	mprotect(m.p + 6 * page, 2 * page, PROT_READ);
	fact_log(&dev, "mprotect-tail");
	mprotect(m.p + 6 * page, 2 * page, PROT_READ | PROT_WRITE);
	fact_log(&dev, "mprotect-back");
	TRY("mprotect-exec", mprotect(m.p, page, PROT_EXEC));
	fact_log(&dev, "mprotect-exec.callbacks");
	TRY("split-in-vain", mprotect(m.p, 2 * page, PROT_READ));
	fact_log(&dev, "split-in-vain.callbacks");
	for (i = 0; i < 8; i++)
		uiot_store_word(m.p + i * page, 1);
	fact_log(&dev, "writes");
	mprotect(m.p, 2 * page, PROT_READ | PROT_WRITE);
	madvise(m.p, 4 * page, MADV_DONTFORK);
	fact_log(&dev, "dontfork-head");
	munmap(m.p + 6 * page, 2 * page);
	fact_log(&dev, "munmap-tail");
	munmap(m.p + 2 * page, page);
	fact_log(&dev, "munmap-middle");
	m.p = uiot_move(m.p, 2);
	fact_ok("move", (long)m.p);
	fact_log(&dev, "mremap");
	close(m.fd);
	fact_log(&dev, "close");
	munmap(m.p, 2 * page);
	fact_log(&dev, "munmap-head");
}

/* The last close of a file, and the last munmap(). */
static void order_of_closes(const struct dev *dev)
{
	int first, second, copy;
	struct mapping m, other;

	log_forget(dev);
	first = dev_open(dev, O_RDWR);
	second = dev_open(dev, O_RDWR);
	fact_log(dev, "two-opens");
	copy = dup(first);
	close(first);
	fact_log(dev, "close-of-a-copy");
	close(copy);
	fact_log(dev, "close-of-the-last-copy");
	m = map(dev, second, 2, MAP_SHARED);
	other = map(dev, second, 1, MAP_SHARED);
	close(second);
	fact_log(dev, "close-of-what-is-mapped");
	unmap(&m);
	fact_log(dev, "first-munmap");
	unmap(&other);
	fact_log(dev, "last-munmap");
}

static void order_with_a_child(const struct dev *dev)
{
	int fd = dev_open(dev, O_RDWR);
	pid_t child = fork();

	if (!child) {
		pause();
		_exit(0);
	}
	log_forget(dev);
	close(fd);
	fact_log(dev, "close-with-a-child");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	fact_log(dev, "child-killed");
}

static void order_of_dups(const struct dev *dev)
{
	int fd = dev_open(dev, O_RDWR), null;

	log_forget(dev);
	dup2(fd, 100);
	close(fd);
	fact_log(dev, "dup2");
	TRY("close_range", syscall(SYS_close_range, 100, 100, 0));
	fact_log(dev, "close_range.callbacks");
	fd = dev_open(dev, O_RDWR);
	null = open("/dev/null", O_RDONLY);
	dup2(null, fd);
	fact_log(dev, "dup2-over-it");
}

static void orders(const struct group *group)
{
	struct dev dev = dev_of(group->a, 2);

	order_of_closes(&dev);
	order_with_a_child(&dev);
	order_of_dups(&dev);
}

static void without(const struct group *group)
{
	struct dev dev = dev_new();
	int fd, on = 1;

	(void)group;
	dev_set(&dev, UIO_SAME_HAS, UIO_SAME_OPEN, 0);
	dev_set(&dev, UIO_SAME_HAS, UIO_SAME_RELEASE, 0);
	dev_set(&dev, UIO_SAME_HAS, UIO_SAME_IRQCONTROL, 0);
	dev_up(&dev);
	fd = dev_open(&dev, O_RDWR);
	TRY("write", write(fd, &on, sizeof(on)));
	TRY("close", close(fd));
	fact_log(&dev, "callbacks");
}

static long refs_before[2];

static void fact_refs(const char *name)
{
	fact(name, "driver %ld, core %ld", uiot_module_refs("uio_same") - refs_before[0],
	     uiot_module_refs("uio") - refs_before[1]);
}

static void references(const struct group *group)
{
	struct dev dev = dev_of(group->a, 2);
	int fd, second;
	struct mapping m;
	char path[64];

	refs_before[0] = uiot_module_refs("uio_same");
	refs_before[1] = uiot_module_refs("uio");
	fd = dev_open(&dev, O_RDWR);
	fact_refs("open");
	second = dup(fd);
	fact_refs("dup");
	m = map(&dev, fd, 2, MAP_SHARED);
	fact_refs("mmap");
	touch(m.p);
	fact_refs("touch");
	close(fd);
	close(second);
	fact_refs("close-while-mapped");
	unmap(&m);
	fact_refs("munmap");
	fd = dev_open(&dev, O_RDWR);
	second = dev_open(&dev, O_RDWR);
	fact_refs("two-files");
	fact_err("remove-the-driver", uiot_module_remove("uio_same"));
	fact_err("remove-the-core", uiot_module_remove("uio"));
	close(fd);
	close(second);
	fact_refs("closed");
	dev_set(&dev, UIO_SAME_RETURN, UIO_SAME_OPEN, -EBUSY);
	open(dev.node, O_RDWR);
	fact_refs("failed-open");
	dev_set(&dev, UIO_SAME_RETURN, UIO_SAME_OPEN, 0);
	snprintf(path, sizeof(path), "/sys/class/uio/uio%d/name", dev.minor);
	fd = open(path, O_RDONLY);
	fact_refs("attribute-open");
	close(fd);
	dev_unregister(&dev);
	fact_refs("unregistered");
}

/* A real interrupt */

static void fact_line(const char *name, int line)
{
	char path[64], row[512], *at, prefix[16];
	FILE *file = fopen("/proc/interrupts", "r");
	bool found = false;

	snprintf(prefix, sizeof(prefix), "%d:", line);
	while (file && fgets(row, sizeof(row), file)) {
		at = row + strspn(row, " ");
		if (strncmp(at, prefix, strlen(prefix)))
			continue;
		found = true;
		at = strrchr(row, ' ');
		at[strcspn(at, "\n")] = 0;
		fact(name, "%s", at + 1);
	}
	if (file)
		fclose(file);
	if (!found)
		fact(name, "not in /proc/interrupts");
	snprintf(path, sizeof(path), "/proc/irq/%d/same", line);
	under("%s", name);
	TRY("in-proc-irq", access(path, F_OK));
	at_top();
}

/* Counts the kernel threads of the line, which have the device's name. */
static int threads_of(int line)
{
	char name[32], comm[32];
	glob_t paths;
	size_t i;
	int found = 0;

	snprintf(name, sizeof(name), "irq/%d-same\n", line);
	if (glob("/proc/[1-9]*/comm", 0, NULL, &paths))
		broken("no processes");
	for (i = 0; i < paths.gl_pathc; i++)
		if (!uiot_read_file(paths.gl_pathv[i], comm, sizeof(comm)))
			found += !strcmp(comm, name);
	globfree(&paths);
	return found;
}

/* With a threaded interrupt, a thread counts the event. */
static bool has_event(void *arg)
{
	const struct dev *dev = arg;
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/uio/uio%d/event", dev->minor);
	return uiot_file_counts(path);
}

static void interrupts(const struct group *group)
{
	struct dev dev = dev_new();
	int fd, line = dev_ioctl(&dev, UIO_SAME_LINE, 0), i;
	static const int returns[] = { 1 /* handled */, 0 /* none */, 2 /* wake thread */ };

	(void)group;
	dev_set(&dev, UIO_SAME_IRQ, 0, UIO_SAME_IRQ_LINE);
	fact_line("before", line);
	dev_up(&dev);
	fact_line("registered", line);
	fact("threads", "%d", threads_of(line));
	dev_ioctl(&dev, UIO_SAME_INTERRUPT, 0);
	fact("event-before-open", "%s", uiot_wait_until(has_event, &dev, UIOT_SOON_MS) ?
	     "counted" : "not counted");
	fact_details(&dev, "callbacks-before-open");
	fd = dev_open(&dev, O_RDWR);
	fact_details(&dev, "open");
	for (i = 0; i < 3; i++) {
		struct uiot_op *op;

		under("handler-returns-%d", returns[i]);
		dev_set(&dev, UIO_SAME_HANDLED, 0, returns[i]);
		op = op_start(uiot_op_read, fd);
		fact_asleep("reader-waits", op);
		TRY("raise", dev_ioctl(&dev, UIO_SAME_INTERRUPT, 0));
		if (returns[i] == 0) {
			fact_asleep("reader-goes-on", op);
			dev_notify(&dev, 1);
		}
		fact_done("reader", op);
		fact_details(&dev, "callbacks");
		fact_poll("poll", fd);
	}
	at_top();
	dev_unregister(&dev);
	fact_line("unregistered", line);
	fact("threads-then", "%d", threads_of(line));
	TRY("raise-then", dev_ioctl(&dev, UIO_SAME_INTERRUPT, 0));
	fact_details(&dev, "callbacks-then");
}

/* As in linux/interrupt.h. With PROBE_SHARED, the kernel does not log that the line is taken. */
#define IRQF_SHARED		0x80
#define IRQF_PROBE_SHARED	0x100

/* Two devices want one line. */
static void interrupt_taken(const struct group *group)
{
	struct dev first = dev_new(), second = dev_new();
	int line = dev_ioctl(&first, UIO_SAME_LINE, 0);
	char path[64];
	struct stat st;

	dev_set(&first, UIO_SAME_IRQ, 0, UIO_SAME_IRQ_LINE);
	dev_set(&first, UIO_SAME_IRQ_FLAGS, 0, group->a);
	dev_up(&first);
	dev_set(&second, UIO_SAME_IRQ, 0, line);
	dev_set(&second, UIO_SAME_IRQ_FLAGS, 0, group->b);
	fact_err("register", dev_register(&second, 0));
	snprintf(path, sizeof(path), "/dev/uio%d", first.minor + 1);
	TRY("node", stat(path, &st));
	snprintf(path, sizeof(path), "/sys/class/uio/uio%d", first.minor + 1);
	TRY("in-sysfs", stat(path, &st));
	fact_log(&second, "callbacks");
	dev_unregister(&second);
	dev_set(&second, UIO_SAME_IRQ, 0, UIO_SAME_IRQ_CUSTOM);
	fact_err("register-without", dev_register(&second, 0));
	fact("minor-after-first", "%d", second.minor - first.minor);
}

/* The driver chooses the flags of the interrupt request. */
static void interrupt_flags(const struct group *group)
{
	static const struct {
		const char *name;
		int flags;
	} kinds[] = {
		{ "shared", IRQF_SHARED }, { "oneshot", 0x2000 }, { "no-autoen", 0x80000 },
		{ "no-thread", 0x10000 }, { "early-resume", 0x20000 }, { "rising", 1 },
	};
	unsigned int i;

	(void)group;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct dev dev = dev_new();
		int fd;

		under("%s", kinds[i].name);
		dev_ioctl(&dev, UIO_SAME_LINE, 0);
		dev_set(&dev, UIO_SAME_IRQ, 0, UIO_SAME_IRQ_LINE);
		dev_set(&dev, UIO_SAME_IRQ_FLAGS, 0, kinds[i].flags);
		fact_err("register", dev_register(&dev, 0));
		if (dev.minor < 0)
			continue;
		fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
		log_forget(&dev);
		TRY("raise", dev_ioctl(&dev, UIO_SAME_INTERRUPT, 0));
		/* with no-autoen, the interrupt is disabled and stays pending */
		if (kinds[i].flags != 0x80000)
			fact("event", "%d", uiot_wait_until(has_event, &dev, UIOT_SOON_MS));
		fact_log(&dev, "callbacks");
		fact_poll("poll", fd);
		close(fd);
		close(dev.ctl);
	}
}

static void no_such_interrupt(const struct group *group)
{
	static const int lines[] = { 1000, 100000, -2000, 0x7fffffff };
	unsigned int i;

	(void)group;
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		struct dev dev = dev_new();

		under("line-%d", lines[i]);
		dev_set(&dev, UIO_SAME_IRQ, 0, lines[i]);
		fact_err("register", dev_register(&dev, 0));
		close(dev.ctl);
	}
}

const struct group callback_groups[] = {
	{ "callback.arguments", arguments },
	{ "callback.arguments.own-empty", arguments_of_mmap, OWN_EMPTY },
	{ "callback.arguments.own-wc", arguments_of_mmap, OWN_WC },
	{ "callback.arguments.own-fault", arguments_of_mmap, OWN_FAULT },
	{ "callback.arguments.own-count", arguments_of_mmap, OWN_COUNT },
	{ "callback.arguments.own-insert", arguments_of_mmap, OWN_INSERT },
	{ "callback.arguments.own-close", arguments_of_mmap, OWN_CLOSE },
	{ "callback.arguments.own-all", arguments_of_mmap, OWN_ALL },
	{ "callback.vma.own-count.shared", vma_operations, OWN_COUNT, MAP_SHARED },
	{ "callback.vma.own-count.private", vma_operations, OWN_COUNT, MAP_PRIVATE },
	{ "callback.vma.own-fault.shared", vma_operations, OWN_FAULT, MAP_SHARED },
	{ "callback.vma.own-fault.private", vma_operations, OWN_FAULT, MAP_PRIVATE },
	{ "callback.vma.own-insert.shared", vma_operations, OWN_INSERT, MAP_SHARED },
	{ "callback.vma.own-close.shared", vma_operations, OWN_CLOSE, MAP_SHARED },
	{ "callback.vma.own-all.shared", vma_operations, OWN_ALL, MAP_SHARED },
	{ "callback.vma.own-pfn.shared", vma_operations, OWN_PFN, MAP_SHARED },
	{ "callback.order.logical", orders, LOGICAL },
	{ "callback.order.phys", orders, PHYS },
	{ "callback.order.own-count", orders, OWN_COUNT },
	{ "callback.none", without },
	{ "callback.references.logical", references, LOGICAL },
	{ "callback.references.phys", references, PHYS },
	{ "callback.references.own-fault", references, OWN_FAULT },
	{ "interrupt.one", interrupts },
	{ "interrupt.taken", interrupt_taken, 0, IRQF_PROBE_SHARED },
	{ "interrupt.shared", interrupt_taken, IRQF_SHARED, IRQF_SHARED },
	{ "interrupt.shared-by-one", interrupt_taken, IRQF_SHARED, IRQF_PROBE_SHARED },
	{ "interrupt.flags", interrupt_flags },
	{ "interrupt.none-such", no_such_interrupt },
	{ }
};
