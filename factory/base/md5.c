/* SPDX-License-Identifier: Apache-2.0 */
#include "md5.h"

#include <stdint.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "error.h"
#include "hex.h"

struct md5 {
	EVP_MD_CTX *context;
};

static void begin(struct md5 *m)
{
	/* Fails where a FIPS provider is all there is: dpkg does not work there either. */
	if (EVP_DigestInit_ex(m->context, EVP_md5(), NULL) != 1)
		error_no_memory();
}

struct md5 *md5_new(void)
{
	struct md5 *m = calloc(1, sizeof(*m));

	if (!m)
		error_no_memory();
	m->context = EVP_MD_CTX_new();
	if (!m->context)
		error_no_memory();
	begin(m);
	return m;
}

void md5_add(struct md5 *m, const void *data, size_t size)
{
	if (EVP_DigestUpdate(m->context, data, size) != 1)
		error_no_memory();
}

void md5_final(struct md5 *m, char ret[static MD5_DIGITS + 1])
{
	uint8_t bytes[MD5_DIGITS / 2];
	unsigned int size = sizeof(bytes);

	if (EVP_DigestFinal_ex(m->context, bytes, &size) != 1)
		error_no_memory();
	hex_encode(bytes, sizeof(bytes), ret);
	begin(m);
}

void md5_free(struct md5 *m)
{
	if (!m)
		return;
	EVP_MD_CTX_free(m->context);
	free(m);
}

void md5_freep(struct md5 **m)
{
	md5_free(*m);
}
