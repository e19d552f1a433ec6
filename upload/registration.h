/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_REGISTRATION_H
#define KILN_UPLOAD_REGISTRATION_H

#include "image_fields.h"

struct aws;
struct error;

/* From a finished snapshot to an image that can be launched. */

/* Until the snapshot is complete. ERROR_OUTSIDE: it has failed, or has not gone on for `stall_s` seconds. */
int registration_wait_snapshot(struct aws *a, const char *snapshot, unsigned int stall_s, struct error *err);
/*
 * Registers, or finds the image that an earlier attempt registered whose answer was lost: RegisterImage knows no token, but a
 * name can be taken only once. ERROR_INPUT: it is taken by an image of another snapshot. *ret_id is malloc'ed.
 */
int registration_make(struct aws *a, const struct image_request *q, unsigned int stall_s, char **ret_id,
		      struct error *err);
/* Until the image is there, and then checks that it is what was asked for. */
int registration_wait_image(struct aws *a, const char *id, const struct image_request *q, unsigned int stall_s,
			    struct error *err);
/*
 * Copies an image to the region that `to` speaks to, and waits for the copy, which must be like it. The same token
 * gives the same copy. *ret_id and *ret_snapshot are malloc'ed.
 */
int registration_copy(struct aws *to, const char *id, const char *from_region, const struct image_request *q,
		      const char *token, unsigned int stall_s, char **ret_id, char **ret_snapshot, struct error *err);

#endif
