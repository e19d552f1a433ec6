/* SPDX-License-Identifier: Apache-2.0 */
#include "aws_error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/model/json.h"
#include "xml.h"

/* A signature is good for five minutes either way; below this the clock was not the reason. */
#define SKEW_S 240

enum meaning {
	SKEW = AWS_REFUSED + 1,		/* of time, if the clocks differ; otherwise as REFUSED */
	SKEW_OR_EXPIRED,		/* likewise, otherwise as EXPIRED */
};

/* Codes are compared without "Exception" at their end, which some services put there. */
static const struct {
	const char *code;
	int meaning;
} codes[] = {
	{ "BandwidthLimitExceeded", AWS_THROTTLED },
	{ "EC2Throttled", AWS_THROTTLED },
	{ "PriorRequestNotComplete", AWS_THROTTLED },
	{ "RequestLimitExceeded", AWS_THROTTLED },
	{ "RequestThrottled", AWS_THROTTLED },
	{ "SlowDown", AWS_THROTTLED },
	{ "Throttled", AWS_THROTTLED },
	{ "Throttling", AWS_THROTTLED },
	{ "TooManyRequests", AWS_THROTTLED },
	{ "InternalError", AWS_AGAIN },
	{ "InternalFailure", AWS_AGAIN },
	{ "InternalServer", AWS_AGAIN },
	{ "InternalServerError", AWS_AGAIN },
	{ "RequestTimeout", AWS_AGAIN },
	{ "ServiceUnavailable", AWS_AGAIN },
	{ "Unavailable", AWS_AGAIN },
	{ "ExpiredToken", AWS_EXPIRED },
	{ "TokenRefreshRequired", AWS_EXPIRED },
	{ "RequestExpired", SKEW_OR_EXPIRED },
	{ "AuthFailure", SKEW },
	{ "InvalidSignature", SKEW },
	{ "RequestInTheFuture", SKEW },
	{ "RequestTimeTooSkewed", SKEW },
	{ "SignatureDoesNotMatch", SKEW },
};

static void copy_text(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	for (; text && *text && n + 1 < size; text++)
		if ((unsigned char)*text >= 0x20 && *text != 0x7f)
			ret[n++] = *text;
	ret[n] = '\0';
}

/* ---------------------------------------------------------------- the two forms */

/* "RequestThrottledException:http://internal.amazon.com/...", "com.amazonaws.ebs#ValidationException" */
static void copy_code(const char *text, struct aws_error *e)
{
	const char *hash = strchr(text, '#');

	copy_text(hash ? hash + 1 : text, e->code, sizeof(e->code));
	e->code[strcspn(e->code, ":")] = '\0';
}

static void copy_member(const struct json_node *root, const char *key, char *ret, size_t size)
{
	CLEANUP_FREE char *text = NULL;
	struct error ignored = ERROR_INIT;

	/* What is missing or of another type says nothing. */
	if (json_has(root, key) && json_get_words(root, key, &text, &ignored) == 0)
		copy_text(text, ret, size);
}

static void read_json(const struct http_answer *answer, struct aws_error *e)
{
	CLEANUP_JSON struct json_node root = { .value = NULL };
	struct error ignored = ERROR_INIT;
	char code[sizeof(e->code)] = "";

	if (json_open(buf_text(&answer->body), answer->body.len, "answer", &root, &ignored) < 0)
		return;
	copy_member(&root, "message", e->message, sizeof(e->message));
	copy_member(&root, "Message", e->message, sizeof(e->message));
	copy_member(&root, "Reason", e->reason, sizeof(e->reason));
	copy_member(&root, "__type", code, sizeof(code));
	if (!e->code[0])
		copy_code(code, e);
}

/* EC2: Response/Errors/Error; STS and CloudFormation: ErrorResponse/Error. */
static void read_xml(const struct http_answer *answer, struct aws_error *e)
{
	CLEANUP_XML struct xml *x = NULL;
	struct error ignored = ERROR_INIT;
	const struct xml_node *error;
	const char *code;

	if (xml_parse(answer->body.data, answer->body.len, "answer", &x, &ignored) < 0)
		return;
	error = xml_find(xml_root(x), "Errors/Error");
	if (!error)
		error = xml_find(xml_root(x), "Error");
	if (!error)
		return;
	code = xml_text(error, "Code");
	if (code)
		copy_code(code, e);
	copy_text(xml_text(error, "Message"), e->message, sizeof(e->message));
}

static void read_body(const struct http_answer *answer, struct aws_error *e)
{
	const char *type = http_answer_header(answer, "x-amzn-errortype"), *text = buf_text(&answer->body);

	if (type)
		copy_code(type, e);
	text += strspn(text, " \t\r\n");
	if (*text == '{')
		read_json(answer, e);
	else if (*text == '<')
		read_xml(answer, e);
}

/* ---------------------------------------------------------------- what it means */

static bool same_code(const char *code, const char *known)
{
	size_t n = strlen(known);

	return strncmp(code, known, n) == 0 && (!code[n] || strcmp(code + n, "Exception") == 0);
}

static int meaning_of_status(unsigned int status)
{
	if (status == 429)
		return AWS_THROTTLED;
	return status >= 500 || status == 408 ? AWS_AGAIN : AWS_REFUSED;
}

static int meaning_of(const struct aws_error *e, unsigned int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (same_code(e->code, codes[i].code))
			return codes[i].meaning;
	/* EBS says so when a block did not come in time. */
	if (strcmp(e->reason, "WRITE_REQUEST_TIMEOUT") == 0)
		return AWS_AGAIN;
	return meaning_of_status(status);
}

static int64_t seconds_behind(const struct http_answer *answer, int64_t now)
{
	int64_t date;

	if (http_answer_date(answer, &date) < 0 || llabs(date - now) < SKEW_S)
		return 0;
	return date - now;
}

void aws_error_read(const struct http_answer *answer, int64_t now, struct aws_error *ret)
{
	struct aws_error e = { .outcome = AWS_REFUSED };
	int meaning;

	read_body(answer, &e);
	meaning = meaning_of(&e, answer->status);
	if (meaning == SKEW || meaning == SKEW_OR_EXPIRED) {
		e.behind = seconds_behind(answer, now);
		meaning = meaning == SKEW || e.behind ? AWS_REFUSED : AWS_EXPIRED;
	}
	e.outcome = (enum aws_outcome)meaning;
	*ret = e;
}

/* ---------------------------------------------------------------- for people */

static bool is_denial(const char *code)
{
	return same_code(code, "AccessDenied") || same_code(code, "UnauthorizedOperation") ||
	       same_code(code, "Client.UnauthorizedOperation");
}

static bool is_unknown_key(const char *code)
{
	return same_code(code, "UnrecognizedClient") || same_code(code, "InvalidClientTokenId") ||
	       same_code(code, "AuthFailure");
}

/* "ebs:PutSnapshotBlock" out of "User: … is not authorized to perform: ebs:PutSnapshotBlock on …"; else the call. */
static void permission(const struct aws_error *e, const char *action, char *ret, size_t size)
{
	static const char before[] = "not authorized to perform: ";
	const char *at = strstr(e->message, before);
	size_t n = 0;

	if (at) {
		at += sizeof(before) - 1;
		n = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-:");
	}
	if (n && memchr(at, ':', n))
		snprintf(ret, size, "%.*s", (int)n, at);
	else
		snprintf(ret, size, "%s", action);
}

/* "3 s", "17 min 3 s", "9 h 2 min" */
static void span(int64_t seconds, char *ret, size_t size)
{
	if (seconds < 60)
		snprintf(ret, size, "%" PRId64 " s", seconds);
	else if (seconds < 3600)
		snprintf(ret, size, "%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
	else
		snprintf(ret, size, "%" PRId64 " h %" PRId64 " min", seconds / 3600, seconds / 60 % 60);
}

/* What the service said, in brackets: "(AccessDeniedException: …)". */
static void words(const struct aws_error *e, unsigned int status, char *ret, size_t size)
{
	const char *part = e->reason[0] && e->message[0] ? ", " : "";

	if (!e->code[0])
		snprintf(ret, size, "HTTP status %u%s%s", status, e->message[0] ? ": " : "", e->message);
	else
		snprintf(ret, size, "%s%s%s%s%s", e->code, e->reason[0] || e->message[0] ? ": " : "", e->reason, part,
			 e->message);
}

void aws_error_sentence(const struct aws_error *e, unsigned int status, const char *action, const char *identity,
			char *ret, size_t size)
{
	char said[sizeof(e->code) + sizeof(e->reason) + sizeof(e->message) + 16], time[64], missing[96];

	words(e, status, said, sizeof(said));
	span(llabs(e->behind), time, sizeof(time));
	permission(e, action, missing, sizeof(missing));
	if (e->behind)
		snprintf(ret, size, "%s: this machine's clock is %s %s the service's, which takes no signature of that time: set the clock (%s)",
			 action, time, e->behind > 0 ? "behind" : "ahead of", said);
	else if (is_denial(e->code))
		snprintf(ret, size, "%s: the credentials of %s lack the permission %s (%s)", action, identity,
			 missing, said);
	else if (is_unknown_key(e->code))
		snprintf(ret, size, "%s: AWS does not know the credentials of %s (%s)", action, identity, said);
	else if (e->outcome == AWS_EXPIRED)
		snprintf(ret, size, "%s: the session of the credentials of %s has ended (%s)", action, identity, said);
	else
		snprintf(ret, size, "%s: %s", action, said);
}
