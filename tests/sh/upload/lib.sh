# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# For tests of the uploader against the rehearsal server: source after tests/sh/lib.sh.
# shellcheck disable=SC2034,SC2154 # for and of those who source this

UPLOAD=${KILN%/*}/kiln-upload
REHEARSAL=${KILN%/*}/kiln-rehearsal
require python3 jq curl
server=

# Nothing of the caller's reaches a client, and no client anything but the server.
unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_DEFAULT_REGION AWS_SESSION_TOKEN AWS_CA_BUNDLE
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=AKIDREHEARSAL AWS_SECRET_ACCESS_KEY=rehearsal/secret/1234567890
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/nonexistent AWS_SHARED_CREDENTIALS_FILE=/nonexistent

rehearsal_start() { # on $tmp/data; started again it goes on with what is there
	printf '%s\n' "$AWS_SECRET_ACCESS_KEY" > "$tmp/secret"
	rm -f "$tmp/port"
	"$REHEARSAL" --data "$tmp/data" --port-file "$tmp/port" --access-key "$AWS_ACCESS_KEY_ID" \
		--secret-file "$tmp/secret" > "$tmp/rehearsal.log" 2>&1 &
	server=$!
	while [ ! -e "$tmp/port" ]; do
		kill -0 "$server" 2>/dev/null || { echo "Bail out! the rehearsal server did not start"; note "$tmp/rehearsal.log"; exit 1; }
		sleep 0.05
	done
	AWS_ENDPOINT_URL=http://127.0.0.1:$(cat "$tmp/port")
	export AWS_ENDPOINT_URL
}
rehearsal_stop() {
	[ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; } || :
	server=
}
trap 'rehearsal_stop; rm -rf "$tmp"' EXIT

faults() { # JSON of the list's members; none: no faults any more
	if [ $# -eq 0 ]; then
		curl -sS -f -X DELETE "$AWS_ENDPOINT_URL/_rehearsal/faults" > /dev/null
	else
		curl -sS -f -d "{\"faults\": [$1]}" "$AWS_ENDPOINT_URL/_rehearsal/faults" > /dev/null
	fi
}

disk() { python3 tests/sh/upload/disk.py "$@"; }

asked() { # operation: how often the server was asked so
	awk -F '\t' -v what="$1" '$2 == what' "$tmp/data/requests" 2>/dev/null | wc -l
}
forget_requests() { : > "$tmp/data/requests"; }
# Ids of what is there.
living() { # snap or ami
	for object in "$tmp/data/objects/$1"-*; do
		[ ! -e "$object" ] || grep -q '^Gone	.' "$object" || echo "${object##*/}"
	done
}
count_living() { living "$1" | wc -l; }

# The snapshot of the image that the results name is the disk, byte for byte.
readable_as() { # disk
	beside=$(dirname "$1")
	snapshot=$(jq -r .SnapshotId "$beside/pcr_measurements.json")
	rm -f "$tmp/export.raw"
	"$REHEARSAL" export "$snapshot" "$tmp/export.raw" --data "$tmp/data" && disk same "$1" "$tmp/export.raw"
}
# The image that EC2 has is the one that the results name, and of that snapshot.
registered() { # dir
	image=$(jq -r .ImageId "$1/pcr_measurements.json")
	[ "$(living ami)" = "$image" ] &&
		grep -q "^BlockDeviceMapping.1.Ebs.SnapshotId	$(jq -r .SnapshotId "$1/pcr_measurements.json")\$" \
			"$tmp/data/objects/$image"
}
