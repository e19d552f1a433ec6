/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_BOOT_REQUEST_H
#define KILN_FACTORY_BOOT_REQUEST_H

#include <stdbool.h>

#include "../vm-test/boot_options.h"
#include "enrol.h"
#include "shipped.h"

struct command;
struct error;

/* What "kiln test" and "kiln run" are asked for: a finished disk, and the machine it is to boot on. */
struct boot_request {
	struct shipped shipped;
	struct enrolled enrolled;
	struct boot_options options;	/* to begin with: the verb's defaults */
};
#define BOOT_REQUEST_INIT(...) { .shipped = SHIPPED_INIT, .enrolled = ENROLLED_INIT, .options = { __VA_ARGS__ } }

/*
 * From DISK, --manifest, --secure-boot, --port, --memory, and --timeout if the verb has a default for it. `check` as for
 * shipped_open(). What is in `request` afterwards is to be freed also after an error.
 */
int boot_request_parse(const struct command *command, int argc, char **argv, bool check,
		       struct boot_request *request, struct error *err);
void boot_request_clear(struct boot_request *request);
#define CLEANUP_BOOT_REQUEST __attribute__((cleanup(boot_request_clear)))

#endif
