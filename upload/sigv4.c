/* SPDX-License-Identifier: Apache-2.0 */
#include "sigv4.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/hmac.h"
#include "../factory/base/io.h"
#include "../factory/base/secret.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"
#define DAY_SIZE 8	/* "20260102" */
#define CANONICAL_ROOM 16384	/* more than a request with a session's token takes */

static void add(struct buf *b, const void *data, size_t size)
{
	if (buf_add(b, data, size) < 0)
		error_no_memory();
}

static void add_string(struct buf *b, const char *text)
{
	add(b, text, strlen(text));
}

/* ---------------------------------------------------------------- encoding */

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

/* Characters of `keep` stay as they are, besides the unreserved ones. */
static void encode(const char *text, const char *keep, struct buf *ret)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		const char code[3] = { '%', digits[c >> 4], digits[c & 15] };

		if (is_unreserved(*text) || strchr(keep, *text))
			add(ret, text, 1);
		else
			add(ret, code, sizeof(code));
	}
}

void sigv4_encode(const char *text, struct buf *ret)
{
	encode(text, "", ret);
}

void sigv4_form(const struct aws_pair *pairs, size_t count, struct buf *ret)
{
	for (size_t i = 0; i < count; i++) {
		if (i)
			add(ret, "&", 1);
		sigv4_encode(pairs[i].name, ret);
		add(ret, "=", 1);
		sigv4_encode(pairs[i].value, ret);
	}
}

/* ---------------------------------------------------------------- the canonical request */

static int by_name_and_value(const void *x, const void *y)
{
	const struct aws_pair *a = x, *b = y;
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->value, b->value);
}

/* Sorted copies of pairs, each text passed through `make`. */
struct pairs {
	struct aws_pair *items;
	size_t count;
};

static void pairs_clear(struct pairs *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free((char *)p->items[i].name);
		secret_free((char *)p->items[i].value);
	}
	free(p->items);
}
#define CLEANUP_PAIRS __attribute__((cleanup(pairs_clear)))

static struct pairs sorted(const struct aws_pair *pairs, size_t count, char *(*make_name)(const char *),
			   char *(*make_value)(const char *))
{
	struct pairs p = { .items = calloc(count + 1, sizeof(*p.items)), .count = count };

	if (!p.items)
		error_no_memory();
	for (size_t i = 0; i < count; i++)
		p.items[i] = (struct aws_pair) { make_name(pairs[i].name), make_value(pairs[i].value) };
	qsort(p.items, count, sizeof(*p.items), by_name_and_value);
	return p;
}

static char *encoded(const char *text)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	sigv4_encode(text, &b);
	add(&b, "", 0);		/* there is memory, and it ends with a NUL byte */
	return (char *)b.data;
}

/* Not tolower(), which asks the locale. */
static char *lower(const char *text)
{
	char *copy = string_copy(text);

	for (char *c = copy; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return copy;
}

/* Without blanks at the ends, and with one for each row of them within. */
static char *trimmed(const char *text)
{
	char *copy = string_copy(text), *out = copy;

	for (const char *c = text; *c; c++) {
		bool blank = *c == ' ' || *c == '\t';

		if (blank && (out == copy || out[-1] == ' '))
			continue;
		*out++ = blank ? ' ' : *c;
	}
	if (out > copy && out[-1] == ' ')
		out--;
	*out = '\0';
	return copy;
}

static void add_query(const struct sigv4_request *q, struct buf *ret)
{
	/* Sorted once encoded, as the specification asks. */
	CLEANUP_PAIRS struct pairs p = sorted(q->query, q->query_count, encoded, encoded);

	for (size_t i = 0; i < p.count; i++) {
		if (i)
			add(ret, "&", 1);
		add_string(ret, p.items[i].name);
		add(ret, "=", 1);
		add_string(ret, p.items[i].value);
	}
	add(ret, "\n", 1);
}

static void add_signed_headers(const struct pairs *p, struct buf *ret)
{
	for (size_t i = 0; i < p->count; i++) {
		if (i)
			add(ret, ";", 1);
		add_string(ret, p->items[i].name);
	}
}

void sigv4_canonical(const struct sigv4_request *q, struct buf *ret)
{
	CLEANUP_PAIRS struct pairs p = sorted(q->headers, q->header_count, lower, trimmed);

	add_string(ret, q->method);
	add(ret, "\n", 1);
	encode(q->path, "/", ret);
	add(ret, "\n", 1);
	add_query(q, ret);
	for (size_t i = 0; i < p.count; i++) {
		add_string(ret, p.items[i].name);
		add(ret, ":", 1);
		add_string(ret, p.items[i].value);
		add(ret, "\n", 1);
	}
	add(ret, "\n", 1);
	add_signed_headers(&p, ret);
	add(ret, "\n", 1);
	add_string(ret, q->payload);
}

/* ---------------------------------------------------------------- the signature */

static void add_scope(const struct sigv4_scope *scope, struct buf *ret)
{
	add(ret, scope->date, strnlen(scope->date, DAY_SIZE));
	add(ret, "/", 1);
	add_string(ret, scope->region);
	add(ret, "/", 1);
	add_string(ret, scope->service);
	add_string(ret, "/" TERMINATOR);
}

static void add_string_to_sign(const struct sigv4_request *q, const struct sigv4_scope *scope, struct buf *ret)
{
	/* The session's token is among the headers. */
	CLEANUP_SECRET_BUF struct buf canonical = BUF_INIT(SIZE_MAX);
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	uint8_t *room;

	if (buf_reserve(&canonical, CANONICAL_ROOM, &room) < 0)
		error_no_memory();
	sigv4_canonical(q, &canonical);
	digest_of(DIGEST_SHA256, canonical.data, canonical.len, &digest);
	digest_hex(&digest, hex);
	add_string(ret, ALGORITHM "\n");
	add_string(ret, scope->date);
	add(ret, "\n", 1);
	add_scope(scope, ret);
	add(ret, "\n", 1);
	add_string(ret, hex);
}

static void make_key(const struct sigv4_scope *scope, const char *secret, uint8_t ret[static HMAC_SIZE])
{
	CLEANUP_SECRET char *first = string_printf("AWS4%s", secret);

	hmac_sha256(first, strlen(first), scope->date, strnlen(scope->date, DAY_SIZE), ret);
	hmac_sha256(ret, HMAC_SIZE, scope->region, strlen(scope->region), ret);
	hmac_sha256(ret, HMAC_SIZE, scope->service, strlen(scope->service), ret);
	hmac_sha256(ret, HMAC_SIZE, TERMINATOR, sizeof(TERMINATOR) - 1, ret);
}

static void make_signature(const struct sigv4_request *q, const struct sigv4_scope *scope, const char *secret,
			   char ret[static 2 * HMAC_SIZE + 1])
{
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);
	uint8_t key[HMAC_SIZE];

	make_key(scope, secret, key);
	add_string_to_sign(q, scope, &text);
	hmac_sha256(key, HMAC_SIZE, text.data, text.len, key);
	hex_encode(key, HMAC_SIZE, ret);
	secret_wipe(key, sizeof(key));
}

void sigv4_authorization(const struct sigv4_request *q, const struct sigv4_scope *scope, const char *key_id,
			 const char *secret, struct buf *ret)
{
	CLEANUP_PAIRS struct pairs p = sorted(q->headers, q->header_count, lower, trimmed);
	char signature[2 * HMAC_SIZE + 1];

	make_signature(q, scope, secret, signature);
	add_string(ret, ALGORITHM " Credential=");
	add_string(ret, key_id);
	add(ret, "/", 1);
	add_scope(scope, ret);
	add_string(ret, ", SignedHeaders=");
	add_signed_headers(&p, ret);
	add_string(ret, ", Signature=");
	add_string(ret, signature);
}

void sigv4_date(int64_t seconds, char ret[static SIGV4_DATE_SIZE])
{
	const time_t at = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&at, &tm) || strftime(ret, SIGV4_DATE_SIZE, "%Y%m%dT%H%M%SZ", &tm) == 0)
		ret[0] = '\0';	/* beyond the year 9999 */
}
