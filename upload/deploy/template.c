/* SPDX-License-Identifier: Apache-2.0 */
#include "template.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/arn.h"
#include "../../factory/model/json.h"
#include "../../factory/model/manifest.h"
#include "template_part.h"

#define GIB ((uint64_t)1 << 30)
#define VOLUME_GIB_DEFAULT 200
#define VOLUME_GIB_MAX 65536	/* gp3 */
#define X86_64_TYPE "g5.2xlarge"

/* ---------------------------------------------------------------- options */

/* Bits of the address behind the prefix, which stand for no network. */
static bool has_host_bits(const uint8_t *address, unsigned int bits, unsigned int prefix)
{
	for (unsigned int i = prefix; i < bits; i++)
		if (address[i / 8] & 0x80u >> i % 8)
			return true;
	return false;
}

static bool parse_prefix(const char *text, unsigned int bits, unsigned int *ret)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || value > bits)
		return false;
	*ret = (unsigned int)value;
	return true;
}

int template_check_cidr(const char *text, bool *ret_is_ipv6, struct error *err)
{
	const char *slash = strchr(text, '/');
	CLEANUP_FREE char *host = string_printf("%.*s", slash ? (int)(slash - text) : 0, text);
	bool ipv6 = strchr(host, ':');
	unsigned int bits = ipv6 ? 128 : 32, prefix;
	uint8_t address[16];

	if (!slash || inet_pton(ipv6 ? AF_INET6 : AF_INET, host, address) != 1 ||
	    !parse_prefix(slash + 1, bits, &prefix))
		return error_input(err, "--cidr takes an address with its prefix length, such as 203.0.113.7/32, not \"%s\"",
				   text);
	if (prefix == 0)
		return error_input(err, "--cidr %s lets in everybody; name those who use the service", text);
	if (has_host_bits(address, bits, prefix))
		return error_input(err, "--cidr %s is no network: its address has bits set behind the first %u", text, prefix);
	*ret_is_ipv6 = ipv6;
	return 0;
}

/* "ami-0123456789abcdef0": a kind, then 8 or 17 hex digits. */
static int check_id(const char *text, const char *kind, const char *option, struct error *err)
{
	size_t len = strlen(kind), digits;

	if (strncmp(text, kind, len) == 0) {
		digits = strspn(text + len, "0123456789abcdef");
		if (!text[len + digits] && (digits == 8 || digits == 17))
			return 0;
	}
	return error_input(err, "%s takes an id such as %s0123456789abcdef0, not \"%s\"", option, kind, text);
}

static int check_ids(const struct template_options *o, struct error *err)
{
	int r = 0;

	if (o->image_id)
		r = check_id(o->image_id, "ami-", "--image-id", err);
	if (r == 0 && o->vpc)
		r = check_id(o->vpc, "vpc-", "--vpc", err);
	if (r == 0 && o->subnet)
		r = check_id(o->subnet, "subnet-", "--subnet", err);
	if (r == 0 && !o->vpc != !o->subnet)
		return error_input(err, "--vpc and --subnet go together: the machine's subnet must be of its security group's VPC");
	return r;
}

static int check_key(const struct template_options *o, struct error *err)
{
	int r = 0;

	if (o->key && (o->administrator || o->publisher))
		return error_input(err, "--admin and --publisher are for a key that is made; the one that --key names has a policy already (\"kiln policy --kms\" prints what it should be)");
	if (o->key)
		r = arn_check(o->key, ARN_KEY, "--key", err);
	if (r == 0 && o->bucket)
		r = arn_check_bucket(o->bucket, "--bucket", err);
	if (r == 0 && o->administrator)
		r = arn_check(o->administrator, ARN_PRINCIPAL, "--admin", err);
	if (r == 0 && o->publisher)
		r = arn_check(o->publisher, ARN_PRINCIPAL, "--publisher", err);
	return r;
}

static bool is_instance_type(const char *text)
{
	const char *dot = strchr(text, '.');

	return dot && dot > text && dot[1] && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-")];
}

/* The options with what is left out put in. */
static int complete(struct template_options *o, struct error *err)
{
	const struct manifest *m = o->binding.manifest;
	unsigned int least = (unsigned int)((m->disk_size + GIB - 1) / GIB);

	if (!o->instance_type && strcmp(m->arch, "x86_64"))
		return error_input(err, "the image is for %s: say with --instance-type which machines of that kind", m->arch);
	if (!o->instance_type)
		o->instance_type = X86_64_TYPE;
	if (!is_instance_type(o->instance_type))
		return error_input(err, "--instance-type takes a type such as " X86_64_TYPE ", not \"%s\"", o->instance_type);
	if (!o->volume_gib)
		o->volume_gib = VOLUME_GIB_DEFAULT;
	if (o->volume_gib < least || o->volume_gib > VOLUME_GIB_MAX)
		return error_input(err, "--volume-size must be from %u, the disk's size, to %u GiB, not %u", least,
				   VOLUME_GIB_MAX, o->volume_gib);
	return 0;
}

/* ---------------------------------------------------------------- parameters */

static struct json_t *put_parameter(struct json_t *parameters, const char *name, const char *type, const char *about,
				    const char *value)
{
	struct json_t *p = json_put_object(parameters, name);

	json_put_string(p, "Type", type);
	json_put_string(p, "Description", about);
	if (value)
		json_put_string(p, "Default", value);
	return p;
}

static void put_parameters(struct json_t *parameters, const struct template_options *o, bool ipv6)
{
	CLEANUP_FREE char *volume = string_printf("%u", o->volume_gib);
	struct json_t *p;

	put_parameter(parameters, PARAMETER_IMAGE, "AWS::EC2::Image::Id", "The registered image", o->image_id);
	put_parameter(parameters, PARAMETER_TYPE, "String", "A type with NitroTPM", o->instance_type);
	p = put_parameter(parameters, PARAMETER_VOLUME, "Number", "Of the root volume, GiB", volume);
	json_put_number(p, "MinValue", (o->binding.manifest->disk_size + GIB - 1) / GIB);
	json_put_number(p, "MaxValue", VOLUME_GIB_MAX);
	p = put_parameter(parameters, PARAMETER_CIDR, "String", "Who may reach the service", o->cidr);
	json_put_string(p, "AllowedPattern", ipv6 ? "[0-9a-fA-F:.]+/([1-9][0-9]?|1[01][0-9]|12[0-8])" :
						    "[0-9]+(\\.[0-9]+){3}/([1-9]|[12][0-9]|3[0-2])");
	json_put_string(p, "ConstraintDescription", "must be an address with its prefix length, which is not 0");
	put_parameter(parameters, PARAMETER_VPC, "String", "Of the security group; empty: the account's default VPC",
		      o->vpc ? o->vpc : "");
	put_parameter(parameters, PARAMETER_SUBNET, "String", "Of the machine, in that VPC; empty: a default one",
		      o->subnet ? o->subnet : "");
}

static void put_given(struct json_t *conditions, const char *name, const char *parameter)
{
	struct json_t *list = json_put_array(json_put_object(conditions, name), "Fn::Not");

	list = json_put_array(json_put_object(list, NULL), "Fn::Equals");
	part_put_ref(list, NULL, parameter);
	json_put_string(list, NULL, "");
}

/* ---------------------------------------------------------------- what it is for, and what comes of it */

static void put_metadata(struct json_t *root, const struct policy_binding *b)
{
	const struct manifest *m = b->manifest;
	struct json_t *kiln = json_put_object(json_put_object(root, "Metadata"), "Kiln");

	json_put_string(kiln, "Image", m->name);
	json_put_string(kiln, "Version", m->version);
	json_put_string(kiln, "Architecture", m->arch);
	json_put_string(kiln, "DiskDataSha256", m->disk_data_sha256);
	json_put_string(kiln, "RootHash", m->root_hash);
	json_put_bool(kiln, "SecureBoot", b->secure_boot);
	policy_put_values(json_put_object(kiln, "Measurements"), b);
}

static struct json_t *put_output(struct json_t *outputs, const char *name, const char *about)
{
	struct json_t *output = json_put_object(outputs, name);

	json_put_string(output, "Description", about);
	return output;
}

static void put_outputs(struct json_t *outputs, const struct template_options *o)
{
	part_put_ref(put_output(outputs, "InstanceId", "The machine"), "Value", PART_MACHINE);
	part_put_attribute(put_output(outputs, "PrivateAddress", "Where its service answers, within the VPC"), "Value",
			   PART_MACHINE, "PrivateIp");
	part_put_attribute(put_output(outputs, "RoleArn", "What a key's policy calls the machine"), "Value", PART_ROLE,
			   "Arn");
	if (!o->key)
		part_put_attribute(put_output(outputs, "KeyArn", "The key for data keys"), "Value", PART_KEY, "Arn");
	if (!o->bucket)
		part_put_ref(put_output(outputs, "BucketName", "Where the published goes"), "Value", PART_BUCKET);
}

static int put_all(struct json_t *root, const struct template_options *o, bool ipv6, struct error *err)
{
	const struct manifest *m = o->binding.manifest;
	CLEANUP_FREE char *about = string_printf("One machine of the image %s %s, and what is around it", m->name,
						 m->version);
	struct json_t *conditions;
	int r;

	json_put_string(root, "AWSTemplateFormatVersion", "2010-09-09");
	json_put_string(root, "Description", about);
	put_metadata(root, &o->binding);
	put_parameters(json_put_object(root, "Parameters"), o, ipv6);
	conditions = json_put_object(root, "Conditions");
	put_given(conditions, CONDITION_VPC, PARAMETER_VPC);
	put_given(conditions, CONDITION_SUBNET, PARAMETER_SUBNET);
	r = part_put_resources(json_put_object(root, "Resources"), o, ipv6, err);
	put_outputs(json_put_object(root, "Outputs"), o);
	return r;
}

static int format(const struct template_options *o, bool ipv6, struct buf *ret, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEMPLATE_SIZE_MAX);
	struct json_t *root = json_new();
	int r = put_all(root, o, ipv6, err), finished = json_finish(root, false, &text);

	if (r < 0)
		return r;
	if (finished == 0)
		finished = buf_add(ret, text.data, text.len);
	return finished < 0 ? error_system(err, finished, "the template: cannot make its text") : 0;
}

int template_format(const struct template_options *options, struct buf *ret, struct error *err)
{
	struct template_options o = *options;
	bool ipv6 = false;
	int r = policy_check(o.binding.manifest, o.binding.secure_boot, o.binding.pcrs, err);

	if (r == 0)
		r = check_ids(&o, err);
	if (r == 0)
		r = check_key(&o, err);
	if (r == 0)
		r = complete(&o, err);
	if (r == 0 && o.cidr)
		r = template_check_cidr(o.cidr, &ipv6, err);
	return r < 0 ? r : format(&o, ipv6, ret, err);
}
