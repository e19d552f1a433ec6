/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_initrd.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../rootfs/packages/decompress.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "format/cpio_read.h"
#include "model/memory.h"

#define UNPACKED_MAX ((size_t)1 << 30)

/* By the first bytes, as the kernel tells them. */
static const struct compression {
	const char *magic;
	size_t size;
	const char *name;		/* whose suffix decompress() knows */
} compressions[] = {
	{ "\x28\xb5\x2f\xfd", 4, "initrd.zst" },
	{ "\x1f\x8b", 2, "initrd.gz" },
	{ "\xfd" "7zXZ", 5, "initrd.xz" },
};

static const struct compression *find_compression(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++)
		if (size >= compressions[i].size && memcmp(data, compressions[i].magic, compressions[i].size) == 0)
			return &compressions[i];
	return NULL;
}

/* What is left at the end is for the caller: -ENOMSG, and *ret_rest is where it begins. */
static int take_plain(const uint8_t *data, size_t size, char ***names, size_t *count, size_t *ret_rest,
		      struct error *err)
{
	struct cpio_entry entry;
	int r;

	*ret_rest = 0;
	while ((r = cpio_next(data, size, ret_rest, &entry, err)) > 0) {
		const char *name = entry.name + (strncmp(entry.name, "./", 2) == 0 ? 2 : 0);
		char **slot = memory_append(names, (*count)++, sizeof(*slot));

		*slot = string_copy(name);
	}
	return r;
}

int audit_initrd_names(const uint8_t *data, size_t size, char ***names, size_t *count, struct error *err)
{
	CLEANUP_BUF struct buf unpacked = BUF_INIT(UNPACKED_MAX);
	const struct compression *c;
	size_t rest = 0;
	int r = take_plain(data, size, names, count, &rest, err);

	if (r != -ENOMSG)
		return r;
	/* A compressed one goes to the end of the initrd; what is unpacked of it is plain. */
	c = find_compression(data + rest, size - rest);
	if (!c)
		return error_input(
			err,
			"the initrd holds at byte %zu what is no cpio archive, nor one compressed with zstd, gzip or xz",
			rest);
	r = decompress(c->name, data + rest, size - rest, &unpacked, err);
	if (r == 0)
		r = take_plain(unpacked.data, unpacked.len, names, count, &rest, err);
	if (r == -ENOMSG)
		return error_input(err, "the unpacked initrd holds at byte %zu what is no cpio archive", rest);
	return r;
}
