/* SPDX-License-Identifier: GPL-2.0-only */
/* uio_plug: a device is plugged in and unplugged, many times. main.c says how a run goes. */

#ifndef _UIO_PLUG_H
#define _UIO_PLUG_H

#include <stdbool.h>

/* of each device */
#define HOLDERS		4

/* cycle.c: devices, and who holds them */
int devices_make(void);
unsigned int devices_count(void);
void cycles_run(unsigned long first, unsigned long end);
bool devices_agree(void);

/* memory.c: what the kernel has in use */
int memory_open(void);
void memory_begin(void);
bool memory_is_the_same(unsigned long first, unsigned long end);

#endif /* _UIO_PLUG_H */
