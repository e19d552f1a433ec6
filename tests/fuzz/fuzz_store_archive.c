/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/bytes.h"
#include "factory/base/error.h"
#include "rootfs/store_archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Locks before objects, and no name that leads anywhere. */
static void check(const struct store_member *member, enum store_member_kind last)
{
	if (member->size == 0 || strchr(member->name, '/') || member->name[0] == '.')
		abort();
	if (member->kind == STORE_MEMBER_OBJECT && strspn(member->name, "0123456789abcdef") != 64)
		abort();
	if (member->kind == STORE_MEMBER_LOCK && last == STORE_MEMBER_OBJECT)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_archive archive = { .last = "" };
	enum store_member_kind last = STORE_MEMBER_LOCK;
	struct error err = ERROR_INIT;
	struct store_member member;
	uint64_t offset = 0, room;

	while (range_fits(offset, TAR_RECORD, size)) {
		if (store_archive_next(&archive, data + offset, &member, &err) < 0) {
			if (err.kind != ERROR_INPUT)
				abort();
			break;
		}
		if (member.kind == STORE_MEMBER_END)
			break;
		check(&member, last);
		last = member.kind;
		offset += TAR_RECORD;
		if (!align_up(member.size, TAR_RECORD, &room) || !range_fits(offset, room, size))
			break;
		offset += room;
	}
	return 0;
}
