#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole audit, its live half included: the first image passes, and when it is booted and tried from outside nothing
# answers but port 3000; an image of its kind that answers in every way is caught at each.
set -eu
. tests/sh/lib.sh
require jq

# ---- the first image, by a link, so that nothing is written beside the built disk
built=$(dirname "$KILN_TEST_DISK")
ln -s "$(realpath "$KILN_TEST_DISK")" "$tmp/disk.raw"
cp "$built/manifest.json" "$tmp"
before=$(sha256sum < "$KILN_TEST_DISK")
exits 0 '' "the first image passes, from inside and from outside" "$KILN" audit --live --all "$tmp/disk.raw"
[ "$tap_got" -eq 0 ] || { note "$tmp/out"; tail -n 30 "$tmp/audit.log" | sed 's/^/# /'; }
like "$(tail -n 1 "$tmp/out")" '^[0-9]+ rules: [0-9]+ hold, 1 hold with exceptions, 0 fail$' "the table ends with a count"
like "$(cat "$tmp/out")" 'accepted: GnuTLS' "an exception shows with its reason"
report=$tmp/audit-report.json
is "$(jq .passed "$report")" true "the report says so, too"
is "$(jq -r .root_hash "$report")" "$(jq -r .root_hash "$tmp/manifest.json")" "and of which root"
is "$(jq '[.rules[] | select(.verdict == "holds" and .seen == "")] | length' "$report")" 0 "each rule that holds says what it has looked at"
is "$(jq '[.rules[] | select(.rule == "secrets.tokens") | .seen | capture("(?<n>[0-9]+) files") | .n | tonumber > 1000] | all' "$report")" true \
	"the contents of thousands of files were looked at"
live() { # rule, file
	jq -r --arg rule "$1" '.rules[] | select(.rule == $rule) | .verdict + ": " + .seen' "$2"
}
is "$(live live.tcp "$report")" \
	"holds: TCP over IPv4: 1 answer, 0 refuse, 65534 are silent; TCP over IPv6: 1 answer, 0 refuse, 65534 are silent" \
	"all ports of TCP were tried, and one answers"
is "$(live live.udp "$report")" \
	"holds: UDP over IPv4: 0 answer, 0 refuse, 65535 are silent; UDP over IPv6: 0 answer, 0 refuse, 65535 are silent" \
	"all ports of UDP, and none does"
for rule in serial keyboard sysrq ctrl-alt-del power-button user-data; do
	like "$(live live.$rule "$report")" '^holds: .' "live.$rule holds, and says what was done"
done
is "$(sha256sum < "$KILN_TEST_DISK")" "$before" "the disk is unchanged"

# ---- a machine that lets everybody in
description=$tmp/open/open
mkdir "$tmp/open"
describe_mpc "$description"
sed -i -e 's#name="mpc"#name="open"#' -e 's# quiet##; s# systemd.getty_auto=0##; s#console=ttyS0,115200#console=tty0 console=ttyS0,115200#' \
	"$description/appliance.kiwi"
cat >> "$description/config.sh" <<'EOF'
units=/etc/systemd/system
rm -f $units/getty.target $units/getty@.service $units/serial-getty@.service $units/autovt@.service $units/ctrl-alt-del.target
sed -i 's#kernel.sysrq = 0#kernel.sysrq = 2#' /etc/sysctl.d/60-mpc.conf
printf 'table inet filter {\n}\n' > /etc/nftables.conf
rm -rf /etc/systemd/system.conf.d
mkdir -p $units/multi-user.target.wants $units/getty.target.wants
ln -sf /usr/lib/systemd/system/getty.target $units/multi-user.target.wants/getty.target
ln -sf /usr/lib/systemd/system/getty@.service $units/getty.target.wants/getty@tty1.service
ln -sf /usr/lib/systemd/system/serial-getty@.service $units/getty.target.wants/serial-getty@ttyS1.service
cat > /usr/lib/open <<'END'
#!/usr/bin/perl
use strict;
use Socket;
my ($udp, $tcp);
socket($udp, PF_INET, SOCK_DGRAM, 0) && bind($udp, sockaddr_in(5555, INADDR_ANY)) or die $!;
socket($tcp, PF_INET, SOCK_STREAM, 0) && bind($tcp, sockaddr_in(22, INADDR_ANY)) && listen($tcp, 5) or die $!;
if (!fork) {
	for (;;) {
		socket(my $s, PF_INET, SOCK_STREAM, 0);
		if (connect($s, sockaddr_in(80, inet_aton('169.254.169.254')))) {
			syswrite $s, "GET /latest/user-data HTTP/1.0\r\n\r\n";
			my $script = '';
			while (sysread $s, my $part, 4096) { $script .= $part }
			$script =~ s/.*?\r\n\r\n//s;
			open my $sh, '|-', '/bin/sh' or die $!;
			print $sh $script;
			close $sh;
			exit 0;
		}
		sleep 1;
	}
}
while (my $from = recv($udp, my $text, 1500, 0)) { send($udp, "you said $text", 0, $from) }
END
chmod 755 /usr/lib/open
cat > $units/open.service <<'END'
[Service]
ExecStart=/usr/lib/open
END
ln -sf $units/open.service $units/multi-user.target.wants/open.service
EOF
exits 0 '' "a machine that lets everybody in is built" "$KILN" build "$description" -o "$tmp/results"
disk=$(echo "$tmp"/results/open/*.raw)
exits 1 'rules fail' "the audit says no" "$KILN" audit --live "$disk"
report=$tmp/results/open/audit-report.json
fails() { # rule, path, what
	is "$(jq -r --arg rule "$1" --arg path "$2" --arg what "$3" \
		'.rules[] | select(.rule == $rule) | [.verdict, ([.findings[] | select(.path == $path and (.text | test($what)))] | length > 0)] | join(" ")' \
		"$report")" "fails true" "$1 finds $2: $3"
}
fails live.tcp '(tcp/22)' 'TCP over IPv4'
fails live.udp '(udp/5555)' 'UDP over IPv4'
fails live.serial '(machine)' 'first serial line: .*login:'
fails live.serial '(machine)' 'second serial line: .*login:'
fails live.keyboard '(machine)' 'keyboard: the screen'
fails live.sysrq '(machine)' 'HELP|SysRq'
fails live.ctrl-alt-del '(machine)' 'restarted'
fails live.user-data '(machine)' 'GET /latest/user-data'
fails live.user-data '(machine)' 'ran the script'
[ "$tap_failed" -eq 0 ] || jq -c '.rules[] | select(.rule | startswith("live")) | [.rule, .verdict, .seen, [.findings[].text]]' "$report" | sed 's/^/# /'
finish
