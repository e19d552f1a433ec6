/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_JSON_H
#define KILN_MODEL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct digest;
struct error;
struct json_t;

/*
 * Kiln's own JSON files, read strictly: every getter demands the field and its type, and its error
 * (ERROR_INPUT) says where: "kiln.lock: sets.image[3].sha256 must be 64 lower-case hex digits".
 */

#define JSON_SIZE_MAX (64u << 20)

struct json_node {
	struct json_t *value;		/* owned by the root */
	const char *file;		/* for messages; the caller's */
	char path[160];			/* "sets.image[3]"; "" at the root */
};

/* The text must be one object without duplicate keys. Close only what was opened. */
int json_open(const void *text, size_t size, const char *file, struct json_node *ret,
	      struct error *err);
void json_close(struct json_node *root);
#define CLEANUP_JSON __attribute__((cleanup(json_close)))

/* "schema" must be a number from 1 to `known`; what is newer asks for a newer Kiln. `older`: what to do with a file
 * of less than `known`; NULL: it is read. */
int json_check_schema(const struct json_node *root, unsigned int known, const char *older, struct error *err);
/* Refuses every key of `object` that is not among the NULL-terminated `keys`. */
int json_check_keys(const struct json_node *object, const char *const *keys, struct error *err);
/* The complaint itself, for checks beyond the type: "FILE: PATH.KEY ...". Returns -EINVAL. */
int json_complain(const struct json_node *object, const char *key, struct error *err,
		  const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Calls `each` for every key of the object, in their order. */
void json_each_key(const struct json_node *object, void (*each)(const char *key, void *arg), void *arg);
bool json_has(const struct json_node *object, const char *key);
/* There, and not null. */
bool json_is_set(const struct json_node *object, const char *key);
int json_get_object(const struct json_node *object, const char *key, struct json_node *ret,
		    struct error *err);
int json_get_array(const struct json_node *object, const char *key, struct json_node *ret,
		   size_t *ret_count, struct error *err);
/* An array's element, which must be an object. */
int json_get_item(const struct json_node *array, size_t index, struct json_node *ret,
		  struct error *err);
/* malloc'ed; without control characters, because such strings end in messages and in files of lines. */
int json_get_string(const struct json_node *object, const char *key, char **ret, struct error *err);
/* malloc'ed; whatever is in it, for words of others that are cleaned before anybody sees them. */
int json_get_words(const struct json_node *object, const char *key, char **ret, struct error *err);
int json_get_number(const struct json_node *object, const char *key, uint64_t min, uint64_t max,
		    uint64_t *ret, struct error *err);
int json_get_bool(const struct json_node *object, const char *key, bool *ret, struct error *err);
/* Exactly 2 * size lower-case hex digits, copied with their NUL. */
int json_get_hex(const struct json_node *object, const char *key, size_t size, char *ret,
		 struct error *err);

/*
 * Writing: a tree of values, given to json_finish() at the end. `key` is NULL for an element of an
 * array. Lack of memory aborts; bytes of a string that are no UTF-8 become '?'.
 */
struct json_t *json_new(void);
struct json_t *json_put_object(struct json_t *parent, const char *key);
struct json_t *json_put_array(struct json_t *parent, const char *key);
void json_put_string(struct json_t *parent, const char *key, const char *text);
void json_put_digest(struct json_t *parent, const char *key, const struct digest *digest);
/* At most INT64_MAX, as sizes are. */
void json_put_number(struct json_t *parent, const char *key, uint64_t value);
void json_put_real(struct json_t *parent, const char *key, double value);
void json_put_bool(struct json_t *parent, const char *key, bool value);
void json_put_null(struct json_t *parent, const char *key);
/* Appends the text (two-space indent, newline at the end) to `ret` and frees the tree, also on
 * failure. Keys stay in the order they were put, or are `sorted`. Errors as buf's. */
int json_finish(struct json_t *root, bool sorted, struct buf *ret);

#endif
