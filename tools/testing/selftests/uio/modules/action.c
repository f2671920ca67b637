// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: what a test can make callbacks do, because some drivers' callbacks do it: take
 * a lock, or take a device away.
 */

#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "uio_test.h"

static void uio_test_rtnl_lock(void)
{
	rtnl_lock();
}

static void uio_test_rtnl_unlock(void)
{
	rtnl_unlock();
}

/* a task that exits has no address space any more */
static void uio_test_mmap_lock(void)
{
	if (current->mm)
		mmap_read_lock(current->mm);
}

static void uio_test_mmap_unlock(void)
{
	if (current->mm)
		mmap_read_unlock(current->mm);
}

static const struct uio_test_lock {
	const char *name;
	void (*lock)(void);
	void (*unlock)(void);
} uio_test_locks[] = {
	{ "rtnl", uio_test_rtnl_lock, uio_test_rtnl_unlock },
	{ "mmap", uio_test_mmap_lock, uio_test_mmap_unlock },
};

static const struct uio_test_lock *uio_test_lock_find(const char *name)
{
	int i;

	for (i = 0; name && i < ARRAY_SIZE(uio_test_locks); i++)
		if (!strcmp(uio_test_locks[i].name, name))
			return &uio_test_locks[i];
	return NULL;
}

/* uio_test_action() has checked that slot->dev is not NULL. */
static void uio_test_act_revoke(struct uio_test_slot *slot)
{
	uio_test_revoke(slot->dev);
}

static void uio_test_act_drain(struct uio_test_slot *slot)
{
	uio_test_revoke(slot->dev);
	uio_test_drain(slot->dev);
}

/* This does not take slot->lock, because the one who waits for this callback may hold it. */
static void uio_test_act_unregister(struct uio_test_slot *slot)
{
	slot->registered = false;
	uio_unregister_device(&slot->dev->info);
}

static const struct {
	const char *name;
	void (*act)(struct uio_test_slot *slot);
} uio_test_acts[] = {
	{ "revoke", uio_test_act_revoke },
	{ "drain", uio_test_act_drain },
	{ "unregister", uio_test_act_unregister },
};

static void (*uio_test_act_find(const char *name))(struct uio_test_slot *slot)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(uio_test_acts); i++)
		if (!strcmp(uio_test_acts[i].name, name))
			return uio_test_acts[i].act;
	return NULL;
}

/**
 * uio_test_action_set - say what a callback does from now on
 * @slot: the device
 * @callback: one of its callbacks
 * @what: the name of a lock to take and drop; or "revoke", "drain" or "unregister",
 *	which act on @slot, or on the one named after a colon
 *
 * Return: 0 or a negative error code.
 */
int uio_test_action_set(struct uio_test_slot *slot,
			enum uio_test_callback callback, char *what)
{
	const char *name = strsep(&what, ":");
	const struct uio_test_action action = {
		.lock = uio_test_lock_find(name),
		.act = uio_test_act_find(name),
		.on = what ? uio_test_slot_find(what) : slot,
	};

	if (!(action.lock || action.act) || !action.on)
		return -EINVAL;

	spin_lock(&slot->actions_lock);
	slot->actions[callback] = action;
	spin_unlock(&slot->actions_lock);
	return 0;
}

void uio_test_action(struct uio_test_slot *slot, enum uio_test_callback callback)
{
	struct uio_test_action action;

	spin_lock(&slot->actions_lock);
	action = slot->actions[callback];
	spin_unlock(&slot->actions_lock);

	if (action.lock) {
		action.lock->lock();
		action.lock->unlock();
	}
	if (action.act && action.on->dev)
		action.act(action.on);
}

/**
 * uio_test_under - do something with a lock held
 * @lock: name of the lock
 * @fn: what to do; NULL: take @inner as well
 * @slot: for @fn
 * @inner: name of another lock
 *
 * Return: 0 or a negative error code.
 */
int uio_test_under(const char *lock, void (*fn)(struct uio_test_slot *slot),
		   struct uio_test_slot *slot, const char *inner)
{
	const struct uio_test_lock *first = uio_test_lock_find(lock);
	const struct uio_test_lock *second = uio_test_lock_find(inner);

	if (!first || (!fn && !second))
		return -EINVAL;

	first->lock();
	if (fn) {
		fn(slot);
	} else {
		second->lock();
		second->unlock();
	}
	first->unlock();
	return 0;
}
