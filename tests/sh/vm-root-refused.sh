#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# /init from the built image, with its kernel and disk: a root that is not the one the root hash names is a
# kernel panic, never a running machine and never a shell. No firmware and no TPM here, so it is quick.
set -eu
. tests/sh/lib.sh
require sgdisk mcopy objcopy qemu-system-x86_64 qemu-img qemu-io
PATH=$PATH:/usr/sbin:/sbin

disk=$KILN_TEST_DISK
start() { echo $(($(sgdisk -i "$1" "$disk" | sed -n 's/^First sector: *\([0-9]*\) .*/\1/p') * 512)); }
section() { objcopy -O binary --only-section="$1" "$tmp/uki" "$tmp/$1"; }
mcopy -i "$disk@@$(start 1)" ::/EFI/BOOT/BOOTX64.EFI "$tmp/uki"
for name in .linux .initrd .cmdline; do section "$name"; done
roothash=$(tr -d '\0' < "$tmp/.cmdline" | sed -n 's/.*roothash=\([0-9a-f]*\).*/\1/p')

# A copy of the disk that only holds what the test changes.
fresh() { qemu-img create -q -f qcow2 -F raw -b "$(realpath "$disk")" "$tmp/disk"; }

# The console's output; the machine ends by itself, by a panic or by powering off.
boot() { # kernel command line
	timeout 300 qemu-system-x86_64 -machine q35 -cpu max -accel tcg,thread=single -m 1024 -nodefaults \
		-display none -no-reboot -serial "file:$tmp/console" \
		-kernel "$tmp/.linux" -initrd "$tmp/.initrd" -append "console=ttyS0 panic=-1 $1" \
		-drive "file=$tmp/disk,format=qcow2,if=none,id=disk" -device nvme,serial=1,drive=disk \
		> "$tmp/qemu" 2>&1 || note "$tmp/qemu"
	tr -d '\r' < "$tmp/console"
}

fresh
console=$(boot "roothash=$roothash init=/bin/sh systemd.unit=poweroff.target")
like "$console" 'kiln-init: root is nvme0n1p2, verified by nvme0n1p3' "the disk as built has a root"
like "$console" 'reboot: Power down' "its own init runs, not the one that init= asks for"

fresh
qemu-io -f qcow2 -c "write -q -P 0x5a $(($(start 2) + 1024)) 512" "$tmp/disk" > "$tmp/out"
like "$(boot "roothash=$roothash")" 'Kernel panic - not syncing: dm-verity device corrupted' \
	"a changed block of the root is a panic"

fresh
qemu-io -f qcow2 -c "write -q -P 0x5a $(($(start 3) + 4096)) 512" "$tmp/disk" > "$tmp/out"
like "$(boot "roothash=$roothash")" 'Kernel panic - not syncing: dm-verity device corrupted' \
	"a changed block of the hash tree is a panic"

fresh
console=$(boot "roothash=$(echo "$roothash" | tr 0-9a-f 1-9a-f0)")
like "$console" 'kiln-init: no disk with the partitions .* within 30 seconds' "another root hash finds no root"
like "$console" 'Kernel panic - not syncing: Attempted to kill init' "and that is a panic"

fresh
console=$(boot "systemd.unit=rescue.target")
like "$console" 'kiln-init: the kernel command line has no roothash=' "no root hash, no root"
like "$console" 'Kernel panic - not syncing: Attempted to kill init' "and that is a panic too"
finish
