#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A build has no way out: from an archive of packages alone, brought to where nothing is, it works in a network namespace
# without an interface and gives the disk that a machine with a network gives; all sockets that it or any child of it
# opens are UNIX sockets, and its appliance has no network card. A script that wants a network ends the build by its
# own name.
set -eu
. tests/sh/lib.sh
require unshare strace perl bash

# shellcheck disable=SC2154 # lib.sh makes it
description=$tmp/small
raw=small.x86_64-1.0.0.raw
disk=$tmp/results/small/$raw
cp -r tests/images/small "$description"
exits 0 '' "the packages are fetched" "$KILN" fetch "$description"
exits 0 '' "the image is built where there is a network" "$KILN" build "$description" -o "$tmp/elsewhere"
exits 0 '' "its packages are exported" "$KILN" store export "$tmp/stick.tar" "$description"
rm "$description/kiln.lock"
export KILN_CACHE="$tmp/cache"
mkdir "$KILN_CACHE" "$tmp/empty"
without_network() { # command...
	unshare --user --map-current-user --net "$@"
}
exits 0 '' "and imported where nothing is" without_network "$KILN" store import "$tmp/stick.tar" "$description"
rm "$tmp/stick.tar"

# Whom the namespace knows is one user, and what is root's belongs to nobody there. An appliance made of such
# files does not start (its mount(8) is set-user-ID nobody), so it is made before, by a start of its own.
exits 0 '' "libguestfs's appliance is made" env -C "$tmp/empty" "$KILN" doctor "$description"
ok "for this cache" test -n "$(find "$KILN_CACHE/guestfs" -name appliance.d)"

# Every call by which a socket comes about or is aimed, of all children; and what is started, in full.
traced() { # file, command...
	trace=$1
	shift
	without_network strace -f -qq --seccomp-bpf -v -s 8192 -e trace=network,execve -e signal=none -o "$trace" "$@"
}
# What of a trace is neither a UNIX socket nor an address of one.
beyond() { # file
	grep -E '^[0-9]+ +socket(pair)?\(' "$1" | grep -Ev 'socket(pair)?\(AF_UNIX, ' || :
	grep -E 'sa_family=' "$1" | grep -Ev 'sa_family=AF_UNIX[,}]' || :
}

# ---- the check itself
# shellcheck disable=SC2016 # for sed
is "$(without_network sed -n '3,$s/^ *\(.*\):.*/\1/p' /proc/net/dev)" lo "the namespace has no interface but its own loop"
is "$(without_network sed 1d /proc/net/route)" '' "and no route"
traced "$tmp/bash.trace" bash -c 'exec 3<>/dev/tcp/192.0.2.1/80' 2>/dev/null || :
like "$(beyond "$tmp/bash.trace")" 'socket\(AF_INET6?, .* = [0-9]' "a socket of another kind is found in a trace"
like "$(beyond "$tmp/bash.trace")" 'connect\(.*192\.0\.2\.1.* = -1 ENETUNREACH' "and so is its address"
# shellcheck disable=SC2016 # for perl
traced "$tmp/socketpair.trace" perl -MSocket -e 'socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die'
is "$(grep -c 'socketpair(AF_UNIX' "$tmp/socketpair.trace") $(beyond "$tmp/socketpair.trace")" '1 ' "UNIX sockets are not"

# ---- a whole build
cat >> "$description/config.sh" <<'END'
ls /sys/class/net | sed 's/^/kiln-test interface: /' >&2
cat /sys/bus/pci/devices/*/class | sed 's/^/kiln-test PCI class: /' >&2
END
exits 0 '' "a build from nothing but them" traced "$tmp/trace" "$KILN" build "$description" -o "$tmp/results"
ok "gives the same disk" cmp "$disk" "$tmp/elsewhere/small/$raw"
is "$(grep -c ': reused' "$tmp/err")" 0 "and reused nothing"
like "$(cat "$tmp/trace")" 'socket\(AF_UNIX, ' "and UNIX sockets"
is "$(beyond "$tmp/trace")" '' "and none of another kind"
grep -E 'execve\("[^"]*/qemu-system-[^"]*", .*guestfsd\.sock.* = 0$' "$tmp/trace" > "$tmp/qemu" || :
is "$(wc -l < "$tmp/qemu")" 1 "QEMU is started for it once"
ok "with no device that it is not told of" grep -q '"-nodefaults"' "$tmp/qemu"
not_ok "and with no network" grep -qE '"-(nic|net|netdev)"|virtio-net|e1000|rtl8139|vmxnet|"user,' "$tmp/qemu"
log=$tmp/results/small/build.log
is "$(sed -n 's/.*kiln-test interface: //p' "$log")" lo "a script in the appliance sees no interface but its own loop"
like "$(cat "$log")" 'kiln-test PCI class: 0x01' "of the devices it sees disks"
not_ok "and no network card" grep -q 'kiln-test PCI class: 0x02' "$log"

# ---- scripts that would use a network; each goes on without
rm -r "$tmp/results"
cat >> "$description/config.sh" <<'END'
bash -c 'exec 3<>/dev/tcp/192.0.2.1/443' || true
getent hosts model.invalid || true
END
exits 2 'small/config\.sh used the network: "bash -c exec 3<>/dev/tcp/192\.0\.2\.1/443" tried to reach 192\.0\.2\.1 port 443 \(the log has more\); there is none.*overlay' \
	"config.sh uses a network" "$KILN" build "$description" -o "$tmp/results"
like "$(cat "$tmp/err")" 'configuring packages: reused' "which only that stage notices"
ok "the log has the other command" grep -q 'kiln: "getent hosts model.invalid" asked for the address of a host' "$log"
not_ok "there is no disk" test -e "$disk"
finish
