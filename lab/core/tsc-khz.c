// SPDX-License-Identifier: GPL-2.0-only
/*
 * tsc-khz - print the rate of this machine's time stamp counter, in kHz
 *
 * An emulated CPU has the counter of the CPU that it runs on. A guest that is not
 * given the rate measures it, against another emulated clock; on a busy machine it
 * gets that wrong by far now and then, and with it every timeout.
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

/* Both clocks at once: of several tries the one that took least. */
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
