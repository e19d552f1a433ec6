/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_SECRET_H
#define KILN_BASE_SECRET_H

#include <stddef.h>

struct buf;

/* Memory that held a secret. What libraries copied of it is theirs: core dumps are off where there are secrets. */

/* Wipes in a way that no compiler leaves out; NULL is a no-op where `size` is 0. */
void secret_wipe(void *data, size_t size);
/* Wipes a text and frees it; NULL is a no-op. */
void secret_free(char *text);
void secret_freep(char **text);
#define CLEANUP_SECRET __attribute__((cleanup(secret_freep)))
/*
 * Wipes all that a buffer has allocated, and frees it. A buffer that grows leaves pieces behind: reserve all of it
 * before the first byte is put in.
 */
void secret_buf_free(struct buf *b);
#define CLEANUP_SECRET_BUF __attribute__((cleanup(secret_buf_free)))

#endif
