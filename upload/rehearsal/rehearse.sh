#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The road from a finished disk to a registered image without AWS: `make rehearsal`. The rehearsal server stands in for
# EBS, EC2 and STS and is told to misbehave as they do; the uploader is the one that goes to AWS. What it writes beside a
# disk goes beside a copy. Usage: rehearse.sh BUILD DISK
set -eu
build=$1 disk=$2
upload=$build/kiln-upload rehearsal=$build/kiln-rehearsal
[ -f "$disk" ] || { echo "rehearse: there is no disk $disk; make demo builds one" >&2; exit 2; }

work=$(mktemp -d "${TMPDIR:-/var/tmp}/kiln-rehearsal-XXXXXX")
server=''
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cp --sparse=always --reflink=auto "$disk" "$work/"
for beside in manifest.json pcr_measurements.json boot-proof.json; do
	[ ! -f "${disk%/*}/$beside" ] || cp "${disk%/*}/$beside" "$work/"
done
disk=$work/${disk##*/}
# A rehearsal needs no proof; an upload does.
unproven=''
[ -f "$work/boot-proof.json" ] || unproven=--unproven

say() { printf '\n== %s\n' "$1"; }
run() {
	printf '$ %s' "${1##*/}"
	shown=$1
	shift
	for word; do printf ' %s' "${word##"$work"/}"; done
	printf '\n'
	"$shown" "$@"
}

# ---- the server
AWS_ACCESS_KEY_ID=AKIDREHEARSAL AWS_SECRET_ACCESS_KEY=$(od -An -N20 -tx1 /dev/urandom | tr -d ' \n') AWS_REGION=eu-central-1
AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE
unset AWS_PROFILE AWS_SESSION_TOKEN http_proxy HTTP_PROXY all_proxy ALL_PROXY
(umask 077 && echo "$AWS_SECRET_ACCESS_KEY" > "$work/secret")
say "the rehearsal server stands in for AWS; nothing leaves this machine"
"$rehearsal" --quiet serve --data "$work/aws" --port-file "$work/port" --access-key "$AWS_ACCESS_KEY_ID" \
	--secret-file "$work/secret" &
server=$!
while [ ! -e "$work/port" ]; do
	kill -0 "$server" || exit 3
	sleep 0.1
done
AWS_ENDPOINT_URL=http://127.0.0.1:$(cat "$work/port")
export AWS_ENDPOINT_URL
fault() { curl -sf -X DELETE "$AWS_ENDPOINT_URL/_rehearsal/faults" > /dev/null &&
	curl -sf -d "{\"faults\": [$1]}" "$AWS_ENDPOINT_URL/_rehearsal/faults" > /dev/null; }
requests() { awk -F '\t' -v operation="$1" -v status="$2" '$2 == operation && $3 ~ status' "$work/aws/requests" | wc -l; }
run "$upload" identity

# ---- the road
say "what would travel"
# shellcheck disable=SC2086 # one word or none
run "$upload" upload "$disk" $unproven --dry-run

say "the upload is killed on its way"
fault '{"fault": "slow", "operation": "PutSnapshotBlock", "ms": 200, "times": 0}'
# shellcheck disable=SC2086
"$upload" upload "$disk" $unproven > /dev/null 2>&1 &
uploader=$!
for _ in $(seq 300); do
	[ "$(requests PutSnapshotBlock 201 2> /dev/null)" -lt 100 ] || break
	sleep 0.1
done
kill -9 "$uploader" 2> /dev/null || :
wait "$uploader" 2> /dev/null || :
printf 'killed after %s blocks\n' "$(requests PutSnapshotBlock 201)"

say "and goes on, over throttling, errors, lost answers and connections that are cut"
fault '{"fault": "throttle", "operation": "PutSnapshotBlock", "every": 7, "times": 20},
	{"fault": "internal-error", "operation": "PutSnapshotBlock", "every": 11, "times": 10},
	{"fault": "lost-answer", "operation": "PutSnapshotBlock", "every": 13, "times": 10},
	{"fault": "cut-request", "operation": "PutSnapshotBlock", "bytes": 1000, "every": 17, "times": 5},
	{"fault": "wrong-checksum", "operation": "PutSnapshotBlock", "after": 50, "times": 1},
	{"fault": "pending", "operation": "DescribeSnapshots", "times": 2},
	{"fault": "lost-answer", "operation": "RegisterImage", "times": 1}'
# shellcheck disable=SC2086
run "$upload" upload "$disk" $unproven

say "the snapshot, read back, is the disk"
snapshot=$(awk '$1 == "State" && $2 == "completed" { sub(/.*\//, "", FILENAME); print FILENAME }' "$work"/aws/objects/snap-*)
run "$rehearsal" export "$snapshot" "$work/read-back.raw" --data "$work/aws"
run cmp -n "$(stat -c %s "$disk")" "$disk" "$work/read-back.raw"
printf '%s blocks arrived, in %s requests; images registered: %s\n' \
	"$(od -An -v -tu1 "$work/aws/blocks/$snapshot/writes" | tr -s ' ' '\n' | grep -c '[1-9]')" \
	"$(requests PutSnapshotBlock .)" "$(find "$work/aws/objects" -name 'ami-*' | wc -l)"

say "what there is, and away with it"
run "$upload" list
image=$(find "$work/aws/objects" -name 'ami-*' -printf '%f\n')
run "$upload" deregister "$image"
run "$upload" list
