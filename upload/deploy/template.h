/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_DEPLOY_TEMPLATE_H
#define KILN_UPLOAD_DEPLOY_TEMPLATE_H

#include <stdint.h>

#include "../../factory/model/policy.h"

struct buf;
struct error;

/*
 * The template of CloudFormation (format 2010-09-09, JSON) for one machine of an image and what is around it: role and
 * instance profile, security group, key, bucket, launch. Pure: the same manifest and options give the same bytes.
 */

/* CreateStack takes no larger TemplateBody, in bytes. */
#define TEMPLATE_SIZE_MAX 51200

/* All texts are the caller's; NULL as told. */
struct template_options {
	struct policy_binding binding;
	const char *image_id;		/* "ami-..."; NULL: whoever creates the stack says it */
	const char *instance_type;	/* NULL: g5.2xlarge, for x86_64 */
	unsigned int volume_gib;	/* of the root volume; 0: 200 */
	const char *cidr;		/* who may reach the service, IPv4 or IPv6; NULL: likewise */
	const char *vpc, *subnet;	/* NULL: the account's default */
	const char *administrator;	/* of the key, ARN; NULL: the account, by its own IAM */
	const char *publisher;		/* who makes data keys, ARN; NULL: the account, likewise */
	const char *key;		/* ARN of a key there is, of another party say; NULL: one is made */
	const char *bucket;		/* name of a bucket there is; NULL: one is made */
};

/*
 * Appends the template. ERROR_INPUT for an option that is none, a volume smaller than the disk, a CIDR block that
 * lets in everybody, administrator or publisher where no key is made, and as policy_check().
 */
int template_format(const struct template_options *o, struct buf *ret, struct error *err);

/*
 * Is this the address of a network with its prefix length ("203.0.113.7/32", "2001:db8::/48"), without bits set behind
 * the prefix? *ret_is_ipv6 says of which kind.
 */
int template_check_cidr(const char *text, bool *ret_is_ipv6, struct error *err);

#endif
