/* SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "clock.h"

#define NAME_LEAST 3
#define NAME_MOST 128

struct object *images_find(const struct call *c, const char *id)
{
	struct object *o = objects_find(&c->r->objects, c->region, id);

	return o && object_is(o, "ami") && !object_gone(o) ? o : NULL;
}

const char *images_device(const struct object *o, unsigned int n, const char *field)
{
	CLEANUP_FREE char *key = string_printf("BlockDeviceMapping.%u.%s", n, field);

	return object_get(o, key);
}

static bool has_snapshot(const struct object *image, const char *snapshot)
{
	for (unsigned int n = 1; n <= IMAGE_DEVICES_MAX; n++)
		if (strcmp(images_device(image, n, "Ebs.SnapshotId"), snapshot) == 0)
			return true;
	return false;
}

const struct object *images_using(const struct call *c, const char *snapshot)
{
	const struct objects *all = &c->r->objects;

	for (size_t i = 0; i < all->count; i++)
		if (images_find(c, all->items[i]->id) && has_snapshot(all->items[i], snapshot))
			return all->items[i];
	return NULL;
}

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len >= NAME_LEAST && len <= NAME_MOST &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789()[] ./-'@_") == len;
}

static const struct object *find_name(const struct call *c, const char *name)
{
	const struct objects *all = &c->r->objects;

	for (size_t i = 0; i < all->count; i++)
		if (images_find(c, all->items[i]->id) && strcmp(object_get(all->items[i], "Name"), name) == 0)
			return all->items[i];
	return NULL;
}

bool images_name_free(struct call *c, const char *name)
{
	const struct object *taken;

	if (!is_name(name)) {
		call_error(c, 400, "InvalidAMIName.Malformed", NULL, "AMI names must be between 3 and 128 characters long, and "
			   "may contain letters, numbers, '(', ')', '.', '-', '/' and '_'");
		return false;
	}
	taken = find_name(c, name);
	if (taken)
		call_error(c, 400, "InvalidAMIName.Duplicate", NULL, "AMI name %s is already in use by AMI %s", name,
			   taken->id);
	return !taken;
}

struct object *images_new(struct call *c, const char *name)
{
	struct object *o = objects_add(&c->r->objects, "ami", c->region, clock_now_ms());

	object_set(o, "State", c->fault.kind == FAULT_FAILED ? "failed" : "available");
	object_set(o, "Owner", c->r->account);
	object_set(o, "Name", name);
	object_set_number(o, "Started", (uint64_t)rehearsal_time(c->r));
	return o;
}

bool images_save(struct call *c, struct object *image)
{
	struct error err = ERROR_INIT;

	if (object_save(image, &err) == 0)
		return true;
	call_failed(c, &err);
	return false;
}

void images_answer_id(struct call *c, const struct object *image)
{
	(void)snprintf(c->resource, sizeof(c->resource), "%s", image->id);
	markup_leaf(call_xml_begin(c), "imageId", image->id);
	call_xml_end(c);
}

void images_not_found(struct call *c, const char *id)
{
	call_error(c, 400, "InvalidAMIID.NotFound", NULL, "The image id '[%s]' does not exist", id);
}
