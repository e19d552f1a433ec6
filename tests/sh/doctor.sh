#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `kiln doctor`: what a host may lack is found, one row each, with the command that mends it; and what is there
# is said with its version. vm-doctor.sh has the appliance.
set -eu
. tests/sh/lib.sh
require jq dpkg-deb unshare

# shellcheck disable=SC2154 # lib.sh makes it
bin=$tmp/bin
lock=rootfs/images/mpc/kiln.lock
store=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}/store
export KILN_CACHE="$tmp/cache" KILN_ACCEL=tcg
mkdir "$bin" "$KILN_CACHE"
ln -s "$store" "$KILN_CACHE/store"
programs='qemu-system-x86_64 qemu-img supermin setpriv depmod swtpm swtpm_setup apt-get curl wget sh sed cat'

# PATH with nothing but the programs above, and none of those given.
without() { # program...
	rm -f "$bin"/*
	for name in $programs; do
		case " $* " in
		*" $name "*) ;;
		*)
			path=$(PATH=$PATH:/usr/sbin:/sbin command -v "$name" || :)
			[ -z "$path" ] || ln -s "$path" "$bin/$name"
			;;
		esac
	done
}
# shellcheck disable=SC2317 # lib.sh calls it
doctor() { PATH="$bin" "$KILN" doctor --quick "$@"; }
row() { # subject: its rows and what mends them
	sed -n "/^[a-z]* *$1 /{p;n;/->/p;}" "$tmp/out"
}

# ---- a host with everything
without
exits 0 '' "everything is there" doctor
not_ok "no row says fail" grep '^fail' "$tmp/out"
for subject in QEMU qemu-img supermin setpriv depmod swtpm swtpm_setup download; do
	like "$(row "$subject")" "^ok +$subject .*[0-9].*/" "$subject, with version and path"
done
like "$(row sandbox)" '^ok +sandbox +Landlock' "the kernel can confine tools"
like "$(row acceleration)" '^warn +acceleration +tcg,thread=(multi|single): KILN_ACCEL' "what guests run on"
for subject in cache results temporary; do
	like "$(row "$subject")" "^ok +$subject .*room for [0-9]+ MiB, [0-9]+ needed" "room for $subject"
done
is "$(find "$KILN_CACHE" -mindepth 1 -newer "$bin" -type f)" '' "looking changes nothing"

# ---- programs
for program in qemu-system-x86_64 qemu-img supermin swtpm swtpm_setup; do
	without "$program"
	exits 1 'lacks 1 thing' "no $program" doctor
	like "$(cat "$tmp/out")" "^ +-> (sudo )?apt-get install (qemu-system-x86|qemu-utils|supermin|swtpm|swtpm-tools)$" \
		"the command that brings it"
done
without apt-get
exits 0 '' "no apt" doctor
like "$(row download)" '^ok +download +(curl|wget) ' "curl or wget downloads"
without apt-get curl wget
exits 1 'lacks 1 thing' "nothing to download with" doctor
like "$(row download)" '^fail.*kiln fetch' "says what does not work then"

# ---- programs that are there and broken, or old
without swtpm
printf '#!/bin/sh\necho "libtpms.so.0: cannot open shared object file" >&2\nexit 127\n' > "$bin/swtpm"
chmod 755 "$bin/swtpm"
exits 1 'lacks 1 thing' "a program that does not start" doctor
like "$(row swtpm)" '^fail.*libtpms\.so\.0' "with its own words"
qemu() { # version
	without qemu-system-x86_64
	printf '#!/bin/sh\necho "QEMU emulator version %s"\n' "$1" > "$bin/qemu-system-x86_64"
	chmod 755 "$bin/qemu-system-x86_64"
}
qemu 7.2.9
exits 0 '' "an old QEMU is no failure" doctor
like "$(row QEMU)" '^warn +QEMU +7\.2.*one thread.*' "but a warning"
like "$(row QEMU)" '-> .*bookworm-backports' "with where a newer one is"
like "$(row acceleration)" 'tcg,thread=single' "and its guests get one thread"
qemu nonsense
exits 1 'lacks 1 thing' "a QEMU that is none" doctor

# ---- no KVM
qemu 10.0.2
exits 0 '' "no KVM is no failure" env -u KILN_ACCEL PATH="$bin" "$KILN" doctor --quick
if [ ! -e /dev/kvm ]; then
	like "$(row acceleration)" '^warn.*no /dev/kvm' "but a warning"
else
	like "$(row acceleration)" '^(ok|warn).*/dev/kvm' "there is a verdict"
fi

# ---- places
without
exits 1 'lacks' "a cache that cannot be made" env KILN_CACHE=/proc/none PATH="$bin" "$KILN" doctor --quick
like "$(row cache)" '-> set KILN_CACHE' "has a way out"
# shellcheck disable=SC2016 # for the inner shell
exits 1 'lacks 3 things' "places without room" unshare --user --map-root-user --mount sh -c \
	'mkdir "$1" && mount -t tmpfs -o size=1M tmpfs "$1" && PATH=$3 KILN_CACHE="$1/c" TMPDIR="$1" exec "$2" doctor --quick -o "$1/out/deep"' \
	sh "$tmp/full" "$KILN" "$bin"
for subject in cache results temporary; do
	like "$(row "$subject")" "^fail +$subject .*$tmp/full.* has room for [01] MiB" "$subject"
done

# ---- firmware
exits 0 '' "the lock's firmware" doctor rootfs/images/mpc
like "$(row OVMF)" '^ok.*with a Secure Boot driver.*OVMF_CODE_4M\.secboot\.fd' "has a Secure Boot driver"
sha=$(jq -r '.sets.firmware.packages[0].sha256' "$lock")
dpkg-deb -x "$store/$(echo "$sha" | cut -c1-2)/$sha" "$tmp/ovmf"
code=$KILN_CACHE/firmware/$sha/usr/share/OVMF/OVMF_CODE_4M.secboot.fd
cp "$tmp/ovmf/usr/share/OVMF/OVMF_CODE_4M.fd" "$code"
exits 1 'lacks 1 thing' "a build without, by any name" doctor
like "$(row OVMF)" '^fail.*no Secure Boot driver.*PCR 7' "is found out by what is in it"
echo nothing > "$code"
exits 1 'lacks 1 thing' "a file that is no firmware" doctor
like "$(row OVMF)" '^fail.*not a build of OVMF' "is named"

# ---- use
exits 2 'kiln\.lock is missing: run "kiln fetch' "a directory without a lock" doctor "$tmp"
exits 2 'one argument too many' "two directories" doctor rootfs/images/mpc rootfs/images/mpc
finish
