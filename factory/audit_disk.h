/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_AUDIT_DISK_H
#define KILN_FACTORY_AUDIT_DISK_H

#include "../rootfs/audit/audit.h"

struct error;
struct manifest;

/*
 * A finished disk as the audit wants it. What the root hash covers is copied first and the copy is verified against the
 * hash; an appliance mounts that copy, read-only, and hands its tree out. So what is judged is what a machine sees that
 * boots the disk, and nothing of it is run.
 */
struct audit_disk;
int audit_disk_open(const char *disk, const struct manifest *manifest, struct audit_disk **ret, struct error *err);
/* Belongs to the disk. */
const struct audit_input *audit_disk_input(const struct audit_disk *d);
void audit_disk_free(struct audit_disk *d);
void audit_disk_freep(struct audit_disk **d);
#define CLEANUP_AUDIT_DISK __attribute__((cleanup(audit_disk_freep)))

#endif
