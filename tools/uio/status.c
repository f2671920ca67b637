// SPDX-License-Identifier: GPL-2.0-only
/* uio-late-release status: whether late release is used, and what to do if not. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "status.h"
#include "tool.h"

static bool quiet;
static int status = EXIT_FINE;

/* With --quiet, lines appear among those of other programs. */
static void say(const char *fmt, va_list ap)
{
	if (quiet)
		printf(TOOL ": ");
	vprintf(fmt, ap);
	putchar('\n');
}

void say_fine(const char *fmt, ...)
{
	va_list ap;

	if (quiet)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void say_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void say_todo(const char *fmt, ...)
{
	va_list ap;

	status = EXIT_TODO;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

/* The value of a line "KEY: VALUE" of modinfo. */
static void take_field(const char *line, const char *key, char **value)
{
	size_t len = strlen(key);

	if (*value || strncmp(line, key, len) || line[len] != ':')
		return;
	line += len + 1;
	*value = copy_of(line + strspn(line, " "));
}

bool find_module(const char *kernel, const char *name, struct module *module)
{
	const char *const argv[] = { "modinfo", "-k", kernel, name, NULL };
	char *output, *line, *next, *in_tree = NULL;
	int ret;

	*module = (struct module) {};
	ret = output_of(&output, argv);
	if (ret == 127)
		die("there is no modinfo: install kmod");
	for (line = strtok_r(output, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		take_field(line, "filename", &module->file);
		take_field(line, "version", &module->version);
		take_field(line, "srcversion", &module->srcversion);
		take_field(line, "intree", &in_tree);
	}
	module->out_of_tree = !in_tree;
	free(in_tree);
	free(output);
	return !ret && module->file;
}

void free_module(struct module *module)
{
	free(module->file);
	free(module->version);
	free(module->srcversion);
}

static void check_all(void)
{
	check_kernels(0, NULL);
	check_loaded();
	check_secure_boot();
}

static void check_part(const char *part, int argc, char *const *argv)
{
	if (!strcmp(part, "kernels")) {
		check_kernels(argc, argv);
		return;
	}
	if (strcmp(part, "loaded") && strcmp(part, "secure-boot"))
		die("status: there is no '%s': see " TOOL " --help", part);
	if (argc)
		die("status %s: what is '%s'? See " TOOL " --help", part, argv[0]);
	if (!strcmp(part, "loaded"))
		check_loaded();
	else
		check_secure_boot();
}

int status_main(int argc, char *const *argv)
{
	char **words = NULL;
	int nr = 0, i;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "-q") || !strcmp(argv[i], "--quiet")) {
			quiet = true;
			continue;
		}
		if (!*argv[i] || *argv[i] == '-')
			die("status: what is '%s'? See " TOOL " --help", argv[i]);
		words = grow(words, nr, sizeof(*words));
		words[nr++] = argv[i];
	}
	if (nr)
		check_part(words[0], nr - 1, words + 1);
	else
		check_all();
	free(words);
	return status;
}
