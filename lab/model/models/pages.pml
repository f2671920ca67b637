// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages stay present: one thread touches a page, one calls mmap() of I/O memory, for a
 * file and then for another one. The driver revokes the device and drains it, in one thread or
 * in two. Or somebody revokes the first file.
 *
 * Code: uio_vma_fault(), uio_insert(); uio_mmap(), uio_begin_io(); uio_unmap.c; uio_revoke(),
 * uio_drain(); uio_revoke_file(). With CONFIG_PER_VMA_LOCK.
 *
 * Bug, and the property that finds it:
 *
 * BUG_UNMAPPED_BEFORE_REVOKED	no_page_after_drain
 * BUG_REVOKE_NOT_INSIDE	no_page_after_drain
 * BUG_DRAIN_DOES_NOT_WAIT	no_page_after_drain
 * BUG_NOT_UNMAPPED_AGAIN	no_page_after_drain
 * BUG_CALLERS_IGNORED		no_page_after_drain
 * BUG_POPULATING_IGNORED	no_page_after_drain
 * BUG_DRAIN_IGNORES_MMAP	no_page_after_drain
 * BUG_FORGOTTEN_AT_LEAVE	no_page_after_drain
 * BUG_REGION_BIT_TOO_LATE	no_page_after_drain
 * BUG_INSERTED_AFTER_LEAVE	no_page_after_drain
 * BUG_RECORDED_TOO_LATE	no_page_after_file_revoke
 * BUG_FILE_SET_TOO_LATE	no_page_after_file_revoke
 * BUG_FILE_IGNORES_MMAP	no_page_after_file_revoke
 * BUG_FILE_IGNORES_SRCU	no_page_after_file_revoke
 * BUG_CHECKED_OUTSIDE_SRCU	no_page_after_file_revoke
 * BUG_MMAP_IGNORES_FILE	no_page_after_file_revoke
 * BUG_WAIT_UNDER_MAP_LOCK	no_deadlock
 */

mtype = { no_page_after_drain, no_page_after_file_revoke, no_deadlock };

#include "core.pml"

/*
 * Mapping 0 is of memory, which goes with the device as without a context, or is replaced by the
 * sink. mmap() makes 1 and 2. 0 and 1 are of file 0, 2 is of file 1.
 */
#define MAPPINGS	3
#define file_of(map)	(map == 2)

#define ABSENT		0
#define DEVICE		1
#define SINK		2

byte page[MAPPINGS];
bool linked[MAPPINGS];		/* in the i_mapping, so that an unmapping finds it */
bool io_region;			/* the bit in io_regions */
bool unmap_again, drained;
bool revoked, revoke_returned;	/* file 0 */
bool in_srcu;
bool map_lock, mmap_lock;
byte lock_seq;
bool recorded;			/* the one entry of the list */
bool rec_file;
byte rec_seq;
byte ended;

inline lock(which)
{
	d_step { !which -> which = true }
}

inline unlock(which)
{
	which = false
}

/* uio_may_run() */
#define may_run	(recorded && rec_seq == lock_seq)

inline insert(map, what)
{
	d_step {
		property(no_page_after_drain, !drained || what == SINK);
		property(no_page_after_file_revoke, !revoke_returned || file_of(map));
		page[map] = what
	}
}

inline unmap(map)
{
	page[map] = (linked[map] -> ABSENT : page[map])
}

/* uio_unmap_device(): in each, the lock of the i_mapping, or of a page table */
inline unmap_device()
{
	unmap(0);
	if
	:: io_region -> unmap(1); unmap(2)
	:: else
	fi
}

/* uio_vma_fault() */
proctype toucher()
{
	bool ok, last, left;

	if
	:: revoked -> goto out
	:: else
	fi;
	enter(ok);
#ifdef BUG_INSERTED_AFTER_LEAVE
	left = ok;
	if
	:: left -> leave(last)
	:: else
	fi;
#endif
	/* uio_insert(), or the same with the sink */
#ifdef BUG_CHECKED_OUTSIDE_SRCU
	last = revoked;
	in_srcu = true;
#else
	in_srcu = true;
	last = revoked;
#endif
	if
	:: last
	:: !last && ok -> insert(0, DEVICE)
	:: else -> insert(0, SINK)
	fi;
	in_srcu = false;
	if
	:: ok && !left -> leave(last)
	:: else
	fi;
out:
	ended++
}

/* uio_begin_populating() */
inline begin_populating(map, ok)
{
	lock(map_lock);
#ifndef BUG_MMAP_IGNORES_FILE
	ok = file_of(map) || !revoked;
#endif
	if
	:: ok -> d_step { recorded = true; rec_file = file_of(map); rec_seq = lock_seq }
	:: else
	fi;
	unlock(map_lock)
}

/* mmap() */
inline populate(map)
{
	lock(mmap_lock);
	ok = file_of(map) || !revoked;
	if
	:: ok -> enter(ok)
	:: else
	fi;
	if
	:: ok ->
#ifndef BUG_REGION_BIT_TOO_LATE
		io_region = true;
#endif
#ifdef BUG_RECORDED_TOO_LATE
		insert(map, DEVICE);
		begin_populating(map, ok);
#else
		begin_populating(map, ok);
		if
		:: ok -> insert(map, DEVICE)
		:: else
		fi;
#endif
#ifdef BUG_FORGOTTEN_AT_LEAVE
		recorded = false;
#endif
		leave(last);
		/* mm adds the VMA, or unmaps what a failed mmap() has mapped */
		if
		:: ok -> linked[map] = true
		:: else -> page[map] = ABSENT
		fi
	:: else
	fi;
	/* mm_lock_seqcount_end(), and then the lock itself */
	lock_seq++;
#ifdef BUG_REGION_BIT_TOO_LATE
	unlock(mmap_lock);
	io_region = io_region || ok
#else
	unlock(mmap_lock)
#endif
}

proctype mapper()
{
	bool ok, last;

	populate(1);
	populate(2);
	ended++
}

/* uio_wait_for_populating(); ANY: of any file. File 0 is the only one that is revoked. */
inline wait_for_populating(any)
{
	lock(map_lock);
	do
	:: may_run && (any || rec_file == 0) ->
#ifndef BUG_WAIT_UNDER_MAP_LOCK
		unlock(map_lock);
#endif
		!mmap_lock;
#ifndef BUG_WAIT_UNDER_MAP_LOCK
		lock(map_lock);
#endif
		/* uio_forget_populating() */
		recorded = recorded && !(any || rec_file == 0)
	:: else -> break
	od;
	unlock(map_lock)
}

inline revoke()
{
#ifdef BUG_UNMAPPED_BEFORE_REVOKED
	unmap_device();
#endif
	begin_revoke(ok, old);
	lock(map_lock);
	unmap_again = (old > 0 || may_run);
#ifdef BUG_CALLERS_IGNORED
	unmap_again = may_run;
#endif
#ifdef BUG_POPULATING_IGNORED
	unmap_again = (old > 0);
#endif
	unlock(map_lock);
#ifndef BUG_UNMAPPED_BEFORE_REVOKED
	unmap_device();
#endif
#ifndef BUG_REVOKE_NOT_INSIDE
	leave(last)
#endif
}

inline drain()
{
	wait_for_callers();
#ifdef BUG_NOT_UNMAPPED_AGAIN
	skip;
#else
	if
	:: unmap_again ->
#ifndef BUG_DRAIN_IGNORES_MMAP
		wait_for_populating(true);
#endif
		unmap_device()
	:: else
	fi;
#endif
	d_step {
		drained = true;
		property(no_page_after_drain, page[0] != DEVICE);
		property(no_page_after_drain, page[1] != DEVICE && page[2] != DEVICE)
	}
}

proctype revoker()
{
	bool ok, last;
	short old;

	revoke();
	ended++
}

proctype drainer()
{
	!is_live;
	drain();
	ended++
}

/* uio_revoke_file() */
proctype owner()
{
#ifndef BUG_FILE_SET_TOO_LATE
	lock(map_lock);
	revoked = true;
	unlock(map_lock);
#endif
#ifndef BUG_FILE_IGNORES_SRCU
	!in_srcu;
#endif
#ifndef BUG_FILE_IGNORES_MMAP
	wait_for_populating(false);
#endif
#ifdef BUG_FILE_SET_TOO_LATE
	revoked = true;
#endif
	unmap(0);
	unmap(1);
	d_step {
		revoke_returned = true;
		property(no_page_after_file_revoke, page[0] == ABSENT && page[1] == ABSENT)
	};
	ended++
}

active proctype start()
{
	callers = 0;
	linked[0] = true;
	run toucher();
	run mapper();
	run revoker();
	if
	:: run drainer()
	:: run owner()
	fi
}

/* Nobody can do anything any more. */
active proctype end()
{
	timeout;
	property(no_deadlock, ended == 4)
}
