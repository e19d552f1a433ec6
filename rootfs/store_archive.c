/* SPDX-License-Identifier: Apache-2.0 */
#include "store_archive.h"

#include <stdbool.h>
#include <string.h>

#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/description_syntax.h"
#include "packages/store.h"

#define IMAGES "images/"
#define LOCK "/kiln.lock"
#define OBJECTS "store/"

char *store_archive_lock_path(const char *image)
{
	return string_printf(IMAGES "%s" LOCK, image);
}

char *store_archive_object_path(const char *sha256)
{
	return string_printf(OBJECTS "%.2s/%s", sha256, sha256);
}

static bool is_lock(const char *path, char ret_name[static 101])
{
	const char *name = path + strlen(IMAGES);
	size_t size;

	if (strncmp(path, IMAGES, strlen(IMAGES)) != 0)
		return false;
	size = strcspn(name, "/");
	if (size > 100 || strcmp(name + size, LOCK) != 0)
		return false;
	memcpy(ret_name, name, size);
	ret_name[size] = '\0';
	return syntax_image_name(ret_name) == NULL;
}

static bool is_object(const char *path, char ret_sha256[static 65])
{
	return strncmp(path, OBJECTS, strlen(OBJECTS)) == 0 &&
	       store_is_object(path + strlen(OBJECTS), ret_sha256);
}

static int check_member(const struct store_archive *archive, const struct tar_header *header,
			struct error *err)
{
	if (header->type != TAR_FILE)
		return error_input(err, "\"%s\" is no regular file", header->path);
	/* So nothing comes twice. */
	if (strcmp(header->path, archive->last) <= 0)
		return error_input(err, "\"%s\" is out of order after \"%s\"", header->path,
				   archive->last);
	if (header->size == 0)
		return error_input(err, "\"%s\" is empty", header->path);
	return 0;
}

int store_archive_next(struct store_archive *archive, const uint8_t record[static TAR_RECORD],
		       struct store_member *ret, struct error *err)
{
	struct store_member member = {.kind = STORE_MEMBER_END};
	struct tar_header header;
	int r;

	r = tar_header_read(record, &header);
	if (r < 0)
		return error_input(err, "there is no valid tar header");
	if (r == 0) {
		*ret = member;
		return 0;
	}
	if (is_lock(header.path, member.name))
		member.kind = STORE_MEMBER_LOCK;
	else if (is_object(header.path, member.name))
		member.kind = STORE_MEMBER_OBJECT;
	else
		return error_input(err,
				   "\"%s\" is neither an image's lock nor an object of the store",
				   header.path);
	r = check_member(archive, &header, err);
	if (r < 0)
		return r;
	member.size = header.size;
	memcpy(archive->last, header.path, sizeof(archive->last));
	*ret = member;
	return 0;
}
