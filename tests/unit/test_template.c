/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "tests/unit/policy_fixture.h"
#include "upload/deploy/template.h"

#define KEY "arn:aws:kms:us-east-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab"

static struct template_options options_of(const struct manifest *m)
{
	return (struct template_options) {
		.binding = policy_binding_default(m), .image_id = "ami-0123456789abcdef0", .cidr = "203.0.113.7/32",
	};
}

static void check_template(const struct template_options *o, const char *golden)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;

	need(template_format(o, &text, &err) == 0, "a template is written: %s", err.message);
	ok(text.len <= TEMPLATE_SIZE_MAX, "CreateStack takes one of its size");
	check_golden(golden, &text);
}

static void test_templates(void)
{
	CLEANUP_MANIFEST struct manifest *plain = policy_manifest(false), *keys = policy_manifest(true);
	struct template_options o = options_of(plain);

	check_template(&o, "template.json");
	o = options_of(keys);
	o.administrator = "arn:aws:iam::210987654321:role/owner";
	o.publisher = "arn:aws:iam::210987654321:user/publisher";
	o.cidr = "2001:db8::/48";
	o.vpc = "vpc-0123abcd";
	o.subnet = "subnet-0123abcd";
	o.instance_type = "g5.12xlarge";
	o.volume_gib = 500;
	check_template(&o, "template-secure-boot.json");
	o = options_of(plain);
	o.image_id = o.cidr = NULL;
	o.key = KEY;
	o.bucket = "models";
	check_template(&o, "template-other-party.json");
}

static void refuse(const struct template_options *o, const char *why, const char *about)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;

	ok(template_format(o, &text, &err) < 0 && text.len == 0, "%s", about);
	ok_error(&err, why, "... and why is said");
}
#define REFUSE(field, value, why, about) \
	do { \
		struct template_options o_ = options_of(m); \
		o_.field = value; \
		refuse(&o_, why, about); \
	} while (0)

static void test_refused(void)
{
	CLEANUP_MANIFEST struct manifest *m = policy_manifest(false);
	struct template_options o = options_of(m);

	REFUSE(binding.pcrs, PCR(4), "GHSA-xrv8-2pf5-f3q7", "a key policy on PCR 4 alone");
	REFUSE(binding.secure_boot, true, "built without keys", "Secure Boot without keys");
	REFUSE(image_id, "ami-0123456789ABCDEF0", "--image-id takes an id such as ami-", "an image id in upper case");
	REFUSE(image_id, "ami-012345678", "--image-id takes", "one of nine digits");
	REFUSE(image_id, "snap-01234567", "--image-id takes", "a snapshot's");
	REFUSE(vpc, "vpc-01234567", "go together", "a VPC without a subnet");
	REFUSE(subnet, "subnet-01234567", "go together", "a subnet without a VPC");
	REFUSE(instance_type, "large", "takes a type such as g5.2xlarge", "a type that is none");
	REFUSE(instance_type, "g5.2xlarge; true", "takes a type", "nor is a command");
	REFUSE(volume_gib, 2, "from 3, the disk's size", "a volume smaller than the disk");
	REFUSE(volume_gib, 65537, "to 65536 GiB", "one larger than EBS has");
	REFUSE(administrator, "*", "--admin takes the ARN", "everybody as administrator");
	REFUSE(publisher, "arn:aws:iam::123456789012:role/*", "--publisher takes the ARN", "every role as publisher");
	REFUSE(key, "alias/models", "--key takes the ARN of a key", "a key by its alias");
	REFUSE(bucket, "Models", "--bucket takes the name", "a bucket that cannot be");
	o.key = KEY;
	o.publisher = "arn:aws:iam::123456789012:root";
	refuse(&o, "has a policy already", "a publisher for another's key");
	free(m->arch);
	m->arch = string_copy("aarch64");
	REFUSE(volume_gib, 0, "is for aarch64: say with --instance-type", "no type for another architecture");
}

static void check_cidr(const char *text, bool good, bool ipv6, const char *about)
{
	struct error err = ERROR_INIT;
	bool is_ipv6 = !ipv6;
	int r = template_check_cidr(text, &is_ipv6, &err);

	ok((r == 0) == good && (r < 0 || is_ipv6 == ipv6), "%s: %s", text, about);
}

static void test_cidr(void)
{
	check_cidr("203.0.113.7/32", true, false, "one machine");
	check_cidr("203.0.112.0/20", true, false, "a network");
	check_cidr("2001:db8::7/128", true, true, "one machine by IPv6");
	check_cidr("2001:db8::/32", true, true, "a network by IPv6");
	check_cidr("203.0.113.7/31", false, false, "an address that is not its network's");
	check_cidr("2001:db8::7/64", false, true, "nor by IPv6");
	check_cidr("0.0.0.0/0", false, false, "everybody");
	check_cidr("::/0", false, true, "everybody by IPv6");
	check_cidr("203.0.113.7", false, false, "no prefix length");
	check_cidr("203.0.113.7/33", false, false, "one too long");
	check_cidr("203.0.113.7/", false, false, "an empty one");
	check_cidr("203.0.113.7/32 ", false, false, "something behind it");
	check_cidr("203.0.113.7/+8", false, false, "a sign in it");
	check_cidr("203.0.113/24", false, false, "three numbers");
	check_cidr("/32", false, false, "no address");
	check_cidr("", false, false, "nothing");
}

int main(void)
{
	test_templates();
	test_refused();
	test_cidr();
	return tap_done();
}
