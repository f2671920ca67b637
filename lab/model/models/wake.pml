// SPDX-License-Identifier: GPL-2.0
/*
 * Who is woken: one task waits for events in read(), one in poll(), each with a file of its own.
 * The driver notifies, says that there will be no more events, and revokes the device. Somebody
 * revokes the reader's file. An interrupt comes.
 *
 * Code: uio_event.c; uio_revoke(), up to the wake-up; uio_revoke_file(), the same.
 *
 * Bug, and the property that finds it:
 *
 * BUG_HANGUP_BEFORE_STATE	no_sleeper_forgotten
 * BUG_HANGUP_WAKES_ONE		no_sleeper_forgotten
 * BUG_REVOKE_WAKES_NOBODY	no_sleeper_forgotten
 * BUG_FILE_WAKES_FIRST		no_sleeper_forgotten
 * BUG_FILE_WAKES_NOBODY	no_sleeper_forgotten
 * BUG_EVENT_WAKES_FIRST	no_sleeper_forgotten
 * BUG_READ_LOOKS_FIRST		no_sleeper_forgotten
 * BUG_POLL_LOOKS_FIRST		no_sleeper_forgotten
 * BUG_READ_TRUSTS_MEMORY	no_false_error
 * BUG_NOTIFY_KEEPS_IRQ		error_after_last_event
 * BUG_NOTIFY_TRUSTS_MEMORY	error_after_last_event
 * BUG_IRQ_WITHOUT_LOCK		error_after_last_event
 * BUG_IRQ_CHECKED_AFTERWARDS	error_after_last_event
 * BUG_READ_IGNORES_STATE	error_after_revoke
 */

mtype = {
	no_sleeper_forgotten, error_after_last_event, error_after_revoke, no_false_error,
	no_deadlock
};

#include "core.pml"

#define READER		0
#define POLLER		1

bool live = true;
bool revoked[2];		/* the file */
bool irq = true;		/* info->irq is not UIO_IRQ_NONE: open() has set it */
bool had_irq;			/* uio_open() does not know yet */
bool irq_lock;
byte event;
byte seen[2];			/* event count of the file */
bool sleeps[2];			/* in the wait queue; the task sleeps */
bool last_said;			/* by the driver: there will be no more events */
byte ended;

/* uio_file_error() */
#define failed(me)	(revoked[me] || !live)

/* uio_wake_all(), with the waiters that do not sleep yet */
inline wake_all()
{
	d_step { sleeps[READER] = false; sleeps[POLLER] = false }
}

inline count_event()
{
#ifdef BUG_EVENT_WAKES_FIRST
	wake_all();
	event++
#else
	event++;
	wake_all()
#endif
}

/* uio_remember_irq() */
inline remember_irq(has)
{
#ifndef BUG_IRQ_WITHOUT_LOCK
	d_step { !irq_lock -> irq_lock = true };
#endif
	has = irq;
	had_irq = has;
#ifndef BUG_IRQ_WITHOUT_LOCK
	irq_lock = false
#endif
}

/* uio_event_notify(), for a device that is live */
inline notify(has)
{
#ifndef BUG_NOTIFY_KEEPS_IRQ
	has = irq;
#ifdef BUG_NOTIFY_TRUSTS_MEMORY
	has = has || !had_irq;
#endif
	if
	:: !has -> remember_irq(has)
	:: else
	fi;
#endif
	count_event()
}

/* uio_update_irq(), for a caller that has entered */
inline update_irq(has)
{
	has = irq;
#ifdef BUG_IRQ_CHECKED_AFTERWARDS
	do
	:: has != had_irq -> had_irq = has; has = irq
	:: else -> break
	od
#else
	if
	:: has != had_irq -> remember_irq(has)
	:: else
	fi
#endif
}

/* uio_has_irq() */
inline get_irq(has_event, has)
{
	has = has_event && had_irq;
	if
	:: has
	:: !has && live ->
#ifdef BUG_READ_TRUSTS_MEMORY
		has = had_irq
#else
		update_irq(has)
#endif
	:: else
	fi
}

/* uio_read_error() */
inline read_error(has_event, has, error)
{
#ifdef BUG_READ_IGNORES_STATE
	error = false;
#else
	error = failed(READER);
#endif
	if
	:: error
	:: else ->
		get_irq(has_event, has);
		error = !has
	fi
}

proctype reader()
{
	bool has_event, has, error, was_gone, was_over;
	byte now;

	/* uio_read(), again and again, until it fails */
	do
	:: was_gone = failed(READER);
again:
		was_over = last_said;
		now = event;
		has_event = (now != seen[READER]);
		read_error(has_event, has, error);
		if
		:: error ->
			property(no_false_error, failed(READER) || !irq);
			break
		:: else
		fi;
		if
		:: has_event ->
			d_step {
				property(error_after_revoke, !was_gone);
				property(error_after_last_event, !was_over);
				seen[READER] = now
			}
		:: else ->
			/* uio_wait() */
#ifndef BUG_READ_LOOKS_FIRST
			sleeps[READER] = true;
#endif
			d_step { now = event; has_event = (now != seen[READER]) };
			error = false;
			if
			:: !has_event -> read_error(false, has, error)
			:: else
			fi;
			if
			:: !has_event && !error ->
#ifdef BUG_READ_LOOKS_FIRST
				sleeps[READER] = true;
#endif
				/* it may sleep for ever: end() checks that */
end_of_read:
				!sleeps[READER]
			:: else
			fi;
			sleeps[READER] = false;
			goto again
		fi
	od;
	ended++
}

proctype poller()
{
	bool has_event, has, hup, was_over;
	byte now;

	/* poll(), again and again, until it reports an error; after an event, read() */
	do
	::
#ifndef BUG_POLL_LOOKS_FIRST
		sleeps[POLLER] = true;
#endif
		was_over = last_said;
		d_step { now = event; has_event = (now != seen[POLLER]) };
		get_irq(has_event, has);
		hup = failed(POLLER);
		if
		:: hup || !has -> break
		:: else
		fi;
		if
		:: has_event ->
			property(error_after_last_event, !was_over);
			seen[POLLER] = now
		:: else ->
#ifdef BUG_POLL_LOOKS_FIRST
			sleeps[POLLER] = true;
#endif
end_of_poll:
			!sleeps[POLLER]
		fi
	od;
	sleeps[POLLER] = false;
	ended++
}

/* uio_irq_thread() */
proctype interrupt()
{
	if
	:: live -> count_event()
	:: true
	fi;
	ended++
}

/* UIO_IOC_REVOKE of the reader's file, or not */
proctype owner()
{
	if
	:: true ->
#ifdef BUG_FILE_WAKES_FIRST
		wake_all();
		revoked[READER] = true
#else
		revoked[READER] = true;
#ifndef BUG_FILE_WAKES_NOBODY
		wake_all()
#endif
#endif
	:: true
	fi;
	ended++
}

active proctype driver()
{
	bool has;

	/* two of the others take part */
	if
	:: run reader(); run poller()
	:: run reader(); run owner()
	:: run reader(); run interrupt()
	:: run poller(); run interrupt()
	fi;
	if
	:: true -> notify(has)
	:: true
	fi;
	if
	:: true ->
		irq = false;
		notify(has);
		last_said = true
	:: true
	fi;
	if
	:: true ->
#ifdef BUG_HANGUP_BEFORE_STATE
		wake_all();
		live = false
#else
		live = false;
#ifdef BUG_HANGUP_WAKES_ONE
		if
		:: sleeps[READER] -> sleeps[READER] = false
		:: sleeps[POLLER] -> sleeps[POLLER] = false
		:: else
		fi
#elif !defined(BUG_REVOKE_WAKES_NOBODY)
		wake_all()
#endif
#endif
	:: true
	fi;
	ended++
}

#define may_sleep(me)	(!failed(me) && irq && event == seen[me])

/* Nobody can do anything any more. */
active proctype end()
{
	timeout;
	property(no_sleeper_forgotten, !sleeps[READER] || may_sleep(READER));
	property(no_sleeper_forgotten, !sleeps[POLLER] || may_sleep(POLLER));
	property(no_deadlock, ended + sleeps[READER] + sleeps[POLLER] == 3)
}
