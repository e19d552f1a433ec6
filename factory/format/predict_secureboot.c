/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "esl.h"
#include "pcr.h"
#include "predict_secureboot.h"

#define PCR_SECURE_BOOT 7

/* EFI_GLOBAL_VARIABLE 8be4df61-93ca-11d2-aa0d-00e098032b8c */
static const uint8_t guid_global[16] = {
	0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c,
};
/* EFI_IMAGE_SECURITY_DATABASE d719b2cb-3d3a-4596-a3bc-dad00e67656f */
static const uint8_t guid_database[16] = {
	0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f,
};

#define OWNER_SIZE 16
#define NAME_MAX_CHARS 16

/* WIN_CERTIFICATE (PE/COFF, "The Attribute Certificate Table"). */
#define CERTIFICATE_HEADER_SIZE 8
#define CERTIFICATE_ALIGNMENT 8
#define CERTIFICATE_PKCS7 0x0002

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
	const struct {
		const char *name;
		const uint8_t *guid;
		struct bytes value;
	} variables[] = {
		{ "PK", guid_global, { k->pk, k->pk_size } },
		{ "KEK", guid_global, { k->kek, k->kek_size } },
		{ "db", guid_database, { k->db, k->db_size } },
		{ "dbx", guid_database, { k->dbx, k->dbx_size } },
	};
	char label[32];
	int r;

	add_variable(log, EV_EFI_VARIABLE_DRIVER_CONFIG, "variable SecureBoot", "SecureBoot", guid_global,
		     (struct bytes){ secureboot_enabled(keys) ? &on : &off, 1 });
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		struct bytes value = variables[i].value;

		if (!value.data)
			value.size = 0;
		r = esl_walk(value.data, value.size, accept, NULL, err);
		if (r < 0)
			return error_wrap(err, "%s", variables[i].name);
		snprintf(label, sizeof(label), "variable %s", variables[i].name);
		add_variable(log, EV_EFI_VARIABLE_DRIVER_CONFIG, label, variables[i].name,
			     variables[i].guid, value);
	}
	pcr_log_add_data(log, PCR_SECURE_BOOT, EV_SEPARATOR, "separator", "\0\0\0", 4);
	return 0;
}

/* What is looked for in a signature database, and what was found there. */
struct search {
	const uint8_t *type;
	struct bytes blob;		/* X.509: a PKCS#7 blob, to be a part of; SHA-256: the digest */
	unsigned int seen;		/* entries of this type */
	struct bytes found;		/* EFI_SIGNATURE_DATA: owner and data */
};

static int match(const struct esl_entry *e, void *arg)
{
	struct search *s = arg;

	if (memcmp(e->type, s->type, sizeof(e->type)) != 0)
		return 0;
	s->seen++;
	if (s->type == esl_guid_sha256 && e->size != s->blob.size)
		return 0;
	if (s->found.data || !memmem(s->blob.data, s->blob.size, e->data, e->size))
		return 0;
	s->found = (struct bytes){ e->owner, OWNER_SIZE + e->size };
	return 0;
}

/* The database has been walked before, so a failure cannot come from here. */
static void search_database(const uint8_t *value, size_t size, struct search *s)
{
	struct error ignored = ERROR_INIT;

	(void)esl_walk(value, value ? size : 0, match, s, &ignored);
}

/* The next PKCS#7 blob of the certificate table from *at on; false at its end. */
static bool next_signature(const struct pe *image, size_t *at, struct bytes *ret)
{
	const uint8_t *table = image->data + image->security_offset;
	size_t size = image->security_size;

	while (size - *at > CERTIFICATE_HEADER_SIZE) {
		const uint8_t *certificate = table + *at;
		uint32_t length = read_le32(certificate);
		uint64_t step;

		if (length <= CERTIFICATE_HEADER_SIZE || length > size - *at)
			return false;
		(void)align_up(length, CERTIFICATE_ALIGNMENT, &step);
		*at = step < size - *at ? *at + step : size;
		if (read_le16(certificate + 6) != CERTIFICATE_PKCS7)
			continue;
		*ret = (struct bytes){ certificate + CERTIFICATE_HEADER_SIZE,
				       length - CERTIFICATE_HEADER_SIZE };
		return true;
	}
	return false;
}

/*
 * Which X.509 entry of a database the image's signature leads to. EDK2 builds the chain; from bytes
 * alone the one case that can be told is that of a database certificate the signature carries in
 * itself. This is the place for something that knows chains; the callers rely on nothing else.
 */
static void find_certificate(const struct pe *image, const uint8_t *value, size_t size, struct search *s)
{
	size_t at = 0;

	s->type = esl_guid_x509;
	while (!s->found.data && next_signature(image, &at, &s->blob)) {
		s->seen = 0;
		search_database(value, size, s);
	}
}

static void find_digest(const struct digest *digest, const uint8_t *value, size_t size, struct search *s)
{
	s->type = esl_guid_sha256;
	s->blob = (struct bytes){ digest->bytes, digest_size(digest->alg) };
	search_database(value, size, s);
}

static int check_forbidden(const struct pe *image, const struct digest *digest,
			   const struct predict_keys *keys, struct error *err)
{
	struct search by_digest = { .seen = 0 }, by_certificate = { .seen = 0 };

	find_digest(digest, keys->dbx, keys->dbx_size, &by_digest);
	find_certificate(image, keys->dbx, keys->dbx_size, &by_certificate);
	if (by_digest.found.data)
		return error_input(err, "the firmware would refuse this image: its digest is in dbx");
	if (by_certificate.found.data)
		return error_input(err, "the firmware would refuse this image: a certificate in its signature is in dbx");
	return 0;
}

/* EDK2 asks for a certificate first and for the digest then; unsigned images have only the digest. */
static int find_authority(const struct pe *image, const struct predict_keys *keys, struct bytes *ret,
			  struct error *err)
{
	struct search by_certificate = { .seen = 0 }, by_digest = { .seen = 0 };
	struct digest digest;
	int r;

	r = pe_authenticode(image, DIGEST_SHA256, &digest, err);
	if (r == 0)
		r = check_forbidden(image, &digest, keys, err);
	if (r < 0)
		return r;
	find_certificate(image, keys->db, keys->db_size, &by_certificate);
	find_digest(&digest, keys->db, keys->db_size, &by_digest);
	if (by_certificate.found.data)
		*ret = by_certificate.found;
	else if (by_certificate.seen > 0)
		return error_input(err, "cannot tell which db entry vouches for this image: none of the %u certificates in db is part of its signature",
				   by_certificate.seen);
	else if (by_digest.found.data)
		*ret = by_digest.found;
	else if (image->security_size == 0)
		return error_input(err, "the firmware would refuse this image: Secure Boot is on, the image is not signed and its digest is not in db");
	else
		return error_input(err, "the firmware would refuse this image: Secure Boot is on and db has neither a certificate nor the image's digest");
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
	add_variable(&one, EV_EFI_VARIABLE_AUTHORITY, "authority from db", "db", guid_database, entry);
	if (!has_event(log, &one.events[0]))
		pcr_log_add(log, &one.events[0]);
	return 0;
}
