/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tcmu_chaos: random operations on TCMU devices, by whoever configures them, by daemons, and by
 * initiators. main.c says how a run goes.
 */

#ifndef _TCMU_CHAOS_H
#define _TCMU_CHAOS_H

#include <linux/types.h>
#include <pthread.h>
#include <stdbool.h>

#include "../chaos.h"
#include "uio_testlib_tcmu.h"

#define UNIT_SIZE	(1024 * 1024)	/* dev_size in the library */
#define SECTOR_SIZE	512
#define BLOCK_SIZE	4096
#define TASK_BLOCKS	3		/* nobody else writes to these */

/*
 * The kernel waits for a daemon for so many seconds, or for one less. Several such waits can
 * follow one another, for example while a unit is scanned.
 */
#define TIME_OUT_S	2
#define TICKS_SCSI	(3 * TICKS_HANG)
/* other deletes come first: there is one at a time, and each waits for the daemon */
#define TICKS_DELETE	2000

/* What happened, counted. */
enum tcmu_fact {
	ENABLES,
	FAILED_ENABLES,
	TIME_OUTS,		/* the daemon did not answer by netlink */
	CHANGES,		/* of a device that is enabled */
	DELETES,
	HANGUPS,		/* that a daemon has seen */
	UNITS,			/* SCSI units that were found */
	WRITES,			/* acknowledged */
	READS,			/* of what was written */
	FAILED_COMMANDS,
	RESETS,
	BLOCKS,
	WRONG_ANSWERS,
	LATE_ANSWERS,
	OUT_OF_ORDER,
	KEPT_BUFFERS,
	KILLS,
	HELD_PAGES,		/* that outlive their device */
	LATE_TOUCHES,		/* of other pages, which give what they have to */
	CALLS_REFUSED,
	TCMU_FACTS,
};

/* What a task has written to a block. */
struct block {
	__u32 generation;
	__u32 seq;
	bool is_known;		/* the write was acknowledged */
};

/**
 * struct unit - a device, and its SCSI unit
 * @lock: held while a daemon works on the ring, by whoever resets it, and to begin a generation
 * @generation: its name says which configuration it is
 * @stable: the last generation that was enabled
 * @leaving: the last one whose end has begun
 * @gone: the last one that has ended
 * @spoiled: the last one that a daemon had which lies: its data may be wrong
 * @minor: of the last generation that was enabled
 * @export: the serial number of the SCSI unit, or 0
 * @sg: its node
 * @blocks: what each task has written
 * @data: the disk
 */
struct unit {
	pthread_mutex_t lock;
	__u32 generation;
	__u32 stable;
	__u32 leaving;
	__u32 gone;
	__u32 spoiled;
	int minor;
	__u32 export;
	char sg[16];
	struct block blocks[MAX_TASKS][TASK_BLOCKS];
	__u64 data[UNIT_SIZE / sizeof(__u64)];
};

/* What all processes share. */
struct shared {
	struct unit units[MAX_DEVICES];
	bool has_sink;		/* the first touch of a page after the end gives zeros */
	long mute_until;	/* daemons do not read netlink before, in ms */
	unsigned int muted_at;	/* in ticks */
	int holders;
};

extern struct shared *shared;

#define NOW(_field)	__atomic_load_n(&(_field), __ATOMIC_SEQ_CST)
#define SET(_field, _value) \
	__atomic_store_n(&(_field), _value, __ATOMIC_SEQ_CST)

/* @actor is a task; for daemons it is not. */
static inline void may_take(void *actor, unsigned int ticks)
{
	((struct task *)actor)->limit = ticks;
}

/* Nobody answers by netlink now, and nobody ends the kernel's wait for it. */
static inline bool is_mute(void)
{
	return uiot_now_ms() < NOW(shared->mute_until);
}

/* units.c */
int units_make(void);
void unit_lock(struct unit *unit);
void unit_unlock(struct unit *unit);
bool is_live(const struct unit *unit, __u32 generation);
unsigned int unit_nr(const struct unit *unit);
struct unit *any_unit(struct dice *dice);
int unit_set(const struct unit *unit, const char *file, unsigned int value);

/* controller.c */
int controllers_open(void);
bool devices_can_be_opened(void);
bool devices_go(void);

/* A device that this process has open. */
struct device {
	struct unit *unit;	/* NULL: none */
	__u32 generation;
	int fd;
	struct tcmu_mailbox *ring;
	size_t size;
	long rests_until;	/* in ms */
	bool is_stale;		/* it has said that it is gone */
	__u16 kept;		/* the command whose buffer it keeps, or 0 */
};

/* What a daemon knows. */
struct daemon {
	struct uiot_tcmu_daemon netlink;
	bool lies;
};

/* daemon.c: the first thread of each process */
void daemon_begin(bool lies);
void daemon_close_others(const struct device *dev);
OPERATION(daemon_serve);
OPERATION(daemon_adopt);
OPERATION(daemon_rest);
OPERATION(daemon_answer);
OPERATION(daemon_mute);
OPERATION(daemon_renew);
OPERATION(daemon_babble);
OPERATION(daemon_drop);
OPERATION(daemon_reset);
OPERATION(daemon_free_kept);
OPERATION(daemon_misuse);
OPERATION(daemon_hold);
OPERATION(daemon_exit);

/* ring.c */
void ring_work(struct device *dev, bool lies, struct dice *dice);

/* holder.c */
void hold(struct device *dev, struct daemon *daemon, struct dice *dice);

/* io.c */
OPERATION(io_write);
OPERATION(io_read);
OPERATION(io_big_read);
OPERATION(io_ready);

#endif /* _TCMU_CHAOS_H */
