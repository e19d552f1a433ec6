/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_AWS_REQUEST_H
#define KILN_UPLOAD_AWS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "sigv4.h"

struct credentials;

/* One call to AWS, before and after it is signed. No network, no clock. */

struct aws_request {
	const char *service;		/* as in the signature: "ebs" */
	const char *method, *path;	/* percent-encoded; begins with "/" */
	const struct aws_pair *query;	/* not encoded */
	size_t query_count;
	const struct aws_pair *headers;	/* all are signed */
	size_t header_count;
	const void *body;		/* borrowed until it is done */
	size_t body_size;
	bool unsigned_payload;		/* x-amz-content-sha256: UNSIGNED-PAYLOAD */
	size_t answer_max;		/* of the answer's body; 0: 1 MiB */
	unsigned int stall_ms;		/* as http.h has them */
	unsigned int total_ms;
	bool fresh, secret;		/* likewise */
	const char *action;		/* "ebs:PutSnapshotBlock": for messages, and as the permission it takes */
};

struct signed_request {
	struct http_request http;	/* what to send; points into the rest, and to the body */
	struct http_header *headers;
	char *url;
};
#define SIGNED_REQUEST_INIT { .url = NULL }

/*
 * `endpoint` is "https://HOST", `now` in seconds since 1970. Without credentials (NULL) nothing is signed. Lack of
 * memory aborts; nothing else can fail.
 */
void aws_request_sign(const struct aws_request *q, const char *endpoint, const char *region,
		      const struct credentials *c, int64_t now, struct signed_request *ret);
void signed_request_clear(struct signed_request *s);
#define CLEANUP_SIGNED_REQUEST __attribute__((cleanup(signed_request_clear)))

#endif
