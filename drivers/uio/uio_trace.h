/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace I/O: trace events. Documentation/driver-api/uio-late-release.rst lists them.
 *
 * Not in include/trace/events/: the core also compiles outside of the kernel's tree, with
 * the kernel's include/trace/.
 */

#undef TRACE_SYSTEM
#define TRACE_SYSTEM uio

#if !defined(_UIO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _UIO_TRACE_H

#include "uio_internal.h"

#include <linux/tracepoint.h>

TRACE_EVENT(uio_register,

	TP_PROTO(const struct uio_object *obj),

	TP_ARGS(obj),

	TP_STRUCT__entry(
		__field(int, minor)
		__field(u64, serial)
		/* __assign_str() has two arguments before 6.10 */
		__dynamic_array(char, name, strlen(obj->name) + 1)
	),

	TP_fast_assign(
		__entry->minor = obj->idev.minor;
		__entry->serial = obj->serial;
		memcpy(__get_dynamic_array(name), obj->name, __get_dynamic_array_len(name));
	),

	TP_printk("uio%d serial=%llu name=%s",
		  __entry->minor, __entry->serial, __get_str(name))
);

DECLARE_EVENT_CLASS(uio_file,

	TP_PROTO(const struct uio_object *obj),

	TP_ARGS(obj),

	TP_STRUCT__entry(
		__field(int, minor)
		__field(u64, serial)
	),

	TP_fast_assign(
		__entry->minor = obj->idev.minor;
		__entry->serial = obj->serial;
	),

	TP_printk("uio%d serial=%llu", __entry->minor, __entry->serial)
);

DEFINE_EVENT(uio_file, uio_open,
	TP_PROTO(const struct uio_object *obj),
	TP_ARGS(obj)
);

DEFINE_EVENT(uio_file, uio_close,
	TP_PROTO(const struct uio_object *obj),
	TP_ARGS(obj)
);

/* @inside: callers that are inside the driver: a drain will wait for them */
TRACE_EVENT(uio_revoke,

	TP_PROTO(const struct uio_object *obj, int inside),

	TP_ARGS(obj, inside),

	TP_STRUCT__entry(
		__field(int, minor)
		__field(u64, serial)
		__field(int, inside)
	),

	TP_fast_assign(
		__entry->minor = obj->idev.minor;
		__entry->serial = obj->serial;
		__entry->inside = inside;
	),

	TP_printk("uio%d serial=%llu inside=%d",
		  __entry->minor, __entry->serial, __entry->inside)
);

TRACE_EVENT(uio_drain,

	TP_PROTO(const struct uio_object *obj, u64 ns),

	TP_ARGS(obj, ns),

	TP_STRUCT__entry(
		__field(int, minor)
		__field(u64, serial)
		__field(u64, ns)
	),

	TP_fast_assign(
		__entry->minor = obj->idev.minor;
		__entry->serial = obj->serial;
		__entry->ns = ns;
	),

	TP_printk("uio%d serial=%llu ns=%llu",
		  __entry->minor, __entry->serial, __entry->ns)
);

/* The device may be freed already. @serial: 0 if the context was never registered */
TRACE_EVENT(uio_release,

	TP_PROTO(u64 serial),

	TP_ARGS(serial),

	TP_STRUCT__entry(
		__field(u64, serial)
	),

	TP_fast_assign(
		__entry->serial = serial;
	),

	TP_printk("serial=%llu", __entry->serial)
);

/* @region: -1 if the driver maps its memory itself; then @page is the offset in the file */
TRACE_EVENT(uio_fault_revoked,

	TP_PROTO(const struct uio_object *obj, int region, unsigned long page, bool sink),

	TP_ARGS(obj, region, page, sink),

	TP_STRUCT__entry(
		__field(int, minor)
		__field(u64, serial)
		__field(int, region)
		__field(unsigned long, page)
		__field(bool, sink)
	),

	TP_fast_assign(
		__entry->minor = obj->idev.minor;
		__entry->serial = obj->serial;
		__entry->region = region;
		__entry->page = page;
		__entry->sink = sink;
	),

	TP_printk("uio%d serial=%llu region=%d page=%lu %s",
		  __entry->minor, __entry->serial, __entry->region, __entry->page,
		  __entry->sink ? "sink" : "sigbus")
);

#endif /* _UIO_TRACE_H */

/* The makefile puts this directory into the search path. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE uio_trace
#include <trace/define_trace.h>
