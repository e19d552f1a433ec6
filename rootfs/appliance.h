/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_APPLIANCE_H
#define KILN_ROOTFS_APPLIANCE_H

struct error;

/* Kernel parameter: the labels of the disks to wait for, with a comma behind each. */
#define APPLIANCE_DISKS "kiln.disks="

/*
 * What supermin makes libguestfs's appliance of: the host's own supermin.d, but for the script that starts it.
 * libguestfs's brings up udev, looks for RAID arrays, logical volumes and Windows's dynamic disks, which no disk
 * of ours has; under emulation that takes longer than the kernel. Kiln's makes the device nodes that are wanted and
 * starts the daemon.
 *
 * `path`: libguestfs's search path, directories with ":" between them. *ret: the directory to search instead, below
 * `directory`, malloc'ed; or NULL if no supermin.d is found (the appliance is a fixed one): leave the path as it is.
 */
int appliance_write(const char *path, const char *directory, char **ret, struct error *err);

#endif
