#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A disk that never comes up gives no verdict: exit code 3 and the console's last lines, at once where
# firmware or kernel have given up, else when the time is up.
set -eu
. tests/sh/lib.sh
require jq sha256sum

built=$(dirname "$KILN_TEST_DISK")

# A manifest that describes an empty disk, so that it comes to booting it: of zeros, the data digest is that of their
# number alone.
truncate -s 1G "$tmp/empty.raw"
jq --arg digest "$(printf '\000\000\000\100\000\000\000\000' | sha256sum | cut -d ' ' -f 1)" \
	'.disk.data_sha256 = $digest | .disk.size = 1073741824 | .partitions = []' "$built/manifest.json" > "$tmp/manifest.json"
exits 3 'never answer: BdsDxe: No bootable option' "an empty disk is not waited for" \
	"$KILN" test "$tmp/empty.raw" --timeout 250
like "$(cat "$tmp/err")" 'failed to load Boot0001 "UEFI QEMU NVMe Ctrl' "the console's lines say more"
not_ok "no proof is left behind" test -e "$tmp/boot-proof.json"

ln -s "$(realpath "$KILN_TEST_DISK")" "$tmp/disk.raw"
cp "$built/manifest.json" "$tmp"
exits 3 'did not answer within 2 s.*console' "the time limit holds" "$KILN" test "$tmp/disk.raw" --timeout 2
finish
