/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_MD5_H
#define KILN_BASE_MD5_H

#include <stddef.h>

/*
 * MD5 (RFC 1321), for one purpose: dpkg's database names the contents of configuration files by it.
 * Nothing is trusted because of it, which is why it is no member of enum digest_alg.
 */

#define MD5_DIGITS 32

struct md5;
struct md5 *md5_new(void);			/* aborts for lack of memory */
void md5_add(struct md5 *m, const void *data, size_t size);
/* Digits and a NUL byte; the object is ready for another message. */
void md5_final(struct md5 *m, char ret[static MD5_DIGITS + 1]);
void md5_free(struct md5 *m);
void md5_freep(struct md5 **m);
#define CLEANUP_MD5 __attribute__((cleanup(md5_freep)))

#endif
