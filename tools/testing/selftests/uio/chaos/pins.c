// SPDX-License-Identifier: GPL-2.0-only
/* uio_chaos: I/O from and into a mapping, and pins that outlive it. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "chaos.h"
#include "uio_testlib.h"

static char *page_of(const struct map *map, unsigned int page)
{
	return map->addr + page * uiot_page();
}

static struct sight sight_of_pin(const char *how, const struct map *map, unsigned int page)
{
	struct sight sight = sight_begin(how, &map->view, map->file, map->region,
					 map->first + page);

	sight.pinned = true;
	return sight;
}

/* The file has the page now. */
static bool write_out(const struct user *user, const struct map *map, unsigned int page)
{
	return pwrite(user->scratch, page_of(map, page), uiot_page(), 0) ==
	       (ssize_t)uiot_page();
}

OPERATION(do_direct_write)
{
	struct map *map = any_map(actor, dice);
	struct user *user = actor;
	struct sight sight;
	unsigned int page;
	__u32 word;

	if (!map || user->scratch < 0)
		return;
	page = roll(dice, map->pages);
	sight = sight_of_pin("O_DIRECT write", map, page);
	if (!write_out(user, map, page) ||
	    pread(user->scratch, user->aligned, uiot_page(), 0) != (ssize_t)uiot_page())
		return;
	memcpy(&word, user->aligned, sizeof(word));
	happened(PINS);
	judge_word(&sight, word);
}

/* Reads into the page what must be there. */
OPERATION(do_direct_read)
{
	struct map *map = any_map(actor, dice);
	struct user *user = actor;
	struct sight sight;
	unsigned int page;
	__u32 *words = user->aligned;
	size_t i;

	if (!map || user->scratch < 0)
		return;
	page = roll(dice, map->pages);
	for (i = 0; i < uiot_page() / sizeof(*words); i++)
		words[i] = WORD(MINE, map->view.owner, map->region, map->first + page);
	if (pwrite(user->scratch, words, uiot_page(), 0) != (ssize_t)uiot_page())
		return;
	sight = sight_of_pin("O_DIRECT read", map, page);
	if (pread(user->scratch, page_of(map, page), uiot_page(), 0) == (ssize_t)uiot_page())
		judge_seen(&sight);
}

/* The pipe holds the page until it is full, and emptied. */
OPERATION(do_splice)
{
	struct map *map = any_map(actor, dice);
	struct user *user = actor;
	struct iovec iov;

	if (map && user->pipe[1] >= 0) {
		iov = (struct iovec){ page_of(map, roll(dice, map->pages)), uiot_page() };
		if (vmsplice(user->pipe[1], &iov, 1, SPLICE_F_NONBLOCK) >= 0) {
			happened(PINS);
			return;
		}
	}
	while (read(user->pipe[0], user->aligned, uiot_page()) > 0)
		;
}

/* A ring keeps its registered buffer for some time. Then it writes it to the file. */

static void ring_close(struct user *user)
{
	if (user->has_ring)
		uiot_uring_close(&user->ring);
	user->has_ring = false;
}

OPERATION(do_ring_pin)
{
	struct map *map = any_map(actor, dice);
	struct user *user = actor;

	ring_close(user);
	if (!map || uiot_uring_open(&user->ring))
		return;
	user->has_ring = true;
	user->pinned_at = map->addr;
	user->pinned_size = map->pages * uiot_page();
	if (uiot_uring_pin(&user->ring, user->pinned_at, user->pinned_size))
		ring_close(user);
	else
		happened(PINS);
}

OPERATION(do_ring_write)
{
	struct user *user = actor;

	/* where nobody reads: it may go on after the process was killed */
	if (user->has_ring && user->scratch >= 0)
		uiot_uring_write(&user->ring, user->scratch, uiot_page(), user->pinned_at,
				 user->pinned_size);
	ring_close(user);
}

/* A poll request that nobody waits for: closing the ring cancels it. */
OPERATION(do_ring_poll)
{
	struct user *user = actor;
	__u32 file;
	int fd;

	ring_close(user);
	if (!take(dice, &fd, &file))
		return;
	if (!uiot_uring_open(&user->ring)) {
		user->has_ring = true;
		if (chance(dice, 2))
			uiot_uring_keep(&user->ring, fd);
		uiot_uring_ask(&user->ring, fd, 1 /* POLLIN */);
	}
	give(dice, fd, file);
}
