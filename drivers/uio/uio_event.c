// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: events. They come from the interrupt or the driver, and go to read(),
 * poll() and signals.
 */

#include "uio_internal.h"

static void uio_count_event(struct uio_object *obj)
{
	atomic_inc(&obj->idev.event);
	wake_up_interruptible(&obj->idev.wait);
	kill_fasync(&obj->idev.async_queue, SIGIO, POLL_IN);
}

/*
 * A task that we wake may preempt us at once, which is expensive inside an RCU section.
 * So RCU only covers the look-up, and uio_enter() the rest.
 */
static struct uio_object *uio_enter_info(struct uio_info *info)
{
	struct uio_object *obj = NULL;
	struct uio_device *idev;

	/* uio_unregister_device() clears it before RCU frees the object (litmus: info-rcu) */
	rcu_read_lock();
	idev = READ_ONCE(info->uio_dev);
	if (idev && uio_enter(to_uio_object(idev)))
		obj = to_uio_object(idev);
	rcu_read_unlock();
	return obj;
}

static bool uio_irq_is_set(const struct uio_object *obj)
{
	return READ_ONCE(obj->idev.info->irq) != UIO_IRQ_NONE;
}

/*
 * Reads info->irq under the lock, so whoever comes last remembers the newest value. When
 * uio_event_notify() has said that there will be no more events, nobody says otherwise
 * (litmus: irq-notify).
 */
static bool uio_remember_irq(struct uio_object *obj)
{
	unsigned long flags;
	bool has_irq;

	spin_lock_irqsave(&obj->irq_lock, flags);
	has_irq = uio_irq_is_set(obj);
	WRITE_ONCE(obj->had_irq, has_irq);
	spin_unlock_irqrestore(&obj->irq_lock, flags);
	return has_irq;
}

/**
 * uio_update_irq - check if the device can have events
 * @obj: the device; the caller has entered it
 *
 * Remembers the result, so that read() does not have to check again if there is an
 * event. The driver may change info->irq at any time.
 *
 * Return: true if the device can have events now.
 */
bool uio_update_irq(struct uio_object *obj)
{
	bool has_irq = uio_irq_is_set(obj);

	return has_irq == READ_ONCE(obj->had_irq) ? has_irq : uio_remember_irq(obj);
}

/**
 * uio_event_notify - tell user space that the device has an event
 * @info:	the driver's description of the device
 *
 * Wakes all that read or poll the device. Does nothing if the device is revoked or not
 * registered. uio_drain_device() and uio_unregister_device() wait for a call that is
 * under way.
 *
 * If the driver has set @info->irq to UIO_IRQ_NONE, this call says that there will be
 * no more events: reads then fail with -EIO. Other changes of @info->irq need no call.
 *
 * Context: Any, including hard interrupts; on PREEMPT_RT, only those that have a thread,
 * because the locks of wait queues sleep there. @info itself must be valid.
 */
void uio_event_notify(struct uio_info *info)
{
	struct uio_object *obj = uio_enter_info(info);

	if (!obj)
		return;

	/* even if had_irq is false: uio_update_irq() may be about to set it */
	if (!uio_irq_is_set(obj))
		uio_remember_irq(obj);
	uio_count_event(obj);
	uio_leave(obj);
}
EXPORT_SYMBOL_GPL(uio_event_notify);

static irqreturn_t uio_irq_thread(int irq, void *data)
{
	struct uio_object *obj = data;

	/* no uio_enter(): uio_drain() waits for this in free_irq() */
	if (uio_is_live(obj))
		uio_count_event(obj);
	return IRQ_HANDLED;
}

static irqreturn_t uio_irq_handler(int irq, void *data)
{
	struct uio_object *obj = data;
	struct uio_info *info = obj->idev.info;
	irqreturn_t ret = info->handler(irq, info);

	return ret == IRQ_HANDLED ? IRQ_WAKE_THREAD : ret;
}

/**
 * uio_request_irq - request the device's interrupt, if it has one
 * @obj: the device
 *
 * Return: 0 or a negative error code.
 */
int uio_request_irq(struct uio_object *obj)
{
	struct uio_info *info = obj->idev.info;
	long irq = READ_ONCE(info->irq);
	int ret;

	if (irq == UIO_IRQ_NONE || irq == UIO_IRQ_CUSTOM)
		return 0;

	ret = request_threaded_irq(irq, uio_irq_handler, uio_irq_thread,
				   info->irq_flags, info->name, obj);
	if (!ret)
		obj->irq = irq;
	return ret;
}

/**
 * uio_free_irq - free the interrupt; waits for the handler
 * @obj: the device
 *
 * devres would be too late: the driver may disable MSI right after it unregisters.
 */
void uio_free_irq(struct uio_object *obj)
{
	if (obj->irq == UIO_IRQ_NONE)
		return;

	free_irq(obj->irq, obj);
	WRITE_ONCE(obj->irq, UIO_IRQ_NONE);
}

/* Does the driver say now that there can be events? False if the device is revoked. */
static bool uio_ask_for_irq(struct uio_object *obj)
{
	bool has_irq;

	if (!uio_enter(obj))
		return false;

	has_irq = uio_update_irq(obj);
	uio_leave(obj);
	return has_irq;
}

/*
 * If there is an event, the remembered answer is enough: no driver memory is read. But
 * before an error, -EAGAIN or a sleep, info->irq is read.
 */
static bool uio_has_irq(const struct uio_file *uf, bool has_event)
{
	return (has_event && READ_ONCE(uf->obj->had_irq)) ||
	       uio_ask_for_irq(uf->obj);
}

static int uio_read_error(const struct uio_file *uf, bool has_event)
{
	int ret = uio_file_error(uf);

	if (ret || uio_has_irq(uf, has_event))
		return ret;
	/* the device may just have been revoked */
	return uio_file_error(uf) ?: -EIO;
}

static bool uio_has_event(const struct uio_file *uf, s32 *event)
{
	*event = atomic_read(&uf->obj->idev.event);
	return *event != READ_ONCE(uf->event_count);
}

/* Waits until something may have changed. The caller checks what. */
static noinline void uio_wait(const struct uio_file *uf)
{
	wait_queue_head_t *queue = &uf->obj->idev.wait;
	DEFINE_WAIT(wait);
	s32 event;

	/*
	 * first: whoever changes the result of the checks below wakes us afterwards
	 * (litmus: wait-wake)
	 */
	prepare_to_wait(queue, &wait, TASK_INTERRUPTIBLE);
	if (!uio_has_event(uf, &event) && !uio_read_error(uf, false) &&
	    !signal_pending(current))
		schedule();
	finish_wait(queue, &wait);
}

ssize_t uio_read(struct file *filp, char __user *buf, size_t count, loff_t *ppos)
{
	struct uio_file *uf = filp->private_data;
	bool has_event;
	s32 event;
	int ret;

	if (count != sizeof(event))
		return -EINVAL;

	for (;;) {
		has_event = uio_has_event(uf, &event);
		ret = uio_read_error(uf, has_event);
		if (ret)
			return ret;
		if (has_event)
			break;
		if (filp->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (signal_pending(current))
			return -ERESTARTSYS;
		uio_wait(uf);
	}

	if (put_user(event, (s32 __user *)buf))
		return -EFAULT;

	WRITE_ONCE(uf->event_count, event);
	return sizeof(event);
}

__poll_t uio_poll(struct file *filp, poll_table *wait)
{
	struct uio_file *uf = filp->private_data;
	bool has_event, has_irq;
	s32 event;

	/* first, as in uio_wait() */
	poll_wait(filp, &uf->obj->idev.wait, wait);

	has_event = uio_has_event(uf, &event);
	has_irq = uio_has_irq(uf, has_event);
	if (uio_file_error(uf))
		return EPOLLHUP | EPOLLERR;
	if (!has_irq)
		return UIO_POLL_NO_IRQ;
	return has_event ? EPOLLIN | EPOLLRDNORM : 0;
}

/* Wakes every sleeper, not just one exclusive one: that may belong to another file. */
void uio_wake_all(struct uio_object *obj)
{
	__wake_up(&obj->idev.wait, TASK_INTERRUPTIBLE, 0,
		  poll_to_key(EPOLLHUP | EPOLLERR));
}

/* Wakes every sleeper and sends signals: the device is revoked. */
void uio_wake_hangup(struct uio_object *obj)
{
	uio_wake_all(obj);

	/*
	 * pairs with smp_mb() in uio_fasync(): it sees the state, or we see the file
	 * (litmus: fasync-hangup)
	 */
	smp_mb();
	kill_fasync(&obj->idev.async_queue, SIGIO, POLL_HUP);
}
