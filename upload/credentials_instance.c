/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/secret.h"
#include "credentials_source.h"
#include "sigv4.h"

/* EC2's instance metadata, version 2: first a token, which a request forged on the way does not get. */

#define FROM "the EC2 instance's role"
#define SERVICE "http://169.254.169.254"
#define SERVICE_IPV6 "http://[fd00:ec2::254]"
#define ROLES "/latest/meta-data/iam/security-credentials/"
#define TOKEN_SECONDS "21600"
#define STALL_MS 1000		/* where there is no such service, nobody may answer at all */
#define TOTAL_MS 5000

static char *service_url(void)
{
	const char *url = settings_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = settings_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	size_t n;

	if (!url)
		url = mode && strcasecmp(mode, "ipv6") == 0 ? SERVICE_IPV6 : SERVICE;
	for (n = strlen(url); n > 0 && url[n - 1] == '/'; n--)
		;
	return string_printf("%.*s", (int)n, url);
}

static int ask(struct credential_search *s, const char *method, const char *url, const struct http_header *header,
	       struct http_answer **ret, struct error *err)
{
	return http_fetch(s->http, &(struct http_request) {
		.method = method, .url = url, .headers = header, .header_count = 1,
		.answer_max = CREDENTIALS_ANSWER_MAX, .stall_ms = STALL_MS, .total_ms = TOTAL_MS, .direct = true,
		.secret = true,
	}, ret, err);
}

static char *first_line(const struct http_answer *answer)
{
	const char *text = buf_text(&answer->body);

	return string_printf("%.*s", (int)strcspn(text, "\r\n"), text);
}

/* NULL where there is no such service, which is no error: most machines are no EC2 instances. */
static int get_token(struct credential_search *s, const char *service, char **ret, struct error *err)
{
	static const struct http_header lifetime = { "X-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS };
	CLEANUP_FREE char *url = string_printf("%s/latest/api/token", service);
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	struct error why = ERROR_INIT;
	int r = ask(s, "PUT", url, &lifetime, &answer, &why);

	if (r == -EINTR) {
		*err = why;
		return r;
	}
	if (r < 0)
		search_nothing(s, FROM, "%s", why.message);
	else if (answer->status != 200)
		search_nothing(s, FROM, "%s: no token by IMDSv2: HTTP status %u", service, answer->status);
	else
		*ret = first_line(answer);
	return 0;
}

static int get_role(struct credential_search *s, const char *service, const struct http_header *token, char **ret,
		    struct error *err)
{
	CLEANUP_FREE char *url = string_printf("%s" ROLES, service), *role = NULL;
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	int r = ask(s, "GET", url, token, &answer, err);

	if (r < 0)
		return r == -EINTR ? r : error_wrap(err, FROM);
	if (answer->status == 200)
		role = first_line(answer);
	if (answer->status == 404 || (role && !*role)) {
		search_nothing(s, FROM, "it has none");
		return 0;
	}
	if (!role)
		return error_outside(err, FROM ": HTTP status %u", answer->status);
	*ret = TAKE_PTR(role);
	return 0;
}

static int get_credentials(struct credential_search *s, const char *service, const char *role,
			   const struct http_header *token, struct credentials *ret, struct error *err)
{
	static const struct credential_names names = {
		.key_id = "AccessKeyId", .secret = "SecretAccessKey", .token = "Token", .expires = "Expiration",
	};
	CLEANUP_BUF struct buf encoded = BUF_INIT(SIZE_MAX);
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	CLEANUP_FREE char *url = NULL;
	int r;

	sigv4_encode(role, &encoded);
	url = string_printf("%s" ROLES "%s", service, buf_text(&encoded));
	r = credentials_fetch(s, &(struct http_request) {
		.method = "GET", .url = url, .headers = token, .header_count = 1,
		.answer_max = CREDENTIALS_ANSWER_MAX, .stall_ms = STALL_MS, .direct = true, .secret = true,
	}, FROM, &answer, err);
	return r < 0 ? r : credentials_from_json(&answer->body, &names, FROM, ret, err);
}

int credentials_of_instance(struct credential_search *s, struct credentials *ret, struct error *err)
{
	const char *disabled = settings_variable("AWS_EC2_METADATA_DISABLED");
	CLEANUP_FREE char *service = service_url(), *role = NULL;
	CLEANUP_SECRET char *token = NULL;
	struct http_header header = { "X-aws-ec2-metadata-token", NULL };
	int r;

	if (disabled && strcasecmp(disabled, "true") == 0) {
		search_nothing(s, FROM, "AWS_EC2_METADATA_DISABLED is true");
		return 0;
	}
	r = get_token(s, service, &token, err);
	if (r < 0 || !token)
		return r;
	header.value = token;
	r = get_role(s, service, &header, &role, err);
	if (r < 0 || !role)
		return r;
	return get_credentials(s, service, role, &header, ret, err);
}
