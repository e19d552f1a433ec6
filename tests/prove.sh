#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the given tests under prove, in the order of prove-rules.yml.
# A skipped test is a failed test in CI.
set -eu
B=${B:-build}

KILN=$PWD/$B/kiln
KILN_TEST_DISK=$(echo "$PWD/$B"/out/mpc/*.raw)
HARNESS_RULESFILE=tests/prove-rules.yml
export KILN KILN_TEST_DISK B HARNESS_RULESFILE
exec prove --exec '' --timer --failures --comments --jobs "$(nproc)" "$@"
