/* SPDX-License-Identifier: Apache-2.0 */
#include "removal.h"

#include <stdio.h>

#include "../factory/base/error.h"
#include "ec2.h"

static int remove_image(struct aws *a, const char *id, struct error *err)
{
	int r = ec2_deregister(a, id, err);

	if (r == 0)
		printf("%s\n", id);
	return r;
}

static int remove_snapshot(struct aws *a, const char *id, struct error *err)
{
	int r = ec2_delete_snapshot(a, id, err);

	if (r == 0)
		printf("%s\n", id);
	return r;
}

int removal_of_image(struct aws *a, const struct image *image, struct error *err)
{
	int r = remove_image(a, image->id, err);

	if (r < 0 || !snapshot_id_ok(image->snapshot))
		return r;
	r = remove_snapshot(a, image->snapshot, err);
	return r < 0 ? error_wrap(err, "%s is no image any more, but its snapshot %s is still there", image->id,
				  image->snapshot) : 0;
}

int removal_of_snapshot(struct aws *a, const char *snapshot, struct error *err)
{
	CLEANUP_IMAGES struct images images = IMAGES_INIT;
	int r = ec2_images(a, "block-device-mapping.snapshot-id", snapshot, &images, err);

	for (size_t i = 0; r == 0 && i < images.count; i++)
		r = remove_image(a, images.items[i].id, err);
	return r < 0 ? r : remove_snapshot(a, snapshot, err);
}
