/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_document.h"

#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/io.h"
#include "../format/pcr.h"
#include "arn.h"
#include "json.h"

/* ---------------------------------------------------------------- parts of a document */

static struct json_t *begin(struct json_t *document)
{
	json_put_string(document, "Version", "2012-10-17");
	return json_put_array(document, "Statement");
}

/* `sid` may have letters and digits only (IAM, Grammar of the JSON policy language). */
static struct json_t *put_statement(struct json_t *statements, const char *sid, const char *effect)
{
	struct json_t *s = json_put_object(statements, NULL);

	json_put_string(s, "Sid", sid);
	json_put_string(s, "Effect", effect);
	return s;
}

static struct json_t *put_allow(struct json_t *statements, const char *sid)
{
	return put_statement(statements, sid, "Allow");
}

/* `key` is NULL in an array. */
static void put_name(struct json_t *parent, const char *key, const char *name)
{
	if (strstr(name, "${"))
		json_put_string(json_put_object(parent, key), "Fn::Sub", name);
	else
		json_put_string(parent, key, name);
}

static void put_principal(struct json_t *statement, const char *name)
{
	put_name(json_put_object(statement, "Principal"), "AWS", name);
}

#define put_list(parent, key, ...) put_strings(parent, key, (const char *const[]) { __VA_ARGS__, NULL })
static void put_strings(struct json_t *parent, const char *key, const char *const *texts)
{
	struct json_t *list = json_put_array(parent, key);

	for (; *texts; texts++)
		put_name(list, NULL, *texts);
}

static struct json_t *put_condition(struct json_t *statement, const char *operator)
{
	return json_put_object(json_put_object(statement, "Condition"), operator);
}

static int check(const struct policy_binding *b, struct error *err)
{
	return policy_check(b->manifest, b->secure_boot, b->pcrs, err);
}

/* ---------------------------------------------------------------- the key */

/* Management alone: not GrantTokens' CreateGrant, which hands uses on, and nothing that touches data. */
static void put_administrator(struct json_t *statements, const char *name)
{
	struct json_t *s = put_allow(statements, "AdministratorManagesTheKey");

	put_principal(s, name);
	put_list(s, "Action", "kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy", "kms:ListKeyPolicies",
		 "kms:GetKeyRotationStatus", "kms:EnableKeyRotation", "kms:DisableKeyRotation", "kms:ListKeyRotations",
		 "kms:UpdateKeyDescription", "kms:EnableKey", "kms:DisableKey", "kms:ScheduleKeyDeletion",
		 "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias", "kms:TagResource",
		 "kms:UntagResource", "kms:ListResourceTags", "kms:ListGrants", "kms:RevokeGrant");
	json_put_string(s, "Resource", "*");
}

static void put_publisher(struct json_t *statements, const char *name)
{
	struct json_t *s = put_allow(statements, "PublisherMakesDataKeys");

	put_principal(s, name);
	put_list(s, "Action", "kms:GenerateDataKey", "kms:DescribeKey");
	json_put_string(s, "Resource", "*");
}

/*
 * All that KMS does with a key but to decrypt and to describe it. Not by NotAction: KMS takes a statement without
 * Action, and it has no effect (API Reference, PutKeyPolicy).
 */
static void put_all_else(struct json_t *statement)
{
	put_list(statement, "Action", "kms:Cancel*", "kms:Create*", "kms:Delete*", "kms:Derive*", "kms:Disable*",
		 "kms:Enable*", "kms:Encrypt", "kms:Generate*", "kms:Get*", "kms:Import*", "kms:List*", "kms:Put*",
		 "kms:ReEncrypt*", "kms:Replicate*", "kms:Retire*", "kms:Revoke*", "kms:Rotate*", "kms:Schedule*",
		 "kms:Sign", "kms:Synchronize*", "kms:Tag*", "kms:Untag*", "kms:Update*", "kms:Verify*");
}

static void put_machine(struct json_t *statements, const struct policy_kms *p)
{
	struct json_t *s = put_allow(statements, "ThisImageDecrypts");

	put_principal(s, p->role);
	json_put_string(s, "Action", "kms:Decrypt");
	json_put_string(s, "Resource", "*");
	policy_put_values(put_condition(s, "StringEqualsIgnoreCase"), &p->binding);

	s = put_statement(statements, "TheMachineDoesNothingElse", "Deny");
	put_principal(s, p->role);
	put_all_else(s);
	json_put_string(s, "Resource", "*");
}

/* ReEncrypt takes no attestation, so what denies it without one denies it to everybody. */
static struct json_t *put_denial(struct json_t *statements, const char *sid)
{
	struct json_t *s = put_statement(statements, sid, "Deny");

	put_principal(s, "*");
	put_list(s, "Action", "kms:Decrypt", "kms:ReEncryptFrom");
	json_put_string(s, "Resource", "*");
	return s;
}

/*
 * Keys in one operator must all match, so each PCR has a statement of its own: any that differs denies. An operator with
 * "Not" matches a missing key as well; that it is denied is said all the same, for whoever reads the policy.
 */
static void put_denials(struct json_t *statements, const struct policy_binding *b)
{
	char name[POLICY_KEY_MAX], sid[64];

	policy_key((unsigned int)__builtin_ctz(b->pcrs), name);
	json_put_string(put_condition(put_denial(statements, "NobodyDecryptsWithoutAttestation"), "Null"), name, "true");
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++) {
		if (!(b->pcrs & 1u << pcr))
			continue;
		(void)snprintf(sid, sizeof(sid), "NobodyDecryptsWithAnotherPCR%u", pcr);
		policy_put_value(put_condition(put_denial(statements, sid), "StringNotEqualsIgnoreCase"), b, pcr);
	}
}

static int check_kms(const struct policy_kms *p, struct error *err)
{
	if (strcmp(p->administrator, p->role) == 0)
		return error_input(err, "the machine's role would manage the key: it could write another policy, and be let in by that; name another administrator");
	if (p->publisher && strcmp(p->publisher, p->role) == 0)
		return error_input(err, "the machine's role would make data keys, which it only has to open; name another publisher");
	return check(&p->binding, err);
}

int policy_kms(const struct policy_kms *p, struct json_t *document, struct error *err)
{
	struct json_t *statements;
	int r = check_kms(p, err);

	if (r < 0)
		return r;
	statements = begin(document);
	put_administrator(statements, p->administrator);
	if (p->publisher)
		put_publisher(statements, p->publisher);
	put_machine(statements, p);
	put_denials(statements, &p->binding);
	return 0;
}

/* ---------------------------------------------------------------- the machine */

int policy_instance(const struct policy_instance *p, struct json_t *document, struct error *err)
{
	CLEANUP_FREE char *objects = string_printf("%s/*", p->bucket);
	struct json_t *statements, *s;
	int r = check(&p->binding, err);

	if (r < 0)
		return r;
	statements = begin(document);
	s = put_allow(statements, "ReadWhatWasPublished");
	put_list(s, "Action", "s3:GetObject", "s3:GetObjectVersion");
	put_name(s, "Resource", objects);

	s = put_allow(statements, "ListWhatWasPublished");
	json_put_string(s, "Action", "s3:ListBucket");
	put_name(s, "Resource", p->bucket);

	s = put_allow(statements, "DecryptDataKeys");
	json_put_string(s, "Action", "kms:Decrypt");
	put_name(s, "Resource", p->key);
	policy_put_values(put_condition(s, "StringEqualsIgnoreCase"), &p->binding);
	return 0;
}

void policy_trust(struct json_t *document)
{
	struct json_t *s = put_allow(begin(document), "MachinesTakeTheRole");

	json_put_string(json_put_object(s, "Principal"), "Service", "ec2.amazonaws.com");
	json_put_string(s, "Action", "sts:AssumeRole");
}

/* ---------------------------------------------------------------- the uploader */

struct uploader {
	struct json_t *statements;
	const char *snapshots, *images;		/* ARNs of all there are */
};

static void put_snapshot(const struct uploader *u)
{
	struct json_t *s = put_allow(u->statements, "WriteSnapshots");

	put_list(s, "Action", "ebs:StartSnapshot", "ebs:PutSnapshotBlock", "ebs:CompleteSnapshot",
		 "ebs:ListSnapshotBlocks", "ebs:ListChangedBlocks", "ebs:GetSnapshotBlock");
	json_put_string(s, "Resource", u->snapshots);
}

static void put_image(const struct uploader *u)
{
	struct json_t *s = put_allow(u->statements, "RegisterImages");

	json_put_string(s, "Action", "ec2:RegisterImage");
	put_list(s, "Resource", u->images, u->snapshots);

	s = put_allow(u->statements, "TagWhatIsMade");
	json_put_string(s, "Action", "ec2:CreateTags");
	put_list(s, "Resource", u->images, u->snapshots);
	put_list(put_condition(s, "StringEquals"), "ec2:CreateAction", "StartSnapshot", "CreateSnapshot", "CopySnapshot",
		 "RegisterImage", "CopyImage");

	/* These two know no resources. */
	s = put_allow(u->statements, "FindImagesAndSnapshots");
	put_list(s, "Action", "ec2:DescribeImages", "ec2:DescribeSnapshots");
	json_put_string(s, "Resource", "*");
}

/* By the tag that kiln-upload gives to what it makes. */
static void put_removal(const struct uploader *u)
{
	struct json_t *s = put_allow(u->statements, "RemoveWhatWasMade");

	put_list(s, "Action", "ec2:DeregisterImage", "ec2:DeleteSnapshot");
	put_list(s, "Resource", u->images, u->snapshots);
	json_put_string(put_condition(s, "Null"), "aws:ResourceTag/" POLICY_UPLOAD_TAG, "false");
}

static void put_sharing(const struct uploader *u)
{
	struct json_t *s = put_allow(u->statements, "ShareImages");

	put_list(s, "Action", "ec2:ModifyImageAttribute", "ec2:ModifySnapshotAttribute");
	put_list(s, "Resource", u->images, u->snapshots);
}

static void put_copying(const struct uploader *u)
{
	struct json_t *s = put_allow(u->statements, "CopyImages");

	json_put_string(s, "Action", "ec2:CopyImage");
	put_list(s, "Resource", u->images, u->snapshots);
}

/* What EBS asks for in the caller's name (Amazon EBS User Guide, "How Amazon EBS encryption works"). */
static void put_encryption(const struct uploader *u, const char *key)
{
	struct json_t *s = put_allow(u->statements, "EncryptSnapshots");

	put_list(s, "Action", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:Decrypt",
		 "kms:ReEncryptFrom", "kms:ReEncryptTo");
	json_put_string(s, "Resource", key);

	s = put_allow(u->statements, "LetEBSUseTheKey");
	json_put_string(s, "Action", "kms:CreateGrant");
	json_put_string(s, "Resource", key);
	json_put_string(put_condition(s, "Bool"), "kms:GrantIsForAWSResource", "true");
}

void policy_uploader(const struct policy_uploader *p, struct json_t *document)
{
	const char *partition = arn_partition(p->region), *region = p->region ? p->region : "*";
	CLEANUP_FREE char *snapshots = string_printf("arn:%s:ec2:%s::snapshot/*", partition, region);
	CLEANUP_FREE char *images = string_printf("arn:%s:ec2:%s::image/*", partition, region);
	const struct uploader u = { .statements = begin(document), .snapshots = snapshots, .images = images };

	put_snapshot(&u);
	put_image(&u);
	put_removal(&u);
	if (p->share)
		put_sharing(&u);
	if (p->copy)
		put_copying(&u);
	if (p->key)
		put_encryption(&u, p->key);
}
