#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds that share a cache at the same time: no stage is made twice, nobody loses what he uses, and every image is
# the one that a build makes alone. The stages that need no appliance, with those of the others' finished.
set -eu
. tests/sh/lib.sh
require jq

# shellcheck disable=SC2154 # lib.sh makes it
description=$tmp/mpc
cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
whole=$(dirname "$(realpath "$KILN_TEST_DISK")")
KILN_CACHE=$tmp/cache
export KILN_CACHE

describe_mpc "$description"
mkdir "$tmp/cache"
# The same packages and scripts in another image.
cp -r "$description" "$tmp/other"
sed -i 's#erofscompression="zstd,level=3"#erofscompression="zstd,level=1"#' "$tmp/other/appliance.kiwi"

cp -rl "$cache/store" "$tmp/cache/store"
jq -r '.stages[] | "\(.name) \(.key)"' "$whole/run.json" | while read -r name key; do
	case " $mpc_native builder base " in
	*" $name "*) ;;
	*) mkdir -p "$tmp/cache/stages/$name" && cp -r "$cache/stages/$name/$key" "$tmp/cache/stages/$name/" ;;
	esac
done

results=mpc
forget() {
	for stage in $mpc_native; do
		rm -rf "$tmp/cache/stages/$stage"
	done
}
start() { # description, output
	"$KILN" build "$1" -o "$tmp/$2" > "$tmp/$2.out" 2> "$tmp/$2.err" &
}
ends() { # pid, output
	code=0
	wait "$1" || code=$?
	is "$code" 0 "$2: the build works" || note "$tmp/$2.err"
}
same_disk() { # output, disk
	ok "$1: the disk is what a build alone makes" cmp "$tmp/$1/$results/"*.raw "$2"
}
made() { # output...: how often each stage was made by them all
	for output; do
		jq -r '.stages[] | select(.outcome == "done").name' "$tmp/$output/$results/run.json"
	done | sort | uniq -c | awk '{ print $1 }' | sort -u
}

start "$tmp/other" alone
ends $! alone
forget

# ---- the same image twice
start "$description" one
one=$!
start "$description" two
ends "$one" one
ends "$!" two
same_disk one "$KILN_TEST_DISK"
same_disk two "$KILN_TEST_DISK"
is "$(made one two)" 1 "no stage was made twice"

# ---- the same image into the same place: one after the other
forget
"$KILN" build "$description" -o "$tmp/one" > "$tmp/again.out" 2> "$tmp/again.err" &
one=$!
start "$description" one
ends "$!" one
code=0
wait "$one" || code=$?
is "$code" 0 "the same place: both builds work" || note "$tmp/again.err"
same_disk one "$KILN_TEST_DISK"
ok "the same place: the manifest is the disk's" cmp "$tmp/one/$results/manifest.json" "$whole/manifest.json"

# ---- two images, a cache that holds neither, somebody who looks at what is in it, and a fetch
forget
KILN_CACHE_SIZE=1
export KILN_CACHE_SIZE
start "$description" one
one=$!
start "$tmp/other" two
two=$!
"$KILN" fetch "$description" > "$tmp/fetch.out" 2> "$tmp/fetch.err" &
fetch=$!
while kill -0 "$one" 2> /dev/null || kill -0 "$two" 2> /dev/null; do
	"$KILN" build -n "$description" > "$tmp/looks.out" 2> "$tmp/looks.err" || { note "$tmp/looks.err"; touch "$tmp/failed"; }
	sleep 0.2
done
ends "$one" one
ends "$two" two
ends "$fetch" fetch
not_ok "who looks at the cache meanwhile sees it whole" test -e "$tmp/failed"
same_disk one "$KILN_TEST_DISK"
same_disk two "$tmp/alone/$results/"*.raw
start "$description" one
ends "$!" one
is "$(find "$tmp/cache/stages/disk" -mindepth 1 -maxdepth 1 | wc -l)" 1 "alone again, a build leaves nothing of the other's"
is "$(ls -A "$tmp/cache/tmp")" "" "nothing is left in the cache's scratch directory"
is "$(find "$tmp/cache/stages" -name '*.lock')" "" "and no claim on a stage"
finish
