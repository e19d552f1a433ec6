/* SPDX-License-Identifier: Apache-2.0 */
#include "sso_token.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/base/secret.h"
#include "../factory/base/sha1.h"
#include "../factory/model/json.h"
#include "iso_time.h"

#define RENEW_S 300
#define LIFETIME_MAX (365 * 86400)

/* The file's members, as the AWS CLI writes them; those of the second line only where there is a section. */
enum member {
	START_URL, REGION, ACCESS_TOKEN, EXPIRES_AT,
	CLIENT_ID, CLIENT_SECRET, REGISTRATION_EXPIRES_AT, REFRESH_TOKEN,
	MEMBERS
};
static const char *const names[MEMBERS] = {
	"startUrl", "region", "accessToken", "expiresAt",
	"clientId", "clientSecret", "registrationExpiresAt", "refreshToken",
};

struct token {
	char *members[MEMBERS];		/* NULL: not there */
	int64_t expires;
};

static void token_clear(struct token *t)
{
	for (int i = 0; i < MEMBERS; i++)
		secret_freep(&t->members[i]);
}
#define CLEANUP_TOKEN __attribute__((cleanup(token_clear)))

static int log_in(const char *profile, const char *why, struct error *err)
{
	return error_input(err, "the SSO session of the profile \"%s\" %s: run \"aws sso login --profile %s\"", profile,
			   why, profile);
}

static void reserve_secret(struct buf *b)
{
	uint8_t *room;

	if (buf_reserve(b, CREDENTIALS_ANSWER_MAX, &room) < 0)
		error_no_memory();
}

/* ---------------------------------------------------------------- the file */

static char *token_path(const struct sso_session *session)
{
	const char *key = session->name ? session->name : session->start_url, *home = settings_variable("HOME");
	char hex[SHA1_DIGITS + 1];

	sha1_hex(key, strlen(key), hex);
	return string_printf("%s/.aws/sso/cache/%s.json", home ? home : "", hex);
}

static int parse_token(const struct json_node *root, struct token *ret, struct error *err)
{
	int r = 0;

	for (int i = 0; r == 0 && i < MEMBERS; i++)
		if (i == ACCESS_TOKEN || i == EXPIRES_AT || json_has(root, names[i]))
			r = json_get_string(root, names[i], &ret->members[i], err);
	if (r == 0 && iso_time_parse(ret->members[EXPIRES_AT], &ret->expires) < 0)
		return json_complain(root, names[EXPIRES_AT], err, "is no time, such as 2026-01-02T03:04:05Z");
	return r;
}

static int read_token(const char *path, const char *profile, struct token *ret, struct error *err)
{
	CLEANUP_SECRET_BUF struct buf text = BUF_INIT(CREDENTIALS_ANSWER_MAX);
	CLEANUP_JSON struct json_node root = { .value = NULL };
	struct error detail = ERROR_INIT;	/* its words quote the text */
	int r;

	if (!io_exists(path))
		return log_in(profile, "has not begun", err);
	r = io_read_file(path, CREDENTIALS_ANSWER_MAX, &text, err);
	if (r < 0)
		return r;
	if (json_open(buf_text(&text), text.len, path, &root, &detail) < 0)
		return error_input(err, "%s: is no JSON object", path);
	return parse_token(&root, ret, err);
}

static int write_token(const char *path, const struct token *t, struct error *err)
{
	CLEANUP_SECRET_BUF struct buf text = BUF_INIT(CREDENTIALS_ANSWER_MAX);
	struct json_t *root = json_new();

	reserve_secret(&text);
	for (int i = 0; i < MEMBERS; i++)
		if (t->members[i])
			json_put_string(root, names[i], t->members[i]);
	if (json_finish(root, false, &text) < 0)
		return error_input(err, "%s: the token is too long", path);
	return io_write_file(path, text.data, text.len, 0600, err);
}

/* ---------------------------------------------------------------- renewal */

static bool can_renew(const struct token *t, int64_t now)
{
	int64_t until;

	return t->members[REFRESH_TOKEN] && t->members[CLIENT_ID] && t->members[CLIENT_SECRET] &&
	       (!t->members[REGISTRATION_EXPIRES_AT] ||
		(iso_time_parse(t->members[REGISTRATION_EXPIRES_AT], &until) == 0 && now < until));
}

static void make_question(const struct token *t, struct buf *ret)
{
	struct json_t *root = json_new();

	json_put_string(root, "grantType", "refresh_token");
	json_put_string(root, "clientId", t->members[CLIENT_ID]);
	json_put_string(root, "clientSecret", t->members[CLIENT_SECRET]);
	json_put_string(root, "refreshToken", t->members[REFRESH_TOKEN]);
	if (json_finish(root, false, ret) < 0)
		error_no_memory();
}

static int take_answer(const struct http_answer *answer, int64_t now, struct token *t, struct error *err)
{
	CLEANUP_JSON struct json_node root = { .value = NULL };
	CLEANUP_SECRET char *access = NULL, *refresh = NULL;
	struct error detail = ERROR_INIT;
	uint64_t seconds = 0;
	int r;

	if (json_open(buf_text(&answer->body), answer->body.len, "sso-oidc:CreateToken", &root, &detail) < 0)
		return error_outside(err, "sso-oidc:CreateToken: the answer is no JSON object");
	r = json_get_string(&root, "accessToken", &access, err);
	if (r == 0)
		r = json_get_number(&root, "expiresIn", 1, LIFETIME_MAX, &seconds, err);
	if (r == 0 && json_has(&root, "refreshToken"))
		r = json_get_string(&root, "refreshToken", &refresh, err);
	if (r < 0)
		return r;
	secret_free(t->members[ACCESS_TOKEN]);
	t->members[ACCESS_TOKEN] = TAKE_PTR(access);
	if (refresh) {
		secret_free(t->members[REFRESH_TOKEN]);
		t->members[REFRESH_TOKEN] = TAKE_PTR(refresh);
	}
	t->expires = now + (int64_t)seconds;
	secret_free(t->members[EXPIRES_AT]);
	t->members[EXPIRES_AT] = iso_time_text(t->expires);
	return 0;
}

static int renew(struct credential_search *s, const char *region, int64_t now, struct token *t, struct error *err)
{
	static const struct http_header type = { "Content-Type", "application/json" };
	CLEANUP_SECRET_BUF struct buf question = BUF_INIT(4 * CREDENTIALS_ANSWER_MAX);
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	CLEANUP_FREE char *endpoint = NULL, *url = NULL;
	int r = settings_endpoint(s->settings, "sso_oidc", region, &endpoint, err);

	if (r < 0)
		return r;
	url = string_printf("%s/token", endpoint);
	reserve_secret(&question);
	make_question(t, &question);
	r = credentials_fetch(s, &(struct http_request) {
		.method = "POST", .url = url, .headers = &type, .header_count = 1, .body = question.data,
		.body_size = question.len, .answer_max = CREDENTIALS_ANSWER_MAX, .fresh = true, .secret = true,
	}, "sso-oidc:CreateToken", &answer, err);
	return r < 0 ? r : take_answer(answer, now, t, err);
}

int sso_token(struct credential_search *s, const char *profile, const struct sso_session *session, char **ret,
	      struct error *err)
{
	const int64_t now = (int64_t)time(NULL);
	CLEANUP_FREE char *path = token_path(session);
	CLEANUP_TOKEN struct token t = { .expires = 0 };
	struct error why = ERROR_INIT;
	int r = read_token(path, profile, &t, err);

	if (r < 0)
		return r;
	if (t.expires - RENEW_S <= now && can_renew(&t, now)) {
		r = renew(s, session->region, now, &t, &why);
		if (r == 0 && write_token(path, &t, &why) < 0)
			log_warning("the renewed SSO session could not be kept, so the next login may be due early: %s",
				    why.message);
		if (r < 0)
			log_debug("the SSO session was not renewed: %s", why.message);
	}
	if (t.expires <= now)
		return log_in(profile, "has ended", err);
	*ret = TAKE_PTR(t.members[ACCESS_TOKEN]);
	return 0;
}
