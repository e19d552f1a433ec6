/* SPDX-License-Identifier: Apache-2.0 */
#include "stages/registry.h"
#include "tests/unit/compressed.h"
#include "tests/unit/stage_fixture.h"
#include "tests/unit/tree_archive.h"

#define ARCHIVE_MAX (1 << 20)
#define VERSION "6.12.1-cloud-amd64"
#define MODULES "usr/lib/modules/" VERSION

static const char *const wanted[] = { "dm_verity", "erofs", "nvme", NULL };

static const char dep[] =
	"kernel/drivers/md/dm-verity.ko.xz: kernel/drivers/md/dm-bufio.ko\n"
	"kernel/drivers/md/dm-bufio.ko:\n"
	"kernel/fs/erofs/erofs.ko.zst:\n"
	"kernel/fs/ext4/ext4.ko.zst:\n";

static void add_file(struct buf *tar, const char *path, const void *data, size_t size)
{
	tree_archive_add(tar, &(struct tar_member) { .path = path, .type = TAR_FILE, .mode = 0644, .size = size },
			 data);
}

static void add_text(struct buf *tar, const char *path, const char *text)
{
	add_file(tar, path, text, strlen(text));
}

static void add_compressed(struct buf *tar, const char *path, int filter, const char *text)
{
	CLEANUP_BUF struct buf packed = BUF_INIT(ARCHIVE_MAX);

	compressed_add(filter, text, strlen(text), &packed);
	add_file(tar, path, packed.data, packed.len);
}

static void add_modules(struct buf *tar)
{
	add_text(tar, MODULES "/modules.dep", dep);
	add_text(tar, MODULES "/modules.builtin", "kernel/drivers/nvme/host/nvme.ko\n");
	add_compressed(tar, MODULES "/kernel/drivers/md/dm-verity.ko.xz", ARCHIVE_FILTER_XZ, "VERITY");
	add_text(tar, MODULES "/kernel/drivers/md/dm-bufio.ko", "BUFIO");
	add_compressed(tar, MODULES "/kernel/fs/erofs/erofs.ko.zst", ARCHIVE_FILTER_ZSTD, "EROFS");
	add_text(tar, MODULES "/kernel/fs/ext4/ext4.ko.zst", "nobody looks at it");
}

/* `lines` as in tree_archive.h, after what `more` adds. */
static int run(struct fixture *f, void (*more)(struct buf *tar), const char *lines, struct error *err)
{
	CLEANUP_BUF struct buf tar = BUF_INIT(ARCHIVE_MAX);

	fixture_open(f);
	f->plan.initrd_modules = wanted;
	if (more)
		more(&tar);
	tree_archive_make(&tar, lines);
	fixture_input(f, "root.tar", tar.data, tar.len);
	return fixture_run(f, &stage_kernel, err);
}

static void expect_output(const struct fixture *f, const char *name, const char *expected)
{
	CLEANUP_FREE char *path = path_join(f->output, name);
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX);
	struct error err = ERROR_INIT;

	ok(io_read_file(path, ARCHIVE_MAX, &b, &err) == 0, "%s is there (%s)", name, err.message);
	ok_str(buf_text(&b), expected, "%s", name);
}

#define KERNEL "f boot/vmlinuz-" VERSION " KERNEL\n"
#define RELEASE "f usr/lib/os-release ID=debian\n"

static void test_kernel(void)
{
	CLEANUP_BUF struct buf tar = BUF_INIT(ARCHIVE_MAX), told = BUF_INIT(ARCHIVE_MAX);
	struct error err = ERROR_INIT;
	struct fixture f;

	/* A directory that a package left without its kernel, and a kernel without modules, do not count. */
	need(run(&f, add_modules, KERNEL RELEASE "f usr/lib/modules/5.10/modules.dep x\nf boot/vmlinuz-4.9 x\n", &err) == 0,
	     "the stage runs: %s", err.message);
	expect_output(&f, "vmlinuz", "KERNEL");
	expect_output(&f, "os-release", "ID=debian");
	expect_output(&f, "kernel-version", VERSION "\n");

	CLEANUP_FREE char *path = path_join(f.output, "modules.tar");

	need(io_read_file(path, ARCHIVE_MAX, &tar, &err) == 0, "modules.tar is there: %s", err.message);
	tree_archive_tell(&tar, &told);
	ok_str(buf_text(&told),
	       "0 644 modules.load = kernel/drivers/md/dm-bufio.ko\nkernel/drivers/md/dm-verity.ko\nkernel/fs/erofs/erofs.ko\n\n"
	       "0 644 kernel/drivers/md/dm-bufio.ko = BUFIO\n"
	       "0 644 kernel/drivers/md/dm-verity.ko = VERITY\n"
	       "0 644 kernel/fs/erofs/erofs.ko = EROFS\n",
	       "modules.tar has the list and the modules, in load order, decompressed");
	fixture_close(&f);
}

/* What an ordinary system has links for. */
static void test_links(void)
{
	struct error err = ERROR_INIT;
	struct fixture f;

	need(run(&f, add_modules, "f boot/image KERNEL\nl boot/vmlinuz-" VERSION " /boot/image\n"
		 "l usr/lib/os-release ../../etc/os-release\nf etc/os-release ID=x\n", &err) == 0,
	     "the stage runs: %s", err.message);
	expect_output(&f, "vmlinuz", "KERNEL");
	expect_output(&f, "os-release", "ID=x");
	fixture_close(&f);
}

static void add_other_kernel(struct buf *tar)
{
	add_modules(tar);
	add_text(tar, "usr/lib/modules/6.1/modules.dep", "");
	add_text(tar, "boot/vmlinuz-6.1", "OTHER");
}

static void add_without_module(struct buf *tar)
{
	add_text(tar, MODULES "/modules.dep", "kernel/fs/erofs/erofs.ko:\n");
	add_text(tar, MODULES "/modules.builtin", "");
}

static void add_missing_module(struct buf *tar)
{
	add_text(tar, MODULES "/modules.dep", dep);
	add_text(tar, MODULES "/modules.builtin", "kernel/nvme.ko\n");
}

static void add_bad_module(struct buf *tar)
{
	add_modules(tar);
	add_text(tar, MODULES "/kernel/fs/erofs/erofs.ko.zst", "not zstd");
}

static const struct refusal {
	const char *what;
	void (*more)(struct buf *tar);
	const char *lines, *part;
} refusals[] = {
	{ "no kernel", NULL, RELEASE, "the image has no kernel: no package puts one in /boot" },
	{ "modules without a kernel", add_modules, RELEASE, "the image has no kernel" },
	{ "a kernel that is a link to nothing", add_modules, "l boot/vmlinuz-" VERSION " nothing\n" RELEASE,
	  "the image has no kernel" },
	{ "two kernels", add_other_kernel, KERNEL RELEASE,
	  "more than one kernel (6.1 and " VERSION "): only one can be started" },
	{ "a module that the kernel does not have", add_without_module, KERNEL RELEASE,
	  VERSION ": this kernel has no module \"dm_verity\"" },
	{ "a module that is listed and not there", add_missing_module, KERNEL RELEASE,
	  "the image has no /" MODULES "/kernel/drivers/md/dm-bufio.ko" },
	{ "a module that is not what its name says", add_bad_module, KERNEL RELEASE,
	  "erofs.ko.zst: cannot be decompressed" },
	{ "no os-release", add_modules, KERNEL, "the image has no /usr/lib/os-release" },
	{ "a directory as the kernel", add_modules, "d boot/vmlinuz-" VERSION "\n" RELEASE, "is no file" },
	{ "a tree that leaves itself", NULL, "f ../x 1\n", "leaves the tree" },
};

static void test_refusals(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct error err = ERROR_INIT;
		struct fixture f;
		int r = run(&f, refusals[i].more, refusals[i].lines, &err);

		ok(r < 0 && err.kind == ERROR_INPUT, "%s is refused", refusals[i].what);
		ok_error(&err, refusals[i].part, "%s: the reason", refusals[i].what);
		fixture_close(&f);
	}
}

int main(void)
{
	test_kernel();
	test_links();
	test_refusals();
	return tap_done();
}
