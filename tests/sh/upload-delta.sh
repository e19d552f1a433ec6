#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Over a chain of images only what changed travels, and each snapshot is its disk all the same: with the records beside the
# disk, without them, and from another machine.
set -eu
. tests/sh/lib.sh
. tests/sh/upload/lib.sh

rehearsal_start
mkdir "$tmp/a" "$tmp/b" "$tmp/c"
raw=$tmp/a/tiny.raw
disk new "$raw" 32 1
disk describe "$raw" 1
exits 0 "" "the first image is sent whole" "$UPLOAD" upload "$raw"
is "$(asked PutSnapshotBlock)" "$(disk data "$raw")" "every block of it"
first=$(jq -r .SnapshotId "$tmp/a/pcr_measurements.json")

sends_little() { # about, disk
	ok "  at most the six blocks that changed travel: $1" test "$(asked PutSnapshotBlock)" -le 6
	ok "  and some do" test "$(asked PutSnapshotBlock)" -ge 3
	ok "  the snapshot is the disk" readable_as "$2"
}
for version in 2 3 4; do
	disk change "$raw" "$version"
	disk describe "$raw" "$version"
	forget_requests
	exits 0 "" "version $version is sent over the one before" "$UPLOAD" upload "$raw"
	sends_little "version $version" "$raw"
	is "$(asked GetSnapshotBlock)" 0 "  and nothing is read back"
done
third=$(jq -r .SnapshotId "$tmp/a/pcr_measurements.json")

# ---------------------------------------------------------------- an older parent
disk change "$raw" 5
disk describe "$raw" 5
forget_requests
exits 0 "" "an older snapshot can be the parent" "$UPLOAD" upload "$raw" --parent "$first"
ok "  the snapshot is the disk" readable_as "$raw"
is "$(asked GetSnapshotBlock)" 0 "  its record is still there"

# ---------------------------------------------------------------- another machine
cp "$raw" "$tmp/b/tiny.raw"
disk change "$tmp/b/tiny.raw" 6
disk describe "$tmp/b/tiny.raw" 6
curl -sS -f -d '{"page_size": 7}' "$AWS_ENDPOINT_URL/_rehearsal/settings" > /dev/null
forget_requests
exits 0 "it is read from EBS" "without a record the parent is read" "$UPLOAD" upload "$tmp/b/tiny.raw" --parent "$third"
ok "  by listing it" test "$(asked ListSnapshotBlocks)" -ge 3
ok "  and getting its blocks" test "$(asked GetSnapshotBlock)" -ge 20
ok "  the snapshot is the disk" readable_as "$tmp/b/tiny.raw"
ok "  and less than all travels" test "$(asked PutSnapshotBlock)" -lt "$(disk data "$tmp/b/tiny.raw")"

# ---------------------------------------------------------------- a record of an ancestor
cp "$raw" "$tmp/c/tiny.raw"
disk change "$tmp/c/tiny.raw" 7
disk describe "$tmp/c/tiny.raw" 7
mkdir "$tmp/c/uploads"
cp "$tmp/a/uploads/$first.blocks" "$tmp/c/uploads/"
forget_requests
exits 0 "it is read from EBS" "with the record of an ancestor only what changed since is read" \
	"$UPLOAD" upload "$tmp/c/tiny.raw" --parent "$third"
ok "  by listing the changes" test "$(asked ListChangedBlocks)" -ge 1
is "$(asked ListSnapshotBlocks)" 0 "  and not all blocks"
ok "  of which few are got" test "$(asked GetSnapshotBlock)" -le 18
ok "  the snapshot is the disk" readable_as "$tmp/c/tiny.raw"

# ---------------------------------------------------------------- damage on the way back
rm -rf "$tmp/c/uploads"
disk change "$tmp/c/tiny.raw" 8
disk describe "$tmp/c/tiny.raw" 8
faults '{"fault": "corrupt", "operation": "GetSnapshotBlock", "every": 4, "times": 5},
	{"fault": "wrong-checksum", "operation": "GetSnapshotBlock", "every": 5, "times": 5},
	{"fault": "cut-answer", "operation": "GetSnapshotBlock", "bytes": 1000, "every": 6, "times": 5},
	{"fault": "throttle", "operation": "ListSnapshotBlocks", "times": 2}'
exits 0 "" "blocks that come back damaged are got again" "$UPLOAD" upload "$tmp/c/tiny.raw" --parent "$third"
faults
ok "  the snapshot is the disk" readable_as "$tmp/c/tiny.raw"

# ---------------------------------------------------------------- the record lies, the parent is gone, all of it
newest=$tmp/a/uploads/$(jq -r .SnapshotId "$tmp/a/pcr_measurements.json").blocks
printf x | dd of="$newest" bs=1 seek=200 conv=notrunc status=none
disk change "$raw" 9
disk describe "$raw" 9
exits 0 "damaged, its own checksum says" "a damaged record is passed over" "$UPLOAD" upload "$raw"
ok "  the snapshot is the disk" readable_as "$raw"

for id in $(living ami); do "$UPLOAD" --quiet deregister "$id" > /dev/null; done
disk change "$raw" 10
disk describe "$raw" 10
forget_requests
exits 0 "is no parent, it is gone: all blocks are sent" "without the last snapshot all is sent" "$UPLOAD" upload "$raw"
is "$(asked PutSnapshotBlock)" "$(disk data "$raw")" "  every block"
ok "  the snapshot is the disk" readable_as "$raw"

disk change "$raw" 11
disk describe "$raw" 11
forget_requests
exits 0 "" "and with --full" "$UPLOAD" upload "$raw" --full
is "$(asked PutSnapshotBlock)" "$(disk data "$raw")" "  every block"
ok "  the snapshot is the disk" readable_as "$raw"
finish
