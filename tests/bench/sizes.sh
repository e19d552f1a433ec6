#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bytes that hold data on the disk, and bytes of the boot file, against another disk: PEER_DISK, a raw image with the
# same packages and service (tests/bench/mkosi.sh says how to make it). Without one, nothing is compared.
set -eu
. tests/bench/lib.sh
require mcopy jq sfdisk

# Where the file system says that there is data.
data_bytes() { # file
	echo $(($(stat -c %b "$1") * $(stat -c %B "$1")))
}

# A copy without the zeros that its builder may have written.
dug() { # disk, copy
	cp --sparse=always "$1" "$2"
	data_bytes "$2"
}

esp_offset() { # disk
	sfdisk --json "$1" | jq '[.partitiontable.partitions[] |
		select(.type == "C12A7328-F81F-11D2-BA4B-00A0C93EC93B")][0].start * 512'
}

# The largest .EFI file of the ESP: the UKI, whatever its name.
uki_bytes() { # disk
	mdir -i "$1@@$(esp_offset "$1")" -/ -b ::/ | grep -i '\.efi$' | while read -r name; do
		mtype -i "$1@@$(esp_offset "$1")" "$name" | wc -c
	done | sort -n | tail -n 1
}

disk=$(disk)
if [ -z "${PEER_DISK:-}" ]; then
	echo "sizes.sh: no PEER_DISK to compare with" >&2
	exit 0
fi
ours=$(dug "$disk" "$bench_tmp/ours") theirs=$(dug "$PEER_DISK" "$bench_tmp/theirs")
figure_of "disk bytes with data ($((ours / 1000000)) MB)" "mkosi's image ($((theirs / 1000000)) MB)" 0.6 "$ours" "$theirs"
ours=$(uki_bytes "$disk") theirs=$(uki_bytes "$PEER_DISK")
figure_of "UKI bytes ($((ours / 1000)) kB)" "mkosi's UKI ($((theirs / 1000)) kB)" 0.25 "$ours" "$theirs"
