/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lets a driver with a context also compile for kernels without contexts. Copy this file, and
 * include it after <linux/uio_driver.h>. Without contexts there is no late release: memory is
 * freed when the driver puts its reference, as in any driver for these kernels.
 *
 * get_pages has no counterpart. A driver that needs it has to have an mmap of its own for these
 * kernels.
 */
#ifndef _UIO_FALLBACK_H
#define _UIO_FALLBACK_H

#ifndef UIO_HAS_CONTEXT

#define UIO_CONTEXT_SINK	0

struct seq_file;
struct uio_context;

struct uio_context_ops {
	void (*release)(struct uio_context *ctx);
	void (*kick)(struct uio_context *ctx);
	void (*show_fdinfo)(struct uio_context *ctx, struct seq_file *m);
};

struct uio_context {
	const struct uio_context_ops *ops;
};

static inline void uio_context_init(struct uio_context *ctx, const struct uio_context_ops *ops,
				    unsigned int flags)
{
	ctx->ops = ops;
}

static inline void uio_context_put(struct uio_context *ctx)
{
	ctx->ops->release(ctx);
}

#define uio_register_device_context(parent, info, ctx) \
	((void)(ctx), uio_register_device(parent, info))
#define devm_uio_register_device_context(parent, info, ctx) \
	((void)(ctx), devm_uio_register_device(parent, info))

#endif /* UIO_HAS_CONTEXT */
#endif /* _UIO_FALLBACK_H */
