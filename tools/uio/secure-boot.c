// SPDX-License-Identifier: GPL-2.0-only
/* uio-late-release status: does Secure Boot let our modules load? */

#include <glob.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "status.h"
#include "tool.h"

#define PACKAGE	"uio-late-release-dkms"
#define VARIABLE	\
	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* The variable has 4 bytes of attributes before its value. */
static bool variable_is_on(void)
{
	struct text text = {};
	bool on = !read_text(AT_FDCWD, VARIABLE, &text) && text.len > 4 && text.data[4] == 1;

	free(text.data);
	return on;
}

/* mokutil knows more: the machine's owner can let shim ignore Secure Boot. */
static bool is_on(bool *has_mokutil)
{
	const char *const argv[] = { "mokutil", "--sb-state", NULL };
	char *output;
	int ret = output_of(&output, argv);
	bool on;

	*has_mokutil = ret != 127;
	on = ret ? variable_is_on() :
	     strstr(output, "SecureBoot enabled") && !strstr(output, "validation is disabled");
	free(output);
	return on;
}

/* The last one counts. The value may have quotes. */
static void find_certificate(const char *file, char **certificate)
{
	static const char key[] = "mok_certificate=";
	struct text text = {};
	char *line, *next;

	if (read_text(AT_FDCWD, file, &text)) {
		free(text.data);
		return;
	}
	for (line = strtok_r(text.data, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		line += strspn(line, " \t");
		if (!starts_with(line, key))
			continue;
		line += strlen(key);
		line += strspn(line, "\"'");
		free(*certificate);
		*certificate = format("%.*s", (int)strcspn(line, "\"' \t"), line);
	}
	free(text.data);
}

/* The certificate of the key with which dkms signs. */
static char *certificate_of_dkms(void)
{
	char *certificate = NULL;
	glob_t more;
	size_t i;

	find_certificate("/etc/dkms/framework.conf", &certificate);
	if (!glob("/etc/dkms/framework.conf.d/*.conf", 0, NULL, &more)) {
		for (i = 0; i < more.gl_pathc; i++)
			find_certificate(more.gl_pathv[i], &certificate);
		globfree(&more);
	}
	if (certificate && *certificate)
		return certificate;
	free(certificate);
	return copy_of("/var/lib/dkms/mok.pub");
}

static bool is_enrolled(const char *certificate)
{
	const char *const argv[] = { "mokutil", "--test-key", certificate, NULL };
	char *output;
	bool enrolled;

	output_of(&output, argv);
	enrolled = strstr(output, "already enrolled");
	free(output);
	return enrolled;
}

void check_secure_boot(void)
{
	bool has_mokutil;
	char *certificate;

	if (!is_on(&has_mokutil)) {
		say_fine("Secure Boot is off");
		return;
	}
	certificate = certificate_of_dkms();
	if (access(certificate, F_OK)) {
		say_todo("Secure Boot is on, and dkms has no key: our modules are not signed, and no UIO module will load: apt-get install openssl mokutil, then run: dpkg-reconfigure " PACKAGE);
	} else if (!has_mokutil) {
		say_todo("Secure Boot is on. If the key of dkms is not enrolled, no UIO module will load: apt-get install mokutil, then run: " TOOL " status secure-boot");
	} else if (is_enrolled(certificate)) {
		say_fine("Secure Boot is on, and the key of dkms is enrolled");
	} else {
		say_todo("Secure Boot is on, and the key of dkms is not enrolled: no UIO module will load (\"Key was rejected by service\")");
		say_todo("to enroll the key, run: mokutil --import %s: then reboot, and choose \"Enroll MOK\". Or remove " PACKAGE,
			 certificate);
	}
	free(certificate);
}
