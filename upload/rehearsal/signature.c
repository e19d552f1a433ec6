/* SPDX-License-Identifier: Apache-2.0 */
#include "signature.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/digest.h"
#include "../../factory/base/error.h"
#include "../../factory/base/hex.h"
#include "../../factory/base/hmac.h"
#include "../../factory/base/io.h"
#include "../../factory/base/secret.h"
#include "../../factory/model/memory.h"
#include "clock.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define UNSIGNED "UNSIGNED-PAYLOAD"

/* ---------------------------------------------------------------- the header */

/* The part up to `stop` or, with 0, the end; moves *text behind it. */
static bool take_part(const char **text, char stop, char *ret, size_t size)
{
	size_t len = stop ? strcspn(*text, (const char[]){ stop, '\0' }) : strlen(*text);

	if (len == 0 || len >= size || (stop && !(*text)[len]))
		return false;
	memcpy(ret, *text, len);
	ret[len] = '\0';
	*text += len + (stop ? 1 : 0);
	return true;
}

/* KEY/DATE/REGION/SERVICE/aws4_request */
static bool parse_scope(const char *text, struct signature *s)
{
	return take_part(&text, '/', s->access_key, sizeof(s->access_key)) &&
	       take_part(&text, '/', s->date, sizeof(s->date)) && strspn(s->date, "0123456789") == 8 &&
	       take_part(&text, '/', s->region, sizeof(s->region)) &&
	       take_part(&text, '/', s->service, sizeof(s->service)) && strcmp(text, "aws4_request") == 0;
}

/* Which of the three it is, as a bit; 0: none of them, or not as it must be. */
static unsigned int parse_part(char *part, struct signature *s)
{
	const char *value = strchr(part, '=');
	bool good = false;

	part += strspn(part, " ");
	if (!value)
		return 0;
	value++;
	if (strncmp(part, "Credential=", 11) == 0)
		return parse_scope(value, s) ? 1 : 0;
	if (strncmp(part, "SignedHeaders=", 14) == 0)
		return take_part(&value, '\0', s->signed_headers, sizeof(s->signed_headers)) ? 2 : 0;
	if (strncmp(part, "Signature=", 10) == 0)
		good = strspn(value, "0123456789abcdef") == 64 && hex_decode(value, s->bytes, sizeof(s->bytes)) == 0;
	return good ? 4 : 0;
}

int signature_parse(const char *authorization, struct signature *ret, struct error *err)
{
	CLEANUP_FREE char *copy = string_copy(authorization);
	char *rest = copy + strlen(ALGORITHM), *part;
	struct signature s = { .access_key = "" };
	unsigned int all = 0;

	if (strncmp(copy, ALGORITHM " ", strlen(ALGORITHM) + 1) != 0)
		return error_input(err, "Authorization does not begin with " ALGORITHM);
	while ((part = strsep(&rest, ","))) {
		unsigned int which = parse_part(part, &s);

		if (!which || all & which)
			return error_input(err, "Authorization: \"%.60s\" is there twice, or is not Credential=, SignedHeaders= or "
						"Signature= as they must be", part);
		all |= which;
	}
	if (all != 7)
		return error_input(err, "Authorization needs Credential, SignedHeaders and Signature");
	*ret = s;
	return 0;
}

/* ---------------------------------------------------------------- the canonical request */

static void add(struct buf *b, const char *text)
{
	if (buf_add_string(b, text) < 0)
		error_no_memory();
}

static int compare_parts(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->value, y->value);
}

static void encode_in_place(char **text)
{
	struct buf out = BUF_INIT(SIZE_MAX);

	query_encode(*text, false, &out);
	free(*text);
	*text = string_copy(buf_text(&out));
	buf_free(&out);
}

static int add_query(struct buf *canonical, const char *query, struct error *err)
{
	CLEANUP_PAIRS struct pairs parts = PAIRS_INIT;
	int r = query_parse(query, strlen(query), false, &parts, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < parts.count; i++) {
		encode_in_place(&parts.items[i].name);
		encode_in_place(&parts.items[i].value);
	}
	if (parts.count)
		qsort(parts.items, parts.count, sizeof(*parts.items), compare_parts);
	for (size_t i = 0; i < parts.count; i++) {
		add(canonical, i ? "&" : "");
		add(canonical, parts.items[i].name);
		add(canonical, "=");
		add(canonical, parts.items[i].value);
	}
	add(canonical, "\n");
	return 0;
}

/* Without blanks at either end, and one for several. */
static void add_trimmed(struct buf *b, const char *value)
{
	for (value += strspn(value, " \t"); *value; value += strspn(value, " \t")) {
		size_t word = strcspn(value, " \t");

		if (buf_add(b, value, word) < 0)
			error_no_memory();
		value += word;
		if (value[strspn(value, " \t")])
			add(b, " ");
	}
}

/* Several of one name are one, with commas between. */
static int add_header(struct buf *b, const struct pairs *headers, const char *name, struct error *err)
{
	unsigned int found = 0;

	add(b, name);
	for (size_t i = 0; i < headers->count; i++) {
		if (strcmp(headers->items[i].name, name) != 0)
			continue;
		add(b, found++ ? "," : ":");
		add_trimmed(b, headers->items[i].value);
	}
	add(b, "\n");
	return found ? 0 : error_input(err, "SignedHeaders has %s, which the request has not", name);
}

static int add_headers(struct buf *b, const struct pairs *headers, const char *names, struct error *err)
{
	CLEANUP_FREE char *copy = string_copy(names);
	char *rest = copy, *name;
	const char *before = "";
	int r = 0;

	while (r == 0 && (name = strsep(&rest, ";"))) {
		if (strcmp(before, name) >= 0)
			return error_input(err, "SignedHeaders must be in order, each once");
		before = name;
		r = add_header(b, headers, name, err);
	}
	add(b, "\n");
	add(b, names);
	add(b, "\n");
	return r;
}

static void digest_text(const void *data, size_t size, char ret[static 2 * DIGEST_MAX + 1])
{
	struct digest d;

	digest_of(DIGEST_SHA256, size ? data : "", size, &d);
	digest_hex(&d, ret);
}

/* What the client says of its body must be true; saying nothing means that it was signed. */
static int add_payload(struct buf *b, const struct request *q, struct error *err)
{
	const char *said = pairs_get(&q->headers, "x-amz-content-sha256");
	char hex[2 * DIGEST_MAX + 1] = UNSIGNED;

	if (!said || strcmp(said, UNSIGNED) != 0)
		digest_text(q->body.data, q->body.len, hex);
	if (said && strcmp(said, hex) != 0)
		return error_input(err, "x-amz-content-sha256 is %.64s, but of the body that came it is %s", said, hex);
	add(b, hex);
	return 0;
}

static int canonical_request(const struct signature *s, const struct request *q, struct buf *ret, struct error *err)
{
	int r;

	add(ret, q->method);
	add(ret, "\n");
	/* Encoded once more than it was sent, as every service but S3 has it. */
	query_encode(q->path, true, ret);
	add(ret, "\n");
	r = add_query(ret, q->query, err);
	if (r == 0)
		r = add_headers(ret, &q->headers, s->signed_headers, err);
	if (r == 0)
		r = add_payload(ret, q, err);
	return r;
}

/* ---------------------------------------------------------------- the signature */

static void signing_key(const struct signature *s, const char *secret, uint8_t ret[static HMAC_SIZE])
{
	const char *const steps[] = { s->date, s->region, s->service, "aws4_request" };
	CLEANUP_SECRET char *first = string_printf("AWS4%s", secret);
	const char *key = first;
	size_t size = strlen(first);

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		hmac_sha256(key, size, steps[i], strlen(steps[i]), ret);
		key = (const char *)ret;
		size = HMAC_SIZE;
	}
}

static bool is_signed(const struct signature *s, const char *name)
{
	CLEANUP_FREE char *list = string_printf(";%s;", s->signed_headers);
	CLEANUP_FREE char *item = string_printf(";%s;", name);

	return strstr(list, item);
}

static int check_signed(const struct signature *s, const struct request *q, struct error *err)
{
	if (!is_signed(s, "host"))
		return error_input(err, "the header host is not signed");
	for (size_t i = 0; i < q->headers.count; i++) {
		const char *name = q->headers.items[i].name;

		if (strncmp(name, "x-amz-", 6) == 0 && !is_signed(s, name))
			return error_input(err, "the header %s is not signed", name);
	}
	return 0;
}

static bool equal(const uint8_t *a, const uint8_t *b, size_t size)
{
	uint8_t difference = 0;

	for (size_t i = 0; i < size; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

static int verify(const struct signature *s, const char *secret, const char *time, const char *canonical,
		  struct error *err)
{
	char hash[2 * DIGEST_MAX + 1];
	CLEANUP_FREE char *to_sign = NULL;
	uint8_t bytes[HMAC_SIZE];

	digest_text(canonical, strlen(canonical), hash);
	to_sign = string_printf(ALGORITHM "\n%s\n%s/%s/%s/aws4_request\n%s", time, s->date, s->region, s->service, hash);
	signing_key(s, secret, bytes);
	hmac_sha256(bytes, sizeof(bytes), to_sign, strlen(to_sign), bytes);
	if (equal(bytes, s->bytes, sizeof(bytes)))
		return 0;
	return error_verdict(err, "The request signature we calculated does not match the signature you provided. Check "
				  "your AWS Secret Access Key and signing method.\n\nThe Canonical String for this request "
				  "should have been\n'%s'\n\nThe String-to-Sign should have been\n'%s'\n", canonical, to_sign);
}

int signature_holds(const struct signature *s, const char *secret, const struct request *q, int64_t *ret_time,
		    struct error *err)
{
	const char *date = pairs_get(&q->headers, "x-amz-date");
	CLEANUP_BUF struct buf canonical = BUF_INIT(SIZE_MAX);
	int r = check_signed(s, q, err);

	if (r < 0)
		return r;
	if (!date || clock_parse(date, ret_time) < 0)
		return error_input(err, "x-amz-date is missing, or not as 20260102T030405Z");
	if (strncmp(date, s->date, 8) != 0)
		return error_input(err, "the scope's date %s is not that of x-amz-date, %s", s->date, date);
	r = canonical_request(s, q, &canonical, err);
	if (r == 0)
		r = verify(s, secret, date, buf_text(&canonical), err);
	return r;
}
