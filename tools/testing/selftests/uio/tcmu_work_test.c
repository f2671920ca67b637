// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCMU: the driver's two works, which visit all devices: one takes data pages back, the
 * other finds commands that have timed out. A D number in a test's name is the number of a
 * defect of mainline: the test fails there.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"
#include "uio_testlib_tcmu.h"

#define LIMIT		"global_max_data_area_mb"
#define DEFAULT_LIMIT	"2048"

/* Together they exceed the smallest limit, 1 MiB. */
#define TRANSFERS	3
#define TRANSFER_SIZE	(512 << 10)

/* The longest time that a command needs to time out. */
#define TIME_OUT_MS	(2 * UIOT_SOON_MS)

/*
 * A device that has used more data pages than the work will leave it. The daemon has
 * opened it through a node of its own, as in a container.
 */
FIXTURE(limit)
{
	struct uiot_tcmu tcmu;
	struct uiot_lun lun;
	struct uiot_lun_data sent[TRANSFERS];
	struct uiot_op ops[TRANSFERS];
	void *page;
	struct uiot_tcmu other;
	struct uiot_lun other_lun;
	struct uiot_op export;
};

/* A device without a daemon. */
static int make_device(struct uiot_tcmu *tcmu, const char *config)
{
	int ret = uiot_tcmu_setup();

	if (!ret)
		ret = uiot_tcmu_make(tcmu, "one", config);
	if (!ret)
		ret = uiot_tcmu_enable(tcmu);
	return ret ? ret : uiot_tcmu_find(tcmu);
}

static int start_transfers(struct uiot_lun *lun, struct uiot_lun_data *sent,
			   struct uiot_op *ops, int nr, size_t size)
{
	int i, ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		sent[i].size = size;
		sent[i].p = malloc(size);
		ops[i] = (struct uiot_op){
			.fn = uiot_op_transfer, .fd = lun->scsi, .addr = &sent[i],
		};
		ret = sent[i].p ? uiot_start(&ops[i]) : -ENOMEM;
	}
	return ret;
}

static int end_transfers(struct uiot_lun *lun, struct uiot_op *ops, int nr)
{
	int i, ret = 0;

	uiot_lun_answer(lun, UIOT_LUN_ALL);
	for (i = 0; i < nr; i++)
		ret = uiot_join(&ops[i], UIOT_SOON_MS) ?: ops[i].ret ?: ret;
	return ret;
}

static void free_sent(struct uiot_lun_data *sent, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		free(sent[i].p);
}

FIXTURE_SETUP(limit)
{
	struct uiot_lun_data data[TRANSFERS];
	__u32 word;
	int held;

	UIOT_LUN_SETUP();
	ASSERT_EQ(0, make_device(&self->tcmu, "nl_reply_supported=-1,max_data_area_mb=4"));
	ASSERT_EQ(0, uiot_lun_open_ring(&self->lun, &self->tcmu,
					uiot_open_other_node(&self->tcmu.uio,
							     O_RDWR)));
	ASSERT_EQ(0, uiot_lun_attach(&self->lun));
	ASSERT_EQ(0, start_transfers(&self->lun, self->sent, self->ops, TRANSFERS,
				     TRANSFER_SIZE));
	held = uiot_lun_hold(&self->lun, TRANSFERS);
	uiot_lun_waiting(&self->lun, data, TRANSFERS);
	ASSERT_EQ(0, end_transfers(&self->lun, self->ops, TRANSFERS));
	ASSERT_EQ(0, held);
	uiot_lun_detach(&self->lun);
	self->page = data[TRANSFERS - 1].p;
	ASSERT_EQ(0, uiot_load_word(self->page, &word));
}

FIXTURE_TEARDOWN(limit)
{
	uiot_lun_close_ring(&self->lun);
	uiot_tcmu_delete_all();
	EXPECT_EQ(0, uiot_tcmu_param(LIMIT, DEFAULT_LIMIT));
	free_sent(self->sent, TRANSFERS);
}

static bool page_is_gone(void *page)
{
	__u32 word;

	return uiot_load_word(page, &word) == SIGBUS;
}

/* The work visits this device last: it begins with the one that was added last. */
#define EXPECT_TAKEN() do {							\
	ASSERT_EQ(0, uiot_tcmu_param(LIMIT, "1"));				\
	EXPECT_TRUE(uiot_wait_until(page_is_gone, self->page, UIOT_SOON_MS)) {	\
		TH_LOG("page stays mapped");					\
	}									\
} while (0)

TEST_F(limit, page_that_is_taken_is_unmapped)
{
	EXPECT_TAKEN();
}

TEST_F(limit, d16_device_whose_node_is_gone)
{
	ASSERT_EQ(0, uiot_tcmu_create(&self->other, "two"));
	ASSERT_EQ(0, uiot_lun_open_ring(&self->other_lun, &self->other,
					uiot_open_other_node(&self->other.uio,
							     O_RDWR)));
	ASSERT_EQ(0, uiot_lun_attach(&self->other_lun));
	uiot_lun_detach(&self->other_lun);
	uiot_lun_close_ring(&self->other_lun);
	/* nobody has a reference to the inode any more: RCU frees it */
	ASSERT_EQ(0, uiot_wait_rcu());
	EXPECT_TAKEN();
}

/* The deleted device has used more than the limit, but must not count any more. */
TEST_F(limit, d24_deleted_device_does_not_count_if_its_file_is_open)
{
	struct uiot_lun_data data = { };
	__u32 word;

	munmap(self->lun.ring, self->tcmu.size);
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));

	ASSERT_EQ(0, uiot_tcmu_create(&self->other, "two"));
	ASSERT_EQ(0, uiot_lun_open_ring(&self->other_lun, &self->other,
					uiot_open(&self->other.uio, O_RDWR)));
	ASSERT_EQ(0, uiot_lun_attach(&self->other_lun));
	ASSERT_EQ(0, uiot_lun_use_data(&self->other_lun, TRANSFER_SIZE, &data, UIOT_SOON_MS));
	ASSERT_EQ(0, uiot_load_word(data.p, &word));
	ASSERT_EQ(0, uiot_tcmu_param(LIMIT, "1"));
	EXPECT_FALSE(uiot_wait_until(page_is_gone, data.p, 10 * UIOT_WHILE_MS)) {
		TH_LOG("the deleted device counts for the limit");
	}
	uiot_lun_detach(&self->other_lun);
	uiot_lun_close_ring(&self->other_lun);
	close(self->lun.fd);
	self->lun.ring = NULL;
}

static long op_export(struct uiot_op *op)
{
	uiot_tcmu_export(op->addr);
	return 0;
}

static bool fails_until_exported(void *arg)
{
	struct uiot_op *export = arg;

	uiot_tcmu_set(export->addr, "action/reset_ring", "2");
	return __atomic_load_n(&export->done, __ATOMIC_ACQUIRE);
}

/* Nobody can answer its commands, so a reset of the ring makes them fail. */
TEST_F(limit, d16_device_that_was_never_opened)
{
	ASSERT_EQ(0, uiot_tcmu_create(&self->other, "two"));
	self->export = (struct uiot_op){ .fn = op_export, .addr = &self->other };
	ASSERT_EQ(0, uiot_start(&self->export));
	uiot_wait_until(fails_until_exported, &self->export, UIOT_SOON_MS);
	ASSERT_EQ(0, uiot_join(&self->export, UIOT_SOON_MS));
	uiot_tcmu_unexport();
	EXPECT_TAKEN();
}

/* Pages that a device has used for data, and that nobody has mapped. */
/* sg allows 16 commands at a time */
#define NR_OF_MB	12

FIXTURE(pages)
{
	struct uiot_tcmu tcmu;
	struct uiot_lun lun;
	struct uiot_lun_data sent[NR_OF_MB];
	struct uiot_op ops[NR_OF_MB];
};

FIXTURE_VARIANT(pages)
{
	/* how many pages are still mapped */
	int mapped;
};

FIXTURE_VARIANT_ADD(pages, descriptor) { .mapped = 0 };
FIXTURE_VARIANT_ADD(pages, page) { .mapped = 1 };

/*
 * Counts pages freed minus pages allocated since boot. nr_free_pages would not do: it
 * leaves out the pages in the CPUs' own lists, which may be many MiB.
 */
static long free_pages(void)
{
	FILE *file = fopen("/proc/vmstat", "r");
	char name[64];
	long nr, sum = 0;

	if (!file)
		return -1;
	while (fscanf(file, "%63s %ld", name, &nr) == 2) {
		if (!strcmp(name, "pgfree"))
			sum += nr;
		else if (!strncmp(name, "pgalloc_", strlen("pgalloc_")))
			sum -= nr;
	}
	fclose(file);
	return sum;
}

FIXTURE_SETUP(pages)
{
	int held;

	UIOT_LUN_SETUP();
	ASSERT_EQ(0, make_device(&self->tcmu, "nl_reply_supported=-1,max_data_area_mb=16"));
	ASSERT_EQ(0, uiot_lun_open_ring(&self->lun, &self->tcmu,
					uiot_open(&self->tcmu.uio, O_RDWR)));
	ASSERT_EQ(0, uiot_lun_attach(&self->lun));
	ASSERT_EQ(0, start_transfers(&self->lun, self->sent, self->ops, NR_OF_MB,
				     1 << 20));
	held = uiot_lun_hold(&self->lun, NR_OF_MB);
	ASSERT_EQ(0, end_transfers(&self->lun, self->ops, NR_OF_MB));
	free_sent(self->sent, NR_OF_MB);
	ASSERT_EQ(0, held);
	uiot_lun_detach(&self->lun);
}

FIXTURE_TEARDOWN(pages)
{
	uiot_tcmu_delete_all();
}

TEST_F(pages, d24_what_is_not_mapped_is_given_back_at_the_delete)
{
	size_t kept = variant->mapped * uiot_page();
	/* the data, and the ring of 8 MiB; less a quarter, because other tasks allocate as well */
	long before, least = ((NR_OF_MB + 8) << 20) / uiot_page() * 3 / 4;
	__u32 word;

	ASSERT_EQ(0, uiot_load_word(self->lun.ring, &word));
	munmap((void *)self->lun.ring + kept, self->tcmu.size - kept);
	before = free_pages();
	ASSERT_NE(-1, before);
	ASSERT_EQ(0, uiot_tcmu_delete(&self->tcmu));
	EXPECT_LE(least, free_pages() - before) {
		TH_LOG("a deleted device keeps its pages");
	}
	if (kept) {
		EXPECT_EQ(0, uiot_load_word(self->lun.ring, &word));
		munmap(self->lun.ring, kept);
	}
	close(self->lun.fd);
}

FIXTURE(late)
{
	struct uiot_tcmu tcmu;
	struct uiot_lun lun;
	struct uiot_op ask;
	struct uiot_op delete;
};

static long op_ask(struct uiot_op *op)
{
	return uiot_lun_is_ready(op->addr);
}

static long op_delete(struct uiot_op *op)
{
	return uiot_tcmu_delete(op->addr);
}

FIXTURE_SETUP(late)
{
	UIOT_LUN_SETUP();
	ASSERT_EQ(0, uiot_lun_create(&self->lun, &self->tcmu));
}

FIXTURE_TEARDOWN(late)
{
	uiot_hold_go();
	uiot_lun_close_ring(&self->lun);
	uiot_tcmu_delete_all();
}

/* The work is held up just before it locks the device. Delete has to wait for it. */
TEST_F(late, d17_delete_waits_for_a_look_at_the_device)
{
	bool hit;
	int where;

	ASSERT_EQ(0, uiot_hold_arm());
	self->ask = (struct uiot_op){ .fn = op_ask, .addr = &self->lun };
	ASSERT_EQ(0, uiot_start(&self->ask));
	hit = uiot_hold_hit(TIME_OUT_MS);
	uiot_lun_answer(&self->lun, UIOT_LUN_ALL);
	ASSERT_EQ(0, uiot_join(&self->ask, UIOT_SOON_MS));
	ASSERT_TRUE(hit);
	uiot_lun_detach(&self->lun);
	uiot_lun_close_ring(&self->lun);

	self->delete = (struct uiot_op){ .fn = op_delete, .addr = &self->tcmu };
	ASSERT_EQ(0, uiot_start(&self->delete));
	where = uiot_wait_asleep_in(&self->delete, "flush_work", UIOT_SOON_MS);
	uiot_hold_go();
	ASSERT_EQ(0, uiot_join(&self->delete, UIOT_SOON_MS));
	EXPECT_EQ(0, self->delete.ret);
	EXPECT_EQ(0, where) {
		TH_LOG("delete does not wait for the work");
	}
}

TEST_HARNESS_MAIN
