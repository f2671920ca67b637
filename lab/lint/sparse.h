/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What Debian's sparse has to be told to read a kernel that asks for a later one:
 * words that it does not know, in the sense of those that it does.
 */

#ifndef _UIO_LAB_SPARSE_H
#define _UIO_LAB_SPARSE_H

#define __typeof_unqual__	__typeof__
/* of literals, in what MODULE_INFO() asserts */
#define __builtin_strlen(s)	(sizeof(s) - 1)

#endif /* _UIO_LAB_SPARSE_H */
