/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "factory/base/io.h"
#include "factory/format/pe.h"

/*
 * grow_uki FROM TO SIZE: a UKI of SIZE bytes out of a real one, by a larger .initrd. What follows .initrd moves up,
 * which a stub does not mind: it finds its parts by name, and they hold no addresses.
 */

#define SECTION_VIRTUAL_SIZE 8		/* offsets in a section header */
#define SECTION_ADDRESS 12
#define SECTION_RAW_SIZE 16
#define SECTION_RAW_OFFSET 20
#define OPTIONAL_SIZE_OF_IMAGE 56
#define SIZE_LIMIT (UINT64_C(1) << 30)

static void add_le32(uint8_t *at, uint32_t more)
{
	write_le32(at, read_le32(at) + more);
}

static void shift_headers(const struct pe *pe, const struct pe_section *grown, uint32_t more, uint8_t *out)
{
	for (unsigned int i = 0; i < pe->section_count; i++) {
		const struct pe_section *s = &pe->sections[i];

		if (s->virtual_address > grown->virtual_address)
			add_le32(out + s->header_offset + SECTION_ADDRESS, more);
		if (s->raw_size > 0 && s->raw_offset > grown->raw_offset)
			add_le32(out + s->header_offset + SECTION_RAW_OFFSET, more);
	}
	write_le32(out + grown->header_offset + SECTION_VIRTUAL_SIZE, grown->raw_size + more);
	add_le32(out + grown->header_offset + SECTION_RAW_SIZE, more);
	add_le32(out + pe->optional_offset + OPTIONAL_SIZE_OF_IMAGE, more);
}

/* Bytes that no compressor and no shortcut for zeros can profit from; the same in every run. */
static void fill(uint8_t *data, size_t size)
{
	uint64_t x = UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < size; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		data[i] = (uint8_t)(x >> 32);
	}
}

static int grow(const char *from, const char *to, uint64_t size, struct error *err)
{
	CLEANUP_IO_MAP struct io_map file = { 0 };
	CLEANUP_FREE uint8_t *out = NULL;
	const struct pe_section *initrd;
	struct pe pe;
	size_t end;
	uint32_t more;
	int r;

	r = io_map_file(from, &file, err);
	if (r == 0)
		r = pe_parse(file.data, file.size, &pe, err);
	if (r < 0)
		return error_wrap(err, "%s", from);
	initrd = pe_find(&pe, ".initrd");
	if (!initrd || size > SIZE_LIMIT || size < file.size)
		return error_input(err, "%s: no .initrd, or not to be grown to %" PRIu64 " bytes", from, size);
	more = (uint32_t)(size - file.size) & ~(pe.section_alignment - 1);
	end = initrd->raw_offset + initrd->raw_size;
	out = malloc(file.size + more);
	if (!out)
		error_no_memory();
	memcpy(out, file.data, end);
	fill(out + end, more);
	memcpy(out + end + more, file.data + end, file.size - end);
	shift_headers(&pe, initrd, more, out);
	return io_write_file(to, out, file.size + more, 0644, err);
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;

	if (argc != 4) {
		fprintf(stderr, "usage: grow_uki FROM TO SIZE\n");
		return 2;
	}
	if (grow(argv[1], argv[2], strtoull(argv[3], NULL, 10), &err) < 0) {
		fprintf(stderr, "grow_uki: %s\n", err.message);
		return error_exit_code(&err);
	}
	return 0;
}
