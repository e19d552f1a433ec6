/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "stages/registry.h"
#include "tests/unit/stage_fixture.h"
#include "tests/unit/tool_tree.h"

#define UKI_SIZE 3000001
#define IMAGE_MAX (64 << 20)

static int run(struct fixture *f, uint64_t mib, struct error *err)
{
	fixture_open(f);
	tool_tree_add(f);
	f->description.file = (char *)"tiny.kiwi";
	f->description.esp_mib = mib;
	fixture_pattern(f, "boot.efi", UKI_SIZE);
	return fixture_run(f, &stage_esp, err);
}

/* By this host's own tools, which are others than those that made it. */
static void test_contents(void)
{
	CLEANUP_FREE char *image = NULL, *copy = NULL;
	CLEANUP_BUF struct buf out = BUF_INIT(1 << 20), file = BUF_INIT(IMAGE_MAX), original = BUF_INIT(IMAGE_MAX);
	struct error err = ERROR_INIT;
	struct stat st;
	struct fixture f;

	need(run(&f, 0, &err) == 0, "the stage runs (%s)", err.message);
	image = path_join(f.output, "esp.img");
	copy = path_join(f.scratch.path, "copy");
	ok(stat(image, &st) == 0 && st.st_size == 36 << 20, "the smallest FAT32 there is");
	ok_int(fixture_tool((const char *const[]) { "fsck.fat", "-n", "-v", image, NULL }, &out), 0,
	       "fsck.fat finds no fault");
	ok(strstr(buf_text(&out), "32 bit") || strstr(buf_text(&out), "FAT32"), "in a FAT32 (%s)", "fsck.fat -v");
	ok_int(fixture_tool((const char *const[]) { "mcopy", "-i", image, "::/EFI/BOOT/BOOTX64.EFI", copy, NULL },
			    &out), 0, "mcopy takes out the boot file");
	need(io_read_file(copy, IMAGE_MAX, &file, &err) == 0 &&
	     io_read_file(artifacts_path(f.artifacts, "boot.efi"), IMAGE_MAX, &original, &err) == 0, "both read");
	ok(file.len == UKI_SIZE && original.len == UKI_SIZE && memcmp(file.data, original.data, UKI_SIZE) == 0,
	   "which is the UKI");
	buf_truncate(&out, 0);
	ok_int(fixture_tool((const char *const[]) { "mdir", "-/", "-b", "-i", image, "::/", NULL }, &out), 0, "mdir");
	ok_str(buf_text(&out), "::/EFI/\n::/EFI/BOOT/\n::/EFI/BOOT/BOOTX64.EFI\n", "and nothing else");
	fixture_close(&f);
}

/* Another directory, another time of day, an mtools configuration of the user's: the same bytes. */
static void test_same_bytes(void)
{
	CLEANUP_BUF struct buf a = BUF_INIT(IMAGE_MAX), b = BUF_INIT(IMAGE_MAX);
	struct buf *const both[] = { &a, &b };
	struct error err = ERROR_INIT;

	for (int i = 0; i < 2; i++) {
		CLEANUP_FREE char *image = NULL;
		struct fixture f;

		if (i == 1) {
			setenv("MTOOLSRC", "/nonexistent", 1);
			setenv("TZ", "Pacific/Auckland", 1);
			sleep(3);	/* FAT counts in steps of two seconds */
		}
		need(run(&f, 0, &err) == 0, "the stage runs (%s)", err.message);
		image = path_join(f.output, "esp.img");
		need(io_read_file(image, IMAGE_MAX, both[i], &err) == 0, "and is read");
		fixture_close(&f);
	}
	ok(a.len == b.len && memcmp(a.data, b.data, a.len) == 0, "twice the same bytes");
}

static void test_size(void)
{
	CLEANUP_FREE char *image = NULL;
	struct error err = ERROR_INIT;
	struct stat st;
	struct fixture f;

	need(run(&f, 50, &err) == 0, "a size of 50 MiB (%s)", err.message);
	image = path_join(f.output, "esp.img");
	ok(stat(image, &st) == 0 && st.st_size == 50 << 20, "is kept to");
	fixture_close(&f);
	ok(run(&f, 8, &err) < 0, "one of 8 MiB");
	ok_error(&err, "tiny.kiwi: efipartsize is 8 MiB", "is too small for FAT32");
	fixture_close(&f);
}

int main(void)
{
	test_contents();
	test_same_bytes();
	test_size();
	return tap_done();
}
