/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_SHA256_PAIR_H
#define KILN_BASE_SHA256_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * SHA-256 (FIPS 180-4) of two messages at once, with the SHA extensions of x86. In one message each round waits for the
 * one before it, and the processor idles half of the time; the rounds of two messages in turn fill the gaps.
 * OpenSSL has no such thing. (Linux does the same for dm-verity and fs-verity.) Below base/digest_*: everybody else
 * asks those, which fall back on OpenSSL where the processor has no such extensions.
 */

/* May the functions below be called? */
bool sha256_pair_supported(void);

struct sha256 {
	uint32_t state[8];
	uint64_t size;			/* bytes so far; those of an unfinished block are in `tail` */
	uint8_t tail[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const uint8_t *data, size_t size);
/* `size` bytes to each. Both must have had as many bytes before. */
void sha256_add_pair(struct sha256 *a, const uint8_t *a_data, struct sha256 *b, const uint8_t *b_data,
		     size_t size);
/* Leaves `s` as it is: more may be added. */
void sha256_digest(const struct sha256 *s, uint8_t ret[static 32]);

#endif
