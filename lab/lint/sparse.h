/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debian's sparse is too old for the kernel. This defines keywords that it does not know, by
 * those that it knows.
 */

#ifndef _UIO_LAB_SPARSE_H
#define _UIO_LAB_SPARSE_H

#define __typeof_unqual__	__typeof__
/* MODULE_INFO() uses it, with literals only */
#define __builtin_strlen(s)	(sizeof(s) - 1)

#endif /* _UIO_LAB_SPARSE_H */
