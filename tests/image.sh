#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the image that the boot tests boot, once for all of them: build/out/mpc. With an empty cache this
# is most of the time of `make check`.
set -eu
B=${B:-build}

if [ "$(id -u)" -eq 0 ]; then
	echo "image: building as root; make check proves that it need not be" >&2
fi
"$B/kiln" fetch rootfs/images/mpc
"$B/kiln" build rootfs/images/mpc -o "$B/out"
# Only what is compiled of it is tested: its programs.
"$B/kiln" fetch tests/images/small-arm64
