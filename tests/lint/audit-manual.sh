#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual page of the audit lists the rules that there are, in their order.
set -eu
. tests/sh/lib.sh

groups=$(sed -n '/groups\[\] = {/,/};/p' rootfs/audit/run.c | grep -o 'audit_[a-z]*_rules')
for group in $groups; do
	sed -n "/^const struct audit_rule $group\[\] = {/,/^};/p" rootfs/audit/*.c
done | sed -n 's/^	{ "\([^"]*\)".*/\1/p' > "$tmp/rules"
sed -n 's/^\.It Li //p' docs/kiln-audit.1 > "$tmp/listed"
ok "there are rules" test -s "$tmp/rules"
ok "the manual page lists them all, and no others" diff "$tmp/rules" "$tmp/listed"
finish
