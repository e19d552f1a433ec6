/* SPDX-License-Identifier: Apache-2.0 */
#include "upload/http.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "factory/base/cleanup.h"
#include "factory/base/process.h"
#include "tests/unit/http_server.h"

#define BLOCK 524288
/* Longer than any name of the DNS may be: nobody has to be asked to know that there is no such host. */
#define NO_HOST "kiln-kiln-kiln-kiln-kiln-kiln-kiln-kiln-kiln-kiln-kiln-kiln-kiln-kiln.invalid"

static bool serve(void *arg, int fd, const struct served *q)
{
	const char *path = strstr(q->path, "://") ? strchr(strstr(q->path, "://") + 3, '/') : q->path;

	(void)arg;
	if (strcmp(path, "/stall") == 0) {
		sleep(3);
		return false;
	}
	if (strcmp(path, "/drip") == 0) {
		static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n";

		(void)!write(fd, head, sizeof(head) - 1);
		for (int i = 0; i < 8; i++) {
			(void)!send(fd, "x", 1, MSG_NOSIGNAL);
			usleep(150000);
		}
		return false;
	}
	if (strcmp(path, "/cut") == 0) {
		(void)!write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 44);
		return false;
	}
	if (strcmp(path, "/gone") == 0)
		return serve_text(fd, "301 Moved", "Location: http://example.invalid/\r\n", "");
	if (strcmp(path, "/continue") == 0)
		return serve_text(fd, "100 Continue\r\nX-Interim: 1\r\n\r\nHTTP/1.1 200 OK", "X-Last: 1\r\n", "done");
	return serve_text(fd, "200 OK", "Date: Fri, 02 Jan 2026 03:04:05 GMT\r\nX-Some:  value \r\n", "hello");
}

static int fetch(struct http *h, const struct http_request *q, struct http_answer **ret, struct error *err)
{
	*err = (struct error)ERROR_INIT;
	http_answer_freep(ret);
	return http_fetch(h, q, ret, err);
}

static int ask(struct http *h, const char *method, const char *url, size_t most, struct http_answer **ret,
	       struct error *err)
{
	return fetch(h, &(struct http_request) { .method = method, .url = url, .answer_max = most }, ret, err);
}

static void test_answers(struct http *h)
{
	CLEANUP_HTTP_ANSWER struct http_answer *a = NULL;
	const struct http_header headers[] = { { "X-One", "1" }, { "X-Empty", "" } };
	struct error err;
	int64_t date = 0;

	need(fetch(h, &(struct http_request) {
		.method = "GET", .url = served_url("/a/../b?c=d"), .headers = headers, .header_count = 2,
		.answer_max = 100,
	}, &a, &err) == 0, "an answer (%s)", err.message);
	ok_int(a->status, 200, "its status");
	ok_str(buf_text(&a->body), "hello", "its body");
	ok_str(http_answer_header(a, "x-some"), "value", "a header, whatever its case, without blanks around it");
	ok(!http_answer_header(a, "x-none"), "none that there is not");
	ok(http_answer_date(a, &date) == 0 && date == 1767323045, "its date");
	ok_str(last_request()->method, "GET", "asked by GET");
	ok_str(last_request()->path, "/a/../b?c=d", "the path is sent as it is");
	ok_str(served_header(last_request(), "x-one"), "1", "with the header");
	ok(strstr(last_request()->head, "X-Empty:"), "and the one without a value");
	ok(!strstr(last_request()->head, "Accept:"), "and none that was not asked for");
	need(ask(h, "GET", served_url("/gone"), 100, &a, &err) == 0, "an answer that leads elsewhere");
	ok_int(a->status, 301, "is not followed");
	need(ask(h, "GET", served_url("/continue"), 100, &a, &err) == 0, "an answer after an interim one");
	ok(!http_answer_header(a, "x-interim") && http_answer_header(a, "x-last"), "only the last one's headers count");
}

static void test_bodies(struct http *h)
{
	CLEANUP_HTTP_ANSWER struct http_answer *a = NULL;
	CLEANUP_FREE uint8_t *block = malloc(BLOCK);
	struct error err;

	for (size_t i = 0; i < BLOCK; i++)
		block[i] = (uint8_t)(i * 7 + i / 256);
	need(fetch(h, &(struct http_request) {
		.method = "PUT", .url = served_url("/block"), .body = block, .body_size = BLOCK, .answer_max = 100,
	}, &a, &err) == 0, "a block is sent (%s)", err.message);
	ok(last_request()->body_size == BLOCK && memcmp(last_request()->body, block, BLOCK) == 0, "all of it");
	ok(!strstr(last_request()->head, "Expect:"), "without waiting for leave");
	ok(!strstr(last_request()->head, "Content-Type:"), "and without a type that nobody gave");
	need(ask(h, "POST", served_url("/"), 100, &a, &err) == 0, "a POST of nothing");
	ok_str(served_header(last_request(), "content-length"), "0", "says so");
	need(ask(h, "DELETE", served_url("/"), 100, &a, &err) == 0, "a DELETE");
	ok_str(last_request()->method, "DELETE", "is one");
	ok_int(http_server.connections, 1, "and all that over one connection");
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void test_failures(struct http *h)
{
	CLEANUP_HTTP_ANSWER struct http_answer *a = NULL;
	const struct http_header split = { "X-Token", "a\r\nX-Other: secret" };
	int64_t begun = now_ms();
	struct error err;

	ok_int(fetch(h, &(struct http_request) {
		.method = "GET", .url = served_url("/stall"), .answer_max = 100, .stall_ms = 400,
	}, &a, &err), -ETIMEDOUT, "a server that says nothing is given up");
	ok_error(&err, "nothing has moved for 0.4 s", "which is said");
	ok(now_ms() - begun >= 400 && now_ms() - begun < 2000, "after that time");
	ok_int(fetch(h, &(struct http_request) {
		.method = "GET", .url = served_url("/drip"), .answer_max = 100, .stall_ms = 400,
	}, &a, &err), 0, "one that is slow is not");
	ok_int(fetch(h, &(struct http_request) {
		.method = "GET", .url = served_url("/drip"), .answer_max = 100, .total_ms = 300,
	}, &a, &err), -ETIMEDOUT, "unless all of it has a limit");
	ok_int(ask(h, "GET", served_url("/cut"), 100, &a, &err), -EIO, "an answer that ends early");
	ok_int(ask(h, "GET", served_url("/"), 4, &a, &err), -EFBIG, "an answer that is too long");
	ok_error(&err, "longer than 4 bytes", "by how much");
	ok_int(fetch(h,
		     &(struct http_request){.method = "GET", .url = served_url("/"), .answer_max = 4, .secret = true},
		     &a, &err),
	       -EFBIG, "a secret one as well");
	ok_int(ask(h, "GET", "http://127.0.0.1:1/", 4, &a, &err), -EHOSTUNREACH, "where nobody listens");
	ok_error(&err, "127.0.0.1:1: no answer", "is named");
	ok_int(ask(h, "GET", "http://" NO_HOST "/", 4, &a, &err), -EHOSTUNREACH, "and so is a name that there is not");
	ok_int(ask(h, "GET", "file:///etc/passwd", 4, &a, &err), -EINVAL, "no other protocol is spoken");
	ok_int(fetch(h, &(struct http_request) {
		.method = "GET", .url = served_url("/"), .headers = &split, .header_count = 1, .answer_max = 4,
	}, &a, &err), -EINVAL, "a header that would be two");
	ok(!strstr(err.message, "secret"), "is refused without its value");
	ok(!a, "and nothing comes out of any of them");
	ok_int(http_pending(h), 0, "nothing is left over");
}

/* ---------------------------------------------------------------- many at once */

struct crowd {
	struct http *h;
	unsigned int answers, failures, more;
};

static void on_one(void *arg, struct http_answer *answer, const struct error *why)
{
	struct crowd *c = arg;
	struct error err = ERROR_INIT;

	(void)why;
	c->answers += answer && answer->status == 200;
	c->failures += !answer;
	http_answer_free(answer);
	if (c->more == 0)
		return;
	c->more--;
	need(http_begin(c->h, &(struct http_request){.method = "GET", .url = served_url("/n"), .answer_max = 100},
			on_one, c, &err) == 0,
	     "begun from within");
}

static void begin(struct crowd *c, const char *path)
{
	struct error err = ERROR_INIT;

	need(http_begin(c->h, &(struct http_request) {
		.method = "GET", .url = served_url(path), .answer_max = 100, .stall_ms = 500,
	}, on_one, c, &err) == 0, "begun");
}

static void test_many(struct http *h)
{
	struct crowd c = { .h = h, .more = 40 };
	struct error err = ERROR_INIT;
	int r = 0;

	for (int i = 0; i < 20; i++)
		begin(&c, "/n");
	begin(&c, "/stall");
	ok_int(http_pending(h), 21, "all are under way");
	while (r == 0 && http_pending(h))
		r = http_step(h, 1000, &err);
	ok_int(r, 0, "no step fails");
	ok_int(c.answers, 60, "each has its answer, and those that were begun by them");
	ok_int(c.failures, 1, "the one that stalled ends by itself");
}

static void test_dropped(struct http *h)
{
	struct crowd kept = { .h = h }, dropped = { .h = h };
	struct error err = ERROR_INIT;
	int r = 0;

	begin(&dropped, "/n");
	begin(&kept, "/n");
	begin(&dropped, "/n");
	http_drop(h, &dropped);
	ok_int(http_pending(h), 1, "what is dropped is under way no more");
	while (r == 0 && http_pending(h))
		r = http_step(h, 1000, &err);
	ok(kept.answers == 1 && dropped.answers + dropped.failures == 0, "and nobody is called for it");
}

/* ---------------------------------------------------------------- environment */

static void test_proxy(void)
{
	CLEANUP_HTTP struct http *h = NULL;
	CLEANUP_HTTP_ANSWER struct http_answer *a = NULL;
	struct error err = ERROR_INIT;

	setenv("http_proxy", served_url(""), 1);
	need(http_new(&h, &err) == 0, "made");
	ok_int(ask(h, "GET", "http://" NO_HOST "/x", 100, &a, &err), 0, "a host that only the proxy knows answers");
	ok_str(last_request()->path, "http://" NO_HOST "/x", "because the proxy was asked");
	ok_int(fetch(h, &(struct http_request) {
		.method = "GET", .url = "http://" NO_HOST "/x", .answer_max = 100, .direct = true,
	}, &a, &err), -EHOSTUNREACH, "what is meant for this machine goes past it");
	setenv("no_proxy", NO_HOST, 1);
	ok_int(ask(h, "GET", "http://" NO_HOST "/x", 100, &a, &err), -EHOSTUNREACH, "and what no_proxy names");
	unsetenv("http_proxy");
	unsetenv("no_proxy");
}

static void test_trust(void)
{
	CLEANUP_HTTP struct http *h = NULL;
	struct error err = ERROR_INIT;

	setenv("AWS_CA_BUNDLE", "/nowhere/ca.pem", 1);
	ok_int(http_new(&h, &err), -EINVAL, "a file of certificates that there is not");
	ok_error(&err, "AWS_CA_BUNDLE: /nowhere/ca.pem: the file of trusted certificates cannot be read", "is named");
	unsetenv("AWS_CA_BUNDLE");
}

static void test_interrupt(struct http *h)
{
	struct crowd c = { .h = h };
	struct error err = ERROR_INIT;

	need(process_catch_signals(&err) == 0, "signals are caught");
	begin(&c, "/stall");
	(void)raise(SIGTERM);
	ok_int(http_step(h, 10000, &err), -EINTR, "a signal ends the wait");
	/* The transfer is left to http_free(). */
}

int main(void)
{
	CLEANUP_HTTP struct http *h = NULL;
	struct error err = ERROR_INIT;

	http_server_start(serve, NULL);
	need(http_new(&h, &err) == 0, "made (%s)", err.message);
	test_answers(h);
	test_bodies(h);
	test_failures(h);
	test_many(h);
	test_dropped(h);
	test_proxy();
	test_trust();
	test_interrupt(h);
	http_freep(&h);
	return tap_done();
}
