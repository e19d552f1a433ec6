/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_SIGNATURE_H
#define KILN_REHEARSAL_SIGNATURE_H

#include <stdint.h>

#include "message.h"

struct error;

/*
 * AWS Signature Version 4, the side that verifies. Written apart from the client's: botocore is the judge of both.
 */

struct signature {
	char access_key[129];
	char date[9];			/* of the scope: yyyymmdd */
	char region[33], service[33];
	char signed_headers[1025];	/* as sent: lower case, ';' between two, in order */
	uint8_t bytes[32];
};

/* An Authorization header's value. ERROR_INPUT says what is wrong with it. Fuzzed. */
int signature_parse(const char *authorization, struct signature *ret, struct error *err);

/*
 * ERROR_INPUT: a header that must be signed is not (host, and all of x-amz-*), or x-amz-date is missing or of another
 * day than the scope, or x-amz-content-sha256 is not the body's. ERROR_VERDICT: another signature; the message has the
 * canonical request and the string to sign, as AWS's has. *ret_time is x-amz-date in seconds of the epoch.
 */
int signature_holds(const struct signature *s, const char *secret, const struct request *q, int64_t *ret_time,
		    struct error *err);

#endif
