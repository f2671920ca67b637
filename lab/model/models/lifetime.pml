// SPDX-License-Identifier: GPL-2.0
/*
 * Who may be inside the driver, and what lives how long: open(), an operation, close() by two
 * users; uio_event_notify() or an interrupt; registration, revoke, drain, unregistration and
 * the end of the driver's module. With a context, and without one. A callback may revoke the
 * device.
 *
 * Code: uio_enter(), uio_leave(); uio_lifetime.c; uio_open(), uio_release(); uio_object_find();
 * uio_enter_info(), uio_free_irq(); uio_unregister_device(); uio_context_put().
 *
 * Bug, and the property that finds it:
 *
 * BUG_ENTER_IN_TWO_STEPS	no_call_after_drain
 * BUG_DRAIN_DOES_NOT_WAIT	no_call_after_drain
 * BUG_IRQ_NOT_FREED		no_call_after_drain
 * BUG_OPEN_DOES_NOT_ENTER	no_call_after_drain
 * BUG_LIVE_TOO_EARLY		no_call_before_registration
 * BUG_LEAVE_WAKES_FIRST	no_deadlock
 * BUG_LEAVE_WAKES_NOBODY	no_deadlock
 * BUG_DRAIN_LOOKS_FIRST	no_deadlock
 * BUG_DRAIN_INSIDE		no_deadlock
 * BUG_REVOKED_TWICE		no_deadlock
 * BUG_LEAVE_USES_OBJECT	object_outlives_users
 * BUG_POINTER_STAYS		object_outlives_users
 * BUG_FREED_WITHOUT_RCU	object_outlives_users
 * BUG_NOTIFY_WITHOUT_RCU	object_outlives_users
 * BUG_FILE_WITHOUT_OBJECT	object_outlives_users
 * BUG_FILE_WITHOUT_CONTEXT	memory_outlives_calls
 * BUG_LEGACY_RELEASE		memory_outlives_calls
 * BUG_MODULE_PUT_FIRST		code_outlives_calls
 * BUG_MODULE_NOT_PINNED	code_outlives_calls
 * BUG_RELEASE_IF_LIVE		one_release_for_each_open
 * BUG_CONTEXT_PUT_TWICE	memory_outlives_calls
 * BUG_CONTEXT_PUT_IN_STEPS	context_released_once
 * BUG_CONTEXT_NOT_PUT		all_is_freed
 */

#include "core.pml"

mtype = {
	no_call_before_registration, no_call_after_drain, object_outlives_users,
	memory_outlives_calls, code_outlives_calls, one_release_for_each_open,
	context_released_once, all_is_freed, no_deadlock
};

bool obj_freed;

inline use_object()
{
	property(object_outlives_users, !obj_freed)
}

#define USERS		2
#define NOTIFIER	USERS

bool legacy;			/* no context */
byte obj_refs = 1;
byte ctx_refs = 1;
byte ctx_releases;
byte module_refs;
bool module_going, code_gone;
bool memory_freed;		/* the driver's info, and what it describes */
bool registered, drained;
bool has_minor, has_pointer;	/* what open() and uio_event_notify() look up */
bool has_irq, irq_runs;
bool in_rcu[USERS + 1];
byte opens, releases, ended;

inline use_memory()
{
	property(memory_outlives_calls, !memory_freed);
	property(code_outlives_calls, !code_gone)
}

/* A callback begins, and ends. */
inline call_driver()
{
	d_step {
		property(no_call_before_registration, registered);
		property(no_call_after_drain, !drained);
		use_memory()
	};
	d_step {
		property(no_call_after_drain, !drained);
		use_memory()
	}
}

inline put_object()
{
	obj_refs--
}

/* The last put calls the driver's release. */
inline put_context(last)
{
#ifdef BUG_CONTEXT_PUT_IN_STEPS
	ctx_refs--;
	last = (ctx_refs == 0);
#else
	d_step { ctx_refs--; last = (ctx_refs == 0) }
#endif
	if
	:: last ->
		d_step {
			use_memory();
			ctx_releases++;
			property(context_released_once, ctx_releases == 1);
			memory_freed = true
		}
	:: else
	fi
}

/* uio_object_release() and kfree_rcu() */
active proctype rcu()
{
	obj_refs == 0;
#ifndef BUG_FREED_WITHOUT_RCU
	!in_rcu[0];
	!in_rcu[1];
	!in_rcu[NOTIFIER];
#endif
	obj_freed = true
}

proctype user(byte me)
{
	bool ok, last;
	short old;

	/* uio_object_find() */
	in_rcu[me] = true;
	ok = has_minor;
	if
	:: ok -> use_object(); d_step { ok = (obj_refs > 0); obj_refs = obj_refs + ok }
	:: else
	fi;
	in_rcu[me] = false;
	if
	:: !ok -> goto out
	:: else
	fi;

	/* uio_open() */
#ifdef BUG_OPEN_DOES_NOT_ENTER
	ok = is_live;
#else
	enter(ok);
#endif
	if
	:: ok ->
#ifndef BUG_MODULE_NOT_PINNED
		d_step { ok = !module_going; module_refs = module_refs + ok };
#endif
		if
		:: ok ->
			call_driver();
			opens++;
#ifndef BUG_FILE_WITHOUT_CONTEXT
			ctx_refs = ctx_refs + !legacy;
#endif
		:: else
		fi;
#ifndef BUG_OPEN_DOES_NOT_ENTER
		leave(last)
#endif
	:: else
	fi;
#ifdef BUG_FILE_WITHOUT_OBJECT
	put_object();
#endif
	if
	:: !ok ->
#ifndef BUG_FILE_WITHOUT_OBJECT
		put_object();
#endif
		goto out
	:: else
	fi;

	/* any operation */
	use_object();
	enter(ok);
	if
	:: ok ->
		call_driver();
		if
		:: true
		:: me == 0 ->	/* uio_revoke_device() in a callback */
			begin_revoke(ok, old);
#ifdef BUG_DRAIN_INSIDE
			if
			:: ok -> leave(last); wait_for_callers()
			:: else
			fi
#else
			if
			:: ok -> use_object(); leave(last)
			:: else
			fi
#endif
		fi;
		leave(last)
	:: else
	fi;

	/* uio_release() */
	use_object();
	enter(ok);
	if
#ifdef BUG_RELEASE_IF_LIVE
	:: ok ->
#elif defined(BUG_LEGACY_RELEASE)
	:: true ->
#else
	:: ok || !legacy ->
#endif
		d_step { use_memory(); releases++ };
		use_memory()
	:: else
	fi;
	if
	:: ok -> leave(last)
	:: else
	fi;
#ifdef BUG_MODULE_PUT_FIRST
	module_refs--;
#endif
#ifndef BUG_FILE_WITHOUT_CONTEXT
	if
	:: !legacy -> put_context(last)
	:: else
	fi;
#endif
#if !defined(BUG_MODULE_PUT_FIRST) && !defined(BUG_MODULE_NOT_PINNED)
	module_refs--;
#endif
#ifndef BUG_FILE_WITHOUT_OBJECT
	use_object();
	put_object();
#endif
out:
	ended++
}

/* The driver has an event. It ends this before it frees its memory. */
proctype notifier()
{
	bool ok, last;

	if
	:: true ->	/* uio_event_notify() */
#ifndef BUG_NOTIFY_WITHOUT_RCU
		in_rcu[NOTIFIER] = true;
#endif
		ok = has_pointer;
		if
		:: ok -> use_object(); enter(ok)
		:: else
		fi;
		in_rcu[NOTIFIER] = false;
		if
		:: ok -> use_object(); leave(last)
		:: else
		fi
	:: true ->	/* an interrupt */
		d_step { irq_runs = has_irq };
		if
		:: irq_runs ->
			/* uio_irq_handler(), uio_irq_thread() */
			d_step {
				property(no_call_after_drain, !drained);
				use_object();
				use_memory()
			};
			d_step {
				property(no_call_after_drain, !drained);
				use_object();
				irq_runs = false
			}
		:: else
		fi
	fi;
	ended++
}

active proctype driver()
{
	bool ok, last;
	short old;

	if
	:: legacy = true
	:: legacy = false
	fi;
	run user(0);
	if
	:: run user(1)
	:: run notifier()
	fi;

	/* __uio_register_device_context() */
	has_minor = true;
	has_pointer = true;
#ifdef BUG_LIVE_TOO_EARLY
	callers = 0;
#endif
	has_irq = true;
	registered = true;
	ctx_refs++;
#ifndef BUG_LIVE_TOO_EARLY
	callers = 0;
#endif

	/* the device goes: with the module, or alone */
	if
	:: d_step { module_refs == 0 -> module_going = true }
	:: true
	fi;

	/* uio_unregister_device() */
	begin_revoke(ok, old);
	if
	:: ok -> use_object(); leave(last)
	:: else
	fi;
	wait_for_callers();
#ifndef BUG_IRQ_NOT_FREED
	has_irq = false;
	!irq_runs;
#endif
	drained = true;
#ifndef BUG_POINTER_STAYS
	has_pointer = false;
#endif
	has_minor = false;
	put_object();
	put_context(last);
#ifdef BUG_CONTEXT_PUT_TWICE
	put_context(last);
#endif

#ifdef BUG_IRQ_NOT_FREED
	has_irq = false;
	!irq_runs;
#endif
	if
	:: legacy -> memory_freed = true
	:: else ->
#ifndef BUG_CONTEXT_NOT_PUT
		put_context(last)
#endif
	fi;

	/* rmmod */
	if
	:: module_going
	:: else -> d_step { module_refs == 0; module_going = true }
	fi;
	code_gone = true;
	ended++
}

/* Nobody can do anything any more. */
active proctype end()
{
	timeout;
	property(no_deadlock, ended == 3);
	property(one_release_for_each_open, legacy || opens == releases);
	property(all_is_freed, obj_freed && memory_freed && callers == BIAS)
}
