/* SPDX-License-Identifier: Apache-2.0 */
#include "export.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/format/auth_variable.h"
#include "../factory/format/uefi_data.h"
#include "keyring.h"
#include "keyring_file.h"
#include "new_file.h"
#include "private_key.h"

/* UEFI Specification 8.2.2: who may set a variable. */
static const enum secure_variable_id signers[SECURE_VARIABLES] = {
	[SECURE_PK] = SECURE_PK, [SECURE_KEK] = SECURE_PK, [SECURE_DB] = SECURE_KEK, [SECURE_DBX] = SECURE_KEK,
};

static int put(const char *directory, const char *name, const char *suffix, const struct buf *content,
	       struct error *err)
{
	CLEANUP_FREE char *path = string_printf("%s/%s%s", directory, name, suffix);

	return new_file_write(path, content->data, content->len, 0644, err);
}

/* ---------------------------------------------------------------- signed updates */

static int make_update(const struct keyring *k, enum secure_variable_id id, struct der value, int64_t epoch,
		       struct buf *ret, struct error *err)
{
	const struct keyring_entry *signer = keyring_signer(k, signers[id]);
	CLEANUP_BUF struct buf to_sign = BUF_INIT(SIZE_MAX), signature = BUF_INIT(SIZE_MAX);
	CLEANUP_PRIVATE_KEY struct private_key *key = NULL;
	uint8_t time[EFI_TIME_SIZE];
	struct signed_data data = {
		.type = SIGNED_DATA_ELSEWHERE,
		.certificates = { { signer->certificate.data, signer->certificate.len } },
		.certificate_count = 1,
		.algorithm = signer->ecdsa ? SIGNED_ECDSA : SIGNED_RSA,
	};
	int r = efi_time_make(epoch, time, err);

	if (r == 0)
		r = signed_issuer_of(signer->certificate.data, signer->certificate.len, &data.signer, err);
	if (r == 0)
		r = private_key_open(k, signer, &key, err);
	if (r < 0)
		return r;
	auth_variable_request(&secure_variables[id], SECURE_VARIABLE_ATTRIBUTES, time, value, &to_sign);
	r = private_key_sign(key, to_sign.data, to_sign.len, &signature, err);
	if (r < 0)
		return r;
	data.signature = (struct der) { signature.data, signature.len };
	auth_variable_write(time, &data, value, ret);
	return 0;
}

static int put_variable(const struct keyring *k, enum secure_variable_id id, const struct buf *value,
			const char *directory, int64_t epoch, struct error *err)
{
	CLEANUP_BUF struct buf update = BUF_INIT(SIZE_MAX);
	const char *name = secure_variables[id].name;
	int r;

	if (value->len == 0)
		return 0;
	r = put(directory, name, ".esl", value, err);
	if (r < 0)
		return r;
	if (strcmp(keyring_signer(k, signers[id])->key, KEYRING_NO_KEY) == 0) {
		log_warning("no %s.auth: the private key of %s is elsewhere", name, secure_variables[signers[id]].name);
		return 0;
	}
	r = make_update(k, id, (struct der) { value->data, value->len }, epoch, &update, err);
	return r < 0 ? error_wrap(err, "%s.auth", name) : put(directory, name, ".auth", &update, err);
}

/* ---------------------------------------------------------------- UefiData */

static int format_uefi_data(const struct keyring_variables *v, struct buf *ret, struct error *err)
{
	CLEANUP_UEFI_DATA struct uefi_data u = UEFI_DATA_INIT;

	for (int i = 0; i < SECURE_VARIABLES; i++)
		if (v->values[i].len > 0)
			uefi_data_add(&u, secure_variables[i].name, secure_variables[i].vendor,
				      SECURE_VARIABLE_ATTRIBUTES, v->values[i].data, v->values[i].len);
	return uefi_data_format(&u, ret, err);
}

int keyring_uefi_data(const struct keyring *k, struct buf *ret, struct error *err)
{
	CLEANUP_KEYRING_VARIABLES struct keyring_variables v = KEYRING_VARIABLES_INIT;

	keyring_variables(k, &v);
	return format_uefi_data(&v, ret, err);
}

/* ---------------------------------------------------------------- the directory */

static int put_certificates(const struct keyring *k, const char *directory, struct error *err)
{
	CLEANUP_FREE char *dbx = path_join(directory, KEYRING_DBX_FILE);
	int r = 0;

	for (size_t i = 0; r == 0 && i < k->count; i++) {
		CLEANUP_FREE char *from = path_join(k->directory, k->entries[i].certificate_file);
		CLEANUP_FREE char *to = path_join(directory, k->entries[i].certificate_file);

		if (!io_exists(to))
			r = io_copy_file(from, to, 0644, err);
	}
	if (r == 0 && k->dbx.len > 0)
		r = io_write_file(dbx, k->dbx.data, k->dbx.len, 0644, err);
	return r < 0 ? r : keyring_write(k, directory, true, err);
}

static int fill(const struct keyring *k, const char *directory, int64_t epoch, struct error *err)
{
	CLEANUP_KEYRING_VARIABLES struct keyring_variables v = KEYRING_VARIABLES_INIT;
	CLEANUP_BUF struct buf uefi_data = BUF_INIT(SIZE_MAX);
	CLEANUP_FREE char *public = path_join(directory, EXPORT_PUBLIC);
	int r = 0;

	keyring_variables(k, &v);
	for (int i = 0; r == 0 && i < SECURE_VARIABLES; i++)
		r = put_variable(k, (enum secure_variable_id)i, &v.values[i], directory, epoch, err);
	if (r == 0)
		r = format_uefi_data(&v, &uefi_data, err);
	if (r == 0)
		r = put(directory, EXPORT_UEFI_DATA, "", &uefi_data, err);
	if (r == 0 && mkdir(public, 0755) < 0)
		r = error_system(err, errno, "%s", public);
	return r < 0 ? r : put_certificates(k, public, err);
}

int keyring_export(const struct keyring *k, const char *directory, int64_t epoch, struct error *err)
{
	CLEANUP_NEW_DIRECTORY struct new_directory d = NEW_DIRECTORY_INIT;
	int r = new_directory_begin(directory, 0755, &d, err);

	if (r == 0)
		r = fill(k, d.path, epoch, err);
	return r < 0 ? r : new_directory_finish(&d, err);
}
