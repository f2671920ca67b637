// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: the code of the trace events.
 */

/* before the definition: it is for our own events only */
#include "uio_internal.h"

#define CREATE_TRACE_POINTS
#include "uio_trace.h"
