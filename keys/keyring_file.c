/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring_file.h"

#include <errno.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/fields.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "pkcs11_uri.h"

#define FIELDS_MAX 3

/* ---------------------------------------------------------------- reading */

static int find_role(const char *name, enum secure_variable_id *ret)
{
	for (int i = 0; i < SECURE_VARIABLES; i++)
		if (strcmp(secure_variables[i].name, name) == 0) {
			*ret = (enum secure_variable_id)i;
			return 0;
		}
	return -ENOENT;
}

static bool is_file_name(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/');
}

static int add_entry(struct keyring *k, char *const fields[static FIELDS_MAX], const char *path, struct error *err)
{
	enum secure_variable_id role = SECURE_PK;

	if (find_role(fields[0], &role) < 0)
		return error_input(err, "%s: \"%s\" is neither PK, KEK, db nor dbx", path, fields[0]);
	if (!is_file_name(fields[1]))
		return error_input(err, "%s: \"%s\" is no name of a certificate in this directory", path, fields[1]);
	if (!is_pkcs11_uri(fields[2]) && strcmp(fields[2], KEYRING_NO_KEY) != 0 && !is_file_name(fields[2]))
		return error_input(err, "%s: \"%s\" is neither a file of this directory, a pkcs11: URI, nor \"-\"", path,
				   fields[2]);
	if (k->count == KEYRING_ENTRIES_MAX)
		return error_input(err, "%s: it names more than %d certificates", path, KEYRING_ENTRIES_MAX);
	keyring_add(k, role, fields[1], fields[2]);
	return 0;
}

static int read_line(struct keyring *k, char *const fields[static FIELDS_MAX], int count, const char *path,
		     bool *have_owner, struct error *err)
{
	if (count == 2 && strcmp(fields[0], "owner") == 0 && !*have_owner) {
		*have_owner = true;
		if (guid_parse(fields[1], k->owner) < 0)
			return error_input(err, "%s: the owner \"%s\" is no GUID", path, fields[1]);
		return 0;
	}
	if (count != FIELDS_MAX)
		return error_input(err, "%s: the line that begins with \"%s\" is none of a keyring", path, fields[0]);
	return add_entry(k, fields, path, err);
}

static int check_whole(const struct keyring *k, const char *path, bool have_owner, struct error *err)
{
	unsigned int counts[SECURE_VARIABLES] = { 0 };

	for (size_t i = 0; i < k->count; i++)
		counts[k->entries[i].role]++;
	for (int i = SECURE_PK; i <= SECURE_DB; i++)
		if (counts[i] == 0 || (counts[i] > 1 && i != SECURE_DB))
			return error_input(err, "%s: it names %u certificates for %s", path, counts[i],
					   secure_variables[i].name);
	return have_owner ? 0 : error_input(err, "%s: the owner's GUID is missing", path);
}

int keyring_parse(struct keyring *k, char *text, const char *path, struct error *err)
{
	char *fields[FIELDS_MAX];
	bool have_owner = false;
	int count = fields_next(&text, fields, FIELDS_MAX), r = 0;

	if (count != 2 || strcmp(fields[0], KEYRING_FORM) != 0)
		return error_input(err, "%s is no keyring: its first line is not \"%s\" and a number", path, KEYRING_FORM);
	if (strcmp(fields[1], KEYRING_VERSION) != 0)
		return error_input(err, "%s: its form is %s, and this Kiln knows %s", path, fields[1], KEYRING_VERSION);
	while (r == 0 && (count = fields_next(&text, fields, FIELDS_MAX)) != 0)
		r = count < 0 ? error_input(err, "%s has a line that is none of a keyring", path) :
				read_line(k, fields, count, path, &have_owner, err);
	return r < 0 ? r : check_whole(k, path, have_owner, err);
}

/* ---------------------------------------------------------------- writing */

int keyring_write(const struct keyring *k, const char *directory, bool without_keys, struct error *err)
{
	CLEANUP_FREE char *path = path_join(directory, KEYRING_FILE);
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);
	char owner[GUID_TEXT_SIZE];

	guid_format(k->owner, owner);
	fields_add(&text, KEYRING_FORM, KEYRING_VERSION);
	fields_add(&text, "owner", owner);
	for (size_t i = 0; i < k->count; i++) {
		const struct keyring_entry *e = &k->entries[i];

		fields_add(&text, secure_variables[e->role].name, e->certificate_file,
			   without_keys ? KEYRING_NO_KEY : e->key);
	}
	return io_write_file(path, text.data, text.len, 0644, err);
}
