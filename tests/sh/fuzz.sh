#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every parser survives a run of its fuzzer from the seeds kept here. `make check` gives each a few seconds,
# `make fuzz` a minute. A crash leaves its input in build-fuzz/crashes.
set -eu
seconds=${FUZZ_SECONDS:-4}
count=0 failed=0
mkdir -p build-fuzz/crashes
for fuzzer in build-fuzz/tests/fuzz/fuzz_*; do
	case $fuzzer in *.o | *.d) continue ;; esac
	[ -x "$fuzzer" ] || { echo "Bail out! no fuzzers: make fuzzers"; exit 1; }
	name=${fuzzer##*/fuzz_}
	corpus=build-fuzz/corpus/$name
	seeds=tests/fuzz/corpus/$name
	mkdir -p "$corpus"
	count=$((count + 1))
	# shellcheck disable=SC2046 # one word or none
	if "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 \
		-artifact_prefix="build-fuzz/crashes/$name-" "$corpus" $([ ! -d "$seeds" ] || echo "$seeds") \
		> "build-fuzz/$name.log" 2>&1; then
		echo "ok $count - $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build-fuzz/$name.log") inputs"
	else
		failed=1
		echo "not ok $count - $name"
		tail -n 30 "build-fuzz/$name.log" | sed 's/^/# /'
	fi
done
echo "1..$count"
exit $failed
