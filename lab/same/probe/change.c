// SPDX-License-Identifier: GPL-2.0-only
/* The driver changes its struct uio_info while the device is in use. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "memory.h"

/* Prints what read, poll, epoll and write give now. */
static void fact_state(const char *state, const struct dev *dev, int fd, int epfd)
{
	struct epoll_event event = { };
	int on = 1, n;

	under("%s", state);
	fact_poll("poll", fd);
	n = epoll_wait(epfd, &event, 1, 0);
	fact("epoll", "%d: %s", n, mask_words(n > 0 ? event.events : 0));
	fact_read("read", fd);
	fact_poll("poll-after-read", fd);
	TRY("write", write(fd, &on, sizeof(on)));
	fact_log(dev, "callbacks");
}

/* The same, before and after a notification. */
static void fact_states(const char *state, const struct dev *dev, int fd, int epfd)
{
	char name[64];

	fact_state(state, dev, fd, epfd);
	dev_notify(dev, 1);
	snprintf(name, sizeof(name), "%s.notified", state);
	fact_state(name, dev, fd, epfd);
}

static int watch(int fd)
{
	int epfd = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };

	if (epfd < 0 || epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event))
		broken("no epoll");
	return epfd;
}

static void irq_changes(const struct group *group)
{
	struct dev dev = dev_plain(group->a);
	int fd = dev_open(&dev, O_RDWR | O_NONBLOCK), epfd = watch(fd), second;

	log_forget(&dev);
	fact_states("first", &dev, fd, epfd);
	dev_set(&dev, UIO_SAME_IRQ, 0, group->b);
	fact_states("changed", &dev, fd, epfd);
	second = dev_open(&dev, O_RDWR | O_NONBLOCK);
	log_forget(&dev);
	fact_states("changed.second-file", &dev, second, watch(second));
	dev_set(&dev, UIO_SAME_IRQ, 0, group->a);
	fact_states("changed-back", &dev, fd, epfd);
	dev_set(&dev, UIO_SAME_IRQ, 0, group->b);
	fact_states("changed-once-more", &dev, fd, epfd);
	/* unregistration must not free a line that was not requested */
	dev_set(&dev, UIO_SAME_IRQ, 0, UIO_SAME_IRQ_NONE);
}

/* Like igb_uio: there is no interrupt until the device is opened. */
static void irq_in_open(const struct group *group)
{
	struct dev dev = dev_new();
	int fd;

	dev_set(&dev, UIO_SAME_IRQ, 0, group->a);
	dev_set(&dev, UIO_SAME_IRQ_IN, UIO_SAME_OPEN, group->b);
	dev_set(&dev, UIO_SAME_IRQ_IN, UIO_SAME_RELEASE, group->a);
	dev_up(&dev);
	fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	log_forget(&dev);
	fact_states("opened", &dev, fd, watch(fd));
	close(fd);
	fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	log_forget(&dev);
	fact_states("opened-again", &dev, fd, watch(fd));
	dev_set(&dev, UIO_SAME_IRQ_IN, UIO_SAME_OPEN, group->a);
	dev_open(&dev, O_RDWR);
	log_forget(&dev);
	fact_states("opened-otherwise", &dev, fd, watch(fd));
}

/* The interrupt goes while a reader and a poller wait. */
static void irq_goes_under_waiters(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	struct uiot_op *op;
	unsigned int i;

	(void)group;
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		under("%s", ways[i].name);
		dev_set(&dev, UIO_SAME_IRQ, 0, UIO_SAME_IRQ_CUSTOM);
		op = op_start(ways[i].fn, dev_open(&dev, O_RDWR));
		fact_asleep("waits", op);
		dev_set(&dev, UIO_SAME_IRQ, 0, UIO_SAME_IRQ_NONE);
		fact_asleep("goes-on-waiting", op);
		dev_notify(&dev, 1);
		fact_done("notified", op);
		fact("events", "%s", mask_words(op->events));
		dev_set(&dev, UIO_SAME_IRQ, 0, UIO_SAME_IRQ_CUSTOM);
	}
}

static void notify_inside(const struct group *group)
{
	struct dev dev = dev_new();
	int fd, on = 1;

	(void)group;
	dev_set(&dev, UIO_SAME_NOTIFY_IN, UIO_SAME_OPEN, 1);
	dev_set(&dev, UIO_SAME_NOTIFY_IN, UIO_SAME_RELEASE, 1);
	dev_set(&dev, UIO_SAME_NOTIFY_IN, UIO_SAME_IRQCONTROL, 3);
	dev_up(&dev);
	fd = dev_open(&dev, O_RDWR | O_NONBLOCK);
	fact_poll("poll-after-open", fd);
	fact_read("read-after-open", fd);
	TRY("write", write(fd, &on, sizeof(on)));
	fact_read("read-after-write", fd);
	close(dev_open(&dev, O_RDWR));
	fact_read("read-after-others-open-and-close", fd);
}

static void callbacks_change(const struct group *group)
{
	struct dev dev = dev_plain(UIO_SAME_IRQ_CUSTOM);
	int fd = dev_open(&dev, O_RDWR), on = 1;

	(void)group;
	log_forget(&dev);
	TRY("write", write(fd, &on, sizeof(on)));
	dev_set(&dev, UIO_SAME_HAS, UIO_SAME_IRQCONTROL, 0);
	TRY("write-without-irqcontrol", write(fd, &on, sizeof(on)));
	dev_set(&dev, UIO_SAME_HAS, UIO_SAME_IRQCONTROL, 1);
	TRY("write-with-it-again", write(fd, &on, sizeof(on)));
	fact_log(&dev, "callbacks");
	dev_set(&dev, UIO_SAME_HAS, UIO_SAME_RELEASE, 0);
	close(fd);
	fact_log(&dev, "close-without-release");
	dev_set(&dev, UIO_SAME_HAS, UIO_SAME_RELEASE, 1);
	dev_set(&dev, UIO_SAME_HAS, UIO_SAME_OPEN, 0);
	fd = dev_open(&dev, O_RDWR);
	fact_log(&dev, "open-without-open");
	close(fd);
	fact_log(&dev, "close-with-release-again");
	dev_set(&dev, UIO_SAME_HAS, UIO_SAME_OPEN, 1);
	dev_set(&dev, UIO_SAME_RETURN, UIO_SAME_OPEN, -EBUSY);
	TRY_OK("open-with-open-again", open(dev.node, O_RDWR));
	fact_log(&dev, "open-again");
}

static void names_change(const struct group *group)
{
	struct dev dev = dev_new();

	(void)group;
	dev_mem(&dev, 0, UIO_SAME_PAGES, UIO_SAME_LOGICAL, 4);
	dev_text(&dev, UIO_SAME_MEM_NAME, 0, "first");
	dev_text(&dev, UIO_SAME_PORT_NAME, 0, "port");
	dev_set(&dev, UIO_SAME_PORT_SIZE, 0, 8);
	dev_up(&dev);
	dev_text(&dev, UIO_SAME_NAME, 0, "changed");
	fact_attribute(&dev, "name", "name");
	dev_text(&dev, UIO_SAME_VERSION, 0, "2.0");
	fact_attribute(&dev, "version", "version");
	dev_text(&dev, UIO_SAME_NAME, 0, NULL);
	fact_attribute(&dev, "name-null", "name");
	dev_text(&dev, UIO_SAME_NAME, 0, "again");
	dev_text(&dev, UIO_SAME_VERSION, 0, NULL);
	fact_attribute(&dev, "version-null", "version");
	dev_text(&dev, UIO_SAME_MEM_NAME, 0, "second");
	fact_attribute(&dev, "map-name", "maps/map0/name");
	dev_text(&dev, UIO_SAME_MEM_NAME, 0, NULL);
	fact_attribute(&dev, "map-name-null", "maps/map0/name");
	dev_text(&dev, UIO_SAME_PORT_NAME, 0, "other");
	fact_attribute(&dev, "port-name", "portio/port0/name");
	dev_set(&dev, UIO_SAME_PORT_START, 0, 0x123);
	fact_attribute(&dev, "port-start", "portio/port0/start");
	dev_set(&dev, UIO_SAME_PORT_TYPE, 0, 2);
	fact_attribute(&dev, "port-type", "portio/port0/porttype");
	dev_set(&dev, UIO_SAME_MEM_OFFS, 0, 0x77);
	fact_attribute(&dev, "map-offset", "maps/map0/offset");
	dev_set(&dev, UIO_SAME_MEM_SIZE, 0, 0x3000);
	fact_attribute(&dev, "map-size", "maps/map0/size");
	dev_set(&dev, UIO_SAME_MEM_ADDR, 0, 0x1000);
	fact_attribute(&dev, "map-addr", "maps/map0/addr");
	/* restore it, because mainline's unregistration uses it */
	dev_set(&dev, UIO_SAME_MEM_SIZE, 0, 4 * page_size());
}

static const char *which(unsigned int word)
{
	if ((word & ~0xffu) == UIO_SAME_WORD(0, 0))
		return word & 0x80 ? "the new memory" : "the old memory";
	return "neither";
}

/* Gives region 0 other memory. A bit in their words marks the new pages. */
static void move_region(const struct dev *dev, const struct group *group)
{
	int page;

	dev_mem(dev, 0, group->a == VIRTUAL || group->a == OWN_FAULT ? UIO_SAME_VMALLOC :
			group->a == DMA ? UIO_SAME_COHERENT : UIO_SAME_PAGES, group->b, 8);
	for (page = 0; page < 8; page++)
		dev_poke(dev, 0, page, UIO_SAME_WORD(0, page | 0x80));
}

static void fact_which(const char *name, const struct mapping *m, int page)
{
	__u32 word = 0;

	if (uiot_load_word(m->p + page * page_size(), &word))
		fact(name, "signal");
	else
		fact(name, "%s", which(word));
}

static void address_changes(const struct group *group)
{
	struct dev dev = dev_of(group->a, 8);
	int fd = dev_open(&dev, O_RDWR);
	struct mapping old = map(&dev, fd, 8, MAP_SHARED), new;
	struct mapping private = map(&dev, fd, 8, MAP_PRIVATE);

	touch(old.p);
	touch(private.p);
	move_region(&dev, group);
	new = map(&dev, fd, 8, MAP_SHARED);
	fact_which("old-mapping.touched", &old, 0);
	fact_which("old-mapping.untouched", &old, 7);
	fact_which("old-private.touched", &private, 0);
	fact_which("old-private.untouched", &private, 7);
	fact_which("new-mapping", &new, 0);
	fact_which("new-mapping.last", &new, 7);
}

static void size_changes(const struct group *group)
{
	struct dev dev = dev_of(group->a, 8);
	int fd = dev_open(&dev, O_RDWR), to;
	struct mapping old = map(&dev, fd, 8, MAP_SHARED), m;
	static const int sizes[] = { 1, 4, 7, 8, 0 };
	unsigned int i;

	touch(old.p);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		to = sizes[i];
		under("to-%d", to);
		dev_set(&dev, UIO_SAME_MEM_SIZE, 0, to * page_size());
		fact_attribute(&dev, "size", "maps/map0/size");
		fact("old-mapping.touched", "%d", touch(old.p));
		fact("old-mapping.in-it", "%d", touch(old.p + (to ? to - 1 : 0) * page_size()));
		m = map(&dev, fd, 8, MAP_SHARED);
		fact_ok("map-8", mapped(&m) ? 0 : -1);
		if (mapped(&m))
			unmap(&m);
		m = map(&dev, fd, 4, MAP_SHARED);
		fact_ok("map-4", mapped(&m) ? 0 : -1);
		if (mapped(&m))
			unmap(&m);
	}
	dev_set(&dev, UIO_SAME_MEM_SIZE, 0, 8 * page_size());
	under("as-it-was");
	m = map(&dev, fd, 8, MAP_SHARED);
	fact_ok("map-8", mapped(&m) ? 0 : -1);
}

/* Untouched pages of an old mapping that are outside the region now. */
static void size_shrinks(const struct group *group)
{
	struct dev dev = dev_of(group->a, 8);
	struct mapping old = map(&dev, dev_open(&dev, O_RDWR), 8, MAP_SHARED);

	touch(old.p);
	dev_set(&dev, UIO_SAME_MEM_SIZE, 0, 2 * page_size());
	fact("inside", "%d", touch(old.p + page_size()));
	fact("outside", "%d", touch(old.p + 5 * page_size()));
	dev_set(&dev, UIO_SAME_MEM_SIZE, 0, 0);
	fact("none", "%d", touch(old.p + 7 * page_size()));
	dev_set(&dev, UIO_SAME_MEM_SIZE, 0, 8 * page_size());
	fact("back", "%d", touch(old.p + 7 * page_size()));
}

static void type_changes(const struct group *group)
{
	static const int types[] = {
		UIO_SAME_NONE, UIO_SAME_PHYS, UIO_SAME_IOVA, UIO_SAME_LOGICAL,
		UIO_SAME_VIRTUAL, UIO_SAME_DMA, 77,
	};
	struct dev dev = dev_of(group->a, 8);
	int fd = dev_open(&dev, O_RDWR);
	struct mapping old = map(&dev, fd, 8, MAP_SHARED), m;
	unsigned int i;

	touch(old.p);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		/* only the address of PHYS memory is a physical one */
		if (group->a != PHYS &&
		    (types[i] == UIO_SAME_PHYS || types[i] == UIO_SAME_IOVA))
			continue;
		under("to-%d", types[i]);
		dev_set(&dev, UIO_SAME_MEM_TYPE, 0, types[i]);
		m = map(&dev, fd, 1, MAP_SHARED);
		fact_ok("mmap", mapped(&m) ? 0 : -1);
		fact("old-mapping.touched", "%d", touch(old.p));
		if (mapped(&m))
			unmap(&m);
	}
}

/* The type changes before a page is touched. */
static void type_changes_early(const struct group *group)
{
	static const int types[] = {
		UIO_SAME_NONE, UIO_SAME_PHYS, UIO_SAME_IOVA, UIO_SAME_DMA, 77,
	};
	struct dev dev = dev_of(group->a, 8);
	struct mapping m = map(&dev, dev_open(&dev, O_RDWR), 8, MAP_SHARED);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		under("to-%d", types[i]);
		dev_set(&dev, UIO_SAME_MEM_TYPE, 0, types[i]);
		fact("touch", "%d", touch(m.p + i * page_size()));
		fact_page("page", &m, i);
	}
	dev_set(&dev, UIO_SAME_MEM_TYPE, 0, UIO_SAME_VIRTUAL);
	fact("back", "%d", touch(m.p + 7 * page_size()));
}

/* Regions that did not exist at registration, and gaps. */
static void regions_come(const struct group *group)
{
	struct dev dev = dev_of(group->a, 2);
	int fd = dev_open(&dev, O_RDWR);
	void *p;
	int i;

	dev_mem(&dev, 3, UIO_SAME_PAGES, UIO_SAME_LOGICAL, 2);
	fact_attribute(&dev, "in-sysfs", "maps/map3/size");
	for (i = 0; i < 5; i++) {
		char name[16];

		snprintf(name, sizeof(name), "region-%d", i);
		errno = 0;
		p = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, fd, i * page_size());
		fact_ok(name, (long)p);
		if (i == 3 && p != MAP_FAILED)
			fact("word", "%#x", *(unsigned int *)p);
	}
}

static void own_mmap_comes(const struct group *group)
{
	struct dev dev = dev_of(LOGICAL, 4);
	int fd = dev_open(&dev, O_RDWR);
	struct mapping before = map(&dev, fd, 4, MAP_SHARED), with, after;

	(void)group;
	log_forget(&dev);
	dev_set(&dev, UIO_SAME_OWN_MMAP, 0, UIO_SAME_MMAP_FAULT);
	with = map(&dev, fd, 4, MAP_SHARED);
	fact_log(&dev, "mmap-with-it");
	fact_reads("with-it", &with);
	fact_log(&dev, "touches-with-it");
	fact_reads("before-it", &before);
	fact_log(&dev, "touches-before-it");
	dev_set(&dev, UIO_SAME_OWN_MMAP, 0, UIO_SAME_MMAP_NONE);
	after = map(&dev, fd, 4, MAP_SHARED);
	fact_log(&dev, "mmap-after-it");
	fact_reads("after-it", &after);
	fact_reads("with-it-again", &with);
	unmap(&with);
	unmap(&before);
	fact_reads("after-all", &after);
	fact_log(&dev, "the-rest");
}

const struct group change_groups[] = {
	{ "change.irq.none-custom", irq_changes, UIO_SAME_IRQ_NONE, UIO_SAME_IRQ_CUSTOM },
	{ "change.irq.custom-none", irq_changes, UIO_SAME_IRQ_CUSTOM, UIO_SAME_IRQ_NONE },
	{ "change.irq.custom-number", irq_changes, UIO_SAME_IRQ_CUSTOM, 5 },
	{ "change.irq-in-open.none-custom", irq_in_open, UIO_SAME_IRQ_NONE,
	  UIO_SAME_IRQ_CUSTOM },
	{ "change.irq-in-open.custom-none", irq_in_open, UIO_SAME_IRQ_CUSTOM,
	  UIO_SAME_IRQ_NONE },
	{ "change.irq-goes-under-waiters", irq_goes_under_waiters },
	{ "change.notify-in-callbacks", notify_inside },
	{ "change.callbacks", callbacks_change },
	{ "change.names", names_change },
	{ "change.address.phys", address_changes, PHYS, UIO_SAME_PHYS },
	{ "change.address.iova", address_changes, IOVA, UIO_SAME_IOVA },
	{ "change.address.logical", address_changes, LOGICAL, UIO_SAME_LOGICAL },
	{ "change.address.virtual", address_changes, VIRTUAL, UIO_SAME_VIRTUAL },
	{ "change.address.dma", address_changes, DMA, UIO_SAME_DMA },
	{ "change.address.own-wc", address_changes, OWN_WC, UIO_SAME_PHYS },
	{ "change.address.own-fault", address_changes, OWN_FAULT, UIO_SAME_NONE },
	{ "change.size.phys", size_changes, PHYS },
	{ "change.size.iova", size_changes, IOVA },
	{ "change.size.logical", size_changes, LOGICAL },
	{ "change.size.virtual", size_changes, VIRTUAL },
	{ "change.size.dma", size_changes, DMA },
	{ "change.size.own-fault", size_changes, OWN_FAULT },
	{ "change.shrink.phys", size_shrinks, PHYS },
	{ "change.shrink.logical", size_shrinks, LOGICAL },
	{ "change.shrink.virtual", size_shrinks, VIRTUAL },
	{ "change.shrink.dma", size_shrinks, DMA },
	{ "change.type.logical", type_changes, LOGICAL },
	{ "change.type.phys", type_changes, PHYS },
	{ "change.type.dma", type_changes, DMA },
	{ "change.type-early.virtual", type_changes_early, VIRTUAL },
	{ "change.regions.logical", regions_come, LOGICAL },
	{ "change.own-mmap", own_mmap_comes },
	{ }
};
