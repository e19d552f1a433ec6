/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/cpio.h"
#include "../factory/format/tar.h"
#include "../rootfs/toolbox.h"
#include "registry.h"

/*
 * The initrd: Kiln's own /init, the modules it loads and the places it mounts on. Nothing in it comes
 * from the host; the order is this file's and modules.load's.
 */

#define CPIO_MAX (256 * 1024 * 1024)
#define LOAD_LIST_MAX (64 * 1024)
/* The highest level makes it a tenth smaller, and takes six times as long. */
#define ZSTD_LEVEL "-12"

/* What /init mounts the kernel's own file systems on; the rest it makes itself. */
static const char *const mountpoints[] = { "dev", "proc", "sys" };

/* ---------------------------------------------------------------- modules.tar */

static int find_member(const struct io_map *tar, const char *path, struct tar_entry *ret,
		       struct error *err)
{
	struct tar_entry entry;
	size_t offset = 0;
	int r;

	while ((r = tar_next(tar->data, tar->size, &offset, &entry, err)) > 0) {
		if (entry.directory || strcmp(entry.path, path))
			continue;
		*ret = entry;
		return 0;
	}
	return r < 0 ? r : error_input(err, "the archive holds no \"%s\"", path);
}

/* ---------------------------------------------------------------- the archive */

struct image {
	struct cpio_writer cpio;
	struct buf made;		/* directories so far, each "NAME\n" */
};

static int add_directory(struct image *image, const char *path)
{
	CLEANUP_FREE char *line = string_printf("\n%s\n", path);
	int r;

	if (strstr(buf_text(&image->made), line))
		return 0;
	r = buf_add_string(&image->made, line);
	return r < 0 ? r : cpio_directory(&image->cpio, path, 0755);
}

/* Every directory above `path`, outermost first. */
static int add_parents(struct image *image, const char *path)
{
	for (const char *end = strchr(path, '/'); end; end = strchr(end + 1, '/')) {
		CLEANUP_FREE char *parent = string_printf("%.*s", (int)(end - path), path);
		int r = add_directory(image, parent);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Adds one module, and to `load` where /init finds it. */
static int add_module(struct image *image, const struct io_map *tar, const char *name,
		      struct buf *load, struct error *err)
{
	CLEANUP_FREE char *path = path_join("modules", name);
	struct tar_entry entry;
	int r;

	r = find_member(tar, name, &entry, err);
	if (r < 0)
		return r;
	r = add_parents(image, path);
	if (r == 0)
		r = cpio_file(&image->cpio, path, 0644, entry.data, entry.size);
	if (r == 0)
		r = buf_printf(load, "/%s\n", path);
	return r < 0 ? error_system(err, r, "%s", path) : 0;
}

static int add_modules(struct image *image, const struct io_map *tar, struct error *err)
{
	CLEANUP_BUF struct buf load = BUF_INIT(LOAD_LIST_MAX);
	CLEANUP_FREE char *list = NULL;
	struct tar_entry entry;
	char *rest, *name;
	int r;

	r = find_member(tar, "modules.load", &entry, err);
	if (r < 0)
		return r;
	if (entry.size > LOAD_LIST_MAX)
		return error_input(err, "modules.load: %zu bytes are too many", entry.size);
	list = string_printf("%.*s", (int)entry.size, (const char *)entry.data);
	rest = list;
	while ((name = strsep(&rest, "\n"))) {
		r = *name ? add_module(image, tar, name, &load, err) : 0;
		if (r < 0)
			return r;
	}
	r = cpio_file(&image->cpio, "modules.load", 0644, load.data, load.len);
	return r < 0 ? error_system(err, r, "modules.load") : 0;
}

static int add_base(struct image *image, const struct io_map *init)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(mountpoints) && r == 0; i++)
		r = add_directory(image, mountpoints[i]);
	/* The kernel opens it for /init's standard streams before devtmpfs is mounted. */
	if (r == 0)
		r = cpio_device(&image->cpio, "dev/console", 0600, 5, 1);
	if (r == 0)
		r = cpio_file(&image->cpio, "init", 0755, init->data, init->size);
	return r;
}

static int write_archive(const struct io_map *init, const struct io_map *tar, struct buf *out,
			 struct error *err)
{
	struct image image = { .made = BUF_INIT(LOAD_LIST_MAX) };
	int r;

	cpio_begin(&image.cpio, out);
	r = add_base(&image, init);
	if (r < 0)
		error_system(err, r, "initrd");
	if (r == 0)
		r = add_modules(&image, tar, err);
	buf_free(&image.made);
	if (r < 0)
		return r;
	r = cpio_end(&image.cpio);
	return r < 0 ? error_system(err, r, "initrd") : 0;
}

/* ---------------------------------------------------------------- zstd */

/* One frame, one thread: the number of workers changes the bytes. By the locked zstd: so does its version. */
static int compress(const struct stage_context *ctx, const struct buf *in, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *archive = NULL;
	CLEANUP_FREE char *path = path_join(ctx->output, "initrd");
	int r = stage_scratch(ctx, &scratch, err);

	if (r < 0)
		return r;
	archive = path_join(scratch.path, "initrd.cpio");
	r = io_write_file(archive, in->data, in->len, 0644, err);
	if (r < 0)
		return r;

	const char *const argv[] = {
		"zstd", "--quiet", "--single-thread", "--check", ZSTD_LEVEL, "-o", path, archive, NULL,
	};
	const char *const readable[] = { archive, NULL }, *const writable[] = { ctx->output, NULL };

	return toolbox_run(&(struct toolbox_command) {
		.tree = artifacts_path(ctx->artifacts, TOOLBOX_TREE), .argv = argv, .readable = readable,
		.writable = writable, .epoch = -1,
	}, err);
}

/* ---------------------------------------------------------------- the stage */

static int initrd_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_IO_MAP struct io_map init = { 0 }, tar = { 0 };
	CLEANUP_BUF struct buf archive = BUF_INIT(CPIO_MAX);
	const char *modules = artifacts_path(ctx->artifacts, "modules.tar");
	int r;

	r = io_map_file(artifacts_path(ctx->artifacts, "init"), &init, err);
	if (r == 0)
		r = io_map_file(modules, &tar, err);
	if (r < 0)
		return r;
	r = write_archive(&init, &tar, &archive, err);
	if (r < 0)
		return error_wrap(err, "%s", modules);
	return compress(ctx, &archive, err);
}

static int initrd_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	(void)plan;
	(void)err;
	stage_key_string(key, "zstd level", ZSTD_LEVEL);
	return 0;
}

const struct stage stage_initrd = {
	.name = "initrd",
	.title = "packing the initrd",
	.version = "2",
	.room = ROOM_FACTORY,
	.inputs = { TOOLBOX_TREE, "init", "modules.tar" },
	.outputs = { "initrd" },
	.key = initrd_key,
	.run = initrd_run,
};
