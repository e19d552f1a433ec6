/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_REMOVAL_H
#define KILN_UPLOAD_REMOVAL_H

struct aws;
struct error;
struct image;

/* Taking away what an upload made. What is gone already is no error, so a removal that was cut off can be made again. */

/* Both print each id that they removed. */

/* The image, and then the snapshot of its root volume. */
int removal_of_image(struct aws *a, const struct image *image, struct error *err);
/* The snapshot, and before it any image of this account that is made of it. */
int removal_of_snapshot(struct aws *a, const char *snapshot, struct error *err);

#endif
