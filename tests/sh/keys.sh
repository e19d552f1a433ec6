#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kiln keys and kiln sign: other tools agree with what they make, keys on disk, behind PKCS#11 and elsewhere give the same
# bytes, and bad input gets one clear sentence and leaves nothing behind.
set -eu
. tests/sh/lib.sh
require openssl sbverify sbsign cert-to-efi-sig-list sign-efi-sig-list softhsm2-util pkcs11-tool jq mcopy base64 perl
# shellcheck disable=SC2154 # lib.sh makes it
cd "$tmp"
unset SOURCE_DATE_EPOCH KILN_PIN_FILE

mcopy -i "$KILN_TEST_DISK@@1M" ::/EFI/BOOT/BOOTX64.EFI uki.efi

# ---- keyrings
for verb in keys sign; do
	exits 0 '' "$verb --help" "$KILN" "$verb" --help
	like "$(cat out)" "^usage: kiln $verb" "says how $verb is used"
done
exits 2 'the verb is missing' "kiln keys alone" "$KILN" keys
exits 2 'unknown verb "burn"' "a verb that there is not" "$KILN" keys burn
exits 2 'rsa2048 or p256' "a type of key that there is not" "$KILN" keys new k --type dsa
exits 0 '' "a keyring" "$KILN" keys new k
is "$(stat -c %a k k/PK.key k/KEK.key k/db.key | tr '\n' ' ')" "700 600 600 600 " "is its owner's alone"
sums=$(sha256sum k/*)
exits 2 'never overwritten|is there already' "a second one in the same place" "$KILN" keys new k
is "$(sha256sum k/*)" "$sums" "changes nothing"
is "$(echo kiln-scratch-*)" "kiln-scratch-*" "and leaves nothing beside it"
for role in PK KEK db; do
	ok "openssl takes $role.crt for a certificate that is valid today" openssl x509 -in k/$role.crt -noout -checkend 0
	is "$(openssl x509 -in k/$role.crt -noout -pubkey)" "$(openssl pkey -in k/$role.key -pubout)" "with $role.key's public half"
done
like "$(openssl x509 -in k/db.crt -noout -text)" 'Code Signing' "db's certificate is for code"
exits 0 '' "what is in it" "$KILN" keys show k
like "$(cat out)" "^db +$(openssl x509 -in k/db.crt -outform DER | sha256sum | cut -d' ' -f1)" "is shown by digests"

# ---- signatures
exits 0 '' "a UKI is signed" "$KILN" sign uki.efi --keys k -o direct.efi
ok "sbverify agrees" sbverify --cert k/db.crt direct.efi
not_ok "and not for another certificate" sbverify --cert k/KEK.crt direct.efi
exits 0 '' "and again" "$KILN" sign uki.efi --keys k -o again.efi
ok "with the same bytes" cmp direct.efi again.efi
sbsign --key k/db.key --cert k/db.crt --output sbsign.efi uki.efi > /dev/null 2>&1
exits 0 '' "Kiln reads sbsign's signature" "$KILN" measure sbsign.efi --json
is "$(jq -r .Measurements.PCR4 out)" "$("$KILN" measure direct.efi --json | jq -r .Measurements.PCR4)" "of the same PCR 4"
is "$("$KILN" measure direct.efi --json | jq -r .Measurements.PCR4)" "$("$KILN" measure uki.efi --json | jq -r .Measurements.PCR4)" \
	"which is that of the unsigned UKI"
exits 2 'say with -o' "no place for the signed UKI" "$KILN" sign uki.efi --keys k
exits 2 '--keys is missing' "no keyring" "$KILN" sign uki.efi -o x.efi

# ---- a key that is elsewhere
exits 0 '' "an export" "$KILN" keys export k public
is "$(find public -name '*.key')" "" "holds no private key"
exits 2 'the private key of db is elsewhere' "its keyring does not sign" "$KILN" sign uki.efi --keys public/public -o x.efi
exits 0 '' "but prepares" "$KILN" sign uki.efi --keys public/public --unsigned -o prepared.efi
openssl dgst -sha256 -sign k/db.key -out signature prepared.efi.to-be-signed
exits 0 '' "and takes a signature" "$KILN" sign prepared.efi --keys public/public --attach signature -o attached.efi
ok "with the bytes of the direct way" cmp direct.efi attached.efi
echo other > other
openssl dgst -sha256 -sign k/db.key -out wrong other
exits 2 'is not this file.s signature' "the signature of another file" \
	"$KILN" sign prepared.efi --keys public/public --attach wrong -o x.efi
exits 2 'gone: there is no such file' "a signature that is not there" "$KILN" sign prepared.efi --keys public/public --attach gone -o x.efi
exits 2 'was not prepared' "a UKI that was not prepared" "$KILN" sign uki.efi --keys public/public --attach signature -o x.efi
ok "none of them wrote anything" test ! -e x.efi

# ---- what is exported
owner=$(sed -n 's/^owner.//p' k/keyring)
for role in PK KEK db; do
	cert-to-efi-sig-list -g "$owner" k/$role.crt $role.esl
	ok "$role.esl is efitools' list" cmp $role.esl public/$role.esl
done
exits 0 '' "an export with a time" "$KILN" keys export k dated --epoch 1700000000
exits 0 '' "and with the same in the environment" env SOURCE_DATE_EPOCH=1700000000 "$KILN" keys export k again
ok "are the same" diff -r dated again
for row in PK:PK KEK:PK db:KEK; do
	role=${row%:*} signer=${row#*:}
	case $role in db) guid=d719b2cb-3d3a-4596-a3bc-dad00e67656f ;; *) guid=8be4df61-93ca-11d2-aa0d-00e098032b8c ;; esac
	TZ=UTC sign-efi-sig-list -t '2023-11-14 22:13:20' -g "$guid" \
		-k "k/$signer.key" -c "k/$signer.crt" "$role" "$role.esl" "$role.auth" > /dev/null
	ok "$role.auth is efitools' update" cmp "$role.auth" "dated/$role.auth"
done
exits 2 'is there already' "an export onto an export" "$KILN" keys export k public
exits 0 '' "the variable store for EC2" "$KILN" keys show public/uefi-data.aws
like "$(cat out)" '^db d719b2cb-3d3a-4596-a3bc-dad00e67656f, attributes 0x27' "has db"
base64 -d public/uefi-data.aws | tail -c +17 | perl -MCompress::Zlib -0777 -ne 'print uncompress($_)' > variables
ok "zlib of another program reads it" grep -aq 'Kiln KEK' variables
tr A B < public/uefi-data.aws > broken.aws
exits 2 'broken.aws: UefiData: ' "a damaged one" "$KILN" keys show broken.aws

# ---- PCR 7
exits 0 '' "the lists, to kiln measure" "$KILN" measure direct.efi --PK public/PK.esl --KEK public/KEK.esl --db public/db.esl
like "$(cat out)" 'authority from db' "give an authority"
cat public/KEK.esl public/db.esl > two.esl
exits 0 '' "two lists in one db" "$KILN" measure direct.efi --PK public/PK.esl --db two.esl
exits 2 'leads to no certificate in db' "a db without the signer" "$KILN" measure direct.efi --PK public/PK.esl --db public/KEK.esl
exits 2 'in dbx' "a dbx with it" "$KILN" measure direct.efi --PK public/PK.esl --db public/db.esl --dbx public/db.esl
head -c 100 public/db.esl > cut.esl
exits 2 'db: signature list at offset 0 says it has' "a list cut short" "$KILN" measure direct.efi --PK public/PK.esl --db cut.esl
exits 2 'not signed' "an unsigned UKI" "$KILN" measure uki.efi --PK public/PK.esl --db public/db.esl
# A CA in db that is not embedded in the signature: firmware measures the CA.
openssl req -x509 -newkey rsa:2048 -noenc -keyout ca.key -out ca.crt -days 30 -subj '/CN=CA' 2> /dev/null
openssl req -newkey rsa:2048 -noenc -keyout leaf.key -out leaf.csr -subj '/CN=leaf' 2> /dev/null
openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -set_serial 7 -days 30 -out leaf.crt 2> /dev/null
sbsign --key leaf.key --cert leaf.crt --output leaf.efi uki.efi > /dev/null 2>&1
cert-to-efi-sig-list -g "$owner" ca.crt ca.esl
exits 0 '' "a UKI signed by what a CA in db has issued" "$KILN" measure leaf.efi --PK public/PK.esl --db ca.esl
# UEFI_VARIABLE_DATA, put together here: GUID of db, both lengths, the name, the list's only entry.
perl -e '
	my $entry = substr(do { local $/; <STDIN> }, 28);
	print pack("H*", "cbb219d73a3d9645a3bcdad00e67656f"), pack("Q<Q<", 2, length $entry), "d\0b\0", $entry;
' < ca.esl > event
like "$(grep -A 1 'authority from db' out | tail -n 1)" "$(sha384sum event | cut -d' ' -f1)" "the CA's entry is what PCR 7 gets"

# ---- a description's keyring
exits 2 '--unsigned goes with --keys' "an unsigned build for nobody" "$KILN" build . --unsigned
exits 2 'holds no keyring' "a build with a keyring that is none" "$KILN" build . --keys public
cp --sparse=always "$KILN_TEST_DISK" "${KILN_TEST_DISK%/*}/manifest.json" .
exits 2 'was built without keys' "a disk that waits for no signature" "$KILN" sign "${KILN_TEST_DISK##*/}" --keys k
ok "stays as it was" cmp "${KILN_TEST_DISK##*/}" "$KILN_TEST_DISK"

# ---- bad keys
# Each case has a copy of the keyring to break.
broken() { rm -rf bad; cp -r k bad; }
broken
SOURCE_DATE_EPOCH=1000000000 "$KILN" keys new old --days 10 > /dev/null
cp old/db.crt old/db.key bad
exits 2 'db\.crt: the certificate expired on 2001-09-19' "an expired certificate" "$KILN" sign uki.efi --keys bad -o x.efi
broken
cp k/KEK.key bad/db.key
exits 2 'bad/db\.key is not the key of the certificate db\.crt' "a key that does not fit" "$KILN" sign uki.efi --keys bad -o x.efi
broken
cp k/db.key bad/db.crt
exits 2 'db\.crt holds no certificate' "a key for a certificate" "$KILN" sign uki.efi --keys bad -o x.efi
broken
rm bad/PK.crt
exits 2 'PK\.crt is missing' "a missing certificate" "$KILN" sign uki.efi --keys bad -o x.efi
broken
rm bad/db.key
exits 2 'db\.key: the private key is missing' "a missing key" "$KILN" sign uki.efi --keys bad -o x.efi
broken
chmod 644 bad/db.key
exits 2 'others may read' "a key that others may read" "$KILN" sign uki.efi --keys bad -o x.efi
broken
openssl req -x509 -newkey rsa:1024 -noenc -keyout bad/db.key -out bad/db.crt -days 30 -subj '/CN=weak' 2> /dev/null
exits 2 'neither RSA of 2048' "a key that is too short" "$KILN" sign uki.efi --keys bad -o x.efi
ok "none of them wrote anything" test ! -e x.efi

# ---- rotation
cp -r k r
exits 0 '' "a new db key" "$KILN" keys rotate r
exits 0 '' "signs" "$KILN" sign uki.efi --keys r -o new.efi
ok "by its own certificate" sbverify --cert r/db.2.crt new.efi
exits 0 '' "export" "$KILN" keys export r r1
for file in direct.efi new.efi; do
	exits 0 '' "with both in db, $file starts" "$KILN" measure $file --PK r1/PK.esl --KEK r1/KEK.esl --db r1/db.esl
done
exits 0 '' "the old one goes into dbx" "$KILN" keys rotate r --finish --revoke
exits 0 '' "export" "$KILN" keys export r r2
exits 0 '' "then new.efi starts" "$KILN" measure new.efi --PK r2/PK.esl --KEK r2/KEK.esl --db r2/db.esl --dbx r2/dbx.esl
exits 2 'in dbx' "and direct.efi no more" "$KILN" measure direct.efi --PK r2/PK.esl --KEK r2/KEK.esl --db r2/db.esl --dbx r2/dbx.esl
exits 2 'one certificate only' "there is no more to finish" "$KILN" keys rotate r --finish

# ---- P-256
exits 0 '' "a P-256 keyring" "$KILN" keys new p --type p256
exits 0 '' "signs" "$KILN" sign uki.efi --keys p -o p1.efi
exits 0 '' "twice" "$KILN" sign uki.efi --keys p -o p2.efi
ok "with the same bytes" cmp p1.efi p2.efi
ok "sbverify agrees" sbverify --cert p/db.crt p1.efi

# ---- PKCS#11
module=$(find /usr/lib -name libsofthsm2.so | head -n 1)
mkdir tokens
printf 'directories.tokendir = %s\n' "$tmp/tokens" > softhsm2.conf
export SOFTHSM2_CONF="$tmp/softhsm2.conf"
softhsm2-util --init-token --free --label kiln --pin 123456 --so-pin 654321 > /dev/null
for row in 1:rsa:2048 2:EC:prime256v1; do
	pkcs11-tool --module "$module" --login --pin 123456 --token-label kiln --keypairgen --key-type "${row#*:}" \
		--id "${row%%:*}" --label "key${row%%:*}" > /dev/null 2>&1
done
(umask 077 && echo 123456 > pin && echo 111111 > wrong-pin && : > empty-pin)
uri="pkcs11:token=kiln;object=key1;type=private?module-path=$module"
exits 0 '' "a keyring whose db key a token has" env KILN_PIN_FILE="$tmp/pin" "$KILN" keys new t --db "$uri"
ok "has no file with it" test ! -e t/db.key
exits 0 '' "which signs" env KILN_PIN_FILE="$tmp/pin" "$KILN" sign uki.efi --keys t -o t1.efi
exits 0 '' "twice" env KILN_PIN_FILE="$tmp/pin" "$KILN" sign uki.efi --keys t -o t2.efi
ok "with the same bytes" cmp t1.efi t2.efi
ok "sbverify agrees" sbverify --cert t/db.crt t1.efi
exits 0 '' "to show it takes no PIN" "$KILN" keys show t
exits 2 'is the PIN right' "a wrong PIN" env KILN_PIN_FILE="$tmp/wrong-pin" "$KILN" sign uki.efi --keys t -o x.efi
exits 2 'nothing in its first line' "no PIN" env KILN_PIN_FILE="$tmp/empty-pin" "$KILN" sign uki.efi --keys t -o x.efi
exits 2 'cannot be read' "a PIN file that is not there" env KILN_PIN_FILE="$tmp/gone" "$KILN" sign uki.efi --keys t -o x.efi
chmod 644 wrong-pin
exits 2 'may be read by others' "a PIN file that others may read" env KILN_PIN_FILE="$tmp/wrong-pin" "$KILN" sign uki.efi --keys t -o x.efi
exits 2 'holds a PIN' "a PIN in the URI" "$KILN" keys new x --db "$uri&pin-value=123456"
exits 2 'there is no module' "a module that there is not" "$KILN" keys new x --db "pkcs11:object=key1?module-path=/gone.so&pin-source=file:$tmp/pin"
exits 2 'does not give this key' "an object that there is not" "$KILN" keys new x --db "pkcs11:token=kiln;object=gone?module-path=$module&pin-source=file:$tmp/pin"
exits 0 '' "a P-256 key of a token, and the PIN's file in the URI" \
	"$KILN" keys new e --db "pkcs11:token=kiln;object=key2;type=private?module-path=$module&pin-source=file:$tmp/pin"
exits 0 '' "signs, too" "$KILN" sign uki.efi --keys e -o e.efi
ok "sbverify agrees" sbverify --cert e/db.crt e.efi
cp t/db.crt e/db.crt
exits 2 'is not this file.s signature by the key of the certificate db\.crt' "a token's key that does not fit" \
	"$KILN" sign uki.efi --keys e -o x.efi
ok "none of them wrote anything" test ! -e x.efi -a ! -e x
is "$(grep -rl 123456 t e k p out err 2>/dev/null)" "" "the PIN stands in no file and no message"
finish
