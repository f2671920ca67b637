// SPDX-License-Identifier: GPL-2.0-only
/* uio_chaos: the options of a device: the comment in modules/control.c describes them. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "options.h"

#define PAGES_MAX	8

static void add(struct options *options, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct options *options, const char *fmt, ...)
{
	size_t length = strlen(options->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(options->text + length, sizeof(options->text) - length, fmt, ap);
	va_end(ap);
}

static unsigned int find_memory(const char *name)
{
	unsigned int i;

	for (i = 0; i < memory_kinds_nr(); i++)
		if (!strcmp(memory_kinds[i].name, name))
			return i;
	return 0;
}

/* A kind that is allowed, or "none". */
static unsigned int choose_memory(bool context, struct dice *dice)
{
	unsigned int i = find_memory("context"), try;

	/* what a driver with a context is made for */
	if (context && world->memory >> i & 1 && chance(dice, 3))
		return i;
	for (try = 0; try < 16; try++) {
		i = roll(dice, memory_kinds_nr());
		if (world->memory >> i & 1 && (context || !memory_kinds[i].needs_context))
			return i;
	}
	return find_memory("none");
}

static void add_region(struct options *options, unsigned int kind, unsigned int pages)
{
	struct view *view = &options->view;

	view->kind[view->regions] = kind;
	view->pages[view->regions] = pages;
	view->regions++;
	add(options, "mem=%s:%u ", memory_kinds[kind].name, pages);
}

/* The driver maps its memory itself, if it may have memory of that kind. */
static const char *choose_own_mmap(struct options *options, struct dice *dice)
{
	static const char * const how[] = { "", "counted ", "populate ", "remap ", "remap " };
	unsigned int i = roll(dice, 5);
	const char *memory = i >= 3 ? "phys" : "virtual";

	if (!(world->memory >> find_memory(memory) & 1))
		return NULL;
	options->counted = i == 1;
	options->view.stays = i < 3;
	add(options, "mmap %s", how[i]);
	return memory;
}

static void choose_regions(struct options *options, const char *memory, bool context,
			   struct dice *dice)
{
	unsigned int regions = 1 + roll(dice, MAX_REGIONS);

	while (regions--)
		add_region(options, memory ? find_memory(memory) :
					     choose_memory(context, dice),
			   1 + roll(dice, PAGES_MAX));
}

static void choose_irq(struct options *options, struct dice *dice)
{
	static const char * const irqs[] = { "custom", "none", "real", "open" };
	unsigned int i = roll(dice, 4);

	options->real_irq = i == 2;
	add(options, "irq=%s ", irqs[i]);
}

/**
 * options_choose - choose the options of a new device
 * @options: gets the options
 * @context: register it with a context
 * @allow_counted: the driver may count its mappings
 * @dice: random numbers
 */
void options_choose(struct options *options, bool context, bool allow_counted,
		    struct dice *dice)
{
	bool own = !context && chance(dice, 3);
	const char *memory = NULL;

	memset(options, 0, sizeof(*options));
	options->view.context = context;
	if (context)
		add(options, "ctx %s", chance(dice, 2) ? "around " : "");
	if (context && chance(dice, 3)) {
		options->view.sink = true;
		add(options, "sink ");
	}
	if (own)
		memory = choose_own_mmap(options, dice);
	if (options->counted && !allow_counted) {
		memset(options, 0, sizeof(*options));
		memory = NULL;
	}
	choose_regions(options, memory, context, dice);
	choose_irq(options, dice);
	options->quiet = chance(dice, 3);
	options->lasts = chance(dice, 4);
	if (chance(dice, 8))
		add(options, "ports ");
	if (chance(dice, 8))
		add(options, "noirqcontrol ");
	if (chance(dice, 6))
		add(options, "devm ");
	if (!own && chance(dice, 16))
		add(options, "unaligned ");
}
