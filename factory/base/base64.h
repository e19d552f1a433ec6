/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_BASE64_H
#define KILN_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/* Base64 (RFC 4648, 4), on one line, with padding. Both append; -ENOMEM, -EFBIG as buf. */
int base64_encode(const uint8_t *data, size_t size, struct buf *ret);
/* Blanks and line ends may stand anywhere. -EINVAL: something else that is no base64. */
int base64_decode(const char *text, size_t size, struct buf *ret);

#endif
