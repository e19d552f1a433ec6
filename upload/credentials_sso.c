/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/secret.h"
#include "credentials_source.h"
#include "sigv4.h"
#include "sso_token.h"

/* What a profile says: itself, or in the section that its sso_session names. */
struct sso {
	struct sso_session session;
	const char *account, *role;
};

static const char *member(const struct credential_search *s, const char *profile, const struct sso *sso,
			  const char *key)
{
	return sso->session.name ? settings_of_section(s->settings, "sso-session", sso->session.name, key)
				 : settings_of_profile(s->settings, profile, key);
}

static int read_profile(const struct credential_search *s, const char *profile, struct sso *ret, struct error *err)
{
	ret->session.name = settings_of_profile(s->settings, profile, "sso_session");
	ret->session.start_url = member(s, profile, ret, "sso_start_url");
	ret->session.region = member(s, profile, ret, "sso_region");
	ret->account = settings_of_profile(s->settings, profile, "sso_account_id");
	ret->role = settings_of_profile(s->settings, profile, "sso_role_name");
	if (!ret->session.start_url || !ret->session.region || !ret->account || !ret->role)
		return error_input(err, "the profile \"%s\" lacks one of %ssso_start_url, sso_region, sso_account_id and sso_role_name",
				   profile, ret->session.name ? "its sso-session or of " : "");
	return 0;
}

static char *portal_url(const char *endpoint, const struct sso *sso)
{
	const struct aws_pair query[] = { { "role_name", sso->role }, { "account_id", sso->account } };
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);

	sigv4_form(query, ARRAY_SIZE(query), &text);
	return string_printf("%s/federation/credentials?%s", endpoint, buf_text(&text));
}

static int ask_portal(struct credential_search *s, const struct sso *sso, const char *token, const char *from,
		      struct credentials *ret, struct error *err)
{
	static const struct credential_names names = {
		.object = "roleCredentials", .key_id = "accessKeyId", .secret = "secretAccessKey",
		.token = "sessionToken", .expires_ms = "expiration",
	};
	const struct http_header header = { "x-amz-sso_bearer_token", token };
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	CLEANUP_FREE char *endpoint = NULL, *url = NULL;
	int r = settings_endpoint(s->settings, "sso", sso->session.region, &endpoint, err);

	if (r < 0)
		return r;
	url = portal_url(endpoint, sso);
	r = credentials_fetch(s, &(struct http_request) {
		.method = "GET", .url = url, .headers = &header, .header_count = 1,
		.answer_max = CREDENTIALS_ANSWER_MAX, .secret = true,
	}, from, &answer, err);
	return r < 0 ? r : credentials_from_json(&answer->body, &names, from, ret, err);
}

int profile_by_sso(struct credential_search *s, const char *profile, struct credentials *ret, struct error *err)
{
	CLEANUP_SECRET char *token = NULL;
	CLEANUP_FREE char *from = NULL;
	struct sso sso;
	int r;

	if (!settings_of_profile(s->settings, profile, "sso_session") &&
	    !settings_of_profile(s->settings, profile, "sso_start_url"))
		return 0;
	/* Signed in, but not for a role: then the profile has something else. */
	if (!settings_of_profile(s->settings, profile, "sso_role_name"))
		return 0;
	r = read_profile(s, profile, &sso, err);
	if (r == 0)
		r = sso_token(s, profile, &sso.session, &token, err);
	if (r < 0)
		return r;
	from = string_printf("the SSO role %s of account %s by the profile \"%s\"", sso.role, sso.account, profile);
	return ask_portal(s, &sso, token, from, ret, err);
}
