#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What every file of the tree must have and must not have.
set -eu
. tests/sh/lib.sh
if git rev-parse --git-dir >/dev/null 2>&1; then
	files=$(git ls-files --cached --others --exclude-standard | while read -r f; do [ ! -f "$f" ] || echo "$f"; done)
else
	files=$(find . -type f -not -path './build*' -not -path './out/*' | sed 's#^\./##')
fi
sources=$(echo "$files" | grep -E '(\.(c|h|sh|py|kiwi|conf|service|network|md|[1-9])|(^|/)Makefile)$|^\.ci/run$' || :)

# shellcheck disable=SC2086,SC2046,SC2016,SC2026 # lists of files; apt expands its own format
{
result "$(for f in $sources; do head -4 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f"; done)" \
	"every source file has its SPDX line"
result "$(grep -nE '[[:blank:]]+$' $(echo "$sources" | grep -v '\.md$') /dev/null)" "no blanks at the end of a line"
result "$(for host in $(apt-get indextargets --format '$(SITE)' 2>/dev/null | sed 's#^[a-z+]*://##; s#/.*##' | sort -u); do
	[ -z "$host" ] || grep -nIF -e "$host" $files /dev/null; done)" "no mirror's host name stands in the tree"
result "$(grep -nE '\b(TO''DO|FIX''ME|XX''X|HA''CK)\b' $sources /dev/null | grep -v X''X''XXXX)" "nothing is unfinished by its own word"
result "$(mandoc -T lint $(echo "$files" | grep -E '^docs/.*\.[1-9]$') 2>&1)" "mandoc is content with the manual pages"
result "$(shellcheck $(echo "$files" | grep -E '\.sh$|^\.ci/run$') 2>&1)" "shellcheck is content with the scripts"
result "$(for f in $(echo "$files" | grep -E '^tests/(sh|lint|hosts)/[^/]*\.sh$'); do [ "${f##*/}" = lib.sh ] || [ -x "$f" ] || echo "$f"; done)" \
	"every test can be run by prove"
}
finish
