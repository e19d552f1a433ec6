/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_ARCHIVE_FAILURE_H
#define KILN_ROOTFS_PACKAGES_ARCHIVE_FAILURE_H

struct archive;
struct error;

/*
 * libarchive's last complaint as an error, "WHAT: ...", and `otherwise` where it gave none. A full disk keeps its
 * code, so that whoever knows the disk can say which. Returns the error's negative errno.
 */
int archive_failure(struct archive *a, const char *what, const char *otherwise, struct error *err);

#endif
