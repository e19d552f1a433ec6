/* SPDX-License-Identifier: Apache-2.0 */
#include "sha1.h"

#include <stdint.h>

#include <openssl/evp.h>

#include "error.h"
#include "hex.h"

void sha1_hex(const void *data, size_t size, char ret[static SHA1_DIGITS + 1])
{
	uint8_t bytes[SHA1_DIGITS / 2];

	if (EVP_Digest(data, size, bytes, NULL, EVP_sha1(), NULL) != 1)
		error_no_memory();
	hex_encode(bytes, sizeof(bytes), ret);
}
