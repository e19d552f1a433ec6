#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Attacks on a signed image and its machine, tried for real: the short form of the matrix (`make tamper` has all of it).
# And the boot proof with Secure Boot on.
set -eu
. tests/sh/lib.sh
require jq mcopy swtpm

# shellcheck disable=SC2154 # lib.sh makes it
description=$tmp/mpc
disk=$tmp/results/mpc/mpc.x86_64-1.0.0.raw
describe_mpc "$description"
exits 0 '' "a keyring" "$KILN" keys new "$tmp/keys"
exits 0 '' "a signed image" "$KILN" build "$description" --keys "$tmp/keys" -o "$tmp/results"
is "$(grep ': done' "$tmp/err" | sed 's/.*\] //; s/:.*//' | tr '\n' ';')" \
	"making the boot file of it;making the EFI system partition;putting the disk together;predicting the measurements;" \
	"is made of what there was, and signed"

# ---- the boot proof
exits 0 '' "it is proven with Secure Boot on" "$KILN" test "$disk" --secure-boot "$tmp/keys"
proof=$tmp/results/mpc/boot-proof.json
is "$(jq -c '[.proven, .secure_boot, (.rows | length)]' "$proof")" '[true,true,12]' "in six PCRs and two banks"
off=$(jq -r '.pcrs["7"].sha384' "$tmp/results/mpc/manifest.json")
not_ok "PCR 7 is another than without" test "$(jq -r '.rows[] | select(.pcr == 7 and .bank == "sha384").measured' "$proof")" = "$off"
is "$(jq '[.events[] | select(.pcr == 4)] | length' "$proof")" 3 "the kernel inside is not measured in PCR 4 then"

# ---- bad input
exits 0 '' "another keyring" "$KILN" keys new "$tmp/others"
exits 2 'was built for another PK than that of' "keys that the image was not built for" \
	"$KILN" test "$disk" --secure-boot "$tmp/others"
exits 2 'was built without keys' "an image without keys" "$KILN" test "$KILN_TEST_DISK" --secure-boot "$tmp/keys"
exits 2 'there is no row "nonsense"' "a row that there is not" "$KILN" tamper "$disk" --row nonsense
exits 2 'there is no row "unsigned" to try here' "a row that wants keys, without them" "$KILN" tamper "$disk" --row unsigned

# ---- the matrix
before=$(sha256sum < "$disk")
report=$tmp/results/mpc/tamper-report.json
exits 0 '' "the short form of the matrix comes out as stated" "$KILN" tamper "$disk" --secure-boot "$tmp/keys" --quick
sed 's/^/# /' "$tmp/out"
is "$(sha256sum < "$disk")" "$before" "the disk is unchanged"
is "$(jq '.wrong' "$report")" 0 "the report says so, too"
seen() { # row, Secure Boot
	jq -c --arg row "$1" --argjson on "$2" '.rows[] | select(.row == $row and .secure_boot == $on) | [.seen, .pcrs_different]' "$report"
}
is "$(seen boot-option-appended false)" '["boots",[9,12]]' \
	"the advisory: kernel arguments from a boot option leave PCR 4 as it is, and PCR 12 tells"
is "$(jq -c '.rows[] | select(.row == "boot-option-appended" and (.secure_boot | not)).refused_by_policies_on' "$report")" \
	'["PCR 4 and 12","PCR 4, 7 and 12"]' "a key policy on PCR 4 alone would not notice"
is "$(seen boot-option-appended true)" '["boots",[]]' "with Secure Boot on they are not taken"
like "$(seen unsigned true)" '^."refused by the firmware",' "nor is a boot file without a signature"
is "$(seen credential true)" '["boots",[9,12]]' "a credential in the ESP is nobody's signature: PCR 12 tells, PCR 7 does not"

# ---- the guard of policies
manifest=$tmp/results/mpc/manifest.json
exits 0 '' "a policy on PCR 4 and 12" "$KILN" policy "$manifest"
is "$(jq -r '.Condition.StringEqualsIgnoreCase["kms:RecipientAttestation:NitroTPMPCR4"]' "$tmp/out")" \
	"$(jq -r '.pcrs["4"].sha384' "$manifest")" "binds what is predicted"
exits 2 'PCR 4 without PCR 12.*GHSA-xrv8-2pf5-f3q7' "one on PCR 4 alone is refused" "$KILN" policy "$manifest" --pcrs 4
exits 2 'is no list of PCRs' "and so is nonsense" "$KILN" policy "$manifest" --pcrs 4,
finish
