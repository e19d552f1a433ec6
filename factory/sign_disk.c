/* SPDX-License-Identifier: Apache-2.0 */
#include "sign_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../keys/keyring.h"
#include "../keys/sign.h"
#include "base/cleanup.h"
#include "base/data_digest.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/io.h"
#include "format/fat.h"
#include "model/bootfile.h"
#include "model/manifest.h"
#include "shipped.h"

#define MANIFEST_MAX (16 * 1024 * 1024)

/* ---------------------------------------------------------------- the boot file in the disk */

/* Writes what differs of the boot file, piece by piece where the file system has it. */
struct writing {
	const struct bootfile *b;
	const uint8_t *image;
	uint64_t esp, done;
	const char *path;
	struct error *err;
	int fd;
};

static int write_piece(uint64_t offset, size_t size, void *arg)
{
	struct writing *w = arg;
	uint64_t at = w->done;

	w->done += size;
	if (memcmp(w->b->image + at, w->image + at, size) == 0)
		return 0;
	return io_pwrite_full(w->fd, w->image + at, size, w->esp + offset, w->path, w->err);
}

static int write_image(const char *disk, const struct bootfile *b, const struct buf *image, struct error *err)
{
	const struct gpt_partition *esp = bootfile_partition(b, gpt_type_esp);
	CLEANUP_CLOSE int fd = open(disk, O_WRONLY | O_CLOEXEC);
	struct writing w = {
		.b = b, .image = image->data, .esp = esp->offset, .path = disk, .err = err, .fd = fd,
	};
	int r;

	if (fd < 0)
		return error_system(err, errno, "cannot open %s for writing", disk);
	r = fat_find_file(b->file.data + esp->offset, esp->size, b->boot_path, write_piece, &w, err);
	if (r == 0 && fsync(fd) < 0)
		r = error_system(err, errno, "cannot write %s to disk", disk);
	return r;
}

/* ---------------------------------------------------------------- the manifest */

static int check_manifest(const struct manifest *m, const struct bootfile *b, const struct keyring *k, const char *disk,
			  struct error *err)
{
	if (!m->secure_boot)
		return error_input(err, "%s was built without keys: build it again with --keys", disk);
	if (strcmp(m->secure_boot->signer, keyring_signer(k, SECURE_DB)->sha256) != 0)
		return error_input(err, "%s waits for the signature of another key: its certificate's SHA-256 is %s, and %s signs with %s",
				   disk, m->secure_boot->signer, k->directory, keyring_signer(k, SECURE_DB)->sha256);
	if (m->uki_size != b->image_size || m->disk_size != b->file.size)
		return error_input(err, "%s is not the disk that its manifest describes", disk);
	return 0;
}

static void digest_text(const struct digest *digest, char ret[static 65])
{
	hex_encode(digest->bytes, digest_size(digest->alg), ret);
}

static int update_contents(struct manifest *m, const char *disk, struct error *err)
{
	CLEANUP_DATA_DIGESTS struct data_digests *digests = NULL;
	struct digest digest;
	int r = data_digests_read(disk, &digests, err);

	if (r == 0)
		r = data_digests_part(digests, 0, m->disk_size, &digest, err);
	if (r < 0)
		return r;
	digest_text(&digest, m->disk_data_sha256);
	for (size_t i = 0; r == 0 && i < m->partition_count; i++) {
		struct manifest_partition *p = &m->partitions[i];

		r = data_digests_part(digests, p->offset, p->size, &digest, err);
		if (r == 0)
			digest_text(&digest, p->data_sha256);
	}
	return r;
}

static int write_manifest(struct manifest *m, const char *disk, const char *path, const struct buf *image,
			  struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(MANIFEST_MAX);
	struct digest digest;
	int r = update_contents(m, disk, err);

	digest_of(DIGEST_SHA256, image->data, image->len, &digest);
	digest_text(&digest, m->uki_sha256);
	m->secure_boot->pending = false;
	if (r == 0)
		r = manifest_format(m, &text, err);
	return r < 0 ? r : io_write_file(path, text.data, text.len, 0644, err);
}

/* ---------------------------------------------------------------- both */

static int make_image(const struct bootfile *b, const struct keyring *k, const struct buf *signature, struct buf *ret,
		      struct error *err)
{
	int r = signature ? sign_attach(k, b->image, b->image_size, signature->data, signature->len, ret, err) :
			    sign_image(k, b->image, b->image_size, ret, err);

	if (r == 0 && ret->len != b->image_size)
		r = error_input(err, "the signed image has %zu bytes, and the disk has room for %zu", ret->len, b->image_size);
	return r;
}

int sign_disk(const char *disk, const struct keyring *k, const struct buf *signature, struct error *err)
{
	CLEANUP_FREE char *path = shipped_beside(disk, "manifest.json");
	CLEANUP_MANIFEST struct manifest *m = NULL;
	CLEANUP_BOOTFILE struct bootfile *b = NULL;
	CLEANUP_BUF struct buf image = BUF_INIT(SIZE_MAX);
	int r = manifest_read(path, &m, err);

	if (r == 0)
		r = bootfile_open(disk, &b, err);
	if (r == 0)
		r = check_manifest(m, b, k, disk, err);
	if (r < 0)
		return r;
	r = make_image(b, k, signature, &image, err);
	if (r < 0)
		return error_wrap(err, "%s", disk);
	r = write_image(disk, b, &image, err);
	return r < 0 ? r : write_manifest(m, disk, path, &image, err);
}
