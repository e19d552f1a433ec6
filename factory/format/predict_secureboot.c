/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/pkcs7.h"
#include "authenticode.h"
#include "esl.h"
#include "pcr.h"
#include "predict_secureboot.h"
#include "secure_variable.h"

#define PCR_SECURE_BOOT 7

#define OWNER_SIZE 16
#define NAME_MAX_CHARS 16

struct bytes {
	const uint8_t *data;
	size_t size;
};

/* An event over UEFI_VARIABLE_DATA (PFP 1.06, 10.2.6): GUID, both lengths, UTF-16 name, contents. */
static void add_variable(struct pcr_log *log, uint32_t type, const char *label, const char *name,
			 const uint8_t *guid, struct bytes contents)
{
	uint8_t head[16 + 8 + 8 + 2 * NAME_MAX_CHARS] = { 0 };
	size_t chars = strlen(name);
	struct iovec pieces[2] = {
		{ .iov_base = head, .iov_len = 32 + 2 * chars },
		{ .iov_base = (void *)contents.data, .iov_len = contents.size },
	};

	memcpy(head, guid, 16);
	write_le64(head + 16, chars);
	write_le64(head + 24, contents.size);
	for (size_t i = 0; i < chars; i++)
		write_le16(head + 32 + 2 * i, (uint8_t)name[i]);
	pcr_log_add_vector(log, PCR_SECURE_BOOT, type, label, pieces, ARRAY_SIZE(pieces));
}

bool secureboot_enabled(const struct predict_keys *keys)
{
	return keys && keys->pk && keys->pk_size > 0;
}

static int accept(const struct esl_entry *e, void *arg)
{
	(void)e;
	(void)arg;
	return 0;
}

int secureboot_variable_events(const struct predict_keys *keys, struct pcr_log *log, struct error *err)
{
	static const struct predict_keys none = { .pk = NULL };
	static const uint8_t off = 0, on = 1;
	const struct predict_keys *k = keys ? keys : &none;
	const struct bytes values[SECURE_VARIABLES] = {
		[SECURE_PK] = { k->pk, k->pk_size },
		[SECURE_KEK] = { k->kek, k->kek_size },
		[SECURE_DB] = { k->db, k->db_size },
		[SECURE_DBX] = { k->dbx, k->dbx_size },
	};
	char label[32];
	int r;

	add_variable(log, EV_EFI_VARIABLE_DRIVER_CONFIG, "variable SecureBoot", "SecureBoot", efi_guid_global,
		     (struct bytes){ secureboot_enabled(keys) ? &on : &off, 1 });
	for (size_t i = 0; i < SECURE_VARIABLES; i++) {
		const struct secure_variable *variable = &secure_variables[i];
		struct bytes value = values[i];

		if (!value.data)
			value.size = 0;
		r = esl_walk(value.data, value.size, accept, NULL, err);
		if (r < 0)
			return error_wrap(err, "%s", variable->name);
		snprintf(label, sizeof(label), "variable %s", variable->name);
		add_variable(log, EV_EFI_VARIABLE_DRIVER_CONFIG, label, variable->name, variable->vendor, value);
	}
	pcr_log_add_data(log, PCR_SECURE_BOOT, EV_SEPARATOR, "separator", "\0\0\0", 4);
	return 0;
}

/* ---------------------------------------------------------------- who vouches for an image */

/*
 * As EDK2's DxeImageVerificationLib decides it: one signature of the certificate table after the other; for each, first
 * whether dbx forbids it, then which entry of db is the first that its chain leads to; then the image's digest.
 */
struct question {
	const struct pe *image;
	const struct predict_keys *keys;
	struct pkcs7 *signature;	/* the one in question; NULL for none */
	struct bytes content;		/* what that is of */
	struct digest digest;		/* of the image, by that signature's algorithm */
	struct bytes found;		/* the entry of db, EFI_SIGNATURE_DATA */
};

/* A walk through a database; `matches` says whether an entry is what is looked for. */
struct search {
	const uint8_t *type;
	bool (*matches)(const struct question *q, const struct esl_entry *e);
	const struct question *question;
	struct bytes found;		/* EFI_SIGNATURE_DATA: owner and data */
};

static int visit(const struct esl_entry *e, void *arg)
{
	struct search *s = arg;

	if (memcmp(e->type, s->type, sizeof(e->type)) != 0 || !s->matches(s->question, e))
		return 0;
	s->found = (struct bytes){ e->owner, OWNER_SIZE + e->size };
	return 1;
}

/* The database has been walked before, so a failure cannot come from here. */
static struct bytes search_database(const uint8_t *value, size_t size, const uint8_t *type,
				    bool (*matches)(const struct question *q, const struct esl_entry *e),
				    const struct question *q)
{
	struct search s = { .type = type, .matches = matches, .question = q };
	struct error ignored = ERROR_INIT;

	(void)esl_walk(value, value ? size : 0, visit, &s, &ignored);
	return s.found;
}

static bool matches_digest(const struct question *q, const struct esl_entry *e)
{
	size_t size = digest_size(q->digest.alg);

	return e->size == size && memcmp(e->data, q->digest.bytes, size) == 0;
}

/* A signature that is still to be made leads where its certificates lead. */
static bool matches_chain(const struct question *q, const struct esl_entry *e)
{
	if (q->keys->signature_pending)
		return pkcs7_leads_to(q->signature, e->data, e->size);
	return pkcs7_verifies(q->signature, q->content.data, q->content.size, e->data, e->size);
}

/* EFI_CERT_X509_SHA256: the digest of a certificate's part that is signed, and a time, which without time stamps is not
 * looked at: the certificate counts as revoked. */
static bool revokes(const struct esl_entry *e, const uint8_t *certificate, size_t size)
{
	struct der all = { certificate, size }, body, tbs;
	struct error ignored = ERROR_INIT;
	struct digest digest;

	if (der_next(&all, DER_SEQUENCE, "certificate", &body, &ignored) < 0 ||
	    der_next_whole(&body, DER_SEQUENCE, "certificate", &tbs, &ignored) < 0)
		return false;
	digest_of(DIGEST_SHA256, tbs.data, tbs.size, &digest);
	return e->size >= digest_size(digest.alg) && memcmp(e->data, digest.bytes, digest_size(digest.alg)) == 0;
}

static bool matches_embedded(const struct question *q, const struct esl_entry *e)
{
	const uint8_t *certificate;
	size_t size;

	for (unsigned int i = 0; pkcs7_certificate(q->signature, i, &certificate, &size); i++)
		if (revokes(e, certificate, size))
			return true;
	return false;
}

static bool matches_found(const struct question *q, const struct esl_entry *e)
{
	return revokes(e, q->found.data + OWNER_SIZE, q->found.size - OWNER_SIZE);
}

static const uint8_t *type_of(enum digest_alg alg)
{
	return alg == DIGEST_SHA384 ? esl_guid_sha384 : esl_guid_sha256;
}

static int check_forbidden(const struct question *q, struct error *err)
{
	const struct predict_keys *k = q->keys;

	if (search_database(k->dbx, k->dbx_size, type_of(q->digest.alg), matches_digest, q).data)
		return error_input(err, "the firmware would refuse this image: its digest is in dbx");
	if (!q->signature)
		return 0;
	if (search_database(k->dbx, k->dbx_size, esl_guid_x509, matches_chain, q).data ||
	    search_database(k->dbx, k->dbx_size, esl_guid_x509_sha256, matches_embedded, q).data)
		return error_input(err, "the firmware would refuse this image: a certificate of its signature is in dbx");
	return 0;
}

static int find_entry(struct question *q, struct error *err)
{
	const struct predict_keys *k = q->keys;
	int r = check_forbidden(q, err);

	if (r < 0 || q->found.data)
		return r;
	if (q->signature)
		q->found = search_database(k->db, k->db_size, esl_guid_x509, matches_chain, q);
	if (q->found.data && search_database(k->dbx, k->dbx_size, esl_guid_x509_sha256, matches_found, q).data)
		q->found.data = NULL;
	if (!q->found.data)
		q->found = search_database(k->db, k->db_size, type_of(q->digest.alg), matches_digest, q);
	return 0;
}

/* Does it say what image it is of, and is it this one? Firmware passes over a signature where that is not so. */
static bool is_of_image(struct question *q)
{
	struct error ignored = ERROR_INIT;
	struct digest said;

	return pkcs7_content(q->signature, &q->content.data, &q->content.size) &&
	       authenticode_content_digest((struct der){ q->content.data, q->content.size }, &said, &ignored) == 0 &&
	       pe_authenticode(q->image, said.alg, &q->digest, &ignored) == 0 && digest_equal(&said, &q->digest);
}

static int ask_signatures(struct question *q, bool *ret_fits, struct error *err)
{
	struct der blob;
	size_t at = 0;
	int r = 0;

	while (r == 0 && authenticode_next(q->image, &at, &blob)) {
		q->signature = pkcs7_open(blob.data, blob.size);
		if (q->signature && is_of_image(q)) {
			*ret_fits = true;
			r = find_entry(q, err);
		}
		pkcs7_free(q->signature);
		q->signature = NULL;
	}
	return r;
}

static int find_authority(const struct pe *image, const struct predict_keys *keys, struct bytes *ret,
			  struct error *err)
{
	struct question q = { .image = image, .keys = keys };
	bool fits = false;
	int r;

	r = ask_signatures(&q, &fits, err);
	if (r < 0)
		return r;
	r = pe_authenticode(image, DIGEST_SHA256, &q.digest, err);
	if (r == 0)
		r = find_entry(&q, err);
	if (r < 0)
		return r;
	if (!q.found.data && image->security_size == 0)
		return error_input(err, "the firmware would refuse this image: Secure Boot is on, the image is not signed and its digest is not in db");
	if (!q.found.data && !fits)
		return error_input(err, "the firmware would refuse this image: its signature is not of this image, and its digest is not in db");
	if (!q.found.data)
		return error_input(err, "the firmware would refuse this image: its signature leads to no certificate in db, and its digest is not there either");
	*ret = q.found;
	return 0;
}

static bool has_event(const struct pcr_log *log, const struct pcr_event *event)
{
	for (size_t i = 0; i < log->count; i++)
		if (log->events[i].type == event->type &&
		    digest_equal(&log->events[i].digests[DIGEST_SHA256], &event->digests[DIGEST_SHA256]))
			return true;
	return false;
}

int secureboot_authority_event(const struct pe *image, const struct predict_keys *keys,
			       struct pcr_log *log, struct error *err)
{
	CLEANUP_PCR_LOG struct pcr_log one = PCR_LOG_INIT;
	struct bytes entry = { NULL, 0 };
	int r;

	r = find_authority(image, keys, &entry, err);
	if (r < 0)
		return r;
	add_variable(&one, EV_EFI_VARIABLE_AUTHORITY, "authority from db", "db", efi_guid_database, entry);
	if (!has_event(log, &one.events[0]))
		pcr_log_add(log, &one.events[0]);
	return 0;
}
