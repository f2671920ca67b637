/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the models share. A model is sequentially consistent: each statement is one step, and
 * all processes see all steps in the same order. Where the code needs a barrier, its bug is
 * the order that would be possible without it. Whether the barriers suffice is for litmus/.
 */

/*
 * A model lists its properties as an mtype. To see if one of them finds a bug, only that one
 * is checked.
 */
#ifdef ONLY
#define property(name, condition) assert(name != ONLY || (condition))
#else
#define property(name, condition) assert(condition)
#endif

/* &uio_object.active */
#define BIAS (-20)
short callers = BIAS;

#define is_live (callers >= 0)

/* uio_enter() */
inline enter(ok)
{
#ifdef BUG_ENTER_IN_TWO_STEPS
	ok = is_live;
	callers = callers + ok;
#else
	d_step { ok = is_live; callers = callers + ok }
#endif
}

/* uio_drain() is in the wait queue, and its task sleeps. A wake-up takes it out again. */
bool drain_sleeps;

/* uio_leave(); LAST is a variable of the caller */
inline leave(last)
{
#ifdef BUG_LEAVE_WAKES_FIRST
	last = (callers - 1 == BIAS);
	drain_sleeps = drain_sleeps && !last;
	callers--;
#else
	d_step { callers--; last = (callers == BIAS) }
#ifdef BUG_LEAVE_USES_OBJECT
	use_object();
#endif
#ifndef BUG_LEAVE_WAKES_NOBODY
	drain_sleeps = drain_sleeps && !last;
#endif
#endif
}

/* The first step of uio_revoke(); OK: it was live. OLD: how many were inside. */
inline begin_revoke(ok, old)
{
	d_step {
		old = callers;
		ok = is_live;
#ifdef BUG_REVOKED_TWICE
		ok = true;
#endif
#ifdef BUG_REVOKE_NOT_INSIDE
		callers = callers + (ok -> BIAS : 0)
#else
		callers = callers + (ok -> 1 + BIAS : 0)
#endif
	}
}

/* The wait in uio_drain() */
inline wait_for_callers()
{
#ifdef BUG_DRAIN_DOES_NOT_WAIT
	skip
#else
	do
#ifdef BUG_DRAIN_LOOKS_FIRST
	:: callers == BIAS -> break
	:: else -> drain_sleeps = true; !drain_sleeps
#else
	:: drain_sleeps = true;
		if
		:: callers == BIAS -> drain_sleeps = false; break
		:: else -> !drain_sleeps
		fi
#endif
	od
#endif
}
