/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring_make.h"

#include <string.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/memory.h"
#include "certificate.h"
#include "keyring.h"
#include "keyring_file.h"
#include "new_file.h"
#include "openssl_error.h"
#include "private_key.h"

#define COMMON_NAME_MAX 64	/* RFC 5280, A.1: ub-common-name */
#define PEM_MAX (64 * 1024)
#define GENERATIONS_MAX 1000

/* A version 4 UUID (RFC 9562, 5.4), in the order in which firmware has a GUID's bytes. */
static int make_owner(uint8_t ret[static 16], struct error *err)
{
	if (RAND_bytes(ret, 16) != 1)
		return openssl_outside(err, "OpenSSL gives no random bytes");
	ret[7] = (uint8_t)((ret[7] & 0x0f) | 0x40);
	ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80);
	return 0;
}

static int write_certificate(const struct private_key *key, const char *path, enum secure_variable_id role,
			     const struct keyring_new *options, struct error *err)
{
	CLEANUP_FREE char *common_name = string_printf("%s %s", options->name, secure_variables[role].name);
	CLEANUP_BUF struct buf pem = BUF_INIT(PEM_MAX);
	const struct certificate_request request = {
		.common_name = common_name,
		.days = options->days ? options->days : role == SECURE_DB ? KEYRING_DB_DAYS : KEYRING_DAYS,
		.begin = options->begin,
		.code_signing = role == SECURE_DB,
	};
	int r;

	if (strlen(common_name) > COMMON_NAME_MAX)
		return error_input(err, "the name \"%s\" is too long: a certificate's takes %d bytes, its role included",
				   options->name, COMMON_NAME_MAX);
	r = certificate_make(private_key_context(key), private_key_pkey(key), &request, &pem, err);
	return r < 0 ? r : new_file_write(path, pem.data, pem.len, 0644, err);
}

/* A key and its certificate, as NAME.key and NAME.crt; or the certificate of a token's key. Adds them to the
 * keyring. */
static int make_pair(struct keyring *k, const char *directory, enum secure_variable_id role, const char *name,
		     const struct keyring_new *options, struct error *err)
{
	CLEANUP_FREE char *certificate = string_printf("%s.crt", name), *key_file = string_printf("%s.key", name);
	CLEANUP_FREE char *certificate_path = path_join(directory, certificate);
	CLEANUP_FREE char *key_path = path_join(directory, key_file);
	CLEANUP_PRIVATE_KEY struct private_key *key = NULL;
	const char *uri = options->uris[role];
	int r = uri ? private_key_open_uri(uri, &key, err) : private_key_make(key_path, options->ecdsa, &key, err);

	if (r < 0)
		return r;
	r = write_certificate(key, certificate_path, role, options, err);
	if (r < 0 && !uri)
		(void)unlink(key_path);
	if (r == 0)
		keyring_add(k, role, certificate, uri ? uri : key_file);
	return r;
}

/* ---------------------------------------------------------------- a new one */

static int fill(const char *directory, const struct keyring_new *options, struct error *err)
{
	CLEANUP_KEYRING struct keyring *k = memory_new(sizeof(*k));
	int r = make_owner(k->owner, err);

	for (int role = SECURE_PK; r == 0 && role <= SECURE_DB; role++)
		r = make_pair(k, directory, (enum secure_variable_id)role, secure_variables[role].name, options, err);
	return r < 0 ? r : keyring_write(k, directory, false, err);
}

int keyring_new(const char *directory, const struct keyring_new *options, struct error *err)
{
	CLEANUP_NEW_DIRECTORY struct new_directory d = NEW_DIRECTORY_INIT;
	int r = new_directory_begin(directory, 0700, &d, err);

	if (r == 0)
		r = fill(d.path, options, err);
	return r < 0 ? r : new_directory_finish(&d, err);
}

/* ---------------------------------------------------------------- another db */

/* "db.N", of which there is neither a key nor a certificate. */
static int choose_name(const char *directory, char **ret, struct error *err)
{
	for (int n = 2; n < GENERATIONS_MAX; n++) {
		CLEANUP_FREE char *certificate = string_printf("%s/db.%d.crt", directory, n);
		CLEANUP_FREE char *key = string_printf("%s/db.%d.key", directory, n);

		if (io_exists(certificate) || io_exists(key))
			continue;
		*ret = string_printf("db.%d", n);
		return 0;
	}
	return error_input(err, "%s has had %d db keys", directory, GENERATIONS_MAX);
}

/* Moves the last entry to before the first of db. */
static void put_first(struct keyring *k)
{
	struct keyring_entry last = k->entries[k->count - 1];
	size_t at = (size_t)(keyring_signer(k, SECURE_DB) - k->entries);

	memmove(&k->entries[at + 1], &k->entries[at], (k->count - 1 - at) * sizeof(last));
	k->entries[at] = last;
}

int keyring_rotate(const char *directory, const struct keyring_new *options, struct error *err)
{
	CLEANUP_FREE char *name = NULL;
	CLEANUP_KEYRING struct keyring *k = NULL;
	int r = keyring_open(directory, &k, err);

	if (r == 0 && k->count == KEYRING_ENTRIES_MAX)
		r = error_input(err, "%s names %d certificates already: \"kiln keys rotate --finish\" first", directory,
				KEYRING_ENTRIES_MAX);
	if (r == 0)
		r = choose_name(directory, &name, err);
	if (r == 0)
		r = make_pair(k, directory, SECURE_DB, name, options, err);
	if (r < 0)
		return r;
	put_first(k);
	return keyring_write(k, directory, false, err);
}

static void drop(struct keyring *k, size_t at)
{
	struct keyring_entry *e = &k->entries[at];

	free(e->certificate_file);
	free(e->key);
	buf_free(&e->certificate);
	k->count--;
	memmove(e, e + 1, (k->count - at) * sizeof(*e));
}

int keyring_finish(const char *directory, bool revoke, struct error *err)
{
	CLEANUP_KEYRING struct keyring *k = NULL;
	const struct keyring_entry *signer;
	unsigned int old = 0;
	int r = keyring_open(directory, &k, err);

	if (r < 0)
		return r;
	signer = keyring_signer(k, SECURE_DB);
	for (size_t i = k->count; i-- > 0;) {
		struct keyring_entry *e = &k->entries[i];

		if (e->role != SECURE_DB || e == signer)
			continue;
		old++;
		if (revoke)
			e->role = SECURE_DBX;
		else
			drop(k, i);
	}
	if (old == 0)
		return error_input(err, "%s: db has one certificate only; \"kiln keys rotate\" makes a new one beside it first",
				   directory);
	return keyring_write(k, directory, false, err);
}
