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
like "$(cat "$KILN_CACHE/doctor.log")" 'appliance: guestfsd' "its console is kept"

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
finish
