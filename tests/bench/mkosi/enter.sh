#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# enter.sh TREE COMMAND...: runs a command with TREE as its root, in a mount namespace of its own. By pivot_root:
# mkosi makes namespaces of its own below, and the kernel refuses those to a process whose root is a mere chroot.
set -eu

if [ "${1:-}" != --inside ]; then
	exec unshare --mount --propagation private sh "$0" --inside "$@"
fi
tree=$2
shift 2

mount --bind "$tree" "$tree"
cd "$tree"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
[ ! -e /etc/resolv.conf ] || cat /etc/resolv.conf > etc/resolv.conf
mkdir -p run/old
pivot_root . run/old
cd /
umount -l /run/old
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb "$@"
