/* SPDX-License-Identifier: Apache-2.0 */
#include "sts.h"

#include <errno.h>
#include <time.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/secret.h"
#include "aws_error.h"
#include "aws_request.h"
#include "backoff.h"
#include "iso_time.h"
#include "xml.h"

#define VERSION "2011-06-15"
#define FORM "application/x-www-form-urlencoded; charset=utf-8"
#define FORM_ROOM 32768		/* more than a form with an identity provider's token takes */
#define ATTEMPTS 3

struct question {
	struct aws_request request;
	const char *endpoint, *identity;
	const struct credentials *by;
};

/* One attempt. When it fails, *ret_again says whether another may help. */
static int ask_once(struct credential_search *s, const struct question *q, struct http_answer **ret, bool *ret_again,
		    struct error *err)
{
	CLEANUP_SIGNED_REQUEST struct signed_request request = SIGNED_REQUEST_INIT;
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	const int64_t now = (int64_t)time(NULL);
	char sentence[1024];
	struct aws_error e;
	int r;

	aws_request_sign(&q->request, q->endpoint, s->settings->region, q->by, now, &request);
	r = http_fetch(s->http, &request.http, &answer, err);
	if (r < 0) {
		*ret_again = r != -EINTR && r != -EINVAL;
		return r == -EINTR ? r : error_wrap(err, "%s", q->request.action);
	}
	if (answer->status == 200) {
		*ret = TAKE_PTR(answer);
		return 0;
	}
	aws_error_read(answer, now, &e);
	aws_error_sentence(&e, answer->status, q->request.action, q->identity, sentence, sizeof(sentence));
	*ret_again = e.outcome == AWS_AGAIN || e.outcome == AWS_THROTTLED;
	return error_outside(err, "%s", sentence);
}

static int ask(struct credential_search *s, const struct question *q, struct http_answer **ret, struct error *err)
{
	for (unsigned int attempt = 1;; attempt++) {
		struct error why = ERROR_INIT;
		bool again = false;
		int r = ask_once(s, q, ret, &again, &why);

		if (r < 0 && again && attempt < ATTEMPTS) {
			/* With nothing pending, a step is a pause that a signal ends. */
			r = http_step(s->http, (int)aws_backoff_ms(attempt), err);
			if (r < 0)
				return r;
			continue;
		}
		if (r < 0)
			*err = why;
		return r;
	}
}

/* <AssumeRoleResponse><AssumeRoleResult><Credentials>: both actions call theirs so. */
static int read_session(const struct http_answer *answer, const char *action, const char *from,
			struct credentials *ret, struct error *err)
{
	CLEANUP_XML struct xml *x = NULL;
	const struct xml_node *c = NULL;
	const char *key_id, *secret, *token, *until;
	int64_t expires;
	int r = xml_parse(answer->body.data, answer->body.len, action, &x, err);

	if (r < 0)
		return r;
	c = xml_find(xml_root(x), "AssumeRoleResult/Credentials");
	if (!c)
		c = xml_find(xml_root(x), "AssumeRoleWithWebIdentityResult/Credentials");
	if (!c)
		return error_outside(err, "%s: there are no credentials in the answer", action);
	key_id = xml_text(c, "AccessKeyId");
	secret = xml_text(c, "SecretAccessKey");
	token = xml_text(c, "SessionToken");
	until = xml_text(c, "Expiration");
	if (!key_id || !*key_id || !secret || !*secret || !token || !*token || !until ||
	    iso_time_parse(until, &expires) < 0)
		return error_outside(err, "%s: the credentials in the answer are not whole", action);
	credentials_set(ret, key_id, secret, token, expires, from);
	return 0;
}

static void make_form(const struct aws_pair *parameters, size_t count, struct buf *ret)
{
	static const struct aws_pair version = { "Version", VERSION };
	uint8_t *room;

	if (buf_reserve(ret, FORM_ROOM, &room) < 0)
		error_no_memory();
	sigv4_form(parameters, count, ret);
	if (buf_add(ret, "&", 1) < 0)
		error_no_memory();
	sigv4_form(&version, 1, ret);
}

int sts_assume(struct credential_search *s, const struct aws_pair *parameters, size_t count,
	       const struct credentials *by, const char *from, struct credentials *ret, struct error *err)
{
	static const struct aws_pair type = { "Content-Type", FORM };
	CLEANUP_SECRET_BUF struct buf form = BUF_INIT(SIZE_MAX);
	CLEANUP_FREE char *endpoint = NULL, *action = string_printf("sts:%s", parameters[0].value);
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	struct question q;
	int r = settings_endpoint(s->settings, "sts", NULL, &endpoint, err);

	if (r < 0)
		return r;
	make_form(parameters, count, &form);
	q = (struct question) {
		.request = { .service = "sts", .method = "POST", .path = "/", .headers = &type, .header_count = 1,
			     .body = form.data, .body_size = form.len, .answer_max = CREDENTIALS_ANSWER_MAX,
			     .secret = true, .action = action },
		.endpoint = endpoint, .by = by, .identity = by ? by->from : from,
	};
	r = ask(s, &q, &answer, err);
	return r < 0 ? r : read_session(answer, action, from, ret, err);
}
