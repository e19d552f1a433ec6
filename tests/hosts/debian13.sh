#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Another host gives the same bytes. It is a Debian 13 that Kiln itself has put together (beside this), entered by
# chroot in namespaces of its own, without a network: its compiler makes another Kiln, with its libraries, QEMU,
# supermin and libguestfs. Nothing of this host is in there but the kernel.
set -eu
. tests/sh/lib.sh
require jq tar unshare chroot cmp

cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
raw=small.x86_64-1.0.0.raw
# shellcheck disable=SC2154 # lib.sh makes it
root=$tmp/root
cp -r tests/images/small "$tmp"
cp -r tests/hosts/debian13 "$tmp/host"

exits 0 '' "the packages are fetched" "$KILN" fetch "$tmp/small"
exits 0 '' "a build on this host" "$KILN" build "$tmp/small" -o "$tmp/here"
exits 0 '' "those of the other host" "$KILN" fetch "$tmp/host"
exits 0 '' "which Kiln puts together" "$KILN" build "$tmp/host" -o "$tmp/made"

key=$(jq -r '.stages[] | select(.name == "tree").key' "$tmp/made/host/run.json")
rm -rf "$tmp/made"
mkdir "$root"
ok "its tree is unpacked" tar -x --no-same-owner -C "$root" -f "$cache/stages/tree/$key/root.tar"
mkdir -p "$root/root/cache/store" "$root/root/kiln"
tar -c --exclude-vcs --exclude='./build*' --exclude=./out . | tar -x -C "$root/root/kiln"
mv "$tmp/small" "$root/root"

cat > "$root/root/inside" <<'END'
set -eu
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/tmp LANG=C.UTF-8 KILN_CACHE=/root/cache KILN_SOURCE=/root/kiln
cd /root
cat /etc/os-release
gcc --version
make -s -C kiln B=/root/build -j "$(nproc)" all
exec build/kiln build small -o there
END
cat > "$tmp/enter" <<'END'
set -eu
mount --rbind /dev "$1/dev"
mount --rbind /proc "$1/proc"
mount --bind "$2" "$1/root/cache/store"
exec chroot "$1" /usr/bin/env -i /bin/sh /root/inside
END
exits 0 '' "a build on that one" unshare --user --map-root-user --mount --net \
	sh "$tmp/enter" "$root" "$(realpath "$cache/store")"
like "$(cat "$tmp/out")" 'PRETTY_NAME="Debian GNU/Linux 13' "it is another Debian"
is "$(grep -c ': reused' "$tmp/err")" 0 "nothing was there to be reused"
ok "the disks are the same" cmp "$tmp/here/small/$raw" "$root/root/there/small/$raw"
ok "the manifests are the same" cmp "$tmp/here/small/manifest.json" "$root/root/there/small/manifest.json"
finish
