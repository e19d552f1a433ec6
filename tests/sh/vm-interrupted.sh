#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# However a boot test ends, QEMU and swtpm end with it, and scratch files do not heap up. A port that is
# taken is said before anything is started.
set -eu
. tests/sh/lib.sh
require ps

cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
port=$((20000 + $$ % 20000))
ln -s "$(realpath "$KILN_TEST_DISK")" "$tmp/disk.raw"
cp "$(dirname "$KILN_TEST_DISK")/manifest.json" "$tmp"

# Starts a boot test and waits for its machine; sets $pid and $children.
begin() {
	# A shell's background jobs ignore SIGINT, and kiln leaves ignored what was.
	env --default-signal=INT "$KILN" test "$tmp/disk.raw" --port "$port" > "$tmp/test.out" 2>&1 &
	pid=$!
	tries=0
	until children=$(ps -o pid=,comm= --ppid "$pid" | awk '$2 ~ /^(qemu-system|swtpm$)/ { print $1 }') &&
		[ "$(echo "$children" | wc -w)" -eq 2 ]; do
		tries=$((tries + 1))
		if [ "$tries" -gt 600 ] || ! kill -0 "$pid" 2> /dev/null; then
			note "$tmp/test.out"
			echo "Bail out! the machine did not start"
			exit 1
		fi
		sleep 0.1
	done
}

# Zombies are gone: only whoever adopted them has not looked yet.
all_gone() {
	for child in $children; do
		case $(ps -o stat= -p "$child") in
		'' | Z*) ;;
		*) return 1 ;;
		esac
	done
}

# Sends SIGNAL; sets $status. The children have to be gone with kiln, or right after it.
end() { # signal
	kill "-$1" "$pid"
	status=0
	wait "$pid" 2> /dev/null || status=$?
	tries=0
	until all_gone || [ "$tries" -eq 50 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
}
scratch_of() { ls -d "$cache/tmp/"*"-$1-"* 2> /dev/null || true; }

begin
exits 2 "port $port is taken, choose another with --port" "a port that is taken is refused" \
	"$KILN" test "$tmp/disk.raw" --port "$port"
end INT
is "$status" 3 "Ctrl-C ends the boot test"
like "$(cat "$tmp/test.out")" 'interrupted' "which says why"
ok "QEMU and swtpm are gone" all_gone
is "$(scratch_of "$pid")" "" "and so is the scratch directory"

begin
end KILL
is "$status" 137 "kill -9 ends it, too"
ok "QEMU and swtpm are gone even then" all_gone
killed=$pid

begin
is "$(scratch_of "$killed")" "" "the next run sweeps what the killed one left"
end TERM
is "$status" 3 "SIGTERM ends it as Ctrl-C does"
ok "QEMU and swtpm are gone" all_gone
finish
