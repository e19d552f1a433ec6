/* SPDX-License-Identifier: Apache-2.0 */
#include "declared.h"

#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/io.h"
#include "json.h"
#include "memory.h"

void declared_clear(struct declared *d)
{
	for (size_t i = 0; i < d->absent_count; i++)
		free(d->absent[i]);
	for (size_t i = 0; i < d->exception_count; i++) {
		free(d->exceptions[i].rule);
		free(d->exceptions[i].path);
		free(d->exceptions[i].reason);
	}
	free(d->ports);
	free(d->absent);
	free(d->exceptions);
	*d = (struct declared) { .ports = NULL };
}

void declared_add_port(struct declared *d, unsigned int number, bool udp)
{
	struct declared_port *port = memory_append(&d->ports, d->port_count++, sizeof(*port));

	*port = (struct declared_port) { number, udp };
}

void declared_add_absent(struct declared *d, const char *package)
{
	char **slot = memory_append(&d->absent, d->absent_count++, sizeof(*slot));

	*slot = string_copy(package);
}

void declared_add_exception(struct declared *d, const char *rule, const char *path, const char *reason)
{
	struct declared_exception *e = memory_append(&d->exceptions, d->exception_count++, sizeof(*e));

	e->rule = string_copy(rule);
	e->path = string_copy(path);
	e->reason = string_copy(reason);
}

bool declared_has_port(const struct declared *d, unsigned int number, bool udp)
{
	for (size_t i = 0; i < d->port_count; i++)
		if (d->ports[i].number == number && d->ports[i].udp == udp)
			return true;
	return false;
}

/* ---------------------------------------------------------------- reading */

static int read_port(const struct json_node *item, struct declared *d, struct error *err)
{
	static const char *const keys[] = { "protocol", "number", NULL };
	CLEANUP_FREE char *protocol = NULL;
	uint64_t number = 0;
	int r = json_check_keys(item, keys, err);

	if (r == 0)
		r = json_get_string(item, "protocol", &protocol, err);
	if (r == 0 && strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
		r = json_complain(item, "protocol", err, "must be tcp or udp");
	if (r == 0)
		r = json_get_number(item, "number", 1, 65535, &number, err);
	if (r == 0)
		declared_add_port(d, (unsigned int)number, strcmp(protocol, "udp") == 0);
	return r;
}

static int read_absent(const struct json_node *item, struct declared *d, struct error *err)
{
	static const char *const keys[] = { "name", NULL };
	CLEANUP_FREE char *name = NULL;
	int r = json_check_keys(item, keys, err);

	if (r == 0)
		r = json_get_string(item, "name", &name, err);
	if (r == 0)
		declared_add_absent(d, name);
	return r;
}

static int read_exception(const struct json_node *item, struct declared *d, struct error *err)
{
	static const char *const keys[] = { "rule", "path", "reason", NULL };
	CLEANUP_FREE char *rule = NULL, *path = NULL, *reason = NULL;
	int r = json_check_keys(item, keys, err);

	if (r == 0)
		r = json_get_string(item, "rule", &rule, err);
	if (r == 0)
		r = json_get_string(item, "path", &path, err);
	if (r == 0 && path[0] != '\0' && path[0] != '/' && path[0] != '(')
		r = json_complain(item, "path", err, "must be an absolute path, or empty");
	if (r == 0)
		r = json_get_string(item, "reason", &reason, err);
	if (r == 0)
		declared_add_exception(d, rule, path, reason);
	return r;
}

static int read_list(const struct json_node *object, const char *key,
		     int (*read)(const struct json_node *item, struct declared *d, struct error *err),
		     struct declared *d, struct error *err)
{
	struct json_node array, item;
	size_t count = 0;
	int r = json_get_array(object, key, &array, &count, err);

	for (size_t i = 0; i < count && r == 0; i++) {
		r = json_get_item(&array, i, &item, err);
		if (r == 0)
			r = read(&item, d, err);
	}
	return r;
}

int declared_read(const struct json_node *object, struct declared *ret, struct error *err)
{
	static const char *const keys[] = { "ports", "absent_packages", "exceptions", NULL };
	struct json_node node;
	int r = json_get_object(object, "declared", &node, err);

	if (r == 0)
		r = json_check_keys(&node, keys, err);
	if (r == 0)
		r = read_list(&node, "ports", read_port, ret, err);
	if (r == 0)
		r = read_list(&node, "absent_packages", read_absent, ret, err);
	if (r == 0)
		r = read_list(&node, "exceptions", read_exception, ret, err);
	return r;
}

/* ---------------------------------------------------------------- writing */

void declared_write(struct json_t *object, const struct declared *d)
{
	struct json_t *o = json_put_object(object, "declared"), *array, *item;

	array = json_put_array(o, "ports");
	for (size_t i = 0; i < d->port_count; i++) {
		item = json_put_object(array, NULL);
		json_put_string(item, "protocol", d->ports[i].udp ? "udp" : "tcp");
		json_put_number(item, "number", d->ports[i].number);
	}
	array = json_put_array(o, "absent_packages");
	for (size_t i = 0; i < d->absent_count; i++)
		json_put_string(json_put_object(array, NULL), "name", d->absent[i]);
	array = json_put_array(o, "exceptions");
	for (size_t i = 0; i < d->exception_count; i++) {
		item = json_put_object(array, NULL);
		json_put_string(item, "rule", d->exceptions[i].rule);
		json_put_string(item, "path", d->exceptions[i].path);
		json_put_string(item, "reason", d->exceptions[i].reason);
	}
}
