/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_POLICY_DOCUMENT_H
#define KILN_MODEL_POLICY_DOCUMENT_H

#include <stdbool.h>

#include "policy.h"

/*
 * Whole policy documents of AWS, each written into `document`, an empty JSON object: a document of its own, or one
 * in a template of CloudFormation. Every name is an ARN; where it holds "${" it is CloudFormation's own and is
 * written as {"Fn::Sub": NAME}.
 */

/*
 * The policy of the KMS key that protects what only the image may read:
 *   - the administrator manages the key and uses it for nothing; the publisher makes data keys with it;
 *   - the machine's role decrypts when the attested PCRs are the predicted ones, and may do nothing else with the key;
 *   - nobody decrypts, or re-encrypts for another key, without an attestation or with other PCRs: denied to all, so that
 *     no grant, no policy of IAM and no statement that is added later allows it again.
 * Whoever may write the key's policy can take all that away, so ERROR_INPUT when administrator or publisher is the
 * machine's role; and as policy_check().
 */
struct policy_kms {
	struct policy_binding binding;
	const char *role;
	const char *administrator;
	const char *publisher;		/* NULL: nobody makes data keys yet */
};
int policy_kms(const struct policy_kms *p, struct json_t *document, struct error *err);

/* What the machine's role may do: read objects of one bucket, and decrypt with one key, itself bound to the image. */
struct policy_instance {
	struct policy_binding binding;
	const char *key;
	const char *bucket;		/* arn:aws:s3:::NAME */
};
int policy_instance(const struct policy_instance *p, struct json_t *document, struct error *err);

/* Who may take that role: EC2. */
void policy_trust(struct json_t *document);

/* The tag that kiln-upload puts on each snapshot and image, by which it is allowed to delete them again. */
#define POLICY_UPLOAD_TAG "kiln:disk"

/* What kiln-upload needs: to write a snapshot, register it, find both, and delete what it made. */
struct policy_uploader {
	const char *region;		/* NULL: every region, of partition "aws" */
	bool share;			/* with --share, --public */
	bool copy;			/* with --copy-to */
	const char *key;		/* with --encrypt; or NULL */
};
void policy_uploader(const struct policy_uploader *p, struct json_t *document);

#endif
