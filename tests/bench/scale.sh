#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Do time and memory grow with data, and not with the disk? All stages of the factory process (hash tree, disk,
# digests, prediction, publishing) on generated sparse roots of incompressible data. SCALE_DATA: GiB of the largest
# one; by default what BENCH_TMPDIR has room for, 20 at most (each GiB takes three: root, disk, result).
# shellcheck disable=SC2016 # lib.sh evaluates the command lines
set -eu
. tests/bench/lib.sh
require mkfs.fat mmd mcopy

stages=$(program bench_stages)
export TMPDIR="$bench_tmp"

room=$(($(df -k --output=avail "$bench_tmp" | tail -n 1) / 1048576 / 3 - 3))
most=${SCALE_DATA:-$((room < 20 ? room : 20))}
[ "$most" -ge 2 ] || die "no room for benchmarks in $bench_tmp"

root() { # name, GiB long, GiB of data
	mkdir -p "$bench_tmp/$1"
	"$stages" root "$bench_tmp/$1" "$2" $(($3 * 1024))
}

# The disk's caches must not be full of the other's pages when one begins.
settled() { # name
	rm -rf "$bench_tmp/$1/out"
	sync -f "$bench_tmp"
}

# What is left after timing is not needed any more.
finished() { # name
	settled "$1"
	rm -rf "${bench_tmp:?}/$1"
}

# Bytes of data that a finished disk holds: the root's, and the tree over all of it, a 128th of its length.
held() { # name
	stat -c '%b' "$bench_tmp/$1/out/result/bench.raw"
}

scaled() { # number, dividend, divisor
	awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { print n * a / b }'
}

# The ratios of the last pairs(), for each byte of data on the disks of the two.
per_byte() { # name, name
	set -- "$(held "$1")" "$(held "$2")"
	ratio=$(scaled "$ratio" "$2" "$1")
	ratio_least=$(scaled "$ratio_least" "$2" "$1")
	ratio_most=$(scaled "$ratio_most" "$2" "$1")
}

root short 1 1
root long 40 1
pairs 5 '"$stages" build "$bench_tmp/long"' '"$stages" build "$bench_tmp/short"' 'settled long' 'settled short'
per_byte long short
figure "factory stages per byte, 1 GiB of files on 40 GiB" "1 GiB of files on 1 GiB" 1.2
peak=$rss_a
finished short

root large 40 "$most"
pairs 3 '"$stages" build "$bench_tmp/large"' '"$stages" build "$bench_tmp/long"' 'settled large' 'settled long'
per_byte large long
figure "factory stages per byte, $most GiB of files on 40 GiB" "1 GiB of files on 40 GiB" 1.2
[ "$rss_a" -lt "$peak" ] || peak=$rss_a
figure_number "their peak memory, $most GiB of files on 40 GiB" MiB 300 $((peak / 1024))

pairs 3 '"$stages" check "$bench_tmp/large"' '"$stages" check "$bench_tmp/long"'
per_byte large long
figure "reading a disk for \`kiln test\`, per byte, $most GiB of files on 40 GiB" "1 GiB of files on 40 GiB" 1.2
