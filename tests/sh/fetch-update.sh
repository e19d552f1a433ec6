#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How a lock moves: not at all while it fits; as far as another description needs; wholly or by name on request.
# What moves is printed, and what does not keeps its version although the archive has newer ones.
set -eu
. tests/sh/lib.sh
. tests/repository.sh

package libapp-tools 1.0 'Depends: libapp (= 1.0+x~1)'
publish archive@example.invalid
describe '<package name="app"/>' '<package name="libapp-tools"/>'
exits 0 '' "a first lock" fetch
is "$(locked image)" "app 1.0, base 1:1.0, libapp 1.0+x~1, libapp-tools 1.0" "has what there is"
like "$(cat "$tmp/out")" 'image +4 packages' "and its sets are printed"
cp "$image/kiln.lock" "$tmp/first.lock"

# ---- the archive moves on: everything but the kernel has a successor
package app 2.0 'Depends: libapp (>= 1.0)'
package base 1:1.1 'Essential: yes'
package libapp 2.0
package libapp-tools 2.0 'Depends: libapp (= 2.0)'
package extra 1.0 'Depends: base'
package modern 1.0 'Depends: libapp (>= 2.0)'
package deep 1.0 'Depends: modern'
package zstd 1.1
publish archive@example.invalid

exits 0 '' "a lock that fits" fetch
ok "is left alone" cmp "$image/kiln.lock" "$tmp/first.lock"

# ---- another description
describe '<package name="app"/>' '<package name="libapp-tools"/>' '<package name="extra"/>'
exits 2 'another|other packages or repositories than .*--locked' "--locked holds a lock that does not fit" fetch --locked
ok "... as it is" cmp "$image/kiln.lock" "$tmp/first.lock"
exits 0 'another request' "one more package" fetch
is "$(locked image)" "app 1.0, base 1:1.0, extra 1.0, libapp 1.0+x~1, libapp-tools 1.0" "is added and moves nothing"
is "$(locked builder)" "$(jq -r '.sets.builder.packages | map(.name + " " + .version) | join(", ")' "$tmp/first.lock")" \
	"in no set"
like "$(cat "$tmp/out")" '^image +extra +added 1\.0 +\+[0-9]+ B$' "it is printed with its size"
like "$(cat "$tmp/out")" '^0 moved, 1 added, 0 removed: \+[0-9]+ B$' "and summed up"

describe '<package name="app"/>' '<package name="libapp-tools"/>'
exits 0 '' "the same package gone again" fetch
like "$(cat "$tmp/out")" '^image +extra +removed 1\.0 +-[0-9]+ B$' "is printed too"
is "$(locked image)" "app 1.0, base 1:1.0, libapp 1.0+x~1, libapp-tools 1.0" "and nothing else moves"

describe '<package name="app"/>' '<package name="libapp-tools"/>' '<package name="deep"/>'
exits 0 '' "a package that needs newer ones" fetch
is "$(locked image)" "app 1.0, base 1:1.0, deep 1.0, libapp 2.0, libapp-tools 2.0, modern 1.0" \
	"moves those, and what goes with them, and no others"
like "$(cat "$tmp/out")" '^image +libapp +1\.0\+x~1 -> 2\.0 +[+-][0-9]+ B$' "printed as old and new version"
like "$(cat "$tmp/out")" '^2 moved, 2 added, 0 removed: ' "and summed up"
is "$(grep -c '^image' "$tmp/out")" 4 "one line each"
is "$(grep '^image' "$tmp/out" | awk '{ print $2 }' | tr '\n' ' ')" "deep libapp libapp-tools modern " "sorted"

# ---- by name
describe '<package name="app"/>' '<package name="libapp-tools"/>'
cp "$tmp/first.lock" "$image/kiln.lock"
exits 0 '' "--update APP" fetch --update app
is "$(locked image)" "app 2.0, base 1:1.0, libapp 1.0+x~1, libapp-tools 1.0" "moves it alone"
exits 0 '' "--update of a library" fetch --update libapp
is "$(locked image)" "app 2.0, base 1:1.0, libapp 2.0, libapp-tools 2.0" "takes along what depends on its old version"
exits 0 '' "--update of what several sets have" fetch --update base
is "$(locked image)" "app 2.0, base 1:1.1, libapp 2.0, libapp-tools 2.0" "moves it in the image"
like "$(locked builder)" 'base 1:1\.1' "and in the builder"
like "$(locked builder)" 'zstd 1\.0' "and leaves the others"
like "$(cat "$tmp/out")" '^builder +base +1:1\.0 -> 1:1\.1 ' "both printed"
cp "$image/kiln.lock" "$tmp/second.lock"
exits 0 '' "--update of what is newest already" fetch --update app base
like "$(cat "$tmp/out")" '^nothing has moved$' "moves nothing"
ok "and the lock is the same bytes" cmp "$image/kiln.lock" "$tmp/second.lock"
exits 2 '^error: --update: nonsense, zzz are in no set of .*kiln.lock$' "names that are in no set" fetch --update app nonsense zzz
exits 2 '"app" is one argument too many: packages are named with --update' "names without --update" fetch app
exits 2 '--locked forbids what --update asks for' "--locked and --update" fetch --locked --update
rm "$image/kiln.lock"
exits 2 'there is no .*kiln.lock yet' "names without a lock" fetch --update app
exits 2 'kiln.lock is missing, and --locked' "--locked without a lock" fetch --locked

# ---- everything
cp "$tmp/first.lock" "$image/kiln.lock"
exits 0 '' "--update alone" fetch --update
is "$(locked image)" "app 2.0, base 1:1.1, libapp 2.0, libapp-tools 2.0" "moves all"
like "$(locked builder)" 'zstd 1\.1' "in every set"
cp "$image/kiln.lock" "$tmp/newest.lock"
sleep 1
publish archive@example.invalid
exits 0 '' "--update with a newer archive of the same packages" fetch --update
ok "leaves the lock alone, date included" cmp "$image/kiln.lock" "$tmp/newest.lock"

# ---- the kernel behind the metapackage
package linux-image-10.0-cloud-amd64 1.0
package linux-image-cloud-amd64 2.0 'Depends: linux-image-10.0-cloud-amd64 (= 1.0)'
publish archive@example.invalid
exits 0 '' "--update of another package" fetch --update app
is "$(locked appliance)" "linux-image-9.9-cloud-amd64 1.0" "leaves the kernel"
exits 0 '' "--update of the metapackage" fetch --update linux-image-cloud-amd64
is "$(locked appliance)" "linux-image-10.0-cloud-amd64 1.0" "moves the kernel"
cp "$tmp/newest.lock" "$image/kiln.lock"
exits 0 '' "--update of the kernel itself" fetch --update linux-image-9.9-cloud-amd64
is "$(locked appliance)" "linux-image-10.0-cloud-amd64 1.0" "does, too"

# ---- versions that only the store has any more
cp "$tmp/first.lock" "$image/kiln.lock"
exits 0 '' "the first lock again" fetch
rm "$repository"/pool/libapp_1.0* "$repository"/pool/app_1.0* "$repository"/pool/base_1.0*
publish archive@example.invalid
describe '<package name="app"/>' '<package name="libapp-tools"/>' '<package name="extra"/>'
exits 0 '' "one more package after the archive has dropped others" fetch
is "$(locked image)" "app 1.0, base 1:1.0, extra 1.0, libapp 1.0+x~1, libapp-tools 1.0" "keeps them out of the store"
is "$(jq '.sets.image.packages[] | select(.name == "app")' "$image/kiln.lock")" \
	"$(jq '.sets.image.packages[] | select(.name == "app")' "$tmp/first.lock")" "as they were locked"
like "$(cat "$tmp/err")" 'warning: .*only the store.* app, base, libapp' "and says that nobody else can fetch them"
rm -rf "$KILN_CACHE/store"
cp "$tmp/first.lock" "$image/kiln.lock"
exits 0 '' "with an empty store" fetch
is "$(locked image)" "app 2.0, base 1:1.1, extra 1.0, libapp 2.0, libapp-tools 2.0" "what is gone moves"
finish
