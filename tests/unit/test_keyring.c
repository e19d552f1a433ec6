/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/stat.h>

#include "factory/format/esl.h"
#include "tests/unit/keyring_fixture.h"

/* "PK db dbx ...": the roles of the keyring's certificates, or of a variable's entries how many. */
static void roles(const struct keyring_fixture *f, char *ret, size_t size)
{
	CLEANUP_KEYRING struct keyring *k = keyring_fixture_read(f);
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < k->count; i++)
		len += (size_t)snprintf(ret + len, size - len, "%s:%s ", secure_variables[k->entries[i].role].name,
					k->entries[i].certificate_file);
}

static int count(const struct esl_entry *e, void *arg)
{
	unsigned int *counted = arg;

	*counted += memcmp(e->type, esl_guid_x509, 16) == 0;
	return 0;
}

static unsigned int entries(const struct buf *value)
{
	struct error err = ERROR_INIT;
	unsigned int counted = 0;

	need(esl_walk(value->data, value->len, count, &counted, &err) == 0, "a signature list: %s", err.message);
	return counted;
}

static unsigned int mode_of(const struct keyring_fixture *f, const char *name)
{
	CLEANUP_FREE char *path = path_join(f->path, name);
	struct stat st;

	need(stat(path, &st) == 0, "%s is there", name);
	return st.st_mode & 0777;
}

static void test_new(void)
{
	CLEANUP_KEYRING_VARIABLES struct keyring_variables v = KEYRING_VARIABLES_INIT;
	CLEANUP_KEYRING struct keyring *k = NULL;
	struct error err = ERROR_INIT;
	struct keyring_fixture f;
	struct predict_keys p;
	char text[256];

	keyring_fixture_open(&f, true);
	roles(&f, text, sizeof(text));
	ok_str(text, "PK:PK.crt KEK:KEK.crt db:db.crt ", "one certificate each");
	ok_int(mode_of(&f, "PK.key"), 0600, "the platform key is its owner's alone");
	ok_int(mode_of(&f, "db.key"), 0600, "and so is db's");
	ok_int(mode_of(&f, "."), 0700, "and the directory");
	k = keyring_fixture_read(&f);
	ok(keyring_signer(k, SECURE_DB)->ecdsa && keyring_signer(k, SECURE_DB)->signature_max == 72, "P-256");
	ok_str(keyring_signer(k, SECURE_DB)->subject, "Test db", "its name");
	keyring_variables(k, &v);
	p = keyring_variables_predict(&v);
	ok_int(entries(&v.values[SECURE_PK]), 1, "PK's list has one certificate");
	ok(p.pk == v.values[SECURE_PK].data && p.db_size == v.values[SECURE_DB].len && p.dbx_size == 0,
	   "the predictor gets them; dbx is absent");
	ok_int(keyring_new(f.path, &f.options, &err), -EINVAL, "the directory is not overwritten");
	ok_error(&err, "is there already", "the message says so");
	ok_int(mode_of(&f, "PK.key"), 0600, "and all is still there");
	keyring_fixture_close(&f);
}

static void test_rotate(void)
{
	CLEANUP_KEYRING_VARIABLES struct keyring_variables v = KEYRING_VARIABLES_INIT;
	CLEANUP_KEYRING struct keyring *k = NULL;
	struct error err = ERROR_INIT;
	struct keyring_fixture f;
	char text[256];

	keyring_fixture_open(&f, true);
	ok_int(keyring_finish(f.path, false, &err), -EINVAL, "with one db key there is nothing to finish");
	ok_error(&err, "one certificate only", "the message says so");
	err = (struct error)ERROR_INIT;
	ok_int(keyring_rotate(f.path, &f.options, &err), 0, "a second one is made (%s)", err.message);
	roles(&f, text, sizeof(text));
	ok_str(text, "PK:PK.crt KEK:KEK.crt db:db.2.crt db:db.crt ", "and signs, and the first is let in");
	ok_int(mode_of(&f, "db.2.key"), 0600, "its key is the owner's alone");
	ok_int(keyring_finish(f.path, false, &err), 0, "then the first one goes (%s)", err.message);
	roles(&f, text, sizeof(text));
	ok_str(text, "PK:PK.crt KEK:KEK.crt db:db.2.crt ", "out of db");
	ok_int(mode_of(&f, "db.key"), 0600, "its files stay");
	ok_int(keyring_rotate(f.path, &f.options, &err), 0, "a third one (%s)", err.message);
	ok_int(keyring_finish(f.path, true, &err), 0, "and the second is revoked (%s)", err.message);
	roles(&f, text, sizeof(text));
	ok_str(text, "PK:PK.crt KEK:KEK.crt db:db.3.crt dbx:db.2.crt ", "which puts it into dbx");
	k = keyring_fixture_read(&f);
	keyring_variables(k, &v);
	ok_int(entries(&v.values[SECURE_DBX]), 1, "dbx's list has it");
	keyring_fixture_close(&f);
}

static void put(const struct keyring_fixture *f, const char *name, const char *text, mode_t mode)
{
	CLEANUP_FREE char *path = path_join(f->path, name);
	struct error err = ERROR_INIT;

	need(io_write_file(path, text, strlen(text), mode, &err) == 0, "%s: %s", name, err.message);
}

static void copy(const struct keyring_fixture *f, const char *from, const char *to, mode_t mode)
{
	CLEANUP_FREE char *from_path = path_join(f->path, from), *to_path = path_join(f->path, to);
	CLEANUP_BUF struct buf content = BUF_INIT(65536);
	struct error err = ERROR_INIT;

	need(io_read_file(from_path, 65536, &content, &err) == 0 &&
	     io_write_file(to_path, content.data, content.len, mode, &err) == 0, "%s to %s: %s", from, to, err.message);
}

static void refused(const struct keyring_fixture *f, const char *message, const char *what)
{
	CLEANUP_KEYRING struct keyring *k = NULL;
	struct error err = ERROR_INIT;

	ok_int(keyring_open(f->path, &k, &err), -EINVAL, "refused: %s", what);
	ok_error(&err, message, "for that reason");
}

#define HEAD "kiln-keyring\t1\nowner\t24ede359-3453-49f3-a50d-4ea366331217\n"
#define BODY "PK\tPK.crt\tPK.key\nKEK\tKEK.crt\tKEK.key\ndb\tdb.crt\tdb.key\n"

static void test_file(void)
{
	static const struct {
		const char *text, *message, *what;
	} cases[] = {
		{ "", "no keyring", "an empty file" },
		{ "some text\n", "is no keyring", "another file" },
		{ "kiln-keyring\t2\n", "this Kiln knows 1", "a newer form" },
		{ "kiln-keyring\t1\n" BODY, "owner's GUID is missing", "no owner" },
		{ "kiln-keyring\t1\nowner\tme\n" BODY, "is no GUID", "an owner that is no GUID" },
		{ HEAD "PK\tPK.crt\tPK.key\ndb\tdb.crt\tdb.key\n", "0 certificates for KEK", "no KEK" },
		{ HEAD BODY "PK\tPK.crt\tPK.key\n", "2 certificates for PK", "two platform keys" },
		{ HEAD BODY "MOK\tdb.crt\t-\n", "neither PK, KEK, db nor dbx", "another role" },
		{ HEAD BODY "db\t../db.crt\t-\n", "no name of a certificate", "a certificate elsewhere" },
		{ HEAD BODY "db\tdb.2.crt\t/db.key\n", "neither a file of this directory", "a key elsewhere" },
		{ HEAD BODY "db\tdb.crt\n", "none of a keyring", "a line with a field too few" },
		{ HEAD BODY "db\tdb.crt\t-\t-\n", "none of a keyring", "and with one too many" },
		{ HEAD BODY "db\tgone.crt\t-\n", "gone.crt is missing", "a missing certificate" },
		{ HEAD BODY "db\tdb.key\t-\n", "no certificate in PEM", "a file that is no certificate" },
		{ HEAD BODY "dbx\tdb.crt\t-\n", "are one certificate", "one certificate in db and in dbx" },
		{ HEAD "PK\tPK.crt\tKEK.key\nKEK\tKEK.crt\tKEK.key\ndb\tdb.crt\tdb.key\n",
		  "is not the key of the certificate PK.crt", "a key that does not fit" },
		{ HEAD "PK\tPK.crt\tPK.crt\nKEK\tKEK.crt\tKEK.key\ndb\tdb.crt\tdb.key\n", "others may read",
		  "a key that others may read" },
		{ HEAD "PK\tPK.crt\tgone.key\nKEK\tKEK.crt\tKEK.key\ndb\tdb.crt\tdb.key\n", "the private key is missing",
		  "a missing key" },
	};
	CLEANUP_KEYRING struct keyring *k = NULL;
	struct error err = ERROR_INIT;
	struct keyring_fixture f;

	keyring_fixture_open(&f, true);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put(&f, KEYRING_FILE, cases[i].text, 0644);
		refused(&f, cases[i].message, cases[i].what);
	}
	put(&f, KEYRING_FILE, HEAD "PK\tPK.crt\t-\nKEK\tKEK.crt\t-\ndb\tdb.crt\tpkcs11:object=db\n", 0644);
	ok_int(keyring_open(f.path, &k, &err), 0, "keys elsewhere and behind PKCS#11 are not asked for (%s)", err.message);
	put(&f, KEYRING_FILE, HEAD BODY, 0644);
	put(&f, "dbx.esl", "no list", 0644);
	refused(&f, "dbx.esl: signature list at offset 0", "a dbx.esl that is none");
	keyring_fixture_close(&f);
}

static void test_keys(void)
{
	struct keyring_fixture f;

	keyring_fixture_open(&f, true);
	copy(&f, "PK.crt", "db.key", 0600);
	refused(&f, "db.key holds no private key", "a certificate for a key");
	put(&f, "db.key",
	    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n", 0600);
	refused(&f, "without a passphrase", "an encrypted key");
	keyring_fixture_close(&f);
}

/* Ten days long, a year ago; and from tomorrow on. */
static void test_times(void)
{
	struct keyring_fixture f;
	struct error err = ERROR_INIT;

	keyring_fixture_open(&f, true);
	f.options.days = 10;
	f.options.begin -= 365 * 86400;
	need(keyring_rotate(f.path, &f.options, &err) == 0, "a key of last year: %s", err.message);
	refused(&f, "db.2.crt: the certificate expired on 20", "a certificate that has expired");
	keyring_fixture_close(&f);
	keyring_fixture_open(&f, true);
	f.options.begin += 86400;
	need(keyring_rotate(f.path, &f.options, &err) == 0, "a key of tomorrow: %s", err.message);
	refused(&f, "db.2.crt: the certificate is not valid before 20", "one that is not valid yet");
	keyring_fixture_close(&f);
}

static void test_name(void)
{
	struct keyring_fixture f;
	struct error err = ERROR_INIT;
	CLEANUP_FREE char *other = NULL;

	keyring_fixture_open(&f, true);
	other = path_join(f.scratch.path, "other");
	f.options.name = "a name of more than sixty-four bytes, which is what X.509 has room for";
	ok_int(keyring_new(other, &f.options, &err), -EINVAL, "a name that is too long");
	ok_error(&err, "too long", "is refused");
	ok(!io_exists(other), "and nothing is left");
	keyring_fixture_close(&f);
}

int main(void)
{
	test_new();
	test_rotate();
	test_file();
	test_keys();
	test_times();
	test_name();
	return tap_done();
}
