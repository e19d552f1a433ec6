/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/cleanup.h"
#include "factory/base/hex.h"
#include "factory/format/esl.h"
#include "tests/unit/predicted.h"
#include "tests/unit/signer.h"

#define GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define DATABASE "d719b2cb-3d3a-4596-a3bc-dad00e67656f"

static const char owner[16] = "owner of the key";
/* For variables, which are measured whatever is in them. */
static const char certificate_a[100] = "certificate A", certificate_b[90] = "certificate B";

/* A and the STRANGER issued themselves, LEAF was issued by CA, DEEP by MIDDLE and that by CA. */
static struct signer a, stranger, ca, leaf, middle, deep;

static void make_signers(void)
{
	signer_make(&a, "A", false, NULL);
	signer_make(&stranger, "a stranger", false, NULL);
	signer_make(&ca, "CA", true, NULL);
	signer_make(&leaf, "leaf", false, &ca);
	signer_make(&middle, "middle", true, &ca);
	signer_make(&deep, "deep", false, &middle);
}

static void free_signers(void)
{
	struct signer *const all[] = { &a, &stranger, &ca, &leaf, &middle, &deep };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		signer_free(all[i]);
}

static void add_entry(struct buf *b, const uint8_t *type, const void *data, uint32_t size)
{
	buf_add(b, type, 16);
	buf_add_le32(b, 28 + 16 + size);
	buf_add_le32(b, 0);
	buf_add_le32(b, 16 + size);
	buf_add(b, owner, sizeof(owner));
	buf_add(b, data, size);
}

/* UEFI_VARIABLE_DATA written down by hand. */
static void variable_digest(const char *guid_text, const char *name, const void *data, size_t size,
			    struct digest *ret)
{
	CLEANUP_BUF struct buf b = BUF_INIT(65536);
	uint8_t guid[16];

	need(guid_parse(guid_text, guid) == 0, "a GUID");
	buf_add(&b, guid, 16);
	buf_add_le64(&b, strlen(name));
	buf_add_le64(&b, size);
	for (size_t i = 0; name[i]; i++)
		buf_add_le16(&b, (uint8_t)name[i]);
	buf_add(&b, data, size);
	digest_of(DIGEST_SHA384, b.data, b.len, ret);
}

static void check_variable(const struct pcr_event *e, const char *guid, const char *name,
			   const struct buf *value)
{
	struct digest expected;

	variable_digest(guid, name, value->data, value->len, &expected);
	ok(digest_equal(&e->digests[DIGEST_SHA384], &expected), "%s is measured with its contents", name);
}

/* Digests that firmware has logged for absent variables. */
static void test_empty_variables(void)
{
	static const char *const expected[] = {
		"cfa4e2c606f572627bf06d5669cc2ab1128358d27b45bc63ee9ea56ec109cfafb7194006f847a6a74b5eaed6b73332ec",
		"6f2e3cbc14f9def86980f5f66fd85e99d63e69a73014ed8a5633ce56eca5b64b692108c56110e22acadcef58c3250f1b",
		"d607c0efb41c0d757d69bca0615c3a9ac0b1db06c557d992e906c6b7dee40e0e031640c7bfd7bcd35844ef9edeadc6f9",
		"08a74f8963b337acb6c93682f934496373679dd26af1089cb4eaf0c30cf260a12e814856385ab8843e56a9acea19e127",
		"18cc6e01f0c6ea99aa23f8a280423e94ad81d96d0aeb5180504fc0f7a40cb3619dd39bd6a95ec1680a86ed6ab0f9828d",
	};
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	const struct predict_keys keys = { .db = NULL };
	const struct predict_input in = { .keys = &keys };
	char hex[2 * DIGEST_MAX + 1];
	struct error err = ERROR_INIT;

	need(predict_boot(&in, &log, &err) == 0, "no keys: %s", err.message);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		digest_hex(&log.events[i].digests[DIGEST_SHA384], hex);
		ok_str(hex, expected[i], "%s, empty", log.events[i].label);
	}
}

static void test_variables(void)
{
	CLEANUP_BUF struct buf pk = BUF_INIT(4096), kek = BUF_INIT(4096), db = BUF_INIT(4096),
			       dbx = BUF_INIT(4096), on = BUF_INIT(1), off = BUF_INIT(1);
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct predict_keys keys = { 0 };
	const struct predict_input in = { .keys = &keys };
	struct error err = ERROR_INIT;

	add_entry(&pk, esl_guid_x509, certificate_a, sizeof(certificate_a));
	add_entry(&kek, esl_guid_x509, certificate_b, sizeof(certificate_b));
	add_entry(&db, esl_guid_x509, certificate_a, sizeof(certificate_a));
	add_entry(&db, esl_guid_x509, certificate_b, sizeof(certificate_b));
	add_entry(&dbx, esl_guid_sha256, certificate_b, 32);
	buf_fill(&on, 1, 1);
	buf_fill(&off, 0, 1);
	keys = (struct predict_keys){ .pk = pk.data, .kek = kek.data, .db = db.data, .dbx = dbx.data,
				      .pk_size = pk.len, .kek_size = kek.len, .db_size = db.len,
				      .dbx_size = dbx.len };
	need(predict_boot(&in, &log, &err) == 0, "keys: %s", err.message);
	check_variable(&log.events[0], GLOBAL, "SecureBoot", &on);
	check_variable(&log.events[1], GLOBAL, "PK", &pk);
	check_variable(&log.events[2], GLOBAL, "KEK", &kek);
	check_variable(&log.events[3], DATABASE, "db", &db);
	check_variable(&log.events[4], DATABASE, "dbx", &dbx);

	pcr_log_free(&log);
	keys.pk_size = 0;
	need(predict_boot(&in, &log, &err) == 0, "no PK: %s", err.message);
	check_variable(&log.events[0], GLOBAL, "SecureBoot", &off);
	check_variable(&log.events[3], DATABASE, "db", &db);
}

static void test_broken_keys(void)
{
	struct predict_keys keys = { 0 };
	const struct predict_input in = { .keys = &keys };
	const uint8_t **const values[] = { &keys.pk, &keys.kek, &keys.db, &keys.dbx };
	size_t *const sizes[] = { &keys.pk_size, &keys.kek_size, &keys.db_size, &keys.dbx_size };
	static const char *const names[] = { "PK: ", "KEK: ", "db: ", "dbx: " };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
		struct error err = ERROR_INIT;

		keys = (struct predict_keys){ 0 };
		*values[i] = (const uint8_t *)"no list";
		*sizes[i] = 7;
		ok_int(predict_boot(&in, &log, &err), -EINVAL, "%sno signature list", names[i]);
		ok(strncmp(err.message, names[i], strlen(names[i])) == 0, "the message names the variable");
	}
}

static void add_certificate(struct buf *b, const struct signer *s)
{
	add_entry(b, esl_guid_x509, s->certificate.data, (uint32_t)s->certificate.len);
}

/* One boot of one image under Secure Boot. */
struct boot {
	struct predicted_uki uki;
	struct buf pk, db, dbx;
	struct pcr_log log;
	struct error err;
	bool pending;
};

static void boot_begin(struct boot *b)
{
	*b = (struct boot){ .pk = BUF_INIT(4096), .db = BUF_INIT(16384), .dbx = BUF_INIT(16384) };
	predicted_uki_begin(&b->uki, IMAGE_MAGIC("257"));
	predicted_uki_write(&b->uki);
	add_entry(&b->pk, esl_guid_x509, certificate_a, sizeof(certificate_a));
}

static void boot_free(struct boot *b)
{
	predicted_uki_free(&b->uki);
	buf_free(&b->pk);
	buf_free(&b->db);
	buf_free(&b->dbx);
	pcr_log_free(&b->log);
}

static int boot_run(struct boot *b, const struct buf *loader)
{
	const struct predict_keys keys = { .pk = b->pk.data, .db = b->db.data, .dbx = b->dbx.data,
					   .pk_size = b->pk.len, .db_size = b->db.len,
					   .dbx_size = b->dbx.len, .signature_pending = b->pending };
	const uint8_t *data[2] = { b->uki.image.data, b->uki.image.data };
	size_t sizes[2] = { b->uki.image.len, b->uki.image.len };
	const struct predict_input in = { .images = data, .image_sizes = sizes, .image_count = loader ? 2 : 1,
					  .keys = &keys };

	if (loader) {
		data[0] = loader->data;
		sizes[0] = loader->len;
	}
	pcr_log_free(&b->log);
	b->log = (struct pcr_log)PCR_LOG_INIT;
	b->err = (struct error)ERROR_INIT;
	return predict_boot(&in, &b->log, &b->err);
}

static void check_authority(const struct boot *b, const void *data, size_t size, const char *what)
{
	CLEANUP_BUF struct buf entry = BUF_INIT(4096);
	struct digest expected;

	buf_add(&entry, owner, sizeof(owner));
	buf_add(&entry, data, size);
	variable_digest(DATABASE, "db", entry.data, entry.len, &expected);
	need(b->log.count > 8, "events");
	ok_int(b->log.events[8].type, EV_EFI_VARIABLE_AUTHORITY, "an authority event: %s", what);
	ok(digest_equal(&b->log.events[8].digests[DIGEST_SHA384], &expected), "its digest: %s", what);
}

static void check_signer(const struct boot *b, const struct signer *s, const char *what)
{
	check_authority(b, s->certificate.data, s->certificate.len, what);
}

static void uki_digest(const struct boot *b, struct digest *ret)
{
	struct error err = ERROR_INIT;
	struct pe pe;

	need(pe_parse(b->uki.image.data, b->uki.image.len, &pe, &err) == 0, "the UKI is read");
	need(pe_authenticode(&pe, DIGEST_SHA256, ret, &err) == 0, "and hashed");
}

static void test_certificate(void)
{
	struct boot b;

	boot_begin(&b);
	add_entry(&b.db, esl_guid_sha256, certificate_b, 32);
	add_certificate(&b.db, &stranger);
	add_certificate(&b.db, &a);
	signer_sign(&a, &b.uki.image, NULL);
	ok_int(boot_run(&b, NULL), 0, "a signed UKI: %s", b.err.message);
	check_signer(&b, &a, "the certificate in the last list");
	check_events(&b.log, 7, "7:80000001:variable SecureBoot;7:80000001:variable PK;"
		     "7:80000001:variable KEK;7:80000001:variable db;7:80000001:variable dbx;7:4:separator;"
		     "7:800000e0:authority from db;", "PCR 7 with Secure Boot");
	check_events(&b.log, 4, "4:80000007:boot option action;4:4:separator;4:80000003:UKI;",
		     "with Secure Boot the inner kernel is not measured");
	check_events(&b.log, 9, "9:6:kernel command line;9:6:initrd;", "but the rest is");
	boot_free(&b);
}

/* EDK2 takes the first entry of db to which it can build a chain, not the first that is embedded. */
static void test_chain(void)
{
	struct boot b;

	boot_begin(&b);
	signer_sign(&leaf, &b.uki.image, NULL);
	add_certificate(&b.db, &a);
	add_certificate(&b.db, &ca);
	ok_int(boot_run(&b, NULL), 0, "db has the CA, which is not embedded: %s", b.err.message);
	check_signer(&b, &ca, "the CA vouches");
	add_certificate(&b.db, &leaf);
	ok_int(boot_run(&b, NULL), 0, "the CA and behind it the signer: %s", b.err.message);
	check_signer(&b, &ca, "the first of the two vouches");
	buf_truncate(&b.db, 0);
	add_certificate(&b.db, &leaf);
	add_certificate(&b.db, &ca);
	ok_int(boot_run(&b, NULL), 0, "the signer and behind it its CA: %s", b.err.message);
	check_signer(&b, &leaf, "a chain may end at what is no root");
	boot_free(&b);

	boot_begin(&b);
	signer_sign(&leaf, &b.uki.image, &ca);
	add_certificate(&b.db, &ca);
	ok_int(boot_run(&b, NULL), 0, "an embedded CA: %s", b.err.message);
	check_signer(&b, &ca, "vouches as well");
	add_certificate(&b.dbx, &ca);
	ok_int(boot_run(&b, NULL), -EINVAL, "a CA in dbx");
	ok_error(&b.err, "a certificate of its signature is in dbx", "forbids what it has issued");
	boot_free(&b);

	boot_begin(&b);
	add_certificate(&b.db, &ca);
	signer_sign(&deep, &b.uki.image, NULL);
	ok_int(boot_run(&b, NULL), -EINVAL, "a chain with a gap");
	ok_error(&b.err, "leads to no certificate in db", "leads nowhere");
	boot_free(&b);
	boot_begin(&b);
	add_certificate(&b.db, &ca);
	signer_sign(&deep, &b.uki.image, &middle);
	ok_int(boot_run(&b, NULL), 0, "a chain over an embedded certificate: %s", b.err.message);
	check_signer(&b, &ca, "the CA vouches");
	boot_free(&b);
}

static void test_second_signature(void)
{
	struct buf *image;
	uint32_t at, size;
	struct boot b;

	boot_begin(&b);
	image = &b.uki.image;
	add_certificate(&b.db, &a);
	signer_sign(&stranger, image, NULL);
	at = read_le32(image->data + IMAGE_SECURITY);
	size = (uint32_t)image->len - at;
	/* The second is of the same image: its digest leaves the table out. */
	signer_sign(&a, image, NULL);
	write_le32(image->data + IMAGE_SECURITY, at);
	write_le32(image->data + IMAGE_SECURITY + 4, (uint32_t)image->len - at);
	ok_int(boot_run(&b, NULL), 0, "a UKI signed twice: %s", b.err.message);
	check_signer(&b, &a, "the second signature counts");

	write_le16(image->data + at + size + 6, 0x0ef1);
	ok_int(boot_run(&b, NULL), -EINVAL, "a certificate of another kind does not");
	boot_free(&b);
}

static void test_digest_entry(void)
{
	struct digest digest;
	struct boot b;

	boot_begin(&b);
	uki_digest(&b, &digest);
	add_certificate(&b.db, &stranger);
	add_entry(&b.db, esl_guid_sha256, digest.bytes, 31);
	ok_int(boot_run(&b, NULL), -EINVAL, "a part of the digest is not enough");
	add_entry(&b.db, esl_guid_sha256, digest.bytes, 32);
	ok_int(boot_run(&b, NULL), 0, "an unsigned UKI whose digest is in db: %s", b.err.message);
	check_authority(&b, digest.bytes, 32, "a digest");
	signer_sign(&a, &b.uki.image, NULL);
	ok_int(boot_run(&b, NULL), 0, "one signed by a stranger: %s", b.err.message);
	check_authority(&b, digest.bytes, 32, "likewise");
	add_certificate(&b.db, &a);
	ok_int(boot_run(&b, NULL), 0, "and by somebody in db: %s", b.err.message);
	check_signer(&b, &a, "then the certificate comes first, though its entry is last");
	boot_free(&b);
}

/* A loader and a UKI signed by one key: its entry is measured once. */
static void test_once(void)
{
	CLEANUP_BUF struct buf loader = BUF_INIT(65536);
	struct boot b;

	boot_begin(&b);
	add_certificate(&b.db, &a);
	signer_sign(&a, &b.uki.image, NULL);
	image_kernel(&loader);
	signer_sign(&a, &loader, NULL);
	ok_int(boot_run(&b, &loader), 0, "two signed images: %s", b.err.message);
	check_events(&b.log, 7, "7:80000001:variable SecureBoot;7:80000001:variable PK;"
		     "7:80000001:variable KEK;7:80000001:variable db;7:80000001:variable dbx;7:4:separator;"
		     "7:800000e0:authority from db;", "one authority event for both");
	boot_free(&b);
}

static void test_refused(void)
{
	struct digest digest;
	struct boot b;

	boot_begin(&b);
	ok_int(boot_run(&b, NULL), -EINVAL, "an unsigned UKI and no db");
	ok_error(&b.err, "the image is not signed", "the message says what the firmware would do");
	add_certificate(&b.db, &stranger);
	ok_int(boot_run(&b, NULL), -EINVAL, "an unsigned UKI and a db");
	ok_error(&b.err, "the image is not signed", "the message says what the firmware would do");
	uki_digest(&b, &digest);

	signer_sign(&a, &b.uki.image, NULL);
	ok_int(boot_run(&b, NULL), -EINVAL, "somebody who is not in db");
	ok_error(&b.err, "leads to no certificate in db", "the message says so");
	buf_truncate(&b.db, 0);
	ok_int(boot_run(&b, NULL), -EINVAL, "a signed UKI and no db");
	ok_error(&b.err, "leads to no certificate in db", "the message says so");

	add_certificate(&b.db, &a);
	ok_int(boot_run(&b, NULL), 0, "with the right db it is accepted: %s", b.err.message);
	add_certificate(&b.dbx, &a);
	ok_int(boot_run(&b, NULL), -EINVAL, "unless dbx has the certificate");
	ok_error(&b.err, "a certificate of its signature is in dbx", "the message says so");
	buf_truncate(&b.dbx, 0);
	add_entry(&b.dbx, esl_guid_sha256, digest.bytes, 32);
	ok_int(boot_run(&b, NULL), -EINVAL, "or the digest");
	ok_error(&b.err, "its digest is in dbx", "the message says so");
	buf_truncate(&b.dbx, 0);
	b.uki.image.data[IMAGE_HEADERS] ^= 1;
	ok_int(boot_run(&b, NULL), -EINVAL, "a UKI that was changed after it was signed");
	ok_error(&b.err, "its signature is not of this image", "the message says so");
	boot_free(&b);
}

/* EFI_CERT_X509_SHA256: the digest of the certificate's signed part, and a time. */
static void test_revoked_by_digest(void)
{
	CLEANUP_BUF struct buf entry = BUF_INIT(64);
	uint8_t *tbs = NULL;
	struct digest digest;
	struct boot b;
	int size;

	boot_begin(&b);
	add_certificate(&b.db, &a);
	signer_sign(&a, &b.uki.image, NULL);
	size = i2d_re_X509_tbs(a.x509, &tbs);
	need(size > 0, "the part that is signed");
	digest_of(DIGEST_SHA256, tbs, (size_t)size, &digest);
	OPENSSL_free(tbs);
	buf_add(&entry, digest.bytes, 32);
	buf_fill(&entry, 0, 16);
	add_entry(&b.dbx, esl_guid_x509_sha256, entry.data, 48);
	ok_int(boot_run(&b, NULL), -EINVAL, "a signer whose certificate's digest is in dbx");
	ok_error(&b.err, "a certificate of its signature is in dbx", "is refused");
	boot_free(&b);
}

/* What "kiln build --unsigned" predicts: as if the zeros were the signature. */
static void test_pending(void)
{
	struct boot b;
	uint8_t *last;

	boot_begin(&b);
	add_certificate(&b.db, &ca);
	signer_sign(&leaf, &b.uki.image, NULL);
	last = b.uki.image.data + b.uki.image.len - 16;
	memset(last, 0, 16);
	ok_int(boot_run(&b, NULL), -EINVAL, "a signature that is none");
	b.pending = true;
	ok_int(boot_run(&b, NULL), 0, "but is still to be made: %s", b.err.message);
	check_signer(&b, &ca, "the chain counts");
	add_certificate(&b.dbx, &leaf);
	ok_int(boot_run(&b, NULL), -EINVAL, "and dbx does");
	boot_free(&b);
}

int main(void)
{
	make_signers();
	test_empty_variables();
	test_variables();
	test_broken_keys();
	test_certificate();
	test_chain();
	test_second_signature();
	test_digest_entry();
	test_once();
	test_refused();
	test_revoked_by_digest();
	test_pending();
	free_signers();
	return tap_done();
}
