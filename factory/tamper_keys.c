/* SPDX-License-Identifier: Apache-2.0 */
#include "tamper_keys.h"

#include <time.h>

#include "../keys/keyring_make.h"
#include "../keys/sign.h"
#include "../vm-test/tamper.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "format/authenticode.h"
#include "format/esl.h"
#include "model/bootfile.h"

/* The keyring is made, used and taken away again. */
static int sign_foreign(const char *tmp, struct tamper_keys *k, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	const struct keyring_new options = { .name = "Somebody else's", .begin = time(NULL) - 3600 };
	CLEANUP_KEYRING struct keyring *keyring = NULL;
	CLEANUP_FREE char *directory = NULL;
	int r = io_scratch_new(tmp, &scratch, err);

	if (r < 0)
		return r;
	directory = path_join(scratch.path, "keys");
	r = keyring_new(directory, &options, err);
	if (r == 0)
		r = keyring_open(directory, &keyring, err);
	if (r == 0)
		r = sign_image(keyring, k->unsigned_image.data, k->unsigned_image.len, &k->foreign_image, err);
	if (r == 0)
		enrol_variables(keyring, &k->foreign);
	return r;
}

static int strip(const char *disk, struct buf *ret, struct error *err)
{
	CLEANUP_BOOTFILE struct bootfile *file = NULL;
	int r = bootfile_open(disk, &file, err);

	return r < 0 ? r : authenticode_strip(&file->pe, ret, err);
}

/* The signer's certificate goes into dbx, behind what is there. */
static int revoke_signer(const char *directory, const struct enrolled *own, struct tamper_keys *k, struct error *err)
{
	CLEANUP_KEYRING struct keyring *keyring = NULL;
	const struct buf *before = &own->values.values[SECURE_DBX];
	const struct keyring_entry *signer;
	int r = keyring_open(directory, &keyring, err);

	if (r < 0)
		return r;
	signer = keyring_signer(keyring, SECURE_DB);
	if (before->len && buf_add(&k->dbx, before->data, before->len) < 0)
		error_no_memory();
	esl_add(&k->dbx, esl_guid_x509, keyring->owner, signer->certificate.data, signer->certificate.len);
	for (enum secure_variable_id id = 0; id < SECURE_VARIABLES; id++)
		k->revoked[id] = enrol_variable(id, id == SECURE_DBX ? &k->dbx : &own->values.values[id]);
	return 0;
}

int tamper_keys_make(const char *keyring, const struct enrolled *own, const char *disk, const char *tmp,
		     struct tamper_keys *ret, struct tamper_input *input, struct error *err)
{
	int r = strip(disk, &ret->unsigned_image, err);

	if (r == 0)
		r = sign_foreign(tmp, ret, err);
	if (r == 0)
		r = revoke_signer(keyring, own, ret, err);
	if (r < 0)
		return r;
	input->keys = (struct tamper_variables){ own->variables, own->count };
	input->foreign_keys = (struct tamper_variables){ ret->foreign.variables, ret->foreign.count };
	input->revoked_keys = (struct tamper_variables){ ret->revoked, SECURE_VARIABLES };
	input->unsigned_image = ret->unsigned_image.data;
	input->unsigned_size = ret->unsigned_image.len;
	input->foreign_image = ret->foreign_image.data;
	input->foreign_size = ret->foreign_image.len;
	return 0;
}

void tamper_keys_clear(struct tamper_keys *k)
{
	enrolled_clear(&k->foreign);
	buf_free(&k->dbx);
	buf_free(&k->unsigned_image);
	buf_free(&k->foreign_image);
}
