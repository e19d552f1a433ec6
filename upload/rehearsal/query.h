/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_QUERY_H
#define KILN_REHEARSAL_QUERY_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct error;

/* Names and values in their order: headers, query strings, forms, and the fields of what the server keeps. A name may
 * stand more than once. Lack of memory aborts. */
struct pair {
	char *name, *value;
};
struct pairs {
	struct pair *items;
	size_t count;
};
#define PAIRS_INIT { .items = NULL }
#define PAIRS_MAX 4096

void pairs_add(struct pairs *p, const char *name, const char *value);
/* The first value of that name, or NULL. */
const char *pairs_get(const struct pairs *p, const char *name);
/* Replaces the first of that name, or adds it. */
void pairs_set(struct pairs *p, const char *name, const char *value);
/* Removes each of that name and, unless it is NULL, value. */
void pairs_remove(struct pairs *p, const char *name, const char *value);
void pairs_free(struct pairs *p);
#define CLEANUP_PAIRS __attribute__((cleanup(pairs_free)))

/*
 * Appends what "a=1&b=%20" says (RFC 3986, 2.1; with `form`, '+' is a blank: application/x-www-form-urlencoded). A part
 * without '=' has an empty value. ERROR_INPUT: a wrong or zero %XX, more than PAIRS_MAX. Fuzzed.
 */
int query_parse(const char *text, size_t size, bool form, struct pairs *ret, struct error *err);
/* One part of it. *ret is malloc'ed; -EINVAL. */
int query_decode(const char *text, size_t size, bool form, char **ret);
/* Appends with all but the unreserved characters as %XX, upper case; '/' stays with `keep_slash`. */
void query_encode(const char *text, bool keep_slash, struct buf *ret);

#endif
