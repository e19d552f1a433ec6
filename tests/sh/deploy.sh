#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kiln-upload deploy: the template holds together and gives each its due, and stacks are made, watched and deleted on
# the rehearsal server, which misbehaves.
set -eu
. tests/sh/lib.sh
. tests/sh/upload/lib.sh
library=$PWD/tests/sh
# shellcheck disable=SC2153 # upload/lib.sh has it
upload=$UPLOAD
cp "${KILN_TEST_DISK%/*}/manifest.json" "$tmp/manifest.json"
# shellcheck disable=SC2154 # lib.sh makes it
cd "$tmp"
image=ami-0123456789abcdef0 cidr=203.0.113.7/32

# ---- the template
exits 0 '' "a template is printed" "$upload" deploy template manifest.json --image-id "$image" --cidr "$cidr"
mv out template.json
is "$(jq -r '[.. | .Ref? // empty | strings | select(startswith("AWS::") | not)] - [(.Parameters, .Resources) | keys[]] | .[]' \
	template.json)" "" "every reference is to something in it"
is "$(jq -r '[.. | .["Fn::GetAtt"]? // empty | .[0]] - (.Resources | keys) | .[]' template.json)" "" "and every attribute"
is "$(jq -r '[.. | .["Fn::Sub"]? // empty | scan("\\$\\{([^}.]+)[^}]*\\}") | .[0] | select(startswith("AWS::") | not)] -
	(.Resources | keys) | .[]' template.json)" "" "and every name in a text"
is "$(jq -r '[.. | .["Fn::If"]? // empty | .[0]] - (.Conditions | keys) | .[]' template.json)" "" "and every condition"
is "$(jq -c '[.Resources[].Properties | .. | .KeyName?, .UserData? | values]' template.json)" "[]" "no key pair, no user data"
is "$(jq -c '.Resources.SecurityGroup.Properties.SecurityGroupIngress | [length, .[0].FromPort, .[0].ToPort, .[0].CidrIp]' \
	template.json)" '[1,3000,3000,{"Ref":"ClientCidr"}]' "one port is open, for one network"
is "$(jq -c '.Parameters | [.ImageId, .ClientCidr, .InstanceType, .RootVolumeSize | .Default]' template.json)" \
	"[\"$image\",\"$cidr\",\"g5.2xlarge\",\"200\"]" "the parameters are what was asked for"
is "$(jq -c '.Resources.Bucket.Properties.PublicAccessBlockConfiguration | map_values(tostring) | add' template.json)" \
	'"truetruetruetrue"' "the bucket is private"
is "$(jq -r '.Resources.Bucket.Properties.VersioningConfiguration.Status' template.json)" "Enabled" "and versioned"

# Its policies, with the names that CloudFormation would put in.
resolve='walk(if type == "object" and has("Fn::Sub") then .["Fn::Sub"] else . end)'
jq "$resolve | .Resources.Key.Properties.KeyPolicy" template.json > kms.json
jq "$resolve | .Resources.MachinePolicy.Properties.PolicyDocument" template.json > machine.json
right=$(jq -c '.Metadata.Kiln.Measurements' template.json)
says() { # expected, description, document, who, action, context
	request=$(jq -nc --arg who "$4" --arg action "$5" --argjson context "$6" '{$who, $action, $context}')
	is "$(jq -r -L "$library" --argjson request "$request" 'include "iam"; decide($request)' "$3")" "$1" "$2"
}
# shellcheck disable=SC2016 # CloudFormation's names
machine='${MachineRole.Arn}' account='arn:${AWS::Partition}:iam::${AWS::AccountId}:user/someone'
says allowed "the machine decrypts as the image" kms.json "$machine" kms:Decrypt "$right"
says denied "and not otherwise" kms.json "$machine" kms:Decrypt '{}'
says denied "it cannot rewrite the key's policy" kms.json "$machine" kms:PutKeyPolicy "$right"
says 'not allowed' "nor does its own policy speak of that" machine.json "$machine" kms:PutKeyPolicy "$right"
says denied "the account's people do not decrypt" kms.json "$account" kms:Decrypt '{}'
says allowed "those whom IAM lets manage the key" kms.json "$account" kms:PutKeyPolicy '{}'

# ---- stacks
rehearsal_start
count() { # operation, status
	awk -F '\t' -v operation="$1" -v status="$2" '$2 == operation && $3 == status' data/requests | wc -l
}
# shellcheck disable=SC2317 # exits calls it
create() { # name, [option]...
	name=$1
	shift
	"$upload" deploy create "$name" manifest.json --cidr "$cidr" "$@"
}

exits 2 'not registered in us-east-1' "a stack of an image that is nowhere" create one
exits 0 'CREATE_IN_PROGRESS' "a stack is made, and its events shown" create one --image-id "$image"
like "$(cat err)" 'CREATE_COMPLETE +Machine  AWS::EC2::Instance' "the machine's among them"
like "$(cat out)" '^KeyArn +' "and what it came to is printed"
exits 2 'there is a stack "one" in us-east-1 already' "a name that is taken" create one --image-id "$image"
exits 0 '' "its events again" "$upload" deploy events one
like "$(head -n 1 out)" 'CREATE_IN_PROGRESS' "the oldest first"
like "$(tail -n 1 out)" 'CREATE_COMPLETE +one  AWS::CloudFormation::Stack' "the stack's own last"
is "$(sort out | uniq -d)" "" "each once"
exits 0 'kept, with what it protects or holds: KeyArn' "the stack is deleted, and what is kept is told" \
	"$upload" deploy delete one
exits 2 'there is no stack "one" in us-east-1' "then there is none" "$upload" deploy events one

jq --arg image "$image" '.uploads = [{ region: "us-east-1", image: $image, snapshot: "snap-0123456789abcdef0",
	name: "mpc", time: 1, proven: true }]' manifest.json > uploaded.json
mv uploaded.json manifest.json
exits 0 '' "an image that is registered need not be named" create two
exits 2 'not registered in eu-west-1' "but it is not in other regions" create two --region eu-west-1

faults '{"fault": "failed", "operation": "CreateStack"}'
exits 3 'ended in ROLLBACK_COMPLETE: [A-Z][A-Za-z]+ \(AWS::.*deploy delete three' "a stack that fails, with what failed first" create three
exits 0 '' "it can be cleared away" "$upload" deploy delete three
faults '{"fault": "access-denied", "operation": "CreateStack"}'
exits 3 'cloudformation:CreateStack' "a missing permission is named" create four
faults '{"fault": "lost-answer", "operation": "CreateStack"}'
exits 0 '' "an answer that is lost" create five
is "$(count CreateStack 200)" 4 "makes no second stack"
faults '{"fault": "throttle", "operation": "DescribeStacks", "times": 2},
	{"fault": "internal-error", "operation": "DescribeStackEvents", "times": 2}'
exits 0 '' "throttling and errors while it is watched" create six
faults '{"fault": "not-found", "operation": "DescribeStacks", "ms": 1500, "times": 0}'
exits 0 '' "a stack that is not known everywhere at once" create seven
faults '{"fault": "failed", "operation": "DeleteStack"}'
exits 3 'ended in DELETE_FAILED' "a deletion that fails" "$upload" deploy delete seven
faults '{"fault": "stall", "operation": "DescribeStacks", "times": 0}'
"$upload" deploy create eight manifest.json --cidr "$cidr" > out 2> err < /dev/null &
client=$!
sleep 1
kill -TERM "$client"
got=0
wait "$client" || got=$?
is "$got" 3 "a wait that is interrupted ends"
like "$(cat err)" 'is made all the same.*deploy events eight --follow' "and it is told how to go on"
faults
exits 0 '' "which goes on to the end" "$upload" deploy events eight --follow
like "$(tail -n 1 out)" 'CREATE_COMPLETE +eight  AWS::CloudFormation::Stack' "the stack's"
exits 0 '' "deleted without waiting" "$upload" deploy delete eight --no-wait
exits 0 '' "a stack is made without waiting" create nine --no-wait
like "$(cat out)" '^Stack +arn:aws:cloudformation:us-east-1:.*stack/nine/' "its id is printed"
curl -sf "$AWS_ENDPOINT_URL/_rehearsal/settings" -d '{"page_size": 3}' > /dev/null
exits 0 '' "events that come in pages" "$upload" deploy events seven
is "$(sort out | uniq -d)" "" "each is shown once"
like "$(head -n 1 out)" 'CREATE_IN_PROGRESS' "the oldest first"

# ---- use
exits 2 'say with --cidr' "no network to let in" "$upload" deploy create ten manifest.json
exits 2 'lets in everybody' "all of them" "$upload" deploy create ten manifest.json --cidr 0.0.0.0/0
exits 2 'is no name of a stack' "a name that is none" "$upload" deploy create 8 manifest.json --cidr "$cidr"
exits 2 'unknown verb' "a verb that is none" "$upload" deploy launch
not_ok "no secret was shown" grep -rF -e "$AWS_SECRET_ACCESS_KEY" out err rehearsal.log
finish
