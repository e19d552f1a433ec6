#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The store is checked, cleared, and carried to a machine that never saw a network; and an archive that is not as
# it should be leaves no trace there.
set -eu
. tests/sh/lib.sh
. tests/repository.sh
require flock
kiln() { # verb...
	"$KILN" store "$@"
}
# Bytes in the middle of an object, which nobody may write.
damage() { # SHA-256
	object=$KILN_CACHE/store/$(echo "$1" | cut -c1-2)/$1
	chmod u+w "$object"
	printf X | dd of="$object" bs=1 seek=200 conv=notrunc status=none
}
digest() { # package
	jq -r --arg name "$1" '[.sets[].packages[] | select(.name == $name)][0].sha256' "$image/kiln.lock"
}
names() {
	find "$KILN_CACHE/store" -type f | sed 's#.*/##' | sort
}

# ---- use
exits 2 'the verb is missing' "no verb" "$KILN" store
exits 2 'unknown verb "bake"' "an unknown verb" "$KILN" store bake
exits 2 'name the images' "gc that would remove everything" "$KILN" store gc
exits 2 'is missing; usage' "export without an image" "$KILN" store export "$tmp/stick.tar"
exits 2 'the archive is missing' "import without an archive" "$KILN" store import
exits 2 'there is no archive' "import of no file" "$KILN" store import "$tmp/nothing.tar"
exits 2 'kiln.lock is missing: run "kiln fetch' "an image without a lock" "$KILN" store verify tests/images

# ---- out
package dpkg 1.0
publish archive@example.invalid
describe '<package name="app"/>' '<package name="dpkg"/>'
exits 0 '' "packages are fetched" fetch
exits 0 '' "and exported" kiln export "$tmp/stick.tar" "$image"
like "$(cat "$tmp/out")" "^$tmp/stick.tar: 1 lock, [0-9]+ objects, " "which is told"
is "$(tar tf "$tmp/stick.tar" | head -1)" images/test/kiln.lock "the lock comes first"
is "$(tar tf "$tmp/stick.tar" | sed -n 's#^store/../##p')" "$(names)" "then all objects, in order"
(
	umask 077
	export TZ=Pacific/Chatham LC_ALL=C
	kiln export "$tmp/again.tar" "$image" > /dev/null 2>&1
)
ok "the same locks are the same bytes" cmp "$tmp/stick.tar" "$tmp/again.tar"
rm "$tmp/again.tar"
exits 0 '' "what can be built here" "$KILN" build -n "$image"
sed 's/ because .*//' "$tmp/out" > "$tmp/plan"

# ---- in, where nothing of it is
mv "$repository" "$repository.away"
cp -R "$image" "$tmp/clone"
rm "$tmp/clone/kiln.lock"
mkdir "$tmp/unpacked"
tar xf "$tmp/stick.tar" -C "$tmp/unpacked"
KILN_CACHE=$tmp/cache2
exits 0 '' "an archive is taken in" kiln import "$tmp/stick.tar" "$tmp/clone"
ok "with the lock" cmp "$tmp/clone/kiln.lock" "$image/kiln.lock"
is "$(names)" "$(KILN_CACHE=$tmp/cache names)" "and all objects"
ok "which lie as a hand with tar would put them" diff -r "$KILN_CACHE/store" "$tmp/unpacked/store"
exits 0 '' "the store is right" kiln verify "$tmp/clone"
exits 0 'all are there' "nothing has to be fetched" "$KILN" fetch --locked "$tmp/clone"
exits 0 '' "and the image can be built" "$KILN" build -n "$tmp/clone"
sed 's/ because .*//' "$tmp/out" > "$tmp/plan2"
ok "as it can elsewhere" cmp "$tmp/plan" "$tmp/plan2"
exits 0 '' "once more" kiln import "$tmp/stick.tar" "$tmp/clone"
like "$(cat "$tmp/out")" 'of which the store lacked 0$' "brings nothing"
mv "$repository.away" "$repository"

# ---- a lock is not replaced
KILN_CACHE=$tmp/cache3
echo >> "$tmp/clone/kiln.lock"
cp "$tmp/clone/kiln.lock" "$tmp/mine.lock"
exits 2 'is another lock than that of the archive' "another lock lies there" kiln import "$tmp/stick.tar" "$tmp/clone"
ok "and stays" cmp "$tmp/clone/kiln.lock" "$tmp/mine.lock"
is "$(names)" "" "nothing has been taken in"
rm "$tmp/clone/kiln.lock"
sed -i 's/name="app"/name="libapp"/' "$tmp/clone/appliance.kiwi"
exits 2 'another state of the description' "a lock for another description" kiln import "$tmp/stick.tar" "$tmp/clone"
exits 2 'holds no image "small"' "an image that the archive does not hold" \
	kiln import "$tmp/stick.tar" tests/images/small
ok "no lock is written" test ! -e "$tmp/clone/kiln.lock"
is "$(names)" "" "and nothing taken in"

# ---- archives that are not as they should be
size=$(wc -c < "$tmp/stick.tar")
for cut in 0 100 $((size / 3 / 512 * 512)) $((size / 2 + 7)) $((size - 1024)); do
	head -c "$cut" "$tmp/stick.tar" > "$tmp/bad.tar"
	exits 2 'bad.tar' "the first $cut bytes of $size" kiln import "$tmp/bad.tar"
	is "$(wc -l < "$tmp/err" | tr -d ' ') $(names)" "$(if [ "$cut" -gt 10000 ]; then echo 3; else echo 1; fi) " \
		"one sentence, and nothing taken in"
done
cp "$tmp/stick.tar" "$tmp/bad.tar"
at=$(grep -abo '!<arch>' "$tmp/bad.tar" | sed -n '5s/:.*//p')
printf X | dd of="$tmp/bad.tar" bs=1 seek=$((at + 100)) conv=notrunc status=none
exits 2 'is damaged: the SHA-256 of [a-z].* in it is' "one wrong byte, by the package's name" kiln import "$tmp/bad.tar"
is "$(names)" "" "nothing taken in"
gzip < "$tmp/stick.tar" > "$tmp/bad.tar"
exits 2 'no valid tar header' "a compressed archive" kiln import "$tmp/bad.tar"
mkdir -p "$tmp/evil/store/aa" "$tmp/evil/images/test" "$tmp/evil/sub"
cp "$image/kiln.lock" "$tmp/evil/images/test/"
link=store/aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
ln -s "$tmp/escaped" "$tmp/evil/$link"
echo x > "$tmp/evil/escaped"
pack() { # member...
	(cd "$tmp/evil/sub" && tar --format=ustar -P --transform='s#^\.\./images#images#;s#^\.\./store#store#' \
		-cf "$tmp/bad.tar" ../images/test/kiln.lock "$@")
}
pack "../$link"
exits 2 'is no regular file' "a symbolic link" kiln import "$tmp/bad.tar"
pack ../escaped
exits 2 'neither an image.s lock nor an object' "a path that leads out" kiln import "$tmp/bad.tar"
pack "$tmp/evil/escaped"
exits 2 'neither an image.s lock nor an object' "an absolute path" kiln import "$tmp/bad.tar"
is "$(names)$(find "$tmp" -name escaped | grep -v evil/)" "" "nothing is written anywhere"

# ---- a full disk; one file may not grow beyond the limit, which looks the same to a program
# shellcheck disable=SC2317 # called by `exits`
limited() ( # blocks of 512 bytes, verb...
	trap '' XFSZ
	ulimit -f "$1"
	shift
	kiln "$@"
)
KILN_CACHE=$tmp/cache
echo mine > "$tmp/mine.tar"
exits 3 'mine.tar: cannot write' "export to a full disk" limited 20 export "$tmp/mine.tar" "$image"
is "$(cat "$tmp/mine.tar")" mine "leaves what was there"
is "$(find "$tmp" -maxdepth 1 -name 'kiln-scratch*')" "" "and nothing else"
KILN_CACHE=$tmp/cache3
exits 3 'cannot write .*File too large' "import to a full disk" limited 3 import "$tmp/stick.tar" "$image"
is "$(names)" "" "leaves an empty store"

# ---- damage
KILN_CACHE=$tmp/cache
app=$(digest app)
damage "$app"
exits 1 '1 damaged' "a damaged object" kiln verify
like "$(cat "$tmp/out")" "^damaged  app 1\.0 \(amd64\): .*/$app: its SHA-256 is" "is told by name"
exits 3 'app 1.0 \(amd64\) is damaged in the store' "and is not exported" kiln export "$tmp/none.tar" "$image"
ok "no archive is there" test ! -e "$tmp/none.tar"
exits 0 '' "an archive with the right bytes" kiln import "$tmp/stick.tar"
exits 0 '' "mends it" kiln verify
damage "$app"
echo x > "$KILN_CACHE/store/notes"
exits 1 '1 damaged, 1 stray' "damage that is to be taken away" kiln verify --remove
ok "is gone" test ! -e "$object"
ok "and only that" test -e "$KILN_CACHE/store/notes"
rm "$KILN_CACHE/store/notes"
exits 0 '' "what is there is right again" kiln verify
exits 1 '1 missing' "but not all that the image needs is there" kiln verify "$image"
like "$(cat "$tmp/out")" '^missing  app 1\.0 ' "which is named"
exits 3 'app 1.0 \(amd64\) .* is not in the store: run kiln fetch' "export says so too" \
	kiln export "$tmp/none.tar" "$image"
exits 0 '' "fetching brings it" fetch
exits 0 '' "all is there" kiln verify "$image"

# ---- garbage
cp -R "$image" "$tmp/old"
package app 2.0
publish archive@example.invalid
exits 0 '' "a newer package" fetch --update
before=$(names)
exits 0 '' "what would go" kiln gc -n "$image"
like "$(cat "$tmp/out")" '  app 1\.0 \(amd64\)$' "is named"
is "$(names)" "$before" "and stays"
exits 0 '' "an older state's lock keeps it" kiln gc "$image" "$tmp/old/kiln.lock"
is "$(names)" "$before" "too"
exits 0 '' "what has been of use lately" kiln gc --older-than 1
is "$(names)" "$before" "stays as well"
exits 2 'appliance.kiwi:1:1' "a lock that cannot be read" kiln gc "$image" "$image/appliance.kiwi"
is "$(names)" "$before" "costs nothing"
flock -s "$KILN_CACHE/store" sleep 3 &
sleep 0.5
exits 0 '' "while somebody reads the store" kiln gc -n "$image"
is "$(cat "$tmp/err")" "" "to look need not wait"
exits 0 'another kiln is using the store' "but to remove" kiln gc "$image"
like "$(cat "$tmp/out")" '^[2-9] objects removed, .* stay' "waits, then removes"
wait
ok "what no lock needs" test ! -e "$KILN_CACHE/store/$(echo "$app" | cut -c1-2)/$app"
exits 0 '' "and nothing else" kiln verify "$image"
touch -d '3 days ago' "$KILN_CACHE"/store/*/*
exits 0 '' "what has not been used for days" kiln gc --older-than 2
is "$(names)" "" "goes, where no lock is named"
finish
