/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/data_digest.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/uefi_data.h"
#include "../factory/model/manifest.h"
#include "../factory/model/proof.h"

#define GIB ((uint64_t)1 << 30)
#define PROOF_MAX ((size_t)16 << 20)

void disk_close(struct disk *d)
{
	if (d->fd >= 0)
		close(d->fd);
	manifest_free(d->manifest);
	free(d->manifest_path);
	block_index_free(&d->index);
	buf_free(&d->uefi_data);
	*d = (struct disk) DISK_INIT;
}

static char *beside(const struct disk *d, const char *name)
{
	CLEANUP_FREE char *directory = path_directory(d->path);

	return path_join(directory, name);
}

/* ---------------------------------------------------------------- which disk */

static int open_file(struct disk *d, struct error *err)
{
	d->fd = open(d->path, O_RDONLY | O_CLOEXEC);
	if (d->fd < 0 && errno == ENOENT)
		return error_input(err, "there is no disk %s", d->path);
	if (d->fd < 0)
		return error_system(err, errno, "cannot open %s", d->path);
	if (fstat(d->fd, &d->before) < 0)
		return error_system(err, errno, "cannot stat %s", d->path);
	if (!S_ISREG(d->before.st_mode))
		return error_input(err, "%s is not a regular file", d->path);
	if (d->before.st_size == 0 || (uint64_t)d->before.st_size > BLOCK_GIB_MAX * GIB)
		return error_input(err, "%s: EBS takes disks of 1 byte to %u GiB", d->path, BLOCK_GIB_MAX);
	d->gib = (uint32_t)(((uint64_t)d->before.st_size + GIB - 1) / GIB);
	return 0;
}

int disk_identify(const char *path, const char *manifest, struct disk *ret, struct error *err)
{
	int r;

	ret->path = path;
	r = open_file(ret, err);
	if (r < 0)
		return r;
	ret->manifest_path = manifest ? string_copy(manifest) : beside(ret, "manifest.json");
	if (!io_exists(ret->manifest_path))
		return error_input(err, "%s is missing: it says what the disk is; name it with --manifest",
				   ret->manifest_path);
	r = manifest_read(ret->manifest_path, &ret->manifest, err);
	if (r == 0)
		ret->secure_boot = ret->manifest->secure_boot;
	return r;
}

/* ---------------------------------------------------------------- its bytes */

/* The last block of the data digest may be short; EBS's are whole. */
static int digest_last(const struct disk *d, uint32_t block, uint8_t ret[static BLOCK_DIGEST_SIZE], struct error *err)
{
	CLEANUP_FREE uint8_t *data = malloc(BLOCK_SIZE);
	struct digest digest;
	int r;

	if (!data)
		error_no_memory();
	r = disk_read(d, block, data, err);
	if (r < 0)
		return r;
	digest_of(DIGEST_SHA256, data, BLOCK_SIZE, &digest);
	memcpy(ret, digest.bytes, BLOCK_DIGEST_SIZE);
	return 0;
}

static int make_index(struct disk *d, const struct data_digests *digests, struct error *err)
{
	uint64_t size = data_digests_size(digests), count = (size + BLOCK_SIZE - 1) / BLOCK_SIZE;
	int r = 0;

	for (uint64_t i = 0; r == 0 && i < count; i++) {
		const uint8_t *digest = data_digests_block(digests, (size_t)i);
		uint8_t last[BLOCK_DIGEST_SIZE];

		if (!digest)
			continue;
		if ((i + 1) * BLOCK_SIZE > size) {
			r = digest_last(d, (uint32_t)i, last, err);
			digest = last;
		}
		if (r == 0)
			block_index_add(&d->index, (uint32_t)i, digest);
	}
	return r;
}

static int read_bytes(struct disk *d, struct error *err)
{
	CLEANUP_DATA_DIGESTS struct data_digests *digests = NULL;
	const struct manifest *m = d->manifest;
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	int r = data_digests_read(d->path, &digests, err);

	if (r == 0)
		r = data_digests_part(digests, 0, data_digests_size(digests), &digest, err);
	if (r < 0)
		return r;
	digest_hex(&digest, hex);
	memcpy(d->data_sha256, hex, sizeof(d->data_sha256));
	if (data_digests_size(digests) != m->disk_size || strcmp(hex, m->disk_data_sha256))
		return error_input(err,
				   "%s is not the disk that %s describes: it has %ju bytes with data digest %s, the manifest says %ju and %s",
				   d->path, d->manifest_path, (uintmax_t)data_digests_size(digests), hex,
				   (uintmax_t)m->disk_size, m->disk_data_sha256);
	r = make_index(d, digests, err);
	return r < 0 ? r : disk_check_unchanged(d, err);
}

int disk_read(const struct disk *d, uint32_t block, uint8_t *ret, struct error *err)
{
	uint64_t offset = (uint64_t)block * BLOCK_SIZE, size = (uint64_t)d->before.st_size;
	size_t here = BLOCK_SIZE;

	if (offset >= size)
		here = 0;
	else if (size - offset < BLOCK_SIZE)
		here = (size_t)(size - offset);
	memset(ret + here, 0, BLOCK_SIZE - here);
	return here ? io_pread_full(d->fd, ret, here, offset, d->path, err) : 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

int disk_check_unchanged(const struct disk *d, struct error *err)
{
	struct stat now;

	if (fstat(d->fd, &now) < 0)
		return error_system(err, errno, "cannot stat %s", d->path);
	if (now.st_size == d->before.st_size && same_time(&now.st_mtim, &d->before.st_mtim))
		return 0;
	return error_input(err, "%s is being written while it is uploaded: nothing has been registered", d->path);
}

/* ---------------------------------------------------------------- its proof */

static int check_proof(struct disk *d, struct error *err)
{
	CLEANUP_FREE char *path = beside(d, "boot-proof.json");
	CLEANUP_BUF struct buf text = BUF_INIT(PROOF_MAX);
	CLEANUP_PROOF struct proof *p = NULL;
	int r;

	if (!io_exists(path))
		return error_verdict(err, "%s has no boot proof: make one with \"kiln test %s%s\", or go without with --unproven",
				     d->path, d->path, d->secure_boot ? " --secure-boot KEYRING" : "");
	r = io_read_file(path, PROOF_MAX, &text, err);
	if (r == 0)
		r = proof_parse(text.data, text.len, path, &p, err);
	if (r < 0)
		return r;
	r = proof_check(p, d->manifest, d->secure_boot, err);
	return r < 0 ? error_wrap(err, "%s is no proof of %s", path, d->path) : 0;
}

/* ---------------------------------------------------------------- its keys */

static const struct uefi_data_variable *find_variable(const struct uefi_data *u, const struct secure_variable *wanted)
{
	for (size_t i = 0; i < u->count; i++)
		if (strcmp(u->items[i].name, wanted->name) == 0 && memcmp(u->items[i].vendor, wanted->vendor, 16) == 0)
			return &u->items[i];
	return NULL;
}

static int check_variables(const struct disk *d, const struct uefi_data *u, const char *path, struct error *err)
{
	for (int i = 0; i < SECURE_VARIABLES; i++) {
		const struct uefi_data_variable *v = find_variable(u, &secure_variables[i]);
		char hex[2 * DIGEST_MAX + 1];
		struct digest digest;

		digest_of(DIGEST_SHA256, v ? (const void *)v->value.data : "", v ? v->value.len : 0, &digest);
		digest_hex(&digest, hex);
		if (strcmp(hex, d->manifest->secure_boot->variables[i].sha256))
			return error_input(err, "%s: its %s is not the one that %s was built with", path,
					   secure_variables[i].name, d->path);
	}
	return 0;
}

static int read_uefi_data(struct disk *d, const char *given, struct error *err)
{
	CLEANUP_FREE char *path = given ? string_copy(given) : beside(d, "uefi-data.aws");
	CLEANUP_UEFI_DATA struct uefi_data u = UEFI_DATA_INIT;
	int r;

	if (!d->secure_boot && given)
		return error_input(err, "%s was built without keys: --uefi-data is not for it", d->path);
	if (!d->secure_boot)
		return 0;
	if (d->manifest->secure_boot->pending)
		return error_input(err, "%s still waits for its signature: attach it with \"kiln sign\"", d->path);
	if (!io_exists(path))
		return error_input(err, "%s was built with keys, and EC2 must be given them: name with --uefi-data the uefi-data.aws of \"kiln keys export\"",
				   d->path);
	r = io_read_file(path, UEFI_DATA_TEXT_MAX, &d->uefi_data, err);
	if (r == 0)
		r = uefi_data_parse(buf_text(&d->uefi_data), d->uefi_data.len, &u, err);
	if (r < 0)
		return error_wrap(err, "%s", path);
	while (d->uefi_data.len && d->uefi_data.data[d->uefi_data.len - 1] == '\n')
		buf_truncate(&d->uefi_data, d->uefi_data.len - 1);
	return check_variables(d, &u, path, err);
}

/* ---------------------------------------------------------------- all of it */

/* Without a proof the upload goes on where that was asked for; a disk of another manifest never does. */
static int judge(struct disk *d, bool unproven, struct error *err)
{
	struct error why = ERROR_INIT;
	int r = check_proof(d, &why);

	d->proven = r == 0;
	if (r == 0 || unproven)
		return 0;
	*err = why;
	return r;
}

int disk_open(const char *path, const struct disk_options *options, struct disk *ret, struct error *err)
{
	int r = disk_identify(path, options->manifest, ret, err);

	if (r == 0)
		r = read_uefi_data(ret, options->uefi_data, err);
	if (r == 0)
		r = judge(ret, options->unproven, err);
	if (r == 0)
		r = read_bytes(ret, err);
	return r;
}
