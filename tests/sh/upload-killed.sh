#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fifty times an upload is killed, at points spread over all that it does, and the next call goes on: in the end there is one
# snapshot, which is the disk, and one image.
set -eu
. tests/sh/lib.sh
. tests/sh/upload/lib.sh

rehearsal_start
mkdir "$tmp/a"
raw=$tmp/a/tiny.raw
# Every call takes a while, so that chance falls on all of them and not on the blocks alone.
faults '{"fault": "slow", "operation": "*", "ms": 25, "times": 0}'

# Milliseconds from 10 on, always the same ones: what fails once can be tried again.
seed=1
random_ms() { # most
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	echo $((10 + seed / 65536 % $1))
}
killed() { # ms: 0 when it was, 1 when it had ended before
	"$UPLOAD" --quiet upload "$raw" --connections 2 > "$tmp/out" 2> "$tmp/err" &
	pid=$!
	sleep "$(awk "BEGIN { print $1 / 1000 }")"
	kill -9 $pid 2>/dev/null || return 1
	status=0
	wait $pid 2>/dev/null || status=$?
	[ $status -eq 137 ]
}

kills=0 round=0
while [ $kills -lt 50 ]; do
	round=$((round + 1))
	disk new "$raw" 8 "$round"
	disk describe "$raw"
	rm -rf "$tmp/a/uploads"
	at=
	for _ in 1 2 3 4 5 6 7; do
		ms=$(random_ms 400)
		killed "$ms" || break
		kills=$((kills + 1)) at="$at $ms"
	done
	exits 0 "" "round $round: goes on after kills at$at ms" "$UPLOAD" upload "$raw"
	is "$(count_living snap) $(count_living ami)" "1 1" "  one snapshot and one image"
	ok "  the snapshot is the disk" readable_as "$raw"
	ok "  and the image is named" registered "$tmp/a"
	"$UPLOAD" --quiet deregister "$(living ami)" > /dev/null
done
ok "there were $kills kills" test "$kills" -ge 50
finish
