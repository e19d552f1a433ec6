/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/hex.h"
#include "stages/registry.h"
#include "stages/verity.h"
#include "tests/unit/stage_fixture.h"

/* The root hash of veritysetup over the same data, with the plan's salt and UUID, and its tree. */
static void check_against_veritysetup(struct fixture *f, const char *root_hash)
{
	CLEANUP_FREE char *other = path_join(f->scratch.path, "other.verity");
	CLEANUP_BUF struct buf out = BUF_INIT(65536), cmp_out = BUF_INIT(4096);
	char salt_hex[65], uuid_text[GUID_TEXT_SIZE], line[128];
	uint8_t salt[32], uuid[16], guid[16];
	const char *data = artifacts_path(f->artifacts, "root.erofs");
	const char *tree = artifacts_path(f->artifacts, "root.verity");

	plan_bytes(&f->plan, "verity", salt);
	hex_encode(salt, sizeof(salt), salt_hex);
	plan_uuid(&f->plan, "verity", uuid);
	guid_from_uuid(uuid, guid);
	guid_format(guid, uuid_text);

	ok_int(fixture_tool((const char *const[]) { "veritysetup", "format", "--salt", salt_hex, "--uuid",
		uuid_text, data, other, NULL }, &out), 0, "veritysetup formats the same data");
	snprintf(line, sizeof(line), "%s", root_hash);
	ok(strstr(buf_text(&out), line), "its root hash is the stage's");
	ok_int(fixture_tool((const char *const[]) { "cmp", tree, other, NULL }, &cmp_out), 0,
	       "its tree is the stage's, byte for byte");
	ok_int(fixture_tool((const char *const[]) { "veritysetup", "verify", data, tree, root_hash, NULL },
			    &out), 0, "veritysetup verify agrees");
}

static void test_size(size_t blocks)
{
	struct error err = ERROR_INIT;
	char root_hash[ROOT_HASH_DIGITS + 1];
	struct fixture f;

	fixture_open(&f);
	fixture_pattern(&f, "root.erofs", blocks * 4096);
	ok_int(fixture_run(&f, &stage_verity, &err), 0, "%zu blocks: the stage runs (%s)", blocks,
	       err.message);
	fixture_hand_on(&f, "root.verity");
	fixture_hand_on(&f, "root.hash");
	ok_int(verity_root_hash(f.artifacts, root_hash, &err), 0, "the root hash reads back");
	check_against_veritysetup(&f, root_hash);
	fixture_close(&f);
}

static void test_bad_size(size_t size)
{
	struct error err = ERROR_INIT;
	struct fixture f;

	fixture_open(&f);
	fixture_pattern(&f, "root.erofs", size);
	ok(fixture_run(&f, &stage_verity, &err) < 0, "%zu bytes are refused", size);
	ok_error(&err, "whole number", "and the message says why");
	fixture_close(&f);
}

static void test_bad_root_hash(void)
{
	static const char *const texts[] = { "", "abc\n", "\n" };
	char text[ROOT_HASH_DIGITS + 2], ret[ROOT_HASH_DIGITS + 1];
	struct fixture f;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct error err = ERROR_INIT;

		fixture_open(&f);
		fixture_input(&f, "root.hash", texts[i], strlen(texts[i]));
		ok(verity_root_hash(f.artifacts, ret, &err) < 0 && err.kind == ERROR_INPUT,
		   "root.hash of %zu bytes is refused", strlen(texts[i]));
		fixture_close(&f);
	}

	struct error err = ERROR_INIT;

	memset(text, 'g', ROOT_HASH_DIGITS);
	text[ROOT_HASH_DIGITS] = '\n';
	fixture_open(&f);
	fixture_input(&f, "root.hash", text, ROOT_HASH_DIGITS + 1);
	ok(verity_root_hash(f.artifacts, ret, &err) < 0, "digits that are none are refused");
	fixture_close(&f);
}

int main(void)
{
	test_size(1);		/* no tree at all */
	test_size(128);		/* exactly one hash block */
	test_size(129);		/* two levels */
	test_bad_size(0);
	test_bad_size(4095);
	test_bad_root_hash();
	return tap_done();
}
