// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: KUnit tests of states and references.
 *
 * Open files and mappings are tested from user space, in tools/testing/selftests/uio/.
 */

#include "uio_kunit_fixture.h"

#include <linux/delay.h>

/* uio_lifetime_state */

static void revoke_aside(struct fixture *fx)
{
	uio_revoke_device(&fx->card.info);
}

static void drain_aside(struct fixture *fx)
{
	uio_drain_device(&fx->card.info);
}

static void unregister_aside(struct fixture *fx)
{
	uio_unregister_device(&fx->card.info);
}

static void live_device_can_be_entered(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);

	KUNIT_EXPECT_TRUE(test, uio_is_live(obj));
	KUNIT_ASSERT_TRUE(test, uio_enter(obj));
	KUNIT_EXPECT_TRUE(test, can_enter(obj));
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->active), 1);
	uio_leave(obj);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->active), 0);
}

static void revoked_device_cannot_be_entered(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);

	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_FALSE(test, uio_is_live(obj));
	KUNIT_EXPECT_FALSE(test, can_enter(obj));

	uio_drain_device(&fx->card.info);
	KUNIT_EXPECT_FALSE(test, uio_is_live(obj));
	KUNIT_EXPECT_FALSE(test, can_enter(obj));
}

static void nobody_follows_who_was_inside(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);

	KUNIT_ASSERT_TRUE(test, uio_enter(obj));
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_FALSE(test, uio_is_live(obj));
	KUNIT_EXPECT_FALSE(test, can_enter(obj));
	uio_leave(obj);
	KUNIT_EXPECT_FALSE(test, uio_is_live(obj));
	KUNIT_EXPECT_FALSE(test, can_enter(obj));
}

static void revoke_waits_for_nobody_inside(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);
	struct aside *revoke;

	KUNIT_ASSERT_TRUE(test, uio_enter(obj));
	revoke = uio_kunit_run_aside(test, revoke_aside);
	KUNIT_EXPECT_TRUE(test, uio_kunit_has_ended(revoke, LONG_TIME));
	KUNIT_EXPECT_FALSE(test, uio_is_live(obj));
	uio_leave(obj);
}

static void second_revoke_does_nothing(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);
	int active;

	KUNIT_ASSERT_TRUE(test, uio_enter(obj));
	uio_revoke_device(&fx->card.info);
	active = atomic_read(&obj->active);
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->active), active);
	KUNIT_EXPECT_EQ(test, fx->card.kicks, 1);
	uio_leave(obj);

	uio_drain_device(&fx->card.info);
	active = atomic_read(&obj->active);
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->active), active);
	KUNIT_EXPECT_EQ(test, fx->card.kicks, 1);
}

static void drain_unmaps_again_after_who_was_inside(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);

	KUNIT_ASSERT_TRUE(test, uio_enter(obj));
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_TRUE(test, obj->unmap_again);
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_TRUE(test, obj->unmap_again);
	uio_leave(obj);
	KUNIT_EXPECT_TRUE(test, obj->unmap_again);

	uio_drain_device(&fx->card.info);
	KUNIT_EXPECT_FALSE(test, obj->unmap_again);
}

static void idle_device_is_unmapped_once(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);

	KUNIT_EXPECT_TRUE(test, can_enter(obj));
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_FALSE(test, obj->unmap_again);
}

static void drain_waits_for_the_last_one_inside(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);
	struct aside *drain;

	KUNIT_ASSERT_TRUE(test, uio_enter(obj));
	KUNIT_EXPECT_TRUE(test, uio_enter(obj));
	uio_revoke_device(&fx->card.info);

	drain = uio_kunit_run_aside(test, drain_aside);
	KUNIT_EXPECT_FALSE(test, uio_kunit_has_ended(drain, SHORT_TIME));
	uio_leave(obj);
	KUNIT_EXPECT_FALSE(test, uio_kunit_has_ended(drain, SHORT_TIME));
	uio_leave(obj);
	KUNIT_EXPECT_TRUE(test, uio_kunit_has_ended(drain, LONG_TIME));
}

static void unregister_waits_for_those_inside(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);
	struct aside *unregister;

	get_device(&obj->idev.dev);
	KUNIT_EXPECT_TRUE(test, uio_enter(obj));

	unregister = uio_kunit_run_aside(test, unregister_aside);
	KUNIT_EXPECT_FALSE(test, uio_kunit_has_ended(unregister, SHORT_TIME));
	/* callbacks may still use it */
	KUNIT_EXPECT_PTR_EQ(test, fx->card.info.uio_dev, &obj->idev);
	uio_leave(obj);
	if (uio_kunit_has_ended(unregister, LONG_TIME))
		uio_kunit_expect_unregistered(test, &fx->card);
	else
		KUNIT_FAIL(test, "it waits for ever");
	put_device(&obj->idev.dev);
}

static void drain_waits_for_a_revoke_under_way(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct aside *revoke, *drain;

	uio_kunit_register_card(test, &fx->card);
	fx->card.kick_waits = true;
	revoke = uio_kunit_run_aside(test, revoke_aside);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&fx->card.kicked, LONG_TIME));

	drain = uio_kunit_run_aside(test, drain_aside);
	KUNIT_EXPECT_FALSE(test, uio_kunit_has_ended(drain, SHORT_TIME));
	KUNIT_EXPECT_FALSE(test, uio_kunit_has_ended(revoke, SHORT_TIME));
	complete(&fx->card.kick_goes_on);
	KUNIT_EXPECT_TRUE(test, uio_kunit_has_ended(revoke, LONG_TIME));
	KUNIT_EXPECT_TRUE(test, uio_kunit_has_ended(drain, LONG_TIME));
}

static void idle_device_goes_without_a_wait(struct kunit *test)
{
	struct fixture *fx = test->priv;
	unsigned long slept;

	uio_kunit_register_card(test, &fx->card);
	slept = current->nvcsw;
	uio_revoke_device(&fx->card.info);
	uio_drain_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, current->nvcsw, slept);

	/* nor does a second drain wait */
	uio_drain_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, current->nvcsw, slept);
}

static void drain_of_a_live_device_warns(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);

	if (!IS_ENABLED(CONFIG_BUG))
		kunit_skip(test, "needs CONFIG_BUG");

	kunit_warning_suppress(test) {
		uio_drain_device(&fx->card.info);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	KUNIT_EXPECT_TRUE(test, uio_is_live(obj));
	KUNIT_EXPECT_TRUE(test, can_enter(obj));
}

static void kick_comes_once_to_a_revoked_device(struct kunit *test)
{
	struct fixture *fx = test->priv;

	uio_kunit_register_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, fx->card.kicks, 0);
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, fx->card.kicks, 1);
	KUNIT_EXPECT_FALSE(test, fx->card.kicked_live);
	KUNIT_EXPECT_PTR_EQ(test, fx->card.kicked_by, current);

	uio_drain_device(&fx->card.info);
	uio_kunit_unregister_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, fx->card.kicks, 1);
}

static void visit_until_revoked(struct fixture *fx)
{
	struct uio_object *obj = object_of(&fx->card);

	while (!READ_ONCE(fx->no_more_visits) && uio_enter(obj)) {
		complete(&fx->visited);
		usleep_range(100, 200);
		if (READ_ONCE(fx->drained))
			fx->inside_after_drain = true;
		uio_leave(obj);
	}
}

static void drain_visited(struct fixture *fx)
{
	uio_drain_device(&fx->card.info);
	WRITE_ONCE(fx->drained, true);
}

static void nobody_is_inside_after_a_drain(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct aside *first, *second, *drain;

	uio_kunit_register_card(test, &fx->card);
	init_completion(&fx->visited);
	first = uio_kunit_run_aside(test, visit_until_revoked);
	second = uio_kunit_run_aside(test, visit_until_revoked);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&fx->visited, LONG_TIME));

	uio_revoke_device(&fx->card.info);
	drain = uio_kunit_run_aside(test, drain_visited);
	KUNIT_EXPECT_TRUE(test, uio_kunit_has_ended(drain, LONG_TIME));
	KUNIT_EXPECT_TRUE(test, uio_kunit_has_ended(first, LONG_TIME));
	KUNIT_EXPECT_TRUE(test, uio_kunit_has_ended(second, LONG_TIME));
	KUNIT_EXPECT_FALSE(test, fx->inside_after_drain);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(live_device_can_be_entered),
	KUNIT_CASE(revoked_device_cannot_be_entered),
	KUNIT_CASE(nobody_follows_who_was_inside),
	KUNIT_CASE(revoke_waits_for_nobody_inside),
	KUNIT_CASE(second_revoke_does_nothing),
	KUNIT_CASE(drain_unmaps_again_after_who_was_inside),
	KUNIT_CASE(idle_device_is_unmapped_once),
	KUNIT_CASE(drain_waits_for_the_last_one_inside),
	KUNIT_CASE(drain_waits_for_a_revoke_under_way),
	KUNIT_CASE(unregister_waits_for_those_inside),
	KUNIT_CASE(nobody_is_inside_after_a_drain),
	KUNIT_CASE(idle_device_goes_without_a_wait),
	KUNIT_CASE(drain_of_a_live_device_warns),
	KUNIT_CASE(kick_comes_once_to_a_revoked_device),
	{}
};

static struct kunit_suite state_suite = {
	.name		= "uio_lifetime_state",
	.init		= uio_kunit_init,
	.exit		= uio_kunit_exit,
	.test_cases	= state_cases,
};

/* uio_lifetime_context */

static void init_gives_one_reference(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	KUNIT_EXPECT_EQ(test, refs(card), 1);
	uio_context_put(&card->ctx);
	KUNIT_EXPECT_EQ(test, card->releases, 1);
}

static void last_put_releases(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	kref_get(&card->ctx.kref);
	KUNIT_EXPECT_EQ(test, refs(card), 2);

	uio_context_put(&card->ctx);
	KUNIT_EXPECT_EQ(test, card->releases, 0);

	uio_context_put(&card->ctx);
	KUNIT_EXPECT_EQ(test, card->releases, 1);
}

static void registration_has_a_reference(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	uio_kunit_register_card(test, card);
	KUNIT_EXPECT_EQ(test, refs(card), 2);

	/* the device is still registered */
	uio_revoke_device(&card->info);
	uio_drain_device(&card->info);
	KUNIT_EXPECT_EQ(test, refs(card), 2);

	uio_kunit_unregister_card(test, card);
	KUNIT_EXPECT_EQ(test, refs(card), 1);
	KUNIT_EXPECT_EQ(test, card->releases, 0);
}

static void last_reference_can_be_the_registrations(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	uio_kunit_register_card(test, card);
	uio_context_put(&card->ctx);
	KUNIT_EXPECT_EQ(test, card->releases, 0);

	uio_kunit_unregister_card(test, card);
	KUNIT_EXPECT_EQ(test, card->releases, 1);
	KUNIT_EXPECT_FALSE(test, card->released_registered);
}

static void used_context_is_refused(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_context *ctx = &fx->card.ctx;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);

	KUNIT_EXPECT_EQ(test, -EBUSY,
			uio_register_device_context(fx->parent, &fx->second.info, ctx));
	KUNIT_EXPECT_NULL(test, fx->second.info.uio_dev);
	KUNIT_EXPECT_EQ(test, refs(&fx->card), 2);
	KUNIT_EXPECT_PTR_EQ(test, fx->card.info.uio_dev, &obj->idev);
	KUNIT_EXPECT_TRUE(test, can_enter(obj));

	uio_kunit_unregister_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, -EBUSY,
			uio_register_device_context(fx->parent, &fx->card.info, ctx));
	KUNIT_EXPECT_NULL(test, fx->card.info.uio_dev);
	KUNIT_EXPECT_EQ(test, refs(&fx->card), 1);
}

static void context_without_a_release_warns(struct kunit *test)
{
	static const struct uio_context_ops no_release = {};
	struct fixture *fx = test->priv;
	struct uio_context *ctx = &fx->card.ctx;
	const struct uio_context_ops *ops = ctx->ops;

	if (!IS_ENABLED(CONFIG_BUG))
		kunit_skip(test, "needs CONFIG_BUG");

	uio_context_put(ctx);
	kunit_warning_suppress(test) {
		uio_context_init(ctx, &no_release, 0);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	ctx->ops = ops;
	fx->card.releases = 0;
}

/* devm_kzalloc() memory is freed like this, with the parent. */
static void context_in_freed_memory_warns(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_context *ctx;

	if (!IS_ENABLED(CONFIG_DEBUG_OBJECTS_FREE))
		kunit_skip(test, "needs CONFIG_DEBUG_OBJECTS_FREE");

	ctx = devm_kzalloc(fx->parent, sizeof(*ctx), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ctx);
	uio_context_init(ctx, fx->card.ctx.ops, 0);
	kunit_warning_suppress(test) {
		devm_kfree(fx->parent, ctx);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
}

static struct kunit_case context_cases[] = {
	KUNIT_CASE(init_gives_one_reference),
	KUNIT_CASE(last_put_releases),
	KUNIT_CASE(registration_has_a_reference),
	KUNIT_CASE(last_reference_can_be_the_registrations),
	KUNIT_CASE(used_context_is_refused),
	KUNIT_CASE(context_without_a_release_warns),
	KUNIT_CASE(context_in_freed_memory_warns),
	{}
};

static struct kunit_suite context_suite = {
	.name		= "uio_lifetime_context",
	.init		= uio_kunit_init,
	.exit		= uio_kunit_exit,
	.test_cases	= context_cases,
};

kunit_test_suites(&state_suite, &context_suite);
