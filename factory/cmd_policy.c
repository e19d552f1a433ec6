/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "commands.h"
#include "format/pcr.h"
#include "model/arn.h"
#include "model/json.h"
#include "model/manifest.h"
#include "model/policy_document.h"

#define TEXT_MAX (64 * 1024)

struct request {
	const char *manifest, *pcrs;
	bool secure_boot;
	bool kms, instance, uploader, trust;	/* at most one of them */
	const char *role, *admin, *publisher;
	const char *key, *bucket;
	const char *region;
	bool share, copy;
	struct policy_binding binding;
};

/* "4,7,12" */
static int parse_pcrs(const char *text, uint32_t *ret, struct error *err)
{
	*ret = 0;
	for (const char *at = text;; at++) {
		char *end;
		unsigned long pcr = strtoul(at, &end, 10);

		if (end == at || *at < '0' || *at > '9' || pcr >= PCR_COUNT || (*end && *end != ','))
			return error_input(err, "kiln policy: --pcrs %s is no list of PCRs, such as 4,12", text);
		*ret |= 1u << pcr;
		if (!*end)
			return 0;
		at = end;
	}
}

/* ---------------------------------------------------------------- the documents */

static int missing(const char *document, const char *what, struct error *err)
{
	return error_input(err, "kiln policy: --%s needs %s", document, what);
}

static int key_policy(const struct request *q, struct json_t *document, struct error *err)
{
	const struct policy_kms p = {
		.binding = q->binding, .role = q->role, .administrator = q->admin, .publisher = q->publisher,
	};
	int r;

	if (!q->role || !q->admin)
		return missing("kms", "--role, the machine's, and --admin, who manages the key", err);
	r = arn_check(q->role, ARN_ROLE, "--role", err);
	if (r == 0)
		r = arn_check(q->admin, ARN_PRINCIPAL, "--admin", err);
	if (r == 0 && q->publisher)
		r = arn_check(q->publisher, ARN_PRINCIPAL, "--publisher", err);
	return r < 0 ? r : policy_kms(&p, document, err);
}

static int instance_policy(const struct request *q, struct json_t *document, struct error *err)
{
	CLEANUP_FREE char *partition = NULL, *bucket = NULL;
	struct policy_instance p = { .binding = q->binding, .key = q->key };
	int r;

	if (!q->key || !q->bucket)
		return missing("instance", "--key, the ARN of the key, and --bucket, where the published lies", err);
	r = arn_check(q->key, ARN_KEY, "--key", err);
	if (r == 0)
		r = arn_check_bucket(q->bucket, "--bucket", err);
	if (r < 0)
		return r;
	partition = arn_own_partition(q->key);
	bucket = string_printf("arn:%s:s3:::%s", partition, q->bucket);
	p.bucket = bucket;
	return policy_instance(&p, document, err);
}

static int uploader_policy(const struct request *q, struct json_t *document, struct error *err)
{
	const struct policy_uploader p = { .region = q->region, .share = q->share, .copy = q->copy, .key = q->key };
	int r = 0;

	if (q->region)
		r = arn_check_region(q->region, "--region", err);
	if (r == 0 && q->key)
		r = arn_check(q->key, ARN_KEY, "--key", err);
	if (r == 0)
		policy_uploader(&p, document);
	return r;
}

static int trust_policy(const struct request *q, struct json_t *document, struct error *err)
{
	(void)q;
	(void)err;
	policy_trust(document);
	return 0;
}

typedef int write_document(const struct request *q, struct json_t *document, struct error *err);

static int print_document(const struct request *q, write_document *write, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	struct json_t *document = json_new();
	int r = write(q, document, err), finished = json_finish(document, false, &text);

	if (r == 0 && finished < 0)
		r = error_system(err, finished, "the policy: cannot make its text");
	if (r == 0)
		fputs(buf_text(&text), stdout);
	return r;
}

static int print_condition(const struct request *q, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = policy_condition(q->binding.manifest, q->binding.secure_boot, q->binding.pcrs, &text, err);

	if (r == 0)
		fputs(buf_text(&text), stdout);
	return r;
}

/* ---------------------------------------------------------------- which one */

static int print_bound(struct request *q, struct error *err)
{
	CLEANUP_MANIFEST struct manifest *m = NULL;
	int r;

	q->binding.secure_boot = q->secure_boot;
	r = parse_pcrs(q->pcrs ? q->pcrs : q->secure_boot ? "4,7,12" : "4,12", &q->binding.pcrs, err);
	if (r == 0)
		r = manifest_read(q->manifest, &m, err);
	if (r < 0)
		return r;
	q->binding.manifest = m;
	if (q->kms)
		return print_document(q, key_policy, err);
	return q->instance ? print_document(q, instance_policy, err) : print_condition(q, err);
}

/* An option of another document would be passed over without a word. */
static int check_options(const struct request *q, struct error *err)
{
	bool bound = !q->uploader && !q->trust;

	const struct {
		const char *name;
		bool given, fits;
	} options[] = {
		{ "pcrs", q->pcrs, bound },
		{ "secure-boot", q->secure_boot, bound },
		{ "role", q->role, q->kms },
		{ "admin", q->admin, q->kms },
		{ "publisher", q->publisher, q->kms },
		{ "key", q->key, q->instance || q->uploader },
		{ "bucket", q->bucket, q->instance },
		{ "region", q->region, q->uploader },
		{ "share", q->share, q->uploader },
		{ "copy", q->copy, q->uploader },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].given && !options[i].fits)
			return error_input(err, "kiln policy: --%s says nothing about what is asked for; \"kiln policy --help\" shows where it belongs",
					   options[i].name);
	return 0;
}

static int print_one(struct request *q, struct error *err)
{
	bool unbound = q->uploader || q->trust;
	int r;

	if (q->kms + q->instance + q->uploader + q->trust > 1)
		return error_input(err, "kiln policy: --kms, --instance, --uploader and --trust are one document each; ask for one at a time");
	if (unbound && q->manifest)
		return error_input(err, "kiln policy: the uploader's policy and the trust policy bind no image; leave \"%s\" out",
				   q->manifest);
	r = check_options(q, err);
	if (r < 0)
		return r;
	if (!unbound && !q->manifest)
		return error_input(err, "kiln policy: the manifest is missing; usage: kiln policy %s", command_policy.usage);
	if (q->uploader)
		return print_document(q, uploader_policy, err);
	return q->trust ? print_document(q, trust_policy, err) : print_bound(q, err);
}

static int policy(int argc, char **argv, struct error *err)
{
	struct request q = { .manifest = NULL };
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "pcrs", .kind = ARGUMENT_TEXT, .target = &q.pcrs },
		{ .name = "secure-boot", .kind = ARGUMENT_FLAG, .target = &q.secure_boot },
		{ .name = "kms", .kind = ARGUMENT_FLAG, .target = &q.kms },
		{ .name = "role", .kind = ARGUMENT_TEXT, .target = &q.role },
		{ .name = "admin", .kind = ARGUMENT_TEXT, .target = &q.admin },
		{ .name = "publisher", .kind = ARGUMENT_TEXT, .target = &q.publisher },
		{ .name = "instance", .kind = ARGUMENT_FLAG, .target = &q.instance },
		{ .name = "key", .kind = ARGUMENT_TEXT, .target = &q.key },
		{ .name = "bucket", .kind = ARGUMENT_TEXT, .target = &q.bucket },
		{ .name = "uploader", .kind = ARGUMENT_FLAG, .target = &q.uploader },
		{ .name = "region", .kind = ARGUMENT_TEXT, .target = &q.region },
		{ .name = "share", .kind = ARGUMENT_FLAG, .target = &q.share },
		{ .name = "copy", .kind = ARGUMENT_FLAG, .target = &q.copy },
		{ .name = "trust", .kind = ARGUMENT_FLAG, .target = &q.trust },
		{ .name = NULL },
	};

	r = arguments_parse(&command_policy, table, argc, argv, "manifest", 0, 1, &operands, err);
	if (r < 0)
		return r;
	q.manifest = operands.count ? operands.items[0] : NULL;
	return print_one(&q, err);
}

const struct command command_policy = {
	.name = "policy",
	.run = policy,
	.summary = "print the condition, or a whole policy, by which AWS binds an image",
	.usage = "MANIFEST [--pcrs N,...] [--secure-boot] [--kms ... | --instance ...] | --uploader | --trust",
	.help =
		"Prints the Condition of the statement that allows kms:Decrypt to the machine: the PCRs that a NitroTPM\n"
		"attests, with the values that MANIFEST (manifest.json of a build) predicts. What would bind PCR 4 without\n"
		"PCR 12 or PCR 7 is refused.\n"
		"\n"
		"    --pcrs N,...      which PCRs; 4,12 by default, and 4,7,12 with Secure Boot\n"
		"    --secure-boot     of the machine with Secure Boot on; the image was built with keys\n"
		"\n"
		"Or a whole document:\n"
		"\n"
		"    MANIFEST --kms --role ARN --admin ARN [--publisher ARN]\n"
		"        the policy of the KMS key: the machine's role decrypts as this image alone, the administrator\n"
		"        manages, the publisher makes data keys; without an attestation everybody is denied\n"
		"    MANIFEST --instance --key ARN --bucket NAME\n"
		"        what the machine's role may do: read the bucket, decrypt with the key\n"
		"    --trust\n"
		"        who may take that role: EC2\n"
		"    --uploader [--region REGION] [--share] [--copy] [--key ARN]\n"
		"        what kiln-upload needs at least; with sharing, copying, or encryption with a key of KMS\n",
};
