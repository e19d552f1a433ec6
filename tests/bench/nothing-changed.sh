#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A build with nothing changed since the last one. The first one, untimed, brings cache and output up to date.
# IMAGE and OUT as for make demo; the cache is KILN_CACHE's.
# shellcheck disable=SC2016 # lib.sh evaluates the command lines
set -eu
. tests/bench/lib.sh

IMAGE=${IMAGE:-rootfs/images/mpc} OUT=${OUT:-out}
"$KILN" --quiet build "$IMAGE" -o "$OUT" > /dev/null || die "cannot build $IMAGE"
runs 9 '"$KILN" --quiet build "$IMAGE" -o "$OUT"'
figure_seconds "rebuild with nothing changed" 0.5
