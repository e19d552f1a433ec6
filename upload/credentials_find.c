/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "backoff.h"
#include "credentials_source.h"

#define LOOKED_MAX 4096
#define ATTEMPTS 3

/* The SDKs' order. */
static credential_source *const sources[] = {
	credentials_of_environment,
	credentials_of_profile,
	credentials_of_web_identity,
	credentials_of_container,
	credentials_of_instance,
};

void search_nothing(struct credential_search *s, const char *where, const char *why_format, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, why_format);
	(void)vsnprintf(why, sizeof(why), why_format, ap);
	va_end(ap);
	/* What does not fit is left out. */
	(void)buf_printf(&s->looked, "%s%s (%s)", s->looked.len ? "; " : "", where, why);
}

int credentials_find(const struct settings *settings, struct http *http, struct credentials *ret, struct error *err)
{
	CLEANUP_CREDENTIALS struct credentials found = CREDENTIALS_INIT;
	CLEANUP_BUF struct buf looked = BUF_INIT(LOOKED_MAX);
	struct credential_search s = { .settings = settings, .http = http, .looked = looked };
	int r = 0;

	for (size_t i = 0; r == 0 && !found.key_id && i < ARRAY_SIZE(sources); i++)
		r = sources[i](&s, &found, err);
	looked = s.looked;
	if (r < 0)
		return error_wrap(err, "credentials");
	if (!found.key_id)
		return error_input(err, "no credentials for AWS; looked at: %s", buf_text(&looked));
	*ret = found;
	found = (struct credentials)CREDENTIALS_INIT;
	return 0;
}

/* ---------------------------------------------------------------- HTTP */

static bool worth_another(const struct http_answer *answer, const struct error *err)
{
	return answer ? answer->status >= 500 || answer->status == 429 : err->code != EINVAL && err->code != EINTR;
}

/* With nothing pending, a step is a pause that a signal ends. */
static int pause_before(struct credential_search *s, unsigned int attempt, struct error *err)
{
	return attempt ? http_step(s->http, (int)aws_backoff_ms(attempt), err) : 0;
}

int credentials_fetch(struct credential_search *s, const struct http_request *q, const char *what,
		      struct http_answer **ret, struct error *err)
{
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	struct error why = ERROR_INIT;
	bool again = true;

	for (unsigned int attempt = 0; again && attempt < ATTEMPTS; attempt++) {
		int r = pause_before(s, attempt, err);

		if (r < 0)
			return r;
		http_answer_freep(&answer);
		if (http_fetch(s->http, q, &answer, &why) < 0 && why.code == EINTR) {
			*err = why;
			return -EINTR;
		}
		again = worth_another(answer, &why);
	}
	if (!answer) {
		*err = why;
		return error_wrap(err, "%s", what);
	}
	if (answer->status != 200)
		return error_outside(err, "%s: HTTP status %u", what, answer->status);
	*ret = TAKE_PTR(answer);
	return 0;
}
