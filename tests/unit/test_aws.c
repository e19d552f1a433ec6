/* SPDX-License-Identifier: Apache-2.0 */
#include "upload/aws.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "factory/base/log.h"
#include "factory/base/process.h"
#include "tests/unit/aws_environment.h"
#include "tests/unit/http_server.h"

/* What is answered next; once there is no more, "200 OK". */
struct answer {
	const char *status, *headers, *body;	/* status NULL: the connection is cut */
};

static struct {
	struct answer next[16];
	unsigned int count, used;
} script;

static bool serve(void *arg, int fd, const struct served *q)
{
	struct answer a = { "200 OK", "", "<A><B>b</B></A>" };

	(void)arg;
	(void)q;
	if (script.used < script.count)
		a = script.next[script.used++];
	return a.status ? serve_text(fd, a.status, a.headers, a.body) : false;
}

#define EXPECT(...) \
	do { \
		const struct answer list_[] = { __VA_ARGS__ }; \
		memcpy(script.next, list_, sizeof(list_)); \
		script.count = ARRAY_SIZE(list_); \
		script.used = 0; \
		http_server_forget(); \
	} while (0)

static struct aws *open_aws(void)
{
	struct error err = ERROR_INIT;
	struct aws *a = NULL;

	setenv("AWS_ENDPOINT_URL", served_url(""), 1);
	setenv("AWS_ACCESS_KEY_ID", "KEY", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "sesame", 1);
	need(aws_open(&(struct aws_options) { .region = "us-east-1" }, &a, &err) == 0, "opened (%s)", err.message);
	return a;
}

static const struct aws_request get_block = {
	.service = "ebs", .method = "GET", .path = "/snapshots/snap-1/blocks", .action = "ebs:ListSnapshotBlocks",
};

static int call(struct aws *a, struct error *err)
{
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;

	*err = (struct error)ERROR_INIT;
	return aws_call(a, &get_block, &answer, err);
}

/* ---------------------------------------------------------------- waiting calls */

static void test_retries(void)
{
	CLEANUP_AWS struct aws *a = open_aws();
	struct error err;

	ok_str(aws_region(a), "us-east-1", "the region");
	ok_str(aws_identity(a), "the environment", "whose credentials");
	EXPECT({"500 Error", "", ""}, {NULL, "", ""},
	       {"400 Slow", "x-amzn-errortype: RequestThrottledException\r\n", "{}"});
	ok_int(call(a, &err), 0, "what may work later is tried again (%s)", err.message);
	ok_int(http_server.count, 4, "until it does");
	EXPECT({"404 No", "x-amzn-errortype: ResourceNotFoundException\r\n",
		"{\"Reason\":\"SNAPSHOT_NOT_FOUND\",\"Message\":\"m\"}"});
	ok(call(a, &err) < 0, "what is final is not");
	ok_int(http_server.count, 1, "not once");
	ok_str(err.message, "ebs:ListSnapshotBlocks: ResourceNotFoundException: SNAPSHOT_NOT_FOUND, m", "and says why");
	ok_str(aws_last_code(a), "ResourceNotFoundException", "its code is known");
	ok_int(aws_last_outcome(a), AWS_REFUSED, "and its meaning");
	setenv("AWS_MAX_ATTEMPTS", "2", 1);
	EXPECT({ "503 Busy", "", "" }, { "503 Busy", "", "" }, { "503 Busy", "", "" });
	ok(call(a, &err) < 0, "in the end it is given up");
	ok_int(http_server.count, 2, "after as many attempts as AWS_MAX_ATTEMPTS allows");
	ok_str(err.message, "ebs:ListSnapshotBlocks: HTTP status 503", "with the last answer");
	ok_int(aws_last_outcome(a), AWS_AGAIN, "which may have been done");
	aws_environment_clear();
}

static void test_once(void)
{
	CLEANUP_AWS struct aws *a = open_aws();
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	struct error err = ERROR_INIT;

	EXPECT({ "200 OK", "", "" }, { NULL, "", "" });
	need(aws_call(a, &get_block, &answer, &err) == 0, "a connection is there");
	ok(aws_call_once(a, &get_block, &(struct http_answer *){NULL}, &err) < 0,
	   "a call that must not be done twice fails at once");
	ok_int(http_server.count, 2, "and was sent once, though libcurl sends anew what an old connection lost");
	ok_int(aws_last_outcome(a), AWS_AGAIN, "nobody knows whether it was done");
	ok_str(aws_last_code(a), "", "and there is no code");
	aws_environment_clear();
}

static void test_clock(void)
{
	CLEANUP_AWS struct aws *a = open_aws();
	char headers[128];
	struct error err;
	time_t at = time(NULL) + 1023;
	struct tm tm;

	strftime(headers, sizeof(headers),
		 "x-amzn-errortype: InvalidSignatureException\r\nDate: %a, %d %b %Y %H:%M:%S GMT\r\n",
		 gmtime_r(&at, &tm));
	EXPECT({ "403 No", headers, "{\"message\":\"Signature not yet current\"}" });
	ok(call(a, &err) < 0, "a clock that is wrong");
	ok(strstr(err.message, "clock is 17 min 3 s behind") || strstr(err.message, "clock is 17 min 2 s behind"), "%s",
	   err.message);
	ok_int(http_server.count, 1, "is final");
	aws_environment_clear();
}

static void test_silence(void)
{
	CLEANUP_AWS struct aws *a = NULL;
	struct error err = ERROR_INIT;

	setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1", 1);
	setenv("AWS_ACCESS_KEY_ID", "KEY", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "sesame", 1);
	setenv("AWS_MAX_ATTEMPTS", "1", 1);
	need(aws_open(&(struct aws_options){.region = "us-west-9"}, &a, &err) == 0,
	     "nobody is asked when it is opened");
	ok(call(a, &err) < 0, "where nobody answers");
	ok_error(&err, "ebs:ListSnapshotBlocks: 127.0.0.1:1: no answer: ", "it is said who does not");
	ok_error(&err, "(is there a network, and such a region?)", "and what to look for");
	aws_environment_clear();
}

/* ---------------------------------------------------------------- sessions */

static void write_session(const char *token)
{
	CLEANUP_FREE char *text = string_printf("[default]\naws_access_key_id = KEY\naws_secret_access_key = sesame\n"
						"aws_session_token = %s\n", token);

	aws_home_file(".aws/credentials", text);
}

static const struct answer expired = { "403 No", "x-amzn-errortype: ExpiredTokenException\r\n", "{}" };

static void test_expiry(void)
{
	CLEANUP_AWS struct aws *a = NULL;
	struct error err = ERROR_INIT;

	setenv("AWS_ENDPOINT_URL", served_url(""), 1);
	write_session("one");
	need(aws_open(&(struct aws_options) { .region = "us-east-1" }, &a, &err) == 0, "opened");
	EXPECT(expired);
	/* The files are read when it is opened: what is renewed is what a source gives anew. */
	ok(call(a, &err) < 0, "a session that has ended, and no newer one");
	ok_error(&err, "the session of the credentials of the profile \"default\" has ended, and there is no newer one",
		 "is said");
	ok_int(http_server.count, 1, "without asking again");
	aws_environment_clear();
}

static void write_process(const char *token, const char *expires)
{
	CLEANUP_FREE char *text = string_printf("{\"Version\": 1, \"AccessKeyId\": \"KEY\", \"SecretAccessKey\": "
						"\"sesame\", \"SessionToken\": \"%s\", \"Expiration\": \"%s\"}",
						token, expires);
	CLEANUP_FREE char *file = string_copy(aws_home_file("session.json", text));
	CLEANUP_FREE char *config = string_printf("[default]\ncredential_process = cat %s\n", file);

	aws_home_file(".aws/config", config);
}

static struct aws *open_by_process(void)
{
	struct error err = ERROR_INIT;
	struct aws *a = NULL;

	setenv("AWS_ENDPOINT_URL", served_url(""), 1);
	aws_home_file(".aws/credentials", "");
	need(aws_open(&(struct aws_options) { .region = "us-east-1" }, &a, &err) == 0, "opened (%s)", err.message);
	return a;
}

static void test_renewal(void)
{
	CLEANUP_AWS struct aws *a = NULL;
	struct error err;

	write_process("one", "2126-01-02T03:04:05Z");
	a = open_by_process();
	write_process("two", "2126-01-02T03:04:05Z");
	EXPECT(expired);
	ok_int(call(a, &err), 0, "a session that has ended is made anew");
	ok_int(http_server.count, 2, "and the call goes on");
	ok_str(served_header(http_server.requests[0], "x-amz-security-token"), "one", "by the old one first");
	ok_str(served_header(http_server.requests[1], "x-amz-security-token"), "two", "by the new one then");
	aws_environment_clear();
}

static void test_renewal_in_time(void)
{
	CLEANUP_AWS struct aws *a = NULL;
	char soon[32];
	struct error err;
	time_t at = time(NULL) + 120;
	struct tm tm;

	strftime(soon, sizeof(soon), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
	write_process("one", soon);
	a = open_by_process();
	write_process("two", "2126-01-02T03:04:05Z");
	EXPECT({ "200 OK", "", "" });
	ok_int(call(a, &err), 0, "a session that is about to end");
	ok_str(served_header(last_request(), "x-amz-security-token"), "two", "is made anew before that");
	aws_freep(&a);

	write_process("one", soon);
	a = open_by_process();
	aws_home_file("session.json", "torn");
	log_set_level(LOG_ERROR);
	ok_int(call(a, &err), 0, "where there is no new one yet");
	log_set_level(LOG_INFO);
	ok_str(served_header(last_request(), "x-amz-security-token"), "one", "the old one is good to its end");
	aws_environment_clear();
}

/* ---------------------------------------------------------------- queries */

static void test_query(void)
{
	CLEANUP_AWS struct aws *a = open_aws();
	CLEANUP_XML struct xml *x = NULL;
	const struct aws_pair parameters[] = { { "Action", "DescribeSnapshots" }, { "SnapshotId.1", "snap-1" } };
	struct error err = ERROR_INIT;

	EXPECT({ "200 OK", "", "<A xmlns=\"u:x\"><B>b</B></A>" });
	need(aws_query(a, "ec2", "2016-11-15", parameters, 2, &x, &err) == 0, "asked (%s)", err.message);
	ok_str(xml_text(xml_root(x), "B"), "b", "and answered");
	ok_str((const char *)last_request()->body, "Action=DescribeSnapshots&SnapshotId.1=snap-1&Version=2016-11-15",
	       "the form");
	ok_str(served_header(last_request(), "content-type"), "application/x-www-form-urlencoded; charset=utf-8",
	       "its type");
	ok(strstr(served_header(last_request(), "authorization"), "SignedHeaders=content-type;host;x-amz-date,"),
	   "all is signed");
	EXPECT({"412 No", "",
		"<Response><Errors><Error><Code>DryRunOperation</Code><Message>would</Message></Error></Errors>"
		"</Response>"});
	ok(aws_query_once(a, "ec2", "2016-11-15", parameters, 2, &x, &err) < 0, "a dry run");
	ok_str(aws_last_code(a), "DryRunOperation", "is known by its code");
	ok_error(&err, "ec2:DescribeSnapshots: DryRunOperation: would", "and named by its call");
	EXPECT({ "200 OK", "", "half <" });
	ok(aws_query(a, "ec2", "2016-11-15", parameters, 2, &x, &err) < 0, "an answer that is no XML");
	ok_error(&err, "ec2:DescribeSnapshots: the answer is not the XML", "is named by its call");
	aws_environment_clear();
}

/* ---------------------------------------------------------------- many at once */

struct block {
	struct aws *aws;
	unsigned int done, again;
};

static void on_block(void *arg, const struct aws_result *result);

static void begin_block(struct block *b)
{
	struct error err = ERROR_INIT;

	need(aws_begin(b->aws, &get_block, on_block, b, &err) == 0, "begun (%s)", err.message);
}

static void on_block(void *arg, const struct aws_result *result)
{
	struct block *b = arg;

	if (result->outcome == AWS_DONE) {
		b->done++;
	} else if (result->outcome == AWS_THROTTLED) {
		b->again++;
		begin_block(b);
	}
}

static void test_many(void)
{
	CLEANUP_AWS struct aws *a = open_aws();
	struct block b = { .aws = a };
	struct error err = ERROR_INIT;
	int r = 0;

	EXPECT({ "400 Slow", "x-amzn-errortype: RequestThrottledException\r\n", "{}" },
	       { "400 Slow", "x-amzn-errortype: RequestThrottledException\r\n", "{}" });
	for (int i = 0; i < 30; i++)
		begin_block(&b);
	ok_int(call(a, &err), 0, "a call that waits lets the others go on");
	while (r == 0 && aws_pending(a))
		r = aws_step(a, 1000, &err);
	ok_int(b.done + b.again, 30 + b.again, "all were done");
	ok(b.again <= 2, "those that were turned away as well");
	begin_block(&b);	/* for aws_free() */
	aws_environment_clear();
}

static void test_interrupt(void)
{
	CLEANUP_AWS struct aws *a = open_aws();
	struct error err;

	need(process_catch_signals(&err) == 0, "signals are caught");
	(void)raise(SIGTERM);
	ok_int(call(a, &err), -EINTR, "a signal ends the wait");
	aws_environment_clear();
}

int main(void)
{
	aws_environment_begin();
	http_server_start(serve, NULL);
	test_retries();
	test_once();
	test_clock();
	test_silence();
	test_expiry();
	test_renewal();
	test_renewal_in_time();
	test_query();
	test_many();
	test_interrupt();
	aws_environment_end();
	return tap_done();
}
