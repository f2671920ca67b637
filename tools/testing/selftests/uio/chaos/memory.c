// SPDX-License-Identifier: GPL-2.0-only
/* uio_chaos: touching memory, and whether what was seen may be seen. */

#include <setjmp.h>
#include <signal.h>
#include <string.h>

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

static __thread sigjmp_buf touch_env;
static __thread bool touching;

/* A handler of signals looks at it. */
static void set_touching(bool now)
{
	__atomic_store_n(&touching, now, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static void touch_failed(int sig)
{
	if (__atomic_load_n(&touching, __ATOMIC_RELAXED))
		siglongjmp(touch_env, sig);
	signal(sig, SIG_DFL);
}

void catch_touches(void)
{
	struct sigaction sa = { .sa_handler = touch_failed, .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
}

/* These two return 0, or the signal that the touch raised. */
int peek(const void *addr, __u32 *word)
{
	int sig = sigsetjmp(touch_env, 0);

	if (!sig) {
		set_touching(true);
		*word = __atomic_load_n((const __u32 *)addr, __ATOMIC_RELAXED);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	}
	set_touching(false);
	return sig;
}

int poke(void *addr, __u32 word)
{
	int sig = sigsetjmp(touch_env, 0);

	if (!sig) {
		set_touching(true);
		__atomic_store_n((__u32 *)addr, word, __ATOMIC_RELAXED);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	}
	set_touching(false);
	return sig;
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
