#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What watches a description's scripts in the appliance, here on this machine with real programs: each that wants
# another machine is answered that there is none, and named. What goes on within the machine is left alone.
set -eu
. tests/sh/lib.sh
require gcc clang readelf curl perl bash getent apt-get
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

warnings="-Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wundef -Werror"
for compiler in clang gcc; do
	# shellcheck disable=SC2086,SC2154 # words; lib.sh makes tmp
	ok "$compiler compiles it without a warning" "$compiler" -std=gnu11 -D_GNU_SOURCE -I. -O2 -static \
		$warnings rootfs/watch/*.c -s -o "$tmp/watch"
	readelf -lW "$tmp/watch" > "$tmp/headers"
	not_ok "$compiler: it needs no loader" grep -q INTERP "$tmp/headers"
done

watched() { # exit code, description, command...
	code=$1 about=$2
	shift 2
	exits "$code" '' "$about" timeout 60 "$tmp/watch" "$tmp/report" "$@"
}
found() { # lines, description
	is "$(cat "$tmp/report")" "$1" "$2"
}

# ---- what is nobody's concern
watched 0 "a command that ends well" true
found '' "and wants nothing"
watched 3 "the script's own exit code" sh -c 'exit 3'
watched 143 "or the signal that ended it" sh -c 'kill $$'
watched 127 "a command that is not there" "$tmp/none"
# shellcheck disable=SC2016 # for perl
local='my ($listening, $asking, $a, $b); socket($listening, AF_INET, SOCK_STREAM, 0) or die "$!";
	bind($listening, pack_sockaddr_in(0, INADDR_LOOPBACK)) && listen($listening, 1) or die "$!";
	socket($asking, AF_INET, SOCK_STREAM, 0) && connect($asking, getsockname($listening)) or die "$!";
	socketpair($a, $b, AF_UNIX, SOCK_DGRAM, 0) && send($a, "x", 0) or die "$!"'
watched 0 "this machine may be asked" perl -MSocket -e "$local"
watched 0 "and its names looked up" getent ahosts localhost
found '' "without a word"

# ---- what is reported
# shellcheck disable=SC2016 # for perl
open='use IO::Socket::INET; IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 5) or exit 9'
watched 9 "perl connects" perl -e "$open" 192.0.2.1:443
like "$(cat "$tmp/report")" '^"perl -e use IO.* 192\.0\.2\.1:443" tried to reach 192\.0\.2\.1 port 443$' "and is named"
watched 7 "curl connects" curl -sS -f http://192.0.2.1/model
found "\"curl -sS -f http://192.0.2.1/model\" tried to reach 192.0.2.1 port 80" "and is named"
ok "on standard error as well" grep -q '^kiln: "curl ' "$tmp/err"
watched 6 "curl looks up a name" curl -sS -f https://kiln.invalid/model
found "\"curl -sS -f https://kiln.invalid/model\" asked for the address of a host" "and is named"
watched 0 "a script goes on without it" sh -c 'curl -sS http://192.0.2.1/ || true'
found "\"curl -sS http://192.0.2.1/\" tried to reach 192.0.2.1 port 80" "which does not hide it"
watched 1 "bash connects by itself" bash -c 'exec 3<>/dev/tcp/192.0.2.1/80'
found "\"bash -c exec 3<>/dev/tcp/192.0.2.1/80\" tried to reach 192.0.2.1 port 80" "and is named"
watched 1 "bash sends a datagram" bash -c 'echo x >/dev/udp/2001:db8::1/99'
found "\"bash -c echo x >/dev/udp/2001:db8::1/99\" tried to reach 2001:db8::1 port 99" "and is named"
# shellcheck disable=SC2016 # for perl
send='socket(my $s, AF_INET, SOCK_DGRAM, 0) or die; my $to = pack_sockaddr_in(123, inet_aton("192.0.2.7"));
	send($s, "x", 0, $to) and die "sent"; $!{ENETUNREACH} or die "$!"'
watched 0 "an unconnected socket sends" perl -MSocket -e "$send"
like "$(cat "$tmp/report")" 'tried to reach 192\.0\.2\.7 port 123$' "and is named"
printf 'deb [trusted=yes] http://192.0.2.1/debian none main\n' > "$tmp/sources.list"
mkdir -p "$tmp/apt/lists/partial"
watched 0 "apt's methods are another user's work" sh -c "apt-get -o Dir::Etc::SourceList='$tmp/sources.list' \
	-o Dir::Etc::SourceParts=/dev/null -o Dir::State='$tmp/apt' -o Dir::Cache='$tmp/apt' -o Acquire::Retries=0 \
	-o Acquire::http::Proxy=DIRECT update || true"
like "$(cat "$tmp/report")" '^"apt-get .* update" \(.*/methods/http\) tried to reach 192\.0\.2\.1 port 80$' \
	"and so is the one who asked for it"
watched 0 "several in one script" sh -c '(curl -sS http://192.0.2.1/); curl -sS http://192.0.2.2/ || curl -sS http://192.0.2.1/; true'
is "$(wc -l < "$tmp/report")" 2 "are named once each"

# ---- its own trouble
exits 125 'usage' "without a command" "$tmp/watch" "$tmp/report"
exits 125 'report' "with a report that cannot be written" "$tmp/watch" "$tmp/no/report" true
finish
