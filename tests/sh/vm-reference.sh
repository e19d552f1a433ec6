#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kiln unpacks packages in bulk and runs their scripts afterwards. That must give the tree which apt and dpkg give:
# mmdebstrap's, of the same packages, path by path. tests/images/reference/accepted has each difference that may be.
set -eu
. tests/sh/lib.sh
require jq apt-ftparchive perl tar

# shellcheck disable=SC2154 # lib.sh makes it
description=$tmp/reference
cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
cp -r tests/images/reference "$tmp"
exits 0 '' "the packages are fetched" "$KILN" fetch "$description"

# ---- the locked packages as a repository, for mmdebstrap in the appliance
packages=$description/root/var/reference/packages
mkdir -p "$packages"
jq -r '.sets.image.packages[] | "\(.sha256) \(.name)"' "$description/kiln.lock" | while read -r sha name; do
	cp "$cache/store/$(echo "$sha" | cut -c1-2)/$sha" "$packages/$name.deb"
done
# By the release's name in it mmdebstrap knows which packages are essential.
(
	cd "$packages"
	apt-ftparchive packages . > Packages
	apt-ftparchive -o APT::FTPArchive::Release::Suite=trixie -o APT::FTPArchive::Release::Codename=trixie release . > "$tmp/Release"
	mv "$tmp/Release" Release
)
jq -r '[.sets.image.packages[].name] | join(",")' "$description/kiln.lock" > "$packages/../names"
exits 0 '' "a build, in which mmdebstrap makes a tree, too" "$KILN" build "$description" -o "$tmp/results"

key=$(jq -r '.stages[] | select(.name == "tree").key' "$tmp/results/reference/run.json")
ours=$cache/stages/tree/$key/root.tar
tar -x -O -f "$ours" var/reference.tar > "$tmp/reference.tar"
ok "which is one" test "$(tar -t -f "$tmp/reference.tar" | wc -l)" -gt 10000

# ---- path by path
exits 0 '' "the two are the same but for what is accepted" \
	perl tests/tree-differences.pl "$ours" "$tmp/reference.tar" tests/images/reference/accepted
sed 's/^/# /' "$tmp/out"
finish
