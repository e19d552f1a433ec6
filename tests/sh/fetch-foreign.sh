#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An image for another machine than this: its own packages are for that one, the tools that make it for this one.
set -eu
. tests/sh/lib.sh
. tests/repository.sh

architectures() { # set: those of its packages, on one line
	# shellcheck disable=SC2154 # repository.sh makes it
	jq -r ".sets.$1.packages | map(.architecture) | unique | join(\", \")" "$image/kiln.lock"
}

for tool in binutils-aarch64-linux-gnu cpp-14-aarch64-linux-gnu qemu-user only-here; do
	package "$tool" 1.0
done
architecture=arm64
for name in systemd-boot-efi libc6-dev linux-libc-dev libgcc-14-dev qemu-efi-aarch64 libapp; do
	package "$name" 2.0
done
package base 1:2.0 'Essential: yes'
package app 2.0 'Depends: libapp (>= 1.0)'
publish archive@example.invalid

describe '<package name="app"/>'
exits 0 '' "without a word, an image is for x86_64" fetch
is "$(architectures image), $(locked image)" "amd64, app 1.0, base 1:1.0, libapp 1.0+x~1" "of its packages"
cp "$image/kiln.lock" "$tmp/x86_64.lock"

sed -i 's/<preferences>/<preferences arch="aarch64">/' "$image/appliance.kiwi"
exits 2 'made for other packages' "which is no lock for another machine" "$KILN" build "$image" -o "$tmp/out"
exits 0 '' "for aarch64 another is made" fetch
like "$(cat "$tmp/out")" '^builder +qemu-user +added 1\.0' "with what only that needs"
is "$(architectures image), $(locked image)" "arm64, app 2.0, base 1:2.0, libapp 2.0" "the image is of that machine's packages"
is "$(architectures boot) $(architectures sysroot) $(architectures firmware)" "arm64 arm64 arm64" "as are stub, headers and firmware"
is "$(architectures builder) $(architectures appliance)" "amd64 amd64" "tools and appliance are of this one's"
like "$(locked builder)" 'binutils-aarch64-linux-gnu 1.0, cpp-14-aarch64-linux-gnu 1.0, .*qemu-user 1.0' "with a compiler that crosses"
not_ok "and none that does not" grep -q 'cpp-14-x86-64' "$image/kiln.lock"
like "$(locked sysroot)" '^libc6-dev 2.0, libgcc-14-dev 2.0, linux-libc-dev 2.0$' "gcc's library is the image's own"
cp "$image/kiln.lock" "$tmp/arm64.lock"
mv "$repository" "$tmp/away"
exits 0 '' "with a lock and a full store no archive is needed" fetch
mv "$tmp/away" "$repository"
ok "and the lock stays" cmp "$image/kiln.lock" "$tmp/arm64.lock"

# ---- it moves like any other
package app 3.0 'Depends: libapp (>= 1.0)'
publish archive@example.invalid
exits 0 '' "one package of the image moves" fetch --update app
like "$(cat "$tmp/out")" '^image +app +2\.0 -> 3\.0' "as is said"
is "$(locked image)" "app 3.0, base 1:2.0, libapp 2.0" "and no other"

# ---- what is only for this machine, and who only has this machine's tools
describe '<package name="only-here"/>'
sed -i 's/<preferences>/<preferences arch="aarch64">/' "$image/appliance.kiwi"
exits 2 'appliance\.kiwi:[0-9]+: package only-here does not exist in trixie' "a package that only this machine has" fetch
jq '(.sets.builder.packages[] | .architecture) = "riscv64"' "$tmp/arm64.lock" > "$image/kiln.lock"
exits 2 "the lock's tools run on riscv64, and this machine is amd64: run \"kiln fetch" "a lock made on another machine" \
	"$KILN" build "$image" -o "$tmp/out"
finish
