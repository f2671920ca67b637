// SPDX-License-Identifier: GPL-2.0-only
/* tcmu_chaos: what all processes know of the devices. */

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "tcmu.h"

struct shared *shared;

int units_make(void)
{
	pthread_mutexattr_t attr;
	unsigned int i;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return -errno;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	/* its owner may be killed */
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	for (i = 0; i < MAX_DEVICES; i++)
		pthread_mutex_init(&shared->units[i].lock, &attr);
	return 0;
}

void unit_lock(struct unit *unit)
{
	if (pthread_mutex_lock(&unit->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&unit->lock);
}

void unit_unlock(struct unit *unit)
{
	pthread_mutex_unlock(&unit->lock);
}

/* Nobody has begun to take this generation away. If it was live before, it stays usable. */
bool is_live(const struct unit *unit, __u32 generation)
{
	return NOW(unit->stable) == generation && NOW(unit->leaving) < generation;
}

unsigned int unit_nr(const struct unit *unit)
{
	return unit - shared->units;
}

struct unit *any_unit(struct dice *dice)
{
	return &shared->units[roll(dice, world->devices)];
}

/* Writes to a file of the device in configfs. */
int unit_set(const struct unit *unit, const char *file, unsigned int value)
{
	char path[128], text[16];

	snprintf(path, sizeof(path), UIOT_TCMU_HBA "/unit%u/%s", unit_nr(unit), file);
	snprintf(text, sizeof(text), "%u", value);
	return uiot_write_file(path, text);
}
