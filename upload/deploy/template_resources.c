/* SPDX-License-Identifier: Apache-2.0 */
#include "template_part.h"

#include <stdio.h>
#include <stdlib.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"
#include "../../factory/model/json.h"
#include "../../factory/model/manifest.h"
#include "../../factory/model/policy_document.h"
#include "template.h"

#define ROOT_DEVICE "/dev/xvda"
#define HTTPS 443

/* ---------------------------------------------------------------- intrinsic functions */

void part_put_ref(struct json_t *parent, const char *key, const char *name)
{
	json_put_string(json_put_object(parent, key), "Ref", name);
}

void part_put_attribute(struct json_t *parent, const char *key, const char *name, const char *attribute)
{
	struct json_t *list = json_put_array(json_put_object(parent, key), "Fn::GetAtt");

	json_put_string(list, NULL, name);
	json_put_string(list, NULL, attribute);
}

static void put_sub(struct json_t *parent, const char *key, const char *text)
{
	json_put_string(json_put_object(parent, key), "Fn::Sub", text);
}

/* The parameter where the condition holds, else the property is not there. */
static void put_if(struct json_t *parent, const char *key, const char *condition, const char *parameter)
{
	struct json_t *list = json_put_array(json_put_object(parent, key), "Fn::If");

	json_put_string(list, NULL, condition);
	part_put_ref(list, NULL, parameter);
	part_put_ref(list, NULL, "AWS::NoValue");
}

/* ---------------------------------------------------------------- resources in general */

static struct json_t *put_resource(struct json_t *resources, const char *name, const char *type)
{
	struct json_t *resource = json_put_object(resources, name);

	json_put_string(resource, "Type", type);
	return resource;
}

static struct json_t *put_properties(struct json_t *resource)
{
	return json_put_object(resource, "Properties");
}

/* What holds data outlives the stack, unless the stack never came to be. */
static void put_kept(struct json_t *resource)
{
	json_put_string(resource, "DeletionPolicy", "RetainExceptOnCreate");
	json_put_string(resource, "UpdateReplacePolicy", "Retain");
}

static void put_tags(struct json_t *properties, const struct manifest *m)
{
	CLEANUP_FREE char *name = string_printf("%s-%s", m->name, m->version);
	struct json_t *tag = json_put_object(json_put_array(properties, "Tags"), NULL);

	json_put_string(tag, "Key", "Name");
	json_put_string(tag, "Value", name);
}

char *part_bucket_arn(const struct template_options *o)
{
	return o->bucket ? string_printf("arn:${AWS::Partition}:s3:::%s", o->bucket) :
			   string_copy("${" PART_BUCKET ".Arn}");
}

char *part_key_arn(const struct template_options *o)
{
	return string_copy(o->key ? o->key : "${" PART_KEY ".Arn}");
}

/* ---------------------------------------------------------------- who the machine is */

static void put_role(struct json_t *resources, const struct template_options *o)
{
	struct json_t *role = put_properties(put_resource(resources, PART_ROLE, "AWS::IAM::Role")), *profile;

	json_put_string(role, "Description", "What the machine may do: read the bucket, and decrypt as its image alone");
	policy_trust(json_put_object(role, "AssumeRolePolicyDocument"));
	put_tags(role, o->binding.manifest);

	profile = put_properties(put_resource(resources, PART_PROFILE, "AWS::IAM::InstanceProfile"));
	part_put_ref(json_put_array(profile, "Roles"), NULL, PART_ROLE);
}

/* Apart from the role: the key's policy names the role, and this one the key. */
static int put_role_policy(struct json_t *resources, const struct template_options *o, struct error *err)
{
	CLEANUP_FREE char *key = part_key_arn(o), *bucket = part_bucket_arn(o);
	const struct policy_instance p = { .binding = o->binding, .key = key, .bucket = bucket };
	struct json_t *policy = put_properties(put_resource(resources, PART_POLICY, "AWS::IAM::Policy"));

	json_put_string(policy, "PolicyName", "machine");
	part_put_ref(json_put_array(policy, "Roles"), NULL, PART_ROLE);
	return policy_instance(&p, json_put_object(policy, "PolicyDocument"), err);
}

/* ---------------------------------------------------------------- what it may read */

static int put_key(struct json_t *resources, const struct template_options *o, struct error *err)
{
	static const char account[] = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root";
	const struct manifest *m = o->binding.manifest;
	CLEANUP_FREE char *description = string_printf("Opens data keys to machines of the image %s %s", m->name,
						       m->version);
	struct json_t *resource = put_resource(resources, PART_KEY, "AWS::KMS::Key"), *key, *alias;

	const struct policy_kms p = {
		.binding = o->binding,
		.role = "${" PART_ROLE ".Arn}",
		.administrator = o->administrator ? o->administrator : account,
		.publisher = o->publisher ? o->publisher : account,
	};

	/* KMS refuses a policy on a role that it does not see yet. The profile takes its time; by then it does. */
	json_put_string(resource, "DependsOn", PART_PROFILE);
	put_kept(resource);
	key = put_properties(resource);
	json_put_string(key, "Description", description);
	json_put_bool(key, "EnableKeyRotation", true);

	alias = put_properties(put_resource(resources, PART_KEY_ALIAS, "AWS::KMS::Alias"));
	put_sub(alias, "AliasName", "alias/${AWS::StackName}");
	part_put_ref(alias, "TargetKeyId", PART_KEY);
	return policy_kms(&p, json_put_object(key, "KeyPolicy"), err);
}

/* Parts of uploads that were broken off cost money and are seen by nobody. */
static void put_lifecycle(struct json_t *bucket)
{
	struct json_t *rules = json_put_array(json_put_object(bucket, "LifecycleConfiguration"), "Rules");
	struct json_t *rule = json_put_object(rules, NULL);

	json_put_string(rule, "Id", "broken-uploads");
	json_put_string(rule, "Status", "Enabled");
	json_put_number(json_put_object(rule, "AbortIncompleteMultipartUpload"), "DaysAfterInitiation", 7);
}

static void put_bucket_policy(struct json_t *resources)
{
	struct json_t *properties = put_properties(put_resource(resources, PART_BUCKET_POLICY, "AWS::S3::BucketPolicy"));
	struct json_t *document, *s, *list;

	part_put_ref(properties, "Bucket", PART_BUCKET);
	document = json_put_object(properties, "PolicyDocument");
	json_put_string(document, "Version", "2012-10-17");
	s = json_put_object(json_put_array(document, "Statement"), NULL);
	json_put_string(s, "Sid", "NobodyWithoutTLS");
	json_put_string(s, "Effect", "Deny");
	json_put_string(json_put_object(s, "Principal"), "AWS", "*");
	json_put_string(s, "Action", "s3:*");
	list = json_put_array(s, "Resource");
	put_sub(list, NULL, "${" PART_BUCKET ".Arn}");
	put_sub(list, NULL, "${" PART_BUCKET ".Arn}/*");
	json_put_string(json_put_object(json_put_object(s, "Condition"), "Bool"), "aws:SecureTransport", "false");
}

/* Encrypted by S3's own key: what is published is encrypted already, and the key above is for data keys alone. */
static void put_bucket(struct json_t *resources, const struct template_options *o)
{
	static const char *const blocks[] = { "BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls",
					      "RestrictPublicBuckets" };
	struct json_t *resource = put_resource(resources, PART_BUCKET, "AWS::S3::Bucket"), *bucket, *list, *access;

	put_kept(resource);
	bucket = put_properties(resource);
	access = json_put_object(bucket, "PublicAccessBlockConfiguration");
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		json_put_bool(access, blocks[i], true);
	list = json_put_array(json_put_object(bucket, "OwnershipControls"), "Rules");
	json_put_string(json_put_object(list, NULL), "ObjectOwnership", "BucketOwnerEnforced");
	json_put_string(json_put_object(bucket, "VersioningConfiguration"), "Status", "Enabled");
	list = json_put_array(json_put_object(bucket, "BucketEncryption"), "ServerSideEncryptionConfiguration");
	json_put_string(json_put_object(json_put_object(list, NULL), "ServerSideEncryptionByDefault"), "SSEAlgorithm",
			"AES256");
	put_lifecycle(bucket);
	put_tags(bucket, o->binding.manifest);
	put_bucket_policy(resources);
}

/* ---------------------------------------------------------------- the machine */

static struct json_t *put_port(struct json_t *list, unsigned int port, const char *about)
{
	struct json_t *rule = json_put_object(list, NULL);

	json_put_string(rule, "Description", about);
	json_put_string(rule, "IpProtocol", "tcp");
	json_put_number(rule, "FromPort", port);
	json_put_number(rule, "ToPort", port);
	return rule;
}

/*
 * Out: AWS's interfaces alone; names, time and metadata no security group filters. CloudFormation takes this only with a
 * VPC that is named ("SecurityGroupEgress cannot be specified without VpcId"); else the VPC's default stays.
 */
static void put_egress(struct json_t *group)
{
	struct json_t *choice = json_put_array(json_put_object(group, "SecurityGroupEgress"), "Fn::If"), *list;

	json_put_string(choice, NULL, CONDITION_VPC);
	list = json_put_array(choice, NULL);
	json_put_string(put_port(list, HTTPS, "AWS over IPv4"), "CidrIp", "0.0.0.0/0");
	json_put_string(put_port(list, HTTPS, "AWS over IPv6"), "CidrIpv6", "::/0");
	part_put_ref(choice, NULL, "AWS::NoValue");
}

static void put_group(struct json_t *resources, const struct template_options *o, bool ipv6)
{
	const struct manifest *m = o->binding.manifest;
	struct json_t *group = put_properties(put_resource(resources, PART_GROUP, "AWS::EC2::SecurityGroup")), *list;

	json_put_string(group, "GroupDescription", "One port, for the clients; KMS and S3 outside");
	put_if(group, "VpcId", CONDITION_VPC, PARAMETER_VPC);
	list = json_put_array(group, "SecurityGroupIngress");
	part_put_ref(put_port(list, m->service_port, "the service"), ipv6 ? "CidrIpv6" : "CidrIp", PARAMETER_CIDR);
	put_egress(group);
	put_tags(group, m);
}

static void put_root_volume(struct json_t *data)
{
	struct json_t *mapping = json_put_object(json_put_array(data, "BlockDeviceMappings"), NULL), *ebs;

	json_put_string(mapping, "DeviceName", ROOT_DEVICE);
	ebs = json_put_object(mapping, "Ebs");
	part_put_ref(ebs, "VolumeSize", PARAMETER_VOLUME);
	json_put_string(ebs, "VolumeType", "gp3");
	json_put_bool(ebs, "Encrypted", true);
	json_put_bool(ebs, "DeleteOnTermination", true);
}

/* Tokens for the metadata, and they do not go further than the machine itself. */
static void put_metadata_options(struct json_t *data)
{
	struct json_t *options = json_put_object(data, "MetadataOptions");

	json_put_string(options, "HttpEndpoint", "enabled");
	json_put_string(options, "HttpTokens", "required");
	json_put_number(options, "HttpPutResponseHopLimit", 1);
	json_put_string(options, "InstanceMetadataTags", "disabled");
}

/* What an instance alone cannot say. No key pair and no user data: nothing of the image would look at them. */
static void put_launch(struct json_t *resources)
{
	struct json_t *data = json_put_object(put_properties(put_resource(resources, PART_LAUNCH,
									  "AWS::EC2::LaunchTemplate")),
					      "LaunchTemplateData");

	part_put_attribute(json_put_object(data, "IamInstanceProfile"), "Arn", PART_PROFILE, "Arn");
	part_put_attribute(json_put_array(data, "SecurityGroupIds"), NULL, PART_GROUP, "GroupId");
	put_root_volume(data);
	put_metadata_options(data);
}

static void put_machine(struct json_t *resources, const struct template_options *o)
{
	struct json_t *resource = put_resource(resources, PART_MACHINE, "AWS::EC2::Instance"), *machine, *launch;

	/* Nothing refers to the policy, and without it the machine's first request would be refused. */
	json_put_string(resource, "DependsOn", PART_POLICY);
	machine = put_properties(resource);
	launch = json_put_object(machine, "LaunchTemplate");
	part_put_ref(launch, "LaunchTemplateId", PART_LAUNCH);
	part_put_attribute(launch, "Version", PART_LAUNCH, "LatestVersionNumber");
	part_put_ref(machine, "ImageId", PARAMETER_IMAGE);
	part_put_ref(machine, "InstanceType", PARAMETER_TYPE);
	put_if(machine, "SubnetId", CONDITION_SUBNET, PARAMETER_SUBNET);
	json_put_bool(machine, "PropagateTagsToVolumeOnCreation", true);
	put_tags(machine, o->binding.manifest);
}

int part_put_resources(struct json_t *resources, const struct template_options *o, bool ipv6, struct error *err)
{
	int r = 0;

	put_role(resources, o);
	if (!o->key)
		r = put_key(resources, o, err);
	if (r == 0 && !o->bucket)
		put_bucket(resources, o);
	if (r == 0)
		r = put_role_policy(resources, o, err);
	put_group(resources, o, ipv6);
	put_launch(resources);
	put_machine(resources, o);
	return r;
}
