#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kiln-upload gets credentials from each place there is, and the rehearsal server, which checks signatures by code
# of its own, takes them; and what it does when that server misbehaves.
set -eu
. tests/sh/lib.sh
require curl
upload=${KILN%/*}/kiln-upload rehearsal=${KILN%/*}/kiln-rehearsal
# shellcheck disable=SC2154 # lib.sh makes it
cd "$tmp"
mkdir -p home/.aws/sso/cache
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do
	unset "$name"
done
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy
export HOME="$tmp/home" AWS_EC2_METADATA_DISABLED=true AWS_REGION=us-east-1
key=AKIDREHEARSAL
echo 'open/sesame+1' > secret

"$rehearsal" --data data --port-file port --access-key "$key" --secret-file secret 2> server.log &
server=$!
trap 'kill $server; rm -rf "$tmp"' EXIT
for _ in $(seq 100); do
	[ ! -e port ] || break
	sleep 0.1
done
url=http://127.0.0.1:$(cat port)
export AWS_ENDPOINT_URL="$url"
fault() { curl -sf -X DELETE "$url/_rehearsal/faults" > fault.out && curl -sf -d "{\"faults\": [$1]}" "$url/_rehearsal/faults" > fault.out; }
setting() { curl -sf -d "$1" "$url/_rehearsal/settings" > fault.out; }
asked() { grep -c "	$1	" data/requests || :; } # operation

# shellcheck disable=SC2317 # who() and exits() call them
{
by_environment() { env AWS_ACCESS_KEY_ID="$key" AWS_SECRET_ACCESS_KEY="$(cat secret)" "$@"; }
by_container() {
	env AWS_CONTAINER_CREDENTIALS_FULL_URI="$url/container/credentials" AWS_CONTAINER_AUTHORIZATION_TOKEN=rehearsal-container "$@"
}
by_instance() { env AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT="$url" "$@"; }
by_web_identity() { env AWS_WEB_IDENTITY_TOKEN_FILE="$tmp/token" AWS_ROLE_ARN=arn:aws:iam::123456789012:role/web "$@"; }
by_profile() { env AWS_PROFILE="$profile" "$@"; }
}
who() { # way, what the credentials are called, description
	exits 0 '' "$3" "$1" "$upload" identity
	like "$(cat out err)" "credentials  of $2\$" "... by name"
	result "$(grep -n 'sesame' out err)" "... without the secret"
}

# ---- each place
who by_environment 'the environment' "keys in the environment"
cat > home/.aws/credentials <<INI
[keys]
aws_access_key_id = $key
aws_secret_access_key = $(cat secret)
INI
echo rehearsal-web-identity > token
cat > home/.aws/config <<INI
[profile role]
role_arn = arn:aws:iam::123456789012:role/up
source_profile = keys
[profile chain]
role_arn = arn:aws:iam::123456789012:role/second
source_profile = role
[profile web]
role_arn = arn:aws:iam::123456789012:role/web
web_identity_token_file = $tmp/token
[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Uploader
[sso-session corp]
sso_region = us-east-1
sso_start_url = https://corp.example/start
[profile process]
credential_process = sh -c "cat '$tmp/process.json'"
INI
printf '{"accessToken": "rehearsal-sso", "expiresAt": "2126-01-02T03:04:05Z"}' \
	> "home/.aws/sso/cache/$(printf corp | sha1sum | cut -d' ' -f1).json"
printf '{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s"}' "$key" "$(cat secret)" > process.json
profile=keys; who by_profile 'the profile "keys"' "keys in a file"
profile=role; who by_profile 'the role arn:aws:iam::123456789012:role/up by the profile "role"' "a role by a source profile"
profile=chain; who by_profile 'the role arn:aws:iam::123456789012:role/second by the profile "chain"' "a role by a role"
profile=web; who by_profile 'the role .*/web by the web identity of the profile "web"' "web identity of a profile"
profile=sso; who by_profile 'the SSO role Uploader of account 123456789012 by the profile "sso"' "an SSO session"
profile=process; who by_profile 'the credential_process of the profile "process"' "credential_process"
who by_web_identity 'the role .*/web by the web identity of the environment' "web identity of the environment"
who by_container 'the container' "a container"
who by_instance "the EC2 instance's role" "an EC2 instance, by IMDSv2"
is "$(asked GetImdsToken)/$(asked GetImdsCredentials)" 1/1 "for which a token was asked for first"

# ---- what does not work
# shellcheck disable=SC2317 # exits() calls them
{
wrong_secret() { env AWS_ACCESS_KEY_ID="$key" AWS_SECRET_ACCESS_KEY=other "$@"; }
unknown_key() { env AWS_ACCESS_KEY_ID=AKIDNOBODY AWS_SECRET_ACCESS_KEY=other "$@"; }
}
exits 3 '^error: sts:GetCallerIdentity: ' "a wrong secret" wrong_secret "$upload" identity
exits 3 'sts:GetCallerIdentity: AWS does not know the credentials of the environment' "an unknown key" \
	unknown_key "$upload" identity
echo other > token
exits 3 '^error: credentials: sts:AssumeRoleWithWebIdentity: ' "a token that is refused" by_web_identity "$upload" identity
setting '{"clock_ahead": 1023}'
exits 3 "this machine's clock is 17 min [23] s behind the service's" "a clock that is wrong, by how much" \
	by_environment "$upload" identity
setting '{"clock_ahead": 0, "clock_behind": 7320}'
exits 3 "this machine's clock is 2 h 2 min ahead of the service's" "... or the other way" by_environment "$upload" identity
setting '{"clock_behind": 0}'

# ---- what works all the same
tries() { # fault, how many requests it takes, description
	before=$(asked GetCallerIdentity)
	fault "$1"
	exits 0 '' "$3" by_environment "$upload" identity
	is "$(($(asked GetCallerIdentity) - before))" "$2" "... after $2 attempts"
}
tries '{"fault": "throttle", "operation": "GetCallerIdentity", "times": 2}' 3 "throttling"
tries '{"fault": "internal-error", "operation": "GetCallerIdentity"}' 2 "an internal error"
tries '{"fault": "unavailable", "operation": "GetCallerIdentity"}' 2 "a load balancer's page"
tries '{"fault": "lost-answer", "operation": "GetCallerIdentity"}' 2 "an answer that was lost"
tries '{"fault": "cut-answer", "operation": "GetCallerIdentity", "bytes": 20}' 2 "an answer that was cut off"
fault '{"fault": "expired-token", "operation": "GetCallerIdentity"}'
exits 0 '' "a session that has ended before its time is made anew" by_container "$upload" identity
fault '{"fault": "expired-token", "operation": "GetCallerIdentity"}'
exits 2 'the session of the credentials of the environment has ended, and there is no newer one' "where it can be" \
	by_environment "$upload" identity
fault '{"fault": "throttle", "operation": "AssumeRole", "times": 2}'
profile=role; who by_profile 'the role .*/up by the profile "role"' "STS when it throttles"
fault '{"fault": "internal-error", "operation": "GetImdsCredentials"}'
who by_instance "the EC2 instance's role" "metadata that fail once"
fault '{"fault": "garbage", "operation": "GetContainerCredentials"}'
exits 3 'credentials: the container: what it gave is no JSON object' "credentials that are none" by_container "$upload" identity
fault '{"fault": "garbage", "operation": "GetCallerIdentity"}'
exits 3 'sts:GetCallerIdentity: the answer is not the XML that was expected' "an answer that is none" \
	by_environment "$upload" identity
fault '{"fault": "access-denied", "operation": "GetCallerIdentity"}'
exits 3 'lack the permission sts:GetCallerIdentity' "a denial names the permission" by_environment "$upload" identity
finish
