#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A planted lie: one byte of one predicted event differs, and the manifest is consistent with itself.
# The boot proof says no, and names that event.
set -eu
. tests/sh/lib.sh
require jq basenc sha384sum

manifest=$(dirname "$KILN_TEST_DISK")/manifest.json
ln -s "$(realpath "$KILN_TEST_DISK")" "$tmp/disk.raw"

# What the TPM does: new = SHA-384(old || digest), from zeros.
replay() { # digests...
	value=$(printf '%096d' 0)
	for digest; do
		value=$(printf '%s%s' "$value" "$digest" | tr a-f A-F | basenc -d --base16 | sha384sum)
		value=${value%% *}
	done
	echo "$value"
}
digests() { jq -r '.events[] | select(.pcr == 4) | .sha384' "$1"; }

# shellcheck disable=SC2046 # one word a digest
is "$(replay $(digests "$manifest"))" "$(jq -r '.pcrs["4"].sha384' "$manifest")" \
	"the manifest's PCR 4 is the replay of its events"

# The UKI: the first boot application (EV_EFI_BOOT_SERVICES_APPLICATION) that is measured.
at=$(jq '[.events[].type] | index(2147483651)' "$manifest")
label=$(jq -r ".events[$at].label" "$manifest")
truth=$(jq -r ".events[$at].sha384" "$manifest")
case $truth in
ff*) lie=00${truth#??} ;;
*) lie=ff${truth#??} ;;
esac
jq ".events[$at].sha384 = \"$lie\"" "$manifest" > "$tmp/half"
exits 2 'PCR 4' "a lie that does not fit the manifest's own PCR is bad input" \
	"$KILN" test "$tmp/disk.raw" --manifest "$tmp/half"

# shellcheck disable=SC2046
jq ".pcrs[\"4\"].sha384 = \"$(replay $(digests "$tmp/half"))\"" "$tmp/half" > "$tmp/lie"
exits 1 'not proven: 1 of 12' "a lie that does is found by booting" \
	"$KILN" test "$tmp/disk.raw" --manifest "$tmp/lie"
is "$(grep -c ' equal$' "$tmp/out")" 11 "the other values are equal"
like "$(cat "$tmp/out")" "^PCR 4: event 3 differs: expected $label \(sha384 ${lie%"${lie#????????????????}"}" \
	"the event is named: $label"

row='.rows[] | select(.equal | not)'
is "$(jq "[$row] | length" "$tmp/boot-proof.json")" 1 "boot-proof.json has one row that differs"
is "$(jq -r "$row | [.pcr, .bank] | join(\" \")" "$tmp/boot-proof.json")" "4 sha384" "it is PCR 4 of SHA-384"
like "$(jq -r "$row" "$tmp/boot-proof.json")" "$lie" "with what was predicted"
like "$(jq -r "$row" "$tmp/boot-proof.json")" "$truth" "and what was seen"
is "$(jq .proven "$tmp/boot-proof.json")" false "and it is not proven"
finish
