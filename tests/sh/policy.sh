#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kiln policy's documents, asked as IAM would ask them: who gets what, attested and not, and what a statement that is
# added later cannot undo.
set -eu
. tests/sh/lib.sh
require jq
library=$PWD/tests/sh

machine=arn:aws:iam::123456789012:role/machine
owner=arn:aws:iam::210987654321:role/owner
publisher=arn:aws:iam::210987654321:user/publisher
stranger=arn:aws:iam::999999999999:user/stranger
key=arn:aws:kms:us-east-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab
cp "${KILN_TEST_DISK%/*}/manifest.json" "$tmp/manifest.json"
# shellcheck disable=SC2154 # lib.sh makes it
cd "$tmp"

decision() { # document, who, action, [context, [resource]]
	jq -nc --arg who "$2" --arg action "$3" --argjson context "${4:-{\}}" --arg resource "${5:-*}" \
		'{$who, $action, $context, $resource}' > request
	jq -r -L "$library" --argjson request "$(cat request)" 'include "iam"; decide($request)' "$1"
}
says() { # expected, description, document, who, action, [context, [resource]]
	expected=$1 about=$2
	shift 2
	is "$(decision "$@")" "$expected" "$about"
}
attested() { # jq filter for what differs
	jq -c "[.pcrs | to_entries[] | { key: \"kms:RecipientAttestation:NitroTPMPCR\(.key)\", value: .value.sha384 }] |
		from_entries | ${1:-.}" manifest.json
}
pcr() { # number
	echo "[\"kms:RecipientAttestation:NitroTPMPCR$1\"]"
}

# ---- the key
exits 0 '' "a key's policy is printed" "$KILN" policy manifest.json --kms --role "$machine" --admin "$owner" \
	--publisher "$publisher"
mv out kms.json
right=$(attested)
says allowed "the machine decrypts as the image" kms.json "$machine" kms:Decrypt "$right"
says allowed "in whatever case the PCRs come" kms.json "$machine" kms:Decrypt "$(attested 'map_values(ascii_upcase)')"
for n in 4 12; do
	says denied "but not with another PCR $n" kms.json "$machine" kms:Decrypt "$(attested ".$(pcr $n)"' = "00ff"')"
	says denied "nor with no PCR $n" kms.json "$machine" kms:Decrypt "$(attested "del(.$(pcr $n))")"
done
says denied "nor without an attestation" kms.json "$machine" kms:Decrypt
says denied "it cannot rewrite the policy" kms.json "$machine" kms:PutKeyPolicy "$right"
says denied "nor hand its use on" kms.json "$machine" kms:CreateGrant "$right"
says denied "nor make data keys" kms.json "$machine" kms:GenerateDataKey "$right"
says denied "nor take the data to another key" kms.json "$machine" kms:ReEncryptFrom "$right"
says allowed "the owner manages the key" kms.json "$owner" kms:PutKeyPolicy
says denied "and does not decrypt" kms.json "$owner" kms:Decrypt
says 'not allowed' "not even from such a machine" kms.json "$owner" kms:Decrypt "$right"
says denied "nor takes the data to another key" kms.json "$owner" kms:ReEncryptFrom
says 'not allowed' "nor hands its use on" kms.json "$owner" kms:CreateGrant
says allowed "the publisher makes data keys" kms.json "$publisher" kms:GenerateDataKey
says 'not allowed' "and does not manage the key" kms.json "$publisher" kms:PutKeyPolicy
says denied "nor decrypts" kms.json "$publisher" kms:Decrypt
says 'not allowed' "a stranger has nothing" kms.json "$stranger" kms:DescribeKey

# A statement that lets everybody do everything is the worst that can be added.
jq '.Statement += [{ Effect: "Allow", Principal: { AWS: "*" }, Action: "kms:*", Resource: "*" }]' kms.json > open.json
says allowed "with everything allowed to everybody, a stranger describes the key" open.json "$stranger" kms:DescribeKey
says denied "but does not decrypt without an attestation" open.json "$stranger" kms:Decrypt
says denied "nor from another machine" open.json "$stranger" kms:Decrypt "$(attested ".$(pcr 4)"' = "00ff"')"
says denied "nor takes the data to another key" open.json "$stranger" kms:ReEncryptFrom
says denied "nor does the owner decrypt" open.json "$owner" kms:Decrypt
says denied "nor does the machine rewrite the policy" open.json "$machine" kms:PutKeyPolicy "$right"

# ---- the machine
exits 0 '' "the machine's policy is printed" "$KILN" policy manifest.json --instance --key "$key" --bucket models
mv out instance.json
object=arn:aws:s3:::models/llm.enc
says allowed "it reads the bucket" instance.json "$machine" s3:GetObject '' "$object"
says allowed "and lists it" instance.json "$machine" s3:ListBucket '' arn:aws:s3:::models
says 'not allowed' "but writes nothing" instance.json "$machine" s3:PutObject '' "$object"
says 'not allowed' "deletes nothing" instance.json "$machine" s3:DeleteObject '' "$object"
says 'not allowed' "reads no other bucket" instance.json "$machine" s3:GetObject '' arn:aws:s3:::models2/llm.enc
says allowed "it decrypts with the key" instance.json "$machine" kms:Decrypt "$right" "$key"
says 'not allowed' "as the image alone" instance.json "$machine" kms:Decrypt '' "$key"
says 'not allowed' "with no other key" instance.json "$machine" kms:Decrypt "$right" "${key}0"
says 'not allowed' "and does not touch its policy" instance.json "$machine" kms:PutKeyPolicy "$right" "$key"
says 'not allowed' "nor its own" instance.json "$machine" iam:PutRolePolicy

# ---- who may be the machine
exits 0 '' "the trust policy is printed" "$KILN" policy --trust
says allowed "EC2 takes the role" out ec2.amazonaws.com sts:AssumeRole
says 'not allowed' "and nobody else" out "$owner" sts:AssumeRole

# ---- the uploader
exits 0 '' "the uploader's policy is printed" "$KILN" policy --uploader --region us-east-1
mv out uploader.json
snapshot=arn:aws:ec2:us-east-1::snapshot/snap-0123456789abcdef0 image=arn:aws:ec2:us-east-1::image/ami-0123456789abcdef0
for action in ebs:StartSnapshot ebs:PutSnapshotBlock ebs:CompleteSnapshot ebs:ListChangedBlocks ec2:RegisterImage; do
	says allowed "$action" uploader.json "$owner" "$action" '' "$snapshot"
done
says allowed "ec2:DescribeImages" uploader.json "$owner" ec2:DescribeImages
says allowed "tags what it registers" uploader.json "$owner" ec2:CreateTags '{"ec2:CreateAction": "RegisterImage"}' "$image"
says 'not allowed' "and nothing else" uploader.json "$owner" ec2:CreateTags '' "$image"
tag=$(sed -n 's/^#define POLICY_UPLOAD_TAG "\(.*\)"/\1/p' "$library/../../factory/model/policy_document.h")
says allowed "deletes what has its tag" uploader.json "$owner" ec2:DeleteSnapshot "{\"aws:ResourceTag/$tag\": \"x\"}" "$snapshot"
says 'not allowed' "and nothing else" uploader.json "$owner" ec2:DeleteSnapshot '' "$snapshot"
says 'not allowed' "in no other region" uploader.json "$owner" ec2:RegisterImage '' "$(echo "$image" | sed s/us-east-1/us-east-2/)"
for action in ec2:ModifyImageAttribute ec2:CopyImage ec2:RunInstances iam:PassRole; do
	says 'not allowed' "not $action" uploader.json "$owner" "$action" '' "$image"
done
exits 0 '' "a policy with sharing and copying" "$KILN" policy --uploader --share --copy
says allowed "has ec2:ModifyImageAttribute" out "$owner" ec2:ModifyImageAttribute '' "$image"
says allowed "and ec2:CopyImage" out "$owner" ec2:CopyImage '' "$image"

# ---- use
exits 2 'one document each' "two documents at once" "$KILN" policy manifest.json --kms --instance
exits 2 'manifest is missing' "a key's policy of no image" "$KILN" policy --kms --role "$machine" --admin "$owner"
exits 2 'bind no image' "an uploader's of one" "$KILN" policy manifest.json --uploader
exits 2 'needs --role' "a key's policy without a role" "$KILN" policy manifest.json --kms --admin "$owner"
exits 2 'needs --key' "a machine's without a key" "$KILN" policy manifest.json --instance --bucket models
exits 2 'could write another policy' "the machine as its key's administrator" "$KILN" policy manifest.json --kms \
	--role "$machine" --admin "$machine"
exits 2 '--role takes the ARN of one role' "every role of an account" "$KILN" policy manifest.json --kms \
	--role 'arn:aws:iam::123456789012:role/*' --admin "$owner"
exits 2 '--role says nothing about' "an option of another document" "$KILN" policy manifest.json --role "$machine"
exits 2 'GHSA-xrv8-2pf5-f3q7' "a key's policy on PCR 4 alone" "$KILN" policy manifest.json --kms --role "$machine" \
	--admin "$owner" --pcrs 4
is "$("$KILN" policy manifest.json | jq -c 'keys')" '["Condition"]' "without a document's name, the condition alone is printed"
finish
