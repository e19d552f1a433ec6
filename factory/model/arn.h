/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_ARN_H
#define KILN_MODEL_ARN_H

struct error;

/*
 * Names of AWS's resources, arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE, as they come from the user and go into
 * policies. One that names more than one thing (a "*", nobody's account) is refused: a policy would then say something
 * else than was meant.
 */

enum arn_kind {
	ARN_ROLE,	/* arn:aws:iam::123456789012:role/PATH/NAME */
	ARN_PRINCIPAL,	/* a role, a user, or an account: arn:aws:iam::123456789012:root */
	ARN_KEY,	/* arn:aws:kms:REGION:123456789012:key/ID, not an alias, which can be moved */
};

/* ERROR_INPUT when it is no such ARN; `option` ("--role") is named in the message. */
int arn_check(const char *text, enum arn_kind kind, const char *option, struct error *err);

/* The name of a bucket of S3: 3 to 63 lower-case letters, digits, dots and hyphens. */
int arn_check_bucket(const char *text, const char *option, struct error *err);

/* "us-east-1" and its like. */
int arn_check_region(const char *text, const char *option, struct error *err);

/* The partition of a region: "aws", "aws-cn", "aws-us-gov"...; of NULL, "aws". Static. */
const char *arn_partition(const char *region);

/* An ARN's own partition and region, malloc'ed; only of what arn_check() has passed. The region may be "". */
char *arn_own_partition(const char *arn);
char *arn_own_region(const char *arn);

#endif
