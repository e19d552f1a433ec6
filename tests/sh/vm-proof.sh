#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The boot proof: the disk as built boots, its service answers, and every predicted PCR is the measured
# one in both banks. The disk is not written.
set -eu
. tests/sh/lib.sh
require jq sha256sum

# Beside a link, so that the proof kept with the built disk stays that of `kiln test` by hand.
built=$(dirname "$KILN_TEST_DISK")
ln -s "$(realpath "$KILN_TEST_DISK")" "$tmp/disk.raw"
cp "$built/manifest.json" "$tmp"
before=$(sha256sum < "$KILN_TEST_DISK")

exits 0 '' "kiln test says that the disk is proven" "$KILN" test "$tmp/disk.raw"
is "$(grep -c ' equal$' "$tmp/out")" 12 "the table shows six PCRs in two banks as equal"
is "$(sha256sum < "$KILN_TEST_DISK")" "$before" "the disk is unchanged"

proof=$tmp/boot-proof.json
is "$(jq .proven "$proof")" true "boot-proof.json says so, too"
is "$(jq -r .disk_data_sha256 "$proof")" "$(jq -r .disk.data_sha256 "$tmp/manifest.json")" "and of which disk"
is "$(jq -r '[.rows[] | select(.bank == "sha384" and (.pcr | . == 4 or . == 7 or . == 12)) | .measured] | join(" ")' "$proof")" \
	"$(jq -r '.Measurements | [.PCR4, .PCR7, .PCR12] | join(" ")' "$built/pcr_measurements.json")" \
	"the measured PCR 4, 7 and 12 are those of pcr_measurements.json"
seen=$(jq -c '[.events[] | select(.pcr == 4) | .sha384]' "$proof")
is "$seen" "$(jq -c '[.events[] | select(.pcr == 4) | .sha384]' "$tmp/manifest.json")" \
	"the extends of PCR 4 that the proxy saw are the predicted ones, in order"
finish
