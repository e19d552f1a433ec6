/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_GUEST_VERSION_H
#define KILN_ROOTFS_GUEST_VERSION_H

struct error;

/* libguestfs's version, "1.48.6"; malloc'ed. For records: nothing depends on it. */
int guest_version(char **ret, struct error *err);

#endif
