// SPDX-License-Identifier: GPL-2.0-only
/* Library of the TCMU tests: a daemon's side of TCMU's generic netlink. */

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "uio_testlib_tcmu.h"

struct message {
	struct nlmsghdr head;
	struct genlmsghdr genl;
	char attrs[4096];
};

#define ATTRS_OFFSET	(NLMSG_HDRLEN + GENL_HDRLEN)

static void begin(struct message *msg, int family, int cmd)
{
	memset(msg, 0, sizeof(*msg));
	msg->head.nlmsg_len = ATTRS_OFFSET;
	msg->head.nlmsg_type = family;
	msg->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	msg->genl.cmd = cmd;
	msg->genl.version = 1;
}

static void put(struct message *msg, int type, const void *data, size_t size)
{
	struct nlattr *attr = (void *)msg + NLMSG_ALIGN(msg->head.nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + size;
	memcpy((void *)attr + NLA_HDRLEN, data, size);
	msg->head.nlmsg_len = NLMSG_ALIGN(msg->head.nlmsg_len) + attr->nla_len;
}

/* Finds an attribute in @size bytes of attributes. */
static void *find(void *attrs, size_t size, int type, size_t *len)
{
	while (size >= NLA_HDRLEN) {
		struct nlattr *attr = attrs;
		size_t step = NLA_ALIGN(attr->nla_len);

		if ((attr->nla_type & NLA_TYPE_MASK) == type) {
			*len = attr->nla_len - NLA_HDRLEN;
			return attrs + NLA_HDRLEN;
		}
		if (!step || step > size)
			break;
		attrs += step;
		size -= step;
	}
	return NULL;
}

static void *find_in(struct message *msg, int type, size_t *len)
{
	return find((void *)msg + ATTRS_OFFSET, msg->head.nlmsg_len - ATTRS_OFFSET,
		    type, len);
}

static __u32 get_u32(struct message *msg, int type)
{
	size_t len;
	__u32 *value = find_in(msg, type, &len);

	return value ? *value : 0;
}

static bool is_readable(int sock, int ms)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

static int receive(int sock, struct message *msg)
{
	if (!is_readable(sock, UIOT_SOON_MS))
		return -ETIMEDOUT;
	return recv(sock, msg, sizeof(*msg), 0) < 0 ? -errno : 0;
}

/* Sends @msg, and returns the kernel's status. If the kernel replies, fills in @reply. */
static int ask(int sock, struct message *msg, struct message *reply)
{
	struct nlmsgerr *err;
	struct message got;
	int ret;

	if (send(sock, msg, msg->head.nlmsg_len, 0) < 0)
		return -errno;

	do {
		ret = receive(sock, &got);
		if (ret)
			return ret;
		if (reply && got.head.nlmsg_type != NLMSG_ERROR)
			*reply = got;
	} while (got.head.nlmsg_type != NLMSG_ERROR);

	err = NLMSG_DATA(&got.head);
	return err->error;
}

/* Finds the number of a multicast group in the controller's answer. Returns 0 if it is absent. */
static __u32 group_of(struct message *msg, const char *name)
{
	size_t size, len;
	char *groups = find_in(msg, CTRL_ATTR_MCAST_GROUPS, &size);
	int i;

	for (i = 1; groups; i++) {
		char *group = find(groups, size, i, &len);
		char *have;
		__u32 *id;
		size_t dummy;

		if (!group)
			break;
		have = find(group, len, CTRL_ATTR_MCAST_GRP_NAME, &dummy);
		id = find(group, len, CTRL_ATTR_MCAST_GRP_ID, &dummy);
		if (have && id && !strcmp(have, name))
			return *id;
	}
	return 0;
}

static int set_replies(struct uiot_tcmu_daemon *daemon, __u8 on)
{
	struct message msg;

	begin(&msg, daemon->family, TCMU_CMD_SET_FEATURES);
	put(&msg, TCMU_ATTR_SUPP_KERN_CMD_REPLY, &on, sizeof(on));
	return ask(daemon->commands, &msg, NULL);
}

static int find_family(struct uiot_tcmu_daemon *daemon, __u32 *group)
{
	struct message msg, reply = { 0 };
	__u16 *family;
	size_t len;
	int ret;

	begin(&msg, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	put(&msg, CTRL_ATTR_FAMILY_NAME, "TCM-USER", sizeof("TCM-USER"));
	ret = ask(daemon->commands, &msg, &reply);
	if (ret)
		return ret;

	family = find_in(&reply, CTRL_ATTR_FAMILY_ID, &len);
	*group = group_of(&reply, "config");
	if (!family || !*group)
		return -ENOENT;
	daemon->family = *family;
	return 0;
}

int uiot_tcmu_daemon_start(struct uiot_tcmu_daemon *daemon)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int size = 32768;
	__u32 group;
	int ret;

	daemon->events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	daemon->commands = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
				  NETLINK_GENERIC);
	if (daemon->events < 0 || daemon->commands < 0)
		return -errno;

	if (setsockopt(daemon->events, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)))
		return -errno;

	ret = find_family(daemon, &group);
	if (!ret && bind(daemon->events, (struct sockaddr *)&any, sizeof(any)))
		ret = -errno;
	if (!ret && setsockopt(daemon->events, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			       &group, sizeof(group)))
		ret = -errno;
	return ret ? ret : set_replies(daemon, 1);
}

void uiot_tcmu_daemon_deafen(struct uiot_tcmu_daemon *daemon)
{
	close(daemon->events);
	daemon->events = -1;
}

void uiot_tcmu_daemon_die(struct uiot_tcmu_daemon *daemon)
{
	if (daemon->events >= 0)
		close(daemon->events);
	close(daemon->commands);
	daemon->events = -1;
	daemon->commands = -1;
}

void uiot_tcmu_daemon_end(struct uiot_tcmu_daemon *daemon)
{
	if (daemon->commands < 0)
		return;
	set_replies(daemon, 0);
	uiot_tcmu_daemon_die(daemon);
}

bool uiot_tcmu_has_event(struct uiot_tcmu_daemon *daemon, int ms)
{
	return is_readable(daemon->events, ms);
}

int uiot_tcmu_next_event(struct uiot_tcmu_daemon *daemon,
			 struct uiot_tcmu_event *event)
{
	struct message msg;
	int ret = receive(daemon->events, &msg);

	if (ret)
		return ret;
	event->cmd = msg.genl.cmd;
	event->device_id = get_u32(&msg, TCMU_ATTR_DEVICE_ID);
	event->minor = get_u32(&msg, TCMU_ATTR_MINOR);
	return 0;
}

int uiot_tcmu_answer(struct uiot_tcmu_daemon *daemon,
		     const struct uiot_tcmu_event *event, int done, __s32 status)
{
	struct message msg;

	begin(&msg, daemon->family, done);
	put(&msg, TCMU_ATTR_CMD_STATUS, &status, sizeof(status));
	put(&msg, TCMU_ATTR_DEVICE_ID, &event->device_id, sizeof(event->device_id));
	return ask(daemon->commands, &msg, NULL);
}

int uiot_tcmu_answer_nothing(struct uiot_tcmu_daemon *daemon)
{
	struct message msg;

	begin(&msg, daemon->family, TCMU_CMD_REMOVED_DEVICE_DONE);
	return ask(daemon->commands, &msg, NULL);
}

void uiot_tcmu_show_life(struct uiot_tcmu_daemon *daemon)
{
	struct uiot_tcmu_event nobody = { .device_id = ~0U };

	uiot_tcmu_answer(daemon, &nobody, TCMU_CMD_REMOVED_DEVICE_DONE, 0);
}

void uiot_tcmu_reset_netlink(void)
{
	uiot_tcmu_param("block_netlink", "1");
	uiot_tcmu_param("reset_netlink", "1");
	uiot_tcmu_param("block_netlink", "0");
}
