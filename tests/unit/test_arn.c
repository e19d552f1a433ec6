/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/model/arn.h"

static const struct {
	enum arn_kind kind;
	bool good;
	const char *text;
} arns[] = {
	{ ARN_ROLE, true, "arn:aws:iam::123456789012:role/machine" },
	{ ARN_ROLE, true, "arn:aws-us-gov:iam::123456789012:role/teams/one/machine@home" },
	{ ARN_ROLE, false, "arn:aws:iam::123456789012:root" },
	{ ARN_ROLE, false, "arn:aws:iam::123456789012:user/someone" },
	{ ARN_ROLE, false, "arn:aws:iam::123456789012:role/*" },
	{ ARN_ROLE, false, "arn:aws:iam::123456789012:role/a:b" },
	{ ARN_ROLE, false, "arn:aws:iam::123456789012:role/" },
	{ ARN_ROLE, false, "arn:aws:iam::12345678901:role/machine" },
	{ ARN_ROLE, false, "arn:aws:iam::12345678901x:role/machine" },
	{ ARN_ROLE, false, "arn:aws:iam:us-east-1:123456789012:role/machine" },
	{ ARN_ROLE, false, "arn:aws:sts::123456789012:role/machine" },
	{ ARN_ROLE, false, "arn:AWS:iam::123456789012:role/machine" },
	{ ARN_ROLE, false, "arn:aws:iam::123456789012:role/${aws:username}" },
	{ ARN_ROLE, false, "machine" },
	{ ARN_ROLE, false, "arn:aws:iam:" },
	{ ARN_PRINCIPAL, true, "arn:aws:iam::123456789012:root" },
	{ ARN_PRINCIPAL, true, "arn:aws:iam::123456789012:user/someone" },
	{ ARN_PRINCIPAL, true, "arn:aws:iam::123456789012:role/owner" },
	{ ARN_PRINCIPAL, false, "*" },
	{ ARN_PRINCIPAL, false, "123456789012" },
	{ ARN_PRINCIPAL, false, "arn:aws:iam::123456789012:group/owners" },
	{ ARN_PRINCIPAL, false, "arn:aws:iam::123456789012:rootless" },
	{ ARN_KEY, true, "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab" },
	{ ARN_KEY, true, "arn:aws:kms:eu-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab" },
	{ ARN_KEY, false, "arn:aws:kms:us-east-1:123456789012:alias/models" },
	{ ARN_KEY, false, "arn:aws:kms:us-east-1:123456789012:key/*" },
	{ ARN_KEY, false, "arn:aws:kms:*:123456789012:key/1234" },
	{ ARN_KEY, false, "1234abcd-12ab-34cd-56ef-1234567890ab" },
};

static void test_arns(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(arns); i++) {
		struct error err = ERROR_INIT;
		int r = arn_check(arns[i].text, arns[i].kind, "--option", &err);

		ok((r == 0) == arns[i].good, "%s is %sone", arns[i].text, arns[i].good ? "" : "not ");
		if (!arns[i].good)
			ok_error(&err, "--option takes the ARN of", "... and what would be is said");
	}
}

static void test_buckets(void)
{
	static const char *const bad[] = { "", "ab", "-models", "models-", "Models", "mod_els", "a/b", "models*" };
	struct error err = ERROR_INIT;

	ok(arn_check_bucket("models-2026.of-someone", "--bucket", &err) == 0, "a bucket's name");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ok(arn_check_bucket(bad[i], "--bucket", &err) < 0, "\"%s\" is none", bad[i]);
}

static void test_regions(void)
{
	CLEANUP_FREE char *partition = arn_own_partition("arn:aws-cn:kms:cn-north-1:123456789012:key/1");
	CLEANUP_FREE char *region = arn_own_region("arn:aws-cn:kms:cn-north-1:123456789012:key/1");
	struct error err = ERROR_INIT;

	ok(arn_check_region("eu-central-1", "--region", &err) == 0, "a region");
	ok(arn_check_region("everywhere", "--region", &err) < 0, "no region");
	ok(arn_check_region("us-east-*", "--region", &err) < 0, "nor is a pattern one");
	ok_str(arn_partition("us-east-1"), "aws", "most regions are in one partition");
	ok_str(arn_partition("us-gov-west-1"), "aws-us-gov", "the government's are not");
	ok_str(arn_partition("cn-north-1"), "aws-cn", "nor China's");
	ok_str(arn_partition("us-isob-east-1"), "aws-iso-b", "nor the secret ones");
	ok_str(arn_partition(NULL), "aws", "no region is the common partition");
	ok_str(partition, "aws-cn", "an ARN says its partition");
	ok_str(region, "cn-north-1", "and its region");
}

int main(void)
{
	test_arns();
	test_buckets();
	test_regions();
	return tap_done();
}
