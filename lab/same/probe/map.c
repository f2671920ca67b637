// SPDX-License-Identifier: GPL-2.0-only
/* mmap() of each kind of memory, and the mappings that it makes. */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"

static void one_mapping(const struct dev *dev, int pages, int flags)
{
	struct mapping m = map(dev, dev_open(dev, O_RDWR), pages, flags);
	bool far = dev_ioctl(dev, UIO_SAME_PEEK, (unsigned long)&(struct uio_same_word){ });

	fact_ok("mmap", mapped(&m) ? 0 : -1);
	if (!mapped(&m)) {
		close(m.fd);
		return;
	}
	fact_maps(&m);
	fact_vma("fresh", &m);
	fact_table("table.fresh", &m);
	fact_resident("resident.fresh", &m);
	fact_reads("read", &m);
	fact_table("table.read", &m);
	fact_resident("resident.read", &m);
	fact_vma("read", &m);
	fact_reads("read-again", &m);
	fact_writes("write", &m, 0xa0000);
	fact_table("table.written", &m);
	fact_resident("resident.written", &m);
	fact_vma("written", &m);
	if (!far)
		fact_seen("seen-by-the-driver", &m, 0xa0000);
	close(m.fd);
	fact_reads("read-after-close", &m);
	TRY("munmap", munmap(m.p, pages * page_size()));
	fact("signal-then", "%d", touch(m.p));
}

static const struct {
	const char *name;
	int pages;
	int mapped;
} sizes[] = {
	{ "1of1", 1, 1 }, { "64of64", 64, 64 }, { "16of64", 64, 16 }, { "1of64", 64, 1 },
};

static void mappings(const struct group *group)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct dev dev = dev_of(group->a, sizes[i].pages);

		log_forget(&dev);
		under("%s", sizes[i].name);
		one_mapping(&dev, sizes[i].mapped, group->b);
		fact_log(&dev, "callbacks");
		close(dev.ctl);
	}
}

/* Populated or locked by mmap(). */

static const struct {
	const char *name;
	int flags;		/* of mmap() */
	int all;		/* of mlockall(), before */
} populations[] = {
	{ "plain" },
	{ "populate", MAP_POPULATE },
	{ "nonblock", MAP_POPULATE | MAP_NONBLOCK },
	{ "locked", MAP_LOCKED },
	{ "locked-populate", MAP_LOCKED | MAP_POPULATE },
	{ "future", 0, MCL_FUTURE },
	{ "future-populate", MAP_POPULATE, MCL_FUTURE },
	{ "future-onfault", 0, MCL_FUTURE | MCL_ONFAULT },
};

static void one_population(const struct dev *dev, int flags)
{
	long before = status_kb("VmLck:");
	struct mapping m = map(dev, dev_open(dev, O_RDWR), 64, flags);

	fact_ok("mmap", mapped(&m) ? 0 : -1);
	if (!mapped(&m))
		return;
	fact_table("table", &m);
	fact_vma("", &m);
	fact("locked", "%ld kB", status_kb("VmLck:") - before);
	fact_reads("read", &m);
	fact_writes("write", &m, 0xb0000);
	fact_vma("written", &m);
	unmap(&m);
	close(m.fd);
}

static void populated(const struct group *group)
{
	struct dev dev = dev_of(group->a, 64);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(populations); i++) {
		under("%s", populations[i].name);
		if (populations[i].all)
			TRY("mlockall", mlockall(populations[i].all));
		one_population(&dev, group->b | populations[i].flags);
		munlockall();
	}
}

/* Populated or locked afterwards. */

static int lock_now(const struct mapping *m)
{
	return mlock(m->p, m->pages * page_size());
}

static int lock_on_fault(const struct mapping *m)
{
	return mlock2(m->p, m->pages * page_size(), MLOCK_ONFAULT);
}

static int lock_half(const struct mapping *m)
{
	return mlock(m->p, m->pages / 2 * page_size());
}

static int lock_current(const struct mapping *m)
{
	(void)m;
	return mlockall(MCL_CURRENT);
}

static int advise(const struct mapping *m, int advice)
{
	return madvise(m->p, m->pages * page_size(), advice);
}

static int populate_read(const struct mapping *m)
{
	return advise(m, MADV_POPULATE_READ);
}

static int populate_write(const struct mapping *m)
{
	return advise(m, MADV_POPULATE_WRITE);
}

static int will_need(const struct mapping *m)
{
	return advise(m, MADV_WILLNEED);
}

static const struct {
	const char *name;
	int (*fn)(const struct mapping *m);
} afterwards[] = {
	{ "mlock", lock_now },
	{ "mlock-onfault", lock_on_fault },
	{ "mlock-half", lock_half },
	{ "mlockall-current", lock_current },
	{ "populate-read", populate_read },
	{ "populate-write", populate_write },
	{ "willneed", will_need },
};

static void locked(const struct group *group)
{
	struct dev dev = dev_of(group->a, 64);
	struct mapping m;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(afterwards); i++) {
		under("%s", afterwards[i].name);
		m = map(&dev, dev_open(&dev, O_RDWR), 64, group->b);
		if (!mapped(&m))
			continue;
		TRY("call", afterwards[i].fn(&m));
		fact_table("table", &m);
		fact_vma("", &m);
		fact_reads("read", &m);
		fact_writes("write", &m, 0xc0000);
		TRY("munlock", munlock(m.p, 64 * page_size()));
		fact_vma("unlocked", &m);
		munlockall();
		unmap(&m);
		close(m.fd);
	}
}

/* Arguments of mmap() */

static void map_call(const char *name, int fd, size_t length, int prot, int flags,
		     unsigned long long offset)
{
	long ret;

	errno = 0;
	ret = syscall(SYS_mmap, NULL, length, prot, flags, fd, offset);
	fact_ok(name, ret);
	if (ret != -1)
		munmap((void *)ret, length);
}

static void map_lengths(const struct dev *dev, int fd)
{
	const size_t page = page_size();
	const size_t lengths[] = { 0, 1, page - 1, page, page + 1, 4 * page - 1, 4 * page,
				   4 * page + 1, 5 * page, 1UL << 40, SIZE_MAX };
	char name[32];
	unsigned int i;

	(void)dev;
	under("length");
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		snprintf(name, sizeof(name), "%zd", lengths[i]);
		map_call(name, fd, lengths[i], PROT_READ, MAP_SHARED, 0);
	}
}

static void map_offsets(int fd)
{
	const unsigned long long page = page_size();
	const unsigned long long offsets[] = {
		0, 1, page / 2, page, 2 * page, 3 * page, 4 * page, 5 * page, 6 * page,
		512 * page, 1ULL << 32, 1ULL << 44, 1ULL << 51, 1ULL << 62, 1ULL << 63,
		-page, -2 * page,
	};
	char name[32];
	unsigned int i;

	under("offset");
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		snprintf(name, sizeof(name), "%llx", offsets[i]);
		map_call(name, fd, page, PROT_READ, MAP_SHARED, offsets[i]);
		snprintf(name, sizeof(name), "%llx-private", offsets[i]);
		map_call(name, fd, page, PROT_READ, MAP_PRIVATE, offsets[i]);
	}
}

static const struct {
	const char *name;
	int prot;
} prots[] = {
	{ "none", PROT_NONE }, { "r", PROT_READ }, { "w", PROT_WRITE },
	{ "rw", PROT_READ | PROT_WRITE }, { "x", PROT_EXEC },
	{ "rx", PROT_READ | PROT_EXEC }, { "rwx", PROT_READ | PROT_WRITE | PROT_EXEC },
	{ "growsdown", PROT_READ | PROT_GROWSDOWN }, { "bad", 0x100000 },
};

static void map_prots(const struct dev *dev)
{
	static const struct {
		const char *name;
		int flags;
	} files[] = { { "rdwr", O_RDWR }, { "read-only", O_RDONLY }, { "write-only", O_WRONLY } };
	unsigned int i, j;
	char name[32];

	for (i = 0; i < 3; i++) {
		int fd = dev_open(dev, files[i].flags);

		under("prot.%s", files[i].name);
		for (j = 0; j < ARRAY_SIZE(prots); j++) {
			snprintf(name, sizeof(name), "%s-shared", prots[j].name);
			map_call(name, fd, page_size(), prots[j].prot, MAP_SHARED, 0);
			snprintf(name, sizeof(name), "%s-private", prots[j].name);
			map_call(name, fd, page_size(), prots[j].prot, MAP_PRIVATE, 0);
		}
		close(fd);
	}
}

static void map_flags(int fd)
{
	static const struct {
		const char *name;
		int flags;
	} flags[] = {
		{ "none", 0 }, { "shared-private", MAP_SHARED | MAP_PRIVATE },
		{ "validate", MAP_SHARED_VALIDATE },
		{ "validate-bad", MAP_SHARED_VALIDATE | 0x40000000 },
		{ "sync", MAP_SHARED_VALIDATE | MAP_SYNC },
		{ "hugetlb", MAP_SHARED | MAP_HUGETLB },
		{ "noreserve", MAP_PRIVATE | MAP_NORESERVE },
		{ "growsdown", MAP_PRIVATE | MAP_GROWSDOWN },
		{ "growsdown-shared", MAP_SHARED | MAP_GROWSDOWN },
		{ "stack", MAP_PRIVATE | MAP_STACK }, { "32bit", MAP_SHARED | MAP_32BIT },
		{ "denywrite", MAP_SHARED | MAP_DENYWRITE },
		{ "executable", MAP_SHARED | MAP_EXECUTABLE },
		{ "anonymous", MAP_SHARED | MAP_ANONYMOUS },
		{ "droppable", 0x08 },
		{ "uninitialized", MAP_SHARED | 0x4000000 },
	};
	unsigned int i;

	under("flag");
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		map_call(flags[i].name, fd, page_size(), PROT_READ, flags[i].flags, 0);
}

static void map_at_addresses(int fd)
{
	const size_t page = page_size();
	char *there = mmap(NULL, 4 * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *got;

	under("address");
	TRY_OK("fixed", mmap(there, page, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0));
	fact("fixed-word", "%d", *(unsigned int *)there == UIO_SAME_WORD(0, 0));
	fact("fixed-next", "%u", *(unsigned int *)(there + page));
	TRY_OK("fixed-over-itself", mmap(there, 2 * page, PROT_READ,
					 MAP_SHARED | MAP_FIXED, fd, 0));
	TRY_OK("fixed-unaligned", mmap(there + 1, page, PROT_READ,
				       MAP_SHARED | MAP_FIXED, fd, 0));
	TRY_OK("fixed-noreplace", mmap(there, page, PROT_READ,
				       MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0));
	TRY_OK("fixed-fails-too-long", mmap(there, 4096 * page, PROT_READ,
					    MAP_SHARED | MAP_FIXED, fd, 0));
	fact("then-there-is", "%d", touch(there));
	munmap(there, 4 * page);
	got = mmap(there, page, PROT_READ, MAP_SHARED, fd, 0);
	fact("hint-followed", "%d", got == there);
	TRY_OK("fixed-at-0", mmap(NULL, page, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0));
	TRY_OK("fixed-in-the-kernel", mmap((void *)-8192L, page, PROT_READ,
					   MAP_SHARED | MAP_FIXED, fd, 0));
}

static void map_args(const struct group *group)
{
	struct dev dev = dev_of(group->a, 4);
	int fd;

	dev_mem(&dev, 2, UIO_SAME_PAGES, UIO_SAME_LOGICAL, 2);
	fd = dev_open(&dev, O_RDWR);
	map_lengths(&dev, fd);
	map_offsets(fd);
	map_prots(&dev);
	map_flags(fd);
	map_at_addresses(fd);
	under("descriptor");
	map_call("path-only", open(dev.node, O_PATH), page_size(), PROT_READ, MAP_SHARED, 0);
	map_call("closed", 999, page_size(), PROT_READ, MAP_SHARED, 0);
}

/* Regions whose address or size is no multiple of the page size */

static void odd_region(const struct group *group, long add, long size)
{
	struct dev dev = dev_new();
	const long page = page_size();
	char name[32];
	int fd, i;
	void *p;

	under("add-%ld-size-%ld", add, size);
	dev_mem(&dev, 0, group->a == VIRTUAL ? UIO_SAME_VMALLOC :
			 group->a == DMA ? UIO_SAME_COHERENT : UIO_SAME_PAGES,
		group->b, 8);
	dev_set(&dev, UIO_SAME_MEM_ADD, 0, add);
	dev_set(&dev, UIO_SAME_MEM_SIZE, 0, size);
	dev_up(&dev);
	fd = dev_open(&dev, O_RDWR);
	for (i = 1; i <= 4; i++) {
		snprintf(name, sizeof(name), "map-%d", i);
		p = mmap(NULL, i * page, PROT_READ, MAP_SHARED, fd, 0);
		fact_ok(name, (long)p);
		if (p == MAP_FAILED)
			continue;
		snprintf(name, sizeof(name), "map-%d.last-page", i);
		fact(name, "%s", touch((char *)p + (i - 1) * page) ? "signal" :
		     *(unsigned int *)((char *)p + (i - 1) * page) ==
		     UIO_SAME_WORD(0, i - 1) ? "its word" : "another word");
		munmap(p, i * page);
	}
	map_call("100-bytes", fd, 100, PROT_READ, MAP_SHARED, 0);
	map_call("private", fd, page, PROT_READ, MAP_PRIVATE, 0);
	close(fd);
	close(dev.ctl);
}

static void odd_regions(const struct group *group)
{
	static const long adds[] = { 0, 1, 64, 4095, 4096 };
	static const long sizes[] = { 1, 100, 4095, 4096, 4097, 8000, 8192, 12288 };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(adds); i++)
		for (j = 0; j < ARRAY_SIZE(sizes); j++)
			odd_region(group, adds[i], sizes[j]);
}

static void bad_regions(const struct group *group)
{
	static const int types[] = { -1, 6, 7, 100, -2147483647 };
	struct dev dev = dev_of(LOGICAL, 4);
	int fd = dev_open(&dev, O_RDWR);
	unsigned int i;

	(void)group;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		under("type-%d", types[i]);
		dev_set(&dev, UIO_SAME_MEM_TYPE, 0, types[i]);
		map_call("shared", fd, page_size(), PROT_READ, MAP_SHARED, 0);
		map_call("private", fd, page_size(), PROT_READ, MAP_PRIVATE, 0);
	}
	under("dma");
	dev_mem(&dev, 1, UIO_SAME_COHERENT, UIO_SAME_DMA, 4);
	dev_set(&dev, UIO_SAME_MEM_DEVICE, 1, 0);
	map_call("no-device", fd, page_size(), PROT_READ, MAP_SHARED, page_size());
	dev_set(&dev, UIO_SAME_MEM_DEVICE, 1, 1);
	dev_set(&dev, UIO_SAME_MEM_BUS_ADD, 1, 64);
	map_call("bus-address-unaligned", fd, page_size(), PROT_READ, MAP_SHARED, page_size());
	dev_set(&dev, UIO_SAME_MEM_BUS_ADD, 1, -64);
	map_call("as-it-was", fd, page_size(), PROT_READ, MAP_SHARED, page_size());
}

/* Several at once */

static void several(const struct group *group)
{
	struct dev dev = dev_of(group->a, 4);
	int fd = dev_open(&dev, O_RDWR), second = dev_open(&dev, O_RDWR);
	struct mapping a, b, c;

	a = map(&dev, fd, 4, MAP_SHARED);
	b = map(&dev, fd, 2, MAP_SHARED);
	c = map(&dev, second, 4, MAP_PRIVATE);
	fact_ok("first", mapped(&a) ? 0 : -1);
	fact_ok("second", mapped(&b) ? 0 : -1);
	fact_ok("third", mapped(&c) ? 0 : -1);
	if (!mapped(&a) || !mapped(&b) || !mapped(&c))
		return;
	uiot_store_word(a.p, 1);
	uiot_store_word(b.p + page_size(), 2);
	uiot_store_word(c.p, 3);
	fact("first-page", "%u %u %u", *(unsigned int *)a.p, *(unsigned int *)b.p,
	     *(unsigned int *)c.p);
	fact("second-page", "%u %u %u", *(unsigned int *)(a.p + page_size()),
	     *(unsigned int *)(b.p + page_size()), *(unsigned int *)(c.p + page_size()));
	under("second");
	fact_maps(&b);
	under("third");
	fact_maps(&c);
	fact_table("table", &c);
	at_top();
	unmap(&a);
	fact("second-after-munmap-of-first", "%u", *(unsigned int *)(b.p + page_size()));
	TRY("close", close(fd));
	fact("second-after-close", "%u", *(unsigned int *)(b.p + page_size()));
}

/* The kernel may join mappings that are next to each other. */
static void neighbours(const struct group *group)
{
	struct dev dev = dev_of(group->a, 4);
	int fd = dev_open(&dev, O_RDWR);
	char *room = mmap(NULL, 8 * page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mapping m = { &dev, fd, room, 8 };

	TRY_OK("first", mmap(room, 4 * page_size(), PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0));
	TRY_OK("second", mmap(room + 4 * page_size(), 4 * page_size(), PROT_READ,
			      MAP_SHARED | MAP_FIXED, fd, 0));
	fact_maps(&m);
	m.pages = 4;
	fact_reads("first", &m);
	m.p += 4 * page_size();
	fact_reads("second", &m);
}

/* A mapping larger than a page table, and than what a touch maps. */
static void large(const struct group *group)
{
	const int pages = (64 << 20) / page_size();
	struct dev dev = dev_of(group->a, pages);
	struct mapping m = map(&dev, dev_open(&dev, O_RDWR), pages, MAP_SHARED);

	fact_ok("mmap", mapped(&m) ? 0 : -1);
	if (!mapped(&m))
		return;
	fact_maps(&m);
	fact_vma("", &m);
	fact_page("first", &m, 0);
	fact_page("middle", &m, pages / 2);
	fact_page("last", &m, pages - 1);
	fact("present", "%d", present_pages(&m));
	TRY("munmap", munmap(m.p, pages * page_size()));
}

/* Through a node outside /dev, which has been unlinked. */
static void other_node(const struct group *group)
{
	struct dev dev = dev_of(group->a, 2), by_node = dev;
	struct mapping m, first = map(&dev, dev_open(&dev, O_RDWR), 2, MAP_SHARED);
	char path[64], target[128] = "";
	struct stat st;

	if (stat(dev.node, &st))
		broken("no node");
	snprintf(by_node.node, sizeof(by_node.node), "/tmp/same-other");
	if (mknod(by_node.node, S_IFCHR | 0600, st.st_rdev))
		broken("no other node");
	m = map(&by_node, dev_open(&by_node, O_RDWR), 2, MAP_SHARED);
	fact_ok("mmap", mapped(&m) ? 0 : -1);
	if (!mapped(&m))
		return;
	fact_maps(&m);
	fact_reads("read", &m);
	uiot_store_word(m.p, 77);
	fact("seen-by-the-first", "%u", *(unsigned int *)first.p);
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", (unsigned long)m.p,
		 (unsigned long)m.p + 2 * page_size());
	TRY("map_files", readlink(path, target, sizeof(target) - 1) > 0);
	fact("map_files-target", "%s", target);
	TRY_OK("map_files-open", open(path, O_RDWR));
	unlink(by_node.node);
	under("unlinked");
	TRY_OK("map_files-open", open(path, O_RDWR));
	m = map(&dev, m.fd, 2, MAP_SHARED);
	fact_ok("mmap", mapped(&m) ? 0 : -1);
	fact_maps(&m);
}

static void zap(const struct dev *dev, const char *name, int from, int pages)
{
	struct uio_same_zap what = { from * page_size(), pages * page_size() };

	TRY(name, dev_ioctl(dev, UIO_SAME_ZAP, (unsigned long)&what));
}

/* The driver unmaps pages through the i_mapping of the inode that its open() got. */
static void zapped(const struct group *group)
{
	struct dev dev = dev_of(group->a, 8);
	struct mapping first = map(&dev, dev_open(&dev, O_RDWR), 8, MAP_SHARED);
	struct mapping second = map(&dev, dev_open(&dev, O_RDWR), 8, MAP_SHARED);
	int page;

	for (page = 0; page < 8; page++) {
		touch(first.p + page * page_size());
		touch(second.p + page * page_size());
	}
	under("one-page");
	zap(&dev, "zap", 3, 1);
	fact_table("first", &first);
	fact_table("second", &second);
	under("all");
	zap(&dev, "zap", 0, 0);
	fact_table("first", &first);
	fact_table("second", &second);
	fact_reads("read", &first);
	fact_reads("read-second", &second);
}

const struct group map_groups[] = {
	{ "mmap.phys.shared", mappings, PHYS, MAP_SHARED },
	{ "mmap.phys.private", mappings, PHYS, MAP_PRIVATE },
	{ "mmap.phys-far.shared", mappings, PHYS_FAR, MAP_SHARED },
	{ "mmap.phys-far.private", mappings, PHYS_FAR, MAP_PRIVATE },
	{ "mmap.iova.shared", mappings, IOVA, MAP_SHARED },
	{ "mmap.iova.private", mappings, IOVA, MAP_PRIVATE },
	{ "mmap.iova-far.shared", mappings, IOVA_FAR, MAP_SHARED },
	{ "mmap.iova-far.private", mappings, IOVA_FAR, MAP_PRIVATE },
	{ "mmap.logical.shared", mappings, LOGICAL, MAP_SHARED },
	{ "mmap.logical.private", mappings, LOGICAL, MAP_PRIVATE },
	{ "mmap.virtual.shared", mappings, VIRTUAL, MAP_SHARED },
	{ "mmap.virtual.private", mappings, VIRTUAL, MAP_PRIVATE },
	{ "mmap.dma.shared", mappings, DMA, MAP_SHARED },
	{ "mmap.dma.private", mappings, DMA, MAP_PRIVATE },
	{ "mmap.none.shared", mappings, NONE, MAP_SHARED },
	{ "mmap.none.private", mappings, NONE, MAP_PRIVATE },
	{ "mmap.own-empty.shared", mappings, OWN_EMPTY, MAP_SHARED },
	{ "mmap.own-empty.private", mappings, OWN_EMPTY, MAP_PRIVATE },
	{ "mmap.own-wc.shared", mappings, OWN_WC, MAP_SHARED },
	{ "mmap.own-wc.private", mappings, OWN_WC, MAP_PRIVATE },
	{ "mmap.own-wc-far.shared", mappings, OWN_WC_FAR, MAP_SHARED },
	{ "mmap.own-wc-far.private", mappings, OWN_WC_FAR, MAP_PRIVATE },
	{ "mmap.own-fault.shared", mappings, OWN_FAULT, MAP_SHARED },
	{ "mmap.own-fault.private", mappings, OWN_FAULT, MAP_PRIVATE },
	{ "mmap.own-count.shared", mappings, OWN_COUNT, MAP_SHARED },
	{ "mmap.own-count.private", mappings, OWN_COUNT, MAP_PRIVATE },
	{ "mmap.own-insert.shared", mappings, OWN_INSERT, MAP_SHARED },
	{ "mmap.own-insert.private", mappings, OWN_INSERT, MAP_PRIVATE },
	{ "mmap.own-close.shared", mappings, OWN_CLOSE, MAP_SHARED },
	{ "mmap.own-all.shared", mappings, OWN_ALL, MAP_SHARED },
	{ "mmap.own-all.private", mappings, OWN_ALL, MAP_PRIVATE },
	{ "mmap.own-pfn.shared", mappings, OWN_PFN, MAP_SHARED },
	{ "populate.phys.shared", populated, PHYS, MAP_SHARED },
	{ "populate.phys.private", populated, PHYS, MAP_PRIVATE },
	{ "populate.phys-far.shared", populated, PHYS_FAR, MAP_SHARED },
	{ "populate.iova.shared", populated, IOVA, MAP_SHARED },
	{ "populate.iova-far.shared", populated, IOVA_FAR, MAP_SHARED },
	{ "populate.iova-far.private", populated, IOVA_FAR, MAP_PRIVATE },
	{ "populate.logical.shared", populated, LOGICAL, MAP_SHARED },
	{ "populate.logical.private", populated, LOGICAL, MAP_PRIVATE },
	{ "populate.virtual.shared", populated, VIRTUAL, MAP_SHARED },
	{ "populate.virtual.private", populated, VIRTUAL, MAP_PRIVATE },
	{ "populate.dma.shared", populated, DMA, MAP_SHARED },
	{ "populate.dma.private", populated, DMA, MAP_PRIVATE },
	{ "populate.own-wc.shared", populated, OWN_WC, MAP_SHARED },
	{ "populate.own-wc.private", populated, OWN_WC, MAP_PRIVATE },
	{ "populate.own-fault.shared", populated, OWN_FAULT, MAP_SHARED },
	{ "populate.own-fault.private", populated, OWN_FAULT, MAP_PRIVATE },
	{ "populate.own-insert.shared", populated, OWN_INSERT, MAP_SHARED },
	{ "populate.own-all.shared", populated, OWN_ALL, MAP_SHARED },
	{ "populate.own-pfn.shared", populated, OWN_PFN, MAP_SHARED },
	{ "lock.phys.shared", locked, PHYS, MAP_SHARED },
	{ "lock.phys.private", locked, PHYS, MAP_PRIVATE },
	{ "lock.iova-far.shared", locked, IOVA_FAR, MAP_SHARED },
	{ "lock.logical.shared", locked, LOGICAL, MAP_SHARED },
	{ "lock.logical.private", locked, LOGICAL, MAP_PRIVATE },
	{ "lock.virtual.shared", locked, VIRTUAL, MAP_SHARED },
	{ "lock.virtual.private", locked, VIRTUAL, MAP_PRIVATE },
	{ "lock.dma.shared", locked, DMA, MAP_SHARED },
	{ "lock.dma.private", locked, DMA, MAP_PRIVATE },
	{ "lock.own-wc.shared", locked, OWN_WC, MAP_SHARED },
	{ "lock.own-fault.shared", locked, OWN_FAULT, MAP_SHARED },
	{ "lock.own-insert.shared", locked, OWN_INSERT, MAP_SHARED },
	{ "lock.own-pfn.shared", locked, OWN_PFN, MAP_SHARED },
	{ "mmap.args.phys", map_args, PHYS },
	{ "mmap.args.iova", map_args, IOVA },
	{ "mmap.args.logical", map_args, LOGICAL },
	{ "mmap.args.virtual", map_args, VIRTUAL },
	{ "mmap.args.dma", map_args, DMA },
	{ "mmap.args.own-fault", map_args, OWN_FAULT },
	{ "mmap.odd.phys", odd_regions, PHYS, UIO_SAME_PHYS },
	{ "mmap.odd.iova", odd_regions, IOVA, UIO_SAME_IOVA },
	{ "mmap.odd.logical", odd_regions, LOGICAL, UIO_SAME_LOGICAL },
	{ "mmap.odd.virtual", odd_regions, VIRTUAL, UIO_SAME_VIRTUAL },
	{ "mmap.odd.dma", odd_regions, DMA, UIO_SAME_DMA },
	{ "mmap.bad", bad_regions },
	{ "mmap.several.phys", several, PHYS },
	{ "mmap.several.iova", several, IOVA },
	{ "mmap.several.logical", several, LOGICAL },
	{ "mmap.several.virtual", several, VIRTUAL },
	{ "mmap.several.dma", several, DMA },
	{ "mmap.several.own-wc", several, OWN_WC },
	{ "mmap.several.own-insert", several, OWN_INSERT },
	{ "mmap.several.own-fault", several, OWN_FAULT },
	{ "mmap.neighbours.phys", neighbours, PHYS },
	{ "mmap.neighbours.logical", neighbours, LOGICAL },
	{ "mmap.neighbours.virtual", neighbours, VIRTUAL },
	{ "mmap.neighbours.dma", neighbours, DMA },
	{ "mmap.neighbours.own-fault", neighbours, OWN_FAULT },
	{ "mmap.large.phys", large, PHYS_FAR },
	{ "mmap.large.iova", large, IOVA_FAR },
	{ "mmap.other-node.phys", other_node, PHYS },
	{ "mmap.other-node.logical", other_node, LOGICAL },
	{ "mmap.other-node.own-fault", other_node, OWN_FAULT },
	{ "zap.phys", zapped, PHYS },
	{ "zap.iova", zapped, IOVA },
	{ "zap.logical", zapped, LOGICAL },
	{ "zap.virtual", zapped, VIRTUAL },
	{ "zap.dma", zapped, DMA },
	{ "zap.own-wc", zapped, OWN_WC },
	{ "zap.own-insert", zapped, OWN_INSERT },
	{ "zap.own-fault", zapped, OWN_FAULT },
	{ "zap.own-count", zapped, OWN_COUNT },
	{ "zap.own-pfn", zapped, OWN_PFN },
	{ }
};
