#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `kiln doctor` really starts an appliance, and says when that fails.
set -eu
. tests/sh/lib.sh
require pgrep

cache=${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}
# shellcheck disable=SC2154 # lib.sh makes it
export KILN_CACHE="$tmp/cache"
mkdir "$KILN_CACHE"
ln -s "$cache/store" "$KILN_CACHE/store"

exits 0 '' "before any build" "$KILN" doctor
like "$(cat "$tmp/out")" '^warn +appliance +not tried' "there is no kernel to try with"
exits 0 'starting an appliance: done' "with a lock" "$KILN" doctor rootfs/images/mpc
like "$(cat "$tmp/out")" '^ok +appliance +started and ended in [0-9]+ s, with kernel [0-9]+\.[0-9]+' \
	"the appliance starts, with the lock's kernel"
is "$(ls "$KILN_CACHE/tmp")" '' "nothing is left behind"
like "$(cat "$KILN_CACHE/doctor.log")" 'appliance: starting guestfsd' "its console is kept"

# Tells its version as it should, and no more.
cat > "$tmp/qemu" <<'END'
#!/bin/sh
[ "$1" = --version ] || { echo "qemu: out of order" >&2; exit 1; }
echo 'QEMU emulator version 10.0.2'
END
chmod 755 "$tmp/qemu"
exits 1 'lacks 1 thing' "a QEMU that does not work" env KILN_QEMU="$tmp/qemu" KILN_ACCEL=tcg "$KILN" doctor
like "$(cat "$tmp/out")" '^fail +appliance .*out of order' "the appliance does not start, in QEMU's words"
like "$(cat "$tmp/out")" "-> less .*doctor\.log" "with where to look"
is "$(ls "$KILN_CACHE/tmp")" '' "nothing is left behind then either"
not_ok "no QEMU stays" pgrep -f "$KILN_CACHE"

# A KVM that runs the probe's guest and no kernel: QEMU says so and stays, and libguestfs would wait for ever.
qemu=$(PATH=$PATH:/usr/libexec command -v qemu-system-x86_64)
cat > "$tmp/qemu" <<END
#!/bin/sh
case "\$*" in
*isa-debug-exit*) exit 245 ;;
*accel=kvm:tcg*-append*) echo 'KVM internal error. Suberror: 1'; exec sleep 1000 ;;
esac
exec $qemu "\$@"
END
exits 0 '' "a KVM that cannot run a kernel" env KILN_QEMU="$tmp/qemu" timeout 300 "$KILN" doctor rootfs/images/mpc
like "$(cat "$tmp/out")" '^ok +appliance +started' "is given up, and the appliance starts"
# Where there is none the rest was that of a host without.
if (exec 3<> /dev/kvm) 2> /dev/null; then
	like "$(cat "$tmp/err")" 'warning: .*no kernel: going on without it' "which is said"
	like "$(cat "$KILN_CACHE/kvm-verdict")" '^silent$' "and remembered"
fi

# One signal is enough, also while libguestfs waits for a guest.
printf '#!/bin/sh\ncase "$*" in *-append*) exec sleep 1000 ;; esac\nexec %s "$@"\n' "$qemu" > "$tmp/qemu"
KILN_QEMU=$tmp/qemu KILN_ACCEL=tcg "$KILN" doctor rootfs/images/mpc > "$tmp/out" 2> "$tmp/err" &
pid=$!
tries=0
until pgrep -f 'sleep 1000' > /dev/null || [ "$tries" -eq 600 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
kill "$pid"
tries=0
while kill -0 "$pid" 2> /dev/null && [ "$tries" -lt 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
ok "a signal ends the start of an appliance within 10 s" test "$tries" -lt 100
kill -9 "$pid" 2> /dev/null || true
wait "$pid" 2> /dev/null || true
like "$(cat "$tmp/err" "$tmp/out")" interrupted "which says why"
not_ok "no QEMU stays" pgrep -f "$KILN_CACHE"
finish
