// SPDX-License-Identifier: GPL-2.0-only
/*
 * tsc-khz - print the rate of this machine's time stamp counter, in kHz
 *
 * An emulated CPU uses the counter of the host's CPU. A guest that does not know the rate
 * measures it with another emulated clock. On a busy machine, the result is sometimes
 * very wrong, and then all time-outs are wrong.
 */

#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define ROUNDS	10

struct sample {
	double ns;
	unsigned long long ticks;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* Reads both clocks at once. Of several tries, the shortest one counts. */
static struct sample sample(void)
{
	struct sample best = { 0, 0 };
	double least = 1e9;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		double before = now();
		unsigned long long ticks = __rdtsc();
		double took = now() - before;

		if (took < least) {
			least = took;
			best.ns = before + took / 2;
			best.ticks = ticks;
		}
	}
	return best;
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	struct sample from, to;

	from = sample();
	nanosleep(&pause, NULL);
	to = sample();
	printf("%.0f\n", (to.ticks - from.ticks) / (to.ns - from.ns) * 1e6);
	return 0;
}
