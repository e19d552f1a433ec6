/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_STAGES_COMPILER_H
#define KILN_STAGES_COMPILER_H

#include <stddef.h>

#include "../rootfs/toolbox.h"

struct architecture;
struct error;
struct stage_key;

/*
 * C programs for the target, by the locked compiler's own parts (cc1, as, ld), each run as a tool: gcc's
 * driver would start them by the host's loader. Sources are named as they lie below a directory, so
 * that no path of this machine reaches the bytes.
 */
struct compiler {
	const char *tools, *sysroot;	/* trees */
	const struct architecture *arch;	/* of the image */
	const struct architecture *machine;	/* of the tools; where it is another, the sysroot has gcc's own part, too */
	const char *scratch;		/* for objects */
};

enum compiler_linkage {
	COMPILER_STATIC,		/* one file, no loader */
	COMPILER_HARDENED,		/* PIE with shared libraries, fortified, bound at start */
};

struct compiler_job {
	const char *directory;		/* absolute; includes are relative to the sources */
	const char *const *sources;	/* below it */
	size_t source_count;
	/* All that it may read, sources included; absolute, NULL-terminated. NULL: the directory. */
	const char *const *readable;
	enum compiler_linkage linkage;
	const char *const *libraries;	/* "-l" names */
	size_t library_count;
	const char *output;		/* executable, stripped */
};

/* ERROR_OUTSIDE with the compiler's last words. */
int compiler_build(const struct compiler *compiler, const struct compiler_job *job, struct error *err);
/* All options, for a stage's key. */
void compiler_key(struct stage_key *key);

#endif
