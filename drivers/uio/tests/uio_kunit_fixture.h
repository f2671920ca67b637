/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Userspace I/O: fixture of all KUnit suites.
 */

#ifndef _UIO_KUNIT_FIXTURE_H
#define _UIO_KUNIT_FIXTURE_H

#include "../uio_internal.h"

#include <kunit/test.h>
#include <linux/completion.h>

/* Time-outs: of an event that has to happen, and of one that must not. */
#define LONG_TIME	(10 * HZ)
#define SHORT_TIME	(HZ / 20)

/*
 * The driver's object. It belongs to the test: release does not free it, so that the test
 * can look at it afterwards.
 */
struct card {
	struct uio_context	ctx;
	struct uio_info		info;
	unsigned int		releases;
	bool			released_registered;
	unsigned int		kicks;
	bool			kicked_live;
	struct task_struct	*kicked_by;
	bool			kick_waits;
	struct completion	kicked;
	struct completion	kick_goes_on;
};

struct fixture;

/* A thread beside the test. It calls @fn, and shows whether that waits. */
struct aside {
	struct fixture		*fx;
	void			(*fn)(struct fixture *fx);
	struct completion	started;
	struct completion	done;
};

struct fixture {
	char			name[24];
	struct device		*parent;
	struct card		card;
	struct card		second;
	int			second_minor;
	struct aside		aside[3];
	unsigned int		nr_asides;
	/* see nobody_is_inside_after_a_drain() */
	struct completion	visited;
	bool			no_more_visits;
	bool			drained;
	bool			inside_after_drain;
};

/* .init and .exit of every suite. */
int uio_kunit_init(struct kunit *test);
void uio_kunit_exit(struct kunit *test);

struct uio_object *uio_kunit_register_card(struct kunit *test, struct card *card);
void uio_kunit_renew_card(struct card *card);
void uio_kunit_unregister_card(struct kunit *test, struct card *card);
void uio_kunit_expect_unregistered(struct kunit *test, struct card *card);

struct aside *uio_kunit_run_aside(struct kunit *test, void (*fn)(struct fixture *fx));
bool uio_kunit_has_ended(struct aside *aside, unsigned long timeout);

static inline unsigned int refs(const struct card *card)
{
	return kref_read(&card->ctx.kref);
}

/* The device. Takes no reference: the registration holds one. */
static inline struct uio_object *object_of(const struct card *card)
{
	return to_uio_object(card->info.uio_dev);
}

static inline bool can_enter(struct uio_object *obj)
{
	if (!uio_enter(obj))
		return false;

	uio_leave(obj);
	return true;
}

#endif /* _UIO_KUNIT_FIXTURE_H */
