// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: KUnit tests of events and wake-ups.
 */

#include "uio_kunit_fixture.h"

/* Records what a sleeper sees of the device when it wakes up. */
struct sleeper {
	struct wait_queue_entry	entry;
	struct uio_object	*obj;
	unsigned int		woken;
	__poll_t		key;
	bool			revoked;
	int			inside;
	int			rcu_sections;
};

static int sleeper_woken(struct wait_queue_entry *entry, unsigned int mode,
			 int flags, void *key)
{
	struct sleeper *sleeper = container_of(entry, struct sleeper, entry);

	sleeper->woken++;
	sleeper->key = key_to_poll(key);
	sleeper->revoked = !uio_is_live(sleeper->obj);
	sleeper->inside = atomic_read(&sleeper->obj->active);
	sleeper->rcu_sections = rcu_preempt_depth();
	return 0;
}

static void listen(struct sleeper *sleeper, struct uio_object *obj)
{
	sleeper->obj = obj;
	init_waitqueue_func_entry(&sleeper->entry, sleeper_woken);
	add_wait_queue(&obj->idev.wait, &sleeper->entry);
}

static void events_are_counted(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);
	struct uio_object *other = uio_kunit_register_card(test, &fx->second);
	struct sleeper sleeper = {};

	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 0);
	listen(&sleeper, obj);
	uio_event_notify(&fx->card.info);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 1);
	KUNIT_EXPECT_EQ(test, sleeper.woken, 1);
	KUNIT_EXPECT_FALSE(test, sleeper.revoked);
	uio_event_notify(&fx->card.info);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 2);
	KUNIT_EXPECT_EQ(test, sleeper.woken, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&other->idev.event), 0);
	remove_wait_queue(&obj->idev.wait, &sleeper.entry);
}

/* Not in an RCU section: a woken task of high priority would preempt it. */
static void event_wakes_inside_the_device(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);
	struct sleeper sleeper = {};

	listen(&sleeper, obj);
	uio_event_notify(&fx->card.info);
	KUNIT_EXPECT_EQ(test, sleeper.woken, 1);
	KUNIT_EXPECT_EQ(test, sleeper.inside, 1);
	KUNIT_EXPECT_EQ(test, sleeper.rcu_sections, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->active), 0);
	remove_wait_queue(&obj->idev.wait, &sleeper.entry);
}

static void events_of_no_registration_are_ignored(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_info *info = &fx->card.info;
	struct uio_object *obj;

	uio_event_notify(info);
	obj = uio_kunit_register_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 0);
	uio_event_notify(info);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 1);

	get_device(&obj->idev.dev);
	uio_kunit_unregister_card(test, &fx->card);
	uio_event_notify(info);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 1);
	put_device(&obj->idev.dev);

	/* the next registration does not count the event, either */
	uio_kunit_renew_card(&fx->card);
	obj = uio_kunit_register_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 0);
}

static void events_end_with_revocation(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);
	struct sleeper sleeper = {};

	uio_event_notify(&fx->card.info);
	uio_revoke_device(&fx->card.info);
	listen(&sleeper, obj);
	uio_event_notify(&fx->card.info);
	uio_drain_device(&fx->card.info);
	uio_event_notify(&fx->card.info);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 1);
	KUNIT_EXPECT_EQ(test, sleeper.woken, 0);
	remove_wait_queue(&obj->idev.wait, &sleeper.entry);
}

static void revoke_wakes_after_the_state_has_changed(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);
	struct sleeper sleeper = {};

	listen(&sleeper, obj);
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, sleeper.woken, 1);
	KUNIT_EXPECT_TRUE(test, sleeper.revoked);
	KUNIT_EXPECT_EQ(test, (__force u32)sleeper.key,
			(__force u32)(EPOLLHUP | EPOLLERR));

	/* a second revoke does not wake */
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, sleeper.woken, 1);
	remove_wait_queue(&obj->idev.wait, &sleeper.entry);
}

static void no_more_events_are_announced(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);
	struct sleeper sleeper = {};

	KUNIT_EXPECT_TRUE(test, obj->had_irq);
	listen(&sleeper, obj);
	fx->card.info.irq = UIO_IRQ_NONE;
	KUNIT_EXPECT_TRUE(test, obj->had_irq);
	uio_event_notify(&fx->card.info);
	KUNIT_EXPECT_FALSE(test, obj->had_irq);
	KUNIT_EXPECT_EQ(test, sleeper.woken, 1);

	/* uio_event_notify() does not remember that there are events again */
	fx->card.info.irq = UIO_IRQ_CUSTOM;
	uio_event_notify(&fx->card.info);
	KUNIT_EXPECT_FALSE(test, obj->had_irq);
	remove_wait_queue(&obj->idev.wait, &sleeper.entry);
}

static struct kunit_case event_cases[] = {
	KUNIT_CASE(events_are_counted),
	KUNIT_CASE(event_wakes_inside_the_device),
	KUNIT_CASE(events_of_no_registration_are_ignored),
	KUNIT_CASE(events_end_with_revocation),
	KUNIT_CASE(revoke_wakes_after_the_state_has_changed),
	KUNIT_CASE(no_more_events_are_announced),
	{}
};

static struct kunit_suite event_suite = {
	.name		= "uio_lifetime_event",
	.init		= uio_kunit_init,
	.exit		= uio_kunit_exit,
	.test_cases	= event_cases,
};

kunit_test_suite(event_suite);
