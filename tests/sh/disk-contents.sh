#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The built disk as programs that know nothing of Kiln see it: partition table, ESP, UKI, verity, EROFS.
set -eu
. tests/sh/lib.sh
require perl sgdisk fsck.fat mcopy objdump objcopy veritysetup jq zstd cpio dpkg-deb
PATH=$PATH:/usr/sbin:/sbin

disk=$KILN_TEST_DISK
directory=${disk%/*}
manifest=$directory/manifest.json
field() { jq -r "$1" "$manifest"; }

# ---- results
is "$(find "$directory" -mindepth 1 ! -name boot-proof.json ! -name boot.log -printf '%f\n' | LC_ALL=C sort | tr '\n' ' ')" \
	"build.log manifest.json mpc.x86_64-1.0.0.packages mpc.x86_64-1.0.0.raw pcr_measurements.json run.json " \
	"the results have their names and nothing else lies there"
size=$(stat -c %s "$disk")
is "$((size % (1 << 30)))" 0 "the disk is whole GiB long"
ok "the disk is sparse" test "$(($(stat -c %b "$disk") * 512))" -lt $((size / 2))
# The data digest by its definition: size, then number and SHA-256 of each block of 512 KiB that is not all zeros.
# shellcheck disable=SC2016 # perl's variables
data_digest() {
	perl -MDigest::SHA=sha256 -e '
		open my $disk, "<:raw", $ARGV[0] or die; my $d = Digest::SHA->new(256); $d->add(pack "Q<", -s $disk);
		for (my $i = 0; read $disk, my $block, 524288; $i++) { $d->add(pack("Q<", $i), sha256($block)) if $block =~ /[^\0]/ }
		print $d->hexdigest' "$1"
}
is "$(data_digest "$disk")" "$(field .disk.data_sha256)" "the manifest names the disk's data digest"

# ---- partition table
sgdisk -v "$disk" > "$tmp/sgdisk" 2>&1 || :
like "$(cat "$tmp/sgdisk")" 'No problems found' "sgdisk finds nothing wrong"
roothash=$(field .root_hash)
uuid() { echo "$1" | sed 's/\(.\{8\}\)\(.\{4\}\)\(.\{4\}\)\(.\{4\}\)\(.\{12\}\)/\1-\2-\3-\4-\5/' | tr a-f A-F; }
part() { sgdisk -i "$1" "$disk" | sed -n "s/^$2: *//p"; }
like "$(part 1 'Partition GUID code')" '^C12A7328-F81F-11D2-BA4B-00A0C93EC93B' "partition 1 is the ESP"
like "$(part 2 'Partition GUID code')" '^4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709' "partition 2 is the x86-64 root"
like "$(part 3 'Partition GUID code')" '^2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5' "partition 3 is its verity tree"
is "$(part 2 'Partition unique GUID')" "$(uuid "$(echo "$roothash" | cut -c1-32)")" "root's PARTUUID is the root hash's first half"
is "$(part 3 'Partition unique GUID')" "$(uuid "$(echo "$roothash" | cut -c33-64)")" "verity's is the second half"

take() { # partition number, file
	first=$(part "$1" 'First sector' | cut -d' ' -f1)
	last=$(part "$1" 'Last sector' | cut -d' ' -f1)
	dd if="$disk" of="$2" bs=1M iflag=skip_bytes,count_bytes skip=$((first * 512)) \
		count=$(((last - first + 1) * 512)) conv=sparse status=none
}
take 1 "$tmp/esp"
take 2 "$tmp/root"
take 3 "$tmp/verity"

# ---- ESP and UKI
ok "fsck.fat finds nothing wrong" fsck.fat -n "$tmp/esp"
is "$(mdir -/ -b -i "$tmp/esp" :: | tr '\n' ' ')" "::/EFI/ ::/EFI/BOOT/ ::/EFI/BOOT/BOOTX64.EFI " "the ESP holds one file"
mcopy -i "$tmp/esp" ::/EFI/BOOT/BOOTX64.EFI "$tmp/uki"
is "$(($(stat -c %s "$tmp/uki") % 8))" 0 "the UKI is a multiple of 8 bytes long"
objdump -h "$tmp/uki" > "$tmp/sections"
for section in .linux .osrel .cmdline .initrd .uname .sbat .sdmagic; do
	like "$(cat "$tmp/sections")" " \\$section " "objdump sees $section"
done
section() { objcopy -O binary --only-section="$1" "$tmp/uki" "$2"; }
section .cmdline "$tmp/cmdline"
like "$(tr -d '\0' < "$tmp/cmdline")" "(^| )roothash=$roothash( |\$)" "the command line binds the root hash"
section .osrel "$tmp/osrel"
like "$(tr -d '\0' < "$tmp/osrel")" '^VERSION_CODENAME=trixie$' ".osrel is the image's own"
section .initrd "$tmp/initrd"
ok "the initrd is below 2 MB" test "$(stat -c %s "$tmp/initrd")" -lt 2000000
zstd -dqc "$tmp/initrd" 2>/dev/null | cpio -it --quiet > "$tmp/initrd.list" 2>/dev/null || :
like "$(cat "$tmp/initrd.list")" '^init$' "GNU cpio lists /init"
like "$(cat "$tmp/initrd.list")" 'dm-verity\.ko$' "and the dm-verity module"
not_ok "and no shell" grep -E '(^|/)(sh|bash|busybox|dash)$' "$tmp/initrd.list"

# ---- verity and EROFS
ok "veritysetup verifies the tree" veritysetup verify "$tmp/root" "$tmp/verity" "$roothash"
printf '\377' | dd of="$tmp/root" bs=1 seek=5000000 conv=notrunc status=none
not_ok "and refuses one changed byte" veritysetup verify "$tmp/root" "$tmp/verity" "$roothash"
take 2 "$tmp/root"

# The fsck.erofs of the locked builder set reads its zstd; older hosts' own does not.
cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
jq -r '.sets.builder.packages[] | select(.name | test("^(libc6|erofs-utils|libzstd1|liblz4-1|liblzma5|zlib1g|libuuid1|libselinux1|libpcre2-8-0|libdeflate0)$")) | .sha256' \
	rootfs/images/mpc/kiln.lock | while read -r sha; do
	dpkg-deb -x "$cache/store/$(echo "$sha" | cut -c1-2)/$sha" "$tmp/tools"
done
# shellcheck disable=SC2317 # called by ok
erofs() {
	"$tmp/tools/usr/lib64/ld-linux-x86-64.so.2" --library-path "$tmp/tools/usr/lib/x86_64-linux-gnu" \
		"$tmp/tools/usr/bin/$1" "$2" "$3" 2>&1
}
mkdir "$tmp/tree"
ok "fsck.erofs finds nothing wrong and unpacks the tree" erofs fsck.erofs --extract="$tmp/tree/root" "$tmp/root"
tree=$tmp/tree/root

# ---- what is in the tree, and what is not
is "$(awk -F: '$7 != "/usr/sbin/nologin"' "$tree/etc/passwd")" "" "nobody has a login shell"
is "$(awk -F: '$2 !~ /^[!*]/' "$tree/etc/shadow")" "" "every password is locked"
for program in usr/sbin/sshd usr/bin/apt-get usr/bin/cloud-init usr/bin/ssm-agent; do
	not_ok "no $program" test -e "$tree/$program"
done
ok "the service is there" test -x "$tree/usr/lib/mpc/gateway"
ok "it is enabled" test -L "$tree/etc/systemd/system/multi-user.target.wants/mpc-gateway.service"
is "$(find "$tree/var/cache/apt" "$tree/var/lib/apt/lists" -type f 2>/dev/null | head -3)" "" "no package manager caches"
ok "machine-id is left to each boot" sh -c "[ ! -s '$tree/etc/machine-id' ] || grep -qx uninitialized '$tree/etc/machine-id'"
is "$(find "$tree" -newermt "@$(($(field .epoch) + 1))" | head -3)" "" "no file is younger than the lock"
is "$(find "$tree/boot" -type f 2>/dev/null | head -3)" "" "the kernel lies in the UKI only"

# ---- the list of packages and the measurements
deleted='tiny-initramfs|tiny-initramfs-core|cpio|xz-utils'	# by the description
is "$(cut -d'|' -f1 "$directory"/*.packages | sort)" \
	"$(jq -r '.sets.image.packages[].name' rootfs/images/mpc/kiln.lock | grep -Evx "$deleted" | sort)" \
	"the list of packages is the lock's image set less what the description deletes"
"$KILN" measure "$disk" --json > "$tmp/measured.json"
ok "measuring the disk gives pcr_measurements.json byte for byte" cmp "$tmp/measured.json" "$directory/pcr_measurements.json"
"$KILN" measure "$tmp/uki" --json > "$tmp/uki.json"
ok "measuring the UKI alone gives the same" cmp "$tmp/uki.json" "$directory/pcr_measurements.json"
finish
