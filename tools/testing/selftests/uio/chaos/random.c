// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_chaos: random numbers. Operation n of a task depends on the seed, the task and n only,
 * not on what happened before. So a run with fewer tasks, or with fewer kinds of operations,
 * does the rest of the same operations.
 */

#include <time.h>

#include "chaos.h"

/* splitmix64 */
static __u64 next(struct dice *dice)
{
	__u64 z = dice->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

__u32 roll(struct dice *dice, __u32 sides)
{
	return (next(dice) >> 32) * sides >> 32;
}

bool chance(struct dice *dice, __u32 one_in)
{
	return !roll(dice, one_in);
}

struct dice dice_of(__u64 seed, unsigned int task, unsigned long operation)
{
	struct dice dice = { seed };

	dice.state = next(&dice) + task;
	dice.state = next(&dice) + operation;
	return dice;
}

static unsigned int total_weight(const struct kind *kinds)
{
	unsigned int total = 0;

	for (; kinds->name; kinds++)
		total += kinds->weight;
	return total;
}

/* Returns NULL if the dice choose a kind that is not allowed. */
const struct kind *choose_kind(const struct kind *kinds, __u64 allowed, struct dice *dice)
{
	unsigned int at = roll(dice, total_weight(kinds));
	unsigned int i;

	for (i = 0; at >= kinds[i].weight; i++)
		at -= kinds[i].weight;
	return allowed >> i & 1 ? &kinds[i] : NULL;
}

static unsigned long cpu_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000UL + ts.tv_nsec / 1000;
}

static void run_kind(const struct kind *kind, bool driver, unsigned int nr, void *actor,
		     struct dice *dice)
{
	struct cost *cost = &world->costs[driver][nr];
	unsigned long began;

	if (!world->times) {
		kind->run(actor, dice);
		return;
	}
	began = cpu_us();
	kind->run(actor, dice);
	__atomic_add_fetch(&cost->us, cpu_us() - began, __ATOMIC_RELAXED);
	__atomic_add_fetch(&cost->count, 1, __ATOMIC_RELAXED);
}

/* Runs the next operation of a task that is allowed. */
void run_next(const struct kind *kinds, __u64 allowed, struct task *task, void *actor)
{
	unsigned int nr = task - world->tasks;
	const struct kind *kind = NULL;
	struct dice dice;

	while (!kind) {
		dice = dice_of(world->seed, nr, task->next++);
		kind = choose_kind(kinds, allowed, &dice);
	}
	task->limit = TICKS_HANG;
	task_begin(task, kind->name);
	run_kind(kind, kinds == driver_kinds, kind - kinds, actor, &dice);
	task_end(task);
	__atomic_add_fetch(&world->done, 1, __ATOMIC_RELAXED);
}
