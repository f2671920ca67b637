// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_test: the interface in debugfs.
 *
 * uio_test/control takes one command per write:
 *
 *	create NAME [OPTION]...	make a device and register it
 *		mem=KIND:PAGES	a region: phys, iova, dma, logical, virtual,
 *				rom or far (as phys, but not RAM), shared (as
 *				iova, but not RAM), slab or block (as
 *				logical, but pages have no counts), hole
 *				(as virtual, and one page more that is not
 *				there), or none (with a context: by the fault
 *				operation)
 *		irq=KIND	custom (the default), none, real, or open (none
 *				until it is opened)
 *		ctx		register with a context
 *		around		get_pages also finds the pages after the touched
 *				one, except every seventh page; after ctx
 *		sink		the context has chosen the sink; after ctx
 *		ports		three port regions; the last has no valid type
 *		mmap		an mmap callback of its own; before mem=
 *		populate	the same, and it inserts all pages at once
 *		counted		mmap, and its vm_operations count mappings
 *		remap		mmap by remap_pfn_range(), write-combining
 *		full		mmap, and its vm_operations have all that the core
 *				wraps; fault returns a locked page
 *		unaligned	regions begin inside a page; after mem=
 *		short		regions end inside a page; after mem=
 *		nodevice	DMA memory without its device; after mem=
 *		noirqcontrol	without an irqcontrol callback
 *		devm		register for a parent's lifetime
 *		oddname		the name has a line end and other control characters
 *		owner=N		all pages hold N, and I/O memory is given to the next
 *				device at once: see memory.c; before all others
 *		idle		do not register yet
 *	renew NAME [OPTION]...	make another device of that name, when the driver has let
 *				go of the last one
 *	register NAME [N]	register a device that is idle or kept; N: a new owner
 *	unregister NAME [keep]	unregister; the driver lets go of the device,
 *				unless it is kept
 *	put NAME		the driver lets go of a device that it kept
 *	revoke NAME, drain NAME	the parts of unregister
 *	unmap NAME MAP,PAGE,PAGES	uio_unmap_range()
 *	notify NAME		uio_event_notify()
 *	notify-irq NAME		the same from an interrupt (on PREEMPT_RT: from the
 *				thread that handles it)
 *	interrupt NAME		raise a real interrupt
 *	noirq NAME		the device will have no more events
 *	irq NAME KIND		set info->irq (custom or none), and notify nobody
 *	move NAME		region 0 gets the address of region 1
 *	retype NAME		region 0 gets the memory type of region 1
 *	resize NAME		region 0 gets the size of region 1
 *	storm NAME FD		noirq, again and again, while interrupts come; fails
 *				if poll() of FD does not see the end of events
 *	stale NAME FD		the same while another task calls poll()
 *	stall NAME CALLBACK[:MS]	make open, release, irqcontrol, fault or mmap wait;
 *				with MS, only the next one, and only that long
 *	kickable NAME		let the context's kick end this wait
 *	resume NAME		end this wait
 *	act NAME CALLBACK:ACTION[:OTHER]	make open, release or irqcontrol do
 *				something: take and drop a lock (rtnl, mmap), or
 *				revoke, drain or unregister the device, or
 *				another one
 *	unregister-under NAME LOCK	unregister with that lock held; the driver
 *				keeps the device
 *	nest NAME LOCK:LOCK	take the first lock, then the second
 *	reset			unregister all devices and let go of them
 *
 * uio_test/NAME/ has the counters and the memory of the device. "notify" and
 * "notify-irq" take no lock, because they have to work while an unregister waits.
 * A test may only send them while the driver has the device.
 *
 * uio_test/caching: write an address, and read how a touch of it is cached.
 */

#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/interrupt.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "uio_test.h"

/* Longer than any test waits, but not for ever: a guest must not hang. */
#define UIO_TEST_STALL_MAX	(30 * HZ)

static struct dentry *uio_test_dir;
static LIST_HEAD(uio_test_slots);
static DEFINE_MUTEX(uio_test_slots_lock);

void uio_test_stall(struct uio_test_slot *slot, enum uio_test_callback callback)
{
	unsigned int ms;

	if (!test_bit(callback, &slot->stalled))
		return;

	ms = READ_ONCE(slot->stall_ms);
	atomic_inc(&slot->inside);
	wait_event_timeout(slot->wait, !test_bit(callback, &slot->stalled),
			   ms ? msecs_to_jiffies(ms) : UIO_TEST_STALL_MAX);
	if (ms)
		clear_bit(callback, &slot->stalled);
	atomic_dec(&slot->inside);
}

void uio_test_let_go(struct uio_test_slot *slot)
{
	WRITE_ONCE(slot->stalled, 0);
	wake_up_all(&slot->wait);
}

struct uio_test_slot *uio_test_slot_find(const char *name)
{
	struct uio_test_slot *slot, *found = NULL;

	mutex_lock(&uio_test_slots_lock);
	list_for_each_entry(slot, &uio_test_slots, node)
		if (!strcmp(slot->name, name))
			found = slot;
	mutex_unlock(&uio_test_slots_lock);
	return found;
}

static void uio_test_slot_files(struct uio_test_slot *slot)
{
	slot->dir = debugfs_create_dir(slot->name, uio_test_dir);
	debugfs_create_u32("minor", 0400, slot->dir, &slot->minor);
	debugfs_create_u32("open_errno", 0600, slot->dir, &slot->open_errno);
	debugfs_create_u32("irqcontrol_errno", 0600, slot->dir,
			   &slot->irqcontrol_errno);
	debugfs_create_atomic_t("opens", 0400, slot->dir, &slot->opens);
	debugfs_create_atomic_t("releases", 0400, slot->dir, &slot->releases);
	debugfs_create_atomic_t("late_releases", 0400, slot->dir, &slot->late_releases);
	debugfs_create_atomic_t("irqcontrols", 0400, slot->dir, &slot->irqcontrols);
	debugfs_create_atomic_t("irq_on", 0400, slot->dir, &slot->irq_on);
	debugfs_create_atomic_t("faults", 0400, slot->dir, &slot->faults);
	debugfs_create_atomic_t("arounds", 0400, slot->dir, &slot->arounds);
	debugfs_create_atomic_t("kicks", 0400, slot->dir, &slot->kicks);
	debugfs_create_atomic_t("interrupts", 0400, slot->dir, &slot->interrupts);
	debugfs_create_atomic_t("creates", 0400, slot->dir, &slot->creates);
	debugfs_create_atomic_t("frees", 0400, slot->dir, &slot->frees);
	debugfs_create_atomic_t("closes", 0400, slot->dir, &slot->closes);
	debugfs_create_atomic_t("inside", 0400, slot->dir, &slot->inside);
}

static void uio_test_irq_work(struct irq_work *work)
{
	struct uio_test_slot *slot = container_of(work, typeof(*slot), irq_work);

	slot->in_hardirq = in_hardirq();
	uio_event_notify(&slot->dev->info);
}

static struct uio_test_slot *uio_test_slot_add(const char *name)
{
	struct uio_test_slot *slot;

	if (uio_test_slot_find(name))
		return ERR_PTR(-EEXIST);

	slot = kzalloc_obj(*slot);
	if (!slot)
		return ERR_PTR(-ENOMEM);
	if (strscpy(slot->name, name, sizeof(slot->name)) < 0) {
		kfree(slot);
		return ERR_PTR(-ENAMETOOLONG);
	}

	mutex_init(&slot->lock);
	spin_lock_init(&slot->actions_lock);
	init_waitqueue_head(&slot->wait);
	init_irq_work(&slot->irq_work, uio_test_irq_work);
	uio_test_slot_files(slot);

	mutex_lock(&uio_test_slots_lock);
	list_add_tail(&slot->node, &uio_test_slots);
	mutex_unlock(&uio_test_slots_lock);
	return slot;
}

/* Makes a device, and registers it unless an option is "idle". */
static int uio_test_device_add(struct uio_test_slot *slot, char **options)
{
	bool idle = false;
	int ret, i;

	for (i = 0; options[i]; i++)
		idle |= !strcmp(options[i], "idle");

	ret = uio_test_device_alloc(slot, options);
	if (!ret && !idle) {
		ret = uio_test_register(slot);
		if (ret)
			uio_test_put(slot);
	}
	return ret;
}

static int uio_test_create(char **args)
{
	struct uio_test_slot *slot = uio_test_slot_add(args[0]);
	int ret;

	if (IS_ERR(slot))
		return PTR_ERR(slot);

	mutex_lock(&slot->lock);
	ret = uio_test_device_add(slot, args + 1);
	mutex_unlock(&slot->lock);
	return ret;
}

/* What a test has asked for goes with the last device. */
static void uio_test_slot_renew(struct uio_test_slot *slot)
{
	uio_test_let_go(slot);
	slot->kick_ends_stall = false;
	slot->open_errno = 0;
	slot->irqcontrol_errno = 0;
	spin_lock(&slot->actions_lock);
	memset(slot->actions, 0, sizeof(slot->actions));
	spin_unlock(&slot->actions_lock);
}

static int uio_test_renew(char **args)
{
	struct uio_test_slot *slot = uio_test_slot_find(args[0]);
	int ret = -EBUSY;

	if (!slot)
		return -ENOENT;

	mutex_lock(&slot->lock);
	if (!slot->dev) {
		uio_test_slot_renew(slot);
		ret = uio_test_device_add(slot, args + 1);
	}
	mutex_unlock(&slot->lock);
	return ret;
}

static int uio_test_cmd_register(struct uio_test_slot *slot, char *arg)
{
	int ret = slot->registered ? -EBUSY : 0;

	if (!ret && arg)
		ret = kstrtouint(arg, 0, &slot->dev->owner);
	return ret ?: uio_test_register(slot);
}

/* The mistake of a driver that registers a device twice. */
static int uio_test_cmd_register_again(struct uio_test_slot *slot, char *arg)
{
	return uio_test_register(slot);
}

static int uio_test_cmd_unregister(struct uio_test_slot *slot, char *arg)
{
	uio_test_unregister(slot);
	if (!arg)
		uio_test_put(slot);
	return 0;
}

static int uio_test_cmd_put(struct uio_test_slot *slot, char *arg)
{
	if (slot->registered)
		return -EBUSY;

	uio_test_put(slot);
	return 0;
}

static int uio_test_cmd_revoke(struct uio_test_slot *slot, char *arg)
{
	return uio_test_revoke(slot->dev);
}

static int uio_test_cmd_drain(struct uio_test_slot *slot, char *arg)
{
	return uio_test_drain(slot->dev);
}

static int uio_test_cmd_notify(struct uio_test_slot *slot, char *arg)
{
	uio_event_notify(&slot->dev->info);
	return 0;
}

/* Such work runs where interrupt handlers do, so PREEMPT_RT has a thread for it. */
static int uio_test_cmd_notify_irq(struct uio_test_slot *slot, char *arg)
{
	if (!irq_work_queue(&slot->irq_work))
		return -EBUSY;

	irq_work_sync(&slot->irq_work);
	return slot->in_hardirq == IS_ENABLED(CONFIG_PREEMPT_RT) ? -EXDEV : 0;
}

static int uio_test_cmd_unmap(struct uio_test_slot *slot, char *arg)
{
	unsigned int map, page, pages;

	if (!arg || sscanf(arg, "%u,%u,%u", &map, &page, &pages) != 3)
		return -EINVAL;
	return uio_test_unmap(slot->dev, map, page, pages);
}

static int uio_test_cmd_noirq(struct uio_test_slot *slot, char *arg)
{
	WRITE_ONCE(slot->dev->info.irq, UIO_IRQ_NONE);
	uio_event_notify(&slot->dev->info);
	return 0;
}

static int uio_test_cmd_irq(struct uio_test_slot *slot, char *arg)
{
	bool none = arg && !strcmp(arg, "none");

	if (!none && (!arg || strcmp(arg, "custom")))
		return -EINVAL;

	WRITE_ONCE(slot->dev->info.irq, none ? UIO_IRQ_NONE : UIO_IRQ_CUSTOM);
	return 0;
}

static int uio_test_cmd_move(struct uio_test_slot *slot, char *arg)
{
	slot->dev->info.mem[0].addr = slot->dev->info.mem[1].addr;
	return 0;
}

static int uio_test_cmd_retype(struct uio_test_slot *slot, char *arg)
{
	slot->dev->info.mem[0].memtype = slot->dev->info.mem[1].memtype;
	return 0;
}

static int uio_test_cmd_resize(struct uio_test_slot *slot, char *arg)
{
	slot->dev->info.mem[0].size = slot->dev->info.mem[1].size;
	return 0;
}

static int uio_test_cmd_storm(struct uio_test_slot *slot, char *arg)
{
	int fd, ret = arg ? kstrtoint(arg, 0, &fd) : -EINVAL;

	return ret ?: uio_test_storm(&slot->dev->info, fd);
}

static int uio_test_cmd_stale(struct uio_test_slot *slot, char *arg)
{
	int fd, ret = arg ? kstrtoint(arg, 0, &fd) : -EINVAL;

	return ret ?: uio_test_stale(&slot->dev->info, fd);
}

static int uio_test_cmd_interrupt(struct uio_test_slot *slot, char *arg)
{
	return slot->irq ? generic_handle_irq_safe(slot->irq) : -EINVAL;
}

static int uio_test_callback_find(const char *name)
{
	static const char * const callbacks[UIO_TEST_CALLBACKS] = {
		[UIO_TEST_OPEN]		= "open",
		[UIO_TEST_RELEASE]	= "release",
		[UIO_TEST_IRQCONTROL]	= "irqcontrol",
		[UIO_TEST_FAULT]	= "fault",
		[UIO_TEST_MMAP]		= "mmap",
	};

	return name ? match_string(callbacks, UIO_TEST_CALLBACKS, name) : -EINVAL;
}

static int uio_test_cmd_stall(struct uio_test_slot *slot, char *arg)
{
	int callback = uio_test_callback_find(strsep(&arg, ":"));
	unsigned int ms = 0;
	int ret = 0;

	if (callback < 0)
		return callback;
	if (arg)
		ret = kstrtouint(arg, 0, &ms);
	if (ret)
		return ret;

	WRITE_ONCE(slot->stall_ms, ms);
	set_bit(callback, &slot->stalled);
	return 0;
}

static int uio_test_cmd_act(struct uio_test_slot *slot, char *arg)
{
	int callback = uio_test_callback_find(strsep(&arg, ":"));

	if (callback < 0)
		return callback;
	return arg ? uio_test_action_set(slot, callback, arg) : -EINVAL;
}

static int uio_test_cmd_unregister_under(struct uio_test_slot *slot, char *arg)
{
	return uio_test_under(arg, uio_test_unregister, slot, NULL);
}

static int uio_test_cmd_nest(struct uio_test_slot *slot, char *arg)
{
	const char *outer = strsep(&arg, ":");

	return uio_test_under(outer, NULL, slot, arg);
}

static int uio_test_cmd_kickable(struct uio_test_slot *slot, char *arg)
{
	slot->kick_ends_stall = true;
	return 0;
}

static int uio_test_cmd_resume(struct uio_test_slot *slot, char *arg)
{
	uio_test_let_go(slot);
	return 0;
}

static int uio_test_reset(void)
{
	struct uio_test_slot *slot;

	mutex_lock(&uio_test_slots_lock);
	list_for_each_entry(slot, &uio_test_slots, node) {
		uio_test_let_go(slot);
		mutex_lock(&slot->lock);
		uio_test_unregister(slot);
		uio_test_put(slot);
		mutex_unlock(&slot->lock);
	}
	mutex_unlock(&uio_test_slots_lock);
	return 0;
}

static const struct uio_test_command {
	const char *name;
	int (*run)(struct uio_test_slot *slot, char *arg);
	bool unlocked;		/* works while another command waits */
	bool needs_device;
} uio_test_commands[] = {
	{ "register",		uio_test_cmd_register,		false, true },
	{ "register-again",	uio_test_cmd_register_again,	false, true },
	{ "unregister",		uio_test_cmd_unregister,	false, true },
	{ "put",		uio_test_cmd_put,		false, true },
	{ "revoke",		uio_test_cmd_revoke,		true, true },
	{ "drain",		uio_test_cmd_drain,		false, true },
	{ "unmap",		uio_test_cmd_unmap,		false, true },
	{ "notify",		uio_test_cmd_notify,		true, true },
	{ "notify-irq",		uio_test_cmd_notify_irq,	true, true },
	{ "noirq",		uio_test_cmd_noirq,		true, true },
	{ "irq",		uio_test_cmd_irq,		true, true },
	{ "move",		uio_test_cmd_move,		false, true },
	{ "retype",		uio_test_cmd_retype,		false, true },
	{ "resize",		uio_test_cmd_resize,		false, true },
	{ "storm",		uio_test_cmd_storm,		false, true },
	{ "stale",		uio_test_cmd_stale,		false, true },
	{ "interrupt",		uio_test_cmd_interrupt,		true, false },
	{ "stall",		uio_test_cmd_stall,		true, false },
	{ "kickable",		uio_test_cmd_kickable,		true, false },
	{ "resume",		uio_test_cmd_resume,		true, false },
	{ "act",		uio_test_cmd_act,		true, false },
	{ "unregister-under",	uio_test_cmd_unregister_under,	false, true },
	{ "nest",		uio_test_cmd_nest,		true, false },
};

static int uio_test_slot_command(const struct uio_test_command *cmd,
				 struct uio_test_slot *slot, char *arg)
{
	int ret = -ENODEV;

	if (!cmd->unlocked)
		mutex_lock(&slot->lock);
	if (slot->dev || !cmd->needs_device)
		ret = cmd->run(slot, arg);
	if (!cmd->unlocked)
		mutex_unlock(&slot->lock);
	return ret;
}

static int uio_test_run(char **words, int nr)
{
	struct uio_test_slot *slot;
	int i;

	if (nr == 1 && !strcmp(words[0], "reset"))
		return uio_test_reset();
	if (nr < 2)
		return -EINVAL;
	if (!strcmp(words[0], "create"))
		return uio_test_create(words + 1);
	if (!strcmp(words[0], "renew"))
		return uio_test_renew(words + 1);

	slot = uio_test_slot_find(words[1]);
	if (!slot)
		return -ENOENT;

	for (i = 0; i < ARRAY_SIZE(uio_test_commands); i++)
		if (!strcmp(uio_test_commands[i].name, words[0]))
			return uio_test_slot_command(&uio_test_commands[i], slot,
						     nr > 2 ? words[2] : NULL);
	return -EINVAL;
}

static ssize_t uio_test_control_write(struct file *filp, const char __user *buf,
				      size_t count, loff_t *ppos)
{
	char **words;
	char *line;
	int nr, ret;

	line = memdup_user_nul(buf, min_t(size_t, count, PAGE_SIZE));
	if (IS_ERR(line))
		return PTR_ERR(line);

	words = argv_split(GFP_KERNEL, line, &nr);
	kfree(line);
	if (!words)
		return -ENOMEM;

	ret = uio_test_run(words, nr);
	argv_free(words);
	return ret ?: count;
}

static const struct file_operations uio_test_control_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= uio_test_control_write,
};

int uio_test_control_init(void)
{
	static u32 special = IS_ENABLED(CONFIG_ARCH_HAS_PTE_SPECIAL);
	static u32 ioremap = IS_ENABLED(CONFIG_HAVE_IOREMAP_PROT);
	static u32 vma_locks = IS_ENABLED(CONFIG_PER_VMA_LOCK);

	uio_test_dir = debugfs_create_dir("uio_test", NULL);
	debugfs_create_file("control", 0200, uio_test_dir, NULL,
			    &uio_test_control_fops);
	debugfs_create_file("caching", 0600, uio_test_dir, NULL,
			    &uio_test_caching_fops);
	debugfs_create_u32("pte_special", 0400, uio_test_dir, &special);
	debugfs_create_u32("ioremap_prot", 0400, uio_test_dir, &ioremap);
	debugfs_create_u32("vma_locks", 0400, uio_test_dir, &vma_locks);
	return PTR_ERR_OR_ZERO(uio_test_dir);
}

/* Open files pin the module, so nobody uses a slot after the reset. */
void uio_test_control_exit(void)
{
	struct uio_test_slot *slot, *next;

	uio_test_reset();
	debugfs_remove(uio_test_dir);
	list_for_each_entry_safe(slot, next, &uio_test_slots, node) {
		if (slot->irq)
			irq_free_desc(slot->irq);
		kfree(slot);
	}
}
