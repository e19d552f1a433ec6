/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>

#include "factory/base/cleanup.h"
#include "factory/base/hex.h"
#include "tests/unit/tap.h"

static void hex(void)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{ "0123456789abcdef", 0 },
		{ "0123456789ABCDEF", 0 },
		{ "0123456789aBcDeF", 0 },
		{ "", -EINVAL },
		{ "0123456789abcde", -EINVAL },
		{ "0123456789abcdef0", -EINVAL },
		{ "0123456789abcdef00", -EINVAL },
		{ "0123456789abcdeg", -EINVAL },
		{ "0x23456789abcdef", -EINVAL },
		{ " 123456789abcdef", -EINVAL },
		{ "0123456789abcde/", -EINVAL },
		{ "0123456789abcde:", -EINVAL },
		{ "0123456789abcde@", -EINVAL },
		{ "0123456789abcde`", -EINVAL },
	};
	static const uint8_t bytes[8] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	static const uint8_t before[8] = { 9, 9, 9, 9, 9, 9, 9, 9 };
	char text[17];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t got[8];

		memcpy(got, before, 8);
		ok_int(hex_decode(cases[i].text, got, 8), cases[i].result, "decode \"%s\"",
		       cases[i].text);
		ok(memcmp(got, cases[i].result ? before : bytes, 8) == 0, "\"%s\": its bytes",
		   cases[i].text);
	}
	ok_int(hex_decode("", (uint8_t *)text, 0), 0, "no digits are no bytes");
	hex_encode(bytes, 8, text);
	ok_str(text, "0123456789abcdef", "encode");
	hex_encode(bytes, 0, text);
	ok_str(text, "", "encode nothing");
}

static void guid(void)
{
	/* The EFI system partition's type, as it lies in a GPT entry on disk (UEFI 2.10, table 5-7). */
	static const char esp[] = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
	static const uint8_t esp_bytes[16] = { 0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
					       0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b };
	static const char *const wrong[] = {
		"", "c12a7328", "c12a7328-f81f-11d2-ba4b-00a0c93ec93", "c12a7328f81f11d2ba4b00a0c93ec93b",
		"c12a7328-f81f-11d2-ba4b-00a0c93ec93b0", "c12a7328-f81f-11d2-ba4b-00a0c93ec93g",
		"{c12a7328-f81f-11d2-ba4b-00a0c93ec93b}", "c12a7328-f81f-11d2-ba4b00-a0c93ec93b",
		"c12a7328-f81f-11d2-ba4b-00a0c93ec93b ", "c12a732-8f81f-11d2-ba4b-00a0c93ec93b",
	};
	uint8_t got[16] = { 0 };
	char text[GUID_TEXT_SIZE];

	ok_int(guid_parse(esp, got), 0, "parse");
	ok(memcmp(got, esp_bytes, 16) == 0, "bytes on disk");
	guid_format(got, text);
	ok_str(text, esp, "and back");
	ok_int(guid_parse("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", got), 0, "parse upper case");
	ok(memcmp(got, esp_bytes, 16) == 0, "the same bytes");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		ok_int(guid_parse(wrong[i], got), -EINVAL, "refuse \"%s\"", wrong[i]);
		ok(memcmp(got, esp_bytes, 16) == 0, "output untouched");
	}
}

int main(void)
{
	hex();
	guid();
	return tap_done();
}
