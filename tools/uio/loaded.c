// SPDX-License-Identifier: GPL-2.0-only
/* uio-late-release status: are the loaded modules those that modprobe would load now? */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "status.h"
#include "tool.h"

static const char *const names[] = { "uio", "target_core_user" };

static char *attribute(const char *module, const char *name)
{
	char *path = format("/sys/module/%s/%s", module, name);
	char *value = read_line(path);

	free(path);
	return value;
}

/* Built-in code has no such file. */
static bool is_loaded(const char *name)
{
	char *state = attribute(name, "initstate");
	bool loaded = state;

	free(state);
	return loaded;
}

/* The kernel taints itself for a module that was not built with it. */
static void read_loaded(const char *name, struct module *module)
{
	char *taint = attribute(name, "taint");

	*module = (struct module) {
		.version = attribute(name, "version"),
		.srcversion = attribute(name, "srcversion"),
		.out_of_tree = taint && strchr(taint, 'O'),
	};
	free(taint);
}

static bool equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool same(const struct module *a, const struct module *b)
{
	return a->out_of_tree == b->out_of_tree && equal(a->version, b->version) &&
	       equal(a->srcversion, b->srcversion);
}

/* Such as "0.2.0 (1F2E3D4C5B6A)" */
static char *describe(const struct module *module)
{
	if (!module->out_of_tree)
		return copy_of("the kernel's own");
	if (!module->version)
		return copy_of("(no version)");
	if (!module->srcversion)
		return copy_of(module->version);
	return format("%s (%s)", module->version, module->srcversion);
}

static void tell_same(const char *name, const struct module *loaded)
{
	char *what = describe(loaded);

	say_fine("%s is loaded as installed: %s", name, what);
	free(what);
}

/* What is wrong with a loaded module, without the remedy. */
static char *difference(const char *name, const struct module *loaded,
			const struct module *installed)
{
	char *old, *new, *text;

	if (!loaded->out_of_tree)
		return format("the kernel's own %s is still loaded and used", name);
	if (!installed->out_of_tree)
		return format("the %s of " TOOL " is still loaded and used", name);
	old = describe(loaded);
	new = describe(installed);
	text = format("%s %s is still loaded and used, and %s is installed", name, old, new);
	free(old);
	free(new);
	return text;
}

/* What is wrong with this module, or NULL. */
static char *check_module(const char *kernel, const char *name)
{
	struct module loaded, installed;
	char *text = NULL;

	if (!is_loaded(name)) {
		say_fine("%s is not loaded", name);
		return NULL;
	}
	read_loaded(name, &loaded);
	if (!find_module(kernel, name, &installed))
		say_fine("%s is loaded, and not installed", name);
	else if (same(&loaded, &installed))
		tell_same(name, &loaded);
	else
		text = difference(name, &loaded, &installed);
	free_module(&loaded);
	free_module(&installed);
	return text;
}

/* The remedy is the same for both modules, so it is told once. */
void check_loaded(void)
{
	struct utsname uts;
	char *all = NULL;
	size_t i;

	uname(&uts);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		char *text = check_module(uts.release, names[i]);
		char *before = all;

		if (!text)
			continue;
		all = before ? format("%s, and %s", before, text) : copy_of(text);
		free(before);
		free(text);
	}
	if (all)
		say_todo("%s: reboot, or stop what uses it and run: modprobe -r target_core_user uio",
			 all);
	free(all);
}
