/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/model/json.h"
#include "factory/model/policy_document.h"
#include "tests/unit/policy_fixture.h"
#include "upload/tag.h"

#define ROLE "arn:aws:iam::123456789012:role/machine"
#define OWNER "arn:aws:iam::210987654321:role/owner"
#define PUBLISHER "arn:aws:iam::210987654321:user/publisher"
#define KEY "arn:aws:kms:us-east-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab"

static struct policy_kms key_of(const struct manifest *m)
{
	return (struct policy_kms) {
		.binding = policy_binding_default(m), .role = ROLE, .administrator = OWNER, .publisher = PUBLISHER,
	};
}

static void check_document(struct json_t *document, const char *golden)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 16);

	need(json_finish(document, false, &text) == 0, "the document is written");
	check_golden(golden, &text);
}

static void test_key(bool keys, const char *golden)
{
	CLEANUP_MANIFEST struct manifest *m = policy_manifest(keys);
	struct policy_kms p = key_of(m);
	struct json_t *document = json_new();
	struct error err = ERROR_INIT;

	ok(policy_kms(&p, document, &err) == 0, "a key's policy is written");
	check_document(document, golden);
}

static void refuse_key(const struct policy_kms *p, const char *why, const char *about)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 16);
	struct json_t *document = json_new();
	struct error err = ERROR_INIT;

	ok(policy_kms(p, document, &err) < 0, "%s", about);
	ok_error(&err, why, "... and why is said");
	need(json_finish(document, false, &text) == 0, "the document is written");
	ok_str(buf_text(&text), "{}\n", "... and nothing else is");
}

static void test_refused(void)
{
	CLEANUP_MANIFEST struct manifest *m = policy_manifest(false);
	struct policy_kms p = key_of(m);

	p.administrator = ROLE;
	refuse_key(&p, "could write another policy", "the machine does not manage its key");
	p = key_of(m);
	p.publisher = ROLE;
	refuse_key(&p, "name another publisher", "nor does it make data keys");
	p = key_of(m);
	p.binding.pcrs = PCR(4);
	refuse_key(&p, "GHSA-xrv8-2pf5-f3q7", "PCR 4 alone is no policy");
}

static void test_instance(void)
{
	CLEANUP_MANIFEST struct manifest *m = policy_manifest(false);
	struct policy_instance p = { .binding = policy_binding_default(m), .key = KEY, .bucket = "arn:aws:s3:::models" };
	struct json_t *document = json_new(), *none = json_new();
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 16);
	struct error err = ERROR_INIT;

	ok(policy_instance(&p, document, &err) == 0, "the machine's policy is written");
	check_document(document, "policy-instance.json");
	p.binding.pcrs = PCR(12);
	ok(policy_instance(&p, none, &err) < 0, "but not one that binds no image");
	ok_error(&err, "neither PCR 4", "... and why is said");
	need(json_finish(none, false, &text) == 0, "the document is written");
}

static void test_uploader(void)
{
	const struct policy_uploader least = { .region = NULL }, most = {
		.region = "us-gov-west-1", .share = true, .copy = true, .key = KEY,
	};
	struct json_t *document = json_new();

	ok_str(POLICY_UPLOAD_TAG, TAG_DISK, "what may be deleted has the tag that kiln-upload gives");
	policy_uploader(&least, document);
	check_document(document, "policy-uploader.json");
	document = json_new();
	policy_uploader(&most, document);
	check_document(document, "policy-uploader-all.json");
}

static void test_trust(void)
{
	struct json_t *document = json_new();

	policy_trust(document);
	check_document(document, "policy-trust.json");
}

int main(void)
{
	test_key(false, "policy-kms.json");
	test_key(true, "policy-kms-secure-boot.json");
	test_refused();
	test_instance();
	test_uploader();
	test_trust();
	return tap_done();
}
