/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of TCMU share: devices in configfs, SCSI units of them, and a
 * daemon's side of the conversation about them. Functions return 0 or a negative
 * error code unless they say otherwise; none waits for ever.
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
/* one that has no daemon and needs none */
int uiot_tcmu_create(struct uiot_tcmu *tcmu, const char *name);
/* the same in steps; the daemon is told of what is enabled */
int uiot_tcmu_make(struct uiot_tcmu *tcmu, const char *name, const char *config);
int uiot_tcmu_enable(struct uiot_tcmu *tcmu);
int uiot_tcmu_find(struct uiot_tcmu *tcmu);
int uiot_tcmu_delete(struct uiot_tcmu *tcmu);
/* make a SCSI unit of it, of which there can be one */
int uiot_tcmu_export(struct uiot_tcmu *tcmu);
void uiot_tcmu_unexport(void);
/* whatever a test that failed has left */
void uiot_tcmu_delete_all(void);
/* what waits for a daemon; addr is a struct uiot_tcmu */
long uiot_op_enable(struct uiot_op *op);
long uiot_op_delete(struct uiot_op *op);
long uiot_op_grow(struct uiot_op *op);	/* a change that the daemon is asked for */
/* as uiot_join(); one that waits for ever is ended after that */
int uiot_join_or_reset(struct uiot_op *op);

/* It has ended, and how. */
#define UIOT_ENDED(_op, _ret) do {					\
	struct uiot_op *_ended = (_op);					\
									\
	ASSERT_EQ(0, uiot_join_or_reset(_ended)) {			\
		TH_LOG("waits for the daemon");				\
	}								\
	EXPECT_EQ(_ret, _ended->ret);					\
} while (0)

/* a file of the device's directory */
int uiot_tcmu_get(struct uiot_tcmu *tcmu, const char *file, char *buf, size_t size);
int uiot_tcmu_set(struct uiot_tcmu *tcmu, const char *file, const char *text);
int uiot_tcmu_param(const char *name, const char *text);
/* how long the kernel waits for a daemon, where it can be told */
void uiot_tcmu_set_time_out(struct uiot_tcmu *tcmu, const char *seconds);

/* all of its ring */
void *uiot_tcmu_map(const struct uiot_tcmu *tcmu, int fd);
/* how many rings the kernel has */
int uiot_tcmu_rings(void);

/*
 * A SCSI unit whose daemon the test is: commands wait in the ring until the test
 * answers them. Nothing does so on its own, so what sends a command is done in a
 * thread, as uiot_op_transfer() is.
 */
struct uiot_lun {
	struct uiot_tcmu *tcmu;
	int fd;			/* of the ring */
	struct tcmu_mailbox *ring;
	int scsi;		/* a descriptor of the unit */
	struct uiot_op exporter;
};

/* a transfer's data, on either side */
struct uiot_lun_data {
	bool is_write;
	void *p;
	size_t size;
};

enum uiot_lun_what {
	UIOT_LUN_ALL,
	UIOT_LUN_NO_TRANSFERS,	/* leaves the first read or write, and what follows */
};

/* @fd: of the ring, or the error that open() gave */
int uiot_lun_open_ring(struct uiot_lun *lun, struct uiot_tcmu *tcmu, int fd);
void uiot_lun_close_ring(struct uiot_lun *lun);
/* of a unit that is attached */
int uiot_lun_reopen_ring(struct uiot_lun *lun);
/* answers what the kernel asks a new unit */
int uiot_lun_attach(struct uiot_lun *lun);
/* one of a new device, with commands that time out after 4 s */
int uiot_lun_create(struct uiot_lun *lun, struct uiot_tcmu *tcmu);
void uiot_lun_detach(struct uiot_lun *lun);

/* returns whether the kernel has got an answer */
bool uiot_lun_answer(struct uiot_lun *lun, enum uiot_lun_what what);
/* answers the last command, and leaves those before it; false if there are none */
bool uiot_lun_answer_last(struct uiot_lun *lun);
/* until so many reads and writes wait in the ring */
int uiot_lun_hold(struct uiot_lun *lun, int nr);
/* fills in the first @nr of the reads and writes that wait, and says how many do */
int uiot_lun_waiting(const struct uiot_lun *lun, struct uiot_lun_data *data,
		     int nr);

/* a command to the unit; these return its SCSI status or a negative error code */
int uiot_lun_is_ready(const struct uiot_lun *lun);
/* fd is the unit's descriptor, addr a struct uiot_lun_data */
long uiot_op_transfer(struct uiot_op *op);

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

/* with the buffer that libnl asks for */
int uiot_tcmu_daemon_start(struct uiot_tcmu_daemon *daemon);
void uiot_tcmu_daemon_end(struct uiot_tcmu_daemon *daemon);
/* nobody tells the kernel */
void uiot_tcmu_daemon_die(struct uiot_tcmu_daemon *daemon);
/* hears no more, but is still expected to answer */
void uiot_tcmu_daemon_deafen(struct uiot_tcmu_daemon *daemon);
int uiot_tcmu_next_event(struct uiot_tcmu_daemon *daemon,
			 struct uiot_tcmu_event *event);
bool uiot_tcmu_has_event(struct uiot_tcmu_daemon *daemon, int ms);
/* @done: TCMU_CMD_..._DONE; returns what the kernel says to it */
int uiot_tcmu_answer(struct uiot_tcmu_daemon *daemon,
		     const struct uiot_tcmu_event *event, int done, __s32 status);
/* says something that is no answer to anything */
void uiot_tcmu_show_life(struct uiot_tcmu_daemon *daemon);
/* ends all that waits for an answer, as an operator can */
void uiot_tcmu_reset_netlink(void);

#endif /* _UIO_TESTLIB_TCMU_H */
