#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The target's own systemd-stub, out of the locked package: its Authenticode digest is the one real boots have
# shown, and a UKI made with it reads the same to binutils as to the writer. KILN_TEST_STUB names another stub.
set -eu
. tests/sh/lib.sh
require objdump objcopy jq dpkg-deb sha256sum
units=${B:-build}/tests/unit

stub=${KILN_TEST_STUB:-}
if [ -z "$stub" ]; then
	cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
	jq -r '.sets.boot.packages[].sha256' rootfs/images/mpc/kiln.lock | while read -r sha; do
		dpkg-deb -x "$cache/store/$(echo "$sha" | cut -c1-2)/$sha" "$tmp/boot"
	done
	stub=$tmp/boot/usr/lib/systemd/boot/efi/linuxx64.efi.stub
fi
export KILN_TEST_STUB="$stub" KILN_TEST_UKI_OUT="$tmp/uki.efi"
ok "there is a stub: $stub" test -s "$stub"

# ---- digests
ok "the PE tests pass with it" "$units/test_pe"
case $(sha256sum < "$stub") in
c62ae56ffaf49d1a61de4434f4f531dd1d4ed3b5aee46c934c56e3f809b22cc4*) known=252.39-1~deb12u2 ;;
9c623743834bb904a3cb941092cffc958c31230263ce896d332a75e9ec48aa85*) known=257.13-1~deb13u1 ;;
*) known= ;;
esac
"$units/test_pe" > "$tmp/pe.out" || :
[ -z "$known" ] || like "$(cat "$tmp/pe.out")" "^ok .* PCR 4 of systemd-boot-efi $known linuxx64.efi.stub booted alone" \
	"stub $known: the digest is the known one"

# ---- a UKI
ok "the UKI tests pass with it" "$units/test_uki"
objdump -h "$stub" > "$tmp/stub.sections"
objdump -h "$tmp/uki.efi" > "$tmp/uki.sections"
rows() { awk '$1 ~ /^[0-9]+$/ { print $2, $3, $4, $6 }' "$1"; }	# name, size, address, file offset
own=$(rows "$tmp/stub.sections" | wc -l)
is "$(rows "$tmp/uki.sections" | head -n "$own")" "$(rows "$tmp/stub.sections")" "the stub's sections stay where they were"
is "$(rows "$tmp/uki.sections" | tail -n "+$((own + 1))" | cut -d' ' -f1 | tr '\n' ' ')" \
	".linux .osrel .cmdline .initrd .uname .pcrpkey " "the parts follow in the stub's measuring order"

contents() { # section, expected text
	objcopy --dump-section "$1=$tmp/dump" "$tmp/uki.efi" "$tmp/copy.efi"
	printf '%b' "$2" > "$tmp/expected"
	ok "objcopy finds the contents of $1" cmp "$tmp/dump" "$tmp/expected"
	size=$(rows "$tmp/uki.sections" | awk -v name="$1" '$1 == name { print $2 }')
	is "$((0x$size))" "$(stat -c %s "$tmp/expected")" "objdump says the size of $1"
}
contents .osrel 'ID=test\nVERSION_ID=1\n'
contents .cmdline 'quiet roothash=00'
contents .uname '6.12-test'
contents .pcrpkey '-----BEGIN PUBLIC KEY-----\n'

# Addresses and offsets rise, keep the alignments, and no two sections share memory.
alignment() { objdump -p "$tmp/uki.efi" | awk -v field="$1" '$1 == field { print $2 }'; }
section=$((0x$(alignment SectionAlignment))) file=$((0x$(alignment FileAlignment)))
end=0 wrong=
rows "$tmp/uki.sections" | tail -n "+$own" > "$tmp/rows"
while read -r name size address offset; do
	address=$((0x$address)) offset=$((0x$offset))
	[ "$address" -ge "$end" ] || wrong="$wrong $name overlaps"
	[ "$end" -eq 0 ] || [ $((address % section)) -eq 0 ] || wrong="$wrong $name is not aligned in memory"
	[ $((offset % file)) -eq 0 ] || wrong="$wrong $name is not aligned in the file"
	end=$((address + 0x$size))
done < "$tmp/rows"
is "$wrong" "" "sections are aligned and do not overlap"
base=$((0x$(alignment ImageBase)))
is "$((0x$(alignment SizeOfImage)))" "$(((end - base + section - 1) / section * section))" "SizeOfImage reaches the end of the last one"
is "$((0x$(alignment CheckSum)))" 0 "the checksum is zero"
finish
