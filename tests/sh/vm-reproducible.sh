#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds of one lock give the same bytes, whoever makes them, where, when, and with how many processors; and where
# they do not, --verify names the file.
set -eu
. tests/sh/lib.sh
require faketime jq unshare taskset mcopy

# shellcheck disable=SC2154 # lib.sh makes it
description=$tmp/small
cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
raw=small.x86_64-1.0.0.raw
cp -r tests/images/small "$description"
exits 0 '' "the packages are fetched" "$KILN" fetch "$description"
exits 0 '' "a first build" "$KILN" build "$description" -o "$tmp/first"

# ---- everything different at once; when this fails, take the differences away one by one
# The appliance's clock is QEMU's to set: a program of its name stands before it in PATH.
qemu=$(PATH=$PATH:/usr/libexec command -v qemu-system-x86_64)
other="$tmp/a place elsewhere"
mkdir -p "$other/bin" "$other/cache" "$other/tmp"
printf '#!/bin/sh\nexec %s -rtc base=2031-03-04T05:06:07 "$@"\n' "$qemu" > "$other/bin/qemu-system-x86_64"
chmod +x "$other/bin/qemu-system-x86_64"
cp -rl "$cache/store" "$other/cache/store"
cp -r "$description" "$other/small"
# shellcheck disable=SC2016 # for the inner shell
elsewhere='umask 077; cd "$1" || exit; PATH=$1/bin:$PATH TMPDIR=$1/tmp KILN_CACHE=$1/$3 HOME=$1
	export PATH TMPDIR KILN_CACHE HOME TZ=Pacific/Kiritimati LC_ALL=tr_TR.UTF-8 FAKETIME_DONT_FAKE_MONOTONIC=1
	exec faketime -f +900d "$2" build small -o "$4"'
exits 0 '' "a second build, elsewhere, years later, on one processor, from nothing" \
	taskset -c 0 sh -c "$elsewhere" sh "$other" "$KILN" cache "results of another"
results="$other/results of another/small"
is "$(grep -c ': reused' "$tmp/err")" 0 "which reused nothing"
ok "its appliance's clock was years ahead" grep -q 'the clock says 2031' "$results/build.log"
ok "and so was the host's" test "$(jq .started "$results/run.json")" -gt $(($(date +%s) + 800 * 86400))
ok "the disks are the same" cmp "$tmp/first/small/$raw" "$results/$raw"
ok "the manifests are the same" cmp "$tmp/first/small/manifest.json" "$results/manifest.json"
ok "the measurements are the same" cmp "$tmp/first/small/pcr_measurements.json" "$results/pcr_measurements.json"
ok "the lists of packages are the same" cmp "$tmp/first/small/small.x86_64-1.0.0.packages" \
	"$results/small.x86_64-1.0.0.packages"
for which in first second; do
	[ $which = first ] && disk=$tmp/first/small/$raw || disk=$results/$raw
	offset=$(jq -r '.partitions[] | select(.label == "esp").offset' "$tmp/first/small/manifest.json")
	mcopy -i "$disk@@$offset" ::/EFI/BOOT/BOOTX64.EFI "$tmp/$which.efi"
done
ok "the boot files are the same" cmp "$tmp/first.efi" "$tmp/second.efi"
exits 0 '' "and kiln says so" "$KILN" compare "$tmp/first/small" "$results"
is "$(jq -r .host.processors "$results/run.json")" 1 "only the facts about the run differ"

# ---- another user: a user namespace with one user in it. supermin makes no appliance there, for which
# nobody is root; so what other stages make as that user is put together with what came out of it before.
mkdir -p "$other/cache2/stages"
cp -rl "$cache/store" "$other/cache2/store"
cp -r "$other/cache/stages/base" "$other/cache/stages/config" "$other/cache2/stages/"
exits 0 '' "a build by another user" unshare --user --map-user=1234 --map-group=4321 \
	sh -c "[ \$(id -u) -eq 1234 ] || exit 99; $elsewhere" sh "$other" "$KILN" cache2 third
like "$(cat "$tmp/err")" "configuring the image: reused" "which reused what the appliance had made"
is "$(grep -c ": reused" "$tmp/err")" 2 "and nothing else"
ok "its disk is the same" cmp "$tmp/first/small/$raw" "$other/third/small/$raw"
rm -rf "$other"

# ---- a build that cannot be repeated
echo 'date +%s%N > /usr/local/share/nonce' >> "$description/config.sh"
exits 1 'root file system: usr/local/share/nonce: the contents differ at byte [0-9]+' \
	"a file that is never twice the same is named" "$KILN" build "$description" -o "$tmp/never" --verify
ok "both results stay" test -e "$tmp/never/small/$raw" -a -e "$tmp/never/small.second/$raw"
is "$(find "$tmp/never" "$cache/tmp" -name 'kiln-scratch-*' | wc -l)" 0 "and nothing else of the second build"
finish
