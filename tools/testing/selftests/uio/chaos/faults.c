// SPDX-License-Identifier: GPL-2.0-only
/* uio_chaos: allocations that uio makes fail now and then. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chaos.h"

static const char * const places[] = {
	"/sys/kernel/debug/failslab", "/sys/kernel/debug/fail_page_alloc",
};

#define TIMES	"1000000000"	/* more than there can be */
/* a registration has more than 100 allocations, and some have to succeed */
#define PERCENT	"1"

static int set(const char *place, const char *file, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", place, file);
	return uiot_write_file(path, value);
}

/* The code of the module. Its initialisation is gone by now. */
static int find_code(unsigned long *start, unsigned long *end)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	unsigned long addr;
	char line[256], type, module[64];

	*start = *end = 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %c %*s [%63[^]]", &addr, &type, module) != 3 ||
		    strcmp(module, "uio") || (type != 't' && type != 'T'))
			continue;
		if (!*start || addr < *start)
			*start = addr;
		if (addr > *end)
			*end = addr;
	}
	if (file)
		fclose(file);
	/* the last function is not longer */
	*end += 512;
	return *start ? 0 : -ENOENT;
}

static int turn_on(const char *place, const char *start, const char *end)
{
	const char * const settings[][2] = {
		{ "verbose", "0" },		{ "interval", "1" },
		{ "times", TIMES },		{ "space", "0" },
		{ "task-filter", "N" },		{ "ignore-gfp-wait", "N" },
		{ "stacktrace-depth", "32" },	{ "require-start", start },
		{ "require-end", end },		{ "probability", PERCENT },
	};
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < sizeof(settings) / sizeof(*settings); i++)
		ret = set(place, settings[i][0], settings[i][1]);
	return ret;
}

/* Only below functions of uio, so only uio has to cope with it. */
int faults_on(void)
{
	unsigned long start, end;
	char from[32], to[32];
	unsigned int i;
	int ret = find_code(&start, &end);

	snprintf(from, sizeof(from), "0x%lx", start);
	snprintf(to, sizeof(to), "0x%lx", end);
	for (i = 0; !ret && i < 2; i++)
		ret = turn_on(places[i], from, to);
	if (!ret)
		set(places[1], "min-order", "0");
	return ret;
}

/* The kernel counts the failures down. */
static unsigned long failed(const char *place)
{
	char path[96], buf[32];

	snprintf(path, sizeof(path), "%s/times", place);
	return uiot_read_file(path, buf, sizeof(buf)) ? 0 : atol(TIMES) - atol(buf);
}

void faults_off(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		set(places[i], "probability", "0");
		world->facts[FAILED_ALLOCATIONS] += failed(places[i]);
	}
}
