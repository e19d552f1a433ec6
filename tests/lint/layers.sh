#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The layer check: who may include whom, where each foreign library may be seen, and no include circles.
set -eu
# Other trees are checked by it, too: layers-breaches.sh.
# shellcheck source=tests/sh/lib.sh
. "${0%/*}/../sh/lib.sh"

# directory | directories whose headers it may include (besides its own)
layers='
factory/base|
factory/format|factory/base
factory/model|factory/base factory/format
rootfs/packages|factory/base factory/format factory/model
rootfs/init|factory/base factory/format
rootfs/watch|
rootfs/services/gateway|
rootfs|factory/base factory/format factory/model rootfs/packages
rootfs/audit|factory/base factory/format factory/model rootfs/packages rootfs
keys|factory/base factory/format factory/model
stages|factory/base factory/format factory/model rootfs rootfs/packages keys
vm-test|factory/base factory/format factory/model
upload|factory/base factory/format factory/model
upload/deploy|factory/base factory/format factory/model upload
upload/rehearsal|factory/base factory/format factory/model
factory|factory/base factory/format factory/model rootfs rootfs/packages rootfs/audit keys stages vm-test
'

# header pattern | the files that may include it
foreign='
^openssl/|^(factory/base/(digest|md5|pkcs7|sha1)|keys/)
^libxml/|^(factory/model/(description|xml_read)|upload/xml)
^jansson|^factory/model/json
^guestfs|^rootfs/guest
^archive|^rootfs/
^libcryptsetup|^stages/verity
^libfdisk|^stages/disk
^tss2/|^vm-test/verify
^zstd|^vm-test/tamper_find
^zlib|^factory/base/deflate
^curl/|^upload/http
^microhttpd|^(rootfs/services/|upload/rehearsal/http_server)
'

files=$(find factory rootfs stages keys vm-test upload -name '*.[ch]' 2>/dev/null | sort)
[ -n "$files" ] || { echo "Bail out! run from the root of the tree"; exit 1; }

# includer, kind (q or a), what: one line an include; quoted ones resolved to paths from the root.
# shellcheck disable=SC2154 # lib.sh makes it
includes=$tmp/includes
# shellcheck disable=SC2086 # a list of files
awk '
function resolve(dir, name,    n, i, parts, out, k) {
	n = split(dir "/" name, parts, "/"); k = 0
	for (i = 1; i <= n; i++) {
		if (parts[i] == "..") k--
		else if (parts[i] != "" && parts[i] != ".") out[++k] = parts[i]
	}
	name = out[1]
	for (i = 2; i <= k; i++) name = name "/" out[i]
	return name
}
match($0, /^[ \t]*#[ \t]*include[ \t]*["<][^">]*[">]/) {
	line = $0; sub(/^[ \t]*#[ \t]*include[ \t]*/, "", line)
	kind = substr(line, 1, 1) == "<" ? "a" : "q"
	what = substr(line, 2); sub(/[">].*/, "", what)
	dir = FILENAME; sub(/\/[^\/]*$/, "", dir)
	print FILENAME, kind, kind == "q" ? resolve(dir, what) : what
}' $files > "$includes"


result "$(awk -v table="$layers" '
BEGIN {
	n = split(table, rows, "\n")
	for (i = 1; i <= n; i++)
		if (split(rows[i], f, "|") == 2) { known[f[1]] = 1; m = split(f[2], d, " "); for (j = 1; j <= m; j++) may[f[1], d[j]] = 1 }
}
function room(path) { sub(/\/[^\/]*$/, "", path); return path }
$2 == "q" {
	from = room($1); to = room($3)
	if (!(from in known)) print $1 ": its directory is in no layer"
	else if (from != to && !((from, to) in may)) print $1 " includes " $3
}' "$includes")" "every quoted include stays within its layer"

result "$(while read -r _ kind what; do
	[ "$kind" = a ] || [ -e "$what" ] || echo "$what does not exist"
done < "$includes" | sort -u)" "every quoted include names a file of the tree"

result "$(awk -v table="$foreign" '
BEGIN {
	n = split(table, rows, "\n")
	for (i = 1; i <= n; i++) { k = index(rows[i], "|"); if (k) { header[++c] = substr(rows[i], 1, k - 1); where[c] = substr(rows[i], k + 1) } }
}
$2 == "a" {
	for (i = 1; i <= c; i++)
		if ($3 ~ header[i] && $1 !~ where[i]) print $1 " includes <" $3 ">"
}' "$includes")" "each foreign library is seen in its own wrapper only"

# foo.c and foo.h are one module; tsort names the circles.
result "$(awk '$2 == "q" { a = $1; b = $3; sub(/\.[ch]$/, "", a); sub(/\.[ch]$/, "", b); if (a != b) print a, b }' \
	"$includes" | sort -u | tsort 2>&1 >/dev/null)" "modules include each other in no circle"

finish
