#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What lies in the cache, the store and the lock is not what a build put there: the build makes it again or says
# what is wrong, and never makes another image. The stages that need no appliance, with those of the others' finished.
set -eu
. tests/sh/lib.sh
require jq

# shellcheck disable=SC2154 # lib.sh makes it
description=$tmp/mpc
cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
whole=$(dirname "$(realpath "$KILN_TEST_DISK")")
own=$tmp/cache
describe_mpc "$description"

# Copies, since each is damaged in turn; of what is not needed here, none.
mkdir "$own"
cp -rl "$cache/store" "$own/store"
jq -r '.stages[] | "\(.name) \(.key)"' "$whole/run.json" > "$tmp/keys"
while read -r name key; do
	case $name in
	builder | base) ;;
	*) mkdir -p "$own/stages/$name" && cp -r "$cache/stages/$name/$key" "$own/stages/$name/" ;;
	esac
done < "$tmp/keys"
entry() { # stage
	echo "$own/stages/$1/$(sed -n "s/^$1 //p" "$tmp/keys")"
}
outputs() { # stage
	find "$(entry "$1")" -type f ! -name '.*'
}

# shellcheck disable=SC2317 # by way of exits()
build() { KILN_CACHE=$own "$KILN" build "$description" -o "$tmp/results"; }
makes() { # description, the stages that run
	exits 0 '' "$1" build
	is "$(jq -r '.stages | map(select(.outcome == "done").name) | join(" ")' "$tmp/results/mpc/run.json")" "$2" \
		"$1: what has to run runs"
	ok "$1: the same disk" cmp "$tmp/results/mpc/"*.raw "$KILN_TEST_DISK"
	ok "$1: the same manifest" cmp "$tmp/results/mpc/manifest.json" "$whole/manifest.json"
}
refuses() { # description, exit code, regex
	exits "$2" "$3" "$1" build
	is "$(grep -c '^error: ' "$tmp/err")" 1 "$1: in one sentence"
}

makes "copied entries" ""

# ---- each stage's entry, damaged in one way or another
flip() { # file, offset
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059 # an octal escape
	printf "\\$(printf '%o' $((byte ^ 16)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
for stage in $mpc_native; do
	outputs "$stage" | while read -r file; do flip "$file" $(($(stat -c %s "$file") / 2)); done
done
makes "a byte of each" "$mpc_native"
like "$(cat "$tmp/err")" 'warning: disk: what the cache holds is not .*: disk\.raw has other contents; it runs again' \
	"what is wrong with an entry is said"
for stage in $mpc_native; do
	outputs "$stage" | while read -r file; do truncate -s -1 "$file"; done
done
makes "the last byte of each" "$mpc_native"
for stage in $mpc_native; do
	place=$(entry "$stage")
	case $stage in
	tree) rm "$place/.record" ;;
	kernel) printf '\377\000\tkiln stage\n\n' > "$place/.record" ;;
	erofs) : > "$place/.inputs" ;;
	verity) rm -r "$place" && echo > "$place" ;;
	initrd) rm -r "$place" && ln -s nowhere "$place" ;;
	uki) rm -r "$place" && mkdir "$place" ;;
	esp) cp "$(entry disk)/.record" "$place/.record" ;;
	*) outputs "$stage" | while read -r file; do : > "$file"; done ;;
	esac
done
makes "something else of each" "$mpc_native"

# ---- each stage's entry in the place of the next one's, whole and true to its record
first=
for stage in $mpc_native; do
	[ -n "$first" ] || { first=$stage; mv "$(entry "$stage")" "$tmp/moved"; before=$stage; continue; }
	mv "$(entry "$stage")" "$(entry "$before")"
	before=$stage
done
mv "$tmp/moved" "$(entry "$before")"
makes "swapped" "$mpc_native"

# ---- times from other centuries
for when in 1971-01-01 2100-01-01; do
	find "$own/stages" "$description" -exec touch -h -d "$when" {} +
	makes "everything of $when" ""
done

# ---- a package in the store, when it is needed
sha=$(jq -r '.sets.boot.packages[0].sha256' "$description/kiln.lock")
package=$(jq -r '.sets.boot.packages[0].name' "$description/kiln.lock")
object=$own/store/$(echo "$sha" | cut -c1-2)/$sha
cp "$object" "$tmp/object"
spoil() { # command on a copy of the object
	rm -rf "$object" "$(entry uki)" "$(entry sign)" "$(entry disk)" "$(entry measure)"
	cp "$tmp/object" "$object"
	chmod u+w "$object"
	"$@"
}
spoil flip "$object" 1000
refuses "a byte that changed" 3 "uki: .*$package is damaged in the store .*: run kiln fetch"
spoil truncate -s -1 "$object"
refuses "a byte that is gone" 3 "uki: .*$package is damaged in the store .*: run kiln fetch"
spoil truncate -s 0 "$object"
refuses "no byte left" 3 "uki: .*$package is damaged in the store .*: run kiln fetch"
spoil rm "$object"
refuses "no object" 3 "uki: .*$package .*is not in the store: run kiln fetch"
# shellcheck disable=SC2016 # for the inner shell
spoil sh -c 'rm "$1" && mkdir "$1"' sh "$object"
refuses "a directory" 3 "uki: .*$package .*is not in the store: run kiln fetch"
is "$(find "$own/stages/uki" "$own/tmp" -mindepth 1)" "" "of all that, nothing stays"
spoil true
makes "the object as it was" "uki sign disk measure"

# ---- the lock, edited by hand
cp "$description/kiln.lock" "$tmp/kiln.lock"
edited() { # jq filter, exit code, regex
	jq "$1" "$tmp/kiln.lock" > "$description/kiln.lock"
	refuses "$1" "$2" "$3"
}
p='.sets.image.packages[3]'
name=$(jq -r "$p.name" "$tmp/kiln.lock")
byhand="mpc/kiln.lock: set image of the lock: edited by hand\? .*for $name the lock has"
edited "$p.version = \"9\"" 2 "$byhand Version: 9, its index "
edited "$p.size += 1" 2 "$byhand Size: "
edited "$p.sha256 |= sub(\"^.\"; \"x\")" 2 'mpc/kiln.lock: sets.image.packages\[3\].sha256 must be 64 lower-case hex digits'
edited "$p.sha256 = .sets.image.packages[4].sha256" 2 "$byhand SHA256: "
edited "$p.path = \"pool/other.deb\"" 2 "$byhand Filename: pool/other.deb"
edited "$p.architecture = \"arm64\"" 2 "$byhand Architecture: arm64"
edited "$p.repository = \"nowhere\"" 2 'packages\[3\].repository "nowhere" is not among the repositories'
edited "$p.path = \"../x.deb\"" 2 'packages\[3\].path must be a relative path'
edited "$p.extra = 1" 2 'packages\[3\].extra is not known'
edited "del($p)" 2 "mpc/kiln.lock: set image of the lock: edited by hand\?"
edited '.sets.image.packages |= . + [.[0]]' 2 'sets.image.packages names .* twice'
edited '.sets.image.index_sha256 = .sets.boot.index_sha256' 2 'mpc/kiln.lock: set image of the lock: edited by hand\?'
edited '.request_sha256 = .sets.boot.index_sha256' 2 'the lock was made for other packages .*run "kiln fetch'
edited 'del(.sets.boot)' 2 'mpc/kiln.lock: sets.boot is missing'
edited '.schema = 99' 2 'mpc/kiln.lock: its schema is 99'
head -c 5000 "$tmp/kiln.lock" > "$description/kiln.lock"
refuses "half a lock" 2 'mpc/kiln.lock:[0-9]+:[0-9]+: '
: > "$description/kiln.lock"
refuses "an empty lock" 2 'mpc/kiln.lock:1:0: '
jq '.sets.image.packages |= reverse' "$tmp/kiln.lock" > "$description/kiln.lock"
makes "packages in another order, which is the same lock" ""
finish
