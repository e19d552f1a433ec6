/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_SIGV4_H
#define KILN_UPLOAD_SIGV4_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * AWS Signature Version 4, pure: no clock, no environment, no network. ("Authenticating Requests (AWS Signature
 * Version 4)" in AWS's documentation; for all services but S3, so that the path is encoded a second time.)
 * libcurl could sign, too (CURLOPT_AWS_SIGV4): docs/architecture.md says why it does not here.
 */

/* A query parameter or a header. */
struct aws_pair {
	const char *name, *value;
};

/* In place of the digest of a body that is not signed. */
#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

struct sigv4_request {
	const char *method;
	const char *path;		/* as it is sent: percent-encoded, begins with "/" */
	const struct aws_pair *query;	/* not encoded */
	size_t query_count;
	const struct aws_pair *headers;	/* all of these are signed: "host" and "x-amz-date" must be among them */
	size_t header_count;
	const char *payload;		/* SHA-256 of the body in lower-case hex, or SIGV4_UNSIGNED */
};

#define SIGV4_DATE_SIZE 17		/* "20260102T030405Z" */

struct sigv4_scope {
	const char *date;		/* as in x-amz-date */
	const char *region, *service;
};

/* Appends the canonical request (task 1 of the specification). Lack of memory aborts here and below. */
void sigv4_canonical(const struct sigv4_request *q, struct buf *ret);
/* Appends the value of the header Authorization: "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…". */
void sigv4_authorization(const struct sigv4_request *q, const struct sigv4_scope *scope, const char *key_id,
			 const char *secret, struct buf *ret);
/* Seconds since 1970 as x-amz-date has them. */
void sigv4_date(int64_t seconds, char ret[static SIGV4_DATE_SIZE]);

/* Percent-encodes all but the unreserved characters of RFC 3986, and appends. */
void sigv4_encode(const char *text, struct buf *ret);
/* "name=value&name=value", encoded, in the order given: the query of a URL, or the body of a form. */
void sigv4_form(const struct aws_pair *pairs, size_t count, struct buf *ret);

#endif
