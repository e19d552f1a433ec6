#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A host without apt and dpkg: with a lock everything is a URL and a digest, which curl or wget can fetch, or
# nobody has to from a directory. What is wrong or gone is told as clearly as apt would.
set -eu
. tests/sh/lib.sh
. tests/repository.sh
require curl wget perl

perl tests/serve.pl "$repository" "$tmp/port" "$tmp/requests" &
server=$!
trap 'kill $server 2>/dev/null || :; gpgconf --kill all 2>/dev/null || :; rm -rf "$tmp"' EXIT
while [ ! -s "$tmp/port" ]; do
	kill -0 $server
	sleep 0.1
done
source=http://127.0.0.1:$(cat "$tmp/port")

# Directories that hold these programs and nothing else.
only() { # directory, program...
	mkdir -p "$tmp/$1"
	directory=$1
	shift
	for program; do
		ln -s "$(command -v "$program")" "$tmp/$directory/"
	done
}
only curl curl
only wget wget
only nothing
# shellcheck disable=SC2317 # lib.sh calls it
having() { # one of them, argument of kiln fetch...
	having_path=$tmp/$1
	shift
	PATH=$having_path "$KILN" fetch "$image" "$@"
}

describe '<package name="app"/>'
exits 0 '' "with apt" fetch
cp "$image/kiln.lock" "$tmp/good.lock"
names=$(jq -r '[.sets[].packages[].path] | unique | .[]' "$tmp/good.lock" | sort)

for program in curl wget; do
	rm -rf "$KILN_CACHE"
	: > "$tmp/requests"
	exits 0 '' "with $program alone" having $program
	is "$(find "$KILN_CACHE/store" -type f -exec sha256sum {} + | awk '{ n = $2; sub(".*/", "", n); if (n != $1) print n }')" "" \
		"... all that came is what its name says"
	is "$(sed -n 's#^200 /##p' "$tmp/requests" | sort)" "$names" "... each package was asked for once and nothing else"
	ok "... the lock is left alone" cmp "$image/kiln.lock" "$tmp/good.lock"
	: > "$tmp/requests"
	exits 0 'download packages: all are there' "again" having $program
	is "$(cat "$tmp/requests")" "" "... asks nobody"

	rm -rf "$KILN_CACHE"
	mv "$repository/pool/app_1.0_amd64.deb" "$repository/pool/libapp_1.0+x~1_amd64.deb" "$tmp"
	exits 3 "app 1.0, libapp 1.0\+x~1; .*--update app libapp" "packages that are gone, with $program" having $program
	is "$(grep -c "warning: package .* is not at $source/pool/.*404" "$tmp/err")" 2 "... are named with the server's answer"
	{ head -c -1 "$tmp/app_1.0_amd64.deb" && printf x; } > "$repository/pool/app_1.0_amd64.deb"
	cp "$tmp/libapp_1.0+x~1_amd64.deb" "$repository/pool/"
	exits 3 'package app 1.0: its SHA-256 is' "a package that was changed, with $program" having $program
	head -c 100 "$tmp/app_1.0_amd64.deb" > "$repository/pool/app_1.0_amd64.deb"
	exits 3 'package app 1.0 .* has 100 bytes, the lock says' "a package that is cut off, with $program" having $program
	mv "$tmp/app_1.0_amd64.deb" "$repository/pool/"
	exits 0 '' "the right one again" having $program
done

rm -rf "$KILN_CACHE"
exits 3 'nothing here can download: install apt, curl or wget' "without any of them" having nothing
kill $server
wait $server 2> /dev/null || :
for program in curl wget; do
	exits 3 "cannot fetch package .* from $source/pool/.*[Cc]onnect" "a server that is down, with $program" having $program
	is "$(grep -c 'is not at' "$tmp/err")" 0 "... is no server that lacks packages"
done

# ---- a directory as mirror
source=distro:debian
describe '<package name="app"/>'
request=$(PATH=$tmp/curl "$KILN" fetch "$image" --locked 2>&1 || :)
like "$request" 'made for other packages or repositories' "another repository is another request"
rm -rf "$image"
source=file://$repository
describe '<package name="app"/>'
exits 0 '' "a local archive, with apt" fetch
for program in curl wget; do
	rm -rf "$KILN_CACHE"
	exits 0 '' "a local archive, with $program" having $program
	ok "... fills the store" test "$(objects)" -gt 20
	ok "... and loses nothing" test -e "$repository/pool/app_1.0_amd64.deb"
done
rm -rf "$KILN_CACHE"
exits 3 'nothing here can download' "even so a downloader must be there" having nothing
mv "$repository/pool/app_1.0_amd64.deb" "$tmp"
exits 3 'the archive does not have 1 package: app 1.0; ' "a package gone from a local archive" having curl
finish
