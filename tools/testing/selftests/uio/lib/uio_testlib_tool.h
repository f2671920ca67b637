/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Library of the tests of uio-late-release, the tool in tools/uio. Functions return 0 or a
 * negative error code unless a comment says otherwise.
 */

#ifndef _UIO_TESTLIB_TOOL_H
#define _UIO_TESTLIB_TOOL_H

#include "uio_testlib.h"

/* A holder of a device, as "holders --json" shows it. A number that is not known is -1. */
struct uiot_holder {
	int place;		/* of the device in the output */
	long long serial;
	char device[32];
	char state[16];
	char name[96];
	char backstore[64];
	char handler[32];
	long long ring, data;
	int pid, tid;
	char command[96];
	unsigned int descriptors, revoked;
	unsigned long long mapped;
	long long present;
};

#define UIOT_TOOL_SETUP() do {						\
	if (!uiot_tool())						\
		SKIP(return, "uio-late-release is missing: see tools/uio"); \
} while (0)

/* its path, or NULL */
const char *uiot_tool(void);

enum uiot_tool_user { UIOT_ROOT, UIOT_NOBODY };

/*
 * Runs it. @text gets its standard output, or also its standard error. Returns its exit
 * status.
 */
int uiot_tool_run(enum uiot_tool_user user, bool errors, const char *const *argv,
		  char *text, size_t size);

/*
 * Finds the devices that a process holds, in the order of the output. Returns their number.
 * @unseen gets the number of processes that could not be seen; it can be NULL.
 */
int uiot_tool_holders(enum uiot_tool_user user, pid_t pid, struct uiot_holder *found,
		      int max, int *unseen);

/* Does this core tell what an open file of it is? */
bool uiot_tool_core_tells(int fd);

#endif /* _UIO_TESTLIB_TOOL_H */
