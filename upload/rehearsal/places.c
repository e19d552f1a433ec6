/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/json.h"
#include "clock.h"
#include "operations.h"

/* Where credentials come from besides STS: instance metadata (IMDSv2), containers, the SSO portal. */

#define IMDS_TOKEN "cmVoZWFyc2FsLWltZHMtdG9rZW4="
#define IMDS_ROLE "rehearsal-role"
#define CONTAINER_TOKEN "rehearsal-container"
#define SSO_TOKEN "rehearsal-sso"
#define TTL_MAX 21600		/* six hours */

static const char *header(const struct call *c, const char *name)
{
	const char *value = pairs_get(&c->q->headers, name);

	return value ? value : "";
}

static void refuse(struct call *c, unsigned int status, const char *code)
{
	call_error(c, status, code, NULL, "%s", code);
}

/* NULL: the answer says why not. */
static const struct signer *issue(struct call *c, const char *role)
{
	CLEANUP_FREE char *arn = string_printf("arn:aws:sts::%s:assumed-role/%s/rehearsal", c->r->account, role);
	int64_t expires = rehearsal_time(c->r) + (int64_t)c->r->settings.session_seconds;
	const struct signer *ret = NULL;
	struct error err = ERROR_INIT;

	if (signers_issue(&c->r->signers, arn, expires, &ret, &err) < 0)
		call_failed(c, &err);
	return ret;
}

static void put_signer(struct json_t *root, const struct signer *s)
{
	char expires[CLOCK_TEXT_SIZE];

	clock_iso_short(s->expires, expires);
	json_put_string(root, "AccessKeyId", s->access_key);
	json_put_string(root, "SecretAccessKey", s->secret);
	json_put_string(root, "Token", s->token);
	json_put_string(root, "Expiration", expires);
}

/* ---------------------------------------------------------------- IMDSv2 */

static void send_text(struct call *c, const char *text)
{
	c->a->status = 200;
	call_header(c, "Content-Type", "text/plain");
	if (buf_add_string(&c->a->body, text) < 0)
		error_no_memory();
}

static void imds_token(struct call *c)
{
	uint64_t ttl;

	if (*header(c, "x-forwarded-for"))
		refuse(c, 403, "Forbidden");
	else if (!call_number(header(c, "x-aws-ec2-metadata-token-ttl-seconds"), 1, TTL_MAX, &ttl))
		refuse(c, 400, "BadRequest");
	else {
		send_text(c, IMDS_TOKEN);
		call_header(c, "x-aws-ec2-metadata-token-ttl-seconds", header(c, "x-aws-ec2-metadata-token-ttl-seconds"));
	}
}

static bool has_imds_token(struct call *c)
{
	if (strcmp(header(c, "x-aws-ec2-metadata-token"), IMDS_TOKEN) == 0)
		return true;
	refuse(c, 401, "Unauthorized");
	return false;
}

static void imds_role(struct call *c)
{
	if (has_imds_token(c))
		send_text(c, IMDS_ROLE);
}

static void imds_region(struct call *c)
{
	if (has_imds_token(c))
		send_text(c, c->region);
}

static void imds_credentials(struct call *c)
{
	const struct signer *s;
	struct json_t *root;
	char now[CLOCK_TEXT_SIZE];

	if (!has_imds_token(c))
		return;
	if (strcmp(c->segments[0], IMDS_ROLE) != 0) {
		refuse(c, 404, "NotFound");
		return;
	}
	s = issue(c, IMDS_ROLE);
	if (!s)
		return;
	clock_iso_short(rehearsal_time(c->r), now);
	root = json_new();
	json_put_string(root, "Code", "Success");
	json_put_string(root, "LastUpdated", now);
	json_put_string(root, "Type", "AWS-HMAC");
	put_signer(root, s);
	call_json(c, 200, root);
}

/* ---------------------------------------------------------------- containers and SSO */

static void container_credentials(struct call *c)
{
	const struct signer *s;
	struct json_t *root;

	if (strcmp(header(c, "authorization"), CONTAINER_TOKEN) != 0) {
		refuse(c, 403, "AccessDenied");
		return;
	}
	s = issue(c, "container-role");
	if (!s)
		return;
	root = json_new();
	json_put_string(root, "RoleArn", s->arn);
	put_signer(root, s);
	call_json(c, 200, root);
}

static void role_credentials(struct call *c)
{
	const char *role = call_parameter(c, "role_name"), *account = call_parameter(c, "account_id");
	const struct signer *s;
	struct json_t *root, *inner;

	if (strcmp(header(c, "x-amz-sso_bearer_token"), SSO_TOKEN) != 0) {
		refuse(c, 401, "UnauthorizedException");
		return;
	}
	if (!role || !*role || !account || strspn(account, "0123456789") != 12) {
		refuse(c, 400, "InvalidRequestException");
		return;
	}
	s = issue(c, role);
	if (!s)
		return;
	root = json_new();
	inner = json_put_object(root, "roleCredentials");
	json_put_string(inner, "accessKeyId", s->access_key);
	json_put_string(inner, "secretAccessKey", s->secret);
	json_put_string(inner, "sessionToken", s->token);
	json_put_number(inner, "expiration", (uint64_t)s->expires * 1000);
	call_json(c, 200, root);
}

const struct operation place_operations[] = {
	{ .name = "GetImdsToken", .service = SERVICE_PLACE, .method = "PUT", .path = "/latest/api/token",
	  .run = imds_token },
	{ .name = "GetImdsRole", .service = SERVICE_PLACE, .method = "GET",
	  .path = "/latest/meta-data/iam/security-credentials/", .run = imds_role },
	{ .name = "GetImdsCredentials", .service = SERVICE_PLACE, .method = "GET",
	  .path = "/latest/meta-data/iam/security-credentials/ROLE", .run = imds_credentials },
	{ .name = "GetImdsRegion", .service = SERVICE_PLACE, .method = "GET",
	  .path = "/latest/meta-data/placement/region", .run = imds_region },
	{ .name = "GetContainerCredentials", .service = SERVICE_PLACE, .method = "GET", .path = "/container/credentials",
	  .run = container_credentials },
	{ .name = "GetRoleCredentials", .service = SERVICE_PLACE, .method = "GET", .path = "/federation/credentials",
	  .run = role_credentials },
	{ .name = NULL },
};
