/* SPDX-License-Identifier: Apache-2.0 */
#include "transfer.h"

#include <errno.h>
#include <sys/mman.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/process.h"
#include "../rootfs/guest.h"
#include "../rootfs/shell.h"

#define SCRIPT_MAX 8192
#define ARCHIVE "/scratch/transfer.tar"

/* The host's tar: nothing but a container on the way. */
static int pack(const char *directory, int fd, struct error *err)
{
	const char *const argv[] = {
		"tar", "--create", "--file=-", "--format=gnu", "--sort=name", "--owner=0", "--group=0",
		"--numeric-owner", "--mode=go-w", "--directory", directory, ".", NULL,
	};

	return process_run(&(struct process_options) { .argv = argv, .output_fd = fd }, NULL, err);
}

static int unpack(struct guest *g, const char *to, struct error *err)
{
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	int r = shell_assign(&script, "to", to);

	if (r == 0)
		r = buf_add_string(&script,
				   "mkdir -p \"$to\"\n"
				   "tar --extract --file=" ARCHIVE " --directory=\"$to\" --numeric-owner"
				   " --preserve-permissions --no-overwrite-dir --keep-directory-symlink\n"
				   "rm " ARCHIVE "\n");
	if (r < 0)
		return error_system(err, r, "%s", to);
	return guest_run(g, buf_text(&script), err);
}

int transfer_tree(struct guest *g, const char *directory, const char *to, struct error *err)
{
	CLEANUP_CLOSE int fd = memfd_create("transfer", MFD_CLOEXEC);
	CLEANUP_FREE char *path = string_printf("/proc/self/fd/%d", fd);
	int r;

	if (fd < 0)
		return error_system(err, errno, "memfd_create");
	r = pack(directory, fd, err);
	if (r == 0)
		r = guest_upload(g, path, ARCHIVE, err);
	if (r == 0)
		r = unpack(g, to, err);
	return r < 0 ? error_wrap(err, "%s", directory) : 0;
}

int transfer_archive(struct guest *g, const char *archive, const char *to, struct error *err)
{
	int r = guest_upload(g, archive, ARCHIVE, err);

	if (r == 0)
		r = unpack(g, to, err);
	return r < 0 ? error_wrap(err, "%s", archive) : 0;
}
