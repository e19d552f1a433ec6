/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/clock.h"
#include "../factory/base/command.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/process.h"
#include "../factory/base/secret.h"
#include "../factory/model/memory.h"

#define STALL_MS 30000
#define WATCH_MS 100		/* how often it is looked whether something has moved */
#define ANSWER_HEADERS_MAX 256
#define KEPT_CONNECTIONS 1024	/* by default libcurl keeps but four times as many as are busy */

struct transfer {
	struct transfer *next;
	struct http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct http_answer *answer;
	http_done *done;
	void *arg;
	char *host;			/* of the URL, for messages */
	unsigned int stall_ms;
	curl_off_t moved;		/* bytes, as seen last */
	int64_t moved_at;
	bool stalled;
	int refused;			/* why the answer was not taken further: EFBIG, EPROTO; 0: it was */
	char text[CURL_ERROR_SIZE];
};

struct http {
	CURLM *multi;
	char *trust;			/* NULL: what libcurl was built with */
	struct transfer *transfers;
	size_t count;
	int64_t watched_at;
};

/* With options that are known, lack of memory is all that is left; the library's version is checked when it is made. */
static void must(bool success)
{
	if (!success)
		error_no_memory();
}
#define SET(easy, option, value) must(curl_easy_setopt(easy, option, value) == CURLE_OK)

/* ---------------------------------------------------------------- answers */

static void free_headers(struct http_answer *answer)
{
	for (size_t i = 0; i < answer->header_count; i++) {
		free((char *)answer->headers[i].name);
		free((char *)answer->headers[i].value);
	}
	free(answer->headers);
	answer->headers = NULL;
	answer->header_count = 0;
}

void http_answer_free(struct http_answer *answer)
{
	if (!answer)
		return;
	free_headers(answer);
	if (answer->secret)
		secret_buf_free(&answer->body);
	else
		buf_free(&answer->body);
	free(answer);
}

void http_answer_freep(struct http_answer **answer)
{
	http_answer_free(*answer);
	*answer = NULL;
}

const char *http_answer_header(const struct http_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->header_count; i++)
		if (strcasecmp(answer->headers[i].name, name) == 0)
			return answer->headers[i].value;
	return NULL;
}

int http_answer_date(const struct http_answer *answer, int64_t *ret)
{
	const char *text = http_answer_header(answer, "date");
	time_t date = text ? curl_getdate(text, NULL) : -1;

	if (date == -1)
		return -ENOENT;
	*ret = date;
	return 0;
}

static struct http_answer *answer_new(const struct http_request *q)
{
	struct http_answer *answer = memory_new(sizeof(*answer));
	uint8_t *room;

	answer->body.max = q->answer_max;
	answer->secret = q->secret;
	/* All at once: a secret that moved would leave itself behind. */
	if (q->secret)
		must(buf_reserve(&answer->body, q->answer_max, &room) == 0);
	return answer;
}

static size_t refuse(struct transfer *t, int why)
{
	t->refused = why;
	return 0;
}

static size_t take_body(char *data, size_t one, size_t size, void *arg)
{
	struct transfer *t = arg;
	int r = buf_add(&t->answer->body, data, one * size);

	must(r != -ENOMEM);
	return r < 0 ? refuse(t, EFBIG) : one * size;
}

static void add_header(struct http_answer *answer, const char *line, size_t size)
{
	const char *colon = memchr(line, ':', size), *end = line + size;
	struct http_header *h;

	if (!colon)
		return;		/* the empty line at the end */
	h = memory_append(&answer->headers, answer->header_count++, sizeof(*h));
	h->name = string_printf("%.*s", (int)(colon - line), line);
	do
		colon++;
	while (colon < end && (*colon == ' ' || *colon == '\t'));
	while (end > colon && strchr("\r\n\t ", end[-1]))
		end--;
	h->value = string_printf("%.*s", (int)(end - colon), colon);
}

static size_t take_header(char *line, size_t one, size_t size, void *arg)
{
	struct transfer *t = arg;

	/* A status line: what came before was of an interim response (100). */
	if (one * size >= 5 && memcmp(line, "HTTP/", 5) == 0)
		free_headers(t->answer);
	else if (t->answer->header_count >= ANSWER_HEADERS_MAX)
		return refuse(t, EPROTO);
	else
		add_header(t->answer, line, one * size);
	return one * size;
}

/* ---------------------------------------------------------------- transfers */

static void wipe_list(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l; l = l->next)
		secret_wipe(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

static void transfer_free(struct transfer *t)
{
	if (t->easy)
		curl_easy_cleanup(t->easy);
	wipe_list(t->headers);
	http_answer_free(t->answer);
	free(t->host);
	free(t);
}

/* "ebs.us-east-1.amazonaws.com" out of the URL. */
static char *host_of(const char *url)
{
	const char *start = strstr(url, "://");

	start = start ? start + 3 : url;
	return string_printf("%.*s", (int)strcspn(start, "/?#"), start);
}

static void append(struct transfer *t, const char *name, const char *value)
{
	/* A header without a value is written with a semicolon; "NAME:" takes one of libcurl's own away. */
	CLEANUP_SECRET char *line = string_printf(*value ? "%s: %s" : "%s;", name, value);
	struct curl_slist *longer = curl_slist_append(t->headers, line);

	must(longer != NULL);
	t->headers = longer;
}

static void leave_out(struct transfer *t, const char *name)
{
	CLEANUP_FREE char *line = string_printf("%s:", name);
	struct curl_slist *longer = curl_slist_append(t->headers, line);

	must(longer != NULL);
	t->headers = longer;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
			return true;
	return false;
}

static int set_headers(struct transfer *t, const struct http_request *q, struct error *err)
{
	bool typed = false;

	for (size_t i = 0; i < q->header_count; i++) {
		/* It may come out of a file, and must not become two. */
		if (has_control(q->headers[i].value))
			return error_input(err, "what is to be sent as %s to %s has a control character in it",
					   q->headers[i].name, t->host);
		typed = typed || strcasecmp(q->headers[i].name, "content-type") == 0;
		append(t, q->headers[i].name, q->headers[i].value);
	}
	if (!typed)
		leave_out(t, "Content-Type");
	leave_out(t, "Expect");
	leave_out(t, "Accept");
	SET(t->easy, CURLOPT_HTTPHEADER, t->headers);
	return 0;
}

static bool takes_body(const char *method)
{
	return strcmp(method, "PUT") == 0 || strcmp(method, "POST") == 0;
}

static void set_body(struct transfer *t, const struct http_request *q)
{
	if (!q->body && !takes_body(q->method)) {
		SET(t->easy, CURLOPT_HTTPGET, 1L);
	} else {
		/* Not copied, and there for libcurl to send again from the start. */
		SET(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_size);
		SET(t->easy, CURLOPT_POSTFIELDS, q->body ? q->body : "");
	}
	SET(t->easy, CURLOPT_CUSTOMREQUEST, q->method);
}

static void set_limits(struct transfer *t, const struct http_request *q)
{
	t->stall_ms = q->stall_ms ? q->stall_ms : STALL_MS;
	t->moved_at = clock_ms();
	SET(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)t->stall_ms);
	SET(t->easy, CURLOPT_TIMEOUT_MS, (long)q->total_ms);
}

static void set_ways(struct transfer *t, const struct http_request *q)
{
	SET(t->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(t->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	SET(t->easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	SET(t->easy, CURLOPT_USERAGENT, "kiln/" KILN_VERSION);
	SET(t->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(t->easy, CURLOPT_PATH_AS_IS, 1L);
	SET(t->easy, CURLOPT_NOSIGNAL, 1L);
	if (q->direct)
		SET(t->easy, CURLOPT_NOPROXY, "*");
	if (q->fresh)
		SET(t->easy, CURLOPT_FRESH_CONNECT, 1L);
	if (t->http->trust) {
		SET(t->easy, CURLOPT_CAINFO, t->http->trust);
		SET(t->easy, CURLOPT_CAPATH, NULL);
	}
}

static void set_callbacks(struct transfer *t)
{
	SET(t->easy, CURLOPT_PRIVATE, t);
	SET(t->easy, CURLOPT_ERRORBUFFER, t->text);
	SET(t->easy, CURLOPT_WRITEFUNCTION, take_body);
	SET(t->easy, CURLOPT_WRITEDATA, t);
	SET(t->easy, CURLOPT_HEADERFUNCTION, take_header);
	SET(t->easy, CURLOPT_HEADERDATA, t);
}

int http_begin(struct http *h, const struct http_request *q, http_done *done, void *arg, struct error *err)
{
	struct transfer *t = memory_new(sizeof(*t));
	int r;

	t->http = h;
	t->done = done;
	t->arg = arg;
	t->host = host_of(q->url);
	t->answer = answer_new(q);
	t->easy = curl_easy_init();
	must(t->easy != NULL);
	SET(t->easy, CURLOPT_URL, q->url);
	set_callbacks(t);
	set_ways(t, q);
	set_limits(t, q);
	set_body(t, q);
	r = set_headers(t, q, err);
	if (r < 0) {
		transfer_free(t);
		return r;
	}
	must(curl_multi_add_handle(h->multi, t->easy) == CURLM_OK);
	t->next = h->transfers;
	h->transfers = t;
	h->count++;
	return 0;
}

/* ---------------------------------------------------------------- the end of a transfer */

/* What trying again cannot mend, what may be for want of a network, and all else. */
static int code_of(CURLcode result)
{
	switch (result) {
	case CURLE_OPERATION_TIMEDOUT:
		return ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return EHOSTUNREACH;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
		return EINVAL;
	default:
		return EIO;
	}
}

static void explain(const struct transfer *t, CURLcode result, struct error *err)
{
	const char *text = t->text[0] ? t->text : curl_easy_strerror(result);

	if (t->refused == EFBIG)
		(void)error_outside(err, "%s: the answer is longer than %zu bytes", t->host, t->answer->body.max);
	else if (t->refused)
		(void)error_outside(err, "%s: the answer has more than %d headers", t->host, ANSWER_HEADERS_MAX);
	else if (t->stalled)
		(void)error_outside(err, "%s: nothing has moved for %g s", t->host, t->stall_ms / 1000.0);
	else
		(void)error_outside(err, "%s: no answer: %.*s", t->host, (int)strcspn(text, "\r\n"), text);
	err->code = t->refused ? t->refused : t->stalled ? ETIMEDOUT : code_of(result);
}

static void unlink_transfer(struct transfer *t)
{
	struct transfer **at = &t->http->transfers;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	t->http->count--;
	(void)curl_multi_remove_handle(t->http->multi, t->easy);	/* it is in there */
}

static void finish(struct transfer *t, CURLcode result)
{
	struct error why = ERROR_INIT;
	long status = 0;

	unlink_transfer(t);
	if (result == CURLE_OK) {
		(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
		t->answer->status = (unsigned int)status;
		t->done(t->arg, TAKE_PTR(t->answer), &why);
	} else {
		explain(t, result, &why);
		t->done(t->arg, NULL, &why);
	}
	transfer_free(t);
}

static size_t finish_all(struct http *h)
{
	const CURLMsg *message;
	size_t finished = 0;
	int left;

	while ((message = curl_multi_info_read(h->multi, &left))) {
		struct transfer *t = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		finish(t, message->data.result);
		finished++;
	}
	return finished;
}

/* ---------------------------------------------------------------- stalls */

/* Everything that counts up while a transfer lives, its connection's making included. */
static curl_off_t moved(const struct transfer *t)
{
	curl_off_t up = 0, down = 0, connected = 0, secured = 0;
	long sent = 0, headers = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	(void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
	(void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
	(void)curl_easy_getinfo(t->easy, CURLINFO_HEADER_SIZE, &headers);
	(void)curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T, &connected);
	(void)curl_easy_getinfo(t->easy, CURLINFO_APPCONNECT_TIME_T, &secured);
	return up + down + sent + headers + connected + secured;
}

static bool is_stalled(struct transfer *t, int64_t now)
{
	curl_off_t bytes = moved(t);

	if (bytes != t->moved) {
		t->moved = bytes;
		t->moved_at = now;
	}
	t->stalled = now - t->moved_at >= t->stall_ms;
	return t->stalled;
}

static void end_stalled(struct http *h)
{
	const int64_t now = clock_ms();
	struct transfer *t = h->transfers;

	if (now - h->watched_at < WATCH_MS)
		return;
	h->watched_at = now;
	while (t) {
		if (!is_stalled(t, now)) {
			t = t->next;
			continue;
		}
		finish(t, CURLE_OPERATION_TIMEDOUT);
		t = h->transfers;	/* whoever was told may have begun others */
	}
}

/* Until the first transfer's patience may be at its end. */
static int until_stall(const struct http *h, int timeout_ms)
{
	const int64_t now = clock_ms();

	for (const struct transfer *t = h->transfers; t; t = t->next) {
		int64_t left = t->moved_at + t->stall_ms - now;

		if (left < WATCH_MS)
			left = WATCH_MS;
		if (left < timeout_ms)
			timeout_ms = (int)left;
	}
	return timeout_ms;
}

/* ---------------------------------------------------------------- steps */

static int perform(struct http *h, struct error *err)
{
	int running;
	CURLMcode code = curl_multi_perform(h->multi, &running);

	return code == CURLM_OK ? 0 : error_outside(err, "libcurl: %s", curl_multi_strerror(code));
}

static int wait_for_any(struct http *h, int timeout_ms, struct error *err)
{
	struct curl_waitfd event = { .fd = process_signal_fd(), .events = CURL_WAIT_POLLIN };
	CURLMcode code = curl_multi_poll(h->multi, &event, event.fd >= 0, until_stall(h, timeout_ms), NULL);

	return code == CURLM_OK ? 0 : error_outside(err, "libcurl: %s", curl_multi_strerror(code));
}

int http_step(struct http *h, int timeout_ms, struct error *err)
{
	int r = process_check_interrupt(err);

	if (r == 0)
		r = perform(h, err);
	if (r == 0 && finish_all(h) == 0) {
		r = wait_for_any(h, timeout_ms, err);
		if (r == 0)
			r = process_check_interrupt(err);
		if (r == 0)
			r = perform(h, err);
		if (r == 0)
			(void)finish_all(h);
	}
	if (r == 0)
		end_stalled(h);
	return r;
}

size_t http_pending(const struct http *h)
{
	return h->count;
}

void http_drop(struct http *h, const void *arg)
{
	struct transfer *t = h->transfers, *next;

	for (; t; t = next) {
		next = t->next;
		if (t->arg != arg)
			continue;
		unlink_transfer(t);
		transfer_free(t);
	}
}

/* ---------------------------------------------------------------- one transfer */

struct fetch {
	bool done;
	struct http_answer *answer;
	struct error why;
};

static void fetched(void *arg, struct http_answer *answer, const struct error *why)
{
	struct fetch *f = arg;

	f->done = true;
	f->answer = answer;
	f->why = *why;
}

int http_fetch(struct http *h, const struct http_request *q, struct http_answer **ret, struct error *err)
{
	struct fetch f = { .done = false };
	int r = http_begin(h, q, fetched, &f, err);

	while (r == 0 && !f.done)
		r = http_step(h, STALL_MS, err);
	if (r < 0)
		http_drop(h, &f);
	if (r == 0 && !f.answer) {
		*err = f.why;
		r = -err->code;
	}
	if (r == 0)
		*ret = f.answer;
	return r;
}

/* ---------------------------------------------------------------- the whole */

int http_trust(struct http *h, const char *path, struct error *err)
{
	if (access(path, R_OK) < 0)
		return error_input(err, "%s: the file of trusted certificates cannot be read: %s", path,
				   strerror(errno));
	free(h->trust);
	h->trust = string_copy(path);
	return 0;
}

static int trust_by_environment(struct http *h, struct error *err)
{
	static const char *const names[] = { "AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *path = getenv(names[i]);

		if (path && *path)
			return http_trust(h, path, err) < 0 ? error_wrap(err, "%s", names[i]) : 0;
	}
	return 0;
}

int http_new(struct http **ret, struct error *err)
{
	CLEANUP_HTTP struct http *h = NULL;
	int r;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_outside(err, "libcurl cannot be set up");
	h = memory_new(sizeof(*h));
	h->multi = curl_multi_init();
	must(h->multi != NULL);
	must(curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS) == CURLM_OK);
	r = trust_by_environment(h, err);
	if (r == 0)
		*ret = TAKE_PTR(h);
	return r;
}

void http_free(struct http *h)
{
	struct transfer *t;

	if (!h)
		return;
	while ((t = h->transfers)) {
		unlink_transfer(t);
		transfer_free(t);
	}
	(void)curl_multi_cleanup(h->multi);	/* nothing is in it any more */
	free(h->trust);
	free(h);
	curl_global_cleanup();
}

void http_freep(struct http **h)
{
	http_free(*h);
	*h = NULL;
}
