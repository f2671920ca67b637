/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Redirects calls: a module probes the entry of a function of the kernel. For callers
 * that the module chooses, the probe jumps to a function of the module, of the same type.
 *
 * The probe's handler runs in a breakpoint, but the module's function runs in the context
 * of the caller: it can sleep if the caller can.
 *
 * A module that includes this is compiled without optimized sibling calls. Otherwise, a
 * call in the last line of the module's function would look like one by its caller.
 */
#ifndef _UIO_REDIRECT_H
#define _UIO_REDIRECT_H

#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/printk.h>

struct uio_redirect {
	struct kprobe kp;
	unsigned long instead;
};

/* At the entry of a function. Only x86 has it on the stack. */
static unsigned long uio_redirect_return_address(struct pt_regs *regs)
{
#if defined(CONFIG_X86)
	return *(unsigned long *)kernel_stack_pointer(regs);
#elif defined(CONFIG_ARM)
	return regs->ARM_lr;
#elif defined(CONFIG_ARM64)
	return procedure_link_pointer(regs);
#elif defined(CONFIG_RISCV)
	return regs->ra;
#elif defined(CONFIG_S390)
	return regs->gprs[14];
#else
#error "where is the return address?"
#endif
}

/* Writes the caller as "function+0x12/0x34 [module]". */
static void __maybe_unused uio_redirect_caller(struct pt_regs *regs, char *symbol)
{
	sprint_symbol(symbol, uio_redirect_return_address(regs));
}

/* A probe's handler returns this if it redirects the call. */
static int uio_redirect(struct kprobe *kp, struct pt_regs *regs)
{
	instruction_pointer_set(regs, container_of(kp, struct uio_redirect, kp)->instead);
	return 1;
}

/* A probe may change the instruction pointer only if it has a post_handler. */
static void uio_redirect_post(struct kprobe *kp, struct pt_regs *regs,
			      unsigned long flags)
{
}

#define UIO_REDIRECT(_symbol, _handler, _instead)		\
	{							\
		.kp.symbol_name	= _symbol,			\
		.kp.pre_handler	= _handler,			\
		.kp.post_handler = uio_redirect_post,		\
		.instead	= (unsigned long)(_instead),	\
	}

static void uio_redirect_end(struct uio_redirect *redirects, int count)
{
	while (count--)
		unregister_kprobe(&redirects[count].kp);
}

#ifdef CONFIG_RISCV
#include <linux/ftrace.h>

/*
 * Instructions that ftrace patches can't be probed there, but the next one is as good. The
 * instructions with which mutexes begin can't, either: calls of these are not redirected.
 */
static int uio_redirect_probe(struct kprobe *kp)
{
	int ret = register_kprobe(kp);

	if (ret == -EINVAL) {
		kp->addr = NULL;
		kp->offset = MCOUNT_INSN_SIZE;
		ret = register_kprobe(kp);
	}
	return ret == -EINVAL && str_has_prefix(kp->symbol_name, "mutex_") ? 0 : ret;
}
#else
#define uio_redirect_probe	register_kprobe
#endif

static int uio_redirect_begin(struct uio_redirect *redirects, int count)
{
	int i, ret;

	for (i = 0; i < count; i++) {
		ret = uio_redirect_probe(&redirects[i].kp);
		if (ret) {
			pr_err("%s: no probe of %s (%d)\n", KBUILD_MODNAME,
			       redirects[i].kp.symbol_name, ret);
			uio_redirect_end(redirects, i);
			return ret;
		}
	}
	return 0;
}

#endif /* _UIO_REDIRECT_H */
