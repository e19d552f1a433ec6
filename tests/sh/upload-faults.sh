#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whatever the service does, nothing is lost, nothing is there twice, and the image that is named is the right one: for
# each fault the disk is uploaded and read back.
set -eu
. tests/sh/lib.sh
. tests/sh/upload/lib.sh

rehearsal_start
mkdir "$tmp/a"
raw=$tmp/a/tiny.raw
number=0

next_disk() {
	number=$((number + 1))
	rm -rf "$tmp/a/uploads"
	disk new "$raw" 8 "$number"
	disk describe "$raw"
	for id in $(living ami); do "$UPLOAD" --quiet deregister "$id" > /dev/null; done
	for id in $(living snap); do "$UPLOAD" --quiet deregister "$id" > /dev/null; done
}
one_of_each() { # about
	is "$(count_living snap) $(count_living ami)" "1 1" "  one snapshot and one image: $1"
	ok "  which is the disk" readable_as "$raw"
	ok "  and is named" registered "$tmp/a"
}
survives() { # about, faults
	next_disk
	faults "$2"
	exits 0 "" "survives: $1" "$UPLOAD" upload "$raw" --connections 8
	faults
	one_of_each "$1"
}
# Ends with a sentence and goes on when called again, without the fault.
ends() { # code, regex, about, faults, more options...
	code=$1 regex=$2 about=$3 fault=$4
	shift 4
	next_disk
	faults "$fault"
	exits "$code" "$regex" "ends: $about" "$UPLOAD" upload "$raw" --connections 8 "$@"
	faults
	ok "  not more than one image" test "$(count_living ami)" -le 1
	exits 0 "" "  and goes on" "$UPLOAD" upload "$raw" --connections 8
	one_of_each "$about"
}
f() { # fault, operation, more members
	printf '{"fault": "%s", "operation": "%s"%s}' "$1" "$2" "${3:+, $3}"
}

survives "blocks that are throttled" "$(f throttle PutSnapshotBlock '"times": 20')"
survives "at most 4 blocks a second" "$(f rate PutSnapshotBlock '"per_second": 4, "times": 0')"
survives "at most 2 blocks at once" "$(f concurrency PutSnapshotBlock '"limit": 2, "times": 0')"
survives "errors of the service" "$(f internal-error PutSnapshotBlock '"every": 3, "times": 6')"
survives "a load balancer's page" "$(f unavailable PutSnapshotBlock '"every": 2, "times": 5')"
survives "a snapshot that is not known for a while" "$(f not-found PutSnapshotBlock '"ms": 2500, "times": 0')"
survives "connections cut while a block is sent" "$(f cut-request PutSnapshotBlock '"bytes": 100000, "every": 3, "times": 4')"
survives "connections cut before the answer" "$(f lost-answer PutSnapshotBlock '"every": 3, "times": 4')"
survives "answers cut" "$(f cut-answer PutSnapshotBlock '"bytes": 0, "every": 3, "times": 4')"
survives "answers that are noise" "$(f garbage PutSnapshotBlock '"every": 3, "times": 4')"
survives "slow answers" "$(f slow PutSnapshotBlock '"ms": 300, "times": 0')"
survives "checksums of other bytes" "$(f wrong-checksum PutSnapshotBlock '"every": 3, "times": 4')"
survives "a block that is confirmed and not kept" "$(f drop-block PutSnapshotBlock '"after": 2')"
survives "a start whose answer is lost" "$(f lost-answer StartSnapshot)"
survives "a start that is throttled" "$(f throttle StartSnapshot '"times": 2')"
survives "a completion whose answer is lost" "$(f lost-answer CompleteSnapshot)"
survives "a completion that fails at first" "$(f internal-error CompleteSnapshot '"times": 2')"
survives "a snapshot that is pending for a while" "$(f pending DescribeSnapshots '"times": 2')"
survives "a registration whose answer is lost" "$(f lost-answer RegisterImage)"
survives "a registration that is throttled" "$(f throttle RegisterImage '"times": 2')"
survives "a registration that fails at first" "$(f internal-error RegisterImage)"
survives "a registration whose answer is noise" "$(f garbage RegisterImage)"
survives "an image that is pending for a while" "$(f pending DescribeImages '"after": 1, "times": 2')"
survives "errors everywhere" "$(f internal-error '*' '"every": 5, "times": 8')"
survives "lost answers everywhere" "$(f lost-answer '*' '"every": 5, "times": 8')"

ends 3 'ebs:PutSnapshotBlock' "a permission that is missing" "$(f access-denied PutSnapshotBlock '"after": 3, "times": 0')"
ends 3 'ec2:RegisterImage' "another one that is missing" "$(f access-denied RegisterImage '"times": 0')"
ends 2 'has ended, and there is no newer one' "a session that has ended" "$(f expired-token PutSnapshotBlock '"after": 3, "times": 0')" \
	--timeout 4
ends 3 'nothing has got through for 2 seconds' "blocks that never get through" \
	"$(f internal-error PutSnapshotBlock '"after": 3, "times": 0')" --timeout 2
ends 3 'has stood at .* for 2 seconds' "a snapshot that is pending for ever" "$(f pending DescribeSnapshots '"times": 0')" \
	--timeout 2
ends 3 'is not available after 2 seconds' "an image that is pending for ever" \
	"$(f pending DescribeImages '"after": 1, "times": 0')" --timeout 2
finish
