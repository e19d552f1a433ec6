#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Building as an ordinary user; what a killed build leaves behind; a broken store; a full disk.
set -eu
. tests/sh/lib.sh
require jq pgrep unshare

# shellcheck disable=SC2154 # lib.sh makes it
description=$tmp/mpc
cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
describe_mpc "$description"

is "$([ "$(id -u)" -ne 0 ] && echo ordinary)" ordinary "the one who builds here is an ordinary user"
is "$(sed -n 's/^CapEff:[[:blank:]]*//p' /proc/self/status)" 0000000000000000 "without a single capability"

# ---- nothing changed: everything is reused, and nothing is started
exits 0 '' "a build with nothing changed" "$KILN" build "$description" -o "$tmp/results"
is "$(grep -c ': reused' "$tmp/err")" "$(grep -c '^\[[0-9]*/[0-9]*\].*:' "$tmp/err")" "reuses every stage"
ok "and gives the same disk" cmp "$tmp/results/mpc/mpc.x86_64-1.0.0.raw" "$KILN_TEST_DISK"
ok "and the same prediction" cmp "$tmp/results/mpc/manifest.json" "${KILN_TEST_DISK%/*}/manifest.json"

# ---- kill -9 in the appliance: no QEMU stays, and the next build finishes what is left
echo changed > "$description/root/etc/kiln-test-$$"
"$KILN" build "$description" -o "$tmp/results" > "$tmp/killed.out" 2> "$tmp/killed.err" &
build=$!
waited=0
# Not by its name: libguestfs first asks QEMU for its features, in children that are gone in a moment.
appliance() { pgrep -P "$build" -f 'guestfsd\.sock'; }
while ! { grep -q 'configuring the image' "$tmp/killed.err" && appliance >/dev/null; } && [ $waited -lt 1500 ]; do
	sleep 0.2
	waited=$((waited + 1))
done
qemu=$(appliance || :)
kill -9 "$build"
wait "$build" 2>/dev/null || :
like "$qemu" '^[0-9]+' "the build ran an appliance when it was killed"
sleep 2
not_ok "which is gone with it" kill -0 "$qemu"
is "$(jq -r .root_hash "$tmp/results/mpc/manifest.json")" "$(jq -r .root_hash "${KILN_TEST_DISK%/*}/manifest.json")" \
	"the earlier results still stand"
exits 0 '' "the next build works" "$KILN" build "$description" -o "$tmp/results"
like "$(cat "$tmp/err")" 'configuring packages: reused' "and reuses what was finished"
like "$(cat "$tmp/err")" 'configuring the image: done' "and does the rest"
is "$(find "$cache/tmp" -mindepth 1 -maxdepth 1 -name 'kiln-scratch-*' | wc -l)" 0 "no scratch directory stays in the cache"
not_ok "another overlay is another disk" cmp -s "$tmp/results/mpc/mpc.x86_64-1.0.0.raw" "$KILN_TEST_DISK"

# ---- a lock for another request
sed 's#<package name="nftables"/>#&<package name="iproute2"/>#' "$description/appliance.kiwi" > "$tmp/changed"
cp "$tmp/changed" "$description/appliance.kiwi"
exits 2 'kiln fetch' "a lock that does not fit the description" "$KILN" build "$description" -o "$tmp/results"
sed -i 's#<package name="iproute2"/>##' "$description/appliance.kiwi"

# ---- a lock edited by hand
cp "$description/kiln.lock" "$tmp/kiln.lock"
jq '(.sets.image.packages[] | select(.name == "nftables")).version = "0"' "$tmp/kiln.lock" > "$description/kiln.lock"
exits 2 'set image of the lock.*nftables' "a lock edited by hand, by the package" "$KILN" build "$description" -o "$tmp/results"
cp "$tmp/kiln.lock" "$description/kiln.lock"

# ---- a package in the store that is not what its name says
mkdir -p "$tmp/cache"
cp -rl "$cache/store" "$tmp/cache/store"
sha=$(jq -r '.sets.appliance.packages[0].sha256' "$description/kiln.lock")
object=$tmp/cache/store/$(echo "$sha" | cut -c1-2)/$sha
rm "$object"
exits 3 'linux-image.*kiln fetch' "a package that the store lacks, by name" \
	env KILN_CACHE="$tmp/cache" "$KILN" build "$description" -o "$tmp/none"
head -c 1000 /dev/zero > "$object"
exits 3 'linux-image' "a package whose digest is wrong, by name" \
	env KILN_CACHE="$tmp/cache" "$KILN" build "$description" -o "$tmp/none"
is "$(find "$tmp/none" -name '*.raw' -o -name '*.json')" "" "leaves no results"

# ---- a full disk for the results (the mount needs a user namespace; the build does not)
mkdir "$tmp/full"
# shellcheck disable=SC2016 # for the inner shell
exits 3 'No space left' "a full output disk" unshare --user --map-root-user --mount sh -c \
	'mount -t tmpfs -o size=8M tmpfs "$1" && "$2" build "$3" -o "$1"; code=$?; ls "$1/mpc" > "$4"; exit $code' \
	sh "$tmp/full" "$KILN" "$description" "$tmp/listing"
is "$(cat "$tmp/listing")" build.log "leaves its log and nothing else"
finish
