/* SPDX-License-Identifier: Apache-2.0 */
#include "upload/aws_error.h"

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "tests/unit/tap.h"

#define NOW 1767323045		/* Fri, 02 Jan 2026 03:04:05 GMT */
#define EC2_ERROR(code, message) \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>" code "</Code><Message>" message \
	"</Message></Error></Errors><RequestID>r</RequestID></Response>"
#define STS_ERROR(code, message) \
	"<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>" code \
	"</Code><Message>" message "</Message></Error></ErrorResponse>"

static struct aws_error read_error(unsigned int status, const char *type, const char *date, const char *body)
{
	struct http_header headers[2];
	struct http_answer answer = { .status = status, .headers = headers, .body = BUF_INIT(SIZE_MAX) };
	struct aws_error e;

	if (type)
		headers[answer.header_count++] = (struct http_header) { "x-amzn-ErrorType", type };
	if (date)
		headers[answer.header_count++] = (struct http_header) { "Date", date };
	need(buf_add_string(&answer.body, body) == 0, "a body");
	aws_error_read(&answer, NOW, &e);
	buf_free(&answer.body);
	return e;
}

static const struct {
	unsigned int status;
	const char *type, *body;
	enum aws_outcome outcome;
	const char *code, *reason;
} table[] = {
	{400, "RequestThrottledException", "{\"Reason\":\"ACCOUNT_THROTTLED\"}", AWS_THROTTLED,
	 "RequestThrottledException", "ACCOUNT_THROTTLED"},
	{400, "RequestThrottledException:http://internal.amazon.com/coral/", "{}", AWS_THROTTLED,
	 "RequestThrottledException", ""},
	{400, NULL, "{\"__type\":\"com.amazonaws.ebs#ThrottlingException\"}", AWS_THROTTLED, "ThrottlingException", ""},
	{503, NULL, EC2_ERROR("RequestLimitExceeded", "Request limit exceeded."), AWS_THROTTLED, "RequestLimitExceeded",
	 ""},
	{503, NULL, EC2_ERROR("EC2ThrottledException", ""), AWS_THROTTLED, "EC2ThrottledException", ""},
	{400, NULL, STS_ERROR("Throttling", "Rate exceeded"), AWS_THROTTLED, "Throttling", ""},
	{429, NULL, "", AWS_THROTTLED, "", ""},
	{500, "InternalServerException", "{}", AWS_AGAIN, "InternalServerException", ""},
	{500, NULL, EC2_ERROR("InternalError", "x"), AWS_AGAIN, "InternalError", ""},
	{503, NULL, "<html>busy</html>", AWS_AGAIN, "", ""},
	{502, NULL, "", AWS_AGAIN, "", ""},
	{400, "ValidationException", "{\"Message\":\"m\",\"Reason\":\"WRITE_REQUEST_TIMEOUT\"}", AWS_AGAIN,
	 "ValidationException", "WRITE_REQUEST_TIMEOUT"},
	{400, "ValidationException", "{\"Message\":\"m\",\"Reason\":\"INVALID_BLOCK\"}", AWS_REFUSED,
	 "ValidationException", "INVALID_BLOCK"},
	{403, "AccessDeniedException", "{\"Message\":\"no\"}", AWS_REFUSED, "AccessDeniedException", ""},
	{404, "ResourceNotFoundException", "{\"Reason\":\"SNAPSHOT_NOT_FOUND\"}", AWS_REFUSED,
	 "ResourceNotFoundException", "SNAPSHOT_NOT_FOUND"},
	{402, "ServiceQuotaExceededException", "{}", AWS_REFUSED, "ServiceQuotaExceededException", ""},
	{409, "ConflictException", "{}", AWS_REFUSED, "ConflictException", ""},
	{412, NULL, EC2_ERROR("DryRunOperation", "would have"), AWS_REFUSED, "DryRunOperation", ""},
	{400, NULL, EC2_ERROR("InvalidAMIName.Duplicate", "x"), AWS_REFUSED, "InvalidAMIName.Duplicate", ""},
	{403, "ExpiredTokenException", "{}", AWS_EXPIRED, "ExpiredTokenException", ""},
	{400, NULL, STS_ERROR("ExpiredToken", "x"), AWS_EXPIRED, "ExpiredToken", ""},
	{400, NULL, EC2_ERROR("RequestExpired", "Request has expired."), AWS_EXPIRED, "RequestExpired", ""},
	{403, "InvalidSignatureException", "{}", AWS_REFUSED, "InvalidSignatureException", ""},
	/* What begins like a code that is known is not that one. */
	{400, "ThrottlingExceptionally", "{}", AWS_REFUSED, "ThrottlingExceptionally", ""},
	{400, NULL, "{\"Reason\": 7, \"Message\": [1]}", AWS_REFUSED, "", ""},
	{400, NULL, "{\"Reason\": ", AWS_REFUSED, "", ""},
	{400, NULL, "<Response><Errors/></Response>", AWS_REFUSED, "", ""},
};

static void test_table(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct aws_error e = read_error(table[i].status, table[i].type, NULL, table[i].body);

		ok_int(e.outcome, table[i].outcome, "status %u, \"%s\" %.40s", table[i].status,
		       table[i].type ? table[i].type : "", table[i].body);
		ok_str(e.code, table[i].code, "its code");
		ok_str(e.reason, table[i].reason, "its reason");
	}
}

static void sentence(const struct aws_error *e, unsigned int status, char ret[static 1024])
{
	aws_error_sentence(e, status, "ebs:PutSnapshotBlock", "the environment", ret, 1024);
}

/* A clock that is wrong is told by how much; one that is right leaves the signature to be wrong. */
static void test_clock(void)
{
	static const struct {
		const char *date, *says;
	} cases[] = {
		{"Fri, 02 Jan 2026 03:21:08 GMT", "this machine's clock is 17 min 3 s behind the service's"},
		{"Fri, 02 Jan 2026 00:02:05 GMT", "this machine's clock is 3 h 2 min ahead of the service's"},
		{"Fri, 02 Jan 2026 03:04:45 GMT", "ebs:PutSnapshotBlock: InvalidSignatureException: Signature expired"},
		{"yesterday", "ebs:PutSnapshotBlock: InvalidSignatureException: Signature expired"},
	};
	struct aws_error e;
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		e = read_error(403, "InvalidSignatureException", cases[i].date, "{\"message\":\"Signature expired\"}");
		sentence(&e, 403, text);
		ok(strstr(text, cases[i].says), "at %s: %s", cases[i].date, text);
		ok_int(e.outcome, AWS_REFUSED, "and it is final");
	}
	e = read_error(400, NULL, "Fri, 02 Jan 2026 04:04:05 GMT", EC2_ERROR("RequestExpired", "x"));
	ok_int(e.outcome, AWS_REFUSED,
	       "what EC2 says of a session that has ended and of a clock is told apart by the clock");
	ok_int(e.behind, 3600, "which is an hour behind");
}

static void test_sentences(void)
{
	struct aws_error e = read_error(403, "AccessDeniedException", NULL, "{\"Message\":\"no\\u0007pe\"}");
	char text[1024];

	sentence(&e, 403, text);
	ok_str(text,
	       "ebs:PutSnapshotBlock: the credentials of the environment lack the permission ebs:PutSnapshotBlock "
	       "(AccessDeniedException: nope)",
	       "the permission that is missing, and no control character");
	e = read_error(403, NULL, NULL, EC2_ERROR("UnauthorizedOperation",
		       "User: arn:aws:iam::1:user/u is not authorized to perform: ec2:CreateTags on resource: x"));
	sentence(&e, 403, text);
	ok(strstr(text, "lack the permission ec2:CreateTags ("), "or the one that the service names");
	e = read_error(403, "UnrecognizedClientException", NULL, "{\"message\":\"The security token is invalid.\"}");
	sentence(&e, 403, text);
	ok(strstr(text, "AWS does not know the credentials of the environment"), "an unknown key");
	e = read_error(403, "ExpiredTokenException", NULL, "{}");
	sentence(&e, 403, text);
	ok(strstr(text, "the session of the credentials of the environment has ended"), "a session that has ended");
	e = read_error(418, NULL, NULL, "");
	sentence(&e, 418, text);
	ok_str(text, "ebs:PutSnapshotBlock: HTTP status 418", "an answer that says nothing");
	aws_error_sentence(&e, 418, "ebs:PutSnapshotBlock", "x", text, 10);
	ok_str(text, "ebs:PutSn", "cut to its size");
}

int main(void)
{
	test_table();
	test_clock();
	test_sentences();
	return tap_done();
}
