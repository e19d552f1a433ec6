/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_AUDIT_SYSCTL_H
#define KILN_AUDIT_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "../packages/stanza.h"

struct audit;
struct error;

/* The kernel's settings as systemd-sysctl.service makes them, sysctl.d(5). */

struct sysctl_setting {
	char *key, *value;		/* "kernel.sysrq": with dots; the value without the blanks around it */
	char *path;
	unsigned int line;
};

struct sysctl {
	struct sysctl_setting *settings;	/* in the order they are made */
	size_t count;
	bool applied;			/* by a service that is not masked; else only what the command line says is there */
};

int sysctl_read(const struct audit *a, struct sysctl *ret, struct error *err);
/* The settings of one file. Fuzzed. */
void sysctl_add(struct sysctl *s, struct text text, const char *path);
void sysctl_clear(struct sysctl *s);
#define CLEANUP_SYSCTL __attribute__((cleanup(sysctl_clear)))

/* The last one for the key, by its name or by a pattern; NULL: the kernel's own value stays. */
const struct sysctl_setting *sysctl_find(const struct sysctl *s, const char *key);

#endif
