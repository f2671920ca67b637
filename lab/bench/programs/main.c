// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_bench FORM CASE...: measure cases on one form of device, and print a line
 * "CASE VALUE" for each. Values are differences of the time stamp counter.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

const struct form *form;

static const struct form forms[] = {
	{ "mainline", UIO_BENCH_UIO, false },
	{ "ours", UIO_BENCH_UIO, false },
	{ "ours-context", UIO_BENCH_UIO, true },
	{ "floor", UIO_BENCH_FLOOR, false },
};

static const struct bench_case *const lists[] = {
	file_cases, map_cases, life_cases, holder_cases, rate_cases, memory_cases,
};

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

static const struct form *find_form(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].name, name))
			return &forms[i];
	fprintf(stderr, "uio_bench: there is no form '%s'\n", name);
	exit(2);
}

static const struct bench_case *find_case(const char *name)
{
	const struct bench_case *c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		for (c = lists[i]; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	fprintf(stderr, "uio_bench: there is no case '%s'\n", name);
	exit(2);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The cost of reading the counter. */
static uint64_t overhead(void)
{
	uint64_t least = UINT64_MAX;
	int i;

	for (i = 0; i < 100; i++) {
		uint64_t start = counter(), took = counter() - start;

		if (took < least)
			least = took;
	}
	return least;
}

static double one_batch(const struct bench_case *c)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < c->repeats; i++)
		sum += c->op();
	return (double)sum / c->repeats;
}

static void measure(const struct bench_case *c)
{
	double *values = calloc(c->batches, sizeof(*values));
	unsigned int i;

	if (!values)
		die("no memory");
	if (c->setup)
		c->setup();
	/* warm up, except for cases with one batch, which are too long */
	if (c->batches > 1)
		one_batch(c);
	for (i = 0; i < c->batches; i++)
		values[i] = one_batch(c);
	if (c->teardown)
		c->teardown();

	qsort(values, c->batches, sizeof(*values), compare);
	printf("%s %.1f\n", c->name,
	       values[c->batches / 2] - (c->is_result ? 0 : overhead()));
	free(values);
}

int main(int argc, char **argv)
{
	int i;

	if (argc < 3) {
		fprintf(stderr, "usage: uio_bench FORM CASE...\n");
		return 2;
	}
	form = find_form(argv[1]);
	for (i = 2; i < argc; i++) {
		const struct bench_case *c = find_case(argv[i]);

		if (!c->wants || c->wants(form))
			measure(c);
		fflush(stdout);
	}
	return 0;
}
