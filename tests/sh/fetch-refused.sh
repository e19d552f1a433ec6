#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `kiln fetch` refuses: packages that do not exist or do not go together, archives whose signature or
# digests do not hold. Each time it says what and where, and writes no lock.
set -eu
. tests/sh/lib.sh
. tests/repository.sh

no_lock() {
	not_ok "... and no lock was written" test -e "$image/kiln.lock"
}

# ---- the description asks for what cannot be
describe '<package name="app"/>' '<package name="no-such-thing"/>'
line=$(grep -n no-such-thing "$image/appliance.kiwi" | cut -d: -f1)
exits 2 "appliance.kiwi:$line: package no-such-thing does not exist in trixie" "a package that does not exist" fetch
no_lock
describe '<package name="app"/>' '<ignore name="libapp"/>'
exits 2 "package libapp is ignored by the description, but app depends on it" "an ignored package that is needed" fetch
no_lock
describe '<package name="app"/>' '<package name="other"/>'
exits 2 "do not go together: .*Conflicts: app" "packages that exclude each other" fetch
no_lock
describe '<package name="app"/>' '<ignore name="not-even-there"/>'
exits 0 '' "ignoring what does not exist is no error" fetch
cp "$image/kiln.lock" "$tmp/good.lock"

# ---- locks that are none, or no longer what was locked
head -c 200 "$tmp/good.lock" > "$image/kiln.lock"
exits 2 "--update.*kiln.lock:[0-9]+:[0-9]+" "half a lock" fetch
exits 2 "--update.*kiln.lock:[0-9]+:[0-9]+" "half a lock in which one package is to move" fetch --update app
edited() { # jq program, expected message, description
	jq "$1" "$tmp/good.lock" > "$image/kiln.lock"
	cp "$image/kiln.lock" "$tmp/edited.lock"
	exits 2 "^error: .*kiln.lock.*$2" "$3" fetch
	ok "... and the file is left alone" cmp "$image/kiln.lock" "$tmp/edited.lock"
}
edited '.sets.image.packages[0].sha256 = "12"' 'sets.image.packages\[0\].sha256 must be 64' "a digest that is none"
edited '.sets.image.packages += [.sets.image.packages[0]]' 'names app \(amd64\) twice' "a package twice"
edited '.sets.image.packages |= .[1:]' 'set image: edited by hand.*index also has|set image: edited by hand.*lock has Package: base' \
	"a package taken out"
edited '.sets.image.packages |= .[:-1]' "set image: edited by hand.*the lock's index also has libapp" "the last one taken out"
edited '.sets.builder.packages += [.sets.firmware.packages[0]]' 'set builder: edited by hand.*for ovmf' "one put in"
edited '.sets.image.packages[0].version = "9.0"' 'for app the lock has Version: 9.0, its index 1.0' "another version"
edited '.sets.image.packages[0].size = 7' 'for app the lock has Size: 7, its index' "another size"
edited '.sets.image.index_sha256 = .sets.boot.index_sha256' 'set image: edited by hand' "another set's index"
edited '.sets.image.index_sha256 |= (.[1:] + "0")' 'index_sha256 [0-9a-f]+, its packages give' "an index that nobody has"
cp "$tmp/edited.lock" "$image/kiln.lock"
exits 0 '' "--update does away with an edited lock" fetch --update
head -c 200 "$tmp/good.lock" > "$image/kiln.lock"
exits 0 'warning: .*kiln.lock:[0-9]+:[0-9]+.*made anew' "... and with half a lock" fetch --update
ok "as if there had been none" cmp "$image/kiln.lock" "$tmp/good.lock"

# ---- the mirror no longer has what is locked
rm -rf "$KILN_CACHE"
mv "$repository/pool/app_1.0_amd64.deb" "$tmp/kept.deb"
mv "$repository/pool/libapp_1.0+x~1_amd64.deb" "$tmp/kept-too.deb"
exits 3 "app 1.0, libapp 1.0\+x~1; .*--update app libapp.*--mirror" "locked packages that are gone" fetch
is "$(grep -c 'warning: package .* is not at file:.*pool/' "$tmp/err")" 2 "each is named with its place"
ok "the lock is untouched" cmp "$image/kiln.lock" "$tmp/good.lock"
is "$(objects)" "$(($(jq '[.sets[].packages[].sha256] | unique | length' "$image/kiln.lock") - 2))" "all others have come"
mv "$tmp/kept-too.deb" "$repository/pool/libapp_1.0+x~1_amd64.deb"

# ---- another file in its place: its digest is wrong
{ head -c -1 "$tmp/kept.deb" && printf x; } > "$repository/pool/app_1.0_amd64.deb"
exits 3 "package app 1.0 .*(Hash Sum mismatch|SHA-256)" "a package that was changed on the mirror" fetch
sha=$(jq -r '.sets.image.packages[0].sha256' "$image/kiln.lock")
not_ok "is not in the store" test -e "$KILN_CACHE/store/$(echo "$sha" | cut -c1-2)/$sha"
rm "$image/kiln.lock"
exits 3 "package app 1.0 " "likewise when there is no lock yet" fetch
no_lock
head -c 100 "$tmp/kept.deb" > "$repository/pool/app_1.0_amd64.deb"
exits 3 "package app 1.0 " "a package that is cut off" fetch
no_lock
cp "$tmp/kept.deb" "$repository/pool/app_1.0_amd64.deb"

# ---- signatures
cp -r "$repository" "$tmp/good"
restore() {
	rm -rf "$repository" "$KILN_CACHE"
	cp -r "$tmp/good" "$repository"
}
sign stranger@example.invalid
exits 3 "trixie" "an archive signed by a stranger" fetch
no_lock
restore
rm "$repository/dists/trixie/InRelease"
exits 3 "not signed|InRelease" "an archive that is not signed" fetch
no_lock
restore
sed -i 's/^Size: .*/Size: 1/' "$repository/dists/trixie/main/binary-amd64/Packages"
exits 3 "trixie" "lists that were changed after signing" fetch
no_lock
restore
sed -i 's/^Date: .*/Date: Thu, 01 Jan 2015 00:00:00 UTC/' "$repository/dists/trixie/InRelease"
exits 3 "trixie" "a signed file that was changed" fetch
no_lock
restore
exits 0 '' "the good archive again" fetch
sign stranger@example.invalid
exits 3 "trixie" "a stranger's signature when good lists are already there" fetch --update
restore
rm "$image/kiln.lock"
signing=''
describe '<package name="app"/>'
exits 2 "appliance.kiwi:[0-9]*: repository local has no signing key" "a repository without a key" fetch
no_lock

# ---- mirrors
source=distro:debian
describe '<package name="app"/>'
exits 2 'mirror "nonsense" is no URL' "a mirror that is no URL" fetch --mirror nonsense
exits 3 'trixie' "an archive of ours is not Debian's" fetch --mirror "file://$repository"
export KILN_MIRROR="file://$repository"
exits 3 'trixie' "nor by way of KILN_MIRROR" fetch
unset KILN_MIRROR
sed -i 's/distribution="trixie"/distribution="trixie-security"/' "$image/appliance.kiwi"
exits 2 'suite trixie-security.*SECURITY-URL' "a security suite needs a mirror of its own" fetch --mirror "file://$repository"
no_lock
finish
