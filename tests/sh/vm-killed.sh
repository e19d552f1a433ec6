#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kill -9 in each stage: when it begins, in its midst, and when all is made and not yet in place. Nothing of kiln's
# stays running, the next build goes on after the last finished stage, and the image is the same in the end.
set -eu
. tests/sh/lib.sh
require cc jq pgrep ps

# shellcheck disable=SC2154 # lib.sh makes it
description=$tmp/small
cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
own=$tmp/cache
raw=small.x86_64-1.0.0.raw
cp -r tests/images/small "$description"
${CC:-cc} -O2 -shared -fPIC -D_GNU_SOURCE -o "$tmp/kill_at.so" tests/sh/kill_at.c -ldl

exits 0 '' "the packages are fetched" "$KILN" fetch "$description"
exits 0 '' "a build that nobody kills" "$KILN" build "$description" -o "$tmp/whole"
whole=$tmp/whole/small
stages=$(jq -r '.stages[].name' "$whole/run.json")
mkdir "$own"
cp -rl "$cache/store" "$cache/appliance-kernel" "$own/"
cp -r "$cache/guestfs" "$own/"

# ---- what a killed build leaves

entry() { # stage, cache
	key=$(jq -r --arg name "$1" '.stages[] | select(.name == $name).key' "$whole/run.json")
	echo "$2/stages/$1/$key"
}
title() { # stage
	jq -r --arg name "$1" '.stages | map(.name) | index($name)' "$whole/run.json" | {
		read -r index
		sed -n "s/^.*\[$((index + 1))\/[0-9]*\] \([^:]*\)$/\1/p" "$whole/build.log"
	}
}

# shellcheck disable=SC2317 # by way of ok()
# Processes of the build in $own, which have its path among their arguments: tools, QEMU, supermin.
running() { pgrep -f "$own/" || true; }
# shellcheck disable=SC2317
none_running() {
	tries=0
	while [ -n "$(running)" ] && [ "$tries" -lt 50 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	[ -z "$(running)" ] || ! ps -fp "$(running | tr '\n' ',' | sed 's/,$//')"
}

# The last killed build was killed in this stage, and has finished those before it.
check_killed() { # stage, when
	killed_title=$(title "$1")
	like "$(grep "^\[" "$tmp/err" | tail -n 1)" "^\[[0-9]+/[0-9]+\] $killed_title\$" "$1: killed $2"
	ok "$1: nothing goes on without it" none_running
	not_ok "$1: no result is in the cache" test -e "$(entry "$1" "$own")"
	is "$(find "$tmp/results" -name '*.raw' -o -name '*.json' 2> /dev/null)" "" "$1: no result is in place"
	for earlier in $stages; do
		[ "$earlier" != "$1" ] || break
		ok "$1: $earlier was finished" cmp "$(entry "$earlier" "$own")/.inputs" "$(entry "$earlier" "$cache")/.inputs"
	done
}

killed() { # stage, when, variable of kill_at.c...
	killed_stage=$1 killed_when=$2
	shift 2
	exits 137 '' "$killed_stage: a build ends by SIGKILL" env KILN_CACHE="$own" LD_PRELOAD="$tmp/kill_at.so" \
		KILL_BEGIN="$own/tmp/kiln-scratch-*/$killed_stage" "$@" "$KILN" build "$description" -o "$tmp/results"
	check_killed "$killed_stage" "$killed_when"
}

# Stages that are done in a moment: each moment is found by counting what the first one does.
kill_in() { # stage
	killed "$1" "with all made" KILL_RENAME="$own/tmp/kiln-scratch-*/$1" KILL_CLOCK="$tmp/clock"
	killed "$1" "as it began" KILL_AFTER=0
	killed "$1" "in its midst" KILL_AFTER=$(($(cat "$tmp/clock") / 2))
	is "$(grep -c ": reused" "$tmp/err") $(grep -c ": done" "$tmp/err")" "$(echo "$stages" | grep -nx "$1" | awk -F: "{ print \$1 - 1 }") 0" \
		"$1: what was finished was reused, all of it"
}

# In the appliance: when its log says so.
kill_inside() { # stage, regex
	KILN_CACHE=$own "$KILN" build "$description" -o "$tmp/results" > "$tmp/out.txt" 2> "$tmp/err" &
	build=$!
	tries=0
	until grep -Eq "$2" "$tmp/results/small/build.log" 2> /dev/null || [ "$tries" -gt 3000 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	like "$(pgrep -P "$build" -f 'guestfsd\.sock' || :)" '^[0-9]+' "$1: the appliance runs"
	kill -9 "$build"
	wait "$build" 2> /dev/null || :
	check_killed "$1" "in its midst"
}

# ---- each stage
for stage in $stages; do
	case $stage in
	base) kill_inside base 'preinst of|Setting up' ;;
	config) killed config "with all made" KILL_RENAME="$own/tmp/kiln-scratch-*/config" ;;
	*) kill_in "$stage" ;;
	esac
done

# ---- and the end: results half in place
exits 137 '' "a build is killed with its disk in place and its manifest not yet" env KILN_CACHE="$own" \
	LD_PRELOAD="$tmp/kill_at.so" KILL_RENAME='*/kiln-scratch-*/manifest.json' "$KILN" build "$description" -o "$tmp/results"
not_ok "there is no manifest for it" test -e "$tmp/results/small/manifest.json"
exits 0 '' "the next build" env KILN_CACHE="$own" "$KILN" build "$description" -o "$tmp/results"
is "$(grep -c ': reused' "$tmp/err")" "$(echo "$stages" | wc -l)" "has nothing left to do"
for result in "$raw" manifest.json pcr_measurements.json small.x86_64-1.0.0.packages; do
	ok "$result is what an undisturbed build makes" cmp "$tmp/results/small/$result" "$whole/$result"
done
is "$(ls -A "$own/tmp")" "" "nothing is left in the cache's scratch directory"
is "$(find "$tmp/results" -name 'kiln-scratch-*')" "" "nor beside the results"
is "$(find "$own/stages" -name '*.lock')" "" "and no claim on a stage"
finish
