/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_AWS_H
#define KILN_UPLOAD_AWS_H

#include <stddef.h>

#include "aws_error.h"
#include "aws_request.h"
#include "backoff.h"
#include "http.h"
#include "sigv4.h"
#include "xml.h"

struct error;

/*
 * Calls to AWS: region, endpoint, credentials (fetched when opened, and again before they expire), clock, signature,
 * and what the errors mean. A message names the call ("ebs:PutSnapshotBlock"), and where a permission is missing,
 * that permission.
 */

struct aws;

struct aws_options {
	const char *region, *profile;	/* NULL: of the environment and the shared files (settings.h) */
};
int aws_open(const struct aws_options *o, struct aws **ret, struct error *err);
void aws_free(struct aws *a);
void aws_freep(struct aws **a);
#define CLEANUP_AWS __attribute__((cleanup(aws_freep)))

const char *aws_region(const struct aws *a);
/* "the environment", "profile x"; valid until the next call. */
const char *aws_identity(const struct aws *a);

struct aws_result {
	enum aws_outcome outcome;
	unsigned int status;		/* 0: no answer */
	const char *code;		/* "AccessDeniedException", "InvalidAMIName.Duplicate"; "" without one */
	const char *reason;		/* EBS's: "SNAPSHOT_NOT_FOUND"; "" without one */
	const char *message;		/* one sentence, "ACTION: ..."; "" when done */
	const struct http_answer *answer;	/* NULL: none */
};
/* All in *result ends with the call. May call aws_begin(), must not call the other functions. */
typedef void aws_done(void *arg, const struct aws_result *result);

/* One attempt; trying again is the caller's. `action` and the body are borrowed until it is done. */
int aws_begin(struct aws *a, const struct aws_request *q, aws_done *done, void *arg, struct error *err);
/* As http_step(). */
int aws_step(struct aws *a, int timeout_ms, struct error *err);
size_t aws_pending(const struct aws *a);

/*
 * Waits for the answer, and tries again (up to eight times, AWS_MAX_ATTEMPTS) what can be; transfers that are
 * pending go on meanwhile. *ret is the caller's (http_answer_free()). `_once` makes one attempt, for what must not
 * be done twice; when it fails with AWS_AGAIN nobody knows whether it was done.
 */
int aws_call(struct aws *a, const struct aws_request *q, struct http_answer **ret, struct error *err);
int aws_call_once(struct aws *a, const struct aws_request *q, struct http_answer **ret, struct error *err);

/*
 * The query protocol (EC2, STS, CloudFormation): a form by POST, an answer in XML. `parameters` has "Action" first
 * ("DescribeImages"), and not "Version", which is `version` ("2016-11-15").
 */
int aws_query(struct aws *a, const char *service, const char *version, const struct aws_pair *parameters, size_t count,
	      struct xml **ret, struct error *err);
int aws_query_once(struct aws *a, const char *service, const char *version, const struct aws_pair *parameters,
		   size_t count, struct xml **ret, struct error *err);

/* What the last aws_call(), aws_query() or one of their like came to, when it failed: for codes a caller knows. */
enum aws_outcome aws_last_outcome(const struct aws *a);
const char *aws_last_code(const struct aws *a);	/* "DryRunOperation"; "" without an answer */
const char *aws_last_reason(const struct aws *a);	/* "INVALID_SNAPSHOT_ID"; "" without one */

#endif
