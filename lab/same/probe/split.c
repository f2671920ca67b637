// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes to a mapping by its program: advice, protection, size, address.
 *
 * Each page is touched before a mapping is split, because later faults would meet D1:
 * mainline maps pages of another region into a part, or follows NULL.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"

#define PAGES	8

static const struct {
	const char *name;
	int advice;
} madvises[] = {
	{ "normal", MADV_NORMAL }, { "random", MADV_RANDOM },
	{ "sequential", MADV_SEQUENTIAL }, { "willneed", MADV_WILLNEED },
	{ "dontneed", MADV_DONTNEED }, { "dontneed-locked", 24 }, { "free", MADV_FREE },
	{ "remove", MADV_REMOVE }, { "dontfork", MADV_DONTFORK }, { "dofork", MADV_DOFORK },
	{ "mergeable", MADV_MERGEABLE }, { "unmergeable", MADV_UNMERGEABLE },
	{ "hugepage", MADV_HUGEPAGE }, { "nohugepage", MADV_NOHUGEPAGE },
	{ "collapse", MADV_COLLAPSE }, { "dontdump", MADV_DONTDUMP },
	{ "dodump", MADV_DODUMP }, { "wipeonfork", MADV_WIPEONFORK },
	{ "keeponfork", MADV_KEEPONFORK }, { "cold", MADV_COLD }, { "pageout", MADV_PAGEOUT },
	{ "populate-read", MADV_POPULATE_READ }, { "populate-write", MADV_POPULATE_WRITE },
	{ "guard-install", 102 }, { "guard-remove", 103 }, { "bad", 999 },
};

static struct mapping touched(const struct dev *dev, int flags)
{
	struct mapping m = map(dev, dev_open(dev, O_RDWR), PAGES, flags);
	int i;

	if (!mapped(&m))
		broken("no mapping");
	for (i = 0; i < PAGES; i++)
		touch(m.p + i * page_size());
	return m;
}

static void done_with(const struct mapping *m)
{
	unmap(m);
	close(m->fd);
}

static void advised(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);
	struct mapping m;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(madvises); i++) {
		under("%s", madvises[i].name);
		m = touched(&dev, group->b);
		TRY("madvise", madvise(m.p, PAGES * page_size(), madvises[i].advice));
		fact_table("table", &m);
		fact_vma("", &m);
		fact_reads("read", &m);
		fact_writes("write", &m, 0xd0000);
		done_with(&m);
	}
}

static void protect(const struct mapping *m, const char *name, int from, int pages, int prot)
{
	TRY(name, mprotect(m->p + from * page_size(), pages * page_size(), prot));
}

/* Prints a letter for each page: w: can be read and written; r: only read; -: neither. */
static void fact_usable(const char *name, const struct mapping *m)
{
	char words[PAGES + 1] = "";
	int page;
	__u32 word;

	for (page = 0; page < PAGES; page++) {
		if (uiot_load_word(m->p + page * page_size(), &word))
			words[page] = '-';
		else if (uiot_store_word(m->p + page * page_size(), word))
			words[page] = 'r';
		else
			words[page] = 'w';
	}
	fact(name, "%s", words);
}

static void protect_whole(const struct mapping *m)
{
	under("whole");
	protect(m, "to-read", 0, PAGES, PROT_READ);
	fact_vma("", m);
	fact_table("table", m);
	fact_usable("usable", m);
	protect(m, "to-none", 0, PAGES, PROT_NONE);
	fact_table("table.none", m);
	fact_usable("usable.none", m);
	protect(m, "to-all", 0, PAGES, PROT_READ | PROT_WRITE | PROT_EXEC);
	fact_table("table.all", m);
	protect(m, "back", 0, PAGES, PROT_READ | PROT_WRITE);
	fact_usable("usable.back", m);
	fact_table("table.back", m);
	fact_reads("read", m);
}

static void protect_part(const struct mapping *m)
{
	struct mapping half = *m;

	half.p += PAGES / 2 * page_size();
	under("tail");
	protect(m, "to-read", PAGES / 2, PAGES / 2, PROT_READ);
	fact_maps(m);
	fact_table("table", m);
	fact_usable("usable", m);
	under("tail.second-half");
	fact_maps(&half);
	fact_vma("", &half);
	under("tail.back");
	protect(m, "mprotect", PAGES / 2, PAGES / 2, PROT_READ | PROT_WRITE);
	fact_maps(m);
	fact_usable("usable", m);

	under("middle");
	protect(m, "to-none", 2, 2, PROT_NONE);
	fact_usable("usable", m);
	protect(m, "back", 2, 2, PROT_READ | PROT_WRITE);
	fact_usable("usable.back", m);
	fact_table("table", m);
}

static void protected(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);
	struct mapping m = touched(&dev, group->b);

	protect_whole(&m);
	protect_part(&m);
	done_with(&m);

	under("file-read-only");
	m.fd = dev_open(&dev, O_RDONLY);
	m.p = mmap(NULL, PAGES * page_size(), PROT_READ, group->b, m.fd, 0);
	fact_ok("mmap", (long)m.p);
	protect(&m, "to-write", 0, PAGES, PROT_READ | PROT_WRITE);
	fact_vma("", &m);
}

static void fact_remap(const char *name, char *was, char *now)
{
	if (now == MAP_FAILED)
		fact(name, "%s", strerrorname_np(errno));
	else
		fact(name, "%s", now == was ? "where it was" : "moved");
}

static char *remap(struct mapping *m, const char *name, int pages, int to, int flags)
{
	char *now = mremap(m->p, pages * page_size(), to * page_size(), flags);

	fact_remap(name, m->p, now);
	if (now != MAP_FAILED) {
		m->p = now;
		m->pages = to;
	}
	return now;
}

static void remap_size(const struct dev *dev, int flags)
{
	struct mapping m = touched(dev, flags);

	remap(&m, "same-size", PAGES, PAGES, 0);
	remap(&m, "grow", PAGES, PAGES + 1, 0);
	remap(&m, "grow-may-move", PAGES, 2 * PAGES, MREMAP_MAYMOVE);
	remap(&m, "nothing", PAGES, 0, 0);
	under("shrunk");
	remap(&m, "mremap", PAGES, PAGES - 2, 0);
	fact_maps(&m);
	fact_table("table", &m);
	fact_reads("read", &m);
	remap(&m, "back", PAGES - 2, PAGES, MREMAP_MAYMOVE);
	done_with(&m);
}

/* Moves the mapping, and updates @m. */
static bool remap_to(struct mapping *m, int pages, int flags, void *to)
{
	char *now = mremap(m->p, pages * page_size(), PAGES * page_size(),
			   MREMAP_MAYMOVE | flags, to);

	fact_remap("mremap", m->p, now);
	if (now == MAP_FAILED)
		return false;
	m->p = now;
	return true;
}

static void remap_place(const struct dev *dev, int flags)
{
	char *room = mmap(NULL, 64 * page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct mapping old = touched(dev, flags), m = old;

	under("moved");
	if (remap_to(&m, PAGES, MREMAP_FIXED, room)) {
		fact_maps(&m);
		fact_vma("", &m);
		fact_table("table", &m);
		fact_reads("read", &m);
		fact_writes("write", &m, 0xe0000);
		fact("old-place", "%s", touch(old.p) ? "signal" : "fine");
	}
	done_with(&m);
}

static void remap_copy(const struct dev *dev, int flags)
{
	struct mapping old = touched(dev, flags), m = old;

	under("copied");
	if (remap_to(&m, 0, 0, NULL)) {
		fact_maps(&m);
		fact_table("table", &m);
		fact_reads("read", &m);
		fact_table("table.old", &old);
		unmap(&m);
	}
	fact_reads("read.old", &old);
	done_with(&old);
}

static void remapped(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);
	struct mapping m;

	remap_size(&dev, group->b);
	remap_place(&dev, group->b);
	remap_copy(&dev, group->b);
	under("left-in-place");
	m = touched(&dev, group->b);
	remap_to(&m, PAGES, MREMAP_DONTUNMAP, NULL);
	done_with(&m);
}

/* A part of the mapping is unmapped. */
static void unmapped(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);
	struct mapping m = touched(&dev, group->b);
	const size_t page = page_size();

	log_forget(&dev);
	under("tail");
	TRY("munmap", munmap(m.p + 6 * page, 2 * page));
	fact_maps(&m);
	fact_usable("usable", &m);
	under("head");
	TRY("munmap", munmap(m.p, 2 * page));
	fact_usable("usable", &m);
	m.p += 2 * page;
	m.pages = 4;
	m.first = 2;
	fact_maps(&m);
	fact_table("table", &m);
	under("hole");
	TRY("munmap", munmap(m.p + page, page));
	m.p -= 2 * page;
	fact_usable("usable", &m);
	under("file-closed");
	close(m.fd);
	fact_log(&dev, "callbacks");
	fact_usable("usable", &m);
	TRY("munmap-rest", munmap(m.p, PAGES * page));
	fact_log(&dev, "callbacks.rest");
}

/* fork() */

struct child_view {
	struct mapping m;
	bool written;
};

static int look_as_child(void *arg)
{
	struct child_view *view = arg;
	struct mapping *m = &view->m;

	under("child");
	fact_table("table.fresh", m);
	fact_vma("fresh", m);
	fact_usable("usable", m);
	fact_table("table.touched", m);
	fact("word", "%#x", *(unsigned int *)m->p);
	if (view->written)
		*(unsigned int *)m->p = 0xc41d;
	return 0;
}

static void forked_once(const struct dev *dev, const char *name, int flags, int advice,
			bool written)
{
	struct child_view view = { touched(dev, flags), written };
	int ret;

	if (written)
		*(unsigned int *)view.m.p = 0x9a3e;
	errno = 0;
	if (advice >= 0 && madvise(view.m.p, PAGES * page_size(), advice))
		return done_with(&view.m);
	fflush(stdout);
	/* the child's facts have names of their own */
	ret = in_child(look_as_child, &view);
	under("%s", name);
	fact("ended", "%d", ret);
	fact("word-after-child", "%#x", *(unsigned int *)view.m.p);
	fact("driver's-word-after-child", "%#x", dev_peek(dev, 0, 0));
	fact_table("table-after-child", &view.m);
	dev_poke(dev, 0, 0, UIO_SAME_WORD(0, 0));
	done_with(&view.m);
}

static void forked(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);

	forked_once(&dev, "plain", group->b, -1, false);
}

static void forked_written(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);

	forked_once(&dev, "written", group->b, -1, true);
}

static int look_for_it(void *arg)
{
	struct mapping *m = arg;
	__u32 word;
	int sig = uiot_load_word(m->p, &word);

	return sig ? sig : word == 0 ? 100 : 101;
}

static void forked_advised(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);
	struct mapping m;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(madvises); i++) {
		if (!strstr(madvises[i].name, "fork"))
			continue;
		under("%s", madvises[i].name);
		m = touched(&dev, group->b);
		TRY("madvise", madvise(m.p, PAGES * page_size(), madvises[i].advice));
		fact("child", "%d", in_child(look_for_it, &m));
		done_with(&m);
	}
}

/* The memory types that x86 reserves for mappings that are not cached normally. */

static void fact_types(const char *name, const struct dev *dev, int pages)
{
	FILE *file = fopen("/sys/kernel/debug/x86/pat_memtype_list", "r");
	struct uio_same_pfn first = { };
	unsigned long long from, to, start;
	char line[256], words[512] = "", type[64];
	size_t n = 0;

	if (!file) {
		fact(name, "no list");
		return;
	}
	if (dev_ioctl(dev, UIO_SAME_PFN, (unsigned long)&first))
		broken("no address");
	start = first.pfn * page_size();
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "PAT: [mem 0x%llx-0x%llx] %63s", &from, &to, type) != 3 ||
		    to <= start || from >= start + pages * page_size())
			continue;
		n += snprintf(words + n, sizeof(words) - n, "%s%lld-%lld %s", n ? ", " : "",
			      (long long)(from - start) / (long long)page_size(),
			      (long long)(to - start) / (long long)page_size(), type);
	}
	fclose(file);
	fact(name, "%s", n ? words : "none");
}

static int look_at_types(void *arg)
{
	struct mapping *m = arg;

	fact_types("in-a-child", m->dev, PAGES);
	return 0;
}

static void memory_types(const struct group *group)
{
	struct dev dev = dev_of(group->a, PAGES);
	struct mapping m, second, third;
	char *moved;

	fact_types("before", &dev, PAGES);
	m = touched(&dev, group->b);
	fact_types("one-mapping", &dev, PAGES);
	second = touched(&dev, group->b);
	fact_types("two-mappings", &dev, PAGES);
	unmap(&second);
	fact_types("one-unmapped", &dev, PAGES);
	in_child(look_at_types, &m);
	fact_types("after-child", &dev, PAGES);
	fact_writes("write", &m, 0xf0000);
	fact_types("after-write", &dev, PAGES);
	moved = uiot_move(m.p, PAGES);
	fact_ok("move", (long)moved);
	m.p = moved;
	fact_types("after-move", &dev, PAGES);
	mprotect(m.p, PAGES * page_size(), PROT_READ);
	fact_types("after-mprotect", &dev, PAGES);
	third = map(&dev, m.fd, 2, group->b);
	fact_types("and-a-part", &dev, PAGES);
	unmap(&third);
	fact_types("part-unmapped", &dev, PAGES);
	munmap(m.p + 4 * page_size(), 4 * page_size());
	fact_types("tail-unmapped", &dev, PAGES);
	munmap(m.p, 4 * page_size());
	fact_types("all-unmapped", &dev, PAGES);
	dev_unregister(&dev);
	fact_types("after-unregistration", &dev, PAGES);
}

const struct group split_groups[] = {
	{ "advise.phys.shared", advised, PHYS, MAP_SHARED },
	{ "advise.phys.private", advised, PHYS, MAP_PRIVATE },
	{ "advise.iova-far.shared", advised, IOVA_FAR, MAP_SHARED },
	{ "advise.logical.shared", advised, LOGICAL, MAP_SHARED },
	{ "advise.logical.private", advised, LOGICAL, MAP_PRIVATE },
	{ "advise.virtual.shared", advised, VIRTUAL, MAP_SHARED },
	{ "advise.virtual.private", advised, VIRTUAL, MAP_PRIVATE },
	{ "advise.dma.shared", advised, DMA, MAP_SHARED },
	{ "advise.dma.private", advised, DMA, MAP_PRIVATE },
	{ "advise.own-wc.shared", advised, OWN_WC, MAP_SHARED },
	{ "advise.own-wc.private", advised, OWN_WC, MAP_PRIVATE },
	{ "advise.own-fault.shared", advised, OWN_FAULT, MAP_SHARED },
	{ "advise.own-fault.private", advised, OWN_FAULT, MAP_PRIVATE },
	{ "advise.own-insert.shared", advised, OWN_INSERT, MAP_SHARED },
	{ "advise.own-all.shared", advised, OWN_ALL, MAP_SHARED },
	{ "advise.own-pfn.shared", advised, OWN_PFN, MAP_SHARED },
	{ "mprotect.phys.shared", protected, PHYS, MAP_SHARED },
	{ "mprotect.phys.private", protected, PHYS, MAP_PRIVATE },
	{ "mprotect.iova-far.shared", protected, IOVA_FAR, MAP_SHARED },
	{ "mprotect.logical.shared", protected, LOGICAL, MAP_SHARED },
	{ "mprotect.logical.private", protected, LOGICAL, MAP_PRIVATE },
	{ "mprotect.virtual.shared", protected, VIRTUAL, MAP_SHARED },
	{ "mprotect.virtual.private", protected, VIRTUAL, MAP_PRIVATE },
	{ "mprotect.dma.shared", protected, DMA, MAP_SHARED },
	{ "mprotect.dma.private", protected, DMA, MAP_PRIVATE },
	{ "mprotect.own-wc.shared", protected, OWN_WC, MAP_SHARED },
	{ "mprotect.own-wc.private", protected, OWN_WC, MAP_PRIVATE },
	{ "mprotect.own-fault.shared", protected, OWN_FAULT, MAP_SHARED },
	{ "mprotect.own-fault.private", protected, OWN_FAULT, MAP_PRIVATE },
	{ "mprotect.own-insert.shared", protected, OWN_INSERT, MAP_SHARED },
	{ "mprotect.own-all.shared", protected, OWN_ALL, MAP_SHARED },
	{ "mprotect.own-pfn.shared", protected, OWN_PFN, MAP_SHARED },
	{ "mremap.phys.shared", remapped, PHYS, MAP_SHARED },
	{ "mremap.phys.private", remapped, PHYS, MAP_PRIVATE },
	{ "mremap.iova-far.shared", remapped, IOVA_FAR, MAP_SHARED },
	{ "mremap.logical.shared", remapped, LOGICAL, MAP_SHARED },
	{ "mremap.logical.private", remapped, LOGICAL, MAP_PRIVATE },
	{ "mremap.virtual.shared", remapped, VIRTUAL, MAP_SHARED },
	{ "mremap.virtual.private", remapped, VIRTUAL, MAP_PRIVATE },
	{ "mremap.dma.shared", remapped, DMA, MAP_SHARED },
	{ "mremap.dma.private", remapped, DMA, MAP_PRIVATE },
	{ "mremap.own-wc.shared", remapped, OWN_WC, MAP_SHARED },
	{ "mremap.own-wc.private", remapped, OWN_WC, MAP_PRIVATE },
	{ "mremap.own-fault.shared", remapped, OWN_FAULT, MAP_SHARED },
	{ "mremap.own-fault.private", remapped, OWN_FAULT, MAP_PRIVATE },
	{ "mremap.own-insert.shared", remapped, OWN_INSERT, MAP_SHARED },
	{ "mremap.own-all.shared", remapped, OWN_ALL, MAP_SHARED },
	{ "mremap.own-pfn.shared", remapped, OWN_PFN, MAP_SHARED },
	{ "munmap.phys.shared", unmapped, PHYS, MAP_SHARED },
	{ "munmap.phys.private", unmapped, PHYS, MAP_PRIVATE },
	{ "munmap.iova-far.shared", unmapped, IOVA_FAR, MAP_SHARED },
	{ "munmap.logical.shared", unmapped, LOGICAL, MAP_SHARED },
	{ "munmap.logical.private", unmapped, LOGICAL, MAP_PRIVATE },
	{ "munmap.virtual.shared", unmapped, VIRTUAL, MAP_SHARED },
	{ "munmap.virtual.private", unmapped, VIRTUAL, MAP_PRIVATE },
	{ "munmap.dma.shared", unmapped, DMA, MAP_SHARED },
	{ "munmap.dma.private", unmapped, DMA, MAP_PRIVATE },
	{ "munmap.own-wc.shared", unmapped, OWN_WC, MAP_SHARED },
	{ "munmap.own-fault.shared", unmapped, OWN_FAULT, MAP_SHARED },
	{ "munmap.own-count.shared", unmapped, OWN_COUNT, MAP_SHARED },
	{ "munmap.own-insert.shared", unmapped, OWN_INSERT, MAP_SHARED },
	{ "munmap.own-all.shared", unmapped, OWN_ALL, MAP_SHARED },
	{ "munmap.own-pfn.shared", unmapped, OWN_PFN, MAP_SHARED },
	{ "fork.plain.phys.shared", forked, PHYS, MAP_SHARED },
	{ "fork.plain.phys.private", forked, PHYS, MAP_PRIVATE },
	{ "fork.plain.iova.shared", forked, IOVA, MAP_SHARED },
	{ "fork.plain.logical.shared", forked, LOGICAL, MAP_SHARED },
	{ "fork.plain.logical.private", forked, LOGICAL, MAP_PRIVATE },
	{ "fork.plain.virtual.shared", forked, VIRTUAL, MAP_SHARED },
	{ "fork.plain.virtual.private", forked, VIRTUAL, MAP_PRIVATE },
	{ "fork.plain.dma.shared", forked, DMA, MAP_SHARED },
	{ "fork.plain.dma.private", forked, DMA, MAP_PRIVATE },
	{ "fork.plain.own-wc.shared", forked, OWN_WC, MAP_SHARED },
	{ "fork.plain.own-wc.private", forked, OWN_WC, MAP_PRIVATE },
	{ "fork.plain.own-fault.shared", forked, OWN_FAULT, MAP_SHARED },
	{ "fork.plain.own-fault.private", forked, OWN_FAULT, MAP_PRIVATE },
	{ "fork.plain.own-insert.shared", forked, OWN_INSERT, MAP_SHARED },
	{ "fork.plain.own-count.shared", forked, OWN_COUNT, MAP_SHARED },
	{ "fork.plain.own-all.shared", forked, OWN_ALL, MAP_SHARED },
	{ "fork.plain.own-pfn.shared", forked, OWN_PFN, MAP_SHARED },
	{ "fork.written.phys.shared", forked_written, PHYS, MAP_SHARED },
	{ "fork.written.phys.private", forked_written, PHYS, MAP_PRIVATE },
	{ "fork.written.logical.shared", forked_written, LOGICAL, MAP_SHARED },
	{ "fork.written.logical.private", forked_written, LOGICAL, MAP_PRIVATE },
	{ "fork.written.virtual.private", forked_written, VIRTUAL, MAP_PRIVATE },
	{ "fork.written.dma.shared", forked_written, DMA, MAP_SHARED },
	{ "fork.written.dma.private", forked_written, DMA, MAP_PRIVATE },
	{ "fork.written.own-wc.private", forked_written, OWN_WC, MAP_PRIVATE },
	{ "fork.written.own-fault.private", forked_written, OWN_FAULT, MAP_PRIVATE },
	{ "fork.advised.phys.shared", forked_advised, PHYS, MAP_SHARED },
	{ "fork.advised.phys.private", forked_advised, PHYS, MAP_PRIVATE },
	{ "fork.advised.logical.shared", forked_advised, LOGICAL, MAP_SHARED },
	{ "fork.advised.logical.private", forked_advised, LOGICAL, MAP_PRIVATE },
	{ "fork.advised.dma.shared", forked_advised, DMA, MAP_SHARED },
	{ "pat.phys.shared", memory_types, PHYS, MAP_SHARED },
	{ "pat.phys.private", memory_types, PHYS, MAP_PRIVATE },
	{ "pat.phys-far.shared", memory_types, PHYS_FAR, MAP_SHARED },
	{ "pat.phys-far.private", memory_types, PHYS_FAR, MAP_PRIVATE },
	{ "pat.iova-far.shared", memory_types, IOVA_FAR, MAP_SHARED },
	{ "pat.iova-far.private", memory_types, IOVA_FAR, MAP_PRIVATE },
	{ "pat.own-wc.shared", memory_types, OWN_WC, MAP_SHARED },
	{ "pat.own-wc.private", memory_types, OWN_WC, MAP_PRIVATE },
	{ "pat.own-wc-far.shared", memory_types, OWN_WC_FAR, MAP_SHARED },
	{ "pat.own-wc-far.private", memory_types, OWN_WC_FAR, MAP_PRIVATE },
	{ "pat.dma.shared", memory_types, DMA, MAP_SHARED },
	{ }
};
