/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/process.h"
#include "../../factory/model/lock.h"
#include "kernel_unwrap.h"
#include "packages.h"
#include "store.h"

/*
 * Files that the factory process itself reads out of packages, each unpacked once: CACHE/KIND/SHA256
 * is made under another name and renamed when it is whole.
 */

#define FIRMWARE_DIR "usr/share/OVMF/"
#define FIRMWARE_CODE FIRMWARE_DIR "OVMF_CODE_4M.secboot.fd"
#define FIRMWARE_VARS FIRMWARE_DIR "OVMF_VARS_4M.fd"

typedef int (*fill_fn)(const struct store *store, const struct locked_package *package,
		       const char *dir, struct error *err);

static int publish(const char *from, const char *to, struct error *err)
{
	if (rename(from, to) == 0)
		return 0;
	/* Somebody else has made the same meanwhile. */
	if (errno == EEXIST || errno == ENOTEMPTY)
		return 0;
	return error_system(err, errno, "%s", to);
}

static int unpack_once(const struct store *store, const struct locked_package *package,
		       const char *cache, const char *kind, fill_fn fill, char **ret,
		       struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *parent = path_join(cache, kind);
	CLEANUP_FREE char *dir = path_join(parent, package->sha256);
	CLEANUP_FREE char *work = NULL;
	int r;

	if (io_exists(dir)) {
		*ret = TAKE_PTR(dir);
		return 0;
	}
	r = io_mkdirs(parent, 0755, err);
	if (r == 0)
		r = io_scratch_new(parent, &scratch, err);
	if (r < 0)
		return r;
	work = path_join(scratch.path, "unpacked");
	r = fill(store, package, work, err);
	if (r == 0)
		r = publish(work, dir, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(dir);
	return 0;
}

/* ---------------------------------------------------------------- firmware */

static int fill_firmware(const struct store *store, const struct locked_package *package,
			 const char *dir, struct error *err)
{
	static const char *const files[] = { FIRMWARE_CODE, FIRMWARE_VARS };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP_FREE char *path = path_join(dir, files[i]);
		int r = deb_extract(store, package, files[i], dir, err);

		if (r < 0)
			return r;
		if (!io_exists(path))
			return error_outside(err, "package %s has no %s", package->name, files[i]);
	}
	return 0;
}

int packages_firmware(const struct store *store, const char *sha256, const char *cache,
		      char **ret_code, char **ret_vars, struct error *err)
{
	struct locked_package package = { .name = (char *)"ovmf" };
	CLEANUP_FREE char *dir = NULL;
	int r;

	if (strlen(sha256) != sizeof(package.sha256) - 1)
		return error_input(err, "firmware: \"%s\" is no SHA-256", sha256);
	memcpy(package.sha256, sha256, sizeof(package.sha256));
	r = unpack_once(store, &package, cache, "firmware", fill_firmware, &dir, err);
	if (r < 0)
		return error_wrap(err, "firmware");
	*ret_code = path_join(dir, FIRMWARE_CODE);
	*ret_vars = path_join(dir, FIRMWARE_VARS);
	return 0;
}

/* ---------------------------------------------------------------- the appliance's kernel */

/* The only directory in usr/lib/modules is named like the kernel's version. */
static int find_version(const char *dir, char **ret, struct error *err)
{
	CLEANUP_FREE char *modules = path_join(dir, "usr/lib/modules");
	CLEANUP_CLOSEDIR DIR *list = opendir(modules);
	CLEANUP_FREE char *version = NULL;
	const struct dirent *entry;

	if (!list)
		return error_system(err, errno, "the package has no modules: %s", modules);
	while ((entry = readdir(list))) {
		if (entry->d_name[0] == '.')
			continue;
		if (version)
			return error_outside(err,
					     "the package has modules for two kernels, %s and %s",
					     version, entry->d_name);
		version = string_copy(entry->d_name);
	}
	if (!version)
		return error_outside(err, "the package has no modules");
	*ret = TAKE_PTR(version);
	return 0;
}

/*
 * Also where an ordinary user's PATH does not reach. What it is called by counts: depmod is a link to
 * kmod, which looks at its own name.
 */
static const char *find_depmod(void)
{
	static const char *const places[] = { "depmod", "/usr/sbin/depmod", "/sbin/depmod" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		CLEANUP_FREE char *path = process_find(places[i]);

		if (path)
			return places[i];
	}
	return NULL;
}

/*
 * modules.dep is not in the package: its postinst makes it. The host's depmod will do: these files
 * serve the appliance's boot and never reach an image. depmod looks in lib/modules or, on
 * distributions that have moved it, in usr/lib/modules.
 */
static int run_depmod(const char *dir, const char *version, struct error *err)
{
	const char *depmod = find_depmod();
	CLEANUP_FREE char *lib = path_join(dir, "lib");
	const char *argv[] = { depmod, "-b", dir, version, NULL };
	const struct process_options options = { .argv = argv };

	if (!depmod)
		return error_outside(err, "depmod is missing: install the package kmod");
	if (symlink("usr/lib", lib) < 0)
		return error_system(err, errno, "%s", lib);
	return process_run(&options, NULL, err);
}

/*
 * supermin's initrd loads what it finds of a list made for every machine. This one's disks are virtio-scsi; for what
 * is left out here it has no device, and looking for one takes an emulated processor seconds.
 */
static const char *const left_out[] = {
	"arch/x86/crypto/crc32-pclmul.ko*", "arch/x86/crypto/crct10dif-pclmul.ko*", "drivers/acpi/nfit", "drivers/ata",
	"drivers/iommu", "drivers/net", "drivers/nvdimm", "drivers/vdpa", "drivers/virtio/virtio_balloon.ko*",
	"drivers/virtio/virtio_input.ko*", "drivers/virtio/virtio_mem.ko*", "drivers/virtio/virtio_mmio.ko*",
	"drivers/virtio/virtio_vdpa.ko*",
};

static int leave_out(const char *dir, const char *version, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(left_out) && r == 0; i++) {
		CLEANUP_FREE char *pattern = string_printf("%s/usr/lib/modules/%s/kernel/%s", dir, version, left_out[i]);
		glob_t found;

		if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
			continue;
		for (size_t j = 0; j < found.gl_pathc && r == 0; j++)
			r = io_remove_tree(found.gl_pathv[j], err);
		globfree(&found);
	}
	return r;
}

static char *kernel_path(const char *dir, const char *name, const char *version)
{
	return string_printf("%s/boot/%s-%s", dir, name, version);
}

static int unwrap(const char *dir, const char *version, struct error *err)
{
	CLEANUP_FREE char *wrapped = kernel_path(dir, "vmlinuz", version);
	CLEANUP_FREE char *plain = kernel_path(dir, "vmlinux", version);
	bool done;
	int r = 0;

	if (!io_exists(wrapped))
		return error_outside(err, "the package has modules for %s and no such kernel", version);
	r = kernel_unwrap(wrapped, plain, &done, err);
	if (r == 0 && done && unlink(wrapped) < 0)
		r = error_system(err, errno, "%s", wrapped);
	return r;
}

static int fill_kernel(const struct store *store, const struct locked_package *package,
		       const char *dir, struct error *err)
{
	CLEANUP_FREE char *version = NULL;
	int r;

	r = deb_extract(store, package, "boot/vmlinuz-", dir, err);
	if (r == 0)
		r = deb_extract(store, package, "usr/lib/modules/", dir, err);
	if (r == 0)
		r = find_version(dir, &version, err);
	if (r == 0)
		r = unwrap(dir, version, err);
	if (r == 0)
		r = leave_out(dir, version, err);
	return r < 0 ? r : run_depmod(dir, version, err);
}

int packages_appliance_kernel(const struct store *store, const struct lock *lock, const char *cache,
			      char **ret_image, char **ret_modules, char **ret_version,
			      struct error *err)
{
	const struct lock_set *set = &lock->sets[LOCK_APPLIANCE];
	CLEANUP_FREE char *dir = NULL, *version = NULL, *image = NULL;
	int r;

	if (set->count != 1)
		return error_input(err,
				   "the lock names %zu kernels for the appliance; run kiln fetch "
				   "--update",
				   set->count);
	r = unpack_once(store, &set->packages[0], cache, PACKAGES_APPLIANCE_KERNEL, fill_kernel, &dir, err);
	if (r == 0)
		r = find_version(dir, &version, err);
	if (r < 0)
		return error_wrap(err, "the appliance's kernel, %s", set->packages[0].name);
	image = kernel_path(dir, "vmlinux", version);
	*ret_image = io_exists(image) ? TAKE_PTR(image) : kernel_path(dir, "vmlinuz", version);
	*ret_modules = string_printf("%s/usr/lib/modules/%s", dir, version);
	*ret_version = TAKE_PTR(version);
	return 0;
}
