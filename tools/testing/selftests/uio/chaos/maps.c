// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_chaos: mappings. Each thread has its own, and knows what they must show. Other threads
 * map and unmap in the same address space, and other processes have copies.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chaos.h"
#include "uio_testlib.h"

#define WORDS	(uiot_page() / sizeof(__u32))

static struct map *free_map(struct user *user)
{
	unsigned int i;

	for (i = 0; i < MAPS; i++)
		if (!user->maps[i].pages)
			return &user->maps[i];
	return NULL;
}

/* Any mapping of the thread, or NULL. */
struct map *any_map(struct user *user, struct dice *dice)
{
	unsigned int at = roll(dice, MAPS), i;

	for (i = 0; i < MAPS; i++)
		if (user->maps[(at + i) % MAPS].pages)
			return &user->maps[(at + i) % MAPS];
	return NULL;
}

static size_t size_of(const struct map *map)
{
	return map->pages * uiot_page();
}

static void unmap(struct map *map)
{
	munmap(map->addr, size_of(map));
	map->pages = 0;
}

static int any_prot(struct dice *dice)
{
	static const int prots[] = {
		PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
		PROT_READ | PROT_WRITE, PROT_NONE,
	};

	return prots[roll(dice, 5)];
}

/* Touches */

static void judge_signal(const struct sight *sight, const struct map *map, int sig, int needed)
{
	if (sig == SIGSEGV && (map->prot & needed) == needed)
		fail("%s: SIGSEGV at page %u of region %u of registration %u", sight->how,
		     sight->page, sight->region, map->view.owner);
	if (sig == SIGBUS)
		happened(REFUSED_TOUCHES);
	if (sig == SIGBUS && !map->hollow)
		judge_refusal(sight, "SIGBUS of a live device");
}

static struct sight sight_of(const char *how, const struct map *map, unsigned int page)
{
	return sight_begin(how, &map->view, map->file, map->region, map->first + page);
}

/* Whoever revokes a file or a device likes to take one that is in use. */
static void use(struct user *user, __u32 file)
{
	__atomic_store_n(&user->task->uses, file, __ATOMIC_RELAXED);
}

static struct state load_once(struct user *user, const struct map *map, unsigned int page,
			      unsigned int word)
{
	struct sight sight = sight_of("load", map, page);
	__u32 seen;
	int sig;

	use(user, map->file);
	sig = peek(map->addr + page * uiot_page() + word * sizeof(seen), &seen);
	use(user, 0);
	if (sig)
		judge_signal(&sight, map, sig, PROT_READ);
	else
		judge_word(&sight, seen);
	return sight.before;
}

/* If the file was revoked meanwhile, the page must be gone. */
static void load(struct user *user, const struct map *map, unsigned int page,
		 unsigned int word)
{
	struct state before = load_once(user, map, page, word);

	if (!before.file_revoked && look(map->file, map->view.owner).file_revoked)
		load_once(user, map, page, word);
}

/* Mapping */

static void judge_mmap(const struct map *map, const struct state *before)
{
	if (before->gone || before->file_revoked)
		fail("mmap of file %u, which is %s, succeeds", map->file,
		     before->file_revoked ? "revoked" : "of a device that is gone");
}

/* In the place of another mapping of the thread, or where the kernel chooses. */
static char *map_somewhere(struct user *user, const struct map *map, int fd, off_t offset,
			   struct dice *dice)
{
	struct map *old = chance(dice, 4) ? any_map(user, dice) : NULL;
	int flags = map->private ? MAP_PRIVATE : MAP_SHARED;
	char *at = NULL;

	if (chance(dice, 4))
		flags |= MAP_POPULATE;
	if (chance(dice, 32))
		flags |= MAP_LOCKED;
	if (old && old->pages >= map->pages) {
		at = old->addr;
		/* what is left behind the new mapping would be lost */
		unmap(old);
		flags |= MAP_FIXED_NOREPLACE;
	}
	return mmap(at, size_of(map), map->prot, flags, fd, offset);
}

static struct map *keep(struct user *user, const struct map *map, struct dice *dice)
{
	struct map *slot = free_map(user);

	if (!slot) {
		slot = any_map(user, dice);
		unmap(slot);
	}
	*slot = *map;
	user->task->shows = map->addr;
	return slot;
}

/* Offsets and sizes that are wrong, too. */
static void map_file(struct user *user, struct map *map, int fd, struct dice *dice)
{
	off_t offset;
	struct state before;

	map->region = roll(dice, map->view.regions);
	map->pages = 1 + roll(dice, map->view.pages[map->region] + !roll(dice, 8));
	map->prot = any_prot(dice);
	map->private = chance(dice, 4);
	offset = (map->region + 8 * !roll(dice, 64)) * uiot_page();

	before = look(map->file, map->view.owner);
	use(user, map->file);
	map->addr = map_somewhere(user, map, fd, offset, dice);
	use(user, 0);
	if (map->addr == MAP_FAILED)
		return;

	happened(MAPPINGS);
	judge_mmap(map, &before);
	map = keep(user, map, dice);
	/* if the file was revoked meanwhile, the page must be gone */
	if (look(map->file, map->view.owner).file_revoked)
		load_once(user, map, 0, 0);
}

OPERATION(do_mmap)
{
	struct open_file *file;
	struct map map = { };
	int fd;

	if (!take(dice, &fd, &map.file))
		return;
	/* so that others can use the file meanwhile */
	if (chance(dice, 4))
		give_copy(dice, fd, map.file);
	file = file_find(map.file);
	if (file && file->view.regions) {
		map.view = file->view;
		map_file(actor, &map, fd, dice);
	}
	give(dice, fd, map.file);
}

OPERATION(do_munmap)
{
	struct map *map = any_map(actor, dice);

	if (map)
		unmap(map);
}

/* The head, the tail, or a hole. */
OPERATION(do_munmap_part)
{
	struct map *map = any_map(actor, dice);
	struct map *slot = free_map(actor);
	unsigned int at, nr;

	if (!map)
		return;
	at = roll(dice, map->pages);
	nr = 1 + roll(dice, map->pages - at);
	if (munmap(map->addr + at * uiot_page(), nr * uiot_page()))
		return;
	if (slot && at + nr < map->pages) {
		*slot = *map;
		slot->addr += (at + nr) * uiot_page();
		slot->first += at + nr;
		slot->pages -= at + nr;
	} else if (at + nr < map->pages) {
		munmap(map->addr + (at + nr) * uiot_page(),
		       (map->pages - at - nr) * uiot_page());
	}
	map->pages = at;
}

OPERATION(do_load)
{
	struct map *map = any_map(actor, dice);

	if (map)
		load(actor, map, roll(dice, map->pages), roll(dice, WORDS));
}

/* What it stores is what must be there. */
OPERATION(do_store)
{
	struct map *map = any_map(actor, dice);
	struct sight sight;
	unsigned int page;
	int sig;

	if (!map)
		return;
	page = roll(dice, map->pages);
	sight = sight_of("store", map, page);
	use(actor, map->file);
	sig = poke(map->addr + page * uiot_page() + roll(dice, WORDS) * sizeof(__u32),
		   WORD(MINE, map->view.owner, map->region, map->first + page));
	use(actor, 0);
	if (sig)
		judge_signal(&sight, map, sig, PROT_WRITE);
	else
		judge_seen(&sight);
}

OPERATION(do_walk)
{
	struct map *map = any_map(actor, dice);
	unsigned int page;

	for (page = 0; map && page < map->pages; page++)
		load(actor, map, page, roll(dice, WORDS));
}

/* Changes */

OPERATION(do_mprotect)
{
	struct map *map = any_map(actor, dice);
	int prot = any_prot(dice);

	/* after an error, any part of it may have changed */
	if (map)
		map->prot = mprotect(map->addr, size_of(map), prot) ? PROT_NONE : prot;
}

OPERATION(do_move)
{
	struct map *map = any_map(actor, dice);
	size_t size;
	void *to;

	if (!map)
		return;
	size = size_of(map);
	to = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (to == MAP_FAILED)
		return;
	/* after an error, another thread may already have mapped something there: leave it */
	if (mremap(map->addr, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) != MAP_FAILED)
		map->addr = to;
}

/* The old mapping stays, without its pages. */
OPERATION(do_dontunmap)
{
	struct map *map = any_map(actor, dice);
	struct map *slot = free_map(actor);
	char *to;

	if (!map || !slot)
		return;
	to = mremap(map->addr, size_of(map), size_of(map), MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	if (to == MAP_FAILED)
		return;
	*slot = *map;
	slot->addr = to;
	map->hollow = true;
}

OPERATION(do_shrink)
{
	struct map *map = any_map(actor, dice);
	unsigned int pages;

	if (!map)
		return;
	pages = 1 + roll(dice, map->pages);
	if (mremap(map->addr, size_of(map), pages * uiot_page(), 0) != MAP_FAILED)
		map->pages = pages;
}

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif

OPERATION(do_madvise)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_DONTNEED, MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK,
		MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
		MADV_RANDOM, MADV_SEQUENTIAL, MADV_DONTDUMP, MADV_FREE, MADV_REMOVE,
	};
	struct map *map = any_map(actor, dice);
	unsigned int at;
	int what = advice[roll(dice, sizeof(advice) / sizeof(*advice))];

	if (!map)
		return;
	at = roll(dice, map->pages);
	map->not_forked |= what == MADV_DONTFORK;
	madvise(map->addr + at * uiot_page(), (1 + roll(dice, map->pages - at)) * uiot_page(),
		what);
}

OPERATION(do_mlock)
{
	struct map *map = any_map(actor, dice);

	if (!map)
		return;
	if (chance(dice, 2))
		mlock(map->addr, size_of(map));
	else
		munlock(map->addr, size_of(map));
}

OPERATION(do_mincore)
{
	struct map *map = any_map(actor, dice);
	unsigned char pages[256];

	if (map && map->pages <= sizeof(pages) && chance(dice, 2))
		mincore(map->addr, size_of(map), pages);
	else if (map)
		msync(map->addr, size_of(map), MS_SYNC);
}
