#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `make check` after the set-up. Nothing but installing packages needs root, and so nothing but that gets
# it: for root the tree is copied to a home of the user nobody and everything runs there as that user;
# its caches stay there for the next run.
set -eu

[ "$(id -u)" -eq 0 ] || exec make --no-print-directory check-run

user=65534
home=${KILN_CHECK_HOME:-/var/tmp/kiln-check}
tree=$home/tree

if [ -e "$home" ] || [ -L "$home" ]; then
	if [ -L "$home" ] || [ "$(stat -c %u "$home")" -ne "$user" ]; then
		echo "check: $home belongs to somebody else; remove it or set KILN_CHECK_HOME" >&2
		exit 3
	fi
fi
install -d -o "$user" -g "$user" -m 700 "$home"

as_user() {
	setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs --inh-caps=-all \
		env -i PATH="$PATH" HOME="$home" TMPDIR="$home/tmp" LANG=C.UTF-8 ${CI:+CI="$CI"} \
		${KILN_MIRROR:+KILN_MIRROR="$KILN_MIRROR"} ${KILN_ACCEL:+KILN_ACCEL="$KILN_ACCEL"} "$@"
}

# The tree as it is, tracked and new files; what was built, and the lock, stay from the last run.
lock=rootfs/images/mpc/kiln.lock
as_user mkdir -p "$home/tmp" "$tree"
[ ! -e "$tree/$lock" ] || as_user mv "$tree/$lock" "$home/kiln.lock"
as_user find "$tree" -mindepth 1 -maxdepth 1 ! -name 'build*' -exec rm -rf {} +
if git rev-parse --git-dir >/dev/null 2>&1; then
	git ls-files --cached --others --exclude-standard
else
	find . -type f -not -path './build*' -not -path './out/*'
fi | while IFS= read -r file; do [ ! -e "$file" ] && [ ! -L "$file" ] || printf '%s\n' "$file"; done |
	tar -c -T - | as_user tar -x --no-same-owner -C "$tree"
[ ! -e "$home/kiln.lock" ] || as_user cp "$home/kiln.lock" "$tree/$lock"

cd "$tree"
as_user make --no-print-directory check-run
