/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_DEPLOY_TEMPLATE_PART_H
#define KILN_UPLOAD_DEPLOY_TEMPLATE_PART_H

#include <stdbool.h>

struct error;
struct json_t;
struct template_options;

/* What the two files of the template share: the logical names by which its parts refer to each other. */

#define PART_ROLE "MachineRole"
#define PART_PROFILE "MachineProfile"
#define PART_POLICY "MachinePolicy"
#define PART_KEY "Key"
#define PART_KEY_ALIAS "KeyAlias"
#define PART_BUCKET "Bucket"
#define PART_BUCKET_POLICY "BucketPolicy"
#define PART_GROUP "SecurityGroup"
#define PART_LAUNCH "LaunchTemplate"
#define PART_MACHINE "Machine"

#define PARAMETER_IMAGE "ImageId"
#define PARAMETER_TYPE "InstanceType"
#define PARAMETER_VOLUME "RootVolumeSize"
#define PARAMETER_CIDR "ClientCidr"
#define PARAMETER_VPC "VpcId"
#define PARAMETER_SUBNET "SubnetId"
#define CONDITION_VPC "HasVpc"
#define CONDITION_SUBNET "HasSubnet"

/* {"Ref": NAME}; here and below, `key` is NULL in an array. */
void part_put_ref(struct json_t *parent, const char *key, const char *name);
/* {"Fn::GetAtt": [NAME, ATTRIBUTE]} */
void part_put_attribute(struct json_t *parent, const char *key, const char *name, const char *attribute);

/* The ARN of the bucket, malloc'ed, as a policy names it. */
char *part_bucket_arn(const struct template_options *o);
/* Likewise the key's. */
char *part_key_arn(const struct template_options *o);

/* All resources, into `resources`. Errors are policy_check()'s. */
int part_put_resources(struct json_t *resources, const struct template_options *o, bool ipv6, struct error *err);

#endif
