#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The rehearsal server as botocore and the AWS command line see it, neither of which knows Kiln: what they sign
# verifies, what they are answered they understand, and what AWS would refuse is refused.
set -eu
. tests/sh/lib.sh
# Debian's, not what else may lie on this machine's path.
PATH=/usr/bin:$PATH
require python3 aws curl jq openssl
# `make check` has the one with sanitizers.
root=$PWD rehearsal=${REHEARSAL:-${KILN%/*}/kiln-rehearsal}
[ -x "$rehearsal" ] || { echo "Bail out! $rehearsal is not there: make rehearsal-server"; exit 1; }
# shellcheck disable=SC2154 # lib.sh makes it
cd "$tmp"

AWS_ACCESS_KEY_ID=AKIDREHEARSAL AWS_SECRET_ACCESS_KEY=secret/of+the/rehearsal AWS_DEFAULT_REGION=us-east-1
AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PAGER=''
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_PAGER
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_CA_BUNDLE http_proxy HTTP_PROXY https_proxy HTTPS_PROXY
echo "$AWS_SECRET_ACCESS_KEY" > secret

server=''
stop() {
	if [ -n "$server" ]; then
		kill "$server" 2> /dev/null || :
		wait "$server" || :
	fi
	server=''
}
trap 'stop; rm -rf "$tmp"' EXIT
start() {
	rm -f port
	"$rehearsal" --data data --port-file port --access-key "$AWS_ACCESS_KEY_ID" --secret-file secret 2>> server.log &
	server=$!
	for _ in $(seq 100); do
		[ ! -e port ] || break
		sleep 0.1
	done
	url=http://127.0.0.1:$(cat port)
}
# Without retries: what the server says is what is to be seen.
client() { # service, operation, argument...
	env AWS_MAX_ATTEMPTS=1 aws --endpoint-url "$url" --output json "$@"
}

# ---- bad use
exits 2 'a verb is missing' "kiln-rehearsal alone" "$rehearsal"
exits 0 '' "kiln-rehearsal serve --help" "$rehearsal" serve --help
like "$(cat out)" '^usage: kiln-rehearsal serve' "says how it is used"
exits 2 'who may sign; give both' "a server without a key" "$rehearsal" --data data
exits 2 'there is no secret' "a server with an empty secret" \
	"$rehearsal" --data data --access-key A --secret-file /dev/null
exits 2 'twelve digits' "an account that is none" \
	"$rehearsal" --data data --access-key A --secret-file secret --account 12
exits 2 'no directory of the rehearsal' "an export of nothing" "$rehearsal" export snap-1 image --data nowhere

start
ok "it listens, and says where" curl -sf "$url/_rehearsal/faults"
is "$(awk -v port="$(printf ':%04X' "$(cat port)")" '$4 == "0A" && $2 ~ port "$" { print $2 }' /proc/net/tcp /proc/net/tcp6)" \
	"0100007F:$(printf '%04X' "$(cat port)")" "on the loopback interface alone"
exits 3 'cannot listen on port' "a second server on its port" \
	"$rehearsal" --data other --port "$(cat port)" --access-key A --secret-file secret

# ---- the AWS command line
head -c 524288 /dev/zero | tr '\0' A > block
checksum=$(openssl dgst -sha256 -binary block | base64)
is "$checksum" "X3om4deM0XGxqrAgjaEz6ZbHUoW5SqjvBsZXjqCyaQM=" "a block has the digest it had elsewhere"
exits 0 '' "sts get-caller-identity" client sts get-caller-identity
is "$(jq -r .Arn out)" "arn:aws:iam::123456789012:user/rehearsal" "says who signed"
exits 0 '' "ebs start-snapshot" client ebs start-snapshot --volume-size 1 --description 'by hand' --tags Key=stage,Value=rehearsal
snapshot=$(jq -r .SnapshotId out)
is "$(jq -c '[.BlockSize, .VolumeSize, .Status]' out)" '[524288,1,"pending"]' "begins one"
exits 0 '' "ebs put-snapshot-block" client ebs put-snapshot-block --snapshot-id "$snapshot" --block-index 7 --block-data block \
	--data-length 524288 --checksum "$checksum" --checksum-algorithm SHA256
exits 0 '' "ebs complete-snapshot" client ebs complete-snapshot --snapshot-id "$snapshot" --changed-blocks-count 1 \
	--checksum l8cmU1ymV93Imrc5g4fF0Uj3Hi5fj/KWrb04gZRJDPM= --checksum-algorithm SHA256 --checksum-aggregation-method LINEAR
exits 0 '' "ec2 wait snapshot-completed" client ec2 wait snapshot-completed --snapshot-ids "$snapshot"
exits 0 '' "ec2 describe-snapshots" client ec2 describe-snapshots --owner-ids self --filters Name=tag:stage,Values='rehear*'
is "$(jq -c '.Snapshots[] | [.SnapshotId, .State, .Progress, .VolumeSize, .Tags[0].Value]' out)" \
	"[\"$snapshot\",\"completed\",\"100%\",1,\"rehearsal\"]" "finds it by its tag"
exits 0 '' "the export" "$rehearsal" export "$snapshot" image.raw --data data
is "$(stat -c %s image.raw)" 1073741824 "is as large as the volume"
ok "has the block in its place" cmp -n 524288 -i $((7 * 524288)):0 image.raw block
is "$(head -c $((7 * 524288)) image.raw | tr -d '\0' | wc -c)" 0 "and nothing before it"
exits 3 'cannot create image.raw' "a second export into the same file" "$rehearsal" export "$snapshot" image.raw --data data

exits 0 '' "ec2 register-image" client ec2 register-image --name by-hand --architecture x86_64 --virtualization-type hvm \
	--boot-mode uefi --tpm-support v2.0 --imds-support v2.0 --ena-support --root-device-name /dev/xvda \
	--block-device-mappings "DeviceName=/dev/xvda,Ebs={SnapshotId=$snapshot,VolumeType=gp3,DeleteOnTermination=true}"
image=$(jq -r .ImageId out)
exits 0 '' "ec2 wait image-available" client ec2 wait image-available --image-ids "$image"
exits 0 '' "ec2 describe-images" client ec2 describe-images --image-ids "$image"
is "$(jq -c '.Images[] | [.Name, .State, .BootMode, .TpmSupport, .ImdsSupport, .EnaSupport, .Architecture, .VirtualizationType,
	.BlockDeviceMappings[0].Ebs.SnapshotId, .BlockDeviceMappings[0].Ebs.VolumeSize]' out)" \
	"[\"by-hand\",\"available\",\"uefi\",\"v2.0\",\"v2.0\",true,\"x86_64\",\"hvm\",\"$snapshot\",1]" "shows what was asked for"

# With keys, as `kiln keys` makes them.
"$KILN" keys new keys > /dev/null 2>&1
"$KILN" keys export keys public > /dev/null 2>&1
exits 0 '' "ec2 register-image with keys" client ec2 register-image --name with-keys --architecture x86_64 \
	--virtualization-type hvm --boot-mode uefi --tpm-support v2.0 --root-device-name /dev/xvda \
	--uefi-data file://public/uefi-data.aws \
	--block-device-mappings "DeviceName=/dev/xvda,Ebs={SnapshotId=$snapshot,VolumeType=gp3}"
keyed=$(jq -r .ImageId out)
exits 0 '' "ec2 describe-image-attribute" client ec2 describe-image-attribute --image-id "$keyed" --attribute uefiData
is "$(jq -r .UefiData.Value out | tr -d '\n')" "$(tr -d '\n' < public/uefi-data.aws)" "gives them back"
tr A B < public/uefi-data.aws > broken.aws
exits 254 'Invalid UefiData' "keys that were damaged" client ec2 register-image --name broken --architecture x86_64 \
	--virtualization-type hvm --boot-mode uefi --root-device-name /dev/xvda --uefi-data file://broken.aws \
	--block-device-mappings "DeviceName=/dev/xvda,Ebs={SnapshotId=$snapshot,VolumeType=gp3}"
exits 0 '' "the image with keys is deregistered" client ec2 deregister-image --image-id "$keyed"

exits 254 'DryRunOperation' "ec2 deregister-image --dry-run" client ec2 deregister-image --image-id "$image" --dry-run
exits 254 'InvalidSnapshot.InUse' "a snapshot that an image has" client ec2 delete-snapshot --snapshot-id "$snapshot"
exits 254 'SignatureDoesNotMatch' "another secret" env AWS_SECRET_ACCESS_KEY=other AWS_MAX_ATTEMPTS=1 \
	aws --endpoint-url "$url" ec2 describe-images

cat > stack.json << 'END'
{"Parameters": {"Image": {"Type": "String"}}, "Resources": {
	"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}},
	"Machine": {"Type": "AWS::EC2::Instance", "Properties": {"ImageId": {"Ref": "Image"}}}},
	"Outputs": {"Machine": {"Value": {"Ref": "Machine"}}}}
END
exits 254 'InsufficientCapabilities' "a stack with a role" client cloudformation create-stack --stack-name machine \
	--template-body file://stack.json --parameters ParameterKey=Image,ParameterValue="$image"
exits 0 '' "and with leave to make one" client cloudformation create-stack --stack-name machine --capabilities CAPABILITY_IAM \
	--template-body file://stack.json --parameters ParameterKey=Image,ParameterValue="$image"
for _ in 1 2 3 4; do client cloudformation describe-stacks --stack-name machine > out; done
is "$(jq -c '.Stacks[] | [.StackStatus, .Outputs[0].OutputKey]' out)" '["CREATE_COMPLETE","Machine"]' "is there in a while"
exits 0 '' "cloudformation delete-stack" client cloudformation delete-stack --stack-name machine
for _ in 1 2 3 4; do client cloudformation describe-stacks --stack-name machine > out 2> err || :; done
like "$(cat err)" 'Stack with id machine does not exist' "takes it away"

# ---- what a server that is started again still knows
stop
start
exits 0 '' "after a new start" client ec2 describe-images --image-ids "$image"
is "$(jq -r '.Images[].Name' out)" "by-hand" "images are there"
exits 0 '' "and again" "$rehearsal" export "$snapshot" again.raw --data data
ok "snapshots are the same" cmp image.raw again.raw
is "$(awk -F '\t' '$2 == "PutSnapshotBlock" { print $3, $4, $5, $6, $7 }' data/requests)" \
	"201 - us-east-1 $snapshot/7 524288" "the block's request stands in the list"
exits 0 '' "images can be deregistered" client ec2 deregister-image --image-id "$image"
exits 0 '' "and then snapshots deleted" client ec2 delete-snapshot --snapshot-id "$snapshot"
is "$(ls data/blocks)" "" "which leaves no blocks"

# ---- botocore
python3 "$root/tests/sh/rehearsal.py" "$url" "$rehearsal" data > python.tap 2> python.err || note python.err
while read -r line; do
	case $line in
	'ok '*) tap 0 "botocore: ${line#ok * - }" ;;
	'not ok '*) tap 1 "botocore: ${line#not ok * - }" || : ;;
	'#'*) echo "$line" ;;
	esac
done < python.tap
like "$(tail -n 1 python.tap)" '^1\.\.[0-9]+$' "botocore's tests came to their end"

# ---- its own page
# shellcheck disable=SC2016 # no expansion is meant
is "$(sed -n '/^## Faults/,/^## Settings/s/^| `\([a-z-]*\)` |.*|.*|$/\1/p' "$root/upload/rehearsal/README.md" | \
	grep -vxE 'fault|operation|after|every|times' | sort | tr '\n' ' ')" \
	"$(sed -n 's/.*\.name = "\([a-z-]*\)".*/\1/p' "$root/upload/rehearsal/fault.c" | sort | tr '\n' ' ')" \
	"README.md has each fault, and no other"

# ---- what is no client
is "$(curl -s -o /dev/null -w '%{http_code}' -d 'Action=DescribeImages&Version=2016-11-15' "$url/")" 400 "a form without a signature"
is "$(curl -s -o /dev/null -w '%{http_code}' -H 'Authorization: AWS4-HMAC-SHA256 rubbish' "$url/snapshots" -d '{}')" 403 \
	"a signature that is none"
is "$(curl -s -o /dev/null -w '%{http_code}' "$url/snapshots/%zz/blocks")" 404 "a path that is none"
like "$(curl -s -d '{"faults": [{"fault": "thunder"}]}' "$url/_rehearsal/faults")" 'is no fault' "a fault that there is not"
like "$(curl -s -d '{"faults": [{"fault": "throttle", "ms": 3}]}' "$url/_rehearsal/faults")" 'ms is not known' \
	"a field that the fault does not have"
like "$(curl -s -d '{"page_size": -1}' "$url/_rehearsal/settings")" 'page_size must be' "a setting out of its range"
kill -TERM "$server"
wait "$server" || code=$?
server=''
is "${code:-0}" 0 "SIGTERM ends the server in order"
is "$(grep -c 'ERROR: AddressSanitizer\|runtime error' server.log)" 0 "which found nothing wrong with itself"

finish
