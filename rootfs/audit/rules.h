/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_AUDIT_RULES_H
#define KILN_AUDIT_RULES_H

#include "../packages/stanza.h"
#include "audit.h"

/* For the rules alone: what they are, and what they have in common. */

struct buf;
struct scan;
struct tree_node;
struct units;

struct audit {
	const struct audit_input *in;
	const struct units *units;
	const struct scan *scan;
	const struct audit_rule *rule;
	struct audit_result *result;	/* of `rule` */
};

struct audit_rule {
	const char *id, *title;		/* id NULL ends a group */
	int (*check)(struct audit *a, struct error *err);
};

/* A group a file, each in the order of its rows. */
extern const struct audit_rule audit_access_rules[], audit_login_rules[], audit_account_rules[], audit_file_rules[];
extern const struct audit_rule audit_mount_rules[], audit_kernel_rules[], audit_network_rules[];
extern const struct audit_rule audit_package_rules[], audit_secret_rules[], audit_boot_rules[];
extern const struct audit_rule audit_live_rules[];	/* with audit_input.live */

/* One more finding. `path` is as trees have it, or one of AUDIT_CMDLINE and the like. */
void audit_find(struct audit *a, const char *path, unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* What the rule has looked at, said when it holds. */
void audit_seen(struct audit *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends a configuration file's text: 1; 0: there is no such file. */
#define AUDIT_TEXT_MAX ((size_t)16 << 20)
int audit_text(const struct audit *a, const char *path, struct buf *ret, struct error *err);

/* The last component of a path. */
const char *audit_base(const char *path);
/* Is it something that can be run, or leads to such? */
bool audit_is_program(const struct tree_node *node);
bool audit_among(const char *word, const char *const *list);	/* NULL-terminated */

/*
 * The kernel's parameters, in order: words of the command line up to "--", quotation marks taken away, '-' in
 * names turned into '_'. "quiet" has an empty value. *rest begins as the command line.
 */
struct audit_parameter {
	char key[128];			/* cut off, if longer: no parameter is */
	char value[512];
	bool has_value;
};
bool audit_parameter_next(const char **rest, struct audit_parameter *ret);
/* The last one of that name; false: none. */
bool audit_parameter(const struct audit *a, const char *key, struct audit_parameter *ret);
/* As systemd and the kernel read a boolean: "1", "yes", "true", "on", and no value at all. */
bool audit_is_yes(const struct audit_parameter *p);

#endif
