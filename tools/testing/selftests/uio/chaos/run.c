// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations: what the programs have in common: their options, the threads of the
 * driver, and how a run begins and ends.
 */

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chaos.h"
#include "uio_testlib.h"

static const struct program *program;
static unsigned long show;

/* Options */

void wrong(const char *what, const char *value)
{
	fprintf(stderr, "%s: %s '%s': see %s --help\n", program->name, what, value,
		program->name);
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
		fprintf(stderr, "%s: --%s is '%s': give a number from %llu to %llu\n",
			program->name, option, text, min, max);
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

void run_list(void)
{
	unsigned int i;

	for (i = 0; driver_kinds[i].name; i++)
		printf("driver %s\n", driver_kinds[i].name);
	for (i = 0; user_kinds[i].name; i++)
		printf("user %s\n", user_kinds[i].name);
}

/* Defaults that all programs have */
void run_defaults(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	world->seed = (ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000) % 1000000000;
	world->processes = 3;
	world->threads = 3;
	world->driver_kinds = ~0ULL;
	world->user_kinds = ~0ULL;
}

static void set_option(int option, const char *name)
{
	world->partial |= !!strchr("dDptyw", option);
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
	case 'T':
		world->times = true;
		break;
	case 'h':
		printf("%s", program->usage);
		exit(0);
	case '?':
		exit(2);
	default:
		program->set(option);
	}
}

static const struct option common[] = {
	{ "seed",	required_argument,	NULL, 's' },
	{ "ops",	required_argument,	NULL, 'o' },
	{ "seconds",	required_argument,	NULL, 'S' },
	{ "devices",	required_argument,	NULL, 'd' },
	{ "drivers",	required_argument,	NULL, 'D' },
	{ "processes",	required_argument,	NULL, 'p' },
	{ "threads",	required_argument,	NULL, 't' },
	{ "only",	required_argument,	NULL, 'y' },
	{ "without",	required_argument,	NULL, 'w' },
	{ "times",	no_argument,		NULL, 'T' },
	{ "show",	required_argument,	NULL, 'n' },
	{ "help",	no_argument,		NULL, 'h' },
};

#define COMMON	(sizeof(common) / sizeof(*common))

static void parse(int argc, char **argv)
{
	struct option options[COMMON + 8] = { };
	int option, index = 0;
	unsigned int i;

	memcpy(options, common, sizeof(common));
	for (i = 0; program->options[i].name; i++)
		options[COMMON + i] = program->options[i];
	while ((option = getopt_long(argc, argv, "", options, &index)) >= 0)
		set_option(option, options[index].name);
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
			show_task(user_kinds, user_kinds_of(j),
				  MAX_DRIVERS + i * MAX_THREADS + j);
}

/* Threads of the driver */

static pthread_t threads[MAX_DRIVERS];

static void *drive(void *arg)
{
	struct task *task = arg;

	task->pid = getpid();
	task->tid = gettid();
	while (!__atomic_load_n(&world->stop, __ATOMIC_ACQUIRE)) {
		run_next(driver_kinds, world->driver_kinds, task, task);
		/* most of the time is for user space */
		usleep(world->driver_us);
	}
	task->tid = 0;
	return NULL;
}

static int drivers_start(void)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < world->drivers; i++)
		ret = -pthread_create(&threads[i], NULL, drive, &world->tasks[i]);
	return ret;
}

static int drivers_join(int ms)
{
	struct timespec ts;
	unsigned int i;
	int ret = 0;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += ms / 1000;
	for (i = 0; !ret && i < world->drivers; i++)
		if (threads[i]) {
			ret = -pthread_timedjoin_np(threads[i], NULL, &ts);
			threads[i] = ret ? threads[i] : 0;
		}
	return ret;
}

/* The run, and its results */

static unsigned int tests;
static bool all_ok = true;

void result(bool ok, const char *name)
{
	all_ok &= ok;
	printf("%sok %u %s\n", ok ? "" : "not ", ++tests, name);
}

/*
 * A run in which nothing happens proves nothing. But a run of so many operations, or only of
 * some kinds of them, is one to look at.
 */
static bool suffices(unsigned int facts)
{
	unsigned int fact;

	if (world->max_ops || world->partial)
		return true;
	for (fact = 0; fact < facts; fact++)
		if (!__atomic_load_n(&world->facts[fact], __ATOMIC_RELAXED))
			return false;
	return true;
}

bool has_enough(void)
{
	return suffices(program->facts_at_first);
}

void report_facts(unsigned int facts)
{
	unsigned int fact;

	printf("# seen:");
	for (fact = 0; fact < facts; fact++)
		printf("%s %lu %s", fact ? "," : "", world->facts[fact], program->facts[fact]);
	printf("\n");
	result(suffices(facts), "enough_happened");
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

static int run_all(void)
{
	long began;
	int ret;

	printf("KTAP version 1\n# seed %llu\n", world->seed);
	ret = program->begin();
	if (!ret)
		ret = drivers_start();
	if (ret) {
		printf("Bail out! the run cannot begin: %s\n", strerror(-ret));
		return 3;
	}
	began = uiot_now_ms();
	watch();
	report_run((uiot_now_ms() - began) / 1000.0);
	if (end_run())
		program->end();
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

/* Returns the exit status. Defaults have been set. */
int run(int argc, char **argv, const struct program *self)
{
	program = self;
	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(argc, argv);
	if (!show)
		return run_apart();
	show_all();
	return 0;
}
