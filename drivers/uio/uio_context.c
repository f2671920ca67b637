// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace I/O: contexts. They keep a driver's memory while user space can reach it.
 */

#include "uio_internal.h"
#include "uio_trace.h"

#include <linux/debugobjects.h>

static bool uio_context_fixup_free(void *addr, enum debug_obj_state state);

/*
 * With CONFIG_DEBUG_OBJECTS_FREE the kernel warns if memory with a live context in it is
 * freed. The usual mistake is a context in devm_kzalloc() memory: this is freed with the
 * parent, even if files are open.
 */
static const struct debug_obj_descr uio_context_descr = {
	.name		= "uio_context",
	.fixup_free	= uio_context_fixup_free,
};

static void uio_context_forget(void *ctx)
{
	debug_object_deactivate(ctx, &uio_context_descr);
	debug_object_free(ctx, &uio_context_descr);
}

/* The kernel has warned, and would warn again as long as the object is known. */
static bool uio_context_fixup_free(void *addr, enum debug_obj_state state)
{
	uio_context_forget(addr);
	return true;
}

/**
 * uio_context_init - prepare a context
 * @ctx:	embedded in the object that also holds the &struct uio_info
 * @ops:	operations that the core calls
 * @flags:	0 or UIO_CONTEXT_SINK
 *
 * The caller gets the first reference. From now on uio_context_put() frees the object,
 * through &uio_context_ops.release, on error paths too.
 *
 * A context is good for one registration, even if that fails.
 *
 * Context: Any.
 */
void uio_context_init(struct uio_context *ctx,
		      const struct uio_context_ops *ops, unsigned int flags)
{
	WARN_ON(!ops || !ops->release || (flags & ~UIO_CONTEXT_SINK));

	kref_init(&ctx->kref);
	atomic_set(&ctx->used, 0);
	ctx->serial = 0;
	ctx->ops = ops;
	ctx->flags = flags;
	debug_object_init(ctx, &uio_context_descr);
	debug_object_activate(ctx, &uio_context_descr);
}
EXPORT_SYMBOL_GPL(uio_context_init);

/**
 * uio_context_use - take a context for a registration
 * @ctx: the context
 *
 * Return: 0, or -EBUSY if it was taken since uio_context_init().
 */
int uio_context_use(struct uio_context *ctx)
{
	return atomic_xchg(&ctx->used, 1) ? -EBUSY : 0;
}

static void uio_context_release(struct kref *kref)
{
	struct uio_context *ctx = container_of(kref, struct uio_context, kref);

	uio_context_forget(ctx);
	trace_uio_release(ctx->serial);
	ctx->ops->release(ctx);
}

/**
 * uio_context_put - drop a reference to a context
 * @ctx:	the context; invalid afterwards
 *
 * Context: Process context; may sleep if the driver's release does. The caller
 * must not hold a lock that the release takes.
 */
void uio_context_put(struct uio_context *ctx)
{
	might_sleep();
	kref_put(&ctx->kref, uio_context_release);
}
EXPORT_SYMBOL_GPL(uio_context_put);
