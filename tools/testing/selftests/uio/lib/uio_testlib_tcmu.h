/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Library of the TCMU tests: devices in configfs, their SCSI units, and a daemon's side of
 * TCMU's netlink. Functions return 0 or a negative error code unless a comment says
 * otherwise. Each wait has a time-out.
 */

#ifndef _UIO_TESTLIB_TCMU_H
#define _UIO_TESTLIB_TCMU_H

#include "uio_testlib.h"
#include "uio_testlib_ring.h"

#define UIOT_TCMU_HBA	"/sys/kernel/config/target/core/user_0"

struct uiot_tcmu {
	char name[32];
	char dir[72];
	struct uiot_dev uio;	/* only its node is used */
	size_t size;		/* of the ring */
};

int uiot_tcmu_setup(void);
/* the same for a test that sends commands to a SCSI unit */
#define UIOT_LUN_SETUP() do {						\
	UIOT_NEED(uiot_tcmu_setup());					\
	UIOT_NEED(uiot_load("tcm_loop"));				\
	UIOT_NEED(uiot_load("sg"));					\
} while (0)
/* creates a device that has no daemon and needs none */
int uiot_tcmu_create(struct uiot_tcmu *tcmu, const char *name);
/* the same in steps; enabling tells the daemon */
int uiot_tcmu_make(struct uiot_tcmu *tcmu, const char *name, const char *config);
int uiot_tcmu_enable(struct uiot_tcmu *tcmu);
int uiot_tcmu_find(struct uiot_tcmu *tcmu);
int uiot_tcmu_delete(struct uiot_tcmu *tcmu);
/* makes a SCSI unit of the device: unit 0, of which there can be only one, or any other */
int uiot_tcmu_export(struct uiot_tcmu *tcmu);
void uiot_tcmu_unexport(void);
int uiot_tcmu_export_as(struct uiot_tcmu *tcmu, unsigned int nr);
void uiot_tcmu_unexport_as(unsigned int nr);
/*
 * Finds the node of the unit, for SG_IO. If the daemon did not answer, there is none, until
 * the kernel scans again.
 */
int uiot_tcmu_find_sg(unsigned int nr, char *node, size_t size);
int uiot_tcmu_scan(unsigned int nr);
/* deletes all that a failed test has left */
void uiot_tcmu_delete_all(void);
/* operations that wait for the daemon's answer; addr is a struct uiot_tcmu */
long uiot_op_enable(struct uiot_op *op);
long uiot_op_delete(struct uiot_op *op);
long uiot_op_grow(struct uiot_op *op);	/* the kernel asks the daemon to change the size */
/* like uiot_join(); if the operation does not end, resets netlink to end it */
int uiot_join_or_reset(struct uiot_op *op);

/* Expects that the operation has ended, with this result. */
#define UIOT_ENDED(_op, _ret) do {					\
	struct uiot_op *_ended = (_op);					\
									\
	ASSERT_EQ(0, uiot_join_or_reset(_ended)) {			\
		TH_LOG("waits for the daemon");				\
	}								\
	EXPECT_EQ(_ret, _ended->ret);					\
} while (0)

/* read and write a file in the device's directory */
int uiot_tcmu_get(struct uiot_tcmu *tcmu, const char *file, char *buf, size_t size);
int uiot_tcmu_set(struct uiot_tcmu *tcmu, const char *file, const char *text);
int uiot_tcmu_param(const char *name, const char *text);
/* Mainline's module lacks what some tests are about. */
#define UIOT_TCMU_IS_MAINLINE() (uiot_tcmu_param("revoked_fault", "sigbus") != 0)
#define UIOT_TCMU_SKIP_ON_MAINLINE() do {				\
	if (UIOT_TCMU_IS_MAINLINE())					\
		SKIP(return, "this core has no contexts");		\
} while (0)
/* sets how long the kernel waits for a daemon; mainline has no such setting */
void uiot_tcmu_set_time_out(struct uiot_tcmu *tcmu, const char *seconds);

/* maps the whole ring */
void *uiot_tcmu_map(const struct uiot_tcmu *tcmu, int fd);
/* returns how many rings the kernel has */
int uiot_tcmu_rings(void);

/*
 * A SCSI unit. The test acts as its daemon: commands wait in the ring until the test
 * answers them. So an operation that sends a command, such as uiot_op_transfer(), has to
 * run in a thread.
 */
struct uiot_lun {
	struct uiot_tcmu *tcmu;
	int fd;			/* of the ring */
	struct tcmu_mailbox *ring;
	int scsi;		/* a descriptor of the unit */
	int command_ms;		/* when SCSI ends a command; 0: later than any test does */
	struct uiot_op exporter;
};

/* the data of a read or write, as the initiator or the daemon sees it */
struct uiot_lun_data {
	bool is_write;
	void *p;
	size_t size;
	__u32 sector;
};

enum uiot_lun_what {
	UIOT_LUN_ALL,
	UIOT_LUN_NO_TRANSFERS,	/* stops before the first read or write */
};

/* @fd: the ring, or the error that open() returned */
int uiot_lun_open_ring(struct uiot_lun *lun, struct uiot_tcmu *tcmu, int fd);
void uiot_lun_close_ring(struct uiot_lun *lun);
/* maps the ring again while the unit stays attached */
int uiot_lun_reopen_ring(struct uiot_lun *lun);
/* answers the commands that the kernel sends to a new unit */
int uiot_lun_attach(struct uiot_lun *lun);
/* makes a unit of a new device; its commands time out after 4 s */
int uiot_lun_create(struct uiot_lun *lun, struct uiot_tcmu *tcmu);
void uiot_lun_detach(struct uiot_lun *lun);

/* answers commands; returns whether the kernel got an answer */
bool uiot_lun_answer(struct uiot_lun *lun, enum uiot_lun_what what);
/* answers the last command only; false if there is no command before it */
bool uiot_lun_answer_last(struct uiot_lun *lun);
/* waits until @nr reads and writes are in the ring */
int uiot_lun_hold(struct uiot_lun *lun, int nr);
/* fills in @data for the first @nr reads and writes; returns how many are waiting */
int uiot_lun_waiting(const struct uiot_lun *lun, struct uiot_lun_data *data,
		     int nr);

/* send a command to the unit; return its SCSI status or a negative error code */
int uiot_lun_is_ready(const struct uiot_lun *lun);
int uiot_lun_transfer(const struct uiot_lun *lun, const struct uiot_lun_data *data);
/* fd is the unit's descriptor, addr a struct uiot_lun_data */
long uiot_op_transfer(struct uiot_op *op);

/* sends a read of @size bytes and answers it; fills in @data, which stays in the ring */
int uiot_lun_use_data(struct uiot_lun *lun, size_t size, struct uiot_lun_data *data, int ms);

/* A daemon: as long as there is one, the kernel waits for its answers. */
struct uiot_tcmu_daemon {
	int events;		/* sockets */
	int commands;
	int family;
};

struct uiot_tcmu_event {
	int cmd;
	__u32 device_id;
	__u32 minor;
};

/* the socket's buffer has the size that libnl gives it */
int uiot_tcmu_daemon_start(struct uiot_tcmu_daemon *daemon);
void uiot_tcmu_daemon_end(struct uiot_tcmu_daemon *daemon);
/* like a crash: the kernel is not told */
void uiot_tcmu_daemon_die(struct uiot_tcmu_daemon *daemon);
/* the daemon gets no more messages, but the kernel still expects it to answer */
void uiot_tcmu_daemon_deafen(struct uiot_tcmu_daemon *daemon);
int uiot_tcmu_next_event(struct uiot_tcmu_daemon *daemon,
			 struct uiot_tcmu_event *event);
bool uiot_tcmu_has_event(struct uiot_tcmu_daemon *daemon, int ms);
/* @done: TCMU_CMD_..._DONE; returns the kernel's status */
int uiot_tcmu_answer(struct uiot_tcmu_daemon *daemon,
		     const struct uiot_tcmu_event *event, int done, __s32 status);
/* an answer that lacks all that an answer has to say */
int uiot_tcmu_answer_nothing(struct uiot_tcmu_daemon *daemon);
/* sends a message that is not an answer: it shows that the daemon is alive */
void uiot_tcmu_show_life(struct uiot_tcmu_daemon *daemon);
/* ends all waits for an answer, as an operator can do */
void uiot_tcmu_reset_netlink(void);

/* the uio_hold module holds up the work with which TCMU looks for time-outs */
int uiot_hold_arm(void);
bool uiot_hold_hit(int ms);
void uiot_hold_go(void);
/* uio_hold can also wait until RCU has freed all that is queued */
int uiot_wait_rcu(void);

#endif /* _UIO_TESTLIB_TCMU_H */
