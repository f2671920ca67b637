// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio-late-release: tells an operator whether late release is used, who holds UIO devices,
 * and what happens to them. Its manual is man/uio-late-release.1.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const char usage[] =
	"usage: " TOOL " status [-q] [loaded | secure-boot | kernels [KERNEL...]]\n"
	"       " TOOL " holders [--json]\n"
	"       " TOOL " watch\n"
	"\n"
	"  status    what is loaded and installed, and what to do; 0: nothing, 1: something\n"
	"  holders   which processes have UIO devices open or mapped, also removed devices\n"
	"  watch     show events of UIO devices as they come\n"
	"\n"
	"See " TOOL "(1).\n";

static const struct command {
	const char *name;
	int (*main)(int argc, char *const *argv);
} commands[] = {
	{ "status", status_main },
	{ "holders", holders_main },
	{ "watch", watch_main },
};

/* modinfo and dkms are there, and users do not always have this in their path. */
static void add_sbin(void)
{
	const char *path = getenv("PATH");

	setenv("PATH", format("%s:/usr/sbin:/sbin", path && *path ? path : "/usr/bin:/bin"), 1);
}

static int call(const char *name, int argc, char *const *argv)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].main(argc, argv);
	die("there is no command '%s': see " TOOL " --help", name);
}

int main(int argc, char **argv)
{
	int ret = EXIT_FINE;

	if (argc < 2)
		die("give a command: see " TOOL " --help");
	add_sbin();
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		fputs(usage, stdout);
	else if (!strcmp(argv[1], "--version"))
		puts(TOOL " " TOOL_VERSION);
	else
		ret = call(argv[1], argc - 2, argv + 2);
	if (fflush(stdout) || ferror(stdout))
		die("the output can't be written");
	return ret;
}
