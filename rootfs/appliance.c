/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/tar.h"

#define PARTS "supermin.d"
#define REPLACED "init.tar.gz"
#define OURS "init.tar"
#define ARCHIVE_MAX 65536

/*
 * devtmpfs makes the nodes; udev would add the names by which libguestfs finds its channel and Kiln its disks. Both are
 * probed in the background, so the script waits: for a minute, after which the daemon says what is missing.
 * QEMU has -no-reboot: the restart at the end ends it.
 */
static const char init[] =
	"#!/bin/sh\n"
	"PATH=/sbin:/usr/sbin:/bin:/usr/bin\n"
	"export PATH\n"
	"mkdir -p /proc /sys /dev /run /tmp /sysroot\n"
	"mount -t proc proc /proc\n"
	"mount -t sysfs sysfs /sys\n"
	"mount -t devtmpfs devtmpfs /dev\n"
	"mkdir -p /dev/pts /dev/shm /dev/virtio-ports /dev/disk/by-path /dev/disk/guestfs\n"
	"mount -t devpts devpts /dev/pts\n"
	"mount -t tmpfs -o mode=1777 tmpfs /dev/shm\n"
	"mount -t tmpfs -o nosuid,mode=755 tmpfs /run\n"
	"mount -t tmpfs -o mode=1777 tmpfs /tmp\n"
	"ln -s /proc/self/fd /dev/fd\n"
	"[ -e /etc/mtab ] || ln -s /proc/mounts /etc/mtab\n"
	"ip link set dev lo up\n"
	"# The daemon asks udev at every step whether it is done; where there is none, it is.\n"
	"mkdir /run/bin\n"
	"ln -s /bin/true /run/bin/udevadm\n"
	"PATH=/run/bin:$PATH\n"
	"\n"
	"channel=/dev/virtio-ports/org.libguestfs.channel.0 disks= options=\n"
	"read -r parameters </proc/cmdline\n"
	"for parameter in $parameters; do\n"
	"\tcase $parameter in\n"
	"\tguestfs_channel=*) channel=${parameter#*=} ;;\n"
	"\tguestfs_verbose=1) options=--verbose ;;\n"
	"\t" APPLIANCE_DISKS "*) disks=${parameter#*=} ;;\n"
	"\tesac\n"
	"done\n"
	"\n"
	"name_ports() {\n"
	"\tfor port in /sys/class/virtio-ports/*; do\n"
	"\t\tread -r name <\"$port/name\" && ln -sf \"../${port##*/}\" \"/dev/virtio-ports/$name\"\n"
	"\tdone 2>/dev/null\n"
	"}\n"
	"# The serial number stands in the page behind four bytes.\n"
	"name_disks() {\n"
	"\tfor disk in /sys/block/sd*; do\n"
	"\t\tlabel=$(tail -c +5 \"$disk/device/vpd_pg80\") && [ \"$label\" ] || continue\n"
	"\t\tln -sf \"../../${disk##*/}\" \"/dev/disk/guestfs/$label\"\n"
	"\t\techo 300 >\"$disk/device/timeout\"\n"
	"\tdone 2>/dev/null\n"
	"}\n"
	"all_there() {\n"
	"\t[ -e \"$channel\" ] || return 1\n"
	"\trest=$disks\n"
	"\twhile [ \"$rest\" ]; do\n"
	"\t\t[ -e \"/dev/disk/guestfs/${rest%%,*}\" ] || return 1\n"
	"\t\trest=${rest#*,}\n"
	"\tdone\n"
	"}\n"
	"tries=0\n"
	"name_ports\n"
	"name_disks\n"
	"until all_there || [ $tries -ge 600 ]; do\n"
	"\ttries=$((tries + 1))\n"
	"\tsleep 0.1\n"
	"\tname_ports\n"
	"\tname_disks\n"
	"done\n"
	"\n"
	"echo \"starting guestfsd after $tries more looks for its channel and the disks\"\n"
	"guestfsd --channel \"$channel\" $options\n"
	"sync\n"
	"reboot -f\n";

/* ---------------------------------------------------------------- the directory */

static char *find_parts(const char *path)
{
	while (*path) {
		const size_t size = strcspn(path, ":");
		CLEANUP_FREE char *parts = string_printf("%.*s/" PARTS, (int)size, path);

		if (size > 0 && io_exists(parts))
			return TAKE_PTR(parts);
		path += size;
		path += strspn(path, ":");
	}
	return NULL;
}

static bool leads_to(const char *link, const char *target)
{
	char old[PATH_MAX];
	ssize_t n = readlink(link, old, sizeof(old));

	return n >= 0 && (size_t)n == strlen(target) && memcmp(old, target, (size_t)n) == 0;
}

/* Others may be at it, too: whoever comes second finds what it wants. */
static int link_part(const char *part, const char *link, struct error *err)
{
	if (leads_to(link, part))
		return 0;
	if (unlink(link) < 0 && errno != ENOENT)
		return error_system(err, errno, "%s", link);
	if (symlink(part, link) < 0 && errno != EEXIST)
		return error_system(err, errno, "%s", link);
	return 0;
}

/* Of a libguestfs that has been there before. */
static int drop_unless_part(const char *part, const char *link, struct error *err)
{
	return io_exists(part) || unlink(link) == 0 || errno == ENOENT ? 0 : error_system(err, errno, "%s", link);
}

static bool is_part(const char *name)
{
	return name[0] != '.' && strcmp(name, REPLACED) != 0 && strcmp(name, OURS) != 0;
}

/* For each name in `directory`, which is `from` or `to`, with its paths in both. */
static int each_part(const char *directory, const char *from, const char *to,
		     int (*act)(const char *part, const char *link, struct error *err), struct error *err)
{
	CLEANUP_CLOSEDIR DIR *list = opendir(directory);
	const struct dirent *entry;
	int r = list ? 0 : error_system(err, errno, "%s", directory);

	while (r == 0 && (entry = readdir(list))) {
		CLEANUP_FREE char *part = path_join(from, entry->d_name);
		CLEANUP_FREE char *link = path_join(to, entry->d_name);

		if (is_part(entry->d_name))
			r = act(part, link, err);
	}
	return r;
}

static int write_init(const char *directory, struct error *err)
{
	const struct tar_member member = { .path = "init", .type = TAR_FILE, .mode = 0755, .size = sizeof(init) - 1 };
	CLEANUP_BUF struct buf archive = BUF_INIT(ARCHIVE_MAX);
	CLEANUP_FREE char *path = path_join(directory, OURS);
	int r = tar_add_header(&archive, &member);

	if (r == 0)
		r = buf_add(&archive, init, sizeof(init) - 1);
	if (r == 0)
		r = buf_align(&archive, TAR_RECORD);
	if (r == 0)
		r = tar_add_end(&archive);
	if (r < 0)
		return error_system(err, r, "%s", path);
	return io_update_file(path, archive.data, archive.len, 0644, err);
}

int appliance_write(const char *path, const char *directory, char **ret, struct error *err)
{
	CLEANUP_FREE char *from = find_parts(path);
	CLEANUP_FREE char *own = path_join(directory, "guestfs");
	CLEANUP_FREE char *to = path_join(own, PARTS);
	int r;

	*ret = NULL;
	if (!from)
		return 0;
	r = io_mkdirs(to, 0700, err);
	if (r == 0)
		r = each_part(from, from, to, link_part, err);
	if (r == 0)
		r = each_part(to, from, to, drop_unless_part, err);
	if (r == 0)
		r = write_init(to, err);
	if (r == 0)
		*ret = TAKE_PTR(own);
	return r;
}
