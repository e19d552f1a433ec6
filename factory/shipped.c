/* SPDX-License-Identifier: Apache-2.0 */
#include "shipped.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../rootfs/packages/packages.h"
#include "../rootfs/packages/store.h"
#include "../vm-test/boot.h"
#include "base/cleanup.h"
#include "base/data_digest.h"
#include "base/error.h"
#include "base/io.h"
#include "model/manifest.h"

void shipped_clear(struct shipped *s)
{
	manifest_free(s->manifest);
	free(s->firmware_code);
	free(s->firmware_vars);
	free(s->firmware_name);
	free(s->tmp);
	*s = (struct shipped) SHIPPED_INIT;
}

char *shipped_beside(const char *disk, const char *name)
{
	const char *slash = strrchr(disk, '/');

	if (!slash)
		return string_copy(name);
	return string_printf("%.*s/%s", (int)(slash - disk), disk, name);
}

static int check_file(const char *disk, struct error *err)
{
	struct stat st;

	if (stat(disk, &st) < 0)
		return error_input(err, "%s: %s", disk, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_input(err, "%s is no regular file", disk);
	return 0;
}

static int read_manifest(struct shipped *s, const char *given, struct error *err)
{
	CLEANUP_FREE char *beside = shipped_beside(s->disk, "manifest.json");
	const char *path = given ? given : beside;

	if (!io_exists(path))
		return error_input(err, "%s is missing: it says what the disk is to measure; name it with --manifest",
				   path);
	return manifest_read(path, &s->manifest, err);
}

static int check_disk(const struct shipped *s, struct error *err)
{
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	uint64_t size;
	int r = data_digest_file(s->disk, &digest, &size, err);

	if (r < 0)
		return r;
	digest_hex(&digest, hex);
	if (size != s->manifest->disk_size || strcmp(hex, s->manifest->disk_data_sha256))
		return error_input(err,
				   "%s is not the disk that the manifest describes: it has %ju bytes with data digest %s, the manifest says %ju and %s",
				   s->disk, (uintmax_t)size, hex, (uintmax_t)s->manifest->disk_size,
				   s->manifest->disk_data_sha256);
	return 0;
}

static int find_firmware(struct shipped *s, struct error *err)
{
	CLEANUP_STORE struct store *store = NULL;
	CLEANUP_FREE char *cache = NULL;
	int r;

	r = io_cache_dir(&cache, err);
	if (r == 0)
		r = store_open(cache, &store, err);
	if (r == 0)
		r = packages_firmware(store, s->manifest->firmware_sha256, cache, &s->firmware_code,
				      &s->firmware_vars, err);
	if (r < 0)
		return r;
	s->firmware_name = string_printf("%s %s", s->manifest->firmware_package,
					 s->manifest->firmware_version);
	s->tmp = path_join(cache, "tmp");
	return io_mkdirs(s->tmp, 0755, err);
}

/* vm-test/machine.c models one: EC2's of that processor. */
static const char machine_arch[] = "x86_64";

bool shipped_is_provable(const char *arch)
{
	return strcmp(arch, machine_arch) == 0;
}

static int check_machine(const struct shipped *s, struct error *err)
{
	if (shipped_is_provable(s->manifest->arch))
		return 0;
	return error_input(err, "%s is for %s, and the machine that Kiln boots is %s: no image of another kind can be booted yet",
			   s->disk, s->manifest->arch, machine_arch);
}

int shipped_open(const char *disk, const char *manifest, bool check, struct shipped *ret,
		 struct error *err)
{
	CLEANUP_SHIPPED struct shipped s = { .disk = disk };
	int r;

	r = check_file(disk, err);
	if (r == 0)
		r = read_manifest(&s, manifest, err);
	if (r == 0)
		r = check_machine(&s, err);
	if (r == 0 && check)
		r = check_disk(&s, err);
	if (r == 0)
		r = find_firmware(&s, err);
	if (r == 0)
		r = host_probe(&s.host, err);
	if (r < 0)
		return r;
	*ret = s;
	s = (struct shipped) SHIPPED_INIT;
	return 0;
}

void shipped_boot_options(const struct shipped *s, struct boot_options *ret)
{
	ret->host = &s->host;
	ret->disk = s->disk;
	ret->firmware_code = s->firmware_code;
	ret->firmware_vars = s->firmware_vars;
	ret->firmware_name = s->firmware_name;
	ret->tmp = s->tmp;
}
