/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_AUDIT_SCAN_H
#define KILN_AUDIT_SCAN_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct tree;

/* What the contents of files tell, whatever the files are called: all of them, read once. */

enum scan_kind {
	SCAN_PRIVATE_KEY,		/* with its body: programs name the header lines, too */
	SCAN_TOKEN,			/* an access key of a cloud or a code host, by its form */
	SCAN_USER_DATA,			/* the path at which EC2 has what users give an instance */
	SCAN_SSH_SERVER,		/* a program with an SSH server's words in it */
};

struct scan_hit {
	enum scan_kind kind;
	char *path;			/* as the tree has it */
	unsigned int line;		/* 0 in programs and large files */
	const char *what;		/* static text */
};

struct scan {
	struct scan_hit *hits;		/* in the tree's order */
	size_t count;
	size_t files;			/* that were read */
	uint64_t bytes;
};

int scan_tree(const struct tree *tree, struct scan **ret, struct error *err);
void scan_free(struct scan *scan);
void scan_freep(struct scan **scan);
#define CLEANUP_SCAN __attribute__((cleanup(scan_freep)))

/*
 * In bytes alone: calls `found` for each thing that begins before `limit`; one that reaches beyond `size` is not
 * seen, so callers with more to read overlap by SCAN_OVERLAP. `elf`: the file is a program. Fuzzed.
 */
#define SCAN_OVERLAP ((size_t)64 << 10)
void scan_bytes(const uint8_t *data, size_t size, size_t limit, int elf,
		void (*found)(void *arg, enum scan_kind kind, size_t at, const char *what), void *arg);

#endif
