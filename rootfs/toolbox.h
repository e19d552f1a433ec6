/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_TOOLBOX_H
#define KILN_ROOTFS_TOOLBOX_H

#include <stdint.h>

struct buf;
struct error;

/*
 * Programs out of the lock's builder set, run on this machine by their own loader and with their own
 * libraries, so that the host's versions never reach the image. For tools that turn bytes into bytes and
 * whose own bytes are locked (mkfs.erofs, the compiler, zstd, mtools); what runs other people's code belongs
 * into the appliance. Each run is confined (sandbox.h): it reads the tree and what is named, writes
 * what is named, and has no network.
 *
 * The environment is LC_ALL=C.UTF-8, TZ=UTC, TMPDIR (the first writable directory), PATH and GCONV_PATH (the tree's,
 * by names that hold nothing else), SOURCE_DATE_EPOCH where given, and nothing of the host's.
 */
struct toolbox_command {
	const char *tree;		/* the unpacked builder set: the artifact TOOLBOX_TREE */
	const char *const *argv;	/* argv[0]: "mkfs.erofs", or a path in the tree, "usr/libexec/.../cc1" */
	const char *cwd;		/* absolute, or NULL */
	const char *const *readable;	/* beside the tree; NULL-terminated, or NULL */
	const char *const *writable;	/* likewise */
	const char *const *env;		/* more variables, "NAME=VALUE"; likewise */
	int64_t epoch;			/* SOURCE_DATE_EPOCH; negative: none */
	struct buf *output;		/* standard output is appended; NULL: to the log */
	int output_fd;			/* > 0: in place of `output` */
};
#define TOOLBOX_TREE "tools"

/* ERROR_OUTSIDE: the program is missing, or did not end well, with its last words. */
int toolbox_run(const struct toolbox_command *command, struct error *err);

#endif
