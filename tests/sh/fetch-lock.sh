#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `kiln fetch` locks and keeps: the closure of each set, the same lock from the same archive, and a lock
# used as it is, without the archive, until somebody asks for a newer one.
set -eu
. tests/sh/lib.sh
. tests/repository.sh

describe '<package name="app"/>'
exits 0 '' "packages are fetched" fetch
is "$(locked image)" "app 1.0, base 1:1.0, libapp 1.0+x~1" "the image: essential packages, those named, what they need"
is "$(locked appliance)" "linux-image-9.9-cloud-amd64 1.0" "the appliance: the kernel behind the metapackage"
is "$(locked boot)" "systemd-boot-efi 1.0" "boot files: alone"
is "$(locked sysroot)" "libc6-dev 1.0, linux-libc-dev 1.0" "the sysroot holds what /init is compiled against"
like "$(locked builder)" "^apt 1.0, base 1:1.0, binutils-x86-64-linux-gnu 1.0, .*zstd" "the builder has the essential packages too"
is "$(jq -r '.epoch' "$image/kiln.lock")" "$(date -u -d "$(sed -n 's/^Date: //p' "$repository/dists/trixie/Release")" +%s)" \
	"the epoch is the archive's date"
is "$(jq -r '.repositories[0].release_sha256' "$image/kiln.lock")" \
	"$(sha256sum < "$repository/dists/trixie/InRelease" | cut -d' ' -f1)" "the signed file is on record"
is "$(find "$KILN_CACHE/store" -type f -exec sha256sum {} + | awk '{ n = $2; sub(".*/", "", n); if (n != $1) print n }')" "" \
	"every object of the store is what its name says"

index=$(jq -r '.sets.image.index_sha256' "$image/kiln.lock")
index=$KILN_CACHE/store/$(echo "$index" | cut -c1-2)/$index
is "$(grep -c '^SHA256: ' "$index")" 3 "the index names the packages of the image"
is "$(sed -n 's/^Package: //p' "$index" | tr '\n' ' ')" "app base libapp " "in order"
is "$(sed -n 's/^Filename: //p' "$index" | head -1)" "pool/app_1.0_amd64.deb" "by their place in the archive"

# ---- the same again
cp "$image/kiln.lock" "$tmp/first.lock"
rm "$image/kiln.lock"
KILN_CACHE=$tmp/cache2
exits 0 '' "with another cache and no lock" fetch
KILN_CACHE=$tmp/cache
ok "the lock is the same bytes" cmp "$image/kiln.lock" "$tmp/first.lock"

# ---- without the archive
mv "$repository" "$repository.away"
exits 0 '' "with a lock and a full store no archive is needed" fetch
ok "and the lock is left alone" cmp "$image/kiln.lock" "$tmp/first.lock"
mv "$repository.away" "$repository"

# ---- the archive moves on
package app 2.0 'Depends: libapp (>= 1.0)'
publish archive@example.invalid
exits 0 '' "a newer package in the archive" fetch
ok "does not change what is locked" cmp "$image/kiln.lock" "$tmp/first.lock"
rm -rf "$KILN_CACHE/store"
exits 0 '' "an empty store is filled from the lock" fetch
ok "and the lock stays" cmp "$image/kiln.lock" "$tmp/first.lock"
ok "with the index made again from the packages" test -s "$index"
exits 0 '' "--update resolves anew" fetch --update
is "$(locked image)" "app 2.0, base 1:1.0, libapp 1.0+x~1" "and takes what is newest"

# ---- another request
cp "$image/kiln.lock" "$tmp/second.lock"
describe '<package name="libapp"/>'
exits 0 'another request' "another description is another request" fetch
is "$(locked image)" "base 1:1.0, libapp 1.0+x~1" "and gets a lock of its own"

# ---- damage in the store
sha=$(jq -r '.sets.image.packages[0].sha256' "$image/kiln.lock")
object=$KILN_CACHE/store/$(echo "$sha" | cut -c1-2)/$sha
chmod u+w "$object"
echo damage >> "$object"
exits 0 '' "a damaged object" fetch
is "$(sha256sum < "$object" | cut -d' ' -f1)" "$sha" "is fetched again"
finish
