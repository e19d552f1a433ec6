/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring_entries.h"

#include "../factory/base/cleanup.h"
#include "../factory/base/io.h"
#include "../factory/model/memory.h"

void keyring_free(struct keyring *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->count; i++) {
		free(k->entries[i].certificate_file);
		free(k->entries[i].key);
		buf_free(&k->entries[i].certificate);
	}
	free(k->entries);
	free(k->directory);
	buf_free(&k->dbx);
	free(k);
}

void keyring_freep(struct keyring **k)
{
	keyring_free(*k);
}

const struct keyring_entry *keyring_signer(const struct keyring *k, enum secure_variable_id role)
{
	if (role == SECURE_DBX)
		return NULL;
	for (size_t i = 0; i < k->count; i++)
		if (k->entries[i].role == role)
			return &k->entries[i];
	return NULL;
}

void keyring_add(struct keyring *k, enum secure_variable_id role, const char *certificate_file, const char *key)
{
	struct keyring_entry *e = memory_append(&k->entries, k->count, sizeof(*e));

	*e = (struct keyring_entry) {
		.role = role,
		.certificate_file = string_copy(certificate_file),
		.key = string_copy(key),
		.certificate = BUF_INIT(SIZE_MAX),
	};
	k->count++;
}
