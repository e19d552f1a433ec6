#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `kiln compare` on a whole image: what was changed on purpose is what it names.
set -eu
. tests/sh/lib.sh
require jq mcopy sgdisk objdump
PATH=$PATH:/usr/sbin:/sbin

# shellcheck disable=SC2154 # lib.sh makes it
results=$tmp/results
name=$(basename "$KILN_TEST_DISK")
original=$(dirname "$KILN_TEST_DISK")
disk=$results/$name

fresh() {
	rm -rf "$results"
	cp -r --sparse=always "$original" "$results"
}
partition() { # label, field
	jq -r --arg which "$1" ".partitions[] | select(.label == \$which).$2" "$results/manifest.json"
}
change() { # byte
	printf '\252\125' | dd of="$disk" bs=1 seek="$1" conv=notrunc status=none
}

exits 0 '' "compare --help" "$KILN" compare --help
exits 2 'image to compare with is missing' "only one image" "$KILN" compare "$KILN_TEST_DISK"
exits 2 'there is no such file' "an image that is not there" "$KILN" compare "$KILN_TEST_DISK" "$tmp/none"

# ---- the same
fresh
exits 0 '' "an image and its copy" "$KILN" compare "$original" "$results"
is "$(cat "$tmp/out")" "the same, byte for byte" "are the same"
exits 0 '' "for machines" "$KILN" compare --json "$KILN_TEST_DISK" "$disk"
is "$(jq -c . "$tmp/out")" '{"identical":true,"findings":[]}' "too"

# ---- one change each
change $(($(partition root-x86-64 offset) + 1000000))
exits 1 'differ: root file system: ' "a byte of the root file system" "$KILN" compare "$original" "$results"
like "$(cat "$tmp/out")" '^root file system .*block 244' "is found there"
is "$(wc -l < "$tmp/out")" 1 "and nowhere else"

fresh
change $(($(partition root-x86-64-verity offset) + 88))
exits 1 'differ: verity tree: the salt' "the salt" "$KILN" compare "$KILN_TEST_DISK" "$disk"

fresh
esp=$disk@@$(partition esp offset)
mcopy -i "$esp" ::/EFI/BOOT/BOOTX64.EFI "$tmp/uki"
offset=$(objdump -h "$tmp/uki" | awk '$2 == ".cmdline" { print $6 }')
printf 'CONSOLE' | dd of="$tmp/uki" bs=1 seek=$((0x$offset)) conv=notrunc status=none
mcopy -o -i "$esp" "$tmp/uki" ::/EFI/BOOT/BOOTX64.EFI
exits 1 'boot file: .EFI.BOOT.BOOTX64.EFI: section .cmdline: "console=' "a word of the command line" \
	"$KILN" compare --json "$original" "$results"
is "$(jq -r '[.findings[] | select(.follows | not).part] | join(" ")' "$tmp/out")" "boot file" "is the only cause"

fresh
printf x > "$tmp/more"
mcopy -i "$disk@@$(partition esp offset)" "$tmp/more" ::/EFI/more
exits 1 'ESP: .*EFI.more' "a file more in the ESP" "$KILN" compare "$original" "$results"

fresh
sgdisk -c 3:other "$disk" > "$tmp/sgdisk.out"
exits 1 'partition table: partition 3 ..root-x86-64-verity..: the name' "a partition's name" \
	"$KILN" compare "$original" "$results"

fresh
sed 's/"service_port": 3000/"service_port": 3001/' "$original/manifest.json" > "$results/manifest.json"
exits 1 'inputs: service_port is 3000 and 3001' "a value in the manifest" "$KILN" compare "$original" "$results"
rm -rf "$results"

# ---- large disks: time goes with the data, memory with nothing
truncate -s 200G "$tmp/large"
cp --sparse=always "$tmp/large" "$tmp/other"
printf x | dd of="$tmp/other" bs=1 seek=150000000000 conv=notrunc status=none
# shellcheck disable=SC2016 # for the inner shell
exits 1 'byte 150000000000' "a byte in 200 GiB of nothing" \
	timeout 60 sh -c 'ulimit -v 300000; exec "$@"' sh "$KILN" compare "$tmp/large" "$tmp/other"
finish
