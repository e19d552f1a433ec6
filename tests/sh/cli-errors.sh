#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bad use and bad input: the right exit code, one clear sentence, and nothing half-written.
set -eu
. tests/sh/lib.sh
require jq
# shellcheck disable=SC2154 # lib.sh makes it
cd "$tmp"

# ---- use
exits 2 'a verb is missing' "no verb" "$KILN"
exits 2 'unknown verb "bake"' "an unknown verb" "$KILN" bake
exits 2 'unknown option "--hot"' "an unknown option" "$KILN" build --hot .
exits 2 'the disk is missing' "a missing argument" "$KILN" test
exits 2 'one argument too many' "one argument too many" "$KILN" build . .
exits 2 '--port takes a number from 1 to 65535' "a port that is none" "$KILN" test x --port 70000
for verb in doctor fetch build measure inspect test run store; do
	exits 0 '' "$verb --help" "$KILN" "$verb" --help
	like "$(cat out)" "^usage: kiln $verb" "says how $verb is used"
done
exits 0 '' "help" "$KILN" help
# shellcheck disable=SC2016 # for the inner shell
exits 3 'standard output' "results that cannot be written" sh -c '"$0" help > /dev/full' "$KILN"

# ---- descriptions
mkdir none
exits 2 'none' "a directory without a description" "$KILN" build none
describe() { # file name's directory, what to insert in the type element, what to insert in the image element
	mkdir -p "$1"
	cat > "$1/appliance.kiwi" <<XML
<image schemaversion="7.5" name="small">
    <description type="system"><author>a</author><contact>c</contact><specification>s</specification></description>
    <preferences>
        <version>1.0.0</version>
        <packagemanager>apt</packagemanager>
        <type image="oem" filesystem="xfs" firmware="uefi" overlayroot="true" overlayroot_write_partition="false"
              overlayroot_readonly_filesystem="erofs" verity_blocks="all" bootpartition="false" $2>
            <bootloader name="systemd_boot" timeout="0"/>
            <initrd action="setup"><dracut uefi="true"/></initrd>
        </type>
    </preferences>
    <repository type="apt-deb" distribution="trixie"><source path="distro:debian"/></repository>
    <packages type="image"><package name="systemd"/></packages>
    $3
</image>
XML
}
describe good '' ''
exits 2 'kiln\.lock is missing: run "kiln fetch' "a build without a lock" "$KILN" build good
describe attribute 'swap="4"' ''
exits 2 'appliance\.kiwi:[0-9]+:.*swap' "an unknown attribute, by file, line and name" "$KILN" build attribute
describe element '' '<drivers/>'
exits 2 'appliance\.kiwi:[0-9]+:.*drivers' "an unknown element, by file, line and name" "$KILN" build element
describe archive '' '<packages type="image"><archive name="gone.tar.gz"/></packages>'
exits 2 'appliance\.kiwi:[0-9]+:.*gone\.tar\.gz' "an archive that is named and not there" "$KILN" build archive
describe torn '' ''
head -c 300 good/appliance.kiwi > torn/appliance.kiwi
exits 2 'torn/appliance\.kiwi:[0-9]+' "XML that ends early, by file and line" "$KILN" build torn
like "$(wc -l < err)" '^ *1$' "is one sentence"
is "$(find . -name out -type d)" "" "and nothing was written"

# ---- disks and PE files
dd if="$KILN_TEST_DISK" of=head bs=1M count=2 status=none
exits 2 'head' "inspect of a disk cut off in its ESP" "$KILN" inspect head
exits 2 'head' "measure of it" "$KILN" measure head
: > empty
exits 2 'empty' "measure of an empty file" "$KILN" measure empty
exits 2 'gone' "measure of no file" "$KILN" measure gone
mcopy -i "$KILN_TEST_DISK@@1M" ::/EFI/BOOT/BOOTX64.EFI uki.efi
exits 0 '' "measure of the UKI itself" "$KILN" measure uki.efi
for size in 63 300 5000 1000000; do
	head -c "$size" uki.efi > cut.efi
	exits 2 'cut\.efi' "measure of its first $size bytes" "$KILN" measure cut.efi
done
exits 2 'PK: signature list at offset 0' "a key file that is no signature list" "$KILN" measure uki.efi --PK cut.efi

# ---- the boot proof
cp "${KILN_TEST_DISK%/*}/manifest.json" manifest.json
exits 2 'is not the disk that the manifest describes' "test of another disk" "$KILN" test head --manifest manifest.json
echo '{' > broken.json
exits 2 'broken\.json' "a manifest that is no JSON" "$KILN" test head --manifest broken.json
ln -s "$KILN_TEST_DISK" disk.raw
jq '.arch = "aarch64"' manifest.json > aarch64.json
exits 2 'disk\.raw is for aarch64, and the machine that Kiln boots is x86_64' "test of a disk for another machine" \
	"$KILN" test disk.raw --manifest aarch64.json
exits 3 'firmware|ovmf' "no firmware in the store" env KILN_CACHE="$tmp/cache" "$KILN" test disk.raw
mkdir bin
for program in qemu-system-x86_64 qemu-img; do
	ln -s "$(command -v "$program")" bin/
done
exits 3 'swtpm' "no swtpm" env PATH="$tmp/bin" "$KILN" test disk.raw
exits 1 '' "doctor says so too" env PATH="$tmp/bin" "$KILN" doctor --quick
like "$(grep -A 1 '^fail *swtpm ' out)" '^ *-> .*swtpm' "with what mends it"
finish
