/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/secret.h"
#include "credentials_source.h"

#define FROM "the container"
#define RELATIVE "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define ECS "http://169.254.170.2"
#define TOKEN_MAX 16384
#define STALL_MS 2000

/* What a name is resolved to is anybody's: without TLS, only addresses that are this machine's own. */
static bool is_local(const char *host)
{
	struct in_addr address;

	if (inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127)
		return true;
	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 || strcmp(host, "169.254.170.2") == 0 ||
	       strcmp(host, "169.254.170.23") == 0 || strcmp(host, "[fd00:ec2::23]") == 0;
}

static int check_url(const char *url, struct error *err)
{
	CLEANUP_FREE char *host = NULL;

	if (strncmp(url, "https://", 8) == 0)
		return 0;
	if (strncmp(url, "http://", 7) != 0)
		return error_input(err, FULL " does not begin with https:// or http://");
	url += 7;
	host = string_printf("%.*s", (int)(*url == '[' ? strcspn(url, "]") + 1 : strcspn(url, ":/?#@")), url);
	if (!is_local(host))
		return error_input(err, FULL " is neither https:// nor an address of this machine");
	return 0;
}

/* malloc'ed; NULL without one. */
static int read_token(char **ret, struct error *err)
{
	CLEANUP_SECRET_BUF struct buf text = BUF_INIT(TOKEN_MAX);
	const char *file = settings_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = settings_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	int r;

	if (file) {
		r = io_read_file(file, TOKEN_MAX, &text, err);
		if (r < 0)
			return error_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
		buf_truncate(&text, strcspn(buf_text(&text), "\r\n"));
		token = buf_text(&text);
	}
	*ret = token ? string_copy(token) : NULL;
	return 0;
}

static int ask(struct credential_search *s, const char *url, struct credentials *ret, struct error *err)
{
	static const struct credential_names names = {
		.key_id = "AccessKeyId", .secret = "SecretAccessKey", .token = "Token", .expires = "Expiration",
	};
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	CLEANUP_SECRET char *token = NULL;
	struct http_header header;
	int r = read_token(&token, err);

	if (r < 0)
		return r;
	header = (struct http_header) { "Authorization", token };
	r = credentials_fetch(s, &(struct http_request) {
		.method = "GET", .url = url, .headers = &header, .header_count = token ? 1 : 0,
		.answer_max = CREDENTIALS_ANSWER_MAX, .stall_ms = STALL_MS, .direct = true, .secret = true,
	}, FROM, &answer, err);
	return r < 0 ? r : credentials_from_json(&answer->body, &names, FROM, ret, err);
}

int credentials_of_container(struct credential_search *s, struct credentials *ret, struct error *err)
{
	const char *relative = settings_variable(RELATIVE), *full = settings_variable(FULL);
	CLEANUP_FREE char *url = NULL;
	int r = 0;

	if (!relative && !full) {
		search_nothing(s, FROM, RELATIVE " and " FULL " are not set");
		return 0;
	}
	if (relative && *relative != '/')
		return error_input(err, RELATIVE " does not begin with a slash");
	if (!relative)
		r = check_url(full, err);
	if (r < 0)
		return r;
	url = relative ? string_printf(ECS "%s", relative) : string_copy(full);
	return ask(s, url, ret, err);
}
