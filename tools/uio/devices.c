// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio-late-release: the devices that have holders.
 *
 * An open file tells the serial number of its device. A mapping only tells its device node.
 * It belongs to the device whose files have the same node. If there is none, or more than one
 * because the node is not the kernel's own, the mapping is shown without a serial number.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "holders.h"
#include "tool.h"

struct device **devices;
size_t nr_devices;

/* the nodes through which each device is open */
static struct use {
	struct node node;
	struct device *dev;
} *uses;
static size_t nr_uses;

static struct mapping {
	struct task task;
	struct node node;
	uint64_t bytes;
	uint64_t present;
} *mappings;
static size_t nr_mappings;

static bool same_node(const struct node *a, const struct node *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->minor == b->minor;
}

static bool same_task(const struct task *a, const struct task *b)
{
	return a->pid == b->pid && a->tid == b->tid;
}

static struct device *find_device(uint64_t serial, const struct node *node)
{
	size_t i;

	for (i = 0; i < nr_devices; i++) {
		struct device *dev = devices[i];

		if (dev->facts.serial != serial)
			continue;
		if (serial != UNKNOWN || same_node(&dev->node, node))
			return dev;
	}
	return NULL;
}

static struct device *add_device(const struct node *node)
{
	struct device *dev = grow(NULL, 0, sizeof(*dev));

	*dev = (struct device) {
		.facts = { .serial = UNKNOWN, .ring = UNKNOWN, .data = UNKNOWN },
		.node = *node,
	};
	devices = grow(devices, nr_devices, sizeof(*devices));
	devices[nr_devices++] = dev;
	return dev;
}

static void free_facts(const struct facts *facts)
{
	free(facts->device);
	free(facts->name);
	free(facts->state);
}

/* Descriptors of one process come one after the other. So the last holder is the one. */
static struct holder *holder_of(struct device *dev, const struct task *task)
{
	struct holder *last = dev->nr_holders ? &dev->holders[dev->nr_holders - 1] : NULL;

	if (last && same_task(&last->task, task))
		return last;
	dev->holders = grow(dev->holders, dev->nr_holders, sizeof(*dev->holders));
	last = &dev->holders[dev->nr_holders++];
	*last = (struct holder) { .task = *task };
	return last;
}

static void add_use(struct device *dev, const struct node *node)
{
	size_t i;

	for (i = 0; i < nr_uses; i++)
		if (uses[i].dev == dev && same_node(&uses[i].node, node))
			return;
	uses = grow(uses, nr_uses, sizeof(*uses));
	uses[nr_uses++] = (struct use) { *node, dev };
}

/* Takes over the texts in @facts. */
void found_descriptor(const struct task *task, const struct node *node, struct facts *facts)
{
	struct device *dev = find_device(facts->serial, node);
	struct holder *holder;

	if (!dev)
		dev = add_device(node);
	/* the state may have changed since another file was read */
	free_facts(&dev->facts);
	dev->facts = *facts;
	dev->node.deleted |= node->deleted;
	add_use(dev, node);
	holder = holder_of(dev, task);
	holder->descriptors++;
	holder->revoked += facts->revoked;
}

void found_mapping(const struct task *task, const struct node *node, uint64_t bytes)
{
	struct mapping *last = nr_mappings ? &mappings[nr_mappings - 1] : NULL;

	if (last && same_task(&last->task, task) && same_node(&last->node, node)) {
		last->bytes += bytes;
		return;
	}
	mappings = grow(mappings, nr_mappings, sizeof(*mappings));
	mappings[nr_mappings++] = (struct mapping) { *task, *node, bytes, UNKNOWN };
}

/* The process is the last one that was looked at. */
void found_present(const struct task *task, const struct node *node, uint64_t bytes)
{
	size_t i;

	for (i = nr_mappings; i && same_task(&mappings[i - 1].task, task); i--) {
		if (!same_node(&mappings[i - 1].node, node))
			continue;
		if (mappings[i - 1].present == UNKNOWN)
			mappings[i - 1].present = 0;
		mappings[i - 1].present += bytes;
		return;
	}
}

static struct device *device_of_mapping(const struct node *node)
{
	struct device *dev = NULL;
	size_t i;

	for (i = 0; i < nr_uses; i++) {
		if (!same_node(&uses[i].node, node))
			continue;
		if (dev) {
			dev = NULL;
			break;
		}
		dev = uses[i].dev;
	}
	if (!dev)
		dev = find_device(UNKNOWN, node);
	return dev ? dev : add_device(node);
}

/* The process may also have the device open: then it is a holder already. */
static struct holder *holder_of_mapping(struct device *dev, pid_t pid)
{
	size_t i;

	for (i = 0; i < dev->nr_holders; i++)
		if (dev->holders[i].task.pid == pid)
			return &dev->holders[i];
	return NULL;
}

static void add_mapping(const struct mapping *mapping)
{
	struct device *dev = device_of_mapping(&mapping->node);
	struct holder *holder = holder_of_mapping(dev, mapping->task.pid);

	if (!holder)
		holder = holder_of(dev, &mapping->task);
	holder->mapped += mapping->bytes;
	if (holder->present == UNKNOWN || mapping->present == UNKNOWN)
		holder->present = UNKNOWN;
	else
		holder->present += mapping->present;
	dev->node.deleted |= mapping->node.deleted;
}

/* What sysfs says about the device that has the name now. */
static char *attribute(const struct device *dev, const char *name)
{
	char *path = format("/sys/class/uio/%s/%s", dev->facts.device, name);
	char *value = read_line(path);

	free(path);
	return value;
}

static bool number_is_used(const struct device *dev, unsigned int major)
{
	char *number = attribute(dev, "dev");
	char *wanted = format("%u:%u", major, dev->node.minor);
	bool used = number && !strcmp(number, wanted);

	free(number);
	free(wanted);
	return used;
}

static bool is_node_of_name(const struct device *dev)
{
	char *path = format("/dev/%s", dev->facts.device);
	struct stat st;
	bool same = !stat(path, &st) && st.st_dev == dev->node.dev &&
		    st.st_ino == dev->node.ino;

	free(path);
	return same;
}

/* Has the kernel deleted the node? Other nodes say nothing about the device. */
static bool was_deleted(const struct device *dev)
{
	struct stat st;

	return dev->node.deleted && !stat("/dev", &st) && st.st_dev == dev->node.dev;
}

static char *guess_state(const struct device *dev, unsigned int major)
{
	if (!number_is_used(dev, major) || was_deleted(dev))
		return copy_of("removed");
	return is_node_of_name(dev) ? copy_of("live") : NULL;
}

/* What the kernel has not said. */
static void complete_facts(struct device *dev, unsigned int major)
{
	struct facts *facts = &dev->facts;

	if (!facts->device)
		facts->device = format("uio%u", dev->node.minor);
	if (!facts->state)
		facts->state = guess_state(dev, major);
	if (!facts->name && facts->state && !strcmp(facts->state, "live"))
		facts->name = attribute(dev, "name");
}

/* "drained" is a revoked device in which no call of the driver is left. */
const char *state_of(const struct device *dev)
{
	const char *state = dev->facts.state;

	return state && !strcmp(state, "drained") ? "removed" : state;
}

static int rank_of(const struct device *dev)
{
	const char *state = state_of(dev);

	return !state ? 2 : !strcmp(state, "removed") ? 0 : !strcmp(state, "revoked") ? 1 : 3;
}

/* Devices that are gone come first, the oldest first. */
static int compare(const void *one, const void *other)
{
	const struct device *a = *(struct device *const *)one;
	const struct device *b = *(struct device *const *)other;

	if (rank_of(a) != rank_of(b))
		return rank_of(a) - rank_of(b);
	if (a->facts.serial != b->facts.serial)
		return a->facts.serial < b->facts.serial ? -1 : 1;
	if (a->node.minor != b->node.minor)
		return a->node.minor < b->node.minor ? -1 : 1;
	return a->node.ino < b->node.ino ? -1 : a->node.ino > b->node.ino;
}

void complete_devices(unsigned int major)
{
	size_t i;

	for (i = 0; i < nr_mappings; i++)
		add_mapping(&mappings[i]);
	for (i = 0; i < nr_devices; i++)
		complete_facts(devices[i], major);
	if (nr_devices)
		qsort(devices, nr_devices, sizeof(*devices), compare);
}

bool backstore_of(const struct device *dev, struct backstore *store)
{
	const char *name = dev->facts.name, *hba, *end;
	uint64_t number;

	if (!name || !starts_with(name, "tcm-user/"))
		return false;
	hba = name + strlen("tcm-user/");
	name = parse_number(hba, 10, &number);
	if (!name || *name != '/')
		return false;
	end = strchrnul(++name, '/');
	store->path = format("user_%u/%.*s", (unsigned int)number, (int)(end - name), name);
	store->handler = NULL;
	if (*end)
		store->handler = format("%.*s", (int)strcspn(end + 1, "/"), end + 1);
	return true;
}
