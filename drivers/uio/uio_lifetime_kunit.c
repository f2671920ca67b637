// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: KUnit tests of states, references and registration.
 *
 * What an open file and a mapping get is tested from user space, in
 * tools/testing/selftests/uio/.
 */

#include "uio_internal.h"

#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/wait_bit.h>

/* For what has to happen, and for what must not. */
#define LONG_TIME	(10 * HZ)
#define SHORT_TIME	(HZ / 20)

/*
 * The driver's object. Its memory is the test's and not freed by the release, so
 * that it can be looked at.
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

/* A thread beside the test, to find out whether @fn waits. */
struct aside {
	struct fixture		*fx;
	void			(*fn)(struct fixture *fx);
	struct completion	started;
	struct completion	done;
	bool			begun;
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

static void card_release(struct uio_context *ctx)
{
	struct card *card = container_of(ctx, struct card, ctx);

	card->releases++;
	card->released_registered = card->info.uio_dev;
}

static void card_kick(struct uio_context *ctx)
{
	struct card *card = container_of(ctx, struct card, ctx);
	struct uio_device *idev = card->info.uio_dev;

	card->kicks++;
	card->kicked_live = !idev || !uio_revoked(to_uio_object(idev));
	card->kicked_by = current;

	if (card->kick_waits) {
		complete(&card->kicked);
		wait_for_completion_timeout(&card->kick_goes_on, LONG_TIME);
	}
}

static const struct uio_context_ops card_ops = {
	.release	= card_release,
	.kick		= card_kick,
};

static void card_init(struct card *card)
{
	card->info = (struct uio_info) {
		.name		= "uio_kunit",
		.version	= "1",
		.irq		= UIO_IRQ_CUSTOM,
		.mem[0]		= { .name = "memory", .size = PAGE_SIZE },
		.port[0]	= { .name = "ports", .size = 1 },
	};
	uio_context_init(&card->ctx, &card_ops);
	init_completion(&card->kicked);
	init_completion(&card->kick_goes_on);
}

static unsigned int refs(const struct card *card)
{
	return kref_read(&card->ctx.kref);
}

/* The device, with the reference that the registration has. */
static struct uio_object *object_of(const struct card *card)
{
	return to_uio_object(card->info.uio_dev);
}

static struct uio_object *register_card(struct kunit *test, struct card *card)
{
	struct fixture *fx = test->priv;
	int ret = uio_register_device_context(fx->parent, &card->info, &card->ctx);

	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_ASSERT_NOT_NULL(test, card->info.uio_dev);
	return object_of(card);
}

/* A core that forgets to clear it is found here, and does not take the rest down. */
static void expect_unregistered(struct kunit *test, struct card *card)
{
	KUNIT_EXPECT_NULL(test, card->info.uio_dev);
	card->info.uio_dev = NULL;
}

static void unregister_card(struct kunit *test, struct card *card)
{
	uio_unregister_device(&card->info);
	expect_unregistered(test, card);
}

static bool can_enter(struct uio_object *obj)
{
	if (!uio_enter(obj))
		return false;

	uio_leave(obj);
	return true;
}

static int aside_main(void *data)
{
	struct aside *aside = data;

	complete(&aside->started);
	aside->fn(aside->fx);
	/* not just complete(): this code may be unloaded after it */
	kthread_complete_and_exit(&aside->done, 0);
}

static struct aside *run_aside(struct kunit *test, void (*fn)(struct fixture *fx))
{
	struct fixture *fx = test->priv;
	struct aside *aside = &fx->aside[fx->nr_asides];
	struct task_struct *task;

	KUNIT_ASSERT_LT(test, fx->nr_asides, ARRAY_SIZE(fx->aside));
	aside->fx = fx;
	aside->fn = fn;
	init_completion(&aside->started);
	init_completion(&aside->done);

	task = kthread_run(aside_main, aside, "uio_kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	fx->nr_asides++;

	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&aside->started, LONG_TIME));
	return aside;
}

static bool has_ended(struct aside *aside, unsigned long timeout)
{
	if (!wait_for_completion_timeout(&aside->done, timeout))
		return false;

	/* for who asks again */
	complete(&aside->done);
	return true;
}

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

static int fixture_init(struct kunit *test)
{
	static unsigned int nr;
	struct fixture *fx = kzalloc(sizeof(*fx), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fx);
	test->priv = fx;
	card_init(&fx->card);
	card_init(&fx->second);

	/* with CONFIG_DEBUG_KOBJECT_RELEASE the last driver's name is still taken */
	snprintf(fx->name, sizeof(fx->name), "uio_kunit%u", nr++);
	fx->parent = kunit_device_register(test, fx->name);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fx->parent));
	return 0;
}

/* Every thread ends, also where the test has failed half-way. */
static bool asides_end(struct fixture *fx)
{
	unsigned int i;

	complete(&fx->card.kick_goes_on);
	WRITE_ONCE(fx->no_more_visits, true);
	for (i = 0; i < fx->nr_asides; i++) {
		if (has_ended(&fx->aside[i], SHORT_TIME))
			continue;

		/* a core that forgets to wake */
		if (fx->card.info.uio_dev)
			wake_up_var(&object_of(&fx->card)->active);
		if (!has_ended(&fx->aside[i], LONG_TIME))
			return false;
	}
	return true;
}

static void check_card(struct kunit *test, struct card *card)
{
	unregister_card(test, card);
	KUNIT_EXPECT_LE(test, card->releases, 1);
	KUNIT_EXPECT_EQ(test, refs(card), card->releases ? 0 : 1);
	KUNIT_EXPECT_FALSE(test, card->kicked_live);
	KUNIT_EXPECT_FALSE(test, card->released_registered);
}

static void fixture_exit(struct kunit *test)
{
	struct fixture *fx = test->priv;

	if (!fx)
		return;

	/* what the thread uses stays then, also this code */
	if (!asides_end(fx)) {
		__module_get(THIS_MODULE);
		KUNIT_FAIL(test, "a thread did not end");
		return;
	}

	check_card(test, &fx->card);
	check_card(test, &fx->second);
	/* before what devm does to the info */
	if (!IS_ERR_OR_NULL(fx->parent))
		kunit_device_unregister(test, fx->parent);
	kfree(fx);
}

/* uio_lifetime_state */

static void live_device_can_be_entered(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);

	KUNIT_EXPECT_FALSE(test, uio_revoked(obj));
	KUNIT_ASSERT_TRUE(test, uio_enter(obj));
	KUNIT_EXPECT_TRUE(test, can_enter(obj));
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->active), 1);
	uio_leave(obj);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->active), 0);
}

static void revoked_device_cannot_be_entered(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);

	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_TRUE(test, uio_revoked(obj));
	KUNIT_EXPECT_FALSE(test, can_enter(obj));

	uio_drain_device(&fx->card.info);
	KUNIT_EXPECT_TRUE(test, uio_revoked(obj));
	KUNIT_EXPECT_FALSE(test, can_enter(obj));
}

static void nobody_follows_who_was_inside(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);

	KUNIT_ASSERT_TRUE(test, uio_enter(obj));
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_TRUE(test, uio_revoked(obj));
	KUNIT_EXPECT_FALSE(test, can_enter(obj));
	uio_leave(obj);
	KUNIT_EXPECT_TRUE(test, uio_revoked(obj));
	KUNIT_EXPECT_FALSE(test, can_enter(obj));
}

static void revoke_waits_for_nobody_inside(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);
	struct aside *revoke;

	KUNIT_ASSERT_TRUE(test, uio_enter(obj));
	revoke = run_aside(test, revoke_aside);
	KUNIT_EXPECT_TRUE(test, has_ended(revoke, LONG_TIME));
	KUNIT_EXPECT_TRUE(test, uio_revoked(obj));
	uio_leave(obj);
}

static void second_revoke_does_nothing(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);
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

static void revoke_remembers_who_was_inside(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);

	KUNIT_ASSERT_TRUE(test, uio_enter(obj));
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_TRUE(test, obj->straggler);
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_TRUE(test, obj->straggler);
	uio_leave(obj);
	KUNIT_EXPECT_TRUE(test, obj->straggler);

	uio_drain_device(&fx->card.info);
	KUNIT_EXPECT_FALSE(test, obj->straggler);
}

static void revoke_of_an_idle_device_finds_nobody(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);

	KUNIT_EXPECT_TRUE(test, can_enter(obj));
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_FALSE(test, obj->straggler);
}

static void drain_waits_for_the_last_one_inside(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);
	struct aside *drain;

	KUNIT_ASSERT_TRUE(test, uio_enter(obj));
	KUNIT_EXPECT_TRUE(test, uio_enter(obj));
	uio_revoke_device(&fx->card.info);

	drain = run_aside(test, drain_aside);
	KUNIT_EXPECT_FALSE(test, has_ended(drain, SHORT_TIME));
	uio_leave(obj);
	KUNIT_EXPECT_FALSE(test, has_ended(drain, SHORT_TIME));
	uio_leave(obj);
	KUNIT_EXPECT_TRUE(test, has_ended(drain, LONG_TIME));
}

static void unregister_waits_for_those_inside(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);
	struct aside *unregister;

	get_device(&obj->idev.dev);
	KUNIT_EXPECT_TRUE(test, uio_enter(obj));

	unregister = run_aside(test, unregister_aside);
	KUNIT_EXPECT_FALSE(test, has_ended(unregister, SHORT_TIME));
	/* its callbacks may still use it */
	KUNIT_EXPECT_PTR_EQ(test, fx->card.info.uio_dev, &obj->idev);
	uio_leave(obj);
	if (has_ended(unregister, LONG_TIME))
		expect_unregistered(test, &fx->card);
	else
		KUNIT_FAIL(test, "it waits for ever");
	put_device(&obj->idev.dev);
}

static void drain_waits_for_a_revoke_under_way(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct aside *revoke, *drain;

	register_card(test, &fx->card);
	fx->card.kick_waits = true;
	revoke = run_aside(test, revoke_aside);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&fx->card.kicked, LONG_TIME));

	drain = run_aside(test, drain_aside);
	KUNIT_EXPECT_FALSE(test, has_ended(drain, SHORT_TIME));
	KUNIT_EXPECT_FALSE(test, has_ended(revoke, SHORT_TIME));
	complete(&fx->card.kick_goes_on);
	KUNIT_EXPECT_TRUE(test, has_ended(revoke, LONG_TIME));
	KUNIT_EXPECT_TRUE(test, has_ended(drain, LONG_TIME));
}

static void idle_device_goes_without_a_wait(struct kunit *test)
{
	struct fixture *fx = test->priv;
	unsigned long slept;

	register_card(test, &fx->card);
	slept = current->nvcsw;
	uio_revoke_device(&fx->card.info);
	uio_drain_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, current->nvcsw, slept);

	/* and again, for who has drained it already */
	uio_drain_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, current->nvcsw, slept);
}

static void drain_of_a_live_device_warns(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);

	if (!IS_ENABLED(CONFIG_BUG))
		kunit_skip(test, "needs CONFIG_BUG");

	kunit_warning_suppress(test) {
		uio_drain_device(&fx->card.info);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	KUNIT_EXPECT_FALSE(test, uio_revoked(obj));
	KUNIT_EXPECT_TRUE(test, can_enter(obj));
}

static void kick_comes_once_to_a_revoked_device(struct kunit *test)
{
	struct fixture *fx = test->priv;

	register_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, fx->card.kicks, 0);
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, fx->card.kicks, 1);
	KUNIT_EXPECT_FALSE(test, fx->card.kicked_live);
	KUNIT_EXPECT_PTR_EQ(test, fx->card.kicked_by, current);

	uio_drain_device(&fx->card.info);
	unregister_card(test, &fx->card);
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

	register_card(test, &fx->card);
	init_completion(&fx->visited);
	first = run_aside(test, visit_until_revoked);
	second = run_aside(test, visit_until_revoked);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&fx->visited, LONG_TIME));

	uio_revoke_device(&fx->card.info);
	drain = run_aside(test, drain_visited);
	KUNIT_EXPECT_TRUE(test, has_ended(drain, LONG_TIME));
	KUNIT_EXPECT_TRUE(test, has_ended(first, LONG_TIME));
	KUNIT_EXPECT_TRUE(test, has_ended(second, LONG_TIME));
	KUNIT_EXPECT_FALSE(test, fx->inside_after_drain);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(live_device_can_be_entered),
	KUNIT_CASE(revoked_device_cannot_be_entered),
	KUNIT_CASE(nobody_follows_who_was_inside),
	KUNIT_CASE(revoke_waits_for_nobody_inside),
	KUNIT_CASE(second_revoke_does_nothing),
	KUNIT_CASE(revoke_remembers_who_was_inside),
	KUNIT_CASE(revoke_of_an_idle_device_finds_nobody),
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
	.init		= fixture_init,
	.exit		= fixture_exit,
	.test_cases	= state_cases,
};

/* uio_lifetime_context */

static void init_gives_one_reference(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	KUNIT_EXPECT_EQ(test, refs(card), 1);
	KUNIT_EXPECT_TRUE(test, uio_context_unused(&card->ctx));
	uio_context_put(&card->ctx);
	KUNIT_EXPECT_EQ(test, card->releases, 1);
}

static void last_put_releases(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	KUNIT_EXPECT_PTR_EQ(test, uio_context_get(&card->ctx), &card->ctx);
	KUNIT_EXPECT_EQ(test, refs(card), 2);
	KUNIT_EXPECT_FALSE(test, uio_context_unused(&card->ctx));

	uio_context_put(&card->ctx);
	KUNIT_EXPECT_EQ(test, card->releases, 0);
	KUNIT_EXPECT_TRUE(test, uio_context_unused(&card->ctx));

	uio_context_put(&card->ctx);
	KUNIT_EXPECT_EQ(test, card->releases, 1);
}

static void registration_has_a_reference(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	register_card(test, card);
	KUNIT_EXPECT_EQ(test, refs(card), 2);
	KUNIT_EXPECT_FALSE(test, uio_context_unused(&card->ctx));

	/* neither of them ends the registration */
	uio_revoke_device(&card->info);
	uio_drain_device(&card->info);
	KUNIT_EXPECT_EQ(test, refs(card), 2);

	unregister_card(test, card);
	KUNIT_EXPECT_EQ(test, refs(card), 1);
	KUNIT_EXPECT_TRUE(test, uio_context_unused(&card->ctx));
	KUNIT_EXPECT_EQ(test, card->releases, 0);
}

static void last_reference_can_be_the_registrations(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	register_card(test, card);
	uio_context_put(&card->ctx);
	KUNIT_EXPECT_EQ(test, card->releases, 0);

	unregister_card(test, card);
	KUNIT_EXPECT_EQ(test, card->releases, 1);
	KUNIT_EXPECT_FALSE(test, card->released_registered);
}

static void used_context_is_refused(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_context *ctx = &fx->card.ctx;
	struct uio_object *obj = register_card(test, &fx->card);

	KUNIT_EXPECT_EQ(test, -EBUSY,
			uio_register_device_context(fx->parent, &fx->second.info, ctx));
	KUNIT_EXPECT_NULL(test, fx->second.info.uio_dev);
	KUNIT_EXPECT_EQ(test, refs(&fx->card), 2);
	KUNIT_EXPECT_PTR_EQ(test, fx->card.info.uio_dev, &obj->idev);
	KUNIT_EXPECT_TRUE(test, can_enter(obj));

	unregister_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, -EBUSY,
			uio_register_device_context(fx->parent, &fx->card.info, ctx));
	KUNIT_EXPECT_NULL(test, fx->card.info.uio_dev);
	KUNIT_EXPECT_EQ(test, refs(&fx->card), 1);
}

static void context_can_be_used_after_a_new_init(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	register_card(test, card);
	unregister_card(test, card);

	KUNIT_ASSERT_TRUE(test, uio_context_unused(&card->ctx));
	uio_context_init(&card->ctx, &card_ops);
	KUNIT_EXPECT_TRUE(test, can_enter(register_card(test, card)));
	KUNIT_EXPECT_EQ(test, refs(card), 2);
}

static void sink_is_off_until_chosen(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_context *ctx = &fx->card.ctx;

	KUNIT_EXPECT_FALSE(test, uio_context_has_sink(ctx));
	uio_context_set_sink(ctx, true);
	KUNIT_EXPECT_TRUE(test, uio_context_has_sink(ctx));
	uio_context_set_sink(ctx, false);
	KUNIT_EXPECT_FALSE(test, uio_context_has_sink(ctx));

	uio_context_set_sink(ctx, true);
	uio_context_init(ctx, &card_ops);
	KUNIT_EXPECT_FALSE(test, uio_context_has_sink(ctx));
}

static void sink_does_not_use_a_context_up(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_context *ctx = &fx->card.ctx;

	uio_context_set_sink(ctx, true);
	register_card(test, &fx->card);
	KUNIT_EXPECT_TRUE(test, uio_context_has_sink(ctx));

	uio_context_set_sink(ctx, false);
	KUNIT_EXPECT_FALSE(test, uio_context_has_sink(ctx));
	unregister_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, -EBUSY,
			uio_register_device_context(fx->parent, &fx->card.info, ctx));
}

static void context_without_a_release_warns(struct kunit *test)
{
	static const struct uio_context_ops no_release = {};
	struct uio_context ctx;

	if (!IS_ENABLED(CONFIG_BUG))
		kunit_skip(test, "needs CONFIG_BUG");

	kunit_warning_suppress(test) {
		uio_context_init(&ctx, &no_release);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
		uio_context_init(&ctx, NULL);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 2);
	}
}

static struct kunit_case context_cases[] = {
	KUNIT_CASE(init_gives_one_reference),
	KUNIT_CASE(last_put_releases),
	KUNIT_CASE(registration_has_a_reference),
	KUNIT_CASE(last_reference_can_be_the_registrations),
	KUNIT_CASE(used_context_is_refused),
	KUNIT_CASE(context_can_be_used_after_a_new_init),
	KUNIT_CASE(sink_is_off_until_chosen),
	KUNIT_CASE(sink_does_not_use_a_context_up),
	KUNIT_CASE(context_without_a_release_warns),
	{}
};

static struct kunit_suite context_suite = {
	.name		= "uio_lifetime_context",
	.init		= fixture_init,
	.exit		= fixture_exit,
	.test_cases	= context_cases,
};

/* uio_lifetime_register */

struct kind {
	const char	*name;
	bool		context;
	bool		devm;
	bool		bare;		/* neither memory nor ports */
};

static const struct kind kinds[] = {
	{ .name = "legacy" },
	{ .name = "context", .context = true },
	{ .name = "devm_legacy", .devm = true },
	{ .name = "devm_context", .context = true, .devm = true },
};

KUNIT_ARRAY_PARAM_DESC(kinds, kinds, name);

/* Each try costs time, so only what differs most. */
static const struct kind failing_kinds[] = {
	{ .name = "bare_legacy", .bare = true },
	{ .name = "devm_context", .context = true, .devm = true },
};

KUNIT_ARRAY_PARAM_DESC(failing_kinds, failing_kinds, name);

static int register_kind(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	if (kind->devm)
		return kind->context ?
		       devm_uio_register_device_context(fx->parent, &card->info, &card->ctx) :
		       devm_uio_register_device(fx->parent, &card->info);
	return kind->context ?
	       uio_register_device_context(fx->parent, &card->info, &card->ctx) :
	       uio_register_device(fx->parent, &card->info);
}

static void unregister_kind(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct fixture *fx = test->priv;

	if (!kind->devm) {
		unregister_card(test, &fx->card);
		return;
	}

	kunit_device_unregister(test, fx->parent);
	fx->parent = NULL;
	expect_unregistered(test, &fx->card);
}

static unsigned int refs_of(const struct device *dev)
{
	return kref_read(&dev->kobj.kref);
}

static void uio_dev_is_set_while_registered(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct fixture *fx = test->priv;
	struct uio_info *info = &fx->card.info;
	struct uio_device *idev;

	KUNIT_ASSERT_EQ(test, register_kind(test), 0);
	idev = info->uio_dev;
	KUNIT_ASSERT_NOT_NULL(test, idev);
	KUNIT_EXPECT_PTR_EQ(test, idev->info, info);
	KUNIT_EXPECT_PTR_EQ(test, idev->owner, THIS_MODULE);
	KUNIT_EXPECT_PTR_EQ(test, idev->dev.parent, fx->parent);
	KUNIT_EXPECT_EQ(test, MINOR(idev->dev.devt), idev->minor);
	KUNIT_EXPECT_EQ(test, refs(&fx->card), kind->context ? 2 : 1);
	KUNIT_EXPECT_TRUE(test, can_enter(to_uio_object(idev)));

	get_device(&idev->dev);
	unregister_kind(test);
	KUNIT_EXPECT_TRUE(test, uio_revoked(to_uio_object(idev)));
	KUNIT_EXPECT_FALSE(test, device_is_registered(&idev->dev));
	KUNIT_EXPECT_EQ(test, refs_of(&idev->dev), 1);
	KUNIT_EXPECT_EQ(test, refs(&fx->card), 1);
	KUNIT_EXPECT_EQ(test, fx->card.kicks, kind->context ? 1 : 0);
	put_device(&idev->dev);
}

static void what_is_not_registered_is_ignored(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_info *info = &fx->card.info;

	uio_unregister_device(NULL);
	uio_unregister_device(info);
	uio_revoke_device(info);
	uio_drain_device(info);

	register_card(test, &fx->card);
	unregister_card(test, &fx->card);
	uio_unregister_device(info);
	uio_revoke_device(info);
	uio_drain_device(info);
	KUNIT_EXPECT_EQ(test, refs(&fx->card), 1);
	KUNIT_EXPECT_EQ(test, fx->card.kicks, 1);
}

static void lacking_descriptions_are_refused(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_context *ctx = &fx->card.ctx;
	struct uio_info *info = &fx->card.info;

	KUNIT_EXPECT_EQ(test, -EINVAL, uio_register_device_context(NULL, info, ctx));
	KUNIT_EXPECT_EQ(test, -EINVAL, uio_register_device_context(fx->parent, NULL, ctx));

	info->name = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, uio_register_device_context(fx->parent, info, ctx));
	KUNIT_EXPECT_EQ(test, -EINVAL, uio_register_device(fx->parent, info));
	info->name = "uio_kunit";

	info->version = NULL;
	KUNIT_EXPECT_EQ(test, -EINVAL, uio_register_device_context(fx->parent, info, ctx));
	KUNIT_EXPECT_EQ(test, -EINVAL, uio_register_device(fx->parent, info));
	info->version = "1";

	KUNIT_EXPECT_EQ(test, refs(&fx->card), 1);
	KUNIT_EXPECT_EQ(test, fx->card.kicks, 0);
}

static int card_mmap_prepare(struct uio_info *info, struct vm_area_desc *desc)
{
	return -ENODEV;
}

static void mmap_prepare_does_not_go_with_a_context(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_info *info = &fx->card.info;

	info->mmap_prepare = card_mmap_prepare;
	KUNIT_EXPECT_EQ(test, -EINVAL,
			uio_register_device_context(fx->parent, info, &fx->card.ctx));
	KUNIT_EXPECT_NULL(test, info->uio_dev);
	KUNIT_EXPECT_EQ(test, refs(&fx->card), 1);

	KUNIT_EXPECT_EQ(test, 0, uio_register_device(fx->parent, info));
}

static void minors_differ_and_are_used_again(struct kunit *test)
{
	struct fixture *fx = test->priv;
	int first, second;

	register_card(test, &fx->card);
	first = fx->card.info.uio_dev->minor;
	register_card(test, &fx->second);
	second = fx->second.info.uio_dev->minor;
	KUNIT_EXPECT_NE(test, first, second);

	unregister_card(test, &fx->card);
	uio_context_init(&fx->card.ctx, &card_ops);
	register_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, fx->card.info.uio_dev->minor, first);
	KUNIT_EXPECT_EQ(test, fx->second.info.uio_dev->minor, second);
}

/* Runs in device_del(), which still has the name in sysfs. */
static void register_meanwhile(void *data)
{
	struct fixture *fx = data;

	fx->second_minor = uio_register_device(fx->parent, &fx->second.info) ?:
			   fx->second.info.uio_dev->minor;
}

static void minor_is_taken_until_the_name_is_gone(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);
	int minor = obj->idev.minor;

	fx->second_minor = -ENXIO;
	KUNIT_ASSERT_EQ(test, 0, devm_add_action(&obj->idev.dev, register_meanwhile, fx));
	unregister_card(test, &fx->card);
	KUNIT_EXPECT_GE(test, fx->second_minor, 0);
	KUNIT_EXPECT_NE(test, fx->second_minor, minor);
}

/* As before the registration, but that the context has been used. */
static void expect_undone(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	expect_unregistered(test, card);
	KUNIT_EXPECT_EQ(test, refs(card), 1);
	KUNIT_EXPECT_EQ(test, card->releases, 0);
	KUNIT_EXPECT_LE(test, card->kicks, kind->context ? 1 : 0);
	KUNIT_EXPECT_FALSE(test, card->kicked_live);
}

/* What was used up by failures, and has not come back, is found missing. */
static void expect_registers(struct kunit *test, int minor)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	uio_context_init(&card->ctx, &card_ops);
	KUNIT_ASSERT_EQ(test, register_kind(test), 0);
	KUNIT_EXPECT_EQ(test, card->info.uio_dev->minor, minor);
	KUNIT_EXPECT_TRUE(test, can_enter(object_of(card)));
	unregister_kind(test);
	KUNIT_EXPECT_EQ(test, refs(card), 1);
}

/* The minor that the next registration gets. */
static int next_minor(struct kunit *test)
{
	struct fixture *fx = test->priv;
	int minor;

	register_card(test, &fx->second);
	minor = fx->second.info.uio_dev->minor;
	unregister_card(test, &fx->second);
	uio_context_init(&fx->second.ctx, &card_ops);
	return minor;
}

static void failed_interrupt_is_undone(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;
	int minor = next_minor(test);
	unsigned int parent_refs = refs_of(fx->parent);

	/* there is none of that number */
	card->info.irq = INT_MAX;
	KUNIT_EXPECT_EQ(test, register_kind(test), -EINVAL);
	expect_undone(test);
	KUNIT_EXPECT_EQ(test, refs_of(fx->parent), parent_refs);
	KUNIT_EXPECT_EQ(test, card->kicks, kind->context ? 1 : 0);

	if (kind->context)
		KUNIT_EXPECT_EQ(test, register_kind(test), -EBUSY);

	card->info.irq = UIO_IRQ_CUSTOM;
	expect_registers(test, minor);
}

#if defined(CONFIG_FAILSLAB) && defined(CONFIG_FAULT_INJECTION_DEBUG_FS)
/* Fail allocation @nth; *@failed tells whether there was one. */
static int register_failing(struct kunit *test, unsigned int nth, bool *failed)
{
	int ret;

	current->fail_nth = nth;
	ret = register_kind(test);
	*failed = !current->fail_nth;
	current->fail_nth = 0;
	return ret;
}
#else
static int register_failing(struct kunit *test, unsigned int nth, bool *failed)
{
	*failed = false;
	return register_kind(test);
}
#endif

static void failed_allocation_is_undone(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;
	int minor = next_minor(test);
	unsigned int parent_refs = refs_of(fx->parent);
	unsigned int nth, errors = 0;
	bool failed;
	int ret;

	if (kind->bare) {
		card->info.mem[0].size = 0;
		card->info.port[0].size = 0;
	}
	for (nth = 1;; nth++) {
		card->kicks = 0;
		uio_context_init(&card->ctx, &card_ops);
		ret = register_failing(test, nth, &failed);
		if (!failed)
			break;

		/* some can be done without, an event of udev's for one */
		if (ret)
			errors++;
		else
			unregister_card(test, card);
		expect_undone(test);
		KUNIT_EXPECT_EQ(test, refs_of(fx->parent), parent_refs);
		if (test->status == KUNIT_FAILURE) {
			kunit_info(test, "%s: allocation %u, error %d\n", kind->name, nth, ret);
			return;
		}
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	unregister_card(test, card);
	if (!errors)
		kunit_skip(test, "failslab is not set to fail allocations that may wait");

	kunit_info(test, "%s: %u allocations, %u errors\n", kind->name, nth - 1, errors);
	expect_registers(test, minor);
}

static struct kunit_case register_cases[] = {
	KUNIT_CASE_PARAM(uio_dev_is_set_while_registered, kinds_gen_params),
	KUNIT_CASE(what_is_not_registered_is_ignored),
	KUNIT_CASE(lacking_descriptions_are_refused),
	KUNIT_CASE(mmap_prepare_does_not_go_with_a_context),
	KUNIT_CASE(minors_differ_and_are_used_again),
	KUNIT_CASE(minor_is_taken_until_the_name_is_gone),
	KUNIT_CASE_PARAM(failed_interrupt_is_undone, kinds_gen_params),
	KUNIT_CASE_PARAM_ATTR(failed_allocation_is_undone, failing_kinds_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite register_suite = {
	.name		= "uio_lifetime_register",
	.init		= fixture_init,
	.exit		= fixture_exit,
	.test_cases	= register_cases,
};

/* uio_lifetime_event */

/* Looks at the device when it is woken, as a sleeper does. */
struct sleeper {
	struct wait_queue_entry	entry;
	struct uio_object	*obj;
	unsigned int		woken;
	__poll_t		key;
	bool			revoked;
};

static int sleeper_woken(struct wait_queue_entry *entry, unsigned int mode,
			 int flags, void *key)
{
	struct sleeper *sleeper = container_of(entry, struct sleeper, entry);

	sleeper->woken++;
	sleeper->key = key_to_poll(key);
	sleeper->revoked = uio_revoked(sleeper->obj);
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
	struct uio_object *obj = register_card(test, &fx->card);
	struct uio_object *other = register_card(test, &fx->second);
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

static void events_of_no_registration_are_ignored(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_info *info = &fx->card.info;
	struct uio_object *obj;

	uio_event_notify(info);
	obj = register_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 0);
	uio_event_notify(info);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 1);

	get_device(&obj->idev.dev);
	unregister_card(test, &fx->card);
	uio_event_notify(info);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 1);
	put_device(&obj->idev.dev);

	/* nor is it counted for the next one */
	uio_context_init(&fx->card.ctx, &card_ops);
	obj = register_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, atomic_read(&obj->idev.event), 0);
}

static void events_end_with_revocation(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);
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
	struct uio_object *obj = register_card(test, &fx->card);
	struct sleeper sleeper = {};

	listen(&sleeper, obj);
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, sleeper.woken, 1);
	KUNIT_EXPECT_TRUE(test, sleeper.revoked);
	KUNIT_EXPECT_EQ(test, (__force u32)sleeper.key,
			(__force u32)(EPOLLHUP | EPOLLERR));

	/* once is enough */
	uio_revoke_device(&fx->card.info);
	KUNIT_EXPECT_EQ(test, sleeper.woken, 1);
	remove_wait_queue(&obj->idev.wait, &sleeper.entry);
}

static void no_more_events_are_announced(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = register_card(test, &fx->card);
	struct sleeper sleeper = {};

	KUNIT_EXPECT_TRUE(test, obj->has_irq);
	listen(&sleeper, obj);
	fx->card.info.irq = UIO_IRQ_NONE;
	KUNIT_EXPECT_TRUE(test, obj->has_irq);
	uio_event_notify(&fx->card.info);
	KUNIT_EXPECT_FALSE(test, obj->has_irq);
	KUNIT_EXPECT_EQ(test, sleeper.woken, 1);

	fx->card.info.irq = UIO_IRQ_CUSTOM;
	uio_event_notify(&fx->card.info);
	KUNIT_EXPECT_TRUE(test, obj->has_irq);
	remove_wait_queue(&obj->idev.wait, &sleeper.entry);
}

static struct kunit_case event_cases[] = {
	KUNIT_CASE(events_are_counted),
	KUNIT_CASE(events_of_no_registration_are_ignored),
	KUNIT_CASE(events_end_with_revocation),
	KUNIT_CASE(revoke_wakes_after_the_state_has_changed),
	KUNIT_CASE(no_more_events_are_announced),
	{}
};

static struct kunit_suite event_suite = {
	.name		= "uio_lifetime_event",
	.init		= fixture_init,
	.exit		= fixture_exit,
	.test_cases	= event_cases,
};

kunit_test_suites(&state_suite, &context_suite, &register_suite, &event_suite);

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of the Userspace IO core");
MODULE_LICENSE("GPL");
