#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The uploader's policy allows what kiln-upload does and no more: everything that it asked the rehearsal server for is
# allowed, and everything that is allowed it did ask for.
set -eu
. tests/sh/lib.sh
. tests/sh/upload/lib.sh
library=$PWD/tests/sh
account=arn:aws:iam::123456789012:user/uploader
tag=$(sed -n 's/^#define POLICY_UPLOAD_TAG "\(.*\)"/\1/p' factory/model/policy_document.h)

# "ebs:PutSnapshotBlock arn:...", one line for each kind of request that was made: the actions of IAM and what they act on.
# Which these are AWS says in its Service Authorization Reference.
actions() {
	cut -f 2 "$tmp/data/requests" | sort -u | while read -r operation; do
		case $operation in
		StartSnapshot | PutSnapshotBlock | CompleteSnapshot | ListSnapshotBlocks | ListChangedBlocks | GetSnapshotBlock)
			echo "ebs:$operation snapshot" ;;
		RegisterImage) printf '%s\n' "ec2:RegisterImage image" "ec2:RegisterImage snapshot" ;;
		CopyImage) printf '%s\n' "ec2:CopyImage image" "ec2:CopyImage snapshot" ;;
		DeregisterImage | ModifyImageAttribute) echo "ec2:$operation image" ;;
		DeleteSnapshot | ModifySnapshotAttribute) echo "ec2:$operation snapshot" ;;
		GetCallerIdentity | Rehearsal*) ;; # nobody has to be allowed that
		*) echo "ec2:$operation -" ;;
		esac
	done
}
# What of it is not allowed by a policy. The resources are Kiln's own, so they have its tag.
refused() { # policy
	actions | while read -r action kind; do
		resource="arn:aws:ec2:us-east-1::$kind/$kind-1"
		[ "$kind" != - ] || resource="*"
		request=$(jq -nc --arg who "$account" --arg action "$action" --arg resource "$resource" --arg tag "aws:ResourceTag/$tag" \
			'{$who, $action, $resource, context: {($tag): "x"}}')
		says=$(jq -r -L "$library" --argjson request "$request" 'include "iam"; decide($request)' "$1")
		[ "$says" = allowed ] || echo "$action on $resource: $says"
	done
}
# What it allows and nobody asked for. Tags are given with what is made, and not by a request of their own.
unused() { # policy
	jq -r '.Statement[].Action | if type == "array" then .[] else . end' "$1" | grep -vx ec2:CreateTags | sort -u > "$tmp/allowed"
	actions | cut -d ' ' -f 1 | sort -u | comm -23 "$tmp/allowed" -
}

"$KILN" policy --uploader --region us-east-1 > "$tmp/least.json"
"$KILN" policy --uploader --share --copy > "$tmp/most.json"
rehearsal_start
mkdir "$tmp/a" "$tmp/b"
raw=$tmp/a/tiny.raw
disk new "$raw" 16 1
disk describe "$raw" 1
exits 0 "" "an image is uploaded" "$UPLOAD" upload "$raw"
first=$(jq -r .SnapshotId "$tmp/a/pcr_measurements.json")
disk change "$raw" 2
disk describe "$raw" 2
exits 0 "" "what changed is, too" "$UPLOAD" upload "$raw"
second=$(jq -r .SnapshotId "$tmp/a/pcr_measurements.json")

# A machine that has the record of the first alone, and one that has none, read from EBS.
for records in "$first" ""; do
	rm -rf "$tmp/b"
	mkdir -p "$tmp/b/uploads"
	[ -z "$records" ] || cp "$tmp/a/uploads/$records.blocks" "$tmp/b/uploads/"
	cp "$raw" "$tmp/b/tiny.raw"
	disk change "$tmp/b/tiny.raw" "3${records:+4}"
	disk describe "$tmp/b/tiny.raw" "3${records:+4}"
	exits 0 "" "and elsewhere, ${records:+not }without a record" "$UPLOAD" upload "$tmp/b/tiny.raw" --parent "$second"
done
exits 0 "" "images are listed" "$UPLOAD" list
for id in $(living ami); do "$UPLOAD" --quiet deregister "$id" > /dev/null; done
is "$(living ami)" "" "and removed"
result "$(refused "$tmp/least.json")" "the least policy allows all of that"
result "$(unused "$tmp/least.json")" "and nothing else"

disk change "$raw" 5
disk describe "$raw" 5
exits 0 "" "an image is shared and copied" "$UPLOAD" upload "$raw" --share 210987654321 --copy-to eu-west-1
ok "the least policy does not allow that" test -n "$(refused "$tmp/least.json")"
result "$(refused "$tmp/most.json")" "the one with sharing and copying does"
result "$(unused "$tmp/most.json")" "and nothing else"
finish
