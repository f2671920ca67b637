// SPDX-License-Identifier: GPL-2.0-only
/* uio_chaos: kinds of memory, and whether what was seen of them may be seen. */

#include "chaos.h"

const struct memory_kind memory_kinds[] = {
	{ "virtual",	false, false, true,  true },
	{ "logical",	false, false, true,  true },
	{ "slab",	false, false, true,  true },
	{ "block",	false, false, true,  true },
	{ "context",	false, true,  true,  true },
	{ "phys",	true,  false, true,  true },
	{ "iova",	true,  false, true,  true },
	{ "dma",	true,  false, true,  true },
	{ "rom",	true,  false, false, true },
	{ "shared",	true,  false, false, true },
	{ "none",	false, false, false, false },
};

unsigned int memory_kinds_nr(void)
{
	return sizeof(memory_kinds) / sizeof(*memory_kinds);
}

struct sight sight_begin(const char *how, const struct view *view, __u32 file,
			 unsigned int region, unsigned int page)
{
	return (struct sight){ how, view, file, region, page,
				 look(file, view->owner), false };
}

/* Must user space lose this region when the device is unregistered? */
static bool goes_with_device(const struct sight *sight)
{
	const struct view *view = sight->view;

	return !view->stays && !view->sink &&
	       (!view->context || memory_kinds[view->kind[sight->region]].io);
}

static void complain(const struct sight *sight, const char *what, __u32 word)
{
	const struct view *view = sight->view;

	fail("%s: %s (word %08x, registration %u%s%s, file %u, region %u %s, page %u)",
	     sight->how, what, word, view->owner, view->context ? ", context" : "",
	     view->sink ? ", sink" : "", sight->file, sight->region,
	     memory_kinds[view->kind[sight->region]].name, sight->page);
}

/* An access succeeded. */
void judge_seen(const struct sight *sight)
{
	/* mm may map a page that the driver's fault handler has returned: see the contract */
	if (sight->before.file_revoked && !sight->view->stays)
		complain(sight, "a page of a revoked file", 0);
	else if (sight->before.gone && goes_with_device(sight))
		complain(sight, "a page of a device that is gone", 0);
}

/* The sink is one page for each file, so it may hold any word that its owner wrote. */
static bool may_be_sink(const struct sight *sight, __u32 word)
{
	return sight->view->sink && look(sight->file, sight->view->owner).revoking &&
	       (!word || (WORD_MARK(word) == MINE &&
			  WORD_OWNER(word) == sight->view->owner));
}

void judge_word(const struct sight *sight, __u32 word)
{
	const struct view *view = sight->view;
	__u32 want = WORD(MINE, view->owner, sight->region, sight->page);

	judge_seen(sight);
	if (!memory_kinds[view->kind[sight->region]].has_words)
		return;
	if (word == want) {
		happened(WORDS);
		return;
	}
	if (may_be_sink(sight, word)) {
		happened(SINKS);
		return;
	}
	/* I/O into a page that was pinned may go on when its device is registered again */
	if (view->last_owner && word == WORD(MINE, view->last_owner, sight->region, sight->page))
		return;
	/* a page that was pinned while the device was there may be freed before it is read */
	if (sight->pinned && look(sight->file, view->owner).leaving)
		return;
	if (WORD_MARK(word) == PAST)
		complain(sight, "a page that has been freed", word);
	else if (WORD_MARK(word) == MINE && WORD_OWNER(word) != view->owner)
		complain(sight, "a page of another owner", word);
	else
		complain(sight, "a wrong page", word);
}

/* An access of a page that is mapped has failed. */
void judge_refusal(const struct sight *sight, const char *what)
{
	struct state now = look(sight->file, sight->view->owner);

	if (!world->faults && !now.file_revoking && !now.revoking && !now.unmapped)
		complain(sight, what, 0);
}
