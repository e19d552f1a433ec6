/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring.h"

#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "../factory/format/esl.h"
#include "../factory/model/memory.h"
#include "certificate.h"
#include "keyring_file.h"
#include "pkcs11_uri.h"
#include "private_key.h"

#define FILE_MAX (64 * 1024)
#define DBX_MAX (1024 * 1024)

static int read_file(struct keyring *k, struct error *err)
{
	CLEANUP_FREE char *path = path_join(k->directory, KEYRING_FILE);
	CLEANUP_BUF struct buf text = BUF_INIT(FILE_MAX);
	int r;

	if (!io_exists(path))
		return error_input(err, "%s holds no keyring (%s is missing): \"kiln keys new\" makes one", k->directory, path);
	r = io_read_file(path, FILE_MAX, &text, err);
	if (r < 0)
		return r;
	if (text.len == 0 || memchr(text.data, '\0', text.len))
		return error_input(err, "%s is no keyring", path);
	return keyring_parse(k, (char *)text.data, path, err);
}

/* ---------------------------------------------------------------- certificates */

/* A key in a file must fit; one behind a URI is not asked for a PIN before there is something to sign. */
static int check_private(const struct keyring *k, const struct keyring_entry *e, struct error *err)
{
	CLEANUP_PRIVATE_KEY struct private_key *key = NULL;

	if (strcmp(e->key, KEYRING_NO_KEY) == 0 || is_pkcs11_uri(e->key) || e->role == SECURE_DBX)
		return 0;
	return private_key_open(k, e, &key, err);
}

static int read_entry(const struct keyring *k, struct keyring_entry *e, struct error *err)
{
	CLEANUP_FREE char *path = path_join(k->directory, e->certificate_file);
	struct certificate_facts facts = { .ecdsa = false };
	struct digest digest;
	int r = certificate_read(path, &e->certificate, err);

	if (r < 0)
		return r;
	digest_of(DIGEST_SHA256, e->certificate.data, e->certificate.len, &digest);
	hex_encode(digest.bytes, digest_size(digest.alg), e->sha256);
	r = certificate_describe(e->certificate.data, e->certificate.len, path, &facts, err);
	if (r < 0)
		return r;
	e->ecdsa = facts.ecdsa;
	e->signature_max = facts.signature_max;
	memcpy(e->subject, facts.subject, sizeof(e->subject));
	memcpy(e->not_after, facts.not_after, sizeof(e->not_after));
	/* What is refused may well have expired. */
	if (e->role == SECURE_DBX)
		return 0;
	r = certificate_check(e->certificate.data, e->certificate.len, path, err);
	return r < 0 ? r : check_private(k, e, err);
}

static int check_twice(const struct keyring *k, struct error *err)
{
	for (size_t i = 0; i < k->count; i++)
		for (size_t j = i + 1; j < k->count; j++)
			if (k->entries[i].role >= SECURE_DB && k->entries[j].role >= SECURE_DB &&
			    strcmp(k->entries[i].sha256, k->entries[j].sha256) == 0)
				return error_input(err, "%s: %s and %s are one certificate, in %s and in %s", k->directory,
						   k->entries[i].certificate_file, k->entries[j].certificate_file,
						   secure_variables[k->entries[i].role].name,
						   secure_variables[k->entries[j].role].name);
	return 0;
}

static int accept(const struct esl_entry *e, void *arg)
{
	(void)e;
	(void)arg;
	return 0;
}

static int read_dbx(struct keyring *k, struct error *err)
{
	CLEANUP_FREE char *path = path_join(k->directory, KEYRING_DBX_FILE);
	int r;

	if (!io_exists(path))
		return 0;
	r = io_read_file(path, DBX_MAX, &k->dbx, err);
	if (r < 0)
		return r;
	r = esl_walk(k->dbx.data, k->dbx.len, accept, NULL, err);
	return r < 0 ? error_wrap(err, "%s", path) : 0;
}

int keyring_open(const char *directory, struct keyring **ret, struct error *err)
{
	CLEANUP_KEYRING struct keyring *k = memory_new(sizeof(*k));
	int r;

	k->directory = string_copy(directory);
	k->dbx = (struct buf)BUF_INIT(DBX_MAX);
	r = read_file(k, err);
	for (size_t i = 0; r == 0 && i < k->count; i++)
		r = read_entry(k, &k->entries[i], err);
	if (r == 0)
		r = check_twice(k, err);
	if (r == 0)
		r = read_dbx(k, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(k);
	return 0;
}

/* ---------------------------------------------------------------- variables */

void keyring_variables(const struct keyring *k, struct keyring_variables *ret)
{
	*ret = (struct keyring_variables)KEYRING_VARIABLES_INIT;
	if (buf_add(&ret->values[SECURE_DBX], k->dbx.data, k->dbx.len) < 0)
		error_no_memory();
	for (size_t i = 0; i < k->count; i++)
		esl_add(&ret->values[k->entries[i].role], esl_guid_x509, k->owner, k->entries[i].certificate.data,
			k->entries[i].certificate.len);
}

void keyring_variables_free(struct keyring_variables *v)
{
	for (int i = 0; i < SECURE_VARIABLES; i++)
		buf_free(&v->values[i]);
}

struct predict_keys keyring_variables_predict(const struct keyring_variables *v)
{
	const struct buf *pk = &v->values[SECURE_PK], *kek = &v->values[SECURE_KEK], *db = &v->values[SECURE_DB],
			 *dbx = &v->values[SECURE_DBX];

	return (struct predict_keys) {
		.pk = pk->data, .pk_size = pk->len, .kek = kek->data, .kek_size = kek->len,
		.db = db->data, .db_size = db->len, .dbx = dbx->data, .dbx_size = dbx->len,
	};
}
