// SPDX-License-Identifier: GPL-2.0-only
/*
 * UIO: the kernel's own drivers, when their device goes away while user space uses it. A D
 * number in a test's name is the number of a defect of mainline: the test fails there.
 *
 * "ours" is a driver with a context. "stock" is one that was compiled without contexts. These
 * tests are skipped if UIO_LAB_MODULES is not set: then there is one driver of each name.
 *
 * The PCI card is QEMU's "edu". It has one BAR and raises interrupts on request. The test
 * plugs in and pulls out the card itself. QEMU needs "-device pcie-root-port,id=slot0", and
 * the guest a program lab-monitor, which sends its argument to QEMU's monitor. The tests of
 * the card are skipped if UIO_LAB_MONITOR is not set.
 */

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "uio_testlib.h"

/* On a busy host, hotplug takes 10 s in a guest with a debug kernel. */
#define HOTPLUG_MS	60000
#define HOTPLUG_TEST_S	300

/* A device of the driver under test, in use. */
struct held {
	char dir[160];		/* of the UIO device, in sysfs */
	char node[32];
	int fd;
	int nr_maps;
	void *map[2];
};

struct search {
	const char *pattern;
	struct held *held;
};

/* The node appears a moment after the directory. */
static bool device_found(void *arg)
{
	struct search *search = arg;
	struct held *held = search->held;
	glob_t found;

	if (glob(search->pattern, 0, NULL, &found))
		return false;
	snprintf(held->dir, sizeof(held->dir), "%s", found.gl_pathv[0]);
	snprintf(held->node, sizeof(held->node), "/dev/%.20s",
		 strrchr(held->dir, '/') + 1);
	globfree(&found);
	return !access(held->node, F_OK);
}

/* Opens the UIO device whose directory matches @pattern, and maps and touches its memory. */
static int hold(struct held *held, const char *pattern, int nr_maps)
{
	struct search search = { pattern, held };
	__u32 word;
	int i;

	held->fd = -1;
	held->nr_maps = 0;
	if (!uiot_wait_until(device_found, &search, HOTPLUG_MS))
		return -ENODEV;
	held->fd = open(held->node, O_RDWR | O_CLOEXEC);
	if (held->fd < 0)
		return -errno;

	for (i = 0; i < nr_maps; i++) {
		held->map[i] = uiot_map(held->fd, i, 1, PROT_READ | PROT_WRITE,
					MAP_SHARED);
		if (held->map[i] == MAP_FAIL)
			return -errno;
		held->nr_maps++;
		if (uiot_load_word(held->map[i], &word))
			return -EFAULT;
	}
	return 0;
}

static void let_go(struct held *held)
{
	while (held->nr_maps)
		munmap(held->map[--held->nr_maps], uiot_page());
	if (held->fd >= 0)
		close(held->fd);
	held->fd = -1;
}

/* Returns the number of the next event, or a negative error code. */
static int next_event(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	__s32 event;

	if (poll(&pfd, 1, ms) != 1)
		return -ETIMEDOUT;
	return read(fd, &event, sizeof(event)) < 0 ? -errno : event;
}

/* Returns a bit for each map that can still be touched. */
static unsigned int maps_left(const struct held *held)
{
	unsigned int left = 0;
	__u32 word;
	int i;

	for (i = 0; i < held->nr_maps; i++)
		if (uiot_load_word(held->map[i], &word) != SIGBUS)
			left |= 1u << i;
	return left;
}

/* Also true for a module that is not loaded. */
static bool nobody_needs(const char *module)
{
	return uiot_module_refs(module) <= 0;
}

/* Is our driver loaded? The kernel's own has no such function. */
static bool ours_is_loaded(const char *driver)
{
	char command[96];

	snprintf(command, sizeof(command),
		 "grep -q '%s_free.*\\[%s\\]' /proc/kallsyms", driver, driver);
	return !uiot_shell(command);
}

#define NO_STOCK	"there is no driver without a context"

static bool has_stock_drivers(void)
{
	return getenv("UIO_LAB_MODULES");
}

/* A guest may have two drivers of this name, or one. */
static int load_driver(const char *driver, bool stock)
{
	const char *modules = getenv("UIO_LAB_MODULES");
	char file[48];
	int ret = 0;

	snprintf(file, sizeof(file), "%s%s", stock ? "stock_" : "", driver);
	if (modules && !strcmp(modules, "ours") && uiot_module_refs(driver) >= 0 &&
	    ours_is_loaded(driver) == stock)
		ret = uiot_module_remove(driver);
	return ret ? ret : uiot_load_file(driver, file);
}

/* Starts a thread, to be joined later. Returns whether it falls asleep. */
static bool falls_asleep(struct uiot_op *op, long (*fn)(struct uiot_op *op), int fd)
{
	op->fn = fn;
	op->fd = fd;
	return !uiot_start(op) && !uiot_wait_asleep(op);
}

/* uio_pci_generic */

#define PCI_DRIVER	"/sys/bus/pci/drivers/uio_pci_generic"

#define EDU_IDS		"1234 11e8"
#define EDU_ID		0x00
#define EDU_RAISE	0x60
#define EDU_ACK		0x64
#define EDU_ID_VALUE	0x010000ed

#define PCI_COMMAND		4
#define PCI_COMMAND_MASTER	0x4
#define PCI_COMMAND_NO_INTX	0x400

static bool qemu_has_card(void)
{
	return !uiot_shell("lab-monitor 'qom-get /machine/peripheral/card0 type' >/dev/null 2>&1");
}

static bool card_is_out(void *arg)
{
	(void)arg;
	return !qemu_has_card();
}

/* QEMU removes the card after the guest has let go of it. */
static int unplug(void)
{
	int ret = uiot_shell("lab-monitor 'device_del card0'");

	if (!ret && !uiot_wait_until(card_is_out, NULL, HOTPLUG_MS))
		ret = -ETIMEDOUT;
	return ret;
}

static int try_plug(void)
{
	return uiot_shell("lab-monitor 'device_add edu,id=card0,bus=slot0'");
}

/* A failed test may have left the card in the slot. */
static int plug(void)
{
	int ret = try_plug();

	if (ret && qemu_has_card()) {
		ret = unplug();
		if (!ret)
			ret = try_plug();
	}
	return ret;
}

/*
 * The core requests the interrupt last, when the device can already be opened. QEMU
 * forgets an interrupt that is raised before that.
 */
static bool interrupt_is_requested(void *arg)
{
	glob_t found;

	(void)arg;
	if (glob("/proc/irq/*/uio_pci_generic", 0, NULL, &found))
		return false;
	globfree(&found);
	return true;
}

static int hold_card(struct held *held)
{
	held->fd = -1;
	held->nr_maps = 0;
	if (!uiot_wait_until(interrupt_is_requested, NULL, HOTPLUG_MS))
		return -ENODEV;
	return hold(held, PCI_DRIVER "/*/uio/uio*", 1);
}

static __u32 card_get(const struct held *held, int reg)
{
	return *(volatile __u32 *)(held->map[0] + reg);
}

static void card_set(const struct held *held, int reg, __u32 value)
{
	*(volatile __u32 *)(held->map[0] + reg) = value;
}

/* Opens the configuration space of a card. */
static int open_config(const char *card)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/config", card);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* Returns the command register of a card, or a negative error code. */
static int card_command(const char *card)
{
	int fd = open_config(card), ret;
	__u16 command;

	if (fd < 0)
		return -errno;

	ret = pread(fd, &command, sizeof(command), PCI_COMMAND) == sizeof(command) ?
	      command : -EIO;
	close(fd);
	return ret;
}

static int card_set_command(const char *card, __u16 command)
{
	int fd = open_config(card), ret;

	if (fd < 0)
		return -errno;

	ret = pwrite(fd, &command, sizeof(command), PCI_COMMAND) == sizeof(command) ?
	      0 : -EIO;
	close(fd);
	return ret;
}

FIXTURE(pci)
{
	struct held held;
	char card[PATH_MAX];	/* in sysfs */
};

FIXTURE_VARIANT(pci)
{
	bool stock;
};

FIXTURE_VARIANT_ADD(pci, ours) { .stock = false };
FIXTURE_VARIANT_ADD(pci, stock_driver) { .stock = true };

FIXTURE_SETUP(pci)
{
	char link[192];
	int ret;

	if (!getenv("UIO_LAB_MONITOR"))
		SKIP(return, "there is no slot for a card of QEMU");

	if (variant->stock && !has_stock_drivers())
		SKIP(return, NO_STOCK);
	UIOT_NEED(load_driver("uio_pci_generic", variant->stock));
	ret = uiot_write_file(PCI_DRIVER "/new_id", EDU_IDS);
	if (ret != -EEXIST)
		ASSERT_EQ(0, ret);
	ASSERT_EQ(0, plug());
	ASSERT_EQ(0, hold_card(&self->held));
	ASSERT_EQ(EDU_ID_VALUE, card_get(&self->held, EDU_ID));
	snprintf(link, sizeof(link), "%s/device", self->held.dir);
	ASSERT_NE(NULL, realpath(link, self->card));
}

FIXTURE_TEARDOWN(pci)
{
	let_go(&self->held);
	if (qemu_has_card())
		EXPECT_EQ(0, unplug());
	EXPECT_TRUE(nobody_needs("uio_pci_generic"));
}

TEST_F_TIMEOUT(pci, interrupt_is_an_event, HOTPLUG_TEST_S)
{
	card_set(&self->held, EDU_RAISE, 1);
	EXPECT_EQ(1, next_event(self->held.fd, UIOT_SOON_MS));
	card_set(&self->held, EDU_ACK, 1);
	/* the driver has masked the interrupt */
	ASSERT_EQ(0, card_set_command(self->card,
				      card_command(self->card) & ~PCI_COMMAND_NO_INTX));
	EXPECT_EQ(-ETIMEDOUT, next_event(self->held.fd, UIOT_WHILE_MS));
	card_set(&self->held, EDU_RAISE, 1);
	EXPECT_EQ(2, next_event(self->held.fd, UIOT_SOON_MS));
}

TEST_F_TIMEOUT(pci, unplug_ends_a_blocked_read, HOTPLUG_TEST_S)
{
	struct uiot_op op = { 0 };

	ASSERT_TRUE(falls_asleep(&op, uiot_op_read, self->held.fd));
	ASSERT_EQ(0, unplug());
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(-EIO, op.ret);
}

TEST_F_TIMEOUT(pci, unplug_ends_a_blocked_poll, HOTPLUG_TEST_S)
{
	struct uiot_op op = { 0 };

	ASSERT_TRUE(falls_asleep(&op, uiot_op_poll, self->held.fd));
	ASSERT_EQ(0, unplug());
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(POLLHUP | POLLERR, op.events & (POLLHUP | POLLERR));
}

TEST_F_TIMEOUT(pci, d4_unplugged_card_is_not_mapped, HOTPLUG_TEST_S)
{
	ASSERT_EQ(0, unplug());
	EXPECT_EQ(0, maps_left(&self->held));
}

static bool stop_loading;

static long load_until_signal(struct uiot_op *op)
{
	__u32 word;
	int sig = 0;

	while (!sig && !__atomic_load_n(&stop_loading, __ATOMIC_RELAXED))
		sig = uiot_load_word(op->addr, &word);
	return sig;
}

TEST_F_TIMEOUT(pci, d4_unplug_ends_access_under_way, HOTPLUG_TEST_S)
{
	struct uiot_op op = { .fn = load_until_signal, .addr = self->held.map[0] };
	int ret;

	ASSERT_EQ(0, uiot_start(&op));
	EXPECT_EQ(0, unplug());
	ret = uiot_join(&op, UIOT_SOON_MS);
	EXPECT_EQ(0, ret);
	if (ret) {
		__atomic_store_n(&stop_loading, true, __ATOMIC_RELAXED);
		ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	}
	EXPECT_EQ(SIGBUS, op.ret);
}

TEST_F_TIMEOUT(pci, d4_next_card_is_not_in_the_old_mapping, HOTPLUG_TEST_S)
{
	struct held next;

	ASSERT_EQ(0, unplug());
	ASSERT_EQ(0, plug());
	ASSERT_EQ(0, hold_card(&next));
	EXPECT_EQ(EDU_ID_VALUE, card_get(&next, EDU_ID));
	EXPECT_EQ(0, maps_left(&self->held));
	let_go(&next);
}

TEST_F_TIMEOUT(pci, d13_mmap_is_eio_after_unplug, HOTPLUG_TEST_S)
{
	ASSERT_EQ(0, unplug());
	EXPECT_EQ(MAP_FAIL, uiot_map(self->held.fd, 0, 1, PROT_READ, MAP_SHARED));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F_TIMEOUT(pci, driver_unloads_once_the_card_is_let_go, HOTPLUG_TEST_S)
{
	ASSERT_EQ(0, unplug());
	EXPECT_EQ(-EAGAIN, uiot_module_remove("uio_pci_generic"));
	let_go(&self->held);
	EXPECT_EQ(0, uiot_module_remove("uio_pci_generic"));
}

TEST_F_TIMEOUT(pci, next_card_works_while_the_last_is_held, HOTPLUG_TEST_S)
{
	struct held next;

	ASSERT_EQ(0, unplug());
	ASSERT_EQ(0, plug());
	ASSERT_EQ(0, hold_card(&next));
	card_set(&next, EDU_RAISE, 1);
	EXPECT_EQ(1, next_event(next.fd, UIOT_SOON_MS));
	card_set(&next, EDU_ACK, 1);
	EXPECT_EQ(-EIO, next_event(self->held.fd, 0));
	let_go(&next);
}

static int enable_dma(const char *card)
{
	return card_set_command(card, card_command(card) | PCI_COMMAND_MASTER);
}

TEST_F_TIMEOUT(pci, close_ends_dma, HOTPLUG_TEST_S)
{
	ASSERT_EQ(0, enable_dma(self->card));
	ASSERT_NE(0, card_command(self->card) & PCI_COMMAND_MASTER);
	let_go(&self->held);
	EXPECT_EQ(0, card_command(self->card) & PCI_COMMAND_MASTER);
}

/* The card may belong to another driver by then. */
TEST_F_TIMEOUT(pci, close_after_unbind_does_not_touch_the_card, HOTPLUG_TEST_S)
{
	ASSERT_EQ(0, enable_dma(self->card));
	ASSERT_EQ(0, uiot_write_file(PCI_DRIVER "/unbind", strrchr(self->card, '/') + 1));
	EXPECT_EQ(0, card_command(self->card) & PCI_COMMAND_MASTER);
	ASSERT_EQ(0, enable_dma(self->card));
	let_go(&self->held);
	EXPECT_NE(0, card_command(self->card) & PCI_COMMAND_MASTER);
}

/*
 * uio_pdrv_genirq and uio_dmem_genirq, with the devices of the module uio_platform. A
 * UIO device goes away in two ways: the driver is unbound, or its parent is removed.
 */
#define PLATFORM_DEVICES	"/sys/devices/platform"
#define PLATFORM_DRIVERS	"/sys/bus/platform/drivers"

static int hold_platform(struct held *held, const char *driver)
{
	char pattern[96];

	snprintf(pattern, sizeof(pattern), PLATFORM_DEVICES "/%s/uio/uio*", driver);
	/* the second map of uio_dmem_genirq is memory that it allocates in open() */
	return hold(held, pattern, strcmp(driver, "uio_dmem_genirq") ? 1 : 2);
}

static int set_present(bool present)
{
	return uiot_write_file("/sys/module/uio_platform/parameters/present",
			       present ? "Y" : "N");
}

/* Adds the devices again if they are there: they may be unbound, also by a failed test. */
static int add_devices(void)
{
	int ret = set_present(false);

	return ret ? ret : set_present(true);
}

static int raise_interrupt(const char *driver)
{
	char path[96];

	snprintf(path, sizeof(path), PLATFORM_DEVICES "/%s/interrupt", driver);
	return uiot_write_file(path, "1");
}

/* @what: bind or unbind. The device has the name of the driver. */
static int tell_driver(const char *driver, const char *what)
{
	char path[96];

	snprintf(path, sizeof(path), PLATFORM_DRIVERS "/%s/%s", driver, what);
	return uiot_write_file(path, driver);
}

static int enable_interrupt(int fd)
{
	__s32 on = 1;

	return write(fd, &on, sizeof(on)) < 0 ? -errno : 0;
}

FIXTURE(platform)
{
	struct held held;
};

FIXTURE_VARIANT(platform)
{
	const char *driver;
	bool unbind;
	bool stock;
};

FIXTURE_VARIANT_ADD(platform, pdrv_unbound)
{
	.driver = "uio_pdrv_genirq", .unbind = true,
};

FIXTURE_VARIANT_ADD(platform, pdrv_removed) { .driver = "uio_pdrv_genirq" };
FIXTURE_VARIANT_ADD(platform, dmem_unbound)
{
	.driver = "uio_dmem_genirq", .unbind = true,
};

FIXTURE_VARIANT_ADD(platform, dmem_removed) { .driver = "uio_dmem_genirq" };
FIXTURE_VARIANT_ADD(platform, stock_pdrv_unbound)
{
	.driver = "uio_pdrv_genirq", .unbind = true, .stock = true,
};

FIXTURE_VARIANT_ADD(platform, stock_pdrv_removed)
{
	.driver = "uio_pdrv_genirq", .stock = true,
};

FIXTURE_VARIANT_ADD(platform, stock_dmem_unbound)
{
	.driver = "uio_dmem_genirq", .unbind = true, .stock = true,
};

FIXTURE_VARIANT_ADD(platform, stock_dmem_removed)
{
	.driver = "uio_dmem_genirq", .stock = true,
};

static int end_device(const char *driver, bool unbind)
{
	return unbind ? tell_driver(driver, "unbind") : set_present(false);
}

FIXTURE_SETUP(platform)
{
	if (variant->stock && !has_stock_drivers())
		SKIP(return, NO_STOCK);
	UIOT_NEED(load_driver(variant->driver, variant->stock));
	UIOT_NEED(uiot_load("uio_platform"));
	ASSERT_EQ(0, add_devices());
	ASSERT_EQ(0, hold_platform(&self->held, variant->driver));
}

FIXTURE_TEARDOWN(platform)
{
	let_go(&self->held);
	EXPECT_EQ(0, set_present(false));
	EXPECT_TRUE(nobody_needs(variant->driver));
}

TEST_F(platform, interrupt_is_an_event)
{
	ASSERT_EQ(0, raise_interrupt(variant->driver));
	EXPECT_EQ(1, next_event(self->held.fd, UIOT_SOON_MS));
	/* the driver has disabled the interrupt */
	ASSERT_EQ(0, raise_interrupt(variant->driver));
	EXPECT_EQ(-ETIMEDOUT, next_event(self->held.fd, UIOT_WHILE_MS));
	ASSERT_EQ(0, enable_interrupt(self->held.fd));
	ASSERT_EQ(0, raise_interrupt(variant->driver));
	EXPECT_EQ(2, next_event(self->held.fd, UIOT_SOON_MS));
}

TEST_F(platform, end_of_device_ends_a_blocked_read)
{
	struct uiot_op op = { 0 };

	ASSERT_TRUE(falls_asleep(&op, uiot_op_read, self->held.fd));
	ASSERT_EQ(0, end_device(variant->driver, variant->unbind));
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(-EIO, op.ret);
}

TEST_F(platform, end_of_device_ends_a_blocked_poll)
{
	struct uiot_op op = { 0 };

	ASSERT_TRUE(falls_asleep(&op, uiot_op_poll, self->held.fd));
	ASSERT_EQ(0, end_device(variant->driver, variant->unbind));
	ASSERT_EQ(0, uiot_join(&op, UIOT_SOON_MS));
	EXPECT_EQ(POLLHUP | POLLERR, op.events & (POLLHUP | POLLERR));
}

TEST_F(platform, d4_memory_is_not_mapped)
{
	ASSERT_EQ(0, end_device(variant->driver, variant->unbind));
	EXPECT_EQ(0, maps_left(&self->held));
}

TEST_F(platform, d13_write_is_eio)
{
	ASSERT_EQ(0, end_device(variant->driver, variant->unbind));
	EXPECT_EQ(-EIO, enable_interrupt(self->held.fd));
}

TEST_F(platform, d13_mmap_is_eio)
{
	ASSERT_EQ(0, end_device(variant->driver, variant->unbind));
	EXPECT_EQ(MAP_FAIL, uiot_map(self->held.fd, 0, 1, PROT_READ, MAP_SHARED));
	UIOT_EXPECT_ERRNO(EIO);
}

TEST_F(platform, end_with_the_interrupt_disabled)
{
	ASSERT_EQ(0, raise_interrupt(variant->driver));
	EXPECT_EQ(1, next_event(self->held.fd, UIOT_SOON_MS));
	ASSERT_EQ(0, end_device(variant->driver, variant->unbind));
	EXPECT_EQ(-EIO, next_event(self->held.fd, 0));
}

TEST_F(platform, driver_unloads_once_the_device_is_let_go)
{
	ASSERT_EQ(0, end_device(variant->driver, variant->unbind));
	EXPECT_EQ(-EAGAIN, uiot_module_remove(variant->driver));
	let_go(&self->held);
	EXPECT_EQ(0, uiot_module_remove(variant->driver));
}

TEST_F(platform, next_device_works_while_the_last_is_held)
{
	struct held next;

	ASSERT_EQ(0, end_device(variant->driver, variant->unbind));
	/* the stock driver can't bind a device twice that has platform data */
	ASSERT_EQ(0, add_devices());
	ASSERT_EQ(0, hold_platform(&next, variant->driver));
	ASSERT_EQ(0, raise_interrupt(variant->driver));
	EXPECT_EQ(1, next_event(next.fd, UIOT_SOON_MS));
	EXPECT_EQ(-EIO, next_event(self->held.fd, 0));
	let_go(&next);
}

static int read_count(const char *dir, const char *file)
{
	char path[96], buf[16];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	ret = uiot_read_file(path, buf, sizeof(buf));
	return ret ? ret : atoi(buf);
}

/*
 * What the drivers' release gives back: a count of runtime PM, and memory. Without a context
 * the core does not call release after the device is gone. So on mainline, and with stock
 * drivers, a count of the device stays up, and memory leaks.
 */
static int count_users(const char *driver)
{
	char dir[64];

	snprintf(dir, sizeof(dir), PLATFORM_DEVICES "/%s", driver);
	return read_count(dir, "pm_users");
}

static int platform_count(const char *parameter)
{
	return read_count("/sys/module/uio_platform/parameters", parameter);
}

static bool all_are_freed(void *arg)
{
	(void)arg;
	return !platform_count("not_freed");
}

FIXTURE(late)
{
	struct held held;
};

FIXTURE_VARIANT(late)
{
	const char *driver;
	bool stock;
};

FIXTURE_VARIANT_ADD(late, pdrv) { .driver = "uio_pdrv_genirq" };
FIXTURE_VARIANT_ADD(late, dmem) { .driver = "uio_dmem_genirq" };
FIXTURE_VARIANT_ADD(late, stock_pdrv) { .driver = "uio_pdrv_genirq", .stock = true };
FIXTURE_VARIANT_ADD(late, stock_dmem) { .driver = "uio_dmem_genirq", .stock = true };

FIXTURE_SETUP(late)
{
	int ret;

	if (variant->stock && !has_stock_drivers())
		SKIP(return, NO_STOCK);
	UIOT_NEED(load_driver(variant->driver, variant->stock));
	UIOT_NEED(uiot_load("uio_platform"));
	ASSERT_EQ(0, add_devices());
	ret = count_users(variant->driver);
	if (ret == -EOPNOTSUPP) {
		set_present(false);
		SKIP(return, "this kernel has no runtime PM");
	}
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, hold_platform(&self->held, variant->driver));
	ASSERT_EQ(1, count_users(variant->driver));
}

FIXTURE_TEARDOWN(late)
{
	let_go(&self->held);
	EXPECT_EQ(0, set_present(false));
	EXPECT_TRUE(nobody_needs(variant->driver));
	EXPECT_TRUE(uiot_wait_until(all_are_freed, NULL, UIOT_SOON_MS));
}

TEST_F(late, release_of_a_live_device)
{
	let_go(&self->held);
	EXPECT_EQ(0, count_users(variant->driver));
}

TEST_F(late, d5_unbound_device_is_released)
{
	ASSERT_EQ(0, tell_driver(variant->driver, "unbind"));
	EXPECT_EQ(1, count_users(variant->driver));
	let_go(&self->held);
	EXPECT_EQ(variant->stock, count_users(variant->driver));
}

/* The driver's release uses the device, which has to be there. */
TEST_F(late, d5_removed_device_is_released)
{
	int before = platform_count("pm_users_left");

	ASSERT_EQ(0, set_present(false));
	if (!variant->stock)
		EXPECT_NE(0, platform_count("not_freed"));
	let_go(&self->held);
	EXPECT_TRUE(uiot_wait_until(all_are_freed, NULL, UIOT_SOON_MS));
	EXPECT_EQ(before + variant->stock, platform_count("pm_users_left"));
}

/* The stock driver changes the platform data that describe a device. */
TEST_F(late, device_is_bound_again)
{
	struct held next;

	ASSERT_EQ(0, tell_driver(variant->driver, "unbind"));
	if (variant->stock && !strcmp(variant->driver, "uio_dmem_genirq")) {
		EXPECT_NE(0, tell_driver(variant->driver, "bind"));
		return;
	}
	ASSERT_EQ(0, tell_driver(variant->driver, "bind"));
	ASSERT_EQ(0, hold_platform(&next, variant->driver));
	EXPECT_EQ(2, count_users(variant->driver));
	let_go(&self->held);
	EXPECT_EQ(1 + variant->stock, count_users(variant->driver));
	ASSERT_EQ(0, raise_interrupt(variant->driver));
	EXPECT_EQ(1, next_event(next.fd, UIOT_SOON_MS));
	let_go(&next);
	EXPECT_EQ(variant->stock, count_users(variant->driver));
}

/* Coherent memory of uio_dmem_genirq. The kernel has events for it since 6.12. */
#define DMA_INSTANCE	"/sys/kernel/tracing/instances/uio-dma"
#define DMA_EVENTS	DMA_INSTANCE "/events/dma"

static void stop_dma_events(void)
{
	rmdir(DMA_INSTANCE);
}

static int start_dma_events(void)
{
	static const char filter[] = "device == \"uio_dmem_genirq\"";
	int ret;

	stop_dma_events();
	if (mkdir(DMA_INSTANCE, 0700))
		return -errno;
	if (access(DMA_EVENTS "/dma_free", F_OK))
		return -EOPNOTSUPP;
	ret = uiot_write_file(DMA_EVENTS "/filter", filter);
	if (!ret)
		ret = uiot_write_file(DMA_EVENTS "/dma_alloc/enable", "1");
	return ret ? ret : uiot_write_file(DMA_EVENTS "/dma_free/enable", "1");
}

/* How often the driver has allocated or freed coherent memory. */
static int dma_events(const char *event)
{
	char line[512], mark[32];
	FILE *trace = fopen(DMA_INSTANCE "/trace", "re");
	int n = 0;

	if (!trace)
		return -errno;

	snprintf(mark, sizeof(mark), ": %s: ", event);
	while (fgets(line, sizeof(line), trace))
		n += !!strstr(line, mark);
	fclose(trace);
	return n;
}

FIXTURE(coherent)
{
	struct held held;
};

FIXTURE_SETUP(coherent)
{
	int ret;

	UIOT_NEED(load_driver("uio_dmem_genirq", false));
	UIOT_NEED(uiot_load("uio_platform"));
	ret = start_dma_events();
	if (ret == -ENOENT || ret == -EOPNOTSUPP)
		SKIP(return, "this kernel has no events for coherent memory");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, add_devices());
	ASSERT_EQ(0, hold_platform(&self->held, "uio_dmem_genirq"));
	ASSERT_EQ(1, dma_events("dma_alloc"));
	ASSERT_EQ(0, dma_events("dma_free"));
}

FIXTURE_TEARDOWN(coherent)
{
	let_go(&self->held);
	stop_dma_events();
	EXPECT_EQ(0, set_present(false));
}

TEST_F(coherent, is_freed_by_the_last_close)
{
	struct held next;

	ASSERT_EQ(0, hold_platform(&next, "uio_dmem_genirq"));
	let_go(&self->held);
	EXPECT_EQ(0, dma_events("dma_free"));
	let_go(&next);
	EXPECT_EQ(1, dma_events("dma_free"));
	EXPECT_EQ(1, dma_events("dma_alloc"));
}

/* It has to go while the driver is bound, even if the device is open. */
TEST_F(coherent, d5_is_freed_with_the_device)
{
	ASSERT_EQ(0, tell_driver("uio_dmem_genirq", "unbind"));
	EXPECT_EQ(1, dma_events("dma_free"));
	let_go(&self->held);
	EXPECT_EQ(1, dma_events("dma_free"));
}

/* Drivers without hardware here. Their symbol versions have to fit. */
FIXTURE(binary)
{
};

FIXTURE_VARIANT(binary)
{
	const char *driver;
};

FIXTURE_VARIANT_ADD(binary, aec) { .driver = "uio_aec" };
FIXTURE_VARIANT_ADD(binary, cif) { .driver = "uio_cif" };
FIXTURE_VARIANT_ADD(binary, mf624) { .driver = "uio_mf624" };
FIXTURE_VARIANT_ADD(binary, netx) { .driver = "uio_netx" };
FIXTURE_VARIANT_ADD(binary, sercos3) { .driver = "uio_sercos3" };

FIXTURE_SETUP(binary)
{
	char command[64];

	snprintf(command, sizeof(command), "modprobe -nq %s", variant->driver);
	if (uiot_shell(command))
		SKIP(return, "this kernel does not have this driver");
}

FIXTURE_TEARDOWN(binary)
{
}

TEST_F(binary, loads_and_unloads)
{
	ASSERT_EQ(0, uiot_load(variant->driver));
	EXPECT_EQ(0, uiot_module_remove(variant->driver));
}

TEST_HARNESS_MAIN
