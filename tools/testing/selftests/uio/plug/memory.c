// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_plug: how much memory the kernel has in use.
 *
 * At any moment the kernel also has memory that it frees soon: what RCU frees later, caches
 * of file systems, empty slabs, what each CPU keeps. So this measures several times, and
 * makes the kernel free all that before. The least of each amount counts, because what is there
 * for a moment comes on top of what stays. A leak never goes away.
 */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plug.h"
#include "uio_testlib.h"

#define AMOUNTS_MAX	1024
#define CACHES_MAX	512
/* The first measurement ends when so many rounds have found nothing less. */
#define ROUNDS_SAME	8
#define ROUNDS_MAX	60
/* Any module: when it is unloaded, the kernel purges what vmalloc has freed. */
#define PURGER		"uio_pci_generic"
/* The kernel keeps the stacks of two threads that have ended, for each CPU. */
#define STACKS		4

enum kind {
	SLAB_OBJECTS,		/* of a cache */
	SLAB_PAGES,		/* of a cache */
	VMALLOC,		/* by a function */
	PAGE_TABLES,
	PERCPU,
	PAGES,
	THREADS,
	KINDS,
};

static const struct {
	const char *name;
	long tolerance;
	long per_thread;	/* more for each thread of the kernel's own that is new */
} kinds[KINDS] = {
	[SLAB_OBJECTS]	= { "slab, objects", 0, 4 },
	/* a slab has up to 8 */
	[SLAB_PAGES]	= { "slab, pages", 0, 8 },
	[VMALLOC]	= { "vmalloc, pages", 0, 32 },
	[PAGE_TABLES]	= { "page tables, pages", 0, 0 },
	[PERCPU]	= { "percpu, KiB", 0, 0 },
	/* RCU and others keep some pages for the next time */
	[PAGES]		= { "all but processes and files, pages", 64, 32 },
	/* workers come and go, and each takes memory of its own */
	[THREADS]	= { "threads", 8, 0 },
};

struct amount {
	enum kind kind;
	char of[64];
	long value;
};

struct memory {
	unsigned int nr;
	struct amount amounts[AMOUNTS_MAX];
};

static struct memory before, after;

/* Files stay open, because to open one takes memory. */
enum source { VMSTAT, ZONEINFO, MEMINFO, VMALLOCINFO, LOADAVG, SLABINFO, DROP, REFRESH, SOURCES };

static const char * const paths[SOURCES] = {
	[VMSTAT]	= "/proc/vmstat",
	[ZONEINFO]	= "/proc/zoneinfo",
	[MEMINFO]	= "/proc/meminfo",
	[VMALLOCINFO]	= "/proc/vmallocinfo",
	[LOADAVG]	= "/proc/loadavg",
	[SLABINFO]	= "/proc/slabinfo",
	[DROP]		= "/proc/sys/vm/drop_caches",
	[REFRESH]	= "/proc/sys/vm/stat_refresh",
};

static int fds[SOURCES];
static int caches[CACHES_MAX];
static unsigned int caches_nr;
static char text[512 * 1024];

/* Reading */

static struct amount *find(struct memory *memory, enum kind kind, const char *of)
{
	unsigned int i;

	for (i = 0; i < memory->nr; i++)
		if (memory->amounts[i].kind == kind && !strcmp(memory->amounts[i].of, of))
			return &memory->amounts[i];
	return NULL;
}

static void add(struct memory *memory, enum kind kind, const char *of, long value)
{
	struct amount *amount = find(memory, kind, of);

	if (!amount && memory->nr < AMOUNTS_MAX) {
		amount = &memory->amounts[memory->nr++];
		*amount = (struct amount){ .kind = kind };
		snprintf(amount->of, sizeof(amount->of), "%s", of);
	}
	if (amount)
		amount->value += value;
}

static char *first_line(enum source source)
{
	size_t size = 0;
	ssize_t n;

	while ((n = pread(fds[source], text + size, sizeof(text) - 1 - size, size)) > 0)
		size += n;
	text[size] = 0;
	return strtok(text, "\n");
}

static char *next_line(void)
{
	return strtok(NULL, "\n");
}

static void read_slabs(struct memory *memory)
{
	long objects, pages, slabs;
	char name[64], *line;

	for (line = first_line(SLABINFO); line; line = next_line()) {
		if (sscanf(line, "%63s %ld %*d %*d %*d %ld : %*[^:]: slabdata %*d %ld",
			   name, &objects, &pages, &slabs) != 4)
			continue;
		add(memory, SLAB_OBJECTS, name, objects);
		add(memory, SLAB_PAGES, name, slabs * pages);
	}
}

/* Areas that are free already have "unpurged" in place of the function. */
static void read_vmalloc(struct memory *memory)
{
	char function[64], *line;
	long size;

	for (line = first_line(VMALLOCINFO); line; line = next_line()) {
		if (sscanf(line, "%*s %ld %63[^+ ]", &size, function) != 2 ||
		    !strcmp(function, "unpurged"))
			continue;
		add(memory, VMALLOC, function, size / (long)uiot_page());
	}
}

/* Pages on the lists of mm belong to processes or to files. */
static bool is_list(const char *name)
{
	return strstr(name, "nr_inactive_") == name || strstr(name, "nr_active_") == name ||
	       strstr(name, "nr_isolated_") == name || !strcmp(name, "nr_unevictable");
}

/* All that is neither free, nor kept by a CPU, nor on such a list. */
static void read_pages(struct memory *memory)
{
	char name[64], *line;
	long used = 0, n;

	for (line = first_line(ZONEINFO); line; line = next_line()) {
		if (sscanf(line, " managed %ld", &n) == 1)
			used += n;
		else if (sscanf(line, " pages free %ld", &n) == 1 ||
			 sscanf(line, " count: %ld", &n) == 1)
			used -= n;
	}
	for (line = first_line(VMSTAT); line; line = next_line()) {
		if (sscanf(line, "%63s %ld", name, &n) != 2)
			continue;
		if (is_list(name))
			used -= n;
		else if (!strcmp(name, "nr_page_table_pages"))
			add(memory, PAGE_TABLES, "", n);
	}
	add(memory, PAGES, "", used);
}

static void read_rest(struct memory *memory)
{
	char *line;
	long n;

	for (line = first_line(MEMINFO); line; line = next_line())
		if (sscanf(line, "Percpu: %ld", &n) == 1)
			add(memory, PERCPU, "", n);
	line = first_line(LOADAVG);
	if (line && sscanf(line, "%*s %*s %*s %*d/%ld", &n) == 1)
		add(memory, THREADS, "", n);
}

/* Making the kernel free what it can */

static void *wait_for_others(void *barrier)
{
	pthread_barrier_wait(barrier);
	return NULL;
}

/* Stacks and what belongs to them are kept, or not, by chance. So make the kernel keep all. */
static void fill_stacks(void)
{
	int cpu, cpus = sysconf(_SC_NPROCESSORS_ONLN), i;
	pthread_t threads[STACKS];
	pthread_barrier_t barrier;
	cpu_set_t old, set;

	sched_getaffinity(0, sizeof(old), &old);
	pthread_barrier_init(&barrier, NULL, STACKS);
	for (cpu = 0; cpu < cpus; cpu++) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		/* threads inherit it */
		sched_setaffinity(0, sizeof(set), &set);
		for (i = 0; i < STACKS; i++)
			if (pthread_create(&threads[i], NULL, wait_for_others, &barrier))
				abort();
		for (i = 0; i < STACKS; i++)
			pthread_join(threads[i], NULL);
	}
	sched_setaffinity(0, sizeof(old), &old);
}

/* An error does not matter: then there is more memory in use. */
static void tell(int fd, const char *what)
{
	ssize_t ignored = pwrite(fd, what, strlen(what), 0);

	(void)ignored;
}

static void free_all(void)
{
	unsigned int i;

	fill_stacks();
	if (uiot_load(PURGER) || !uiot_module_goes(PURGER, UIOT_SOON_MS))
		abort();
	sync();
	tell(fds[DROP], "3");
	for (i = 0; i < caches_nr; i++)
		tell(caches[i], "1");
	tell(fds[REFRESH], "1");
}

static struct memory *measure(void)
{
	static struct memory now;

	free_all();
	now.nr = 0;
	read_slabs(&now);
	read_vmalloc(&now);
	read_pages(&now);
	read_rest(&now);
	return &now;
}

/* Takes over what is less. Returns whether anything was. */
static bool keep_least(struct memory *least, struct memory *now)
{
	struct amount *amount, *found;
	bool less = false;

	for (amount = least->amounts; amount < least->amounts + least->nr; amount++) {
		found = find(now, amount->kind, amount->of);
		if (found && found->value >= amount->value)
			continue;
		amount->value = found ? found->value : 0;
		less = true;
	}
	return less;
}

/* Comparing */

static long value_of(struct memory *memory, enum kind kind, const char *of)
{
	struct amount *amount = find(memory, kind, of);

	return amount ? amount->value : 0;
}

static long allowed(enum kind kind)
{
	long threads = value_of(&after, THREADS, "") - value_of(&before, THREADS, "");

	return kinds[kind].tolerance + (threads > 0 ? threads * kinds[kind].per_thread : 0);
}

static bool is_more(const struct amount *amount)
{
	return amount->value > value_of(&before, amount->kind, amount->of) +
			       allowed(amount->kind);
}

static bool any_is_more(void)
{
	unsigned int i;

	for (i = 0; i < after.nr; i++)
		if (is_more(&after.amounts[i]))
			return true;
	return false;
}

static long total(const struct memory *memory, enum kind kind)
{
	unsigned int i;
	long sum = 0;

	for (i = 0; i < memory->nr; i++)
		if (memory->amounts[i].kind == kind)
			sum += memory->amounts[i].value;
	return sum;
}

/* Lines that begin with three spaces are for the table of results. */
static void report(unsigned long first, unsigned long end)
{
	unsigned int kind;

	printf("#\n#   %-36s %12s %12s %12s\n", "memory, after cycles:", "", "", "may grow by");
	printf("#   %-36s %12lu %12lu\n", "", first, end);
	for (kind = 0; kind < KINDS; kind++)
		printf("#   %-36s %12ld %12ld %12ld\n", kinds[kind].name,
		       total(&before, kind), total(&after, kind), allowed(kind));
}

static void report_differences(void)
{
	const struct amount *amount;
	long old;

	for (amount = after.amounts; amount < after.amounts + after.nr; amount++) {
		old = value_of(&before, amount->kind, amount->of);
		if (amount->value != old)
			printf("# %s %s, %s: %ld, then %ld\n", is_more(amount) ?
			       "wrong:" : "differs:", kinds[amount->kind].name, amount->of,
			       old, amount->value);
	}
}

static int open_caches(void)
{
	struct stat st;
	size_t i;
	glob_t found;
	char *slash;

	if (glob("/sys/kernel/slab/*/shrink", GLOB_NOSORT, NULL, &found))
		return -ENOENT;
	for (i = 0; i < found.gl_pathc && caches_nr < CACHES_MAX; i++) {
		/* other names of a cache are links */
		slash = strrchr(found.gl_pathv[i], '/');
		*slash = 0;
		if (lstat(found.gl_pathv[i], &st) || S_ISLNK(st.st_mode))
			continue;
		*slash = '/';
		caches[caches_nr] = open(found.gl_pathv[i], O_WRONLY | O_CLOEXEC);
		if (caches[caches_nr] >= 0)
			caches_nr++;
	}
	globfree(&found);
	return caches_nr ? 0 : -ENOENT;
}

/* Measures once, so that all pages that this needs are there. */
int memory_open(void)
{
	unsigned int i;
	int ret = open_caches();

	for (i = 0; !ret && i < SOURCES; i++) {
		fds[i] = open(paths[i], (i < DROP ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
		if (fds[i] < 0)
			ret = -errno;
	}
	if (ret)
		return ret;

	before = *measure();
	after = before;
	return 0;
}

void memory_begin(void)
{
	unsigned int rounds, same = 0;

	before = *measure();
	for (rounds = 0; same < ROUNDS_SAME && rounds < ROUNDS_MAX; rounds++)
		same = keep_least(&before, measure()) ? 0 : same + 1;
}

/**
 * memory_is_the_same - is no more memory in use than at memory_begin()?
 * @first: number of cycles before memory_begin(), for the report
 * @end: number of cycles until now
 *
 * Measures until it is, or until enough rounds have shown that it is not.
 *
 * Return: whether it is.
 */
bool memory_is_the_same(unsigned long first, unsigned long end)
{
	unsigned int rounds;

	after = *measure();
	for (rounds = 0; any_is_more() && rounds < ROUNDS_MAX; rounds++)
		keep_least(&after, measure());
	report(first, end);
	report_differences();
	return !any_is_more();
}
