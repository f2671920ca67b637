// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: which callbacks of a driver run concurrently. Mainline calls some one at a time. For
 * a driver without a context, this core does the same (R4). With a context it does not.
 */

#include <fcntl.h>
#include <stdio.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

FIXTURE(pair)
{
	struct uiot_dev dev;
	struct uiot_op first, second;
	int fd;
};

FIXTURE_VARIANT(pair)
{
	const char *options;
	const char *first, *second;
};

#define LEGACY(_first, _second)						\
	FIXTURE_VARIANT_ADD(pair, _first ## _ ## _second) {		\
		.options = "", .first = #_first, .second = #_second,	\
	}

#define CONTEXT(_first, _second)					\
	FIXTURE_VARIANT_ADD(pair, _first ## _ ## _second ## _ctx) {	\
		.options = "ctx", .first = #_first, .second = #_second,	\
	}

LEGACY(irqcontrol, irqcontrol);
LEGACY(irqcontrol, open);
LEGACY(irqcontrol, release);
LEGACY(open, irqcontrol);
LEGACY(open, open);
LEGACY(open, release);
LEGACY(release, irqcontrol);
LEGACY(release, open);
LEGACY(release, release);

CONTEXT(irqcontrol, irqcontrol);
CONTEXT(irqcontrol, open);
CONTEXT(irqcontrol, release);
CONTEXT(open, irqcontrol);
CONTEXT(open, open);
CONTEXT(open, release);
CONTEXT(release, irqcontrol);
CONTEXT(release, open);
CONTEXT(release, release);

/* Prepares a call that gets to the callback. */
static int prepare(struct uiot_op *op, const struct uiot_dev *dev, int fd,
		   const char *callback)
{
	op->fd = fd;
	if (!strcmp(callback, "irqcontrol")) {
		op->fn = uiot_op_write;
	} else if (!strcmp(callback, "open")) {
		op->fn = uiot_op_open;
		snprintf(op->text, sizeof(op->text), "%s", dev->node);
	} else {
		op->fn = uiot_op_close;
		op->fd = uiot_open(dev, O_RDWR);
	}
	return op->fd;
}

FIXTURE_SETUP(pair)
{
	char stall[32];

	UIOT_SETUP(&self->dev, variant->options);
	UIOT_OPEN(self->fd, &self->dev);
	ASSERT_LE(0, prepare(&self->first, &self->dev, self->fd, variant->first));
	ASSERT_LE(0, prepare(&self->second, &self->dev, self->fd, variant->second));
	snprintf(stall, sizeof(stall), "stall %s", variant->first);
	ASSERT_EQ(0, uiot_do(&self->dev, stall));
	snprintf(stall, sizeof(stall), "stall %s", variant->second);
	ASSERT_EQ(0, uiot_do(&self->dev, stall));
}

FIXTURE_TEARDOWN(pair)
{
	EXPECT_EQ(0, uiot_do(&self->dev, "resume"));
	EXPECT_EQ(0, uiot_join(&self->first, UIOT_SOON_MS));
	EXPECT_EQ(0, uiot_join(&self->second, UIOT_SOON_MS));
	close(self->fd);
	if (self->first.fn == uiot_op_open)
		close(self->first.ret);
	if (self->second.fn == uiot_op_open)
		close(self->second.ret);
	EXPECT_EQ(0, uiot_reset());
}

TEST_F(pair, r4_takes_turns)
{
	ASSERT_EQ(0, uiot_start(&self->first));
	ASSERT_TRUE(uiot_count_becomes(&self->dev, "inside", 1));
	ASSERT_EQ(0, uiot_start(&self->second));
	/* it sleeps in the callback, or waits for its turn */
	ASSERT_EQ(0, uiot_wait_asleep(&self->second));
	EXPECT_EQ(*variant->options ? 2 : 1, uiot_count(&self->dev, "inside"));
}

TEST_HARNESS_MAIN
