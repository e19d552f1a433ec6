#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kiln-upload's transport as a program: who it says it is, whom it trusts, what it keeps to itself. The server is
# OpenSSL's own, which sends what it is given to whoever connects.
set -eu
. tests/sh/lib.sh
require openssl strace
upload=${KILN%/*}/kiln-upload
# shellcheck disable=SC2154 # lib.sh makes it
cd "$tmp"
mkdir home
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY
export HOME="$tmp/home" AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1

# ---- use
exits 2 'unknown verb "bake"; "kiln-upload help" lists them' "an unknown verb, by the program's name" "$upload" bake
exits 2 'kiln-upload identity: unknown option "--hot"' "an unknown option" "$upload" identity --hot
exits 0 '' "--help" "$upload" identity --help
like "$(cat out)" '^usage: kiln-upload identity' "says how it is used"
exits 2 'no region: give --region, set AWS_REGION' "no region" "$upload" identity
exits 2 '"us-east" is no region' "a region that is none" "$upload" identity --region us-east
exits 2 'no credentials for AWS; looked at: the environment \(.*\); the profile "default" of .*; web identity \(.*\); the container \(.*\); the EC2 instance' \
	"no credentials: what was looked at" "$upload" identity --region us-east-1

# ---- a server, and whom to trust
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out ca.pem -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
cat > body <<'XML'
<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/up</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>
XML
printf 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n' "$(wc -c < body)" | cat - body > answer
# shellcheck disable=SC2317 # ask() calls it
serve() { # for one connection; sets $port
	rm -f s_server.log
	(cat answer; sleep 5) | openssl s_server -accept 127.0.0.1:0 -naccept 1 -cert ca.pem -key key.pem > s_server.log 2>&1 &
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' s_server.log 2>/dev/null)
		[ -z "$port" ] || return 0
		sleep 0.3
	done
	echo "Bail out! the server does not start"
	exit 1
}
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=open-sesame AWS_SESSION_TOKEN=sesame-token AWS_REGION=us-east-1
# shellcheck disable=SC2317 # exits() calls it
ask() { # what goes before
	serve
	env AWS_ENDPOINT_URL="https://localhost:$port" "$@" "$upload" -v identity
}
exits 3 'sts:GetCallerIdentity: localhost:[0-9]+: no answer: .*certificate' "a server that nobody vouches for" ask
exits 0 '' "one that AWS_CA_BUNDLE vouches for" ask AWS_CA_BUNDLE="$tmp/ca.pem"
is "$(tr -s ' ' < out)" "account 123456789012
identity arn:aws:iam::123456789012:user/up
region us-east-1
credentials of the environment" "says who it takes us for"
like "$(cat err)" 'AWS: region us-east-1, credentials of the environment' "--verbose says more"
result "$(grep -n sesame out err s_server.log | grep -v 'X-Amz-Security-Token: sesame-token')" "but no secret"
mkdir home/.aws
printf '[default]\nca_bundle = %s\n' "$tmp/ca.pem" > home/.aws/config
exits 0 '' "one that the profile's ca_bundle vouches for" ask
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other-key.pem -out other.pem -days 2 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
exits 3 'certificate' "AWS_CA_BUNDLE counts before that" ask AWS_CA_BUNDLE="$tmp/other.pem"
exits 2 'AWS_CA_BUNDLE: /nowhere: the file of trusted certificates cannot be read' "a file that there is not" \
	env AWS_CA_BUNDLE=/nowhere "$upload" identity

# ---- what is kept
strace -o trace -e trace=prctl,prlimit64 "$upload" help > /dev/null
ok "no core dump of it is made" grep -q 'RLIMIT_CORE, {rlim_cur=0, rlim_max=0}' trace
ok "and no other process looks into it" grep -q '^prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE) *= 0' trace
finish
