/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_SANDBOX_H
#define KILN_BASE_SANDBOX_H

#include <stdint.h>

struct error;

/*
 * What a child may do beyond computing (process_options.sandbox): read, list and execute what is
 * `readable`, change what is `writable`, and nothing else. Landlock (Linux 5.13) holds it to the
 * paths; a seccomp filter denies sockets of every kind, other processes' memory, namespaces, mounts and
 * the rest of what reaches past files. No new privileges, no core file, umask 022. All of it is inherited
 * by whatever the child starts. Descriptors it was given stay as they are.
 *
 * Landlock does not govern what is not the contents of a file: stat() and chmod() answer anywhere.
 */
struct sandbox {
	const char *const *readable;	/* files or whole trees; NULL-terminated; NULL: none */
	const char *const *writable;	/* directories with all below, or files (/dev/null): also readable */
	uint64_t memory_max;		/* bytes of address space a process may have; 0: no limit */
};

/*
 * Can this kernel do it? 0, also when it lacks Landlock and KILN_SANDBOX=weak accepts the seccomp
 * filter alone. ERROR_OUTSIDE otherwise, which says what is needed. *ret_abi (may be NULL) is
 * Landlock's version there, 0 for none.
 */
int sandbox_supported(int *ret_abi, struct error *err);

/*
 * For child.c alone. What can fail with a word of explanation is done before fork(); entering is
 * nothing but system calls. `ruleset` is a close-on-exec descriptor above 2, -1 for none.
 */
struct sandbox_entry {
	int ruleset;
	uint64_t memory_max;
};
int sandbox_prepare(const struct sandbox *s, struct sandbox_entry *ret, struct error *err);
/* -1 with errno on failure. Async-signal-safe; there is no way back. */
int sandbox_enter(const struct sandbox_entry *entry);

#endif
