// SPDX-License-Identifier: GPL-2.0-only
/* uio-late-release: shows devices and their holders, for people and for programs. */

#include <string.h>

#include "holders.h"
#include "tool.h"

/* ---- text */

static void human(char *text, size_t size, uint64_t bytes)
{
	static const char units[] = " KMGTPE";
	uint64_t rest = 0;
	int unit = 0;

	while (bytes >= 1024 && units[unit + 1]) {
		rest = bytes % 1024;
		bytes /= 1024;
		unit++;
	}
	if (unit && bytes < 10)
		snprintf(text, size, "%u.%u%c", (unsigned int)bytes,
			 (unsigned int)(rest * 10 / 1024), units[unit]);
	else if (unit)
		snprintf(text, size, "%u%c", (unsigned int)bytes, units[unit]);
	else
		snprintf(text, size, "%u", (unsigned int)bytes);
}

static void print_bytes(uint64_t bytes)
{
	char text[16] = "-";

	if (bytes != UNKNOWN)
		human(text, sizeof(text), bytes);
	printf("%7s ", text);
}

/* Only TCMU says it. */
static uint64_t ring_of(const struct device *dev)
{
	const struct facts *facts = &dev->facts;

	if (facts->ring == UNKNOWN && facts->data == UNKNOWN)
		return UNKNOWN;
	return (facts->ring == UNKNOWN ? 0 : facts->ring) +
	       (facts->data == UNKNOWN ? 0 : facts->data);
}

static void print_name(const struct device *dev)
{
	struct backstore store;

	if (!backstore_of(dev, &store)) {
		print_clean(dev->facts.name ? dev->facts.name : "-", 0);
		return;
	}
	print_clean(store.path, 0);
	if (!store.handler)
		return;
	printf(" (");
	print_clean(store.handler, 0);
	printf(")");
}

static void print_row(const struct device *dev, const struct holder *holder)
{
	const struct task *task = &holder->task;
	char number[32] = "-";

	if (dev->facts.serial != UNKNOWN)
		snprintf(number, sizeof(number), "%llu",
			 (unsigned long long)dev->facts.serial);
	printf("%6s ", number);
	print_clean(dev->facts.device, 6);
	printf(" %-7s ", state_of(dev) ? state_of(dev) : "-");
	print_bytes(ring_of(dev));
	if (task->tid == task->pid)
		snprintf(number, sizeof(number), "%d", task->pid);
	else
		snprintf(number, sizeof(number), "%d/%d", task->pid, task->tid);
	printf("%7s ", number);
	print_clean(task->command, 15);
	printf(" %5u ", holder->descriptors);
	print_bytes(holder->mapped);
	print_bytes(holder->present);
	print_name(dev);
	printf("\n");
}

void print_text(void)
{
	size_t i, j;

	printf("%6s %-6s %-7s %7s %7s %-15s %5s %7s %7s %s\n", "SERIAL", "DEVICE", "STATE",
	       "RING", "PID", "COMMAND", "OPEN", "MAPPED", "PRESENT", "NAME");
	for (i = 0; i < nr_devices; i++)
		for (j = 0; j < devices[i]->nr_holders; j++)
			print_row(devices[i], &devices[i]->holders[j]);
}

/* ---- JSON */

static void json_number(const char *key, uint64_t number)
{
	if (number == UNKNOWN)
		printf("\"%s\": null", key);
	else
		printf("\"%s\": %llu", key, (unsigned long long)number);
}

static void json_holder(const struct holder *holder)
{
	printf("        { ");
	json_number("pid", holder->task.pid);
	printf(", ");
	json_number("tid", holder->task.tid);
	printf(", ");
	json_text("command", holder->task.command);
	printf(", ");
	json_number("descriptors", holder->descriptors);
	printf(", ");
	json_number("revoked_descriptors", holder->revoked);
	printf(", ");
	json_number("mapped_bytes", holder->mapped);
	printf(", ");
	json_number("present_bytes", holder->present);
	printf(" }");
}

static void json_device(const struct device *dev)
{
	struct backstore store = {};
	size_t i;

	backstore_of(dev, &store);
	printf("    {\n      ");
	json_number("serial", dev->facts.serial);
	printf(",\n      ");
	json_text("device", dev->facts.device);
	printf(",\n      ");
	json_text("state", state_of(dev));
	printf(",\n      ");
	json_text("name", dev->facts.name);
	printf(",\n      ");
	json_text("backstore", store.path);
	printf(",\n      ");
	json_text("handler", store.handler);
	printf(",\n      ");
	json_number("ring_bytes", dev->facts.ring);
	printf(",\n      ");
	json_number("data_bytes", dev->facts.data);
	printf(",\n      \"holders\": [\n");
	for (i = 0; i < dev->nr_holders; i++) {
		json_holder(&dev->holders[i]);
		printf("%s\n", i + 1 < dev->nr_holders ? "," : "");
	}
	printf("      ]\n    }");
}

void print_json(unsigned int unseen)
{
	size_t i;

	printf("{\n  \"devices\": [\n");
	for (i = 0; i < nr_devices; i++) {
		json_device(devices[i]);
		printf("%s\n", i + 1 < nr_devices ? "," : "");
	}
	printf("  ],\n  ");
	json_number("unseen_processes", unseen);
	printf("\n}\n");
}
