/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_SHIPPED_H
#define KILN_FACTORY_SHIPPED_H

#include <stdbool.h>

#include "base/host.h"

struct boot_options;
struct error;

/* A finished disk together with what booting it takes: its manifest, its firmware, this host. */
struct shipped {
	const char *disk;
	struct manifest *manifest;
	struct host host;
	char *firmware_code, *firmware_vars, *firmware_name;
	char *tmp;
};
#define SHIPPED_INIT { .disk = NULL }
void shipped_clear(struct shipped *s);
#define CLEANUP_SHIPPED __attribute__((cleanup(shipped_clear)))

/* `disk` stays the caller's; `manifest` NULL is manifest.json beside the disk. With `check` the disk must
 * be the very one that the manifest describes (ERROR_INPUT if not); that reads all of it. */
int shipped_open(const char *disk, const char *manifest, bool check, struct shipped *ret,
		 struct error *err);
/* Can the boot proof boot an image for that architecture, by its name? */
bool shipped_is_provable(const char *arch);
/* Everything but port, memory and time limit. */
void shipped_boot_options(const struct shipped *s, struct boot_options *ret);
/* A file in the disk's directory; malloc'ed. */
char *shipped_beside(const char *disk, const char *name);

#endif
