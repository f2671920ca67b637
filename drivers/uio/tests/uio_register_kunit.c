// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: KUnit tests of registrations, including those that fail.
 */

#include "uio_kunit_fixture.h"

#include <kunit/device.h>

struct kind {
	const char	*name;
	bool		context;
	bool		devm;
	bool		bare;		/* without memory and ports */
};

static const struct kind kinds[] = {
	{ .name = "legacy" },
	{ .name = "context", .context = true },
	{ .name = "devm_legacy", .devm = true },
	{ .name = "devm_context", .context = true, .devm = true },
};

KUNIT_ARRAY_PARAM_DESC(kinds, kinds, name);

/* Each kind costs time, so these are only those that differ most. */
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
		uio_kunit_unregister_card(test, &fx->card);
		return;
	}

	kunit_device_unregister(test, fx->parent);
	fx->parent = NULL;
	uio_kunit_expect_unregistered(test, &fx->card);
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
	KUNIT_EXPECT_FALSE(test, uio_is_live(to_uio_object(idev)));
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
	uio_unmap_range(info, 0, 0, 0);

	uio_kunit_register_card(test, &fx->card);
	uio_kunit_unregister_card(test, &fx->card);
	uio_unregister_device(info);
	uio_revoke_device(info);
	uio_drain_device(info);
	uio_unmap_range(info, 0, 0, 0);
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

	uio_kunit_register_card(test, &fx->card);
	first = fx->card.info.uio_dev->minor;
	uio_kunit_register_card(test, &fx->second);
	second = fx->second.info.uio_dev->minor;
	KUNIT_EXPECT_NE(test, first, second);

	uio_kunit_unregister_card(test, &fx->card);
	uio_kunit_renew_card(&fx->card);
	uio_kunit_register_card(test, &fx->card);
	KUNIT_EXPECT_EQ(test, fx->card.info.uio_dev->minor, first);
	KUNIT_EXPECT_EQ(test, fx->second.info.uio_dev->minor, second);
}

/* Runs in device_del(), when the name is still in sysfs. */
static void register_meanwhile(void *data)
{
	struct fixture *fx = data;

	fx->second_minor = uio_register_device(fx->parent, &fx->second.info) ?:
			   fx->second.info.uio_dev->minor;
}

static void minor_is_taken_until_the_name_is_gone(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct uio_object *obj = uio_kunit_register_card(test, &fx->card);
	int minor = obj->idev.minor;

	fx->second_minor = -ENXIO;
	KUNIT_ASSERT_EQ(test, 0, devm_add_action(&obj->idev.dev, register_meanwhile, fx));
	uio_kunit_unregister_card(test, &fx->card);
	KUNIT_EXPECT_GE(test, fx->second_minor, 0);
	KUNIT_EXPECT_NE(test, fx->second_minor, minor);
}

/* All is as before the registration, except that the context was used. */
static void expect_undone(struct kunit *test)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	uio_kunit_expect_unregistered(test, card);
	KUNIT_EXPECT_EQ(test, refs(card), 1);
	KUNIT_EXPECT_EQ(test, card->releases, 0);
}

/* A registration still works: finds out whether failed ones have leaked anything. */
static void expect_registers(struct kunit *test, int minor)
{
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;

	uio_kunit_renew_card(card);
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

	uio_kunit_register_card(test, &fx->second);
	minor = fx->second.info.uio_dev->minor;
	uio_kunit_unregister_card(test, &fx->second);
	uio_kunit_renew_card(&fx->second);
	return minor;
}

static void failed_interrupt_is_undone(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct fixture *fx = test->priv;
	struct card *card = &fx->card;
	int minor = next_minor(test);
	unsigned int parent_refs = refs_of(fx->parent);

	/* no interrupt has this number */
	card->info.irq = INT_MAX;
	KUNIT_EXPECT_EQ(test, register_kind(test), -EINVAL);
	expect_undone(test);
	/* nobody was inside */
	KUNIT_EXPECT_EQ(test, card->kicks, 0);
	KUNIT_EXPECT_EQ(test, refs_of(fx->parent), parent_refs);

	if (kind->context)
		KUNIT_EXPECT_EQ(test, register_kind(test), -EBUSY);

	card->info.irq = UIO_IRQ_CUSTOM;
	expect_registers(test, minor);
}

#if defined(CONFIG_FAILSLAB) && defined(CONFIG_FAULT_INJECTION_DEBUG_FS)
/* Let allocation @nth fail. *@failed: there was such an allocation. */
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
		uio_kunit_renew_card(card);
		ret = register_failing(test, nth, &failed);
		if (!failed)
			break;

		/* some allocations may fail, for example that of a uevent */
		if (ret)
			errors++;
		else
			uio_kunit_unregister_card(test, card);
		expect_undone(test);
		KUNIT_EXPECT_EQ(test, refs_of(fx->parent), parent_refs);
		if (test->status == KUNIT_FAILURE) {
			kunit_info(test, "%s: allocation %u, error %d\n", kind->name, nth, ret);
			return;
		}
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	uio_kunit_unregister_card(test, card);
	if (!errors)
		kunit_skip(test,
			   "failslab ignores allocations that may wait: write N to failslab/ignore-gfp-wait");

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
	.init		= uio_kunit_init,
	.exit		= uio_kunit_exit,
	.test_cases	= register_cases,
};

kunit_test_suite(register_suite);
