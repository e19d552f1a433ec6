# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Benchmarks: source this from the root of the tree. A benchmark prints nothing on standard output but its figures,
# one line each, which are rows of the table in docs/benchmarks.md:
#
#     figure | peer | ratio (least, most) | aim | met?
#
# Only ratios within one run are published: two commands take turns, each pair gives one ratio, and the median of
# the ratios is the figure. Exit code 1: something failed; an aim that is missed is a result and no failure.
#
# KILN   the kiln command, build/kiln by default
# DISK   a finished raw disk, out/mpc/*.raw by default
# BENCH_TMPDIR   where big files may go, /var/tmp by default
# PAIRS  how many pairs, instead of each benchmark's own number

LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH

B=${B:-build}
case $B in
/*) ;;
*) B=$PWD/$B ;;
esac
KILN=${KILN:-$B/kiln}
bench_tmp=$(mktemp -d "${BENCH_TMPDIR:-/var/tmp}/kiln-bench-XXXXXX") || exit 1
trap 'rm -rf "$bench_tmp"' EXIT
trap 'exit 1' HUP INT TERM

die() { # message
	echo "${0##*/}: $1" >&2
	exit 1
}

require() { # program...
	for program; do
		command -v "$program" > /dev/null || die "$program is missing"
	done
}

# Prints the path of one of the programs in tests/bench.
program() { # name
	[ -x "$B/tests/bench/$1" ] || die "$B/tests/bench/$1 is not built: make bench-programs"
	echo "$B/tests/bench/$1"
}

# The finished disk whose parts are measured.
disk() {
	if [ -z "${DISK:-}" ]; then
		for DISK in out/mpc/*.raw; do :; done
	fi
	[ -f "$DISK" ] || die "no finished disk; build one or name it with DISK="
	echo "$DISK"
}

timed=$bench_tmp/timed
${CC:-cc} -O2 -o "$timed" tests/bench/timed.c || die "cannot compile tests/bench/timed.c"

# One run of a command line, which the shell parses (quote what needs it): appends "WALL CPU RSS" to FILE.
once() { # file, command line
	: > "$bench_tmp/once"
	eval "\"\$timed\" \"\$bench_tmp/once\" $2" > "$bench_tmp/out" 2> "$bench_tmp/err" < /dev/null || {
		tail -n 5 "$bench_tmp/err" >&2
		die "failed: $2"
	}
	cat "$bench_tmp/once" >> "$1"
}

column() { # number, file
	awk -v n="$1" '{ print $n }' "$2"
}

# "MEDIAN LEAST MOST" of the numbers on standard input.
median() {
	sort -g | awk '{ v[NR] = $1 }
		END { if (!NR) exit 1
		      m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
		      printf "%.9g %.9g %.9g\n", m, v[1], v[NR] }'
}

# N turns of two command lines, A first in odd ones and B first in even ones, so that neither always finds what the
# other has left in the caches. PREPARE_A and PREPARE_B (command lines, may be functions) run before each, untimed.
# Sets $ratio, $ratio_least, $ratio_most (wall time of A / B), $cpu_ratio (median), $wall_a and $wall_b (medians,
# microseconds), $rss_a and $rss_b (most, KiB).
pairs() { # n, A, B, [PREPARE_A, [PREPARE_B]]
	: > "$bench_tmp/a"
	: > "$bench_tmp/b"
	pairs_turn=0
	while [ "$pairs_turn" -lt "${PAIRS:-$1}" ]; do
		pairs_turn=$((pairs_turn + 1))
		if [ $((pairs_turn % 2)) -eq 1 ]; then
			eval "${4:-:}"
			once "$bench_tmp/a" "$2"
			eval "${5:-:}"
			once "$bench_tmp/b" "$3"
		else
			eval "${5:-:}"
			once "$bench_tmp/b" "$3"
			eval "${4:-:}"
			once "$bench_tmp/a" "$2"
		fi
	done
	paste -d ' ' "$bench_tmp/a" "$bench_tmp/b" > "$bench_tmp/both"
	# shellcheck disable=SC2046 # three words
	set -- $(awk '{ print $1 / $4 }' "$bench_tmp/both" | median)
	ratio=$1 ratio_least=$2 ratio_most=$3
	# shellcheck disable=SC2034 # for the benchmarks
	{
		cpu_ratio=$(awk '{ print $2 / ($5 ? $5 : 1) }' "$bench_tmp/both" | median | cut -d ' ' -f 1)
		wall_a=$(column 1 "$bench_tmp/a" | median | cut -d ' ' -f 1)
		wall_b=$(column 1 "$bench_tmp/b" | median | cut -d ' ' -f 1)
		rss_a=$(column 3 "$bench_tmp/a" | sort -n | tail -n 1)
		rss_b=$(column 3 "$bench_tmp/b" | sort -n | tail -n 1)
	}
}

# N runs of one command line; sets $wall, $wall_least, $wall_most (microseconds) and $rss (most, KiB).
runs() { # n, command line, [PREPARE]
	: > "$bench_tmp/a"
	runs_turn=0
	while [ "$runs_turn" -lt "${PAIRS:-$1}" ]; do
		runs_turn=$((runs_turn + 1))
		eval "${3:-:}"
		once "$bench_tmp/a" "$2"
	done
	# shellcheck disable=SC2034 # for the benchmarks
	rss=$(column 3 "$bench_tmp/a" | sort -n | tail -n 1)
	# shellcheck disable=SC2046 # three words
	set -- $(column 1 "$bench_tmp/a" | median)
	wall=$1 wall_least=$2 wall_most=$3
}

below() { # value, aim
	awk -v a="$1" -v b="$2" 'BEGIN { print a < b ? "yes" : "no" }'
}

# The last pairs() as a row.
figure() { # name, peer, aim
	printf '%s | %s | %.2f (%.2f, %.2f) | below %s | %s\n' "$1" "$2" "$ratio" "$ratio_least" "$ratio_most" \
		"$3" "$(below "$ratio" "$3")"
}

# The last runs() as a row, in seconds.
figure_seconds() { # name, aim in seconds
	awk -v m="$wall" -v l="$wall_least" -v h="$wall_most" -v name="$1" -v aim="$2" 'BEGIN {
		printf "%s | - | %.2f s (%.2f, %.2f) | below %s s | %s\n", name, m / 1e6, l / 1e6, h / 1e6, aim,
		       m / 1e6 < aim ? "yes" : "no" }'
}

# A number by itself.
figure_number() { # name, unit, aim, number
	awk -v name="$1" -v unit="$2" -v aim="$3" -v n="$4" 'BEGIN {
		printf "%s | - | %.0f %s | below %s %s | %s\n", name, n, unit, aim, unit, n < aim ? "yes" : "no" }'
}

# A ratio of two numbers that do not vary from run to run: sizes.
figure_of() { # name, peer, aim, number, number of the peer
	awk -v name="$1" -v peer="$2" -v aim="$3" -v a="$4" -v b="$5" 'BEGIN {
		printf "%s | %s | %.2f | below %s | %s\n", name, peer, a / b, aim, a / b < aim ? "yes" : "no" }'
}
