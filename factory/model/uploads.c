/* SPDX-License-Identifier: Apache-2.0 */
#include "uploads.h"

#include <string.h>

#include "../base/io.h"
#include "json.h"
#include "memory.h"

static void clear(struct upload *u)
{
	free(u->region);
	free(u->image);
	free(u->snapshot);
	free(u->name);
}

void uploads_clear(struct uploads *u)
{
	for (size_t i = 0; i < u->count; i++)
		clear(&u->items[i]);
	free(u->items);
	*u = (struct uploads){ .items = NULL };
}

static void remove_image(struct uploads *u, const char *image)
{
	size_t kept = 0;

	for (size_t i = 0; i < u->count; i++) {
		if (strcmp(u->items[i].image, image))
			u->items[kept++] = u->items[i];
		else
			clear(&u->items[i]);
	}
	u->count = kept;
}

void uploads_add(struct uploads *u, const struct upload *upload)
{
	struct upload *added;

	remove_image(u, upload->image);
	added = memory_append(&u->items, u->count, sizeof(*added));
	u->count++;
	*added = *upload;
	added->region = string_copy(upload->region);
	added->image = string_copy(upload->image);
	added->snapshot = string_copy(upload->snapshot);
	added->name = string_copy(upload->name);
}

static int read_upload(const struct json_node *item, struct upload *ret, struct error *err)
{
	static const char *const keys[] = { "region", "image", "snapshot", "name", "time", "proven", NULL };
	uint64_t time = 0;
	int r = json_check_keys(item, keys, err);

	if (r == 0)
		r = json_get_string(item, "region", &ret->region, err);
	if (r == 0)
		r = json_get_string(item, "image", &ret->image, err);
	if (r == 0)
		r = json_get_string(item, "snapshot", &ret->snapshot, err);
	if (r == 0)
		r = json_get_string(item, "name", &ret->name, err);
	if (r == 0)
		r = json_get_number(item, "time", 0, INT64_MAX, &time, err);
	if (r == 0)
		r = json_get_bool(item, "proven", &ret->proven, err);
	ret->time = (int64_t)time;
	return r;
}

int uploads_read(const struct json_node *root, struct uploads *ret, struct error *err)
{
	struct json_node array, item;
	size_t count = 0;
	int r;

	if (!json_has(root, "uploads"))
		return 0;
	r = json_get_array(root, "uploads", &array, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = json_get_item(&array, i, &item, err);
		if (r < 0)
			break;
		(void)memory_append(&ret->items, i, sizeof(*ret->items));
		ret->count++;
		r = read_upload(&item, &ret->items[i], err);
	}
	return r;
}

void uploads_write(struct json_t *root, const struct uploads *u)
{
	struct json_t *array;

	if (u->count == 0)
		return;
	array = json_put_array(root, "uploads");
	for (size_t i = 0; i < u->count; i++) {
		const struct upload *upload = &u->items[i];
		struct json_t *o = json_put_object(array, NULL);

		json_put_string(o, "region", upload->region);
		json_put_string(o, "image", upload->image);
		json_put_string(o, "snapshot", upload->snapshot);
		json_put_string(o, "name", upload->name);
		json_put_number(o, "time", (uint64_t)upload->time);
		json_put_bool(o, "proven", upload->proven);
	}
}
