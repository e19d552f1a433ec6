/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/digest.h"
#include "factory/base/hex.h"
#include "factory/base/io.h"
#include "tests/unit/tap.h"

static const char *hex_of(const struct digest *d)
{
	static char text[2 * DIGEST_MAX + 1];

	digest_hex(d, text);
	return text;
}

/* NIST, "Examples with Intermediate Values" for FIPS 180-4. */
static const struct {
	enum digest_alg alg;
	const char *message;
	const char *expected;
} vectors[] = {
	{ DIGEST_SHA256, "",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ DIGEST_SHA256, "abc",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ DIGEST_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ DIGEST_SHA384, "",
	  "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
	  "274edebfe76f65fbd51ad2f14898b95b" },
	{ DIGEST_SHA384, "abc",
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	  "8086072ba1e7cc2358baeca134c825a7" },
	{ DIGEST_SHA384, "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
	  "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	  "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
	  "fcc7c71a557e2db966c3e9fa91746039" },
	/* What TCG PC Client firmware measures. */
	{ DIGEST_SHA384, "Calling EFI Application from Boot Option",
	  "77a0dab2312b4e1e57a84d865a21e5b2ee8d677a21012ada819d0a98988078d3"
	  "d740f6346bfe0abaa938ca20439a8d71" },
};

static void one_shot(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct digest d;

		digest_of(vectors[i].alg, vectors[i].message, strlen(vectors[i].message), &d);
		ok_str(hex_of(&d), vectors[i].expected, "%s of \"%.20s\"",
		       digest_name(vectors[i].alg), vectors[i].message);
	}
}

static void separator(void)
{
	uint8_t pcr[2 * 48] = { 0 };
	struct digest d;

	digest_of(DIGEST_SHA384, (const uint8_t[4]){ 0 }, 4, &d);
	ok_str(hex_of(&d), "394341b7182cd227c5c6b07ef8000cdfd86136c4292b8e576573ad7ed9ae4101"
	       "9f5818b4b971c9effc60e1ad9f1289f0", "the separator");
	memcpy(pcr + 48, d.bytes, 48);
	digest_of(DIGEST_SHA384, pcr, sizeof(pcr), &d);
	ok_str(hex_of(&d), "518923b0f955d08da077c96aaba522b9decede61c599cea6c41889cfbea4ae4d"
	       "50529d96fe4d1afdafb65e7f95bf23c4", "a PCR with only the separator");
}

static void incremental(void)
{
	CLEANUP_DIGESTER struct digester *d = digester_new(DIGEST_SHA384);
	struct digest whole, parts;
	uint8_t data[10000];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	digest_of(DIGEST_SHA384, data, sizeof(data), &whole);
	for (size_t at = 0, n = 1; at < sizeof(data); at += n, n = 1 + at % 300) {
		if (n > sizeof(data) - at)
			n = sizeof(data) - at;
		digester_add(d, data + at, n);
	}
	digester_final(d, &parts);
	ok(digest_equal(&whole, &parts), "in parts as in one");
	digester_final(d, &parts);
	digest_of(DIGEST_SHA384, "", 0, &whole);
	ok(digest_equal(&whole, &parts), "final begins anew");
	digester_add(d, "ab", 2);
	digester_peek(d, &parts);
	digest_of(DIGEST_SHA384, "ab", 2, &whole);
	ok(digest_equal(&whole, &parts), "a look in between");
	digester_add(d, "c", 1);
	digester_final(d, &parts);
	digest_of(DIGEST_SHA384, "abc", 3, &whole);
	ok(digest_equal(&whole, &parts), "does not end the message");
	digester_free(NULL);
}

static void algorithms(void)
{
	struct digest a = { .alg = DIGEST_SHA256 }, b = { .alg = DIGEST_SHA256 };
	enum digest_alg alg = DIGEST_SHA256;

	ok_int(digest_size(DIGEST_SHA256), 32, "size of SHA-256");
	ok_int(digest_size(DIGEST_SHA384), 48, "size of SHA-384");
	ok_str(digest_name(DIGEST_SHA384), "sha384", "name");
	ok_int(digest_tpm_id(DIGEST_SHA256), 0x000B, "TPM_ALG_SHA256");
	ok_int(digest_from_tpm_id(0x000C, &alg), 0, "TPM_ALG_SHA384");
	ok_int(alg, DIGEST_SHA384, "is SHA-384");
	ok_int(digest_from_tpm_id(0x000D, &alg), -ENOENT, "TPM_ALG_SHA512 is not known");
	ok_int(alg, DIGEST_SHA384, "output untouched");

	b.bytes[40] = 1;
	ok(digest_equal(&a, &b), "bytes past the size do not count");
	b.bytes[31] = 1;
	ok(!digest_equal(&a, &b), "the last byte counts");
	b = a;
	b.alg = DIGEST_SHA384;
	ok(!digest_equal(&a, &b), "the algorithm counts");
}

static void files(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *path = NULL;
	struct error err = ERROR_INIT;
	struct digest d, expected;
	uint64_t size = 0;
	static uint8_t data[3 << 20];

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "scratch: %s", err.message);
	path = path_join(scratch.path, "file");
	memset(data, 'a', sizeof(data));
	need(io_write_file(path, data, 1000000, 0644, &err) == 0, "write: %s", err.message);
	ok_int(digest_file(DIGEST_SHA256, path, &d, &size, &err), 0, "a file");
	ok_str(hex_of(&d), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
	       "a million a's (FIPS 180-4)");
	ok_int(size, 1000000, "its size");

	need(io_write_file(path, data, sizeof(data), 0644, &err) == 0, "write: %s", err.message);
	digest_of(DIGEST_SHA384, data, sizeof(data), &expected);
	ok_int(digest_file(DIGEST_SHA384, path, &d, NULL, &err), 0, "of several chunks, size unasked");
	ok(digest_equal(&d, &expected), "as in memory");

	unlink(path);
	ok_int(digest_file(DIGEST_SHA256, path, &d, &size, &err), -ENOENT, "a missing file");
	ok_error(&err, path, "is named");
	ok(digest_equal(&d, &expected) && size == 1000000, "outputs untouched");
	err = (struct error)ERROR_INIT;
	ok_int(digest_file(DIGEST_SHA256, scratch.path, &d, NULL, &err), -EISDIR, "a directory");
}

int main(void)
{
	one_shot();
	separator();
	incremental();
	algorithms();
	files();
	return tap_done();
}
