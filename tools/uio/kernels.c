// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio-late-release status: which kernels do not get our modules, and why.
 *
 * dkms.conf of our package decides for which kernels dkms compiles. It is a shell script, and
 * dkms asks it, too. Its function report() prints
 *
 *	refusal WHY		the package is not for this kernel
 *	module NAME		dkms makes this module
 *	lacks SERIES		dkms would make target_core_user, if the package had its source
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "status.h"
#include "tool.h"

#define PACKAGE	"uio-late-release-dkms"
#define TREE	"/var/lib/dkms/uio-late-release"

/* What the package has for a kernel. */
struct offer {
	char *output;
	const char *refusal;
	const char *lacks;
	const char *modules[16];
	size_t nr_modules;
};

/* The kernel and its modules that dkms would make, but that are not there. */
struct gap {
	const char *kernel;
	char *modules;		/* such as "uio, target_core_user"; NULL: none */
	bool has_uio;
};

static bool exists(const char *fmt, const char *name)
{
	char *path = format(fmt, name);
	bool found = !access(path, F_OK);

	free(path);
	return found;
}

/* The version that dkms knows, the newest one; NULL: our package is not installed. */
static char *find_version(void)
{
	DIR *dir = opendir(TREE);
	struct dirent *entry;
	char *version = NULL;

	while (dir && (entry = readdir(dir))) {
		if (!exists(TREE "/%s/source/dkms.conf", entry->d_name))
			continue;
		if (version && strverscmp(version, entry->d_name) > 0)
			continue;
		free(version);
		version = copy_of(entry->d_name);
	}
	if (dir)
		closedir(dir);
	return version;
}

/* ---- what the package has for a kernel */

static void take_line(struct offer *offer, char *line)
{
	char *value = strchr(line, ' ');

	if (!value)
		return;
	*value++ = 0;
	if (!strcmp(line, "refusal"))
		offer->refusal = value;
	else if (!strcmp(line, "lacks"))
		offer->lacks = value;
	else if (!strcmp(line, "module") && offer->nr_modules < ARRAY_SIZE(offer->modules))
		offer->modules[offer->nr_modules++] = value;
}

/* Sets the variables that dkms sets. */
static const char script[] =
	"kernelver=$1 kernel_source_dir=/lib/modules/$1/build; . \"$0\" && report";

static void ask(struct offer *offer, const char *version, const char *kernel)
{
	char *conf = format(TREE "/%s/source/dkms.conf", version);
	const char *const argv[] = { "bash", "-c", script, conf, kernel, NULL };
	char *line, *next;

	*offer = (struct offer) {};
	if (output_of(&offer->output, argv))
		die("%s has no answer for kernel %s: is " PACKAGE " of another version than this tool?",
		    conf, kernel);
	for (line = strtok_r(offer->output, "\n", &next); line;
	     line = strtok_r(NULL, "\n", &next))
		take_line(offer, line);
	free(conf);
}

/* ---- what is missing */

/* dkms has a directory of its own below updates, and another one for Fedora. */
static bool is_ours(const char *kernel, const char *name)
{
	struct module module;
	bool ours = find_module(kernel, name, &module) &&
		    (strstr(module.file, "/updates/") || strstr(module.file, "/extra/"));

	free_module(&module);
	return ours;
}

static void find_gap(struct gap *gap, const char *kernel, const struct offer *offer)
{
	size_t i;

	*gap = (struct gap) { .kernel = kernel, .has_uio = true };
	for (i = 0; i < offer->nr_modules; i++) {
		const char *name = offer->modules[i];
		char *before = gap->modules;

		if (is_ours(kernel, name))
			continue;
		if (!strcmp(name, "uio"))
			gap->has_uio = false;
		gap->modules = before ? format("%s, %s", before, name) : copy_of(name);
		free(before);
	}
}

/* If dkms failed, the postinst of our package failed, too, and has to run again. */
static char *again(const char *kernel)
{
	const char *const argv[] = {
		"dpkg-query", "-W", "-f", "${db:Status-Status}", PACKAGE, NULL
	};
	char *output;
	bool failed = !output_of(&output, argv) && strcmp(output, "installed");

	free(output);
	return failed ? copy_of("dpkg --configure -a") : format("dkms autoinstall -k %s", kernel);
}

/* Was this kernel the last one that dkms compiled for, without success? */
static bool did_not_compile(const char *log, const char *kernel)
{
	char *text = read_line(log);
	bool failed = text && strstr(text, kernel);

	free(text);
	return failed;
}

/* Why modules are missing, and what to do. */
static char *reason(const char *kernel, const char *version)
{
	char *log, *command, *text;

	if (!exists("/lib/modules/%s/build/include", kernel))
		return format("its headers are missing: apt-get install linux-headers-%s", kernel);
	log = format(TREE "/%s/build/make.log", version);
	if (did_not_compile(log, kernel)) {
		command = again(kernel);
		text = format("ours are missing because they did not compile: see %s, then run: %s",
			      log, command);
		free(command);
	} else {
		text = format("ours are not compiled yet: run: dkms autoinstall -k %s", kernel);
	}
	free(log);
	return text;
}

static void tell_gap(const struct gap *gap, const char *version)
{
	char *why = reason(gap->kernel, version);

	if (gap->has_uio)
		say_todo("%s has our uio, but not %s: %s", gap->kernel, gap->modules, why);
	else
		say_todo("%s keeps its own uio and target_core_user: %s", gap->kernel, why);
	free(why);
}

/* As "uio, target_core_user" */
static char *names_of(const struct offer *offer)
{
	char *names = copy_of(offer->modules[0]);
	size_t i;

	for (i = 1; i < offer->nr_modules; i++) {
		char *before = names;

		names = format("%s, %s", before, offer->modules[i]);
		free(before);
	}
	return names;
}

static void tell_offer(const char *kernel, const struct offer *offer)
{
	char *names;

	if (offer->lacks) {
		say_todo("%s has our uio, but keeps its own target_core_user: to have ours, install linux-source-%s where you build this package, and build it again",
			 kernel, offer->lacks);
		return;
	}
	names = names_of(offer);
	say_fine("%s has our %s", kernel, names);
	free(names);
}

/* A kernel that the package is not for matters if it runs, or if somebody asks for it. */
static void check_kernel(const char *kernel, const char *version, bool matters)
{
	static const char refused[] =
		"%s keeps its own uio and target_core_user. " PACKAGE " is not for it: %s";
	struct offer offer;
	struct gap gap = {};

	ask(&offer, version, kernel);
	if (offer.refusal) {
		if (matters)
			say_todo(refused, kernel, offer.refusal);
		else
			say_note(refused, kernel, offer.refusal);
	} else {
		find_gap(&gap, kernel, &offer);
		if (gap.modules)
			tell_gap(&gap, version);
		else
			tell_offer(kernel, &offer);
	}
	free(gap.modules);
	free(offer.output);
}

/* A kernel of which only headers are installed does not count. */
static int has_modules(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && exists("/lib/modules/%s/kernel", entry->d_name);
}

static void check_installed(const char *version)
{
	struct dirent **entries;
	struct utsname uts;
	int nr = scandir("/lib/modules", &entries, has_modules, versionsort);
	int i;

	uname(&uts);
	for (i = 0; i < nr; i++) {
		check_kernel(entries[i]->d_name, version,
			     !strcmp(entries[i]->d_name, uts.release));
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
}

void check_kernels(int nr, char *const *kernels)
{
	char *version;
	int i;

	for (i = 0; i < nr; i++)
		if (!exists("/lib/modules/%s", kernels[i]))
			die("status kernels: no kernel '%s' is installed: ls /lib/modules shows those that are",
			    kernels[i]);
	version = find_version();
	if (!version) {
		say_todo("dkms does not know our modules: install " PACKAGE);
		return;
	}
	for (i = 0; i < nr; i++)
		check_kernel(kernels[i], version, true);
	if (!nr)
		check_installed(version);
	free(version);
}
