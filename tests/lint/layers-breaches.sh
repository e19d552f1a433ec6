#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The layer check itself: each planted breach must make it fail.
set -eu
check=$PWD/tests/lint/layers.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
count=0 failed=0

fresh() {
	rm -rf "$dir/tree"
	mkdir -p "$dir/tree/factory/base" "$dir/tree/factory/model" "$dir/tree/stages" "$dir/tree/upload"
	cd "$dir/tree"
	: > factory/base/a.h
	: > factory/base/b.h
	: > factory/model/m.h
	: > stages/s.h
	printf '#include "../base/a.h"\n' > factory/model/m.c
}
expect() { # 0 or 1, description
	count=$((count + 1))
	got=0
	"$check" > "$dir/out" || got=1
	if [ "$got" -eq "$1" ]; then
		echo "ok $count - $2"
	else
		failed=1
		echo "not ok $count - $2"
		sed 's/^/# /' "$dir/out"
	fi
}

fresh
expect 0 "a clean tree passes"
fresh; printf '#include "../model/m.h"\n' > factory/base/a.c
expect 1 "base including model fails"
fresh; printf '#include "../stages/s.h"\n' > upload/u.c
expect 1 "upload including stages fails"
fresh; mkdir upload/rehearsal; : > upload/u.h; printf '#include "../u.h"\n' > upload/rehearsal/r.c
expect 1 "the rehearsal server including the client fails"
fresh; printf '#include "b.h"\n' > factory/base/a.h; printf '#include "a.h"\n' > factory/base/b.h
expect 1 "an include circle fails"
fresh; printf '#include <curl/curl.h>\n' > stages/s.c
expect 1 "a foreign library outside its wrapper fails"
fresh; printf '#include "gone.h"\n' > stages/s.c
expect 1 "an include of a missing file fails"

echo "1..$count"
exit $failed
