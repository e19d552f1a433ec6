/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_STORE_VERIFY_H
#define KILN_ROOTFS_PACKAGES_STORE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct store;
struct store_needs;

enum store_fault {
	STORE_DAMAGED,		/* its bytes are not what its name says, or cannot be read */
	STORE_MISSING,
	STORE_STRAY,		/* lies in the store and is no object */
};
#define STORE_FAULTS 3
extern const char *const store_fault_names[STORE_FAULTS];	/* "damaged", ... */

struct store_finding {
	enum store_fault fault;
	char *name;		/* of the package, or the digest of what has no other name */
	char *path;		/* where it lies, or should */
	char *why;		/* of what is damaged: how that shows; else NULL */
};
struct store_findings {
	struct store_finding *items;	/* by name */
	size_t count;
	size_t checked;			/* objects */
};

/*
 * Reads every object in the store, or with `needs` those alone, and compares it with its name. On
 * all processors. That something is wrong is no error.
 */
int store_verify(const struct store *s, const struct store_needs *needs, struct store_findings *ret,
		 struct error *err);
/* Takes away what is damaged. The store must be open alone since before it was verified. */
int store_remove_damaged(const struct store_findings *findings, struct error *err);
void store_findings_free(struct store_findings *findings);
#define CLEANUP_STORE_FINDINGS __attribute__((cleanup(store_findings_free)))

#endif
