#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Dated archives: what --snapshot locks is what an archive was at a moment, and it is fetched from there again,
# long after the archive itself has moved on and the dated one's Valid-Until has passed.
set -eu
. tests/sh/lib.sh
. tests/repository.sh
unset KILN_SNAPSHOT

then=20250131T120000Z later=20250601T000000Z
past='Valid-Until: Sat, 01 Feb 2025 00:00:00 UTC'
service="Snapshots: file://$tmp/service/one/@SNAPSHOTID@/"
keep() { # moment: the archive as it is now becomes the dated one
	mkdir -p "$tmp/service/one"
	cp -r "$repository" "$tmp/service/one/$1"
}
moment() {
	jq -r '.snapshot // "none"' "$image/kiln.lock"
}

publish archive@example.invalid "$past" "$service"
keep "$then"
package app 1.5 'Depends: libapp (>= 1.0)'
package libapp 1.5
publish archive@example.invalid "$past" "$service"
keep "$later"
rm "$repository"/pool/app_1.* "$repository"/pool/libapp_1.*
package app 2.0 'Depends: libapp (>= 1.0)'
package libapp 2.0
publish archive@example.invalid "$service"
describe '<package name="app"/>'

# ---- the archive's own word
exits 0 '' "--snapshot" fetch --snapshot "$then"
is "$(locked image)" "app 1.0, base 1:1.0, libapp 1.0+x~1" "locks what there was"
is "$(moment)" "$then" "and the moment"
cp "$image/kiln.lock" "$tmp/then.lock"
exits 0 'resolve packages: reused' "the same again" fetch --snapshot "$then"
rm -rf "$KILN_CACHE"
exits 0 '' "without anything in the cache" fetch
ok "a plain fetch finds it all there" test "$(objects)" -gt 20
ok "and leaves the lock alone" cmp "$image/kiln.lock" "$tmp/then.lock"

describe '<package name="app"/>' '<package name="zstd"/>'
exits 0 'another request' "another description" fetch
is "$(locked image)" "app 1.0, base 1:1.0, libapp 1.0+x~1, zstd 1.0" "is resolved against the same moment"
is "$(moment)" "$then" "which stays"
describe '<package name="app"/>'

# ---- other moments
exits 0 "moves to the archive of $later" "a later moment" fetch --snapshot "$later"
is "$(locked image)" "app 1.5, base 1:1.0, libapp 1.5" "moves everything there"
is "$(moment)" "$later" "the moment, too"
like "$(cat "$tmp/out")" '^image +app +1\.0 -> 1\.5' "which is printed"
exits 0 '' "back" fetch --snapshot "$then"
exits 2 "of the archive of $then, in which nothing moves" "--update of a package in a dated archive" fetch --update app
exits 2 "is not of the archive of $later, and --locked" "--locked with another moment" fetch --locked --snapshot "$later"
exits 0 '' "one package moved to a later moment" fetch --snapshot "$later" --update app
is "$(locked image)" "app 1.5, base 1:1.0, libapp 1.0+x~1" "leaves what that archive still has"
exits 0 '' "--update alone" fetch --update
is "$(locked image)" "app 2.0, base 1:1.0, libapp 2.0" "goes to today's archive"
is "$(moment)" none "and stays there"

# ---- a given template
mkdir -p "$tmp/service$repository"
mv "$tmp/service/one"/* "$tmp/service$repository"
exits 3 "archive of $then|cannot read the repositories" "a service that has moved" fetch --snapshot "$then"
template=file://$tmp/service/@PATH@/@SNAPSHOTID@
exits 0 '' "is named by hand" fetch --snapshot "$then" --snapshot-archive "$template"
is "$(locked image)" "app 1.0, base 1:1.0, libapp 1.0+x~1" "and found"
export KILN_SNAPSHOT="$template"
exits 0 '' "or by KILN_SNAPSHOT" fetch --snapshot "$later"
is "$(locked image)" "app 1.5, base 1:1.0, libapp 1.5" "likewise"
exits 2 'dated archive "file:/x": must be a URL with @SNAPSHOTID@' "a template without its placeholder" \
	fetch --snapshot "$then" --snapshot-archive file:/x
rm -rf "$KILN_CACHE"
rm "$tmp/service$repository/$later/pool"/app_1.5*
exits 3 'app 1\.5; ask another dated archive' "a dated archive that lacks a package" fetch
unset KILN_SNAPSHOT

# ---- refused
exits 2 '^error: --snapshot 20250131: must be a moment, YYYYMMDDTHHMMSSZ$' "a day is no moment" fetch --snapshot 20250131
publish archive@example.invalid
exits 2 'neither the Release file of trixie nor.*--snapshot-archive' "an archive without a past" fetch --snapshot "$then"
publish archive@example.invalid 'Snapshots: no'
exits 2 'neither the Release file of trixie nor.*--snapshot-archive' "or one that says so" fetch --snapshot "$then"
publish archive@example.invalid "$past"
exits 3 'trixie' "today's archive must be valid" fetch --update
exits 2 'an empty value|must not be empty' "an empty moment" fetch --snapshot ''
finish
