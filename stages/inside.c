/* SPDX-License-Identifier: Apache-2.0 */
#include "inside.h"

#include "../rootfs/workshop.h"

const char inside_enter[] =
	"cd " WORKSHOP_ROOT "\n"
	"mkdir -p proc sys dev run tmp\n"
	"leave() {\n"
	"\tcd " WORKSHOP_ROOT "\n"
	"\tfor place in tmp run dev sys proc; do ! mountpoint -q $place || umount $place; done\n"
	"\trm -rf image .profile\n"
	"}\n"
	"trap leave EXIT\n"
	"mount -t proc proc proc\n"
	"mount -t sysfs sysfs sys\n"
	"mount --bind /dev dev\n"
	"mount -t tmpfs -o mode=755 tmpfs run\n"
	"mount -t tmpfs -o mode=1777 tmpfs tmp\n";
