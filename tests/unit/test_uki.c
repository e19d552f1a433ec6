/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/format/uki.h"
#include "tests/unit/pe_image.h"
#include "tests/unit/tap.h"

#define TEXT(text) { (const uint8_t *)(text), sizeof(text) - 1 }

static const char kernel[1234] = "a kernel, or what the writer takes for one";
static const struct uki_part parts[UKI_SECTIONS] = {
	[UKI_LINUX] = { (const uint8_t *)kernel, sizeof(kernel) },
	[UKI_OSREL] = TEXT("ID=test\nVERSION_ID=1\n"),
	[UKI_CMDLINE] = TEXT("quiet roothash=00"),
	[UKI_INITRD] = { (const uint8_t *)kernel, 512 },
	[UKI_UNAME] = TEXT("6.12-test"),
	[UKI_PCRPKEY] = TEXT("-----BEGIN PUBLIC KEY-----\n"),
};

static void test_rules(void)
{
	static const char *const names[UKI_SECTIONS] = {
		".linux", ".osrel", ".cmdline", ".initrd", ".ucode", ".splash", ".dtb", ".uname",
		".sbat", ".pcrsig", ".pcrpkey", ".profile", ".dtbauto", ".hwids",
	};

	for (int i = 0; i < UKI_SECTIONS; i++) {
		ok_str(uki_section_rules[i].name, names[i], "section %d in the stub's order", i);
		ok_int(uki_section_rules[i].measured, i != UKI_PCRSIG, "%s is measured or not", names[i]);
	}
}

/* Does section `s` hold just `part`, in the file and in memory? */
static bool holds(const struct pe *pe, const struct pe_section *s, const struct uki_part *part)
{
	const uint8_t *data;
	size_t size;

	if (!s || s->virtual_size != part->size)
		return false;
	pe_section_bytes(pe, s, &data, &size);
	return size == part->size && memcmp(data, part->data, size) == 0;
}

static void check_sections(const struct pe *pe, unsigned int first, const struct uki_part *written)
{
	unsigned int at = first;

	for (int i = 0; i < UKI_SECTIONS; i++) {
		const struct pe_section *s = &pe->sections[at];
		const char *name = uki_section_rules[i].name;

		if (!written[i].data)
			continue;
		ok_str(s->name, name, "section %u is %s", at, name);
		ok(holds(pe, s, &written[i]), "%s has its contents and size", name);
		ok(s->raw_offset % pe->file_alignment == 0 && s->raw_size % pe->file_alignment == 0 &&
		   s->virtual_address % pe->section_alignment == 0, "%s is aligned", name);
		ok(s->raw_offset == s[-1].raw_offset + s[-1].raw_size &&
		   s->virtual_address >= s[-1].virtual_address + s[-1].virtual_size,
		   "%s follows %s without a gap", name, s[-1].name);
		at++;
	}
	ok_int(pe->section_count, at, "and there are no other sections");
}

/* What must be the same in stub and UKI: all but the fields that the writer has to change. */
static void check_stub_kept(const struct buf *stub, const struct pe *uki)
{
	CLEANUP_BUF struct buf copy = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;
	const size_t changed[] = { 6, 12, 16, 20, 24 + 4, 24 + 8, 24 + 56, 24 + 64 };
	size_t table;
	struct pe pe;

	need(pe_parse(stub->data, stub->len, &pe, &err) == 0, "the stub is read");
	need(buf_add(&copy, uki->data, uki->size) == 0, "memory");
	table = pe.section_table_offset + 40 * pe.section_count;
	for (size_t i = 0; i < ARRAY_SIZE(changed); i++)
		memcpy(copy.data + pe.header_offset + changed[i],
		       stub->data + pe.header_offset + changed[i], 4);
	ok(memcmp(copy.data, stub->data, table) == 0, "the stub's own headers are kept");
	ok(memcmp(copy.data + pe.size_of_headers, stub->data + pe.size_of_headers,
		  pe.sections[pe.section_count - 1].raw_offset - pe.size_of_headers) == 0,
	   "and its contents");
}

static void check_image(const struct buf *uki, const struct buf *stub, const struct uki_part *written)
{
	struct error err = ERROR_INIT;
	const struct pe_section *last;
	struct pe pe, stub_pe;
	uint64_t sum;

	need(pe_parse(stub->data, stub->len, &stub_pe, &err) == 0, "the stub is read");
	need(pe_parse(uki->data, uki->len, &pe, &err) == 0, "the UKI is read back: %s", err.message);
	check_sections(&pe, stub_pe.section_count, written);
	check_stub_kept(stub, &pe);
	last = &pe.sections[pe.section_count - 1];
	ok_int(pe.size_of_image, image_round(last->virtual_address + last->virtual_size,
					     pe.section_alignment), "SizeOfImage reaches the last section's end");
	ok_int(read_le32(uki->data + pe.checksum_offset), 0, "the checksum is zero");
	ok_int(uki->len % 8, 0, "the length is a multiple of 8");
	sum = pe.size_of_headers;
	for (unsigned int i = 0; i < pe.section_count; i++)
		sum += pe.sections[i].raw_size;
	ok_int(sum, uki->len, "headers and sections are the whole file");
}

static void test_write(void)
{
	CLEANUP_BUF struct buf stub = BUF_INIT(65536), uki = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;
	size_t changed = IMAGE_OPTIONAL + 4;

	image_stub(&stub, IMAGE_MAGIC("257.13-1~deb13u1"));
	need(uki_write(stub.data, stub.len, parts, &uki, &err) == 0, "a UKI is written: %s", err.message);
	check_image(&uki, &stub, parts);
	ok_int(read_le32(uki.data + changed), 0x600, "SizeOfCode grows by .linux");
	ok_int(read_le32(uki.data + changed + 4), 5 * 0x200, "SizeOfInitializedData by the rest");
	need(buf_add(&again, "before", 6) == 0, "memory");
	need(uki_write(stub.data, stub.len, parts, &again, &err) == 0, "and again");
	ok(again.len == 6 + uki.len && memcmp(again.data + 6, uki.data, uki.len) == 0 &&
	   memcmp(again.data, "before", 6) == 0, "same input, same bytes, appended");
}

/* Signing appends a certificate table: nothing that was hashed may change by it. */
static void test_signing_keeps_digest(void)
{
	CLEANUP_BUF struct buf stub = BUF_INIT(65536), uki = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;
	struct digest before, after;
	struct pe pe;

	image_stub(&stub, IMAGE_MAGIC("257"));
	need(uki_write(stub.data, stub.len, parts, &uki, &err) == 0, "a UKI is written");
	need(pe_parse(uki.data, uki.len, &pe, &err) == 0, "and read");
	need(pe_authenticode(&pe, DIGEST_SHA384, &before, &err) == 0, "and hashed");
	image_sign(&uki, "a signature", 11);
	write_le32(uki.data + pe.checksum_offset, 77);
	need(pe_parse(uki.data, uki.len, &pe, &err) == 0, "the signed one is read");
	need(pe_authenticode(&pe, DIGEST_SHA384, &after, &err) == 0, "and hashed");
	ok(digest_equal(&before, &after), "signing does not change the digest");
}

/* Stubs up to 252 carry a symbol table behind their sections. */
static void test_symbols(void)
{
	CLEANUP_BUF struct buf stub = BUF_INIT(65536), uki = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;
	uint32_t at;

	image_stub(&stub, IMAGE_MAGIC("252.39-1~deb12u2"));
	at = (uint32_t)stub.len;
	buf_fill(&stub, 0x55, 2 * 18);
	buf_add_le32(&stub, 4 + 7);
	buf_add(&stub, "strings", 7);
	write_le32(stub.data + IMAGE_PE + 12, at);
	write_le32(stub.data + IMAGE_PE + 16, 2);
	need(uki_write(stub.data, stub.len, parts, &uki, &err) == 0, "a stub with symbols: %s", err.message);
	check_image(&uki, &stub, parts);
	ok_int(read_le32(uki.data + IMAGE_PE + 12), 0, "the UKI has no symbol table");
	ok_int(read_le32(uki.data + IMAGE_PE + 16), 0, "and no symbols");
	ok_int(read_le16(uki.data + IMAGE_PE + 22), 0x0206 | 0x0008, "and says so");
	ok(memcmp(uki.data + at, kernel, sizeof(kernel)) == 0, ".linux takes its place");
}

static void test_refused_stubs(void)
{
	const struct {
		size_t offset;
		uint32_t value;
		const char *message, *what;
	} cases[] = {
		{ 0x3c, 0x10000, "UKI stub: no PE image", "no PE image" },
		{ IMAGE_OPTIONAL + 32, 0x100, "SectionAlignment 256", "SectionAlignment below FileAlignment" },
		{ IMAGE_OPTIONAL + 36, 0x201, "FileAlignment 513", "FileAlignment no power of two" },
		{ IMAGE_OPTIONAL + 36, 0x100, "FileAlignment 256", "FileAlignment too small" },
		{ IMAGE_OPTIONAL + 36, 0, "FileAlignment 0", "FileAlignment zero" },
		{ IMAGE_OPTIONAL + 36, 0x400, "no multiple of FileAlignment 1024", "a last section not aligned" },
		{ IMAGE_TABLE + 40 + 16, 0, "gaps", "a gap between sections" },
		{ IMAGE_TABLE + 80 + 16, 0, "gaps", "bytes after the last section" },
		{ IMAGE_PE + 12, 0x600, "symbol table at offset 0x600", "a symbol table that ends elsewhere" },
		{ IMAGE_PE + 12, 0xfffffff0, "symbol table at offset 0xfffffff0", "a symbol table far outside" },
		{ IMAGE_TABLE + 3 * 40 + 5, 1, "uses the byte at offset 0x1c5", "no zeros after the table" },
		{ IMAGE_TABLE + 8, 0xfffffff0, "pass 4 GiB", "a section of 4 GiB in memory" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf stub = BUF_INIT(65536), uki = BUF_INIT(1 << 20);
		struct error err = ERROR_INIT;

		image_stub(&stub, IMAGE_MAGIC("257"));
		write_le32(stub.data + cases[i].offset, cases[i].value);
		ok_int(uki_write(stub.data, stub.len, parts, &uki, &err), -EINVAL, "refused: %s", cases[i].what);
		ok_error(&err, cases[i].message, "the message says why: %s", cases[i].what);
		ok_int(uki.len, 0, "nothing is written: %s", cases[i].what);
	}
}

static void expect_refusal(const struct buf *stub, const struct uki_part *given, const char *message,
			   const char *what)
{
	CLEANUP_BUF struct buf uki = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;

	ok_int(uki_write(stub->data, stub->len, given, &uki, &err), -EINVAL, "refused: %s", what);
	ok_error(&err, message, "the message says why: %s", what);
}

static void test_refused(void)
{
	const struct uki_part none[UKI_SECTIONS] = { [UKI_OSREL] = TEXT("ID=test\n") };
	const struct uki_part empty[UKI_SECTIONS] = { [UKI_LINUX] = TEXT("kernel"), [UKI_CMDLINE] = TEXT("") };
	const struct uki_part twice[UKI_SECTIONS] = { [UKI_LINUX] = TEXT("kernel"), [UKI_SBAT] = TEXT("sbat") };
	const struct uki_part large[UKI_SECTIONS] = {
		[UKI_LINUX] = TEXT("kernel"),
		/* Never read: the size alone is refused. */
		[UKI_INITRD] = { (const uint8_t *)kernel, UINT32_MAX - 0x2000u },
	};
	CLEANUP_BUF struct buf stub = BUF_INIT(65536), small = BUF_INIT(100);
	struct error err = ERROR_INIT;

	image_stub(&stub, IMAGE_MAGIC("257"));
	expect_refusal(&stub, none, "no .linux part", "no kernel");
	expect_refusal(&stub, empty, ".cmdline part is empty", "an empty part");
	expect_refusal(&stub, twice, "already has a section .sbat", "a section that the stub has");
	expect_refusal(&stub, large, "pass 4 GiB with its .initrd", "more than 4 GiB");
	ok_int(uki_write(stub.data, stub.len, parts, &small, &err), -EFBIG, "no more than the buffer's limit");
	ok_int(small.len, 0, "and then nothing");

	image_sign(&stub, "signature", 9);
	expect_refusal(&stub, parts, "the stub is signed", "a signed stub");
}

/* Headers of 0x400 bytes hold 17 section headers; the stub here has 12 and the UKI wants 6 more. */
static void test_no_room(void)
{
	CLEANUP_BUF struct buf stub = BUF_INIT(65536), uki = BUF_INIT(1 << 20);
	struct image_section sections[12];
	struct error err = ERROR_INIT;
	struct uki_part five[UKI_SECTIONS];

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		sections[i] = (struct image_section){ ".text", kernel, 100 };
	image_build(&stub, sections, ARRAY_SIZE(sections));
	expect_refusal(&stub, parts, "no room for 6 more section headers at 0x328", "a full section table");
	memcpy(five, parts, sizeof(five));
	five[UKI_UNAME].data = NULL;
	ok_int(uki_write(stub.data, stub.len, five, &uki, &err), 0, "the last place is used: %s", err.message);
}

static void test_version(void)
{
#define AMAZON "NAME=\"Amazon Linux\"\nVERSION=\"2023\"\n"
	const struct {
		const char *magic, *osrel;	/* NULL: no such section */
		int version;			/* -1: refused */
		const char *message;
	} cases[] = {
		{ IMAGE_MAGIC("252.39-1~deb12u2"), NULL, 252, NULL },
		{ IMAGE_MAGIC("257.13-1~deb13u1"), NULL, 257, NULL },
		{ IMAGE_MAGIC("259~rc1"), NULL, 259, NULL },
		{ IMAGE_MAGIC("255"), AMAZON, 255, NULL },
		{ NULL, AMAZON, 252, NULL },
		{ NULL, "NAME=\"Amazon Linux\"\nVERSION=\"2\"\n", -1, "no section .sdmagic" },
		{ NULL, NULL, -1, "no section .sdmagic" },
		{ IMAGE_MAGIC("v257"), NULL, -1, "does not name it" },
		{ IMAGE_MAGIC("12345"), NULL, -1, "does not name it" },
		{ "#### LoaderInfo: systemd-stub 257", NULL, -1, "does not name it" },
		{ "#### LoaderInfo: systemd-boot 257 ####", NULL, -1, "does not name it" },
		{ "#", NULL, -1, "does not name it" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf b = BUF_INIT(65536);
		struct image_section sections[2];
		struct error err = ERROR_INIT;
		unsigned int version = 0;
		uint16_t count = 0;
		struct pe pe;
		int r;

		if (cases[i].magic)
			sections[count++] = (struct image_section){ ".sdmagic", cases[i].magic,
								    (uint32_t)strlen(cases[i].magic) + 1 };
		if (cases[i].osrel)
			sections[count++] = (struct image_section){ ".osrel", cases[i].osrel,
								    (uint32_t)strlen(cases[i].osrel) };
		image_build(&b, sections, count);
		need(pe_parse(b.data, b.len, &pe, &err) == 0, "an image is read");
		r = uki_stub_version(&pe, &version, &err);
		ok_int(r < 0 ? -1 : (int)version, cases[i].version, "version of \"%s\"",
		       cases[i].magic ? cases[i].magic : "(none)");
		if (cases[i].message)
			ok_error(&err, cases[i].message, "and why not");
	}
}

/* With the target's own stub: $KILN_TEST_STUB; the result goes to $KILN_TEST_UKI_OUT for other readers. */
static void test_real(const char *path, const char *out)
{
	CLEANUP_BUF struct buf stub = BUF_INIT(1 << 24), uki = BUF_INIT(1 << 24);
	struct error err = ERROR_INIT;
	unsigned int version = 0;
	struct pe pe;

	need(io_read_file(path, stub.max, &stub, &err) == 0, "%s: %s", path, err.message);
	need(uki_write(stub.data, stub.len, parts, &uki, &err) == 0, "%s: %s", path, err.message);
	check_image(&uki, &stub, parts);
	need(pe_parse(uki.data, uki.len, &pe, &err) == 0, "the UKI is read back");
	ok(uki_stub_version(&pe, &version, &err) == 0 && version >= 252, "its stub is %u", version);
	if (out)
		ok_int(io_write_file(out, uki.data, uki.len, 0644, &err), 0, "%s is written", out);
}

int main(void)
{
	const char *stub = getenv("KILN_TEST_STUB");

	test_rules();
	test_write();
	test_signing_keeps_digest();
	test_symbols();
	test_refused_stubs();
	test_refused();
	test_no_room();
	test_version();
	if (stub)
		test_real(stub, getenv("KILN_TEST_UKI_OUT"));
	return tap_done();
}
