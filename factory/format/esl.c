/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/buf.h"
#include "../base/bytes.h"
#include "../base/error.h"
#include "esl.h"

/* EFI_SIGNATURE_LIST: type, list size, header size, signature size; then header and signatures. */
#define LIST_HEADER_SIZE 28
#define OWNER_SIZE 16

const uint8_t esl_guid_x509[16] = {
	0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72,
};
const uint8_t esl_guid_sha256[16] = {
	0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28,
};
const uint8_t esl_guid_sha384[16] = {
	0x07, 0x53, 0x3e, 0xff, 0xd0, 0x9f, 0xc9, 0x48, 0x85, 0xf1, 0x8a, 0xd5, 0x6c, 0x70, 0x1e, 0x01,
};
const uint8_t esl_guid_x509_sha256[16] = {
	0x92, 0xa4, 0xd2, 0x3b, 0xc0, 0x96, 0x79, 0x40, 0xb4, 0x20, 0xfc, 0xf9, 0x8e, 0xf1, 0x03, 0xed,
};

struct list {
	const uint8_t *type, *signatures;
	uint32_t size, count, signature_size;
};

static int parse_list(const uint8_t *value, size_t size, size_t offset, struct list *ret,
		      struct error *err)
{
	const uint8_t *p = value + offset;
	uint32_t list_size, header_size, signature_size, room;

	if (size - offset < LIST_HEADER_SIZE)
		return error_input(err, "signature list at offset %zu is cut short", offset);
	list_size = read_le32(p + 16);
	header_size = read_le32(p + 20);
	signature_size = read_le32(p + 24);
	if (list_size < LIST_HEADER_SIZE || list_size > size - offset)
		return error_input(err, "signature list at offset %zu says it has %u bytes, of %zu left",
				   offset, list_size, size - offset);
	room = list_size - LIST_HEADER_SIZE;
	if (header_size > room)
		return error_input(err, "signature list at offset %zu has a header of %u bytes in a list of %u",
				   offset, header_size, list_size);
	room -= header_size;
	if (signature_size <= OWNER_SIZE || room % signature_size != 0)
		return error_input(err, "signature list at offset %zu does not hold whole signatures of %u bytes",
				   offset, signature_size);
	*ret = (struct list){
		.type = p,
		.signatures = p + LIST_HEADER_SIZE + header_size,
		.size = list_size,
		.count = room / signature_size,
		.signature_size = signature_size,
	};
	return 0;
}

static int walk_list(const struct list *l, int (*each)(const struct esl_entry *e, void *arg), void *arg)
{
	struct esl_entry e = { .size = l->signature_size - OWNER_SIZE };
	int r;

	memcpy(e.type, l->type, sizeof(e.type));
	for (uint32_t i = 0; i < l->count; i++) {
		e.owner = l->signatures + (size_t)i * l->signature_size;
		e.data = e.owner + OWNER_SIZE;
		r = each(&e, arg);
		if (r != 0)
			return r;
	}
	return 0;
}

int esl_walk(const uint8_t *value, size_t size, int (*each)(const struct esl_entry *e, void *arg),
	     void *arg, struct error *err)
{
	struct list l = { .size = 0 };
	int r;

	for (size_t offset = 0; offset < size; offset += l.size) {
		r = parse_list(value, size, offset, &l, err);
		if (r < 0)
			return r;
		r = walk_list(&l, each, arg);
		if (r != 0)
			return r;
	}
	return 0;
}

void esl_add(struct buf *b, const uint8_t type[static 16], const uint8_t owner[static 16], const uint8_t *data,
	     size_t size)
{
	if (buf_add(b, type, 16) < 0 || buf_add_le32(b, (uint32_t)(LIST_HEADER_SIZE + OWNER_SIZE + size)) < 0 ||
	    buf_add_le32(b, 0) < 0 || buf_add_le32(b, (uint32_t)(OWNER_SIZE + size)) < 0 ||
	    buf_add(b, owner, OWNER_SIZE) < 0 || buf_add(b, data, size) < 0)
		error_no_memory();
}
