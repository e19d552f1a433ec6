/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_WORKSHOP_H
#define KILN_ROOTFS_WORKSHOP_H

#include "guest.h"

/*
 * The build's one appliance session, with its places:
 *   /         the builder root, read-only (EROFS)
 *   /target   the layer being made (ext4)
 *   /target/root  the image's tree: an overlay of its unpacked packages (EROFS, read-only) below and
 *             /target/upper, what has changed since, above; the layer is nothing but that
 *   /scratch  gone afterwards; TMPDIR
 *   WORKSHOP_OUT  a raw disk without file system, where results too big to copy are written
 */

/* For mkfs.erofs, which would give each of the images that are only read another UUID each time it makes it. */
#define WORKSHOP_NO_UUID "-U00000000-0000-0000-0000-000000000000"

#define WORKSHOP_OUT GUEST_DISK("out")
#define WORKSHOP_ROOT "/target/root"
#define WORKSHOP_UPPER "/target/upper"

struct architecture;

struct workshop_options {
	const struct host *host;
	const struct guest_kernel *kernel;
	const char *cache, *tmp;
	const char *builder;		/* the builder root's EROFS image */
	const char *packages;		/* the unpacked packages' EROFS image */
	const char *layer;		/* a finished layer to begin from, or NULL: an empty one */
	const struct architecture *emulated;	/* of the tree's programs, where this machine cannot run them; or NULL */
};

struct workshop;
int workshop_open(const struct workshop_options *options, struct workshop **ret, struct error *err);
/* Kills the appliance, and its disks go with it: what is to be kept is saved or taken out before. */
void workshop_free(struct workshop *w);
void workshop_freep(struct workshop **w);
#define CLEANUP_WORKSHOP __attribute__((cleanup(workshop_freep)))

/* The appliance itself: guest_run() and the rest work in these places. */
struct guest *workshop_guest(struct workshop *w);
/* Saves the target disk as it is now as a layer at `path`; work may go on afterwards. */
int workshop_save_layer(struct workshop *w, const char *path, struct error *err);
/* Takes the first `size` bytes of WORKSHOP_OUT out to `path`, sparse. */
int workshop_take_out(struct workshop *w, uint64_t size, const char *path, struct error *err);

#endif
