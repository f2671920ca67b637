// SPDX-License-Identifier: GPL-2.0-only
/* Random operations: touching memory that may be gone. */

#include <setjmp.h>
#include <signal.h>

#include "chaos.h"

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

/* These return 0, or the signal that the touch raised. */
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

/* Calls @fn, which must not call the others. */
int touch_in(void (*fn)(void *arg), void *arg)
{
	int sig = sigsetjmp(touch_env, 0);

	if (!sig) {
		set_touching(true);
		fn(arg);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
	}
	set_touching(false);
	return sig;
}
