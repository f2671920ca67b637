// SPDX-License-Identifier: GPL-2.0-only
/* uio-late-release holders: which processes have UIO devices open or mapped. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "holders.h"
#include "tool.h"

/* Is the output for people, or for a program? */
static bool wants_json(int argc, char *const *argv)
{
	int i;

	for (i = 0; i < argc; i++)
		if (strcmp(argv[i], "--json"))
			die("holders: what is '%s'? See " TOOL " --help", argv[i]);
	return argc > 0;
}

static void tell_unseen(unsigned int unseen)
{
	if (!unseen)
		return;
	fflush(stdout);
	fprintf(stderr, TOOL ": %u other process%s could not be seen%s\n", unseen,
		unseen == 1 ? "" : "es", geteuid() ? ": root can see more" : "");
}

int holders_main(int argc, char *const *argv)
{
	bool json = wants_json(argc, argv);
	unsigned int major, unseen = 0;
	bool loaded = find_major(&major);

	if (loaded) {
		unseen = scan_processes(major);
		complete_devices(major);
	}
	if (json)
		print_json(unseen);
	else if (!loaded)
		puts("No process has a UIO device: uio is not loaded.");
	else if (!nr_devices)
		printf("No process%s has a UIO device open or mapped.\n",
		       unseen ? " that can be seen" : "");
	else
		print_text();
	tell_unseen(unseen);
	return EXIT_FINE;
}
