/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "factory/base/io.h"
#include "factory/model/memory.h"
#include "keys/keyring_file.h"
#include "keys/pkcs11_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = string_printf("%.*s", (int)size, (const char *)data);
	CLEANUP_PKCS11_URI struct pkcs11_uri uri = { .key = NULL };
	CLEANUP_KEYRING struct keyring *k = memory_new(sizeof(*k));
	struct error err = ERROR_INIT;
	int r = pkcs11_uri_parse(text, &uri, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT) || (r == 0 && strstr(uri.key, "pin-value")))
		abort();
	err = (struct error)ERROR_INIT;
	k->directory = string_copy(".");
	r = keyring_parse(k, text, "keyring", &err);
	if ((r < 0) != (err.kind == ERROR_INPUT) || (r == 0 && !keyring_signer(k, SECURE_DB)))
		abort();
	return 0;
}
