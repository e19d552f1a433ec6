/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_DECLARED_H
#define KILN_MODEL_DECLARED_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct json_node;
struct json_t;

/*
 * What a description declares of the finished image, and `kiln audit` holds it to: "declared" in manifest.json.
 * Strings malloc'ed and never NULL.
 */

struct declared_port {
	unsigned int number;		/* 1 to 65535 */
	bool udp;
};

struct declared_exception {
	char *rule;
	char *path;			/* a pattern, fnmatch(3), of paths as the audit names them; "": wherever */
	char *reason;
};

struct declared {
	struct declared_port *ports;
	size_t port_count;
	char **absent;			/* packages that must not be installed */
	size_t absent_count;
	struct declared_exception *exceptions;
	size_t exception_count;
};

void declared_clear(struct declared *d);
#define CLEANUP_DECLARED __attribute__((cleanup(declared_clear)))

void declared_add_port(struct declared *d, unsigned int number, bool udp);
void declared_add_absent(struct declared *d, const char *package);
void declared_add_exception(struct declared *d, const char *rule, const char *path, const char *reason);

bool declared_has_port(const struct declared *d, unsigned int number, bool udp);

/* Of an object's field "declared"; `ret` is empty before. */
int declared_read(const struct json_node *object, struct declared *ret, struct error *err);
void declared_write(struct json_t *object, const struct declared *d);

#endif
