#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone, and has a guard named after its path's last parts.
set -eu
count=0 failed=0
# shellcheck disable=SC2046 # a list of flags
set -- $("${PKG_CONFIG:-pkg-config}" --cflags libxml-2.0)
for header in $(find factory rootfs stages keys vm-test upload -name '*.h' 2>/dev/null | sort); do
	count=$((count + 1))
	if ! output=$("${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only "$@" -x c "$header" 2>&1); then
		failed=1
		echo "not ok $count - $header compiles alone"
		echo "$output" | sed 's/^/# /'
	elif ! sed -n '2,3p' "$header" | grep -q '^#ifndef [A-Z0-9_]*_H$'; then
		failed=1
		echo "not ok $count - $header has its guard right after the licence line"
	else
		echo "ok $count - $header"
	fi
done
echo "1..$count"
exit $failed
