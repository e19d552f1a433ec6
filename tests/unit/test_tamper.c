/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <zstd.h>

#include "factory/base/cleanup.h"
#include "factory/format/gpt.h"
#include "factory/format/pe.h"
#include "factory/model/manifest.h"
#include "vm-test/tamper.h"
#include "vm-test/tamper_bench.h"
#include "vm-test/tamper_find.h"
#include "vm-test/tamper_option.h"

static const char text[] = "TERMS AND CONDITIONS";

/* ---------------------------------------------------------------- finding */

static void test_find_plain(void)
{
	static uint8_t image[8 * TAMPER_BLOCK];
	uint64_t at = 0;

	ok(!tamper_find(image, sizeof(image), text, &at), "a text that is not there is not found");
	memcpy(image + 3 * TAMPER_BLOCK + 100, text, strlen(text));
	ok(tamper_find(image, sizeof(image), text, &at), "a plain one is");
	ok_int(at, 3 * TAMPER_BLOCK + 100, "at its place");
	ok(!tamper_find(image, 3 * TAMPER_BLOCK + 4000, text, &at), "not in a block that is cut off");
	ok(!tamper_find(image, 0, text, &at), "nor in nothing");
}

static void test_find_compressed(void)
{
	static uint8_t image[8 * TAMPER_BLOCK], frame[TAMPER_BLOCK];
	char plain[6000], other[6000];
	uint64_t at = 0;
	size_t size, n;

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (char)('a' + i * i % 26);
	memcpy(plain + 3000, text, strlen(text));
	size = ZSTD_compress(frame, sizeof(frame), plain, sizeof(plain), 3);
	need(!ZSTD_isError(size), "a frame is made");
	memcpy(image + 6 * TAMPER_BLOCK - size, frame, size);
	ok(tamper_find(image, sizeof(image), text, &at), "a text in a frame that ends with its block is found");
	ok(at >= 6 * TAMPER_BLOCK - size && at < 6 * TAMPER_BLOCK, "and the place is one of the frame's");
	image[at] ^= 1;
	n = ZSTD_decompress(other, sizeof(other), image + 6 * TAMPER_BLOCK - size, size);
	ok(ZSTD_isError(n) || memcmp(plain, other, sizeof(plain)), "on which the data depend");
	image[6 * TAMPER_BLOCK - size] ^= 1;
	ok(!tamper_find(image, sizeof(image), text, &at), "a frame without its magic number is none");
}

/* ---------------------------------------------------------------- what firmware and stub read */

static void test_load_option(void)
{
	const struct gpt_partition p = { .number = 1, .id = { 0xab }, .offset = 1 << 20, .size = 36 << 20 };
	CLEANUP_BUF struct buf b = BUF_INIT(4096);

	need(tamper_load_option(&p, "\\A", "x=1", &b) == 0, "an option is written");
	ok_int(b.data[0], 1, "it is active");
	ok_int(b.data[4] | b.data[5] << 8, 42 + 4 + 6 + 4, "its path is as long as it says");
	ok(memcmp(b.data + 6, "L\0i\0n\0u\0x\0\0", 12) == 0, "it has a name");
	ok(b.data[18] == 4 && b.data[19] == 1 && b.data[22] == 1, "its path begins with a partition");
	ok(b.data[26] == 0 && b.data[27] == 8, "which begins at sector 2048");
	ok(b.data[42] == 0xab && b.data[58] == 2 && b.data[59] == 2, "and is known by its GUID");
	ok(memcmp(b.data + 60 + 4, "\\\0A\0\0", 6) == 0, "then comes a file");
	ok(memcmp(b.data + 70, "\x7f\xff\x04\0", 4) == 0, "and the path's end");
	ok(b.len == 74 + 8 && memcmp(b.data + 74, "x\0=\0001\0\0", 8) == 0, "behind it the options");
}

static void test_addon(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 16);
	char long_text[600];
	const struct pe_section *s;
	struct error err = ERROR_INIT;
	struct pe pe;

	need(tamper_addon("a=b", &b) == 0, "an add-on is written");
	need(pe_parse(b.data, b.len, &pe, &err) == 0, "it is a PE image: %s", err.message);
	s = pe_find(&pe, ".cmdline");
	need(s, "with a section .cmdline");
	ok(s->virtual_size == 4 && memcmp(b.data + s->raw_offset, "a=b", 4) == 0, "which has the text");
	ok(!pe_find(&pe, ".linux"), "and no kernel");
	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	ok(tamper_addon(long_text, &b) < 0, "what does not fit is refused");
}

/* ---------------------------------------------------------------- the table */

static void test_rows(void)
{
	bool quick = false;

	for (size_t i = 0; i < tamper_row_count; i++) {
		const struct tamper_row *row = &tamper_rows[i];

		quick |= row->quick;
		ok(row->apply && (row->off_applies || row->on_applies), "%s can be tried", row->name);
		for (size_t k = 0; k < i; k++)
			ok(strcmp(row->name, tamper_rows[k].name) != 0, "... and is not %s", tamper_rows[k].name);
	}
	ok(quick, "there is a short form");
}

static void test_report(void)
{
	struct tamper_result results[] = {
		{ .row = &tamper_rows[0], .end = BOOT_STOPPED, .as_stated = true, .said = "Kernel panic" },
		{ .row = &tamper_rows[1], .secure_boot = true, .end = BOOT_ANSWERED, .different = 1u << 12 | 1u << 9 },
	};
	const struct tamper_report report = { .results = results, .count = 2, .wrong = 1 };
	CLEANUP_BUF struct buf json = BUF_INIT(1 << 16), table = BUF_INIT(1 << 16);
	CLEANUP_MANIFEST struct manifest *m = manifest_new();
	struct error err = ERROR_INIT;

	need(tamper_report_format(&report, m, &json, &err) == 0, "a report is written");
	ok(strstr(buf_text(&json), "\"seen\": \"stops in the kernel\""), "it says what was seen");
	ok(strstr(buf_text(&json), "\"refused_by_policies_on\": []"), "no policy is asked by what never runs");
	ok(strstr(buf_text(&json), "\"PCR 4 and 12\""), "and which policies refuse what does");
	ok(!strstr(buf_text(&json), "\"PCR 4\""), "and none that does not notice");
	ok(strstr(buf_text(&json), "\"wrong\": 1"), "and how many are wrong");
	need(tamper_report_table(&report, &table) == 0, "so is a table");
	ok(strstr(buf_text(&table), "9, 12"), "with the PCRs");
	ok(strstr(buf_text(&table), "NOT AS STATED"), "and what is not as stated");
}

int main(void)
{
	test_find_plain();
	test_find_compressed();
	test_load_option();
	test_addon();
	test_rows();
	test_report();
	return tap_done();
}
