/* SPDX-License-Identifier: Apache-2.0 */
/* /init is a program of its own and no archive's member: what of it is pure is tested as it stands. */
#include "rootfs/init/roothash.c"

#include "factory/base/cleanup.h"
#include "factory/base/hex.h"
#include "tap.h"

#define HASH "00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210"

static void test_parse(void)
{
	static const char *const lines[] = {
		"roothash=" HASH,
		"ro quiet roothash=" HASH "\n",
		"\troothash=00112233445566778899AABBCCDDEEFF0123456789abcdeffedcba9876543210 "
		"panic=-1",
		"xroothash=1 roothash=" HASH " root-roothash=2",
	};
	char text[2 * ROOTHASH_SIZE + 1], partuuid[PARTUUID_TEXT_SIZE];
	uint8_t id[16];

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct roothash hash;

		need(!roothash_parse(lines[i], &hash), "line %zu is taken", i);
		hex_format(hash.bytes, ROOTHASH_SIZE, text);
		ok_str(text, HASH, "line %zu: the hash", i);
		guid_parse("00112233-4455-6677-8899-aabbccddeeff", id);
		ok(memcmp(hash.data_id, id, 16) == 0, "line %zu: the first half names the data", i);
		guid_parse("01234567-89ab-cdef-fedc-ba9876543210", id);
		ok(memcmp(hash.tree_id, id, 16) == 0, "line %zu: the second half the tree", i);
		partuuid_format(hash.tree_id, partuuid);
		ok_str(partuuid, "01234567-89ab-cdef-fedc-ba9876543210", "line %zu: as text", i);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *line, *problem;
	} cases[] = {
		{"", "no roothash="},
		{"ro quiet", "no roothash="},
		{"Roothash=" HASH, "no roothash="},
		{"roothash", "no roothash="},
		{"roothash=", "not 64 hex digits"},
		{"roothash= " HASH, "not 64 hex digits"},
		{"roothash=" HASH "0", "not 64 hex digits"},
		{"roothash=\"" HASH "\"", "not 64 hex digits"},
		{"roothash=g0112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210",
		 "not 64 hex digits"},
		{"roothash=00112233445566778899aabbccddeeff0123456789abcdeffedcba987654321",
		 "not 64 hex digits"},
		{"roothash=" HASH " roothash=" HASH, "more than one"},
		{"roothash=" HASH " quiet roothash=0", "more than one"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct roothash hash = {.bytes = {77}};
		const char *problem = roothash_parse(cases[i].line, &hash);

		ok(problem && strstr(problem, cases[i].problem), "\"%s\": %s", cases[i].line,
		   problem ? problem : "(accepted)");
	}
}

int main(void)
{
	test_parse();
	test_refused();
	return tap_done();
}
