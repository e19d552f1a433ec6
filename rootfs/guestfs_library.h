/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_GUESTFS_LIBRARY_H
#define KILN_ROOTFS_GUESTFS_LIBRARY_H

#include <guestfs.h>

struct error;

/*
 * libguestfs's functions as guest.c calls them, found when an appliance is first started: the library brings sixty
 * others along (libvirt, and by that libcurl), more than half of what starting kiln would take, and only
 * builds need it.
 */
#define GUESTFS_FUNCTIONS(F)                                                                                    \
	F(add_drive_opts) F(close) F(create_flags) F(download) F(last_error) F(launch) F(mkdir_p)   \
	F(free_version) F(get_path) F(mke2fs) F(mount_options) F(set_append) F(set_backend) F(set_backend_settings) F(set_cachedir) F(set_error_handler) \
	F(set_event_callback) F(set_hv) F(set_memsize) F(set_network) F(set_path) F(set_pgroup) F(set_recovery_proc)       \
	F(set_smp) F(set_tmpdir) F(sh) F(shutdown) F(sync) F(tar_in_opts) F(tar_out_opts) F(upload)    \
	F(version) F(write)

struct guestfs_library {
#define GUESTFS_MEMBER(name) __typeof__(guestfs_##name) *name;
	GUESTFS_FUNCTIONS(GUESTFS_MEMBER)
#undef GUESTFS_MEMBER
};

/* Valid until the process ends; the same every time. */
int guestfs_library_load(const struct guestfs_library **ret, struct error *err);

#endif
