/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_DIGEST_H
#define KILN_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* Digests (FIPS 180-4), through OpenSSL. The TPM's names and algorithm ids (TCG Algorithm Registry)
 * are here because a PCR bank is nothing but a digest algorithm. */

enum digest_alg { DIGEST_SHA256, DIGEST_SHA384 };
#define DIGEST_ALGS 2
#define DIGEST_MAX 48

struct digest {
	enum digest_alg alg;
	uint8_t bytes[DIGEST_MAX];	/* the first digest_size(alg) count */
};

size_t digest_size(enum digest_alg alg);		/* 32 or 48 */
const char *digest_name(enum digest_alg alg);		/* "sha256", "sha384" */
uint16_t digest_tpm_id(enum digest_alg alg);		/* 0x000B, 0x000C */
int digest_from_tpm_id(uint16_t id, enum digest_alg *ret);	/* -ENOENT when unknown */

bool digest_equal(const struct digest *a, const struct digest *b);
/* 2 * digest_size + 1 characters into `ret`. */
void digest_hex(const struct digest *d, char ret[static 2 * DIGEST_MAX + 1]);

/* One-shot. Cannot fail but for lack of memory, which aborts with a message. */
void digest_of(enum digest_alg alg, const void *data, size_t size, struct digest *ret);

/* Incremental. _new aborts for lack of memory; _free(NULL) is a no-op; _final leaves the object
 * ready for another message. */
struct digester;
struct digester *digester_new(enum digest_alg alg);
void digester_add(struct digester *d, const void *data, size_t size);
void digester_final(struct digester *d, struct digest *ret);
/* The digest of what was added so far; the message goes on. */
void digester_peek(const struct digester *d, struct digest *ret);
void digester_free(struct digester *d);
void digester_freep(struct digester **d);
#define CLEANUP_DIGESTER __attribute__((cleanup(digester_freep)))

/* Of a whole file; *ret_size may be NULL. */
int digest_file(enum digest_alg alg, const char *path, struct digest *ret, uint64_t *ret_size,
		struct error *err);

#endif
