#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The same packages once more, by mmdebstrap, in here: where we are root and there is no network. The test has put
# them in the overlay; what comes of them leaves as an archive within the tree.
set -eu
cd /var/reference

# Its /tmp is memory, and this is more.
export TMPDIR=/var/tmp
mmdebstrap --mode=root --variant=essential --include="$(cat names)" --skip=output/dev \
	--dpkgopt='path-exclude=/usr/share/lintian' --dpkgopt='path-exclude=/usr/share/lintian/*' \
	--dpkgopt='path-exclude=/usr/share/man/*' \
	trixie /var/reference.tar "deb [trusted=yes] copy:/var/reference/packages ./"
rm -r /var/reference
