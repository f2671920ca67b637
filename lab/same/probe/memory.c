// SPDX-License-Identifier: GPL-2.0-only
/* Kinds of memory, and facts about their mappings. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "memory.h"

static const struct {
	enum uio_same_backing backing;
	int type;
	enum uio_same_mmap own;
} memories[MEMORIES] = {
	[PHYS]		= { UIO_SAME_PAGES, UIO_SAME_PHYS },
	[PHYS_FAR]	= { UIO_SAME_NOTHING, UIO_SAME_PHYS },
	[IOVA]		= { UIO_SAME_PAGES, UIO_SAME_IOVA },
	[IOVA_FAR]	= { UIO_SAME_NOTHING, UIO_SAME_IOVA },
	[LOGICAL]	= { UIO_SAME_PAGES, UIO_SAME_LOGICAL },
	[VIRTUAL]	= { UIO_SAME_VMALLOC, UIO_SAME_VIRTUAL },
	[DMA]		= { UIO_SAME_COHERENT, UIO_SAME_DMA },
	[NONE]		= { UIO_SAME_PAGES, UIO_SAME_NONE },
	[OWN_EMPTY]	= { UIO_SAME_PAGES, UIO_SAME_PHYS, UIO_SAME_MMAP_EMPTY },
	[OWN_WC]	= { UIO_SAME_PAGES, UIO_SAME_PHYS, UIO_SAME_MMAP_WC },
	[OWN_WC_FAR]	= { UIO_SAME_NOTHING, UIO_SAME_PHYS, UIO_SAME_MMAP_WC },
	[OWN_INSERT]	= { UIO_SAME_VMALLOC, UIO_SAME_NONE, UIO_SAME_MMAP_INSERT },
	[OWN_FAULT]	= { UIO_SAME_VMALLOC, UIO_SAME_NONE, UIO_SAME_MMAP_FAULT },
	[OWN_COUNT]	= { UIO_SAME_VMALLOC, UIO_SAME_NONE, UIO_SAME_MMAP_COUNT },
	[OWN_CLOSE]	= { UIO_SAME_VMALLOC, UIO_SAME_NONE, UIO_SAME_MMAP_CLOSE },
	[OWN_ALL]	= { UIO_SAME_VMALLOC, UIO_SAME_NONE, UIO_SAME_MMAP_ALL },
	[OWN_PFN]	= { UIO_SAME_VMALLOC, UIO_SAME_NONE, UIO_SAME_MMAP_PFN },
};

struct dev dev_of(enum memory memory, int pages)
{
	struct dev dev = dev_new();

	dev_mem(&dev, 0, memories[memory].backing, memories[memory].type, pages);
	dev_set(&dev, UIO_SAME_OWN_MMAP, 0, memories[memory].own);
	dev_up(&dev);
	return dev;
}

/*
 * How many pages a touch maps depends on the address in the page table. So mappings begin
 * where a page table begins, whatever address space randomization does.
 */
static void *free_place(size_t size)
{
	const size_t table = page_size() / sizeof(uint64_t) * page_size();
	uintptr_t room = (uintptr_t)mmap(NULL, size + 2 * table, PROT_NONE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == (uintptr_t)MAP_FAILED)
		broken("no address space");
	munmap((void *)room, size + 2 * table);
	return (void *)((room + table - 1) / table * table);
}

struct mapping map(const struct dev *dev, int fd, int pages, int flags)
{
	struct mapping m = { .dev = dev, .fd = fd, .pages = pages };
	void *place = free_place(pages * page_size());

	errno = 0;
	m.p = mmap(place, pages * page_size(), PROT_READ | PROT_WRITE, flags, fd, 0);
	return m;
}

bool mapped(const struct mapping *m)
{
	return m->p != MAP_FAILED;
}

void unmap(const struct mapping *m)
{
	munmap(m->p, m->pages * page_size());
}

/* Page tables */

static struct uio_same_pte entry_of(const struct mapping *m, int page)
{
	struct uio_same_pte pte = { .addr = (unsigned long)m->p + page * page_size() };

	if (dev_ioctl(m->dev, UIO_SAME_PTE, (unsigned long)&pte))
		broken("no page table");
	return pte;
}

int present_pages(const struct mapping *m)
{
	int page, present = 0;

	for (page = 0; page < m->pages; page++)
		present += entry_of(m, page).present;
	return present;
}

static const char *whose(const struct mapping *m, int page, uint64_t pfn)
{
	struct uio_same_pfn region = { .page = m->first + page };

	if (dev_ioctl(m->dev, UIO_SAME_PFN, (unsigned long)&region) == 0 &&
	    region.pfn == pfn)
		return "its page";
	return "another page";
}

static void describe(const struct mapping *m, int page, char *text, size_t size)
{
	struct uio_same_pte pte = entry_of(m, page);

	if (!pte.present) {
		snprintf(text, size, "%s", pte.value ? "not present" : "none");
		return;
	}
#ifdef __x86_64__
	/* leave out accessed and dirty, which the CPU sets at any time */
	snprintf(text, size, "%s, %s%s%s%s%s%s%s%s", whose(m, page, pte.pfn),
		 pte.value & 1 << 1 ? "rw" : "ro",
		 pte.value & 1 << 2 ? "" : " kernel",
		 pte.value & 1 << 3 ? " pwt" : "", pte.value & 1 << 4 ? " pcd" : "",
		 pte.value & 1 << 7 ? " pat" : "", pte.value & 1 << 8 ? " global" : "",
		 pte.value & 1 << 9 ? " special" : "", pte.value >> 63 ? " nx" : "");
#else
	snprintf(text, size, "%s", whose(m, page, pte.pfn));
#endif
}

void fact_page(const char *name, const struct mapping *m, int page)
{
	char text[128];

	describe(m, page, text, sizeof(text));
	fact(name, "%s", text);
}

/* Prints, for example, "0-15: its page, rw; 16-63: none". */
void fact_table(const char *name, const struct mapping *m)
{
	char words[4096], text[128], last[128];
	int page, from = 0;
	size_t n = 0;

	describe(m, 0, last, sizeof(last));
	for (page = 1; page <= m->pages && n < sizeof(words); page++) {
		text[0] = 0;
		if (page < m->pages)
			describe(m, page, text, sizeof(text));
		if (!strcmp(text, last))
			continue;
		n += snprintf(words + n, sizeof(words) - n, "%s%d-%d: %s", n ? "; " : "",
			      from, page - 1, last);
		from = page;
		memcpy(last, text, sizeof(last));
	}
	fact(name, "%s", words);
}

/* /proc */

/* Reads the lines of maps or smaps about the VMA where the mapping begins. */
static void read_vma(const char *path, const struct mapping *m, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	unsigned long from, to;
	bool mine = false;
	char line[512];
	size_t n = 0;

	text[0] = 0;
	if (!file)
		broken("no VMAs");
	while (fgets(line, sizeof(line), file)) {
		/* a field's name begins with a capital letter */
		if (line[0] < 'A' || line[0] > 'Z') {
			/* stop here, because the kernel makes the rest only as it is read */
			if (mine)
				break;
			mine = sscanf(line, "%lx-%lx ", &from, &to) == 2 &&
			       from <= (unsigned long)m->p && (unsigned long)m->p < to;
		}
		if (mine && n < size)
			n += snprintf(text + n, size - n, "%s", line);
	}
	fclose(file);
}

/* In private mappings of memory without struct pages, the offset is a physical address. */
static void fact_offset(const struct mapping *m, unsigned long long offset)
{
	struct uio_same_pfn first = { };

	dev_ioctl(m->dev, UIO_SAME_PFN, (unsigned long)&first);
	if (offset >= first.pfn && offset < first.pfn + 256)
		fact("maps.offset", "physical, page %llu", offset - first.pfn);
	else
		fact("maps.offset", "%llu pages", offset);
}

void fact_maps(const struct mapping *m)
{
	unsigned int major_nr, minor_nr;
	unsigned long from, to, inode;
	char text[1024], perms[8] = "", path[256] = "";
	unsigned long long offset;
	struct stat st;

	read_vma("/proc/self/maps", m, text, sizeof(text));
	if (stat(m->dev->node, &st) ||
	    sscanf(text, "%lx-%lx %7s %llx %x:%x %lu %255[^\n]", &from, &to, perms, &offset,
		   &major_nr, &minor_nr, &inode, path) < 7) {
		fact("maps", "none");
		return;
	}
	fact("maps.pages", "%lu", (to - from) / page_size());
	fact("maps.perms", "%s", perms);
	fact_offset(m, offset / page_size());
	fact("maps.device", "%s", makedev(major_nr, minor_nr) == st.st_dev ? "the node's" :
								 "another");
	fact("maps.inode", "%s", inode == st.st_ino ? "the node's" : "another");
	fact("maps.path", "%s", strcmp(path, m->dev->node) ? path : "the node");
}

static const char *line_of(const char *text, const char *field)
{
	const char *line = strstr(text, field);

	return line ? line + strlen(field) : "";
}

/* Removes a flag. Returns whether it was there. */
static bool take_flag(char *flags, const char *flag)
{
	char *at = strstr(flags, flag);

	if (!at)
		return false;
	memmove(at, at + strlen(flag), strlen(at + strlen(flag)) + 1);
	return true;
}

static void fact_flags(const char *name, const char *text)
{
	const char *line = line_of(text, "VmFlags:");
	char flags[256], full[128];
	bool arch, mixed;

	snprintf(flags, sizeof(flags), "%.*s", (int)strcspn(line, "\n"), line);
	/* separate facts: these flags are internal to the kernel, and may deviate */
	arch = take_flag(flags, " ar");
	mixed = take_flag(flags, " mm");
	fact(name, "%s", flags + strspn(flags, " "));
	snprintf(full, sizeof(full), "%s.arch", name);
	fact(full, "%d", arch);
	snprintf(full, sizeof(full), "%s.mixed", name);
	fact(full, "%d", mixed);
}

/* Prints the sizes that are not 0, in kB. */
static void fact_sizes(const char *name, const char *text)
{
	static const char *const fields[] = {
		"\nRss:", "\nPss:", "\nShared_Clean:", "\nShared_Dirty:",
		"\nPrivate_Clean:", "\nPrivate_Dirty:", "\nAnonymous:", "\nLocked:",
	};
	char words[512] = "";
	unsigned int i;
	size_t n = 0;
	long kb;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		kb = atol(line_of(text, fields[i]));
		if (kb)
			n += snprintf(words + n, sizeof(words) - n, "%s%s %ld",
				      n ? ", " : "", fields[i] + 1, kb);
	}
	fact(name, "%s", n ? words : "all 0");
}

/* Prints what smaps says. @when is a part of the facts' names, or "". */
void fact_vma(const char *when, const struct mapping *m)
{
	const char *dot = when[0] ? "." : "";
	char text[4096], name[64];

	read_vma("/proc/self/smaps", m, text, sizeof(text));
	snprintf(name, sizeof(name), "flags%s%s", dot, when);
	fact_flags(name, text);
	snprintf(name, sizeof(name), "smaps%s%s", dot, when);
	fact_sizes(name, text);
}

long status_kb(const char *field)
{
	char text[8192];

	if (uiot_read_file("/proc/self/status", text, sizeof(text)))
		broken("no status");
	return atol(line_of(text, field));
}

static uint64_t pagemap_of(const char *p)
{
	uint64_t word = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 || pread(fd, &word, 8, (uintptr_t)p / page_size() * 8) != 8)
		broken("no pagemap");
	close(fd);
	return word;
}

/* Prints what mincore() and pagemap say. */
void fact_resident(const char *name, const struct mapping *m)
{
	unsigned char in_core[256] = "";
	int page, resident = 0, ret;
	uint64_t word = pagemap_of(m->p);

	ret = mincore(m->p, m->pages * page_size(), in_core);
	for (page = 0; page < m->pages; page++)
		resident += in_core[page] & 1;
	fact(name, "mincore %s %d; pagemap%s%s%s%s", ret ? strerrorname_np(errno) : "ok",
	     resident, word >> 63 & 1 ? " present" : " none", word >> 62 & 1 ? " swap" : "",
	     word >> 61 & 1 ? " file" : "", word >> 56 & 1 ? " alone" : "");
}

/* Touches */

static long faults_so_far(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_minflt;
}

/* Returns "fine", or the name of the signal. */
static const char *signal_word(int sig)
{
	return sig ? sigabbrev_np(sig) : "fine";
}

int touch(const void *p)
{
	__u32 word;

	return uiot_load_word(p, &word);
}

/* Faults in stack and code must not count, so they have to come before. */
static void warm_up(void)
{
	__u32 word = 0;

	uiot_load_word(&word, &word);
	uiot_store_word(&word, word);
	faults_so_far();
}

void fact_reads(const char *name, const struct mapping *m)
{
	int page, sig = 0, right = 0, raised = 0, first = 0;
	char full[64];
	long faults;
	__u32 word;

	warm_up();
	faults = faults_so_far();
	for (page = 0; page < m->pages; page++) {
		sig = uiot_load_word(m->p + page * page_size(), &word);
		raised += sig != 0;
		first = first ? first : sig;
		right += !sig && word == UIO_SAME_WORD(0, page);
	}
	faults = faults_so_far() - faults;
	snprintf(full, sizeof(full), "%s.faults", name);
	fact(full, "%ld", faults);
	snprintf(full, sizeof(full), "%s.result", name);
	fact(full, "%s, %d signals, %d words right", signal_word(first), raised, right);
}

void fact_writes(const char *name, const struct mapping *m, unsigned int word)
{
	int page, sig, raised = 0, first = 0;
	char full[64];
	long faults;

	warm_up();
	faults = faults_so_far();
	for (page = 0; page < m->pages; page++) {
		sig = uiot_store_word(m->p + page * page_size(), word + page);
		raised += sig != 0;
		first = first ? first : sig;
	}
	faults = faults_so_far() - faults;
	snprintf(full, sizeof(full), "%s.faults", name);
	fact(full, "%ld", faults);
	snprintf(full, sizeof(full), "%s.result", name);
	fact(full, "%s, %d signals", signal_word(first), raised);
}

void fact_seen(const char *name, const struct mapping *m, unsigned int word)
{
	struct uio_same_word at = { };
	int seen = 0, page;

	for (page = 0; page < m->pages; page++) {
		at.page = page;
		if (dev_ioctl(m->dev, UIO_SAME_PEEK, (unsigned long)&at) == 0)
			seen += at.word == word + page;
	}
	fact(name, "%d", seen);
}
