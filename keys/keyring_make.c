/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring_make.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/memory.h"
#include "certificate.h"
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

static int write_certificate(EVP_PKEY *key, const char *path, enum secure_variable_id role,
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
	r = certificate_make(key, &request, &pem, err);
	return r < 0 ? r : new_file_write(path, pem.data, pem.len, 0644, err);
}

static int make_pair(const char *directory, enum secure_variable_id role, const char *certificate_file,
		     const char *key_file, const struct keyring_new *options, struct error *err)
{
	CLEANUP_FREE char *certificate = path_join(directory, certificate_file);
	CLEANUP_FREE char *path = path_join(directory, key_file);
	EVP_PKEY *key = NULL;
	int r = private_key_make(path, options->ecdsa, &key, err);

	if (r < 0)
		return r;
	r = write_certificate(key, certificate, role, options, err);
	EVP_PKEY_free(key);
	if (r < 0)
		(void)unlink(path);
	return r;
}

/* ---------------------------------------------------------------- a new one */

static int fill(const char *directory, const struct keyring_new *options, struct error *err)
{
	CLEANUP_KEYRING struct keyring *k = memory_new(sizeof(*k));
	int r = make_owner(k->owner, err);

	for (int role = SECURE_PK; r == 0 && role <= SECURE_DB; role++) {
		CLEANUP_FREE char *certificate = string_printf("%s.crt", secure_variables[role].name);
		CLEANUP_FREE char *key = string_printf("%s.key", secure_variables[role].name);

		keyring_add(k, (enum secure_variable_id)role, certificate, key);
		r = make_pair(directory, (enum secure_variable_id)role, certificate, key, options, err);
	}
	return r < 0 ? r : keyring_write(k, directory, false, err);
}

int keyring_new(const char *directory, const struct keyring_new *options, struct error *err)
{
	CLEANUP_FREE char *parent = path_directory(directory);
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *made = NULL;
	int r = io_scratch_new(parent, &scratch, err);

	if (r < 0)
		return r;
	made = path_join(scratch.path, "keyring");
	if (mkdir(made, 0700) < 0)
		return error_system(err, errno, "%s", made);
	r = fill(made, options, err);
	if (r < 0)
		return r;
	/* Takes the place of an empty directory and of nothing else. */
	if (rename(made, directory) < 0) {
		if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
			return error_input(err, "%s is there already, and keys are never overwritten: choose another directory",
					   directory);
		return error_system(err, errno, "cannot create %s", directory);
	}
	return io_sync_dir(parent, err);
}

/* ---------------------------------------------------------------- another db */

/* "db.N.crt" and "db.N.key", of which there is neither. */
static int choose_names(const char *directory, char **ret_certificate, char **ret_key, struct error *err)
{
	for (int n = 2; n < GENERATIONS_MAX; n++) {
		CLEANUP_FREE char *certificate = string_printf("db.%d.crt", n);
		CLEANUP_FREE char *key = string_printf("db.%d.key", n);
		CLEANUP_FREE char *certificate_path = path_join(directory, certificate);
		CLEANUP_FREE char *key_path = path_join(directory, key);

		if (io_exists(certificate_path) || io_exists(key_path))
			continue;
		*ret_certificate = TAKE_PTR(certificate);
		*ret_key = TAKE_PTR(key);
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
	CLEANUP_FREE char *certificate = NULL, *key = NULL;
	CLEANUP_KEYRING struct keyring *k = NULL;
	int r = keyring_open(directory, &k, err);

	if (r == 0 && k->count == KEYRING_ENTRIES_MAX)
		r = error_input(err, "%s names %d certificates already: \"kiln keys rotate --finish\" first", directory,
				KEYRING_ENTRIES_MAX);
	if (r == 0)
		r = choose_names(directory, &certificate, &key, err);
	if (r == 0)
		r = make_pair(directory, SECURE_DB, certificate, key, options, err);
	if (r < 0)
		return r;
	keyring_add(k, SECURE_DB, certificate, key);
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
