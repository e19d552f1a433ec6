/* SPDX-License-Identifier: Apache-2.0 */
#include "aws.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/clock.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/base/secret.h"
#include "../factory/model/memory.h"
#include "credentials.h"
#include "settings.h"

#define ATTEMPTS 8
#define REFRESH_S 300		/* before they expire */
#define REFRESH_AGAIN_S 30	/* when that did not work, or gave nothing newer */
#define SERVICES_MAX 8
#define FORM "application/x-www-form-urlencoded; charset=utf-8"

struct call;

struct endpoint {
	char *service, *url;
};

struct aws {
	struct settings *settings;
	struct http *http;
	struct http *asking;		/* for credentials, so that nobody's transfer ends meanwhile */
	struct credentials credentials;
	bool stale;			/* the service has said so */
	int64_t refresh_at;		/* not earlier than this, in seconds since 1970 */
	struct endpoint endpoints[SERVICES_MAX];
	size_t endpoint_count;
	struct call *calls;		/* that are under way */
	enum aws_outcome last_outcome;
	char last_code[sizeof(((struct aws_error *)0)->code)];
	char last_reason[sizeof(((struct aws_error *)0)->reason)];
};

struct call {
	struct call *next;
	struct aws *aws;
	const char *action;
	aws_done *done;
	void *arg;
	struct http_answer **keep;	/* who waits for it takes the answer */
};

static int64_t now_s(void)
{
	return (int64_t)time(NULL);
}

/* ---------------------------------------------------------------- credentials */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_credentials(const struct credentials *a, const struct credentials *b)
{
	return same_text(a->key_id, b->key_id) && same_text(a->token, b->token);
}

static int take_new(struct aws *a, struct error *err)
{
	CLEANUP_CREDENTIALS struct credentials c = CREDENTIALS_INIT;
	int r = credentials_find(a->settings, a->asking, &c, err);

	if (r < 0)
		return r;
	if (a->stale && same_credentials(&a->credentials, &c))
		return error_input(err, "the session of the credentials of %s has ended, and there is no newer one: sign in again, and run the same command again",
				   c.from);
	credentials_clear(&a->credentials);
	a->credentials = c;
	c = (struct credentials)CREDENTIALS_INIT;
	a->stale = false;
	return 0;
}

/* While the old ones are good, that there are no new ones yet is no error. */
static int refresh(struct aws *a, struct error *err)
{
	const int64_t now = now_s();
	struct error why = ERROR_INIT;
	int r;

	if (!a->stale && (!a->credentials.expires || now < a->credentials.expires - REFRESH_S || now < a->refresh_at))
		return 0;
	a->refresh_at = now + REFRESH_AGAIN_S;
	r = take_new(a, &why);
	if (r == 0 || (r != -EINTR && !a->stale && now < a->credentials.expires)) {
		if (r < 0)
			log_warning("%s; the old ones are good for another %" PRId64 " s", why.message,
				    a->credentials.expires - now);
		return 0;
	}
	*err = why;
	return r;
}

/* ---------------------------------------------------------------- open, close */

/* As in the SDKs AWS_CA_BUNDLE goes before it; what is curl's own comes after. */
static int trust_by_profile(struct aws *a, struct http *h, struct error *err)
{
	const char *path = settings_of_profile(a->settings, a->settings->profile, "ca_bundle");

	if (!path || settings_variable("AWS_CA_BUNDLE"))
		return 0;
	return http_trust(h, path, err) < 0 ? error_wrap(err, "ca_bundle") : 0;
}

static int open_http(struct aws *a, struct http **ret, struct error *err)
{
	CLEANUP_HTTP struct http *h = NULL;
	int r = http_new(&h, err);

	if (r == 0)
		r = trust_by_profile(a, h, err);
	if (r == 0)
		*ret = TAKE_PTR(h);
	return r;
}

int aws_open(const struct aws_options *o, struct aws **ret, struct error *err)
{
	CLEANUP_AWS struct aws *a = memory_new(sizeof(*a));
	int r = settings_load(o->region, o->profile, &a->settings, err);

	if (r == 0)
		r = open_http(a, &a->http, err);
	if (r == 0)
		r = open_http(a, &a->asking, err);
	if (r == 0)
		r = take_new(a, err);
	if (r < 0)
		return r;
	log_debug("AWS: region %s, credentials of %s", a->settings->region, a->credentials.from);
	*ret = TAKE_PTR(a);
	return 0;
}

void aws_free(struct aws *a)
{
	struct call *next;

	if (!a)
		return;
	http_free(a->http);
	http_free(a->asking);
	for (struct call *c = a->calls; c; c = next) {
		next = c->next;
		free(c);
	}
	for (size_t i = 0; i < a->endpoint_count; i++) {
		free(a->endpoints[i].service);
		free(a->endpoints[i].url);
	}
	credentials_clear(&a->credentials);
	settings_free(a->settings);
	free(a);
}

void aws_freep(struct aws **a)
{
	aws_free(*a);
	*a = NULL;
}

const char *aws_region(const struct aws *a)
{
	return a->settings->region;
}

const char *aws_identity(const struct aws *a)
{
	return a->credentials.from;
}

/* ---------------------------------------------------------------- one attempt */

static int endpoint_of(struct aws *a, const char *service, const char **ret, struct error *err)
{
	struct endpoint *e = a->endpoints;
	int r;

	for (; e < a->endpoints + a->endpoint_count; e++) {
		if (strcmp(e->service, service) == 0) {
			*ret = e->url;
			return 0;
		}
	}
	if (a->endpoint_count == SERVICES_MAX)
		return error_input(err, "more than %d services", SERVICES_MAX);
	r = settings_endpoint(a->settings, service, NULL, &e->url, err);
	if (r < 0)
		return r;
	e->service = string_copy(service);
	a->endpoint_count++;
	*ret = e->url;
	return 0;
}

static void call_free(struct call *c)
{
	struct call **at = &c->aws->calls;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c);
}

/* What trying again cannot mend. */
static bool is_final(const struct error *why)
{
	return why->code == EINVAL || why->code == EFBIG || why->code == EPROTO;
}

static void tell_of_silence(struct call *c, const struct error *why)
{
	char message[sizeof(why->message) + 256];
	const char *hint = why->code == EHOSTUNREACH ? " (is there a network, and such a region?)" : "";

	(void)snprintf(message, sizeof(message), "%s: %s%s", c->action, why->message, hint);
	c->done(c->arg, &(struct aws_result) {
		.outcome = is_final(why) ? AWS_REFUSED : AWS_AGAIN, .code = "", .reason = "", .message = message,
	});
}

static void tell_of_error(struct call *c, const struct http_answer *answer)
{
	char message[1536];
	struct aws_error e;

	aws_error_read(answer, now_s(), &e);
	aws_error_sentence(&e, answer->status, c->action, c->aws->credentials.from, message, sizeof(message));
	if (e.outcome == AWS_EXPIRED)
		c->aws->stale = true;
	c->done(c->arg, &(struct aws_result) {
		.outcome = e.outcome, .status = answer->status, .code = e.code, .reason = e.reason,
		.message = message, .answer = answer,
	});
}

static void on_end(void *arg, struct http_answer *answer, const struct error *why)
{
	struct call *c = arg;

	if (!answer)
		tell_of_silence(c, why);
	else if (answer->status / 100 != 2)
		tell_of_error(c, answer);
	else
		c->done(c->arg, &(struct aws_result) {
			.outcome = AWS_DONE, .status = answer->status, .code = "", .reason = "", .message = "",
			.answer = answer,
		});
	if (c->keep && answer)
		*c->keep = TAKE_PTR(answer);
	http_answer_free(answer);
	call_free(c);
}

static int begin(struct aws *a, const struct aws_request *q, aws_done *done, void *arg, struct http_answer **keep,
		 struct call **ret_call, struct error *err)
{
	CLEANUP_SIGNED_REQUEST struct signed_request s = SIGNED_REQUEST_INIT;
	const char *endpoint = NULL;
	struct call *c;
	int r = refresh(a, err);

	if (r == 0)
		r = endpoint_of(a, q->service, &endpoint, err);
	if (r < 0)
		return r;
	aws_request_sign(q, endpoint, a->settings->region, &a->credentials, now_s(), &s);
	c = memory_new(sizeof(*c));
	*c = (struct call) { .next = a->calls, .aws = a, .action = q->action, .done = done, .arg = arg, .keep = keep };
	a->calls = c;
	r = http_begin(a->http, &s.http, on_end, c, err);
	if (r < 0)
		call_free(c);
	else
		*ret_call = c;
	return r;
}

int aws_begin(struct aws *a, const struct aws_request *q, aws_done *done, void *arg, struct error *err)
{
	struct call *c;

	return begin(a, q, done, arg, NULL, &c, err);
}

int aws_step(struct aws *a, int timeout_ms, struct error *err)
{
	return http_step(a->http, timeout_ms, err);
}

size_t aws_pending(const struct aws *a)
{
	return http_pending(a->http);
}

/* ---------------------------------------------------------------- waiting */

struct waiter {
	bool done;
	struct aws *aws;
	struct http_answer *answer;
	char message[sizeof(((struct error *)0)->message)];
};

static void on_result(void *arg, const struct aws_result *result)
{
	struct waiter *w = arg;

	w->done = true;
	w->aws->last_outcome = result->outcome;
	(void)snprintf(w->aws->last_code, sizeof(w->aws->last_code), "%s", result->code);
	(void)snprintf(w->aws->last_reason, sizeof(w->aws->last_reason), "%s", result->reason);
	(void)snprintf(w->message, sizeof(w->message), "%s", result->message);
}

static int attempt(struct aws *a, const struct aws_request *q, struct waiter *w, struct error *err)
{
	struct call *c = NULL;
	int r;

	*w = (struct waiter) { .aws = a };
	a->last_outcome = AWS_REFUSED;
	a->last_code[0] = a->last_reason[0] = '\0';
	r = begin(a, q, on_result, w, &w->answer, &c, err);
	while (r == 0 && !w->done)
		r = aws_step(a, 1000, err);
	if (r < 0 && c && !w->done) {
		http_drop(a->http, c);
		call_free(c);
	}
	return r;
}

static int pause_ms(struct aws *a, unsigned int ms, struct error *err)
{
	const int64_t until = clock_ms() + ms;
	int64_t left;
	int r = 0;

	while (r == 0 && (left = until - clock_ms()) > 0)
		r = aws_step(a, (int)left, err);
	return r;
}

static unsigned int attempts_allowed(void)
{
	const char *text = settings_variable("AWS_MAX_ATTEMPTS");
	char *end = NULL;
	unsigned long n = text ? strtoul(text, &end, 10) : 0;

	return text && !*end && n >= 1 && n <= 100 ? (unsigned int)n : ATTEMPTS;
}

static int call(struct aws *a, const struct aws_request *q, unsigned int most, struct http_answer **ret,
		struct error *err)
{
	for (unsigned int n = 1;; n++) {
		struct waiter w;
		unsigned int ms;
		int r = attempt(a, q, &w, err);

		if (r < 0)
			return r;
		if (a->last_outcome == AWS_DONE) {
			*ret = w.answer;
			return 0;
		}
		http_answer_free(w.answer);
		if (a->last_outcome == AWS_REFUSED || n >= most)
			return error_outside(err, "%s", w.message);
		/* A session that has ended is made anew at once. */
		ms = a->last_outcome == AWS_EXPIRED ? 0 : aws_backoff_ms(n);
		log_debug("%s; attempt %u of %u in %u ms", w.message, n + 1, most, ms);
		r = pause_ms(a, ms, err);
		if (r < 0)
			return r;
	}
}

int aws_call(struct aws *a, const struct aws_request *q, struct http_answer **ret, struct error *err)
{
	return call(a, q, attempts_allowed(), ret, err);
}

int aws_call_once(struct aws *a, const struct aws_request *q, struct http_answer **ret, struct error *err)
{
	struct aws_request once = *q;

	once.fresh = true;
	return call(a, &once, 1, ret, err);
}

enum aws_outcome aws_last_outcome(const struct aws *a)
{
	return a->last_outcome;
}

const char *aws_last_code(const struct aws *a)
{
	return a->last_code;
}

const char *aws_last_reason(const struct aws *a)
{
	return a->last_reason;
}

/* ---------------------------------------------------------------- queries */

static void make_form(const char *version, const struct aws_pair *parameters, size_t count, struct buf *ret)
{
	sigv4_form(parameters, count, ret);
	if (buf_add_string(ret, "&Version=") < 0)
		error_no_memory();
	sigv4_encode(version, ret);
}

static int query(struct aws *a, const char *service, const char *version, const struct aws_pair *parameters,
		 size_t count, bool once, struct xml **ret, struct error *err)
{
	static const struct aws_pair type = { "Content-Type", FORM };
	CLEANUP_BUF struct buf form = BUF_INIT(SIZE_MAX);
	CLEANUP_FREE char *action = string_printf("%s:%s", service, parameters[0].value);
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	struct aws_request q = {
		.service = service, .method = "POST", .path = "/", .headers = &type, .header_count = 1,
		.answer_max = XML_ANSWER_MAX, .action = action,
	};
	int r;

	make_form(version, parameters, count, &form);
	q.body = form.data;
	q.body_size = form.len;
	r = once ? aws_call_once(a, &q, &answer, err) : aws_call(a, &q, &answer, err);
	return r < 0 ? r : xml_parse(answer->body.data, answer->body.len, action, ret, err);
}

int aws_query(struct aws *a, const char *service, const char *version, const struct aws_pair *parameters, size_t count,
	      struct xml **ret, struct error *err)
{
	return query(a, service, version, parameters, count, false, ret, err);
}

int aws_query_once(struct aws *a, const char *service, const char *version, const struct aws_pair *parameters,
		   size_t count, struct xml **ret, struct error *err)
{
	return query(a, service, version, parameters, count, true, ret, err);
}
