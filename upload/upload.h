/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_UPLOAD_H
#define KILN_UPLOAD_UPLOAD_H

struct aws_options;
struct error;
struct upload_options;

/* From a finished disk to an image of EC2's. */

/*
 * Uploads the disk at `path`, or goes on with an upload that was begun: only what differs from the parent travels, and an
 * image is registered. Prints the image's id. What was done is in the journal (journal.h), so a call that ends in any
 * way can be made again.
 */
int upload_run(const char *path, const struct upload_options *options, struct error *err);

/* Deletes what an upload of `path` has begun in the region and not finished. */
int upload_abort(const char *path, const struct aws_options *options, struct error *err);

#endif
