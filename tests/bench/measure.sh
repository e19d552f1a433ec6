#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Predicting the PCRs of a 64 MB UKI: six PCRs in two banks, which takes the digests of the whole file without its
# checksum, of each section and of the kernel inside, each with SHA-384 and SHA-256. The peer reads the same
# bytes once with one algorithm. The UKI is the disk's own, with an initrd grown to that size.
# shellcheck disable=SC2016 # lib.sh evaluates the command lines
set -eu
. tests/bench/lib.sh
require mcopy sha384sum

disk=$(disk)
grow=$(program grow_uki)
mcopy -i "$disk@@1M" ::/EFI/BOOT/BOOTX64.EFI "$bench_tmp/small.efi" || die "no boot file on $disk"
"$grow" "$bench_tmp/small.efi" "$bench_tmp/uki.efi" 67108864

pairs 21 '"$KILN" measure "$bench_tmp/uki.efi"' 'sha384sum "$bench_tmp/uki.efi"'
figure "\`kiln measure\` of a 64 MB UKI" "\`sha384sum\` of the same bytes" 1.2
