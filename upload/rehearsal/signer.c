/* SPDX-License-Identifier: Apache-2.0 */
#include "signer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../../factory/base/base64.h"
#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"

#define SECRET_BYTES 30			/* 40 characters */
#define TOKEN_BYTES 150			/* 200 */

void signers_add(struct signers *c, const char *access_key, const char *secret, const char *arn)
{
	struct signer *k = memory_append(&c->items, c->count, sizeof(*k));

	(void)snprintf(k->access_key, sizeof(k->access_key), "%s", access_key);
	(void)snprintf(k->secret, sizeof(k->secret), "%s", secret);
	(void)snprintf(k->arn, sizeof(k->arn), "%s", arn);
	k->expires = INT64_MAX;
	c->count++;
}

/* Random text with whatever base64 has, '/' and '+' included: clients must encode it where that matters. */
static int random_text(size_t size, char *ret, size_t ret_size, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(ret_size);
	uint8_t bytes[TOKEN_BYTES];

	if (getrandom(bytes, size, 0) != (ssize_t)size)
		return error_outside(err, "there are no random numbers to be had");
	if (base64_encode(bytes, size, &text) < 0)
		error_no_memory();
	(void)snprintf(ret, ret_size, "%s", buf_text(&text));
	return 0;
}

static void name_key(const char *secret, char ret[static 33])
{
	size_t len = 4;

	(void)snprintf(ret, 33, "ASIA");
	for (; *secret && len < 20; secret++)
		if ((*secret >= 'A' && *secret <= 'Z') || (*secret >= '2' && *secret <= '7'))
			ret[len++] = *secret;
	for (; len < 20; len++)
		ret[len] = 'X';
	ret[len] = '\0';
}

int signers_issue(struct signers *c, const char *arn, int64_t expires, const struct signer **ret,
		      struct error *err)
{
	struct signer k = { .expires = expires }, *item;
	int r = random_text(SECRET_BYTES, k.secret, sizeof(k.secret), err);

	if (r == 0)
		r = random_text(TOKEN_BYTES, k.token, sizeof(k.token), err);
	if (r < 0)
		return r;
	name_key(k.token, k.access_key);
	(void)snprintf(k.arn, sizeof(k.arn), "%s", arn);
	item = memory_append(&c->items, c->count++, sizeof(*item));
	*item = k;
	*ret = item;
	return 0;
}

const struct signer *signers_find(const struct signers *c, const char *access_key)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->items[i].access_key, access_key) == 0)
			return &c->items[i];
	return NULL;
}

void signers_free(struct signers *c)
{
	free(c->items);
	*c = (struct signers){ .items = NULL };
}
