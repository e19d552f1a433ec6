#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A full disk in each stage: the build stops with one sentence that says where there is no room and what to do, leaves
# nothing half-made, and goes on where it stopped once there is room.
set -eu
cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}

# ---- in a mount namespace of its own: a small disk as the cache, with what is finished bound into it
# Mounting wants a user namespace where we are root; kiln runs in one more, where we are who we were.
build() { # variable of kill_at.c...
	code=0
	unshare --user --map-user="$uid" --map-group="$gid" env KILN_CACHE="$cache" "$@" \
		"$KILN" build "$tmp/small" -o "$tmp/results" > "$place/out" 2> "$place/err" || code=$?
	echo "$code" > "$place/code"
	ls -A "$cache/tmp" > "$place/scratch"
}
in_place() { # name
	place=$tmp/$stage.$1
	mkdir "$place"
}

# Fills that disk but for this many bytes.
leave() { # bytes
	rm -f "$cache/ballast"
	left=$(($(df --output=avail -B1 "$cache" | tail -n 1) - $1))
	fallocate -l $((left / 4096 * 4096)) "$cache/ballast"
}

bring() { # directory of the cache
	mkdir -p "$cache/$1"
	mount --bind "$real/$1" "$cache/$1"
}

inside() { # stage
	stage=$1 real=$tmp/real
	size=$(sed -n "s/^$stage .* //p" "$tmp/entries")
	mkdir -p "$real"
	mount --bind "$cache" "$real"
	# Room for what it makes and for what it makes on its way; it is all in memory.
	mount -t tmpfs -o size=$((4 * size / 1024 + 65536))K tmpfs "$cache"
	mkdir "$cache/tmp"
	for name in store appliance-kernel guestfs; do bring "$name"; done
	sed "/^$stage /,\$d" "$tmp/entries" | while read -r name key _; do bring "stages/$name/$key"; done
	in_place none
	leave 0
	build
	in_place half
	leave $((size / 2))
	build
	in_place enough
	rm "$cache/ballast"
	# No other stage: the next one is killed as it begins.
	next=$(sed -n "/^$stage /{ n; s/ .*//p; }" "$tmp/entries")
	[ "$stage" = base ] || build LD_PRELOAD="$tmp/kill_at.so" KILL_AFTER=0 KILL_BEGIN="*/kiln-scratch-*/$next"
	cp "$cache/stages/$stage/"*/.record "$place/record" || :
}

if [ "${1-}" = inside ]; then
	inside "$2"
	exit
fi

# ---- outside
. tests/sh/lib.sh
require cc fallocate jq unshare
# shellcheck disable=SC2154 # lib.sh makes it
description=$tmp/small
uid=$(id -u) gid=$(id -g)
export tmp KILN uid gid
cp -r tests/images/small "$description"
${CC:-cc} -O2 -shared -fPIC -D_GNU_SOURCE -o "$tmp/kill_at.so" tests/sh/kill_at.c -ldl
exits 0 '' "the packages are fetched" "$KILN" fetch "$description"
# Not inside: where other users have no numbers, supermin makes one that does not start.
exits 0 '' "libguestfs's appliance is made" "$KILN" doctor "$description"
exits 0 '' "a build with enough room" "$KILN" build "$description" -o "$tmp/whole"
jq -r '.stages[] | "\(.name) \(.key)"' "$tmp/whole/small/run.json" | while read -r name key; do
	echo "$name $key $(cat "$cache/stages/$name/$key/.used")"
done > "$tmp/entries"

stopped() { # stage, how much room
	place=$tmp/$1.$2
	is "$(cat "$place/code")" 3 "$1, $2: the build stops" || note "$place/err"
	like "$(tail -n 1 "$place/err")" "^error: the disk is full: $cache has [0-9]+ MiB left; make room there, .*: $1: " \
		"$1, $2: it says where there is no room, and what to do"
	is "$(grep -c '^error' "$place/err")" 1 "$1, $2: in one sentence"
	is "$(cat "$place/scratch")" "" "$1, $2: nothing half-made is left"
}

while read -r stage key _; do
	unshare --user --map-root-user --mount sh "$0" inside "$stage" > "$tmp/inside" 2>&1 || {
		note "$tmp/inside"
		echo "Bail out! no disk of a chosen size for $stage"
		exit 1
	}
	stopped "$stage" none
	stopped "$stage" half
	# What comes out of the appliance holds times of its making, which no later stage reads; that the disk is the
	# same is for vm-killed.sh.
	case $stage in
	base) ;;
	config) ok "$stage: with room again it is made" test -s "$tmp/$stage.enough/record" ;;
	*) ok "$stage: with room again it makes what it made before" \
		cmp "$tmp/$stage.enough/record" "$cache/stages/$stage/$key/.record" ;;
	esac
done < "$tmp/entries"
finish
