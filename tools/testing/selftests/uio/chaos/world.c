// SPDX-License-Identifier: GPL-2.0-only
/* uio_chaos: what all processes share: registrations, open files, tasks, the first failure. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "chaos.h"

struct world *world;

int world_make(void)
{
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return world == MAP_FAILED ? -errno : 0;
}

/* Only the first failure counts: others may follow from it. */
void fail(const char *fmt, ...)
{
	va_list ap;

	if (__atomic_fetch_add(&world->failures, 1, __ATOMIC_ACQ_REL))
		return;
	va_start(ap, fmt);
	vsnprintf(world->failure, sizeof(world->failure), fmt, ap);
	va_end(ap);
	__atomic_store_n(&world->stop, true, __ATOMIC_RELEASE);
}

/* @fact: an enum of the program */
void happened(unsigned int fact)
{
	__atomic_add_fetch(&world->facts[fact], 1, __ATOMIC_RELAXED);
}

struct registration *registration_new(__u32 owner)
{
	struct registration *reg = &world->registrations[owner % REMEMBERED];

	/* first: whoever looks for an older one must not find it changed */
	__atomic_store_n(&reg->view.owner, 0, __ATOMIC_SEQ_CST);
	memset(reg, 0, sizeof(*reg));
	return reg;
}

/* Returns NULL if it was so long ago that it is forgotten. */
struct registration *registration_find(__u32 owner)
{
	struct registration *reg = &world->registrations[owner % REMEMBERED];

	return __atomic_load_n(&reg->view.owner, __ATOMIC_ACQUIRE) == owner ? reg : NULL;
}

struct open_file *file_new(const struct view *view)
{
	__u32 nr = __atomic_add_fetch(&world->last_file, 1, __ATOMIC_RELAXED);
	struct open_file *file = &world->files[nr % REMEMBERED];

	__atomic_store_n(&file->nr, 0, __ATOMIC_SEQ_CST);
	*file = (struct open_file){ .view = *view };
	__atomic_store_n(&file->nr, nr, __ATOMIC_RELEASE);
	return file;
}

struct open_file *file_find(__u32 nr)
{
	struct open_file *file = &world->files[nr % REMEMBERED];

	return nr && __atomic_load_n(&file->nr, __ATOMIC_ACQUIRE) == nr ? file : NULL;
}

#define NOW(_field)	__atomic_load_n(&(_field), __ATOMIC_ACQUIRE)

/*
 * A file that is forgotten counts as being revoked: so nothing that it shows is wrong. A
 * registration that is forgotten is gone.
 */
struct state look(__u32 nr, __u32 owner)
{
	struct registration *reg = registration_find(owner);
	struct open_file *file = file_find(nr);
	struct state state = {
		.file_revoking = !file || NOW(file->revoking),
		.file_revoked = file && NOW(file->revoked),
		.revoking = !reg || NOW(reg->revoking),
		.leaving = !reg || NOW(reg->leaving),
		.unmapped = !reg || NOW(reg->unmapped),
		.gone = owner && (!reg || NOW(reg->gone)),
	};

	/* another registration may have taken its place meanwhile */
	if (reg && registration_find(owner) != reg) {
		state.revoking = true;
		state.leaving = true;
		state.gone = true;
	}
	if (file && file_find(nr) != file)
		state = (struct state){ .file_revoking = true, .revoking = true,
					.leaving = true };
	return state;
}

struct task *task_of(unsigned int process, unsigned int thread)
{
	return &world->tasks[MAX_DRIVERS + process * MAX_THREADS + thread];
}

void task_begin(struct task *task, const char *what)
{
	__atomic_store_n(&task->what, what, __ATOMIC_RELEASE);
}

void task_end(struct task *task)
{
	__atomic_store_n(&task->what, NULL, __ATOMIC_RELEASE);
}
