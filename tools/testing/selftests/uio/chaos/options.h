/* SPDX-License-Identifier: GPL-2.0-only */
/* uio_chaos: the options of a device of the uio_test module. */

#ifndef _UIO_CHAOS_OPTIONS_H
#define _UIO_CHAOS_OPTIONS_H

#include "chaos.h"

struct options {
	char text[256];
	struct view view;
	bool counted;
	bool real_irq;
	bool lasts;		/* for some time: its files are revoked, too */
	bool quiet;		/* no events: nothing else wakes whom a revoke forgets */
};

void options_choose(struct options *options, bool context, bool allow_counted,
		    struct dice *dice);

#endif /* _UIO_CHAOS_OPTIONS_H */
