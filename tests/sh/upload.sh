#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A disk becomes an image: what is sent, what is registered, what is written beside the disk, and what is refused.
set -eu
. tests/sh/lib.sh
. tests/sh/upload/lib.sh

rehearsal_start
mkdir "$tmp/a"
raw=$tmp/a/tiny.raw
disk new "$raw" 16 1
disk describe "$raw"
cp "$tmp/a/pcr_measurements.json" "$tmp/before.json"
blocks=$(disk data "$raw")

# ---------------------------------------------------------------- the dry run
exits 0 "" "a dry run needs no more than permissions" "$UPLOAD" upload "$raw" --dry-run
like "$(cat "$tmp/out")" "^to send  $blocks of 2048 blocks, " "it says how much would be sent"
like "$(cat "$tmp/out")" "^allowed  ec2:RegisterImage" "and what would be allowed"
is "$(asked StartSnapshot)$(asked PutSnapshotBlock)$(count_living ami)" 000 "and it begins nothing"
faults '{"fault": "access-denied", "operation": "RegisterImage"}'
exits 1 "1 of these calls is not allowed" "a missing permission is found out" "$UPLOAD" upload "$raw" --dry-run
like "$(cat "$tmp/out")" "^REFUSED  ec2:RegisterImage" "and named"
faults

# ---------------------------------------------------------------- the upload
exits 0 "" "a proven disk is uploaded" "$UPLOAD" upload "$raw" --tag team=red --description 'what it is'
line=$(cat "$tmp/out")
like "$line" '^us-east-1  ami-[0-9a-f]+  snap-[0-9a-f]+$' "region, image and snapshot are printed"
is "$(asked PutSnapshotBlock)" "$blocks" "each block that is no zeros is sent, once, and no other"
is "$(disk twice "$tmp/data")" "" "none arrived twice"
ok "the snapshot is the disk" readable_as "$raw"
ok "the results name the image and its snapshot" registered "$tmp/a"
is "$(jq -c .Measurements "$tmp/a/pcr_measurements.json")" "$(jq -c .Measurements "$tmp/before.json")" \
	"the measurements are as they were"
like "$(jq -r .Time "$tmp/a/pcr_measurements.json")" '^20[0-9-]+T[0-9:]+Z$' "with the time"
is "$(jq -r '.uploads | length, (.[0] | .region, .proven)' "$tmp/a/manifest.json" | tr '\n' ' ')" "1 us-east-1 true " \
	"the manifest has the upload"
ami=$(living ami) snap=$(living snap)
is "$(for field in Architecture VirtualizationType BootMode TpmSupport ImdsSupport EnaSupport RootDeviceName \
	BlockDeviceMapping.1.Ebs.VolumeType BlockDeviceMapping.1.Ebs.VolumeSize; do
	sed -n "s/^$field	//p" "$tmp/data/objects/$ami"; done | tr '\n' ' ')" \
	"x86_64 hvm uefi v2.0 v2.0 true /dev/xvda gp3 1 " "the image starts by UEFI with a NitroTPM, and IMDSv2 alone"
for object in "$ami" "$snap"; do
	is "$(sed -n 's/^tag:\(team\|kiln:proven\|kiln:image\)	/\1 /p' "$tmp/data/objects/$object" | sort | tr '\n' ' ')" \
		"kiln:image tiny kiln:proven yes team red " "$object has its tags"
done
not_ok "no journal is left" test -e "$tmp/a/uploads/us-east-1.journal"

forget_requests
exits 0 "is there already" "a second call finds the image" "$UPLOAD" upload "$raw" --tag team=red
is "$(cat "$tmp/out")" "$line" "prints the same"
is "$(asked StartSnapshot)$(asked RegisterImage)" 00 "and makes nothing"
is "$(jq '.uploads | length' "$tmp/a/manifest.json")" 1 "nor is it twice in the manifest"

exits 0 "" "kiln upload is the same program" "$KILN" upload "$raw"
is "$(cat "$tmp/out")" "$line" "with the same result"

# ---------------------------------------------------------------- what is refused
mkdir "$tmp/b"
other=$tmp/b/tiny.raw
disk new "$other" 4 2
disk describe "$other"
fresh() { disk describe "$other"; rm -rf "$tmp/b/uploads"; }
refused() { # code, regex, description, command...
	forget_requests
	exits "$@"
	is "$(asked StartSnapshot)" 0 "  and nothing was begun"
}
edit() { jq "$2" "$1" > "$tmp/edited" && cp "$tmp/edited" "$1"; }

refused 2 'the name "tiny-1-[0-9a-f]+" is taken by ami-' "a name that another image has is refused" \
	"$UPLOAD" upload "$other" --name "$(sed -n 's/^Name	//p' "$tmp/data/objects/$ami")"
rm "$tmp/b/boot-proof.json"
refused 1 'has no boot proof.*--unproven' "a disk without a proof is refused" "$UPLOAD" upload "$other"
fresh; edit "$tmp/b/boot-proof.json" '.disk_data_sha256 = ("a" * 64)'
refused 1 'the disk that was booted is another one' "the proof of another disk is none" "$UPLOAD" upload "$other"
fresh; edit "$tmp/b/boot-proof.json" '.proven = false'
refused 1 'prediction and measurement differ' "a proof that failed is none" "$UPLOAD" upload "$other"
fresh; edit "$tmp/b/boot-proof.json" 'del(.rows[0])'
refused 1 'PCR 4 .sha384. was not measured' "a proof of less than was predicted is none" "$UPLOAD" upload "$other"
fresh; echo '{' > "$tmp/b/boot-proof.json"
refused 2 'boot-proof.json:' "a proof that cannot be read is none" "$UPLOAD" upload "$other"
fresh; printf x | dd of="$other" bs=1 seek=7 conv=notrunc status=none
refused 2 'is not the disk that .*manifest.json describes' "a disk that is not the manifest's is refused, proof or not" \
	"$UPLOAD" upload "$other" --unproven
disk new "$other" 4 2; fresh
refused 2 '"nowhere.raw"|there is no disk' "a disk that is not there is refused" "$UPLOAD" upload "$tmp/b/nowhere.raw"
refused 2 'a tag is written KEY=VALUE' "a tag that is none" "$UPLOAD" upload "$other" --tag x
refused 2 'neither an account of 12 digits' "nobody to share with" "$UPLOAD" upload "$other" --share me
refused 2 'an encrypted image cannot be for everybody' "public and encrypted at once" \
	"$UPLOAD" upload "$other" --public --encrypt arn:aws:kms:us-east-1:123456789012:key/1
refused 2 'the ARN of a KMS key' "a key that is no ARN" "$UPLOAD" upload "$other" --encrypt alias/x
refused 2 'letters, digits and' "a name that EC2 would not take" "$UPLOAD" upload "$other" --name 'a+b=c'
refused 2 'there is no such snapshot' "a parent that is not there" "$UPLOAD" upload "$other" --parent snap-0123
refused 2 'no upload to us-east-1 has been begun' "nothing to abort" "$UPLOAD" abort "$other"

rm "$tmp/b/boot-proof.json"
exits 0 "without a boot proof" "--unproven goes without, and warns" "$UPLOAD" upload "$other" --unproven
is "$(jq .uploads[0].proven "$tmp/b/manifest.json")" false "the manifest records it"
image=$(jq -r .ImageId "$tmp/b/pcr_measurements.json")
like "$(cat "$tmp/data/objects/$image")" "^tag:kiln:proven	no$" "and so does the image's tag"

# ---------------------------------------------------------------- copies, shares
disk new "$other" 4 3; fresh
exits 0 "" "an image is copied and shared" "$UPLOAD" upload "$other" --copy-to eu-west-1 --copy-to eu-north-1 \
	--share 210987654321 --share arn:aws:organizations::123456789012:organization/o-abcdefghij
is "$(cut -d ' ' -f 1 "$tmp/out" | tr '\n' ' ')" "us-east-1 eu-west-1 eu-north-1 " "each region is printed"
is "$(jq -r '.uploads | map(.region) | join(" ")' "$tmp/b/manifest.json")" "us-east-1 eu-west-1 eu-north-1" \
	"and is in the manifest"
is "$(jq -r .Region "$tmp/b/pcr_measurements.json")" us-east-1 "the measurements name the first"
image=$(jq -r '.uploads[1].image' "$tmp/b/manifest.json")
is "$(sed -n 's/^Region	//p' "$tmp/data/objects/$image")" eu-west-1 "the copy is there"
is "$(grep -c '^share:' "$tmp/data/objects/$(jq -r .ImageId "$tmp/b/pcr_measurements.json")")" 2 "the shares are there"

# ---------------------------------------------------------------- list, prune, deregister
# EC2 tells the second in which an image was made, and no more.
sleep 1.1
disk new "$other" 4 4; disk describe "$other" 2; rm -rf "$tmp/b/uploads"
exits 0 "" "one more" "$UPLOAD" upload "$other"
newest=$(jq -r .ImageId "$tmp/b/pcr_measurements.json")
exits 0 "" "list lists" "$UPLOAD" list tiny
is "$(wc -l < "$tmp/out")" 4 "the images of the region"
is "$(awk 'NR == 1 { print $2 }' "$tmp/out")" "$newest" "the newest first"
exits 2 "keep is missing" "prune wants a number" "$UPLOAD" prune tiny
exits 0 "" "prune can say what would go" "$UPLOAD" prune tiny --keep 1 -n
is "$(grep -c ami- "$tmp/out")" 3 "three images"
exits 0 "" "prune removes them" "$UPLOAD" prune tiny --keep 1
exits 0 "" "list" "$UPLOAD" list
is "$(awk '{ print $2 }' "$tmp/out")" "$newest" "the newest stays"
exits 0 "" "deregister removes" "$UPLOAD" deregister "$newest"
exits 0 "" "list" "$UPLOAD" list
is "$(cat "$tmp/out")" "" "none is left"
is "$(for s in $(living snap); do sed -n 's/^Region	//p' "$tmp/data/objects/$s"; done | grep -c us-east-1)" 0 \
	"nor is a snapshot"
exits 2 "there is no image" "what is gone cannot be removed again" "$UPLOAD" deregister "$newest"

# ---------------------------------------------------------------- keys
"$KILN" keys new "$tmp/keys" > "$tmp/out"
"$KILN" keys export "$tmp/keys" "$tmp/exported" > "$tmp/out"
disk new "$other" 4 7
rm -rf "$tmp/b/uploads"
disk describe "$other" 3 "$tmp/exported"
refused 2 'name with --uefi-data' "a disk with keys wants its UefiData" "$UPLOAD" upload "$other"
refused 2 'was built with keys, and an image that carries them is not for everybody' "and is for nobody else" \
	"$UPLOAD" upload "$other" --uefi-data "$tmp/exported/uefi-data.aws" --public
cp "$tmp/exported/uefi-data.aws" "$tmp/b/"
exits 0 "" "with them it is registered" "$UPLOAD" upload "$other"
image=$(jq -r .ImageId "$tmp/b/pcr_measurements.json")
is "$(sed -n 's/^UefiData	//p' "$tmp/data/objects/$image")" "$(tr -d '\n' < "$tmp/exported/uefi-data.aws")" \
	"and the image has the keys"
"$UPLOAD" --quiet deregister "$image" > "$tmp/out"
rm "$tmp/b/uefi-data.aws"

# ---------------------------------------------------------------- interrupted
disk new "$other" 16 8; fresh
begin_slowly() {
	faults '{"fault": "slow", "operation": "PutSnapshotBlock", "ms": 100, "times": 0}'
	forget_requests
	"$UPLOAD" upload "$other" --connections 1 > "$tmp/out" 2> "$tmp/err" &
	pid=$!
	while [ "$(asked PutSnapshotBlock)" -lt 3 ]; do sleep 0.05; done
}
ended() { # code, description: the one that was begun
	got=0
	wait $pid || got=$?
	is "$got" "$1" "$2"
	faults
}
begin_slowly
exits 2 "another process is at work on this upload" "two at once are one too many" "$UPLOAD" upload "$other"
kill -TERM $pid
ended 3 "a signal ends the upload"
like "$(cat "$tmp/err")" "error: interrupted" "in order"
exits 2 "was begun with other options" "it does not go on with other options" "$UPLOAD" upload "$other" --tag a=b
cp "$other" "$tmp/kept.raw"
disk new "$other" 4 9; disk describe "$other"
exits 2 "the upload of another disk .*kiln-upload abort" "nor with another disk" "$UPLOAD" upload "$other"
mv "$tmp/kept.raw" "$other"; disk describe "$other"
forget_requests
exits 0 "going on with snap-" "it goes on as it was begun" "$UPLOAD" upload "$other"
is "$(asked StartSnapshot)" 0 "with its snapshot"
ok "sends what is missing" test "$(asked PutSnapshotBlock)" -lt "$(disk data "$other")"
ok "and the snapshot is the disk" readable_as "$other"

disk new "$other" 4 10; fresh
faults '{"fault": "lost-answer", "operation": "StartSnapshot", "times": 0}'
exits 3 "ebs:StartSnapshot" "a start that is never answered ends the upload" \
	env AWS_MAX_ATTEMPTS=2 "$UPLOAD" upload "$other"
faults
exits 0 "snap-" "and what it made is found and removed" sh -c "\"$UPLOAD\" abort '$other' >&2"
is "$(for s in $(living snap); do sed -n 's/^State	pending/&/p' "$tmp/data/objects/$s"; done)" "" "so that nothing is left"

faults '{"fault": "error", "operation": "StartSnapshot", "status": 400, "code": "ValidationException", "message": "no"}'
exits 3 "ebs:StartSnapshot: ValidationException: no" "a request that is refused ends the upload" "$UPLOAD" upload "$other" \
	--tag a=b
faults
exits 0 "" "and the next one may be another" "$UPLOAD" upload "$other"

# ---------------------------------------------------------------- written meanwhile
disk new "$other" 16 5; fresh
begin_slowly
printf x | dd of="$other" bs=1 seek=8000000 conv=notrunc status=none
ended 2 "a disk that is written meanwhile ends the upload"
like "$(cat "$tmp/err")" "is being written while it is uploaded" "with that sentence"
exits 0 "snap-" "what was begun is aborted" sh -c "\"$UPLOAD\" abort '$other' >&2"
not_ok "without a journal left" test -e "$tmp/b/uploads/us-east-1.journal"
is "$(for s in $(living snap); do sed -n 's/^State	pending/&/p' "$tmp/data/objects/$s"; done)" "" "and without a snapshot"

# ---------------------------------------------------------------- no room for the journal
disk new "$other" 16 6; fresh
exits 3 "the upload stops, for what was sent cannot be noted" "a full disk is told in a sentence" \
	sh -c "trap '' XFSZ; ulimit -f 3; exec \"$UPLOAD\" upload '$other'"
is "$(grep -c error: "$tmp/err")" 1 "and no more"
exits 0 "going on with snap-" "with room again it goes on" "$UPLOAD" upload "$other"
ok "and the snapshot is the disk" readable_as "$other"
finish
