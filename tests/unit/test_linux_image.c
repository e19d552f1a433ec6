/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/format/linux_image.h"

#include <string.h>

#include "factory/base/bytes.h"
#include "tap.h"

/* ---------------------------------------------------------------- bzImage */

#define IMAGE_SIZE 4096
#define SETUP_SECTORS 3
#define PAYLOAD 0x20			/* behind the setup sectors */
#define START ((SETUP_SECTORS + 1) * 512 + PAYLOAD)
#define LENGTH 100

static const uint8_t zstd_magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

static void make_image(uint8_t image[static IMAGE_SIZE])
{
	memset(image, 0, IMAGE_SIZE);
	image[0x1f1] = SETUP_SECTORS;
	memcpy(image + 0x202, "HdrS", 4);
	write_le16(image + 0x206, 0x20f);
	write_le32(image + 0x248, PAYLOAD);
	write_le32(image + 0x24c, LENGTH);
	memcpy(image + START, zstd_magic, sizeof(zstd_magic));
}

static void test_payload(void)
{
	static const struct {
		const char *suffix;
		uint8_t magic[4];
		size_t size;
	} cases[] = {
		{ ".zst", { 0x28, 0xb5, 0x2f, 0xfd }, LENGTH - 4 },
		{ ".xz", { 0xfd, '7', 'z', 'X' }, LENGTH - 4 },
		{ ".gz", { 0x1f, 0x8b, 8, 0 }, LENGTH },
	};
	struct linux_payload payload;
	uint8_t image[IMAGE_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		make_image(image);
		memcpy(image + START, cases[i].magic, sizeof(cases[i].magic));
		ok(linux_image_payload(image, sizeof(image), &payload), "a payload, %s", cases[i].suffix);
		ok_str(payload.suffix, cases[i].suffix, "its compression");
		ok(payload.offset == START && payload.size == cases[i].size, "where it lies, without its length");
	}
	/* Of old: zero stands for four. */
	make_image(image);
	image[0x1f1] = 0;
	memcpy(image + 5 * 512 + PAYLOAD, zstd_magic, sizeof(zstd_magic));
	ok(linux_image_payload(image, sizeof(image), &payload) && payload.offset == 5 * 512 + PAYLOAD, "no number of sectors");
}

static void test_no_payload(void)
{
	struct linux_payload payload;
	uint8_t image[IMAGE_SIZE];

	make_image(image);
	ok(linux_image_payload(image, START + LENGTH, &payload), "to the last byte");
	ok(!linux_image_payload(image, START + LENGTH - 1, &payload), "a byte too short");
	for (size_t size = 0; size < 0x250; size++)
		if (linux_image_payload(image, size, &payload))
			ok(false, "no header in %zu bytes", size);
	image[0x202] = 'h';
	ok(!linux_image_payload(image, sizeof(image), &payload), "no bzImage");
	make_image(image);
	write_le16(image + 0x206, 0x207);
	ok(!linux_image_payload(image, sizeof(image), &payload), "a protocol without a payload");
	make_image(image);
	memcpy(image + START, "BZh9", 4);
	ok(!linux_image_payload(image, sizeof(image), &payload), "another compression");
	make_image(image);
	write_le32(image + 0x24c, 7);
	ok(!linux_image_payload(image, sizeof(image), &payload), "no room for the magic and the length");
	make_image(image);
	write_le32(image + 0x248, UINT32_MAX);
	ok(!linux_image_payload(image, sizeof(image), &payload), "an offset outside");
	make_image(image);
	write_le32(image + 0x24c, UINT32_MAX);
	ok(!linux_image_payload(image, sizeof(image), &payload), "a length outside");
}

/* ---------------------------------------------------------------- ELF */

#define ELF_SIZE 512
#define HEADERS 64
#define NOTES 256
/* Two notes before it, one of them with a padded name and contents. */
#define ENTRY_NOTE (12 + 8 + 4 + 12 + 4 + 8)

static size_t add_note(uint8_t *p, const char *name, uint32_t type, uint32_t size)
{
	const uint32_t name_size = (uint32_t)strlen(name) + 1;

	write_le32(p, name_size);
	write_le32(p + 4, size);
	write_le32(p + 8, type);
	memcpy(p + 12, name, name_size);
	return 12 + ((name_size + 3) & ~3u) + ((size + 3) & ~3u);
}

static void make_kernel(uint8_t elf[static ELF_SIZE])
{
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	uint8_t *header = elf + HEADERS + 56;
	size_t size = 0;

	memset(elf, 0, ELF_SIZE);
	memcpy(elf, ident, sizeof(ident));
	write_le16(elf + 18, 62);
	write_le64(elf + 32, HEADERS);
	write_le16(elf + 54, 56);
	write_le16(elf + 56, 2);
	write_le32(elf + HEADERS, 1);			/* PT_LOAD */
	size += add_note(elf + NOTES + size, "Linux", 18, 4);
	size += add_note(elf + NOTES + size, "Xen", 6, 6);
	ok_int(size, ENTRY_NOTE, "notes before it");
	size += add_note(elf + NOTES + size, "Xen", 18, 8);
	write_le32(header, 4);				/* PT_NOTE */
	write_le64(header + 8, NOTES);
	write_le64(header + 32, size);
}

static void test_pvh(void)
{
	uint8_t elf[ELF_SIZE];

	make_kernel(elf);
	ok(linux_image_starts_by_pvh(elf, sizeof(elf)), "a kernel with an entry");
	for (size_t size = 0; size < NOTES; size++)
		if (linux_image_starts_by_pvh(elf, size))
			ok(false, "no note in %zu bytes", size);
	write_le32(elf + NOTES + ENTRY_NOTE + 8, 17);
	ok(!linux_image_starts_by_pvh(elf, sizeof(elf)), "one without");
	make_kernel(elf);
	write_le32(elf + NOTES + 4, UINT32_MAX);
	ok(!linux_image_starts_by_pvh(elf, sizeof(elf)), "a note that ends outside");
	make_kernel(elf);
	write_le64(elf + HEADERS + 56 + 32, UINT64_MAX);
	ok(!linux_image_starts_by_pvh(elf, sizeof(elf)), "notes that end outside");
	make_kernel(elf);
	write_le64(elf + 32, UINT64_MAX);
	ok(!linux_image_starts_by_pvh(elf, sizeof(elf)), "headers outside");
	make_kernel(elf);
	write_le16(elf + 18, 183);
	ok(!linux_image_starts_by_pvh(elf, sizeof(elf)), "another machine's");
	make_kernel(elf);
	write_le16(elf + 54, 32);
	ok(!linux_image_starts_by_pvh(elf, sizeof(elf)), "headers of another size");
	make_kernel(elf);
	elf[4] = 1;
	ok(!linux_image_starts_by_pvh(elf, sizeof(elf)), "32 bits");
}

int main(void)
{
	test_payload();
	test_no_payload();
	test_pvh();
	return tap_done();
}
