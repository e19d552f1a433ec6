#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The hash tree of 1 GiB of incompressible data, salt and superblock included. Both write to a file.
# shellcheck disable=SC2016 # lib.sh evaluates the command lines
set -eu
. tests/bench/lib.sh
require veritysetup cmp

stages=$(program bench_stages)
mkdir "$bench_tmp/full"
"$stages" root "$bench_tmp/full" 1 1024
export TMPDIR="$bench_tmp"

pairs 9 '"$stages" verity "$bench_tmp/full"' \
	'veritysetup format "$bench_tmp/full/root.erofs" "$bench_tmp/theirs"' '' 'rm -f "$bench_tmp/theirs"'
figure "verity tree of 1 GiB" "\`veritysetup format\`" 1.0
