// SPDX-License-Identifier: GPL-2.0
/*
 * Who gets signals: a user asks for SIGIO, the driver notifies and revokes the device, and
 * somebody may revoke the file.
 *
 * Code: uio_fasync(), uio_wake_hangup(), uio_count_event(); uio_revoke_file().
 *
 * Bug, and the property that finds it:
 *
 * BUG_ASK_WITHOUT_BARRIER	hangup_is_told
 * BUG_HANGUP_WITHOUT_BARRIER	hangup_is_told
 * BUG_STATE_IS_NOT_CHECKED	hangup_is_told
 * BUG_FILE_IS_NOT_CHECKED	no_signal_after_file_revoke
 * BUG_CHECKED_OUTSIDE_SRCU	no_signal_after_file_revoke
 * BUG_SRCU_IS_NOT_WAITED_FOR	no_signal_after_file_revoke
 * BUG_SRCU_BEFORE_REVOKED	no_signal_after_file_revoke
 * BUG_LEFT_BEFORE_SRCU		no_signal_after_file_revoke
 * BUG_WAIT_INSIDE_SRCU		no_deadlock
 */

mtype = { hangup_is_told, no_signal_after_file_revoke, no_deadlock };

#include "core.pml"

bool live = true;
bool revoked, revoke_returned;	/* the file */
bool in_srcu;
bool listed;			/* the file is in async_queue */
bool asked, told;		/* fcntl() has succeeded; POLL_HUP was sent */
bool owner_ended;
byte ended;

inline kill_fasync()
{
	property(no_signal_after_file_revoke, !(listed && revoke_returned))
}

active proctype user()
{
	bool ok;

	/* uio_fasync_on() */
#ifdef BUG_CHECKED_OUTSIDE_SRCU
	ok = !revoked;
	in_srcu = true;
#else
	in_srcu = true;
	ok = !revoked;
#endif
#ifdef BUG_FILE_IS_NOT_CHECKED
	ok = true;
#endif
#ifdef BUG_WAIT_INSIDE_SRCU
	owner_ended;
#endif
#ifdef BUG_ASK_WITHOUT_BARRIER
	bool was_live = live;
#endif
	if
	:: ok -> listed = true
	:: else
	fi;
	in_srcu = false;

	/* uio_fasync() */
#ifdef BUG_ASK_WITHOUT_BARRIER
	asked = ok && was_live;
#elif defined(BUG_STATE_IS_NOT_CHECKED)
	asked = ok;
#else
	asked = ok && live;
#endif
	if
	:: ok && !asked -> listed = false
	:: else
	fi;
	ended++
}

active proctype driver()
{
	/* uio_event_notify() */
	kill_fasync();

	/* uio_revoke() */
#ifdef BUG_HANGUP_WITHOUT_BARRIER
	told = listed;
	live = false;
#else
	live = false;
	told = listed;
#endif
	kill_fasync();
	ended++
}

/* UIO_IOC_REVOKE */
inline revoke_file()
{
#ifdef BUG_SRCU_BEFORE_REVOKED
	!in_srcu;
#endif
#ifdef BUG_LEFT_BEFORE_SRCU
	listed = false;
#endif
	revoked = true;
#if !defined(BUG_SRCU_IS_NOT_WAITED_FOR) && !defined(BUG_SRCU_BEFORE_REVOKED)
	!in_srcu;
#endif
#ifndef BUG_LEFT_BEFORE_SRCU
	listed = false;
#endif
	revoke_returned = true
}

active proctype owner()
{
	if
	:: revoke_file()
	:: true
	fi;
	owner_ended = true;
	ended++
}

/* Nobody can do anything any more. */
active proctype end()
{
	timeout;
	property(hangup_is_told, !asked || told || revoked);
	property(no_signal_after_file_revoke, !listed || !revoke_returned);
	property(no_deadlock, ended == 3)
}
