// SPDX-License-Identifier: GPL-2.0-only
/*
 * uio_step: stops a thread at each call from uio to the kernel.
 *
 * If two operations race, a test stops the first one at its first such call, runs the
 * second operation, and lets the first one go on. Then it starts again and stops at the
 * second call, and so on, until no call is left. This works on any uio module, unmodified:
 * a probe redirects each call to a function here. That function waits, and then calls the
 * kernel's function, or fails in its place. The module redirects only calls by uio, in
 * threads of a given name.
 *
 * A test sets the parameter at to the number of the call, and on to Y, and gives the
 * thread its name. When the thread has stopped, the parameter where has the name of the
 * function. The thread goes on when on becomes N. The function whose name is in the
 * parameter fail fails, until that is cleared. If the parameter locks is Y, a thread also
 * stops before it takes a mutex.
 *
 * The module also makes the calls fail with which uio is loaded. Then the thread is modprobe,
 * under that name.
 */

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/pseudo_fs.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/version.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "uio_redirect.h"

#define UIO_STEP_COMM	"uio-step"

static unsigned int ms = 25000;
module_param(ms, uint, 0644);
MODULE_PARM_DESC(ms, "longest time to hold up a thread, in ms");

static unsigned int at;
module_param(at, uint, 0644);
MODULE_PARM_DESC(at, "number of the call to stop at, from 0");

static char fail[32];
module_param_string(fail, fail, sizeof(fail), 0644);
MODULE_PARM_DESC(fail, "name of the function that fails");

static char where[32];
module_param_string(where, where, sizeof(where), 0444);
MODULE_PARM_DESC(where, "name of the function at which a thread was stopped");

static bool locks;
module_param(locks, bool, 0644);
MODULE_PARM_DESC(locks, "also stop before a mutex is taken");

static DECLARE_WAIT_QUEUE_HEAD(uio_step_wait);
static atomic_t uio_step_inside;
static unsigned int uio_step_calls;
static bool on;

/* Starts the count, or ends the wait. */
static int uio_step_set_on(const char *val, const struct kernel_param *kp)
{
	bool start;
	int ret = kstrtobool(val, &start);

	if (ret)
		return ret;

	if (start) {
		uio_step_calls = 0;
		where[0] = 0;
	}
	/* pairs with uio_step(): a thread that sees it also sees the count reset */
	smp_store_release(&on, start);
	wake_up_all(&uio_step_wait);
	return 0;
}

static const struct kernel_param_ops uio_step_on_ops = {
	.set	= uio_step_set_on,
	.get	= param_get_bool,
};
module_param_cb(on, &uio_step_on_ops, &on, 0644);
MODULE_PARM_DESC(on, "stop threads");

static bool uio_step_fails(const char *function)
{
	return sysfs_streq(fail, function);
}

/* Returns whether the function has to fail. */
static bool uio_step(const char *function)
{
	atomic_inc(&uio_step_inside);
	/* pairs with uio_step_set_on() */
	if (smp_load_acquire(&on) && uio_step_calls++ == at) {
		strscpy(where, function, sizeof(where));
		wait_event_timeout(uio_step_wait, !READ_ONCE(on),
				   msecs_to_jiffies(ms));
	}
	atomic_dec(&uio_step_inside);
	return uio_step_fails(function);
}

/* The function behind mutex_lock(). */
#ifdef CONFIG_DEBUG_LOCK_ALLOC
#define UIO_STEP_LOCK	"mutex_lock_nested"

static void uio_step_mutex_lock(struct mutex *lock, unsigned int subclass)
{
	uio_step("mutex_lock");
	mutex_lock_nested(lock, subclass);
}
#else
#define UIO_STEP_LOCK	"mutex_lock"

static void uio_step_mutex_lock(struct mutex *lock)
{
	uio_step("mutex_lock");
	mutex_lock(lock);
}
#endif

/* Stops after the call, because a thread that stops here must not hold the lock. */
static void uio_step_mutex_unlock(struct mutex *lock)
{
	mutex_unlock(lock);
	uio_step("mutex_unlock");
}

static bool uio_step_try_module_get(struct module *module)
{
	return !uio_step("try_module_get") && try_module_get(module);
}

static void uio_step_device_initialize(struct device *dev)
{
	uio_step("device_initialize");
	device_initialize(dev);
}

static int uio_step_device_add(struct device *dev)
{
	return uio_step("device_add") ? -ENOMEM : device_add(dev);
}

static void uio_step_device_del(struct device *dev)
{
	uio_step("device_del");
	device_del(dev);
}

static void uio_step_device_unregister(struct device *dev)
{
	uio_step("device_unregister");
	device_unregister(dev);
}

static void uio_step_put_device(struct device *dev)
{
	uio_step("put_device");
	put_device(dev);
}

static struct kobject *uio_step_kobject_create_and_add(const char *name,
						       struct kobject *parent)
{
	return uio_step("kobject_create_and_add") ? NULL :
	       kobject_create_and_add(name, parent);
}

static int uio_step_kobject_uevent(struct kobject *kobj, enum kobject_action action)
{
	uio_step("kobject_uevent");
	return kobject_uevent(kobj, action);
}

static int uio_step_request_threaded_irq(unsigned int irq, irq_handler_t handler,
					 irq_handler_t thread_fn,
					 unsigned long flags, const char *name,
					 void *dev)
{
	return uio_step("request_threaded_irq") ? -EBUSY :
	       request_threaded_irq(irq, handler, thread_fn, flags, name, dev);
}

static const void *uio_step_free_irq(unsigned int irq, void *dev)
{
	uio_step("free_irq");
	return free_irq(irq, dev);
}

/* All numbers are taken. It runs under a spinlock, so no thread can stop there. */
static int uio_step___xa_alloc(struct xarray *xa, u32 *id, void *entry,
			       struct xa_limit limit, gfp_t gfp)
{
	int ret;

	atomic_inc(&uio_step_inside);
	ret = uio_step_fails("__xa_alloc") ? -EBUSY :
	      __xa_alloc(xa, id, entry, limit, gfp);
	atomic_dec(&uio_step_inside);
	return ret;
}

static struct pseudo_fs_context *uio_step_init_pseudo(struct fs_context *fc,
						      unsigned long magic)
{
	return uio_step("init_pseudo") ? NULL : init_pseudo(fc, magic);
}

static struct vfsmount *uio_step_kern_mount(struct file_system_type *type)
{
	return uio_step("kern_mount") ? ERR_PTR(-ENOMEM) : kern_mount(type);
}

/* The function behind class_register(). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define UIO_STEP_CLASS	"__class_register"

static int uio_step_class_register(struct class *class, struct lock_class_key *key)
{
	return uio_step("class_register") ? -ENOMEM : __class_register(class, key);
}
#else
#define UIO_STEP_CLASS	"class_register"

static int uio_step_class_register(const struct class *class)
{
	return uio_step("class_register") ? -ENOMEM : class_register(class);
}
#endif

static int uio_step___register_chrdev(unsigned int major, unsigned int first,
				      unsigned int count, const char *name,
				      const struct file_operations *fops)
{
	return uio_step("__register_chrdev") ? -ENOMEM :
	       __register_chrdev(major, first, count, name, fops);
}

/* A sibling call in an exported function of uio looks like a call by the driver. */
static bool uio_step_caller_is_uio(struct pt_regs *regs, bool exported_too)
{
	char symbol[KSYM_SYMBOL_LEN];

	uio_redirect_caller(regs, symbol);
	return strstr(symbol, "[uio]") ||
	       (exported_too && strstr(symbol, "[uio_test]"));
}

static int uio_step_entry(struct kprobe *kp, struct pt_regs *regs)
{
	bool is_lock = !strcmp(kp->symbol_name, UIO_STEP_LOCK);
	bool is_unlock = !strcmp(kp->symbol_name, "mutex_unlock");

	if ((!READ_ONCE(on) && !fail[0]) || strcmp(current->comm, UIO_STEP_COMM) ||
	    (is_lock && !READ_ONCE(locks)) ||
	    !uio_step_caller_is_uio(regs, !is_lock && !is_unlock))
		return 0;
	return uio_redirect(kp, regs);
}

#define UIO_STEP(_symbol)	\
	UIO_REDIRECT(#_symbol, uio_step_entry, uio_step_ ## _symbol)

static struct uio_redirect uio_steps[] = {
	UIO_REDIRECT(UIO_STEP_LOCK, uio_step_entry, uio_step_mutex_lock),
	UIO_STEP(mutex_unlock),
	UIO_STEP(try_module_get),
	UIO_STEP(device_initialize),
	UIO_STEP(device_add),
	UIO_STEP(device_del),
	UIO_STEP(device_unregister),
	UIO_STEP(put_device),
	UIO_STEP(kobject_create_and_add),
	UIO_STEP(kobject_uevent),
	UIO_STEP(request_threaded_irq),
	UIO_STEP(free_irq),
	UIO_STEP(__xa_alloc),
	UIO_STEP(init_pseudo),
	UIO_STEP(kern_mount),
	UIO_REDIRECT(UIO_STEP_CLASS, uio_step_entry, uio_step_class_register),
	UIO_STEP(__register_chrdev),
};

static int __init uio_step_init(void)
{
	return uio_redirect_begin(uio_steps, ARRAY_SIZE(uio_steps));
}

static void __exit uio_step_exit(void)
{
	uio_redirect_end(uio_steps, ARRAY_SIZE(uio_steps));
	WRITE_ONCE(on, false);
	wake_up_all(&uio_step_wait);
	while (atomic_read(&uio_step_inside))
		schedule_timeout_uninterruptible(1);
}

module_init(uio_step_init)
module_exit(uio_step_exit)
MODULE_DESCRIPTION("Stops threads at each call that UIO makes");
MODULE_LICENSE("GPL");
