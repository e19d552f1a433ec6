/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_STS_H
#define KILN_UPLOAD_STS_H

#include "credentials_source.h"
#include "sigv4.h"

/*
 * Sessions of roles (AWS Security Token Service, 2011-06-15). `parameters` begin with Action; `by` signs, NULL for
 * AssumeRoleWithWebIdentity, which its own token authorizes. `from` is what the credentials will be called.
 */
int sts_assume(struct credential_search *s, const struct aws_pair *parameters, size_t count,
	       const struct credentials *by, const char *from, struct credentials *ret, struct error *err);

#endif
