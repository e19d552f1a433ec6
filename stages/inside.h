/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_STAGES_INSIDE_H
#define KILN_STAGES_INSIDE_H

/*
 * For scripts of guest_run(): goes to the image's tree and sets it up so that its own programs can
 * run in it by chroot: a system at rest with /proc, /sys and /dev, nothing running, no network. All
 * that is taken down again when the script ends, however it does; what was left in /run and /tmp goes
 * with it, as at every boot.
 */
extern const char inside_enter[];

/* The environment of what runs in there. */
#define INSIDE_ENVIRONMENT                                                                         \
	"export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root"      \
	" SOURCE_DATE_EPOCH\nunset TMPDIR\n"

#endif
