/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <errno.h>
#include <jansson.h>

#include "../base/buf.h"
#include "../base/digest.h"
#include "../base/error.h"
#include "../base/io.h"

/* seconds in boot-proof.json are the only reals; more digits would only show binary fractions. */
#define DUMP_FLAGS (JSON_INDENT(2) | JSON_REAL_PRECISION(6))

int json_open(const void *text, size_t size, const char *file, struct json_node *ret,
	      struct error *err)
{
	json_error_t e;
	json_t *root;

	if (size > JSON_SIZE_MAX)
		return error_input(err, "%s: larger than %u bytes", file, JSON_SIZE_MAX);
	root = json_loadb(size ? text : "", size, JSON_REJECT_DUPLICATES, &e);
	if (!root)
		return error_input(err, "%s:%d:%d: %s", file, e.line, e.column, e.text);
	if (!json_is_object(root)) {
		json_decref(root);
		return error_input(err, "%s: must be a JSON object", file);
	}
	*ret = (struct json_node){ .value = root, .file = file };
	return 0;
}

void json_close(struct json_node *root)
{
	json_decref(root->value);
	root->value = NULL;
}

int json_complain(const struct json_node *object, const char *key, struct error *err,
		  const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_input(err, "%s: %s%s%s %s", object->file, object->path,
			   *object->path ? "." : "", key, text);
}

int json_check_schema(const struct json_node *root, unsigned int known, const char *older, struct error *err)
{
	uint64_t schema = 0;
	int r = json_get_number(root, "schema", 1, INT64_MAX, &schema, err);

	if (r < 0)
		return r;
	if (schema > known)
		return error_input(err, "%s: its schema is %ju, this Kiln knows up to %u: use a newer Kiln",
				   root->file, (uintmax_t)schema, known);
	if (schema < known && older)
		return error_input(err, "%s: its schema is %ju, that of an older Kiln: %s", root->file,
				   (uintmax_t)schema, older);
	return 0;
}

static bool key_known(const char *key, const char *const *keys)
{
	for (; *keys; keys++)
		if (strcmp(key, *keys) == 0)
			return true;
	return false;
}

int json_check_keys(const struct json_node *object, const char *const *keys, struct error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach (object->value, key, value)
		if (!key_known(key, keys))
			return json_complain(object, key, err, "is not known");
	return 0;
}

void json_each_key(const struct json_node *object, void (*each)(const char *key, void *arg), void *arg)
{
	const char *key;
	json_t *value;

	json_object_foreach (object->value, key, value)
		each(key, arg);
}

bool json_has(const struct json_node *object, const char *key)
{
	return json_object_get(object->value, key);
}

bool json_is_set(const struct json_node *object, const char *key)
{
	json_t *value = json_object_get(object->value, key);

	return value && !json_is_null(value);
}

static int get(const struct json_node *object, const char *key, json_type type, const char *what,
	       json_t **ret, struct error *err)
{
	json_t *value = json_object_get(object->value, key);

	if (!value)
		return json_complain(object, key, err, "is missing");
	if (json_typeof(value) != type)
		return json_complain(object, key, err, "must be %s", what);
	*ret = value;
	return 0;
}

static void descend(const struct json_node *from, const char *key, json_t *value,
		    struct json_node *ret)
{
	struct json_node node = { .value = value, .file = from->file };
	int n = snprintf(node.path, sizeof(node.path), "%s%s%s", from->path, *from->path ? "." : "",
			 key);

	/* Deeper than any file of Kiln's: the path is for people, its beginning will do. */
	if (n >= (int)sizeof(node.path))
		node.path[sizeof(node.path) - 1] = '\0';
	*ret = node;
}

int json_get_object(const struct json_node *object, const char *key, struct json_node *ret,
		    struct error *err)
{
	json_t *value = NULL;
	int r = get(object, key, JSON_OBJECT, "an object", &value, err);

	if (r < 0)
		return r;
	descend(object, key, value, ret);
	return 0;
}

int json_get_array(const struct json_node *object, const char *key, struct json_node *ret,
		   size_t *ret_count, struct error *err)
{
	json_t *value = NULL;
	int r = get(object, key, JSON_ARRAY, "an array", &value, err);

	if (r < 0)
		return r;
	descend(object, key, value, ret);
	*ret_count = json_array_size(value);
	return 0;
}

int json_get_item(const struct json_node *array, size_t index, struct json_node *ret,
		  struct error *err)
{
	struct json_node node = { .value = json_array_get(array->value, index), .file = array->file };
	int n = snprintf(node.path, sizeof(node.path), "%s[%zu]", array->path, index);

	if (n >= (int)sizeof(node.path))
		node.path[sizeof(node.path) - 1] = '\0';
	if (!json_is_object(node.value))
		return error_input(err, "%s: %s must be an object", node.file, node.path);
	*ret = node;
	return 0;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

int json_get_string(const struct json_node *object, const char *key, char **ret, struct error *err)
{
	json_t *value = NULL;
	int r = get(object, key, JSON_STRING, "a string", &value, err);

	if (r < 0)
		return r;
	if (has_control(json_string_value(value)))
		return json_complain(object, key, err, "must not contain control characters");
	*ret = string_copy(json_string_value(value));
	return 0;
}

int json_get_words(const struct json_node *object, const char *key, char **ret, struct error *err)
{
	json_t *value = NULL;
	int r = get(object, key, JSON_STRING, "a string", &value, err);

	if (r == 0)
		*ret = string_copy(json_string_value(value));
	return r;
}

int json_get_number(const struct json_node *object, const char *key, uint64_t min, uint64_t max,
		    uint64_t *ret, struct error *err)
{
	json_t *value = NULL;
	json_int_t n;
	int r = get(object, key, JSON_INTEGER, "a whole number", &value, err);

	if (r < 0)
		return r;
	n = json_integer_value(value);
	if (n < 0 || (uint64_t)n < min || (uint64_t)n > max)
		return json_complain(object, key, err, "must be from %ju to %ju", (uintmax_t)min,
				     (uintmax_t)max);
	*ret = (uint64_t)n;
	return 0;
}

int json_get_bool(const struct json_node *object, const char *key, bool *ret, struct error *err)
{
	json_t *value = json_object_get(object->value, key);

	if (!value)
		return json_complain(object, key, err, "is missing");
	if (!json_is_boolean(value))
		return json_complain(object, key, err, "must be true or false");
	*ret = json_boolean_value(value);
	return 0;
}

int json_get_hex(const struct json_node *object, const char *key, size_t size, char *ret,
		 struct error *err)
{
	json_t *value = NULL;
	const char *text;
	int r = get(object, key, JSON_STRING, "a string", &value, err);

	if (r < 0)
		return r;
	text = json_string_value(value);
	/* Lower case only: digests are compared as text and become file names. */
	if (size == 0 && *text)
		return json_complain(object, key, err, "must be empty");
	if (strlen(text) != 2 * size || strspn(text, "0123456789abcdef") != 2 * size)
		return json_complain(object, key, err, "must be %zu lower-case hex digits", 2 * size);
	memcpy(ret, text, 2 * size + 1);
	return 0;
}

/* ---------------------------------------------------------------- writing */

static void put(json_t *parent, const char *key, json_t *value)
{
	int r = key ? json_object_set_new(parent, key, value) : json_array_append_new(parent, value);

	if (r < 0)
		error_no_memory();
}

struct json_t *json_new(void)
{
	json_t *root = json_object();

	if (!root)
		error_no_memory();
	return root;
}

struct json_t *json_put_object(struct json_t *parent, const char *key)
{
	json_t *value = json_object();

	put(parent, key, value);
	return value;
}

struct json_t *json_put_array(struct json_t *parent, const char *key)
{
	json_t *value = json_array();

	put(parent, key, value);
	return value;
}

void json_put_string(struct json_t *parent, const char *key, const char *text)
{
	json_t *value = json_string(text);
	char *ascii;

	if (!value) {
		ascii = string_copy(text);
		for (char *p = ascii; *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		value = json_string(ascii);
		free(ascii);
	}
	put(parent, key, value);
}

void json_put_digest(struct json_t *parent, const char *key, const struct digest *digest)
{
	char hex[2 * DIGEST_MAX + 1];

	digest_hex(digest, hex);
	json_put_string(parent, key, hex);
}

void json_put_number(struct json_t *parent, const char *key, uint64_t value)
{
	put(parent, key, json_integer((json_int_t)value));
}

void json_put_real(struct json_t *parent, const char *key, double value)
{
	put(parent, key, json_real(value));
}

void json_put_bool(struct json_t *parent, const char *key, bool value)
{
	put(parent, key, json_boolean(value));
}

void json_put_null(struct json_t *parent, const char *key)
{
	put(parent, key, json_null());
}

/* An errno of buf's cannot come through jansson's callback, which knows only 0 and -1. */
struct sink {
	struct buf *buf;
	int result;
};

static int sink_add(const char *text, size_t size, void *arg)
{
	struct sink *sink = arg;

	sink->result = buf_add(sink->buf, text, size);
	return sink->result < 0 ? -1 : 0;
}

int json_finish(struct json_t *root, bool sorted, struct buf *ret)
{
	struct sink sink = { .buf = ret };
	size_t before = ret->len;
	int r = json_dump_callback(root, sink_add, &sink, DUMP_FLAGS | (sorted ? JSON_SORT_KEYS : 0));

	json_decref(root);
	if (r == 0 && sink.result == 0)
		sink.result = buf_add(ret, "\n", 1);
	if (sink.result < 0)
		buf_truncate(ret, before);
	return r < 0 && sink.result == 0 ? -ENOMEM : sink.result;
}
