#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# /init compiles as the build does it: its own files and the two formats it shares, statically, and nothing else.
set -eu
. tests/sh/lib.sh
require gcc clang readelf

warnings="-Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wundef -Werror"
for compiler in gcc clang; do
	# shellcheck disable=SC2086 # words
	ok "$compiler compiles it without a warning" "$compiler" -std=gnu11 -D_GNU_SOURCE -I. -O2 -static \
		$warnings rootfs/init/*.c factory/format/gpt.c factory/format/verity.c -s -o "$tmp/init"
	readelf -lW "$tmp/init" > "$tmp/headers"
	like "$(cat "$tmp/headers")" ' LOAD ' "$compiler: readelf reads it"
	not_ok "$compiler: it needs no loader" grep -q INTERP "$tmp/headers"
	exits 1 'the /init of an initrd' "$compiler: it does nothing where it is not PID 1" "$tmp/init"
done
ok "it is below 1 MB" test "$(stat -c %s "$tmp/init")" -lt 1000000
finish
