#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Somebody else's server understands what kiln-upload sends: moto (Debian's python3-moto), which checks signatures with
# botocore's code. Its packages are fetched by Kiln, unpacked, and entered by chroot; the server listens on the loopback
# interface. Of EBS and EC2 moto knows too little for a whole upload: it says that blocks have 512 bytes and keeps
# none of an image's fields. So what is tried is signatures, and the template.
set -eu
. tests/sh/lib.sh
require jq dpkg-deb unshare chroot curl

upload=${KILN%/*}/kiln-upload put_blocks=${KILN%/*}/tests/bench/put_blocks
[ -x "$put_blocks" ] || { echo "Bail out! $put_blocks is not there: make bench-programs"; exit 1; }
store=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}/store
# shellcheck disable=SC2154 # lib.sh makes it
root=$tmp/root
cp -r tests/hosts/moto "$tmp/moto"
for manifest in "${KILN_TEST_DISK:-build/out/mpc/disk}" build/out/mpc/disk out/mpc/disk; do
	[ ! -e "${manifest%/*}/manifest.json" ] || break
done
cp "${manifest%/*}/manifest.json" "$tmp/manifest.json" || { echo "Bail out! no image: make demo"; exit 1; }

exits 0 '' "moto is fetched" "$KILN" fetch "$tmp/moto"
mkdir -p "$root/proc" "$root/dev"
jq -r '.sets.image.packages[].sha256' "$tmp/moto/kiln.lock" | while read -r sha256; do
	dpkg-deb -x "$store/$(echo "$sha256" | cut -c 1-2)/$sha256" "$root"
done
# What update-ca-certificates would do; no maintainer script has run.
mkdir -p "$root/etc/ssl/certs"
cat "$root"/usr/share/ca-certificates/mozilla/*.crt > "$root/etc/ssl/certs/ca-certificates.crt"
cd "$tmp"

url=
server=
trap 'stop; rm -rf "$tmp"' EXIT
cat > enter <<'END'
mount --rbind /dev "$1/dev"
exec chroot "$1" /usr/bin/env -i PATH=/usr/bin HOME=/tmp MOTO_EC2_LOAD_DEFAULT_AMIS=false $3 \
	/usr/bin/moto_server -H 127.0.0.1 -p "$2"
END
stop() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || :
	server=
}
serve() { # port, variable of its environment
	stop
	unshare --user --map-root-user --mount sh enter "$root" "$1" "$2" > server.log 2>&1 &
	server=$!
	url=http://127.0.0.1:$1
	for _ in $(seq 300); do
		! curl -s -o /dev/null "$url/moto-api/" || break
		sleep 0.1
	done
}
port=$((20000 + $$ % 20000))
serve "$port" INITIAL_NO_AUTH_ACTION_COUNT=3

# The first three calls are not checked: they make the key that is.
iam() { # parameters
	curl -sf "$url/" -d "Version=2010-05-08&$1" -H "Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0"
}
iam 'Action=CreateUser&UserName=uploader' > user.xml || { note server.log; echo "Bail out! moto does not answer"; exit 1; }
iam 'Action=CreateAccessKey&UserName=uploader' > key.xml
policy='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
iam "Action=PutUserPolicy&UserName=uploader&PolicyName=all&PolicyDocument=$(printf %s "$policy" | jq -sRr @uri)" > policy.xml
AWS_ACCESS_KEY_ID=$(sed -n 's:.*<AccessKeyId>\(.*\)</AccessKeyId>.*:\1:p' key.xml)
AWS_SECRET_ACCESS_KEY=$(sed -n 's:.*<SecretAccessKey>\(.*\)</SecretAccessKey>.*:\1:p' key.xml)
AWS_ENDPOINT_URL=$url AWS_REGION=us-east-1
AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL AWS_REGION AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE \
	AWS_EC2_METADATA_DISABLED

# shellcheck disable=SC2317 # exits calls it
wrong() { # command...
	AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY}x "$@"
}
head -c 3000000 /dev/urandom > disk
exits 0 '' "blocks, whose bodies are not signed, are taken" "$put_blocks" "127.0.0.1:$port" disk 4
exits 1 '' "with another secret they are not" wrong "$put_blocks" "127.0.0.1:$port" disk 4
exits 0 '' "EC2's forms are taken" "$upload" list
exits 3 '' "with another secret they are not" wrong "$upload" list

# The template is read by somebody else, and what it describes is made; S3's bucket policies alone moto does not know. It
# checks a signature over a form as it would have encoded it, and not as it came, so nothing is checked here.
serve $((port + 1)) LANG=C.UTF-8
AWS_ENDPOINT_URL=$url
exits 0 'CREATE_COMPLETE' "a stack is made" "$upload" deploy create one manifest.json \
	--image-id ami-0123456789abcdef0 --cidr 203.0.113.7/32 || note server.log
like "$(cat out)" '^KeyArn +arn:aws:kms:' "with a key"
like "$(cat out)" '^InstanceId +i-' "and a machine"
exits 0 '' "its events are shown" "$upload" deploy events one
finish
