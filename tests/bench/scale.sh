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

over_most() { # number
	awk -v n="$1" -v most="$most" 'BEGIN { print n / most }'
}

# The ratios of the last pairs(), for each GiB of the first one's data (the other has one).
per_gib() {
	ratio=$(over_most "$ratio") ratio_least=$(over_most "$ratio_least") ratio_most=$(over_most "$ratio_most")
}

root short 1 1
root long 40 1
pairs 5 '"$stages" build "$bench_tmp/long"' '"$stages" build "$bench_tmp/short"' 'settled long' 'settled short'
figure "factory stages, 1 GiB of data on 40 GiB" "the same on 1 GiB" 1.5
peak=$rss_a
finished short

root large 40 "$most"
pairs 3 '"$stages" build "$bench_tmp/large"' '"$stages" build "$bench_tmp/long"' 'settled large' 'settled long'
per_gib
figure "factory stages per GiB, $most GiB of data on 40 GiB" "1 GiB of data on 40 GiB" 1.2
[ "$rss_a" -lt "$peak" ] || peak=$rss_a
figure_number "their peak memory, $most GiB of data on 40 GiB" MiB 300 $((peak / 1024))

"$stages" build "$bench_tmp/large"
pairs 3 '"$stages" check "$bench_tmp/large"' '"$stages" check "$bench_tmp/long"' '' \
	'[ -d "$bench_tmp/long/out" ] || "$stages" build "$bench_tmp/long"'
per_gib
figure "the disk's data digest per GiB, $most GiB of data on 40 GiB" "1 GiB of data on 40 GiB" 1.2
