/* SPDX-License-Identifier: Apache-2.0 */
#include "upload/sigv4.h"

#include "factory/base/base64.h"
#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "factory/base/digest.h"
#include "tests/unit/tap.h"
#include "upload/aws_request.h"
#include "upload/credentials.h"

#define KEY_ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define BLOCK_SIZE 524288
#define BLOCK_SUM "X3om4deM0XGxqrAgjaEz6ZbHUoW5SqjvBsZXjqCyaQM="
#define LINEAR "l8cmU1ymV93Imrc5g4fF0Uj3Hi5fj/KWrb04gZRJDPM="
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct vector {
	const char *name;
	struct sigv4_request request;
	struct sigv4_scope scope;
	const char *canonical;		/* SHA-256; NULL: not given */
	const char *signature;
};

static const struct aws_pair put_headers[] = {
	{ "Content-Type", "application/octet-stream" }, { "Host", "ebs.us-east-1.amazonaws.com" },
	{ "x-amz-Checksum", BLOCK_SUM }, { "x-amz-Checksum-Algorithm", "SHA256" },
	{ "X-Amz-Content-Sha256", SIGV4_UNSIGNED }, { "x-amz-Data-Length", "524288" },
	{ "X-Amz-Date", "20260102T030405Z" },
};
static const struct aws_pair completion_headers[] = {
	{ "Host", "ebs.us-east-1.amazonaws.com" }, { "X-Amz-Date", "20260102T030405Z" },
	{ "x-amz-ChangedBlocksCount", "1" }, { "x-amz-Checksum", LINEAR },
	{ "x-amz-Checksum-Aggregation-Method", "LINEAR" }, { "x-amz-Checksum-Algorithm", "SHA256" },
};
static const struct aws_pair suite_headers[] = {{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}};
static const struct aws_pair trim_headers[] = {
	{ "Host", "example.amazonaws.com" }, { "My-Header1", " value1" }, { "My-Header2", " \"a   b   c\"" },
	{ "X-Amz-Date", "20150830T123600Z" },
};
static const struct aws_pair suite_query[] = { { "Param2", "value2" }, { "Param1", "value1" } };

/* The first three were computed with botocore and independently of it; the rest is of AWS's own suite of tests. */
static const struct vector vectors[] = {
	{
		.name = "PutSnapshotBlock, its body not signed",
		.request = { "PUT", "/snapshots/snap-0123456789abcdef0/blocks/7", NULL, 0, put_headers,
			     ARRAY_SIZE(put_headers), SIGV4_UNSIGNED },
		.scope = { "20260102T030405Z", "us-east-1", "ebs" },
		.canonical = "1613840678cb496925190c63a31a1f3a55e6c045d4bc0c12bbe6d913ebde60a0",
		.signature = "187222fa2a318f40db4fd299e3ac61991d355c0757c564abe070805725cc6704",
	}, {
		.name = "CompleteSnapshot, without a body",
		.request = { "POST", "/snapshots/completion/snap-0123456789abcdef0", NULL, 0, completion_headers,
			     ARRAY_SIZE(completion_headers), EMPTY },
		.scope = { "20260102T030405Z", "us-east-1", "ebs" },
		.canonical = "d2a286c799993cc87626e709b22eeb0999e5367626a7b88b1a73f5c6b0d02e4a",
		.signature = "37da8925b906ba64574b3d0898708b2dc664a72a748ef7d613e878ec57a7d373",
	}, {
		.name = "get-vanilla",
		.request = { "GET", "/", NULL, 0, suite_headers, ARRAY_SIZE(suite_headers), EMPTY },
		.scope = { "20150830T123600Z", "us-east-1", "service" },
		.signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	}, {
		.name = "get-vanilla-query-order-key-case",
		.request = { "GET", "/", suite_query, ARRAY_SIZE(suite_query), suite_headers, ARRAY_SIZE(suite_headers),
			     EMPTY },
		.scope = { "20150830T123600Z", "us-east-1", "service" },
		.signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
	}, {
		.name = "post-vanilla",
		.request = { "POST", "/", NULL, 0, suite_headers, ARRAY_SIZE(suite_headers), EMPTY },
		.scope = { "20150830T123600Z", "us-east-1", "service" },
		.signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	}, {
		.name = "get-header-value-trim",
		.request = { "GET", "/", NULL, 0, trim_headers, ARRAY_SIZE(trim_headers), EMPTY },
		.scope = { "20150830T123600Z", "us-east-1", "service" },
		.signature = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
	},
};

static void test_vector(const struct vector *v)
{
	CLEANUP_BUF struct buf canonical = BUF_INIT(SIZE_MAX), text = BUF_INIT(SIZE_MAX);
	const char *signature;
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;

	sigv4_canonical(&v->request, &canonical);
	digest_of(DIGEST_SHA256, canonical.data, canonical.len, &digest);
	digest_hex(&digest, hex);
	if (v->canonical)
		ok_str(hex, v->canonical, "%s: the canonical request", v->name);
	sigv4_authorization(&v->request, &v->scope, KEY_ID, SECRET, &text);
	signature = strstr(buf_text(&text), "Signature=");
	ok_str(signature ? signature + 10 : NULL, v->signature, "%s: the signature", v->name);
}

static void test_header(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);

	sigv4_authorization(&vectors[2].request, &vectors[2].scope, KEY_ID, SECRET, &text);
	ok_str(buf_text(&text), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
	       "SignedHeaders=host;x-amz-date, "
	       "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31", "the whole header");
}

/* A path that is encoded is encoded once more: no service but S3 is asked. */
static void test_path(void)
{
	CLEANUP_BUF struct buf canonical = BUF_INIT(SIZE_MAX);
	const struct aws_pair query[] = { { "b", "2 /+" }, { "a", "z" }, { "a", "A" }, { "a.b", "" } };

	sigv4_canonical(&(struct sigv4_request) {
		.method = "GET", .path = "/a%20b/c~d", .query = query, .query_count = ARRAY_SIZE(query),
		.headers = suite_headers, .header_count = ARRAY_SIZE(suite_headers), .payload = EMPTY,
	}, &canonical);
	ok_str(buf_text(&canonical), "GET\n/a%2520b/c~d\na=A&a=z&a.b=&b=2%20%2F%2B\nhost:example.amazonaws.com\n"
	       "x-amz-date:20150830T123600Z\n\nhost;x-amz-date\n" EMPTY, "encoded and sorted");
}

static void test_form(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);
	const struct aws_pair pairs[] = { { "Action", "X" }, { "Name", "a b*'(~\xc3\xa9" } };

	sigv4_form(pairs, ARRAY_SIZE(pairs), &text);
	ok_str(buf_text(&text), "Action=X&Name=a%20b%2A%27%28~%C3%A9", "a form keeps its order");
}

static void test_date(void)
{
	char date[SIGV4_DATE_SIZE];

	sigv4_date(1767323045, date);
	ok_str(date, "20260102T030405Z", "the time of the vectors");
	sigv4_date(951782400, date);
	ok_str(date, "20000229T000000Z", "a day that few years have");
}

/* ---------------------------------------------------------------- whole requests */

static const char *header_of(const struct signed_request *s, const char *name)
{
	for (size_t i = 0; i < s->http.header_count; i++)
		if (strcasecmp(s->http.headers[i].name, name) == 0)
			return s->http.headers[i].value;
	return NULL;
}

static bool ends_with(const char *text, const char *end)
{
	return text && strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void test_ec2_request(void)
{
	static const char body[] = "Action=DescribeSnapshots&Version=2016-11-15&SnapshotId.1=snap-0123456789abcdef0";
	static const struct aws_pair type = { "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" };
	const struct aws_request q = {
		.service = "ec2", .method = "POST", .path = "/", .headers = &type, .header_count = 1,
		.body = body, .body_size = sizeof(body) - 1,
	};
	const struct credentials c = { .key_id = (char *)KEY_ID, .secret = (char *)SECRET };
	CLEANUP_SIGNED_REQUEST struct signed_request s = SIGNED_REQUEST_INIT;

	aws_request_sign(&q, "https://ec2.us-east-1.amazonaws.com", "us-east-1", &c, 1767323045, &s);
	ok_str(s.url, "https://ec2.us-east-1.amazonaws.com/", "the URL");
	ok_str(header_of(&s, "host"), "ec2.us-east-1.amazonaws.com", "the host");
	ok(ends_with(header_of(&s, "authorization"),
		     "Signature=1c5bc7ef177ab5a6eca5222c4f33244f9f59ca7a1fdc20cba491a22bcc810f71"),
	   "DescribeSnapshots: the body is signed, and the vector's signature comes out");
}

static void test_block_request(void)
{
	const struct aws_pair headers[] = { put_headers[0], put_headers[2], put_headers[3], put_headers[5] };
	const struct credentials c = { .key_id = (char *)KEY_ID, .secret = (char *)SECRET };
	CLEANUP_BUF struct buf block = BUF_INIT(BLOCK_SIZE), sum = BUF_INIT(100);
	CLEANUP_SIGNED_REQUEST struct signed_request s = SIGNED_REQUEST_INIT;
	struct aws_request q = {
		.service = "ebs", .method = "PUT", .path = "/snapshots/snap-0123456789abcdef0/blocks/7",
		.headers = headers, .header_count = ARRAY_SIZE(headers), .unsigned_payload = true,
	};
	struct digest digest;

	need(buf_fill(&block, 'A', BLOCK_SIZE) == 0, "a block");
	digest_of(DIGEST_SHA256, block.data, block.len, &digest);
	need(base64_encode(digest.bytes, 32, &sum) == 0, "its sum");
	ok_str(buf_text(&sum), BLOCK_SUM, "the sum of the vector");
	q.body = block.data;
	q.body_size = block.len;
	aws_request_sign(&q, "https://ebs.us-east-1.amazonaws.com:443", "us-east-1", &c, 1767323045, &s);
	ok_str(header_of(&s, "host"), "ebs.us-east-1.amazonaws.com", "a port that is the scheme's own is not named");
	ok(ends_with(header_of(&s, "authorization"), vectors[0].signature), "PutSnapshotBlock of a whole block");
}

static void test_sessions_and_anonymous(void)
{
	static const struct aws_pair query = { "blockToken", "a/b=" };
	const struct aws_request q = {.service = "ebs",
				      .method = "GET",
				      .path = "/x",
				      .query = &query,
				      .query_count = 1};
	const struct credentials c = { .key_id = (char *)KEY_ID, .secret = (char *)SECRET, .token = (char *)"TOKEN" };
	CLEANUP_SIGNED_REQUEST struct signed_request by_session = SIGNED_REQUEST_INIT, by_nobody = SIGNED_REQUEST_INIT;

	aws_request_sign(&q, "http://127.0.0.1:8080", "us-east-1", &c, 0, &by_session);
	ok_str(by_session.url, "http://127.0.0.1:8080/x?blockToken=a%2Fb%3D", "a query is encoded");
	ok_str(header_of(&by_session, "host"), "127.0.0.1:8080", "a port that is another is named");
	ok_str(header_of(&by_session, "x-amz-security-token"), "TOKEN", "a session's token is sent");
	ok(strstr(header_of(&by_session, "authorization"), "SignedHeaders=host;x-amz-date;x-amz-security-token,"),
	   "and signed");
	aws_request_sign(&q, "http://127.0.0.1:80", "us-east-1", NULL, 0, &by_nobody);
	ok(!header_of(&by_nobody, "authorization"), "without credentials nothing is signed");
	ok_str(header_of(&by_nobody, "host"), "127.0.0.1", "http's own port");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		test_vector(&vectors[i]);
	test_header();
	test_path();
	test_form();
	test_date();
	test_ec2_request();
	test_block_request();
	test_sessions_and_anonymous();
	return tap_done();
}
