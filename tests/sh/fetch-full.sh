#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A full disk stops fetching and importing with one sentence, and leaves no lock and nothing half-made; with room again
# the next try goes on.
set -eu
. tests/sh/lib.sh
. tests/repository.sh
require unshare mount

# Bytes that do not become fewer.
mkdir -p "$tmp/package/usr/share/large"
head -c 60000000 /dev/urandom > "$tmp/package/usr/share/large/data"
package large 1.0
publish archive@example.invalid
describe '<package name="large"/>'

# Mounting wants a user namespace where we are root. What lies on that disk at the end is listed in $tmp/left.
# shellcheck disable=SC2016 # for the inner shell
small='mount -t tmpfs -o size=$1 tmpfs "$KILN_CACHE" || exit 99
	left=$2
	shift 2
	"$@"
	code=$?
	find "$KILN_CACHE" -size +1000k ! -path "$KILN_CACHE/apt/*" > "$left"
	exit $code'
# shellcheck disable=SC2317 # called by `exits`
on_disk_of() { # size, command...
	size=$1
	shift
	unshare --user --map-root-user --mount sh -c "$small" sh "$size" "$tmp/left" "$@"
}
full="^error: the disk is full: $KILN_CACHE has [0-9]+ MiB left; make room there, .*: "

mkdir -p "$KILN_CACHE"
exits 3 "$full.*large" "packages that find no room" on_disk_of 50M "$KILN" fetch "$image"
is "$(grep -c '^error' "$tmp/err")" 1 "one sentence says so"
is "$(cat "$tmp/left")" "" "nothing of the package stays"
not_ok "no lock is written" test -e "$image/kiln.lock"
exits 3 "$full" "lists that find no room" on_disk_of 1M "$KILN" fetch "$image"
not_ok "leave no lock, either" test -e "$image/kiln.lock"

exits 0 '' "with room they come" on_disk_of 200M "$KILN" fetch "$image"
exits 0 '' "on any disk" "$KILN" fetch "$image"
exits 0 '' "and are exported" "$KILN" store export "$tmp/stick.tar" "$image"
exits 3 "$full" "an archive that finds no room" on_disk_of 20M "$KILN" store import "$tmp/stick.tar"
is "$(grep -c '^error' "$tmp/err")" 1 "one sentence says so"
is "$(cat "$tmp/left")" "" "and nothing of it stays"
exits 0 '' "which with room is taken in" on_disk_of 200M "$KILN" store import "$tmp/stick.tar"
finish
