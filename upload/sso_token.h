/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_SSO_TOKEN_H
#define KILN_UPLOAD_SSO_TOKEN_H

#include "credentials_source.h"

/* IAM Identity Center, as a profile names it. */
struct sso_session {
	const char *name;		/* of the section sso-session; NULL: the older form, which has none */
	const char *start_url, *region;
};

/*
 * The access token that "aws sso login" left in ~/.aws/sso/cache. One that ends within five minutes is renewed with the
 * refresh token beside it (SSO OIDC, CreateToken), and the file written anew, for a refresh token is good for one use.
 * ERROR_INPUT asks for a login. *ret is for secret_free().
 */
int sso_token(struct credential_search *s, const char *profile, const struct sso_session *session, char **ret,
	      struct error *err);

#endif
