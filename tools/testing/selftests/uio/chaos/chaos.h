/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uio_chaos: random operations on devices of the uio_test module, by a driver and by user
 * space, at the same time. main.c says how a run goes.
 */

#ifndef _UIO_CHAOS_H
#define _UIO_CHAOS_H

#include <getopt.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "uio_testlib.h"

#define MAX_DEVICES	16
#define MAX_DRIVERS	4
#define MAX_PROCESSES	8
#define MAX_THREADS	8	/* of a process */
#define MAX_TASKS	(MAX_DRIVERS + MAX_PROCESSES * MAX_THREADS)
#define MAX_REGIONS	5

/* A run may take that many times as long until all that it counts has happened. */
#define SLOW_MACHINE	5

/*
 * watch() looks at the tasks all the time, so they run about as often as it does. Counting how
 * often it looks is fair if the host has no time for the guest.
 */
#define TICK_US		5000
#define TICKS_LATE	200		/* for a sleeper that should be awake */
#define TICKS_HANG	4000		/* for an operation, unless it says more */

/* at the end of a run, nothing takes longer */
#define END_MS		(4 * UIOT_SOON_MS)

/* Registrations and open files that are remembered, both a power of two. */
#define REMEMBERED	0x4000

/*
 * Each word of a device's memory says whose page it is. The module writes these words, and
 * changes the mark when nobody may see the page any more. The same in modules/memory.c.
 */
#define WORD(mark, owner, region, page) \
	((mark) | (owner) << 9 | (region) << 6 | (page))
#define WORD_MARK(word)		((word) & 0xe0000000)
#define WORD_OWNER(word)	((word) >> 9 & OWNER_MAX)
#define MINE			0xa0000000
#define PAST			0x60000000
#define OWNER_MAX		0xfffff

/* random numbers: see random.c */
struct dice {
	__u64 state;
};

__u32 roll(struct dice *dice, __u32 sides);
bool chance(struct dice *dice, __u32 one_in);
struct dice dice_of(__u64 seed, unsigned int task, unsigned long operation);

/**
 * struct view - what a program has to know of a registration to judge what it sees
 * @owner: its serial number; 0: unknown
 * @last_owner: the same device was registered before; 0: it was not
 * @context: registered with a context
 * @sink: touches after the end give zeros
 * @stays: pages may stay mapped, because the driver maps them itself
 * @regions: number of regions
 * @kind: index in memory_kinds, of each region
 * @pages: of each region
 */
struct view {
	__u32 owner;
	__u32 last_owner;
	bool context;
	bool sink;
	bool stays;
	unsigned char regions;
	unsigned char kind[MAX_REGIONS];
	unsigned char pages[MAX_REGIONS];
};

/* A registration. The marks are set before the driver begins, or after it has ended. */
struct registration {
	struct view view;
	int minor;
	bool revoking;		/* before, also if a callback may revoke it */
	bool leaving;		/* before unregister */
	bool unmapped;		/* before uio_unmap_range() */
	bool gone;		/* after unregister */
	bool ending;		/* before revoke and unregister: sleepers must wake up */
};

/* An open file. Its number goes wherever the descriptor goes. */
struct open_file {
	__u32 nr;
	struct view view;
	bool revoking;		/* before UIO_IOC_REVOKE */
	bool revoked;		/* after it */
};

/* What is true now cannot become false, so look before or after an operation. */
struct state {
	bool file_revoking;
	bool file_revoked;
	bool revoking;
	bool leaving;
	bool unmapped;
	bool gone;
};

/**
 * struct task - a thread of the driver or of user space
 * @next: the index of its next operation
 * @what: the operation that runs, or NULL
 * @pid: the process
 * @tid: the thread
 * @shows: one of its mappings, for other processes
 * @uses: the open file that it sleeps on, touches or maps now, or 0
 * @sleeps: it sleeps in the kernel
 * @sleeps_on: the open file that it waits for; 0: unknown
 * @sleeps_until: when it may be woken by a signal, in ms
 * @seen: @next when watch() last looked
 * @ticks: how often it has looked since the operation began
 * @limit: how often it may do so; an operation can change it
 * @late: how often it has found it asleep that should be awake
 */
struct task {
	unsigned long next;
	const char *what;
	pid_t pid;
	pid_t tid;
	void *shows;
	__u32 uses;
	bool sleeps;
	__u32 sleeps_on;
	long sleeps_until;
	unsigned long seen;
	unsigned int ticks;
	unsigned int limit;
	unsigned int late;
};

/* What happened, counted. A run in which some of it is missing fails. */
enum fact {
	OPENS,
	MAPPINGS,
	WORDS,			/* a touch that has shown the right page */
	SINKS,			/* a touch that has shown the sink */
	REFUSED_TOUCHES,
	REFUSED_CALLS,
	WOKEN,			/* sleepers, by the end of their file or device */
	FILES_REVOKED,
	DEVICES_REVOKED,
	UNREGISTRATIONS,
	CHILDREN,
	PASSED,			/* descriptors, to another process */
	PINS,
	LATE_RELEASES,		/* counted by the module */
	FAILED_ALLOCATIONS,	/* with --faults */
	FACTS,
};

#define MAX_FACTS	32

/* What the operations of a kind have cost, with --times. */
struct cost {
	unsigned long count;
	unsigned long us;	/* of CPU time */
};

/* What all processes share. */
struct world {
	/* how to run */
	__u64 seed;
	unsigned long max_ops;
	int seconds;
	unsigned int devices;
	unsigned int drivers;
	unsigned int processes;
	unsigned int threads;
	unsigned int driver_us;	/* a thread of the driver rests, after an operation */
	unsigned int old_ticks;	/* a process does not end before */
	__u64 driver_kinds;	/* bits of operations */
	__u64 user_kinds;
	__u32 memory;		/* bits of memory_kinds */
	bool with_context;
	bool without_context;
	bool faults;
	bool times;
	bool partial;		/* some operations or kinds of memory are left out */

	/* what happens */
	bool stop;
	unsigned long done;
	unsigned long facts[MAX_FACTS];
	struct cost costs[2][64];	/* of user space, of the driver */
	int failures;
	char failure[256];
	__u32 last_owner;
	__u32 last_file;
	__u32 current[MAX_DEVICES];	/* the owner that is registered, or 0 */
	struct registration registrations[REMEMBERED];
	struct open_file files[REMEMBERED];
	struct task tasks[MAX_TASKS];
	unsigned int ticks;		/* see watch.c */
	unsigned int born[MAX_PROCESSES];	/* in ticks; 0: it is not there */
};

extern struct world *world;

/* world.c */
int world_make(void);
void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void happened(unsigned int fact);
struct registration *registration_new(__u32 owner);
struct registration *registration_find(__u32 owner);
struct open_file *file_new(const struct view *view);
struct open_file *file_find(__u32 nr);
struct state look(__u32 file, __u32 owner);
struct task *task_of(unsigned int process, unsigned int thread);
void task_begin(struct task *task, const char *what);
void task_end(struct task *task);

/* An operation, of the driver or of user space. */
struct kind {
	const char *name;
	unsigned int weight;
	void (*run)(void *actor, struct dice *dice);
};

/* Not each operation needs both. */
#define OPERATION(_name)	void _name(void *actor, struct dice *dice)

extern const struct kind driver_kinds[];
extern const struct kind user_kinds[];
__u64 user_kinds_of(unsigned int thread);	/* those that are not left out */

const struct kind *choose_kind(const struct kind *kinds, __u64 allowed, struct dice *dice);
void run_next(const struct kind *kinds, __u64 allowed, struct task *task, void *actor);

/* touch.c */
int peek(const void *addr, __u32 *word);
int poke(void *addr, __u32 word);
int touch_in(void (*fn)(void *arg), void *arg);
void catch_touches(void);

/* memory.c: kinds of memory, and what may be seen of them */
struct memory_kind {
	const char *name;
	bool io;		/* goes with the device */
	bool needs_context;
	bool has_words;
	bool mappable;
};

extern const struct memory_kind memory_kinds[];
unsigned int memory_kinds_nr(void);

/* What was seen of a page, and how. */
struct sight {
	const char *how;
	const struct view *view;
	__u32 file;
	unsigned int region;
	unsigned int page;
	struct state before;
	bool pinned;		/* the page was pinned, and then read */
};

struct sight sight_begin(const char *how, const struct view *view, __u32 file,
			 unsigned int region, unsigned int page);
void judge_word(const struct sight *sight, __u32 word);
void judge_seen(const struct sight *sight);
void judge_refusal(const struct sight *sight, const char *what);

/* driver.c */
int drivers_open(void);
int drivers_end(void);
void drivers_close(void);
void node_path(char *path, size_t size, int minor);
bool device_has_context(unsigned int nr);
long device_count(unsigned int nr, const char *counter);

/* user.c */
#define FILES	12	/* of a process */
#define MAPS	10	/* of a thread */

/* a mapping, or a part of one */
struct map {
	char *addr;
	unsigned int pages;
	unsigned int region;
	unsigned int first;	/* page of the region */
	int prot;
	bool private;
	bool hollow;		/* its pages were moved away */
	bool not_forked;	/* a child may lack parts of it */
	__u32 file;
	struct view view;
};

struct user {
	struct task *task;
	unsigned int process;
	unsigned int thread;
	struct map maps[MAPS];
	unsigned int depth;	/* of forks */
	int scratch;		/* a file with O_DIRECT, or -1 */
	void *aligned;		/* a page for O_DIRECT */
	int pipe[2];
	int attribute;		/* open file in sysfs, or -1 */
	bool has_ring;
	struct uiot_uring ring;
	void *pinned_at;	/* by the ring */
	size_t pinned_size;
};

extern __u64 held[FILES];	/* descriptors of this process: see files.c */

pid_t user_start(unsigned int process);
void user_run(struct user *user, unsigned long operations);

bool take(struct dice *dice, int *fd, __u32 *file);
void give(struct dice *dice, int fd, __u32 file);
void give_copy(struct dice *dice, int fd, __u32 file);
void make_begin(void);
void make_end(void);
pid_t fork_between(void);
void sleep_begin(struct task *task, int fd, __u32 file, struct dice *dice);
int sleep_end(struct task *task);	/* the descriptor, or -1: somebody has closed it */
struct map *any_map(struct user *user, struct dice *dice);

OPERATION(do_open);
OPERATION(do_open_by_name);
OPERATION(do_close);
OPERATION(do_close_asleep);
OPERATION(do_dup);
OPERATION(do_read);
OPERATION(do_write);
OPERATION(do_poll);
OPERATION(do_select);
OPERATION(do_epoll);
OPERATION(do_fasync);
OPERATION(do_revoke);
OPERATION(do_ioctl);
OPERATION(do_sysfs);
OPERATION(do_mmap);
OPERATION(do_munmap);
OPERATION(do_munmap_part);
OPERATION(do_load);
OPERATION(do_store);
OPERATION(do_walk);
OPERATION(do_mprotect);
OPERATION(do_move);
OPERATION(do_dontunmap);
OPERATION(do_shrink);
OPERATION(do_madvise);
OPERATION(do_mlock);
OPERATION(do_mincore);
OPERATION(do_vm_read);
OPERATION(do_vm_write);
OPERATION(do_mem_read);
OPERATION(do_mem_write);
OPERATION(do_vm_other);
OPERATION(do_direct_write);
OPERATION(do_direct_read);
OPERATION(do_splice);
OPERATION(do_ring_pin);
OPERATION(do_ring_write);
OPERATION(do_ring_poll);
OPERATION(do_fork);
OPERATION(do_fork_kill);
OPERATION(do_send);
OPERATION(do_receive);
OPERATION(do_exit);

/* peers.c */
int mailboxes_open(void);
void mailboxes_close(void);

/**
 * struct program - how a program differs from the other
 * @name: its name
 * @usage: its help
 * @facts: names of facts
 * @facts_at_first: how many of these are counted while it runs; it counts the others at its end
 * @options: its own options
 * @set: is called for each of them
 * @begin: prepares a run
 * @end: checks what is left after it
 */
struct program {
	const char *name;
	const char *usage;
	const char * const *facts;
	unsigned int facts_at_first;
	const struct option *options;
	void (*set)(int option);
	int (*begin)(void);
	void (*end)(void);
};

/* run.c */
int run(int argc, char **argv, const struct program *self);
void run_defaults(void);
void run_list(void);
void wrong(const char *what, const char *value) __attribute__((noreturn));
void result(bool ok, const char *name);
void report_facts(unsigned int facts);
bool has_enough(void);

/* watch.c */
void watch(void);
bool is_old(unsigned int process);
pid_t old_process(struct dice *dice);
int users_end(void);
void show_tasks(void);

/* faults.c: allocations that fail */
int faults_on(void);
void faults_off(void);

#endif /* _UIO_CHAOS_H */
