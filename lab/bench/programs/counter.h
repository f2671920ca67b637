/* SPDX-License-Identifier: GPL-2.0-only */
/* The time stamp counter, with which the benchmark's programs measure. */

#ifndef _COUNTER_H
#define _COUNTER_H

#include <stdint.h>

static inline uint64_t counter(void)
{
	unsigned int low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return (uint64_t)high << 32 | low;
}

#endif /* _COUNTER_H */
