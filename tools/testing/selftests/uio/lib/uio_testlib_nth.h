/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Library of the tests in which each allocation of an operation fails once. The kernel needs
 * fault injection.
 */

#ifndef _UIO_TESTLIB_NTH_H
#define _UIO_TESTLIB_NTH_H

#include "uio_testlib.h"

/* An operation. Functions return 0 or a negative error code. */
struct uiot_nth {
	int (*make)(void);	/* all that operations need, anew each time */
	int (*prepare)(void);	/* what this one needs; may be NULL or give -EOPNOTSUPP */
	int (*run)(void);
	int (*check)(void);	/* after it has succeeded; may be NULL */
	int (*drop)(void);	/* fails if something is lost or left */
	int may_fail[2];	/* other errors than -ENOMEM */
	bool never_fails;
	bool once;		/* can't be tried again */
};

/* also lets allocations of pages fail, and those that may wait; -ENOENT: not possible */
int uiot_nth_on(void);
void uiot_nth_off(void);

/*
 * Runs the operation again and again, each time with the next of its allocations failing,
 * until it has none left. It may report this, or do without the memory. If it fails, it has
 * to succeed when it is tried again, unless it works once only. Returns the number of
 * allocations, or a negative error code, and why.
 */
int uiot_nth_each(const struct uiot_nth *op, char *why, size_t size);

#define UIOT_NTH(_op) do {						\
	char _why[96];							\
	int _nr = uiot_nth_each(_op, _why, sizeof(_why));	\
									\
	if (_nr == -EOPNOTSUPP)						\
		SKIP(return, "not possible with this memory");		\
	ASSERT_LE(0, _nr) {						\
		TH_LOG("%s", _why);					\
	}								\
	TH_LOG("%d allocations", _nr);					\
} while (0)

#endif /* _UIO_TESTLIB_NTH_H */
