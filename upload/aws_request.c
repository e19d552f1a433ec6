/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_request.h"

#include <stdlib.h>
#include <string.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/secret.h"
#include "../factory/model/memory.h"
#include "credentials.h"

#define ANSWER_MAX (1u << 20)
#define PAIRS_ADDED 4		/* in collect() */

/* What stands in the header Host: the port only where it is not the scheme's own, as libcurl has it. */
static char *host_of(const char *endpoint)
{
	const char *host = strstr(endpoint, "://") + 3;
	const char *port = strncmp(endpoint, "https:", 6) == 0 ? ":443" : ":80";
	size_t size = strlen(host), n = strlen(port);

	if (size > n && strcmp(host + size - n, port) == 0)
		size -= n;
	return string_printf("%.*s", (int)size, host);
}

static char *url_of(const struct aws_request *q, const char *endpoint)
{
	CLEANUP_BUF struct buf query = BUF_INIT(SIZE_MAX);

	sigv4_form(q->query, q->query_count, &query);
	return string_printf("%s%s%s%s", endpoint, q->path, query.len ? "?" : "", buf_text(&query));
}

static void payload_of(const struct aws_request *q, char ret[static 2 * DIGEST_MAX + 1])
{
	struct digest digest;

	digest_of(DIGEST_SHA256, q->body_size ? q->body : "", q->body_size, &digest);
	digest_hex(&digest, ret);
}

/* The headers that are signed, and what is signed with them. */
struct draft {
	struct aws_pair *pairs;
	size_t count;
	char date[SIGV4_DATE_SIZE];
};

static void add_pair(struct draft *d, const char *name, const char *value)
{
	d->pairs[d->count++] = (struct aws_pair) { name, value };
}

static void collect(const struct aws_request *q, const char *host, const struct credentials *c, struct draft *d)
{
	d->pairs = memory_new((q->header_count + PAIRS_ADDED) * sizeof(*d->pairs));
	for (size_t i = 0; i < q->header_count; i++)
		add_pair(d, q->headers[i].name, q->headers[i].value);
	add_pair(d, "Host", host);
	add_pair(d, "X-Amz-Date", d->date);
	if (c && c->token)
		add_pair(d, "X-Amz-Security-Token", c->token);
	if (q->unsigned_payload)
		add_pair(d, "X-Amz-Content-Sha256", SIGV4_UNSIGNED);
}

static void authorize(const struct aws_request *q, const struct draft *d, const char *region,
		      const struct credentials *c, struct buf *ret)
{
	char payload[2 * DIGEST_MAX + 1] = SIGV4_UNSIGNED;
	const struct sigv4_request request = {
		.method = q->method, .path = q->path, .query = q->query, .query_count = q->query_count,
		.headers = d->pairs, .header_count = d->count, .payload = payload,
	};
	const struct sigv4_scope scope = { .date = d->date, .region = region, .service = q->service };

	if (!q->unsigned_payload)
		payload_of(q, payload);
	sigv4_authorization(&request, &scope, c->key_id, c->secret, ret);
}

static void add_header(struct signed_request *s, const char *name, const char *value)
{
	s->headers[s->http.header_count++] = (struct http_header) { string_copy(name), string_copy(value) };
}

/* Copies: they outlive what the caller gave. */
static void set_headers(struct signed_request *s, const struct draft *d, const char *authorization)
{
	s->headers = memory_new((d->count + 1) * sizeof(*s->headers));
	for (size_t i = 0; i < d->count; i++)
		add_header(s, d->pairs[i].name, d->pairs[i].value);
	if (*authorization)
		add_header(s, "Authorization", authorization);
	s->http.headers = s->headers;
}

void aws_request_sign(const struct aws_request *q, const char *endpoint, const char *region,
		      const struct credentials *c, int64_t now, struct signed_request *ret)
{
	CLEANUP_BUF struct buf authorization = BUF_INIT(SIZE_MAX);
	CLEANUP_FREE char *host = host_of(endpoint);
	struct draft d = { .pairs = NULL };

	sigv4_date(now, d.date);
	collect(q, host, c, &d);
	if (c)
		authorize(q, &d, region, c, &authorization);
	ret->url = url_of(q, endpoint);
	ret->http = (struct http_request) {
		.method = q->method, .url = ret->url, .body = q->body, .body_size = q->body_size,
		.answer_max = q->answer_max ? q->answer_max : ANSWER_MAX,
		.stall_ms = q->stall_ms, .total_ms = q->total_ms, .fresh = q->fresh, .secret = q->secret,
	};
	set_headers(ret, &d, buf_text(&authorization));
	free(d.pairs);
}

void signed_request_clear(struct signed_request *s)
{
	for (size_t i = 0; i < s->http.header_count; i++) {
		free((char *)s->headers[i].name);
		secret_free((char *)s->headers[i].value);
	}
	free(s->headers);
	free(s->url);
}
