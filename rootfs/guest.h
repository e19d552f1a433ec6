/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_GUEST_H
#define KILN_ROOTFS_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "../factory/base/buf.h"

struct error;
struct host;

/*
 * One libguestfs appliance: a VM without a network card, with the kernel out of the locked store.
 * The only user of libguestfs. Its console goes to the log file; a console line "kiln-progress N M UNIT"
 * becomes log_step_update(). Killed with this process, however that dies; and on SIGINT, SIGTERM or SIGHUP
 * (process_catch_signals), when the call that waits for it ends with -EINTR and "interrupted".
 */

struct guest_kernel {			/* made by packages (store): */
	const char *image;		/* vmlinuz */
	const char *modules;		/* lib/modules/VERSION with modules.dep */
	const char *version;
};

enum guest_disk_mode { GUEST_READ_ONLY, GUEST_READ_WRITE };

/*
 * Disks go by labels (letters and digits), never by /dev/sdX: the kernel probes disks in parallel and
 * names them as they come, so another one may be /dev/sdb at the next start.
 */
#define GUEST_DISK(label) "/dev/disk/guestfs/" label

struct guest_disk {
	const char *label;
	const char *path;
	const char *format;		/* "qcow2" or "raw" */
	enum guest_disk_mode mode;
};

struct guest_options {
	const struct host *host;
	const struct guest_kernel *kernel;
	const char *cache;		/* for libguestfs's own appliance, below it */
	const char *tmp;		/* for its sockets and overlays */
	const struct guest_disk *disks;
	unsigned int disk_count;
	unsigned int memory_mib, cpus;
};

struct guest;
int guest_start(const struct guest_options *options, struct guest **ret, struct error *err);
/* Flushes, shuts down and checks that QEMU ended well: call it before using what was written. */
int guest_stop(struct guest *g, struct error *err);
void guest_free(struct guest *g);	/* kills; NULL is a no-op */
void guest_freep(struct guest **g);
#define CLEANUP_GUEST __attribute__((cleanup(guest_freep)))

/* An empty qcow2 disk of `size` bytes, of which only what is written takes room. */
int guest_create_disk(const char *path, uint64_t size, struct error *err);

int guest_format_ext4(struct guest *g, const char *device, struct error *err);
int guest_mount(struct guest *g, const char *device, const char *mountpoint, bool read_only,
		struct error *err);
int guest_mkdirs(struct guest *g, const char *path, struct error *err);
/* Runs a shell script chrooted in what is mounted at /, with PATH set to all four directories and
 * LC_ALL=C.UTF-8, to the first command that fails ("set -eu"). Its output goes to the log file; its
 * last lines into the error. */
int guest_run(struct guest *g, const char *script, struct error *err);
/* Likewise, and its standard output is appended to `ret`. */
int guest_run_output(struct guest *g, const char *script, struct buf *ret, struct error *err);
int guest_upload(struct guest *g, const char *from, const char *to, struct error *err);
/* Bytes as a file. */
int guest_write(struct guest *g, const char *to, const void *data, size_t size, struct error *err);
/* A directory as a tar archive, with numeric owners and all extended attributes, to a file on this side. Runs nothing
 * of what is mounted. */
int guest_tar_out(struct guest *g, const char *directory, const char *to, struct error *err);
/* All written data reaches the disks' files. */
int guest_sync(struct guest *g, struct error *err);

#endif
