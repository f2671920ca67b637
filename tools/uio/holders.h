/* SPDX-License-Identifier: GPL-2.0-only */
/* uio-late-release holders: UIO devices, and the processes that hold them. */

#ifndef _UIO_HOLDERS_H
#define _UIO_HOLDERS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define UNKNOWN		UINT64_MAX

/* A device node. The kernel makes a new one in /dev for each registration. */
struct node {
	uint64_t dev;
	uint64_t ino;
	unsigned int minor;
	bool deleted;
};

/* What the kernel says about an open file, in its fdinfo. Mainline says nothing. */
struct facts {
	uint64_t serial;
	char *device;
	char *name;
	char *state;
	bool revoked;
	uint64_t ring;
	uint64_t data;
};

/* A process, or a thread that has descriptors of its own. */
struct task {
	pid_t pid;
	pid_t tid;
	char command[64];
};

struct holder {
	struct task task;
	unsigned int descriptors;
	unsigned int revoked;
	uint64_t mapped;
	uint64_t present;
};

/* A device is known by its serial number, or else by its node. */
struct device {
	struct facts facts;
	struct node node;
	struct holder *holders;
	size_t nr_holders;
};

/* tcm-user/HBA/NAME/HANDLER/..., the name of a device of TCMU */
struct backstore {
	char *path;		/* user_HBA/NAME, as below core/ in configfs */
	char *handler;
};

/* devices.c */
extern struct device **devices;
extern size_t nr_devices;

void found_descriptor(const struct task *task, const struct node *node, struct facts *facts);
void found_mapping(const struct task *task, const struct node *node, uint64_t bytes);
/* how much of a mapping that was found is in memory */
void found_present(const struct task *task, const struct node *node, uint64_t bytes);
void complete_devices(unsigned int major);
const char *state_of(const struct device *dev);	/* live, revoked, removed, or NULL */
bool backstore_of(const struct device *dev, struct backstore *store);

/* fdinfo.c */
void read_facts(int dir, const char *path, struct facts *facts);

/* procfs.c */
bool find_major(unsigned int *major);
unsigned int scan_processes(unsigned int major);	/* how many could not be seen */

/* print.c */
void print_text(void);
void print_json(unsigned int unseen);

#endif /* _UIO_HOLDERS_H */
