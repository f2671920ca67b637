// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: fixture of all KUnit suites: a driver, its devices, and threads that run
 * beside the test.
 */

#include "uio_kunit_fixture.h"

#include <kunit/device.h>
#include <linux/kthread.h>
#include <linux/wait_bit.h>

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
	card->kicked_live = !idev || uio_is_live(to_uio_object(idev));
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
	uio_context_init(&card->ctx, &card_ops, 0);
	init_completion(&card->kicked);
	init_completion(&card->kick_goes_on);
}

/* A context serves for one registration. */
void uio_kunit_renew_card(struct card *card)
{
	if (refs(card))
		uio_context_put(&card->ctx);
	card->releases = 0;
	uio_context_init(&card->ctx, &card_ops, 0);
}

struct uio_object *uio_kunit_register_card(struct kunit *test, struct card *card)
{
	struct fixture *fx = test->priv;
	int ret = uio_register_device_context(fx->parent, &card->info, &card->ctx);

	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_ASSERT_NOT_NULL(test, card->info.uio_dev);
	return object_of(card);
}

/* Finds a core that forgets to clear it. The other tests still run. */
void uio_kunit_expect_unregistered(struct kunit *test, struct card *card)
{
	KUNIT_EXPECT_NULL(test, card->info.uio_dev);
	card->info.uio_dev = NULL;
}

void uio_kunit_unregister_card(struct kunit *test, struct card *card)
{
	uio_unregister_device(&card->info);
	uio_kunit_expect_unregistered(test, card);
}

static int aside_main(void *data)
{
	struct aside *aside = data;

	complete(&aside->started);
	aside->fn(aside->fx);
	/* not just complete(): after that this code may be unloaded */
	kthread_complete_and_exit(&aside->done, 0);
}

struct aside *uio_kunit_run_aside(struct kunit *test, void (*fn)(struct fixture *fx))
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

bool uio_kunit_has_ended(struct aside *aside, unsigned long timeout)
{
	if (!wait_for_completion_timeout(&aside->done, timeout))
		return false;

	/* for the next call */
	complete(&aside->done);
	return true;
}

int uio_kunit_init(struct kunit *test)
{
	static unsigned int nr;
	struct fixture *fx = kzalloc_obj(*fx);

	KUNIT_ASSERT_NOT_NULL(test, fx);
	test->priv = fx;
	card_init(&fx->card);
	card_init(&fx->second);

	/* with CONFIG_DEBUG_KOBJECT_RELEASE the last name is still in use */
	snprintf(fx->name, sizeof(fx->name), "uio_kunit%u", nr++);
	fx->parent = kunit_device_register(test, fx->name);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fx->parent));
	return 0;
}

/* Ends every thread, even if the test has failed half-way. */
static bool asides_end(struct fixture *fx)
{
	unsigned int i;

	complete(&fx->card.kick_goes_on);
	WRITE_ONCE(fx->no_more_visits, true);
	for (i = 0; i < fx->nr_asides; i++) {
		if (uio_kunit_has_ended(&fx->aside[i], SHORT_TIME))
			continue;

		/* help a core that forgets to wake */
		if (fx->card.info.uio_dev)
			wake_up_var(&object_of(&fx->card)->active);
		if (!uio_kunit_has_ended(&fx->aside[i], LONG_TIME))
			return false;
	}
	return true;
}

static void check_card(struct kunit *test, struct card *card)
{
	uio_kunit_unregister_card(test, card);
	KUNIT_EXPECT_LE(test, card->releases, 1);
	KUNIT_EXPECT_EQ(test, refs(card), card->releases ? 0 : 1);
	KUNIT_EXPECT_FALSE(test, card->kicked_live);
	KUNIT_EXPECT_FALSE(test, card->released_registered);
	if (refs(card) == 1)
		uio_context_put(&card->ctx);
}

void uio_kunit_exit(struct kunit *test)
{
	struct fixture *fx = test->priv;

	if (!fx)
		return;

	/* a thread still runs: leak what it uses, and pin this code */
	if (!asides_end(fx)) {
		__module_get(THIS_MODULE);
		KUNIT_FAIL(test, "a thread did not end");
		return;
	}

	check_card(test, &fx->card);
	check_card(test, &fx->second);
	/* before the card is freed: devm uses its info */
	if (!IS_ERR_OR_NULL(fx->parent))
		kunit_device_unregister(test, fx->parent);
	kfree(fx);
}

MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_DESCRIPTION("KUnit tests of the Userspace IO core");
MODULE_LICENSE("GPL");
