#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Things that a careless factory would let through: names in directory order, several owners, many times.
set -eu
# For the log: the test wants to see that this clock is not the other build's.
date -u "+the clock says %Y" >&2
for name in zeta alpha Omega mu; do
	mkdir -p "/usr/local/share/$name"
	echo "$name" > "/usr/local/share/$name/text"
done
ln /usr/local/share/alpha/text /usr/local/share/mu/same
chown -R somebody /usr/local/share/zeta
