/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_AWS_ERROR_H
#define KILN_UPLOAD_AWS_ERROR_H

#include <stddef.h>
#include <stdint.h>

#include "http.h"

enum aws_outcome {
	AWS_DONE,		/* 2xx */
	AWS_AGAIN,		/* no answer, or one that says it may work later; it may have been done */
	AWS_THROTTLED,		/* too fast; not done */
	AWS_EXPIRED,		/* the session has ended; the next aws_begin() gets a new one, or fails; not done */
	AWS_REFUSED,		/* final */
};

/*
 * What an answer that is no success means: the table of codes, and the two forms in which they come. EBS answers
 * in JSON ("Message", "Reason") with the code in the header x-amzn-errortype; EC2, STS and CloudFormation in XML.
 */
struct aws_error {
	enum aws_outcome outcome;
	char code[96];		/* "RequestThrottledException"; "" where none can be made out */
	char reason[64];	/* "SNAPSHOT_NOT_FOUND"; "" without one */
	char message[512];	/* the service's words, cut, without control characters */
	int64_t behind;		/* seconds that our clock is behind theirs, where that is the reason; else 0 */
};

/* `now`: our time, in seconds since 1970. Never fails: the status alone says enough to go on. */
void aws_error_read(const struct http_answer *answer, int64_t now, struct aws_error *ret);
/* A sentence for people, of the call `action`, with what can be done about it; cut to `size`. */
void aws_error_sentence(const struct aws_error *e, unsigned int status, const char *action, const char *identity,
			char *ret, size_t size);

#endif
