// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCMU: the unchanged binary of the kernel's own target_core_user, on the UIO core that is
 * loaded. It was compiled for the kernel's own core.
 */

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"
#include "uio_testlib_tcmu.h"

#define DATA_SIZE	4096

FIXTURE(stock)
{
	struct uiot_tcmu tcmu;
	struct uiot_lun lun;
	__u8 sent[DATA_SIZE];
};

static int unload(void)
{
	return uiot_shell("modprobe -r target_core_user");
}

/*
 * The kernel's package installs the module in the first place. DKMS moves it to the
 * second, together with a file *.origin.
 */
#define PLACES	"/lib/modules/$k/kernel/ /var/lib/dkms/*/original_module/$k"
#define FIND	"find " PLACES " -name 'target_core_user.ko*' ! -name '*.origin' 2>/dev/null"

/* modprobe would load our module. */
static int load_stock(void)
{
	int ret = unload();

	if (!ret)
		ret = uiot_shell("modprobe -a uio target_core_mod");
	if (!ret)
		ret = uiot_shell("k=$(uname -r); insmod \"$(" FIND ")\"");
	return ret;
}

FIXTURE_SETUP(stock)
{
	ASSERT_EQ(0, load_stock());
	ASSERT_EQ(0, uiot_lun_create(&self->lun, &self->tcmu));
}

FIXTURE_TEARDOWN(stock)
{
	uiot_lun_detach(&self->lun);
	uiot_lun_close_ring(&self->lun);
	uiot_tcmu_delete_all();
	/* the next test gets the module that modprobe prefers */
	EXPECT_EQ(0, unload());
}

/* Starts the transfer of @sent, and waits until it is in the ring. */
static int send_one(struct uiot_lun *lun, struct uiot_lun_data *sent,
		    struct uiot_op *op, struct uiot_lun_data *data)
{
	int ret;

	*op = (struct uiot_op){
		.fn = uiot_op_transfer, .fd = lun->scsi, .addr = sent,
	};
	ret = uiot_start(op);
	if (!ret)
		ret = uiot_lun_hold(lun, 1);
	if (!ret && uiot_lun_waiting(lun, data, 1) != 1)
		ret = -ENODATA;
	return ret;
}

TEST_F(stock, answers_carry_data)
{
	struct uiot_lun_data sent = { .p = self->sent, .size = DATA_SIZE };
	struct uiot_lun_data data;
	struct uiot_op op;

	memset(self->sent, 0xa5, DATA_SIZE);
	sent.is_write = true;
	ASSERT_EQ(0, send_one(&self->lun, &sent, &op, &data));
	EXPECT_EQ(0, memcmp(data.p, self->sent, DATA_SIZE));
	EXPECT_TRUE(uiot_lun_answer(&self->lun, UIOT_LUN_ALL));
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(0, op.ret);

	sent.is_write = false;
	ASSERT_EQ(0, send_one(&self->lun, &sent, &op, &data));
	memset(data.p, 0x5a, DATA_SIZE);
	EXPECT_TRUE(uiot_lun_answer(&self->lun, UIOT_LUN_ALL));
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(0, op.ret);
	EXPECT_EQ(0, memcmp(data.p, self->sent, DATA_SIZE));
}

static bool ring_is_free(void *arg)
{
	(void)arg;
	return !uiot_tcmu_rings();
}

TEST_F(stock, delete_ends_a_poll)
{
	struct pollfd pfd = { .fd = self->lun.fd, .events = POLLIN };

	uiot_lun_detach(&self->lun);
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(1, poll(&pfd, 1, UIOT_SOON_MS));
	EXPECT_TRUE(pfd.revents & POLLERR);
}

/* The module's own vm_operations count the mappings. */
TEST_F(stock, mapped_ring_outlives_delete)
{
	__u32 word;

	uiot_lun_detach(&self->lun);
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_EQ(0, uiot_load_word(self->lun.ring, &word));
	EXPECT_EQ(1, uiot_tcmu_rings());
	uiot_lun_close_ring(&self->lun);
	EXPECT_TRUE(uiot_wait_until(ring_is_free, NULL, UIOT_SOON_MS));
}

TEST_HARNESS_MAIN
