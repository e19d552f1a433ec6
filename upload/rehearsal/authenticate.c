/* SPDX-License-Identifier: Apache-2.0 */
#include "authenticate.h"

#include <string.h>

#include "../../factory/base/error.h"
#include "clock.h"
#include "signature.h"

#define SKEW_SECONDS 300

/* A copy: the list may move. */
static bool find_signer(struct call *c, const char *access_key, struct signer *ret)
{
	const struct signer *found;

	pthread_rwlock_rdlock(&c->r->lock);
	found = signers_find(&c->r->signers, access_key);
	if (found)
		*ret = *found;
	pthread_rwlock_unlock(&c->r->lock);
	return found;
}

static bool check_token(struct call *c, const struct signer *k)
{
	const char *token = pairs_get(&c->q->headers, "x-amz-security-token");

	if (strcmp(token ? token : "", k->token) != 0)
		call_refuse(c, REFUSE_UNKNOWN_KEY, "The security token included in the request is invalid.");
	else if (k->expires <= c->now)
		call_refuse(c, REFUSE_EXPIRED_TOKEN, "The security token included in the request is expired");
	else
		return true;
	return false;
}

static bool check_time(struct call *c, int64_t signed_at)
{
	char then_text[CLOCK_TEXT_SIZE], now_text[CLOCK_TEXT_SIZE];

	clock_iso_short(signed_at, then_text);
	clock_iso_short(c->now, now_text);
	if (signed_at < c->now - SKEW_SECONDS)
		call_refuse(c, REFUSE_TIME, "Signature expired: %s is now earlier than %s (5 min. before now)", then_text,
			    now_text);
	else if (signed_at > c->now + SKEW_SECONDS)
		call_refuse(c, REFUSE_TIME, "Signature not yet current: %s is still later than %s (5 min. after now)",
			    then_text, now_text);
	else
		return true;
	return false;
}

static bool check_signature(struct call *c, const struct signature *s, const struct signer *k)
{
	struct error err = ERROR_INIT;
	int64_t signed_at = 0;
	int r = signature_holds(s, k->secret, c->q, &signed_at, &err);

	if (r < 0) {
		call_refuse(c, err.kind == ERROR_VERDICT ? REFUSE_SIGNATURE : REFUSE_MALFORMED, "%s", err.message);
		return false;
	}
	return check_time(c, signed_at) && check_token(c, k);
}

bool authenticate(struct call *c, const struct signature *s)
{
	struct signer k;

	if (!find_signer(c, s->access_key, &k)) {
		call_refuse(c, REFUSE_UNKNOWN_KEY, "AWS was not able to validate the provided access credentials: there is "
						   "no key %s", s->access_key);
		return false;
	}
	(void)snprintf(c->principal, sizeof(c->principal), "%s", k.arn);
	return check_signature(c, s, &k);
}
