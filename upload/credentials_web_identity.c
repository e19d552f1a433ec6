/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/secret.h"
#include "credentials_source.h"
#include "sts.h"

#define SESSION_NAME "kiln-upload"
#define TOKEN_MAX 20000		/* of AssumeRoleWithWebIdentity's WebIdentityToken */

static int assume(struct credential_search *s, const char *file, const char *role, const char *name,
		  const char *from, struct credentials *ret, struct error *err)
{
	CLEANUP_SECRET_BUF struct buf token = BUF_INIT(TOKEN_MAX);
	int r = io_read_file(file, TOKEN_MAX, &token, err);

	if (r < 0)
		return error_wrap(err, "the web identity's token");
	buf_truncate(&token, strcspn(buf_text(&token), "\r\n"));
	if (token.len == 0)
		return error_input(err, "the web identity's token: %s is empty", file);
	return sts_assume(s, (const struct aws_pair[]) {
		{ "Action", "AssumeRoleWithWebIdentity" },
		{ "RoleArn", role },
		{ "RoleSessionName", name ? name : SESSION_NAME },
		{ "WebIdentityToken", buf_text(&token) },
	}, 4, NULL, from, ret, err);
}

int profile_by_web_identity(struct credential_search *s, const char *profile, struct credentials *ret,
			    struct error *err)
{
	const char *file = settings_of_profile(s->settings, profile, "web_identity_token_file");
	const char *role = settings_of_profile(s->settings, profile, "role_arn");
	const char *name = settings_of_profile(s->settings, profile, "role_session_name");
	CLEANUP_FREE char *from = NULL;

	if (!file)
		return 0;
	if (!role)
		return error_input(err, "the profile \"%s\" has web_identity_token_file and no role_arn", profile);
	from = string_printf("the role %s by the web identity of the profile \"%s\"", role, profile);
	return assume(s, file, role, name, from, ret, err);
}

int credentials_of_web_identity(struct credential_search *s, struct credentials *ret, struct error *err)
{
	const char *file = settings_variable("AWS_WEB_IDENTITY_TOKEN_FILE"), *role = settings_variable("AWS_ROLE_ARN");
	CLEANUP_FREE char *from = NULL;

	if (!file) {
		search_nothing(s, "web identity", "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
		return 0;
	}
	if (!role)
		return error_input(err, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not");
	from = string_printf("the role %s by the web identity of the environment", role);
	return assume(s, file, role, settings_variable("AWS_ROLE_SESSION_NAME"), from, ret, err);
}
