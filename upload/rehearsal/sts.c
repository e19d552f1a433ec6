/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "clock.h"
#include "operations.h"

/* AWS Security Token Service API Reference, 2011-06-15. */

#define WEB_IDENTITY "rehearsal-web-identity"

static void bad(struct call *c, const char *sentence)
{
	call_error(c, 400, "ValidationError", NULL, "%s", sentence);
}

/* arn:aws:iam::123456789012:role/PATH/NAME. The name, or NULL. */
static const char *role_name(const char *arn)
{
	const char *slash = strrchr(arn, '/');

	return strncmp(arn, "arn:aws", 7) == 0 && strstr(arn, ":iam::") && strstr(arn, ":role/") && slash && slash[1] ?
		       slash + 1 : NULL;
}

static bool check_session(struct call *c, const char *arn, const char *name)
{
	const char *seconds = call_parameter(c, "DurationSeconds");
	uint64_t value;

	if (!role_name(arn))
		bad(c, "RoleArn is not a role's.");
	else if (strlen(name) < 2 || strlen(name) > 64 ||
		 strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-") != strlen(name))
		bad(c, "RoleSessionName must have from 2 to 64 letters, digits and _+=,.@-");
	else if (seconds && !call_number(seconds, 900, 43200, &value))
		bad(c, "DurationSeconds must be from 900 to 43200.");
	else
		return true;
	return false;
}

static void put_credentials(struct buf *b, const struct signer *s)
{
	char expires[CLOCK_TEXT_SIZE];

	clock_iso_short(s->expires, expires);
	markup_open(b, "Credentials");
	markup_leaf(b, "AccessKeyId", s->access_key);
	markup_leaf(b, "SecretAccessKey", s->secret);
	markup_leaf(b, "SessionToken", s->token);
	markup_leaf(b, "Expiration", expires);
	markup_close(b, "Credentials");
}

static void put_user(struct buf *b, const char *arn, const char *session)
{
	CLEANUP_FREE char *id = string_printf("AROAREHEARSAL:%s", session);

	markup_open(b, "AssumedRoleUser");
	markup_leaf(b, "AssumedRoleId", id);
	markup_leaf(b, "Arn", arn);
	markup_close(b, "AssumedRoleUser");
}

static void answer_session(struct call *c, const char *role, const char *session)
{
	CLEANUP_FREE char *arn = string_printf("arn:aws:sts::%s:assumed-role/%s/%s", c->r->account, role_name(role), session);
	int64_t expires = rehearsal_time(c->r) + (int64_t)c->r->settings.session_seconds;
	struct error err = ERROR_INIT;
	const struct signer *s;
	struct buf *b;

	if (signers_issue(&c->r->signers, arn, expires, &s, &err) < 0) {
		call_failed(c, &err);
		return;
	}
	b = call_xml_begin(c);
	put_credentials(b, s);
	put_user(b, arn, session);
	call_xml_end(c);
}

static void assume_role(struct call *c)
{
	const char *arn = call_needs(c, "RoleArn"), *session = arn ? call_needs(c, "RoleSessionName") : NULL;

	if (session && check_session(c, arn, session))
		answer_session(c, arn, session);
}

static void assume_with_web_identity(struct call *c)
{
	const char *arn = call_needs(c, "RoleArn"), *session = arn ? call_needs(c, "RoleSessionName") : NULL;
	const char *token = session ? call_needs(c, "WebIdentityToken") : NULL;

	if (!token || !check_session(c, arn, session))
		return;
	if (strcmp(token, WEB_IDENTITY) == 0)
		answer_session(c, arn, session);
	else
		call_error(c, 400, "InvalidIdentityToken", NULL, "The web identity token is not one that is known.");
}

static void get_caller_identity(struct call *c)
{
	struct buf *b = call_xml_begin(c);

	markup_leaf(b, "Arn", c->principal);
	markup_leaf(b, "UserId", "AIDAREHEARSAL");
	markup_leaf(b, "Account", c->r->account);
	call_xml_end(c);
}

#define SESSION_PARAMETERS "RoleArn", "RoleSessionName", "DurationSeconds", "Policy", "PolicyArns.member.#.arn"

const struct operation sts_operations[] = {
	{ .name = "AssumeRole", .service = SERVICE_STS, .run = assume_role,
	  .parameters = (const char *const[]){ SESSION_PARAMETERS, "ExternalId", "SourceIdentity", "SerialNumber",
					       "TokenCode", "Tags.member.#.Key", "Tags.member.#.Value", NULL } },
	{ .name = "AssumeRoleWithWebIdentity", .service = SERVICE_STS, .run = assume_with_web_identity, .anonymous = true,
	  .parameters = (const char *const[]){ SESSION_PARAMETERS, "WebIdentityToken", "ProviderId", NULL } },
	{ .name = "GetCallerIdentity", .service = SERVICE_STS, .run = get_caller_identity,
	  .parameters = (const char *const[]){ NULL } },
	{ .name = NULL },
};
