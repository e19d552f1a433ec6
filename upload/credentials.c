/* SPDX-License-Identifier: Apache-2.0 */
#include "credentials.h"

#include <stdlib.h>
#include <string.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/secret.h"
#include "../factory/model/json.h"
#include "iso_time.h"

void credentials_clear(struct credentials *c)
{
	secret_freep(&c->key_id);
	secret_freep(&c->secret);
	secret_freep(&c->token);
	free(TAKE_PTR(c->from));
}

void credentials_set(struct credentials *c, const char *key_id, const char *secret, const char *token,
		     int64_t expires, const char *from)
{
	credentials_clear(c);
	c->key_id = string_copy(key_id);
	c->secret = string_copy(secret);
	c->token = token && *token ? string_copy(token) : NULL;
	c->expires = expires;
	c->from = string_copy(from);
}

/* ---------------------------------------------------------------- JSON */

struct texts {
	char *key_id, *secret, *token, *expires;
};

static void texts_clear(struct texts *t)
{
	secret_free(t->key_id);
	secret_free(t->secret);
	secret_free(t->token);
	free(t->expires);
}
#define CLEANUP_TEXTS __attribute__((cleanup(texts_clear)))

static int read_expiry(const struct json_node *object, const struct credential_names *names, const struct texts *t,
		       int64_t *ret, struct error *err)
{
	uint64_t ms = 0;
	int r = 0;

	*ret = 0;
	if (t->expires && iso_time_parse(t->expires, ret) < 0)
		return json_complain(object, names->expires, err, "is no time, such as 2026-01-02T03:04:05Z");
	if (names->expires_ms && json_has(object, names->expires_ms))
		r = json_get_number(object, names->expires_ms, 0, INT64_MAX, &ms, err);
	if (ms)
		*ret = (int64_t)(ms / 1000);
	return r;
}

static int read_object(const struct json_node *object, const struct credential_names *names, const char *from,
		       struct credentials *ret, struct error *err)
{
	CLEANUP_TEXTS struct texts t = { .key_id = NULL };
	int64_t expires = 0;
	int r = json_get_string(object, names->key_id, &t.key_id, err);

	if (r == 0)
		r = json_get_string(object, names->secret, &t.secret, err);
	if (r == 0 && json_has(object, names->token))
		r = json_get_string(object, names->token, &t.token, err);
	if (r == 0 && names->expires && json_has(object, names->expires))
		r = json_get_string(object, names->expires, &t.expires, err);
	if (r == 0)
		r = read_expiry(object, names, &t, &expires, err);
	if (r < 0)
		return r;
	if (!*t.key_id || !*t.secret)
		return error_input(err, "%s: the access key is empty", from);
	credentials_set(ret, t.key_id, t.secret, t.token, expires, from);
	return 0;
}

int credentials_from_json(const struct buf *text, const struct credential_names *names, const char *from,
			  struct credentials *ret, struct error *err)
{
	CLEANUP_JSON struct json_node root = { .value = NULL };
	/* Its words quote the text. */
	struct error detail = ERROR_INIT;
	struct json_node inner;
	int r;

	if (json_open(buf_text(text), text->len, from, &root, &detail) < 0)
		return error_outside(err, "%s: what it gave is no JSON object", from);
	if (!names->object)
		return read_object(&root, names, from, ret, err);
	r = json_get_object(&root, names->object, &inner, err);
	return r < 0 ? r : read_object(&inner, names, from, ret, err);
}
