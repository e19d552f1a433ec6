#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `make rehearsal`: from a disk to an image that is registered, over a kill and every kind of fault, and nothing is left
# beside the disk.
set -eu
. tests/sh/lib.sh
require curl cmp
[ -x "${KILN%/*}/kiln-rehearsal" ] || { echo "Bail out! there is no rehearsal server: make rehearsal-server"; exit 1; }
beside() { (cd "$(dirname "$KILN_TEST_DISK")" && find . -printf '%p %s %T@\n' | sort); }
before=$(beside)

exits 0 '' "a rehearsal" sh upload/rehearsal/rehearse.sh "${KILN%/*}" "$KILN_TEST_DISK"
# shellcheck disable=SC2154 # lib.sh makes it
out=$tmp/out
like "$(cat "$out")" '^killed after [0-9]+ blocks' "kills the uploader"
like "$(cat "$tmp/err")" 'going on with snap-' "which goes on with the same snapshot"
like "$(cat "$out")" '^\$ cmp' "compares what is read back with the disk"
like "$(cat "$out")" 'images registered: 1$' "has registered one image, though the answer was lost"
is "$(sed -n 's/^\([0-9]*\) blocks arrived.*/\1/p' "$out")" "$(sed -n 's/^to send  *\([0-9]*\) of.*/\1/p' "$out")" \
	"as many blocks have arrived as the dry run said"
is "$(beside)" "$before" "nothing was written beside the disk"
exits 2 'there is no disk' "a disk that is not there" sh upload/rehearsal/rehearse.sh "${KILN%/*}" "$tmp/gone.raw"

finish
