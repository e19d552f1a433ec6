# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# TAP for shell tests: source it, call ok/is/like/exits, end with `finish`. Each test has a scratch directory
# $tmp that goes when it ends. Tests run from the root of the tree with KILN set.

KILN=${KILN:-$PWD/build/kiln}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/kiln-test-XXXXXX") || exit 1
tap_count=0 tap_failed=0
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# What a test cannot do without; missing means failed, never skipped.
require() { # program...
	for program; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || {
			echo "Bail out! $program is missing: make setup-check"
			exit 1
		}
	done
}

tap() { # 0 or 1, description
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_count - $2"
	else
		tap_failed=1
		echo "not ok $tap_count - $2"
	fi
	return "$1"
}

note() { # file...
	cat "$@" 2>/dev/null | tail -n 40 | sed 's/^/# /'
}

ok() { # description, command...
	tap_about=$1
	shift
	if "$@" > "$tmp/ok.out" 2>&1; then
		tap 0 "$tap_about"
	else
		tap 1 "$tap_about" || note "$tmp/ok.out"
	fi
}

not_ok() { # description, command...
	tap_about=$1
	shift
	if "$@" > "$tmp/ok.out" 2>&1; then
		tap 1 "$tap_about" || note "$tmp/ok.out"
	else
		tap 0 "$tap_about"
	fi
}

is() { # got, expected, description
	if [ "$1" = "$2" ]; then
		tap 0 "$3"
	else
		tap 1 "$3" || printf '# got:      %s\n# expected: %s\n' "$1" "$2"
	fi
}

like() { # text, extended regular expression, description
	if printf '%s\n' "$1" | grep -Eq -e "$2"; then
		tap 0 "$3"
	else
		tap 1 "$3" || printf '%s\n' "$1" | sed 's/^/# /'
	fi
}

# For checks that list what they find: no line of PROBLEMS, and nothing is wrong.
result() { # problems, description
	if [ -z "$1" ]; then
		tap 0 "$2"
	else
		tap 1 "$2" || printf '%s\n' "$1" | head -n 20 | sed 's/^/# /'
	fi
}

# Runs a command; its exit code must be CODE and its standard error match REGEX ("" for anything).
# Output stays in $tmp/out and $tmp/err.
exits() { # code, regex, description, command...
	tap_code=$1 tap_regex=$2 tap_about=$3
	shift 3
	tap_got=0
	"$@" > "$tmp/out" 2> "$tmp/err" < /dev/null || tap_got=$?
	if [ "$tap_got" -eq "$tap_code" ] && { [ -z "$tap_regex" ] || grep -Eq -e "$tap_regex" "$tmp/err"; }; then
		tap 0 "$tap_about"
	else
		tap 1 "$tap_about" || { echo "# exit code $tap_got, expected $tap_code matching: $tap_regex"; note "$tmp/err"; }
	fi
}

finish() {
	echo "1..$tap_count"
	exit "$tap_failed"
}

# The first image's description in DIR, a directory of its own, with what it refers to beside that.
describe_mpc() { # dir
	cp -r rootfs/images/mpc "$1"
	mkdir "$(dirname "$1")/services"
	cp -r rootfs/services/gateway "$(dirname "$1")/services/"
	sed -i 's#source="../../services/gateway"#source="../services/gateway"#' "$1/appliance.kiwi"
}
# Its stages that need no appliance.
# shellcheck disable=SC2034 # for those who source this
mpc_native="tree kernel erofs verity initrd uki sign esp disk measure"
