/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_HMAC_H
#define KILN_BASE_HMAC_H

#include <stddef.h>
#include <stdint.h>

#define HMAC_SIZE 32

/* HMAC with SHA-256 (RFC 2104). `ret` may be the key. What it makes of the key is wiped. */
void hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t ret[static HMAC_SIZE]);

#endif
