#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the given tests under prove: those that boot machines one after another, the rest side by side.
# A skipped test is a failed test in CI.
set -eu
B=${B:-build}

KILN=$PWD/$B/kiln
KILN_TEST_DISK=$(echo "$PWD/$B"/out/mpc/*.raw)
export KILN KILN_TEST_DISK B
exec prove --exec '' --timer --failures --comments --jobs "$(nproc)" --rules 'seq=tests/sh/vm-*.sh' --rules 'par=**' "$@"
