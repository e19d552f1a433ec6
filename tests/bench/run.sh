#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs benchmarks and prints their rows as a table under a description of the machine. With -o FILE the table
# replaces what stands in FILE between the two marks below. Names (measure, verity, ...) choose; without any, all but
# mkosi, whose peer has to be prepared first (its script says how).
set -eu

LC_ALL=C
export LC_ALL
begin='<!-- bench: written by tests/bench/run.sh -->'
end='<!-- bench: end -->'
default='measure verity sizes nothing-changed scale upload'
all="$default mkosi"
file=

usage() {
	echo "usage: tests/bench/run.sh [-o FILE] [NAME...]; names: $all" >&2
	exit 2
}

while getopts o: option; do
	case $option in
	o) file=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))

first_of() { # file, label: the value of its first "label : value" line
	sed -n "s/^$2[[:blank:]]*:[[:blank:]]*//p" "$1" | head -n 1
}

machine() {
	qemu=$(qemu-system-x86_64 --version 2>/dev/null | sed -n '1s/QEMU emulator version \([^ ]*\).*/\1/p')
	# shellcheck disable=SC1091 # the host's
	# shellcheck source=/dev/null
	host=$(. /etc/os-release && echo "$PRETTY_NAME")
	if [ -w /dev/kvm ]; then kvm='/dev/kvm present'; else kvm='no KVM'; fi
	printf '%s, %s processors, %s GiB; %s, Linux %s, QEMU %s, %s; commit %s, %s.\n' \
		"$(first_of /proc/cpuinfo 'model name')" "$(nproc)" \
		"$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" \
		"$host" "$(uname -r | cut -d - -f 1)" "${qemu:-none}" "$kvm" \
		"$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)" "$(date -u +%Y-%m-%d)"
}

rows() { # name...
	for name; do
		script=tests/bench/$name.sh
		[ -f "$script" ] || usage
		echo "bench: $name" >&2
		sh "$script" || { echo "bench: $name failed" >&2; return 1; }
	done
}

table() { # name...
	machine
	printf '\n| figure | peer in the same run | ratio: median (least, most) | aim | met |\n|---|---|---|---|---|\n'
	rows "$@" > "$rows"
	sed 's/^/| /; s/$/ |/' "$rows"
}

# What FILE holds, with the table in place of what stood between the marks.
spliced() { # file, table
	awk -v begin="$begin" -v end="$end" -v table="$2" '
		$0 == end { inside = 0 }
		!inside { print }
		$0 == begin { inside = 1; while ((getline line < table) > 0) print line }' "$1"
}

rows=$(mktemp) result=$(mktemp)
trap 'rm -f "$rows" "$result"' EXIT
trap 'exit 1' HUP INT TERM

if [ $# -eq 0 ]; then
	# shellcheck disable=SC2086 # a list of names
	set -- $default
fi
if [ -n "$file" ] && ! { grep -qxF "$begin" "$file" && grep -qxF "$end" "$file"; }; then
	echo "bench: $file has no place for the table: \"$begin\" and \"$end\"" >&2
	exit 2
fi
table "$@" > "$result"
if [ -z "$file" ]; then
	cat "$result"
else
	spliced "$file" "$result" > "$rows"
	cat "$rows" > "$file"
fi
