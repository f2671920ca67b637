// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_chaos: random operations on devices of the uio_test module.
 *
 * The threads of one process are the driver. Other processes, with threads, are user space.
 * They do random operations, until there were enough of them, or something is wrong. The same
 * seed gives the same operations in each thread, but not the same timing. At the end, the
 * processes are killed, the devices go, and the modules have to unload.
 *
 * What must hold at any time:
 *
 * - No operation takes for ever. Sleepers wake up when their file or device is revoked.
 * - A page shows the words of its own device: not of another one, and not of freed memory.
 * - A page of a revoked file, or of a device that is gone, cannot be used.
 * - A file of a device that is gone, or a revoked one, says so.
 * - The kernel does not complain.
 */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chaos.h"

static const char usage[] =
"usage: uio_chaos [OPTION]...\n"
"  --seed N          choose the operations (default: from the clock)\n"
"  --ops N           end after so many operations\n"
"  --seconds N       end after so many seconds (default: 30)\n"
"  --devices N       number of devices (default: 8)\n"
"  --drivers N       threads of the driver (default: 2)\n"
"  --processes N     processes that use the devices (default: 3)\n"
"  --threads N       threads of each (default: 3)\n"
"  --only LIST       only these operations, separated by commas\n"
"  --without LIST    not these operations\n"
"  --memory LIST     only these kinds of memory\n"
"  --contexts WHICH  all or none of the devices have a context (default: half of them)\n"
"  --faults          allocations in uio fail now and then\n"
"  --times           show how much CPU time each kind of operation takes\n"
"  --list            show the operations and kinds of memory\n"
"  --show N          show the first N operations of each thread, and run nothing\n";

static unsigned long show;

/* Options */

static void wrong(const char *what, const char *value)
{
	fprintf(stderr, "uio_chaos: %s '%s': see uio_chaos --help\n", what, value);
	exit(2);
}

static unsigned long long to_number(const char *option, const char *text,
				    unsigned long long min, unsigned long long max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || *end || !*text || *text == '-' || value < min || value > max) {
		fprintf(stderr, "uio_chaos: --%s is '%s': give a number from %llu to %llu\n",
			option, text, min, max);
		exit(2);
	}
	return value;
}

static bool find_kind(const struct kind *kinds, const char *name, __u64 *bits)
{
	unsigned int i;

	for (i = 0; kinds[i].name; i++)
		if (!strcmp(kinds[i].name, name)) {
			*bits |= 1ULL << i;
			return true;
		}
	return false;
}

static __u64 all_of(const struct kind *kinds)
{
	unsigned int i;

	for (i = 0; kinds[i].name; i++)
		;
	return (1ULL << i) - 1;
}

/* Sets the bits of the operations in LIST. */
static void operations(char *list, __u64 *driver, __u64 *user)
{
	char *name;

	*driver = 0;
	*user = 0;
	for (name = strtok(list, ","); name; name = strtok(NULL, ","))
		if (!find_kind(driver_kinds, name, driver) && !find_kind(user_kinds, name, user))
			wrong("there is no operation", name);
}

static void set_only(char *list)
{
	operations(list, &world->driver_kinds, &world->user_kinds);
}

static void set_without(char *list)
{
	__u64 driver, user;

	operations(list, &driver, &user);
	world->driver_kinds &= ~driver;
	world->user_kinds &= ~user;
}

static void set_memory(char *list)
{
	unsigned int i;
	char *name;

	world->memory = 0;
	for (name = strtok(list, ","); name; name = strtok(NULL, ",")) {
		for (i = 0; i < memory_kinds_nr(); i++)
			if (!strcmp(memory_kinds[i].name, name))
				break;
		if (i == memory_kinds_nr())
			wrong("there is no memory of the kind", name);
		world->memory |= 1U << i;
	}
}

static void set_contexts(const char *which)
{
	if (strcmp(which, "all") && strcmp(which, "none"))
		wrong("--contexts takes all or none, not", which);
	world->with_context = !strcmp(which, "all");
	world->without_context = !world->with_context;
}

static void list(void)
{
	unsigned int i;

	for (i = 0; driver_kinds[i].name; i++)
		printf("driver %s\n", driver_kinds[i].name);
	for (i = 0; user_kinds[i].name; i++)
		printf("user %s\n", user_kinds[i].name);
	for (i = 0; i < memory_kinds_nr(); i++)
		printf("memory %s\n", memory_kinds[i].name);
	exit(0);
}

static void set_defaults(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	world->seed = (ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000) % 1000000000;
	world->devices = 8;
	world->drivers = 2;
	world->processes = 3;
	world->threads = 3;
	world->driver_kinds = ~0ULL;
	world->user_kinds = ~0ULL;
	world->memory = ~0U;
	world->with_context = true;
	world->without_context = true;
}

static void parse_one(int option, const char *name)
{
	world->partial |= !!strchr("dDptywmc", option);
	switch (option) {
	case 's':
		world->seed = to_number(name, optarg, 0, ~0ULL);
		break;
	case 'o':
		world->max_ops = to_number(name, optarg, 1, ~0UL);
		break;
	case 'S':
		world->seconds = to_number(name, optarg, 1, 1000000);
		break;
	case 'd':
		world->devices = to_number(name, optarg, 1, MAX_DEVICES);
		break;
	case 'D':
		world->drivers = to_number(name, optarg, 1, MAX_DRIVERS);
		break;
	case 'p':
		world->processes = to_number(name, optarg, 0, MAX_PROCESSES);
		break;
	case 't':
		world->threads = to_number(name, optarg, 1, MAX_THREADS);
		break;
	case 'n':
		show = to_number(name, optarg, 1, 1000000);
		break;
	case 'y':
		set_only(optarg);
		break;
	case 'w':
		set_without(optarg);
		break;
	case 'm':
		set_memory(optarg);
		break;
	case 'c':
		set_contexts(optarg);
		break;
	case 'f':
		world->faults = true;
		break;
	case 'T':
		world->times = true;
		break;
	case 'l':
		list();
		break;
	case 'h':
		printf("%s", usage);
		exit(0);
	default:
		exit(2);
	}
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed",	required_argument,	NULL, 's' },
		{ "ops",	required_argument,	NULL, 'o' },
		{ "seconds",	required_argument,	NULL, 'S' },
		{ "devices",	required_argument,	NULL, 'd' },
		{ "drivers",	required_argument,	NULL, 'D' },
		{ "processes",	required_argument,	NULL, 'p' },
		{ "threads",	required_argument,	NULL, 't' },
		{ "only",	required_argument,	NULL, 'y' },
		{ "without",	required_argument,	NULL, 'w' },
		{ "memory",	required_argument,	NULL, 'm' },
		{ "contexts",	required_argument,	NULL, 'c' },
		{ "faults",	no_argument,		NULL, 'f' },
		{ "times",	no_argument,		NULL, 'T' },
		{ "list",	no_argument,		NULL, 'l' },
		{ "show",	required_argument,	NULL, 'n' },
		{ "help",	no_argument,		NULL, 'h' },
		{ }
	};
	int option, index = 0;

	while ((option = getopt_long(argc, argv, "", options, &index)) >= 0)
		parse_one(option, options[index].name);
	if (optind < argc)
		wrong("unexpected argument", argv[optind]);
	if (!world->max_ops && !world->seconds)
		world->seconds = 30;
	/* a thread without operations would look for one for ever */
	if (!(world->driver_kinds & all_of(driver_kinds)))
		world->drivers = 0;
	if (!(world->user_kinds & all_of(user_kinds)))
		world->processes = 0;
}

/* Shows what each thread would do. */

static void show_task(const struct kind *kinds, __u64 allowed, unsigned int nr)
{
	const struct kind *kind;
	unsigned long at;
	struct dice dice;

	for (at = 0; at < show; at++) {
		dice = dice_of(world->seed, nr, at);
		kind = choose_kind(kinds, allowed, &dice);
		if (kind)
			printf("task %u, operation %lu: %s\n", nr, at, kind->name);
	}
}

static void show_all(void)
{
	unsigned int i, j;

	for (i = 0; i < world->drivers; i++)
		show_task(driver_kinds, world->driver_kinds, i);
	for (i = 0; i < world->processes; i++)
		for (j = 0; j < world->threads; j++)
			show_task(user_kinds, world->user_kinds,
				  MAX_DRIVERS + i * MAX_THREADS + j);
}

/* The run, and its results */

static unsigned int tests;
static bool all_ok = true;

static void result(bool ok, const char *name)
{
	all_ok &= ok;
	printf("%sok %u %s\n", ok ? "" : "not ", ++tests, name);
}

/* Two counters of the module that have to be equal in the end. */
struct balance {
	const char *made;
	const char *ended;
	bool of_all;		/* of devices without a context, too */
	bool quiet;
};

static bool counts_agree(const struct balance *balance, unsigned int nr)
{
	long a = device_count(nr, balance->made), b = device_count(nr, balance->ended);

	if (a != b && !balance->quiet)
		printf("# device %u: %ld %s, %ld %s\n", nr, a, balance->made, b,
		       balance->ended);
	return a == b && a >= 0;
}

static bool all_agree(void *arg)
{
	const struct balance *balance = arg;
	bool agree = true;
	unsigned int nr;

	for (nr = 0; nr < world->devices; nr++)
		if (balance->of_all || device_has_context(nr))
			agree &= counts_agree(balance, nr);
	return agree;
}

/* Without a context, release is not called for files that outlive the device. */
static bool agree_at_last(const char *made, const char *ended, bool of_all)
{
	struct balance balance = { made, ended, of_all, true };

	if (uiot_wait_until(all_agree, &balance, UIOT_SOON_MS))
		return true;
	balance.quiet = false;
	return all_agree(&balance);
}

/*
 * A run in which nothing happens proves nothing. After so many operations, each of these has
 * happened several times, unless some operations were left out.
 */
static bool enough_happened(void)
{
	bool enough = true, all = !world->partial && world->done >= ENOUGH_OPS;
	const unsigned int facts = world->faults ? FACTS : FAILED_ALLOCATIONS;
	unsigned int fact, nr;

	for (nr = 0; nr < world->devices; nr++)
		world->facts[LATE_RELEASES] += device_count(nr, "late_releases");
	printf("# seen:");
	for (fact = 0; fact < facts; fact++) {
		printf("%s %lu %s", fact ? "," : "", world->facts[fact], fact_name(fact));
		enough &= world->facts[fact] || !all;
	}
	printf("\n");
	return enough;
}

static void report_times(const struct kind *kinds, const struct cost *costs)
{
	unsigned int i;

	for (i = 0; kinds[i].name; i++)
		if (costs[i].count)
			printf("# %8.1f ms, %7lu times, %6lu us: %s\n", costs[i].us / 1000.0,
			       costs[i].count, costs[i].us / costs[i].count, kinds[i].name);
}

static void report_run(double seconds)
{
	printf("# %lu operations in %.1f s, %.0f per second\n", world->done, seconds,
	       world->done / seconds);
	if (world->failures)
		printf("# wrong: %s\n", world->failure);
	if (world->times) {
		report_times(driver_kinds, world->costs[1]);
		report_times(user_kinds, world->costs[0]);
	}
	result(!world->failures, "nothing_wrong_is_seen");
}

/* Returns false if something hangs: nothing can be removed then. */
static bool end_run(void)
{
	bool ended = !users_end();

	result(ended, "processes_end");
	if (ended) {
		ended = !drivers_join(END_MS);
		result(ended, "driver_ends");
	}
	if (!ended)
		show_tasks();
	return ended;
}

static void check_end(void)
{
	mailboxes_close();
	if (world->faults)
		faults_off();
	result(!drivers_end(), "devices_go");
	result(agree_at_last("opens", "releases", false), "opens_equal_releases");
	result(agree_at_last("creates", "frees", true), "frees_equal_creates");
	result(enough_happened(), "enough_happened");
	drivers_close();
	result(uiot_module_goes("uio_test", END_MS), "driver_unloads");
	result(uiot_module_goes("uio", END_MS), "uio_unloads");
}

static int begin(void)
{
	int ret = drivers_open();

	if (!ret)
		ret = mailboxes_open();
	if (!ret && world->faults)
		ret = faults_on();
	if (!ret)
		ret = drivers_start();
	return ret;
}

static int run_all(void)
{
	long began;
	int ret;

	printf("KTAP version 1\n# seed %llu\n", world->seed);
	ret = begin();
	if (ret) {
		printf("Bail out! the run cannot begin: %s\n", strerror(-ret));
		return 3;
	}
	began = now_ms();
	watch();
	report_run((now_ms() - began) / 1000.0);
	if (end_run())
		check_end();
	printf("1..%u\n", tests);
	return all_ok ? 0 : 1;
}

/*
 * A thread that hangs in the kernel keeps its process from ending. So the run has a process of
 * its own, for which nobody waits in that case.
 */
static int run_apart(void)
{
	int status, over[2];
	char verdict = 1;
	pid_t pid;

	if (pipe(over))
		return 1;
	pid = fork();
	if (!pid) {
		verdict = run_all();
		fflush(stdout);
		if (write(over[1], &verdict, 1) != 1)
			return 1;
		return verdict;
	}
	close(over[1]);
	if (pid < 0 || read(over[0], &verdict, 1) != 1)
		return 1;
	if (verdict == 0)
		waitpid(pid, &status, 0);
	return verdict;
}

int main(int argc, char **argv)
{
	if (world_make())
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	set_defaults();
	parse(argc, argv);
	if (show) {
		show_all();
		return 0;
	}
	return run_apart();
}
