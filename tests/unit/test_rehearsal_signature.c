/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "tap.h"

#include "factory/base/io.h"
#include "upload/rehearsal/signature.h"

/* The signatures were computed by botocore, for the key of AWS's own examples. */
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define TIME "20260102T030405Z"
#define CHECKSUM "X3om4deM0XGxqrAgjaEz6ZbHUoW5SqjvBsZXjqCyaQM="
#define LINEAR "l8cmU1ymV93Imrc5g4fF0Uj3Hi5fj/KWrb04gZRJDPM="

struct example {
	const char *about, *service, *method, *path, *query, *body;
	const char *headers[8][2];	/* signed, in order */
	const char *signature;
};

static const struct example examples[] = {
	{ "a block, its body unsigned", "ebs", "PUT", "/snapshots/snap-0123456789abcdef0/blocks/7", "", "whatever",
	  { { "content-type", "application/octet-stream" }, { "host", "ebs.us-east-1.amazonaws.com" },
	    { "x-amz-checksum", CHECKSUM }, { "x-amz-checksum-algorithm", "SHA256" },
	    { "x-amz-content-sha256", "UNSIGNED-PAYLOAD" }, { "x-amz-data-length", "524288" }, { "x-amz-date", TIME } },
	  "187222fa2a318f40db4fd299e3ac61991d355c0757c564abe070805725cc6704" },
	{ "completion, without a body", "ebs", "POST", "/snapshots/completion/snap-0123456789abcdef0", "", "",
	  { { "host", "ebs.us-east-1.amazonaws.com" }, { "x-amz-changedblockscount", "1" }, { "x-amz-checksum", LINEAR },
	    { "x-amz-checksum-aggregation-method", "LINEAR" }, { "x-amz-checksum-algorithm", "SHA256" },
	    { "x-amz-date", TIME } },
	  "37da8925b906ba64574b3d0898708b2dc664a72a748ef7d613e878ec57a7d373" },
	{ "a form of EC2", "ec2", "POST", "/", "",
	  "Action=DescribeSnapshots&Version=2016-11-15&SnapshotId.1=snap-0123456789abcdef0",
	  { { "content-type", "application/x-www-form-urlencoded; charset=utf-8" },
	    { "host", "ec2.us-east-1.amazonaws.com" }, { "x-amz-date", TIME } },
	  "1c5bc7ef177ab5a6eca5222c4f33244f9f59ca7a1fdc20cba491a22bcc810f71" },
};

static struct request make_request(const struct example *e)
{
	struct request q = {
		.method = string_copy(e->method), .path = string_copy(e->path), .query = string_copy(e->query),
		.body = BUF_INIT(REQUEST_BODY_MAX),
	};

	for (size_t i = 0; e->headers[i][0]; i++)
		pairs_add(&q.headers, e->headers[i][0], e->headers[i][1]);
	need(buf_add_string(&q.body, e->body) == 0, "a body");
	return q;
}

static void free_request(struct request *q)
{
	free(q->method);
	free(q->path);
	free(q->query);
	pairs_free(&q->headers);
	buf_free(&q->body);
}

static struct signature make_signature(const struct example *e)
{
	struct buf text = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	struct signature s;

	(void)buf_printf(&text, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/%s/aws4_request, SignedHeaders=",
			 e->service);
	for (size_t i = 0; e->headers[i][0]; i++)
		(void)buf_printf(&text, "%s%s", i ? ";" : "", e->headers[i][0]);
	(void)buf_printf(&text, ", Signature=%s", e->signature);
	need(signature_parse(buf_text(&text), &s, &err) == 0, "%s: the header is understood", e->about);
	ok_str(s.access_key, "AKIDEXAMPLE", "and names the key");
	ok_str(s.service, e->service, "and the service");
	buf_free(&text);
	return s;
}

static void expect(const struct signature *s, const char *secret, const struct request *q, enum error_kind kind,
		   const char *about)
{
	struct error err = ERROR_INIT;
	int64_t time = 0;
	int r = signature_holds(s, secret, q, &time, &err);

	ok_int(err.kind, kind, "%s", about);
	if (r == 0)
		ok_int(time, 1767323045, "at its time");
}

static void test_examples(void)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct example *e = &examples[i];
		struct request q = make_request(e);
		struct signature s = make_signature(e);

		expect(&s, SECRET, &q, ERROR_NONE, e->about);
		expect(&s, "other", &q, ERROR_VERDICT, "with another secret it is another");
		s.bytes[31] ^= 1;
		expect(&s, SECRET, &q, ERROR_VERDICT, "one bit of it counts");
		free_request(&q);
	}
}

static void test_changes(void)
{
	struct request q = make_request(&examples[0]);
	struct signature s = make_signature(&examples[0]);

	pairs_add(&q.headers, "x-amz-progress", "5");
	expect(&s, SECRET, &q, ERROR_INPUT, "an x-amz header that is not signed");
	pairs_remove(&q.headers, "x-amz-progress", NULL);
	pairs_add(&q.headers, "accept", "*/*");
	expect(&s, SECRET, &q, ERROR_NONE, "another header need not be");
	pairs_set(&q.headers, "x-amz-data-length", " 524288  ");
	expect(&s, SECRET, &q, ERROR_NONE, "blanks around a value do not count");
	pairs_set(&q.headers, "x-amz-data-length", "524289");
	expect(&s, SECRET, &q, ERROR_VERDICT, "what is signed does");
	pairs_set(&q.headers, "x-amz-data-length", "524288");
	pairs_set(&q.headers, "x-amz-date", "20260103T030405Z");
	expect(&s, SECRET, &q, ERROR_INPUT, "the scope's day is another");
	pairs_remove(&q.headers, "x-amz-date", NULL);
	expect(&s, SECRET, &q, ERROR_INPUT, "no date");
	free_request(&q);

	q = make_request(&examples[1]);
	s = make_signature(&examples[1]);
	need(buf_add_string(&q.body, "x") == 0, "a body where there was none");
	expect(&s, SECRET, &q, ERROR_VERDICT, "is not what was signed");
	pairs_add(&q.headers, "x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	snprintf(s.signed_headers, sizeof(s.signed_headers), "host;x-amz-changedblockscount;x-amz-checksum;"
		 "x-amz-checksum-aggregation-method;x-amz-checksum-algorithm;x-amz-content-sha256;x-amz-date");
	expect(&s, SECRET, &q, ERROR_INPUT, "a digest that is not the body's is told apart");
	free_request(&q);
}

static void test_headers(void)
{
	static const char *const bad[] = {
		"", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "Bearer abc",
		"AWS4-HMAC-SHA256 Credential=A/20260102/r/s/aws4_request, SignedHeaders=host",
		"AWS4-HMAC-SHA256 Credential=A/2026/r/s/aws4_request, SignedHeaders=host, Signature="
		"1c5bc7ef177ab5a6eca5222c4f33244f9f59ca7a1fdc20cba491a22bcc810f71",
		"AWS4-HMAC-SHA256 Credential=A/20260102/r/aws4_request, SignedHeaders=host, Signature="
		"1c5bc7ef177ab5a6eca5222c4f33244f9f59ca7a1fdc20cba491a22bcc810f71",
		"AWS4-HMAC-SHA256 Credential=A/20260102/r/s/aws4_request, SignedHeaders=host, Signature=1c5b",
		"AWS4-HMAC-SHA256 Credential, SignedHeaders=host, Signature="
		"1c5bc7ef177ab5a6eca5222c4f33244f9f59ca7a1fdc20cba491a22bcc810f71",
		"AWS4-HMAC-SHA256 Credential=A/20260102/r/s/aws4_request, SignedHeaders=host, SignedHeaders=host",
		"AWS4-HMAC-SHA256 Credential=A/20260102/r/s/aws4_request, Credential=A/20260102/r/s/aws4_request, Signature="
		"1c5bc7ef177ab5a6eca5222c4f33244f9f59ca7a1fdc20cba491a22bcc810f71",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error err = ERROR_INIT;
		struct signature s;

		ok_int(signature_parse(bad[i], &s, &err), -EINVAL, "refused: %.60s", bad[i]);
	}
}

int main(void)
{
	test_examples();
	test_changes();
	test_headers();
	return tap_done();
}
