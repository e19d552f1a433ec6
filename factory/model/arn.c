/* SPDX-License-Identifier: Apache-2.0 */
#include "arn.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/io.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
/* IAM: names of users and roles, and their paths. */
#define IAM_NAME UPPER LOWER DIGITS "+=,.@_-/"

enum field { ARN, PARTITION, SERVICE, REGION, ACCOUNT, RESOURCE, FIELDS };

/* What stands between two colons; the resource may hold more of them. */
struct parts {
	const char *text[FIELDS];
	size_t size[FIELDS];
};

static bool split(const char *text, struct parts *ret)
{
	for (int i = 0; i < FIELDS; i++) {
		size_t size = i == RESOURCE ? strlen(text) : strcspn(text, ":");

		ret->text[i] = text;
		ret->size[i] = size;
		if (i < RESOURCE && text[size] != ':')
			return false;
		text += size + 1;
	}
	return true;
}

static bool is(const struct parts *p, enum field field, const char *text)
{
	return p->size[field] == strlen(text) && memcmp(p->text[field], text, p->size[field]) == 0;
}

/* Has it a character, and none but those? */
static bool made_of(const char *text, size_t size, const char *characters)
{
	return size > 0 && strspn(text, characters) >= size;
}

/* "role/NAME" with anything of `characters` behind the kind. */
static bool names(const struct parts *p, const char *kind, const char *characters)
{
	size_t len = strlen(kind);

	return p->size[RESOURCE] > len && memcmp(p->text[RESOURCE], kind, len) == 0 &&
	       made_of(p->text[RESOURCE] + len, p->size[RESOURCE] - len, characters);
}

static bool iam(const struct parts *p)
{
	return is(p, SERVICE, "iam") && p->size[REGION] == 0;
}

static bool fits(const struct parts *p, enum arn_kind kind)
{
	if (!is(p, ARN, "arn") || !made_of(p->text[PARTITION], p->size[PARTITION], LOWER "-") ||
	    p->size[ACCOUNT] != 12 || !made_of(p->text[ACCOUNT], 12, DIGITS))
		return false;
	switch (kind) {
	case ARN_ROLE:
		return iam(p) && names(p, "role/", IAM_NAME);
	case ARN_PRINCIPAL:
		return iam(p) && (is(p, RESOURCE, "root") || names(p, "role/", IAM_NAME) || names(p, "user/", IAM_NAME));
	case ARN_KEY:
		return is(p, SERVICE, "kms") && made_of(p->text[REGION], p->size[REGION], LOWER DIGITS "-") &&
		       names(p, "key/", LOWER DIGITS "-");
	}
	return false;
}

static const char *const examples[] = {
	[ARN_ROLE] = "the ARN of one role, such as arn:aws:iam::123456789012:role/NAME",
	[ARN_PRINCIPAL] = "the ARN of one role, user or account, such as arn:aws:iam::123456789012:root",
	[ARN_KEY] = "the ARN of a key, such as arn:aws:kms:us-east-1:123456789012:key/ID",
};

int arn_check(const char *text, enum arn_kind kind, const char *option, struct error *err)
{
	struct parts p;

	if (!split(text, &p) || !fits(&p, kind))
		return error_input(err, "%s takes %s, not \"%s\"", option, examples[kind], text);
	return 0;
}

int arn_check_bucket(const char *text, const char *option, struct error *err)
{
	size_t size = strlen(text);

	if (size < 3 || size > 63 || !made_of(text, size, LOWER DIGITS ".-") || strchr(".-", text[0]) ||
	    strchr(".-", text[size - 1]))
		return error_input(err, "%s takes the name of a bucket, not \"%s\"", option, text);
	return 0;
}

int arn_check_region(const char *text, const char *option, struct error *err)
{
	if (!made_of(text, strlen(text), LOWER DIGITS "-") || !strchr(text, '-'))
		return error_input(err, "%s takes a region, such as us-east-1, not \"%s\"", option, text);
	return 0;
}

static const struct {
	const char *prefix, *partition;
} partitions[] = {
	{ "cn-", "aws-cn" },
	{ "us-gov-", "aws-us-gov" },
	{ "us-iso-", "aws-iso" },
	{ "us-isob-", "aws-iso-b" },
	{ "eusc-", "aws-eusc" },
};

const char *arn_partition(const char *region)
{
	for (size_t i = 0; region && i < ARRAY_SIZE(partitions); i++)
		if (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) == 0)
			return partitions[i].partition;
	return "aws";
}

static char *own(const char *arn, enum field field)
{
	struct parts p;

	if (!split(arn, &p))
		return string_copy("");
	return string_printf("%.*s", (int)p.size[field], p.text[field]);
}

char *arn_own_partition(const char *arn)
{
	return own(arn, PARTITION);
}

char *arn_own_region(const char *arn)
{
	return own(arn, REGION);
}
