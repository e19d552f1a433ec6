/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "cleanup.h"
#include "digest.h"
#include "error.h"
#include "hex.h"

#define FILE_CHUNK ((size_t)1 << 20)

static const struct {
	const char *name;
	size_t size;
	uint16_t tpm_id;	/* TCG Algorithm Registry, TPM_ALG_ID */
	const char *fetched;	/* OpenSSL's name */
} algs[DIGEST_ALGS] = {
	[DIGEST_SHA256] = { "sha256", 32, 0x000B, "SHA2-256" },
	[DIGEST_SHA384] = { "sha384", 48, 0x000C, "SHA2-384" },
};

/* Fetched once: what EVP_sha256() gives is looked up anew, under a lock, with every message. */
static EVP_MD *mds[DIGEST_ALGS];
static pthread_once_t mds_fetched = PTHREAD_ONCE_INIT;

struct digester {
	enum digest_alg alg;
	EVP_MD_CTX *ctx;
};

size_t digest_size(enum digest_alg alg)
{
	return algs[alg].size;
}

const char *digest_name(enum digest_alg alg)
{
	return algs[alg].name;
}

uint16_t digest_tpm_id(enum digest_alg alg)
{
	return algs[alg].tpm_id;
}

int digest_from_tpm_id(uint16_t id, enum digest_alg *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
		if (algs[i].tpm_id != id)
			continue;
		*ret = (enum digest_alg)i;
		return 0;
	}
	return -ENOENT;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return a->alg == b->alg && memcmp(a->bytes, b->bytes, digest_size(a->alg)) == 0;
}

void digest_hex(const struct digest *d, char ret[static 2 * DIGEST_MAX + 1])
{
	hex_encode(d->bytes, digest_size(d->alg), ret);
}

/* With the default provider's SHA-2 there is no other way for these calls to fail. */
static void must(int success)
{
	if (success != 1)
		error_no_memory();
}

static void fetch_all(void)
{
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		mds[alg] = EVP_MD_fetch(NULL, algs[alg].fetched, NULL);
		must(mds[alg] != NULL);
	}
}

static const EVP_MD *md_of(enum digest_alg alg)
{
	(void)pthread_once(&mds_fetched, fetch_all);
	return mds[alg];
}

void digest_of(enum digest_alg alg, const void *data, size_t size, struct digest *ret)
{
	struct digest d = { .alg = alg };

	must(EVP_Digest(data, size, d.bytes, NULL, md_of(alg), NULL));
	*ret = d;
}

struct digester *digester_new(enum digest_alg alg)
{
	struct digester *d = calloc(1, sizeof(*d));

	if (!d)
		error_no_memory();
	d->alg = alg;
	d->ctx = EVP_MD_CTX_new();
	must(d->ctx != NULL);
	must(EVP_DigestInit_ex(d->ctx, md_of(alg), NULL));
	return d;
}

void digester_add(struct digester *d, const void *data, size_t size)
{
	must(EVP_DigestUpdate(d->ctx, data, size));
}

void digester_final(struct digester *d, struct digest *ret)
{
	struct digest sum = { .alg = d->alg };

	must(EVP_DigestFinal_ex(d->ctx, sum.bytes, NULL));
	must(EVP_DigestInit_ex(d->ctx, NULL, NULL));
	*ret = sum;
}

void digester_peek(const struct digester *d, struct digest *ret)
{
	struct digest sum = { .alg = d->alg };
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	must(copy != NULL);
	must(EVP_MD_CTX_copy_ex(copy, d->ctx));
	must(EVP_DigestFinal_ex(copy, sum.bytes, NULL));
	EVP_MD_CTX_free(copy);
	*ret = sum;
}

void digester_free(struct digester *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void digester_freep(struct digester **d)
{
	digester_free(*d);
	*d = NULL;
}

int digest_file(enum digest_alg alg, const char *path, struct digest *ret, uint64_t *ret_size,
		struct error *err)
{
	CLEANUP_DIGESTER struct digester *d = digester_new(alg);
	CLEANUP_FREE uint8_t *chunk = malloc(FILE_CHUNK);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t total = 0;
	ssize_t n;

	if (!chunk)
		error_no_memory();
	if (fd < 0)
		return error_system(err, errno, "cannot open %s", path);
	while ((n = read(fd, chunk, FILE_CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_system(err, errno, "cannot read %s", path);
		digester_add(d, chunk, (size_t)n);
		total += (uint64_t)n;
	}
	digester_final(d, ret);
	if (ret_size)
		*ret_size = total;
	return 0;
}
