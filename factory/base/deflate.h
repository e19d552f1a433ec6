/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_DEFLATE_H
#define KILN_BASE_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;

/* zlib streams (RFC 1950), through zlib. Both append. */

/* At level 9. The bytes may differ from one version of zlib to the next. `ret` must have no limit. */
void deflate_all(const uint8_t *data, size_t size, struct buf *ret);
/* One whole stream and nothing behind it. ERROR_INPUT: it is none, is cut short, wants a preset dictionary, or gives
 * more than the buffer's max. */
int inflate_all(const uint8_t *data, size_t size, struct buf *ret, struct error *err);

#endif
