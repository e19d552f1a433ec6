/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_RESULTS_H
#define KILN_UPLOAD_RESULTS_H

#include <stddef.h>

struct buf;
struct error;
struct upload;

/* What an upload leaves beside the disk: ids in manifest.json and in pcr_measurements.json. */

/*
 * Pure: pcr_measurements.json with ImageId, SnapshotId, Region and Time (RFC 3339) behind its Measurements, which stay as
 * they are. What an earlier upload had added is replaced. Appended. ERROR_INPUT: it is no such file.
 */
int results_measurements(const void *json, size_t size, const char *file, const struct upload *upload, struct buf *ret,
			 struct error *err);

/* The first of `uploads` is the image itself, the others its copies. Files appear whole or not at all. */
int results_write(const char *manifest_path, const struct upload *uploads, size_t count, struct error *err);

#endif
