/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/hmac.h"

#include "factory/base/hex.h"
#include "factory/base/sha1.h"
#include "tests/unit/tap.h"

/* RFC 4231, 4.2 to 4.4 and 4.7. */
static void test_vectors(void)
{
	uint8_t key[131], value[HMAC_SIZE], data[50];
	char hex[2 * HMAC_SIZE + 1];

	memset(key, 0x0b, 20);
	hmac_sha256(key, 20, "Hi There", 8, value);
	hex_encode(value, HMAC_SIZE, hex);
	ok_str(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", "a key shorter than a block");
	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, value);
	hex_encode(value, HMAC_SIZE, hex);
	ok_str(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "a key of text");
	memset(key, 0xaa, sizeof(key));
	memset(data, 0xdd, sizeof(data));
	hmac_sha256(key, 20, data, sizeof(data), value);
	hex_encode(value, HMAC_SIZE, hex);
	ok_str(hex, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe", "bytes beyond text");
	hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, value);
	hex_encode(value, HMAC_SIZE, hex);
	ok_str(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", "a key longer than a block");
}

static void test_in_place(void)
{
	uint8_t key[HMAC_SIZE], apart[HMAC_SIZE];

	memset(key, 7, sizeof(key));
	hmac_sha256(key, sizeof(key), "x", 1, apart);
	hmac_sha256(key, sizeof(key), "x", 1, key);
	ok(memcmp(key, apart, sizeof(key)) == 0, "the result may lie where the key did");
}

/* FIPS 180-4's example. */
static void test_sha1(void)
{
	char hex[SHA1_DIGITS + 1];

	sha1_hex("abc", 3, hex);
	ok_str(hex, "a9993e364706816aba3e25717850c26c9cd0d89d", "SHA-1 of abc");
}

int main(void)
{
	test_vectors();
	test_in_place();
	test_sha1();
	return tap_done();
}
