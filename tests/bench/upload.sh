#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kiln-upload against the rehearsal server: its time against a plain loop that puts the same blocks, its memory for a
# disk full of data and for one that is mostly a hole, the time to the first block, and what a changed file costs. For the
# last two images of IMAGE (rootfs/images/mpc) are built, with its lock and every locked package in the store.
# ROWS="time memory first delta" chooses.
# shellcheck disable=SC2016,SC2034 # lib.sh evaluates the command lines
set -eu
. tests/bench/lib.sh
require jq curl python3

upload=$B/kiln-upload rehearsal=$B/kiln-rehearsal
put_blocks=$(program put_blocks)
IMAGE=${IMAGE:-rootfs/images/mpc} ROWS=${ROWS:-time memory first delta}
name=$(basename "$IMAGE")
server='' server_data=$bench_tmp/data
trap 'stop; rm -rf "$bench_tmp"' EXIT

AWS_ACCESS_KEY_ID=AKIDREHEARSAL AWS_SECRET_ACCESS_KEY=bench AWS_REGION=us-east-1
AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE \
	AWS_EC2_METADATA_DISABLED
echo "$AWS_SECRET_ACCESS_KEY" > "$bench_tmp/secret"

wanted() { # row
	case " $ROWS " in *" $1 "*) return 0 ;; *) return 1 ;; esac
}

stop() {
	[ -z "$server" ] || { kill "$server"; wait "$server" 2> /dev/null || :; }
	server=''
}

# A server that knows nothing yet; sets $address.
fresh() {
	stop
	rm -rf "$server_data" "$bench_tmp/port"
	"$rehearsal" --data "$server_data" --port-file "$bench_tmp/port" --access-key "$AWS_ACCESS_KEY_ID" \
		--secret-file "$bench_tmp/secret" > "$bench_tmp/server.log" 2>&1 &
	server=$!
	while [ ! -e "$bench_tmp/port" ]; do
		kill -0 "$server" 2> /dev/null || die "the server does not start: $(cat "$bench_tmp/server.log")"
		sleep 0.05
	done
	address=127.0.0.1:$(cat "$bench_tmp/port")
	AWS_ENDPOINT_URL=http://$address
	export AWS_ENDPOINT_URL
}

# A finished disk, with what a proof leaves beside it.
finished() { # dir, with disk.raw in it
	python3 tests/sh/upload/disk.py describe "$1/disk.raw"
	mkdir "$1/finished"
	mv "$1"/*.json "$1/finished/"
}

# Nor do we know of an earlier upload: it would make the next one short.
fresh_for() { # dir
	fresh
	find "$1" -mindepth 1 -maxdepth 1 ! -name disk.raw ! -name finished -exec rm -rf {} +
	cp "$1"/finished/*.json "$1/"
}

sent() { # bytes of blocks
	awk -F '\t' '$2 == "PutSnapshotBlock" && $3 == 201 { n += $7 } END { printf "%d\n", n }' "$server_data/requests"
}

# Microseconds from the start of the command until the server has a first block. Over one connection: with many, all the
# first blocks are there at about the same time, which says how fast they go, and not when.
first_block() { # disk
	begun=$(date +%s%N)
	"$upload" upload "$1" --connections 1 > "$bench_tmp/out" 2> "$bench_tmp/err" &
	client=$!
	until grep -q PutSnapshotBlock "$server_data/requests" 2> /dev/null; do
		kill -0 "$client" 2> /dev/null || break
		sleep 0.005
	done
	ended=$(date +%s%N)
	grep -q PutSnapshotBlock "$server_data/requests" || die "no block came: $(tail -n 2 "$bench_tmp/err")"
	wait "$client" || :
	echo "$(((ended - begun) / 1000))"
}

command='"$upload" upload "$disk"'

if wanted time || wanted memory; then
	mkdir "$bench_tmp/full"
	disk=$bench_tmp/full/disk.raw
	head -c 1G /dev/urandom > "$disk"
	finished "$bench_tmp/full"
fi
if wanted time; then
	pairs 5 "$command" '"$put_blocks" "$address" "$disk" 64' 'fresh_for "$bench_tmp/full"' fresh
	figure "upload of 1 GiB" "a plain curl-multi loop, same blocks, same server" 1.11
fi
if wanted memory; then
	runs 1 "$command" 'fresh_for "$bench_tmp/full"'
	figure_number "its peak memory, 1 GiB of data" MiB 200 $((rss / 1024))
fi
rm -rf "$bench_tmp/full"

if wanted memory || wanted first; then
	# As much data as the first image has.
	mkdir "$bench_tmp/sparse"
	disk=$bench_tmp/sparse/disk.raw
	head -c 80M /dev/urandom > "$disk"
	truncate -s 40G "$disk"
	finished "$bench_tmp/sparse"
fi
if wanted memory; then
	runs 1 "$command" 'fresh_for "$bench_tmp/sparse"'
	figure_number "its peak memory, 40 GiB with 80 MiB of data" MiB 200 $((rss / 1024))
fi
if wanted first; then
	: > "$bench_tmp/a"
	for _ in 1 2 3 4 5; do
		fresh_for "$bench_tmp/sparse"
		first_block "$disk" >> "$bench_tmp/a"
	done
	# shellcheck disable=SC2034,SC2046 # three words, for figure_seconds
	{
		set -- $(median < "$bench_tmp/a")
		wall=$1 wall_least=$2 wall_most=$3
	}
	figure_seconds "start of the upload to its first block, 40 GiB with 80 MiB of data" 0.3
fi
rm -rf "$bench_tmp/sparse"

wanted delta || exit 0
fresh
mkdir -p "$bench_tmp/images"
cp -r "$IMAGE" "$bench_tmp/images/"
cp -r "$IMAGE/../../services" "$bench_tmp/"
image=$bench_tmp/images/$name
build() { # out
	"$KILN" build "$image" -o "$bench_tmp/$1" > "$bench_tmp/out" 2> "$bench_tmp/err" || die "$(tail -n 1 "$bench_tmp/err")"
}
build before
"$upload" upload "$bench_tmp/before/$name"/*.raw --unproven > "$bench_tmp/out" 2>&1 || die "$(tail -n 1 "$bench_tmp/out")"
whole=$(sent)
snapshot=$(jq -r '.uploads[-1].snapshot' "$bench_tmp/before/$name/manifest.json")
file=$(find "$image/root" -type f | sort | head -n 1)
echo '# changed' >> "$file"
build after
"$upload" upload "$bench_tmp/after/$name"/*.raw --unproven --parent "$snapshot" > "$bench_tmp/out" 2>&1 ||
	die "$(tail -n 1 "$bench_tmp/out")"
figure_of "bytes for an image with one changed file" "the whole image" 0.05 $(($(sent) - whole)) "$whole"
