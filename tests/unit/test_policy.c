/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/model/manifest.h"
#include "factory/model/policy.h"
#include "tests/unit/policy_fixture.h"

static void check(bool keys, bool secure_boot, uint32_t pcrs, const char *why, const char *about)
{
	CLEANUP_MANIFEST struct manifest *m = policy_manifest(keys);
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 16);
	struct error err = ERROR_INIT;
	int r = policy_condition(m, secure_boot, pcrs, &text, &err);

	ok((r < 0) == !!why && (r < 0) == !text.len, "%s", about);
	if (why)
		ok_error(&err, why, "... and why is said");
}

static void test_guard(void)
{
	check(false, false, PCR(4) | PCR(12), NULL, "PCR 4 and 12 are a policy");
	check(false, false, PCR(4), "GHSA-xrv8-2pf5-f3q7", "PCR 4 alone is none");
	check(false, false, PCR(4) | PCR(7), "PCR 4 without PCR 12", "nor with PCR 7 while Secure Boot is off");
	check(false, false, PCR(7), "neither PCR 4", "nor is PCR 7 alone then");
	check(false, false, PCR(12), "neither PCR 4", "nor PCR 12 alone");
	check(false, false, 0, "neither PCR 4", "nor nothing");
	check(false, false, PCR(4) | PCR(12) | PCR(11), "PCR 11 is not predicted", "nor what nobody predicted");
	check(false, true, PCR(4) | PCR(12), "built without keys", "nor Secure Boot without keys");
	check(true, true, PCR(4) | PCR(7), NULL, "with Secure Boot on, PCR 4 and 7 are");
	check(true, true, PCR(7), NULL, "and PCR 7 alone");
	check(true, true, PCR(4), "without PCR 12 or PCR 7", "but not PCR 4 alone");
}

static void test_condition(void)
{
	CLEANUP_MANIFEST struct manifest *m = policy_manifest(true);
	CLEANUP_BUF struct buf off = BUF_INIT(1 << 16), on = BUF_INIT(1 << 16);
	struct error err = ERROR_INIT;

	need(policy_condition(m, false, PCR(4) | PCR(12), &off, &err) == 0, "a condition is written");
	ok(strstr(buf_text(&off), "\"kms:RecipientAttestation:NitroTPMPCR4\": \""), "it has KMS's key for PCR 4");
	ok(strstr(buf_text(&off), "\"kms:RecipientAttestation:NitroTPMPCR12\": \"000000"), "and for PCR 12");
	ok(!strstr(buf_text(&off), "NitroTPMPCR7"), "and no other");
	need(policy_condition(m, true, PCR(4) | PCR(12), &on, &err) == 0, "and one for Secure Boot");
	ok(strcmp(buf_text(&off), buf_text(&on)), "which has that one's values");
}

int main(void)
{
	test_guard();
	test_condition();
	return tap_done();
}
