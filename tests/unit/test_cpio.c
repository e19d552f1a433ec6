/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/format/cpio.h"

#include <errno.h>
#include <limits.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "tap.h"

static int build(struct buf *out)
{
	struct cpio_writer w;
	int e;

	cpio_begin(&w, out);
	e = cpio_directory(&w, "dev", 0755);
	e = e ?: cpio_device(&w, "/dev/console", 0600, 5, 1);
	e = e ?: cpio_file(&w, "init", 0755, "#!", 2);
	e = e ?: cpio_file(&w, "empty", 0644, NULL, 0);
	e = e ?: cpio_symlink(&w, "link", "init");
	return e ?: cpio_end(&w);
}

/* By hand from the kernel's buffer-format document. */
static void test_bytes(void)
{
	static const char expected[] = "070701"
				       "00000001"
				       "000081ED"
				       "00000000"
				       "00000000"
				       "00000001"
				       "00000000"
				       "00000003"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000003"
				       "00000000"
				       "ab\0\0\0\0"
				       "xyz\0"
				       "070701"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000001"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000000"
				       "00000000"
				       "0000000B"
				       "00000000"
				       "TRAILER!!!\0\0\0\0";
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct cpio_writer w;

	cpio_begin(&w, &out);
	ok_int(cpio_file(&w, "ab", 0755, "xyz", 3), 0, "one file");
	ok_int(cpio_end(&w), 0, "trailer");
	ok_int(out.len, sizeof(expected) - 1, "length");
	ok(out.len == sizeof(expected) - 1 && memcmp(out.data, expected, out.len) == 0, "bytes");
}

static void test_repeatable(void)
{
	CLEANUP_BUF struct buf a = BUF_INIT(65536), b = BUF_INIT(65536);

	ok_int(build(&a), 0, "first archive");
	ok_int(build(&b), 0, "second archive");
	ok(a.len == b.len && memcmp(a.data, b.data, a.len) == 0, "the same calls, the same bytes");
	ok_int(a.len % 4, 0, "padded to four bytes");
}

static void test_limits(void)
{
	CLEANUP_BUF struct buf whole = BUF_INIT(65536);
	char name[PATH_MAX + 1];
	struct cpio_writer w;
	size_t refused = 0, half = 0;

	build(&whole);
	for (size_t max = 0; max < whole.len; max++) {
		CLEANUP_BUF struct buf out = BUF_INIT(max);

		refused += build(&out) == -EFBIG;
		/* What did fit must be whole records: a prefix that the next record starts after. */
		half += out.len && out.len < whole.len && memcmp(whole.data + out.len, "070701", 6);
	}
	ok_int(refused, whole.len, "every limit below the size refuses");
	ok_int(half, 0, "and never leaves half a record");

	cpio_begin(&w, &whole);
	memset(name, 'n', sizeof(name));
	name[PATH_MAX] = '\0';
	ok_int(cpio_file(&w, name, 0644, NULL, 0), -EFBIG, "a name the kernel would not take");
	ok_int(cpio_symlink(&w, "link", name), -EFBIG, "a link the kernel would not take");
	name[PATH_MAX - 1] = '\0';
	ok_int(cpio_file(&w, name, 0644, NULL, 0), 0, "the longest name");
}

/* GNU cpio, the independent reader. */
static void test_gnu_cpio(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_BUF struct buf archive = BUF_INIT(65536), list = BUF_INIT(65536);
	CLEANUP_FREE char *path = NULL;
	struct error err = ERROR_INIT;
	int r;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "%s", err.message);
	path = path_join(scratch.path, "archive");
	need(build(&archive) == 0, "archive");
	need(io_write_file(path, archive.data, archive.len, 0600, &err) == 0, "%s", err.message);
	const char *argv[] = {"cpio", "--quiet", "-tvnF", path, NULL};
	const char *env[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", NULL};

	r = process_run(&(struct process_options){.argv = argv, .env = env, .output = &list}, NULL,
			&err);
	need(r == 0, "cpio -t %s", err.message);
	ok_str(buf_text(&list),
	       "drwxr-xr-x   2 0        0               0 Jan  1  1970 dev\n"
	       "crw-------   1 0        0          5,   1 Jan  1  1970 dev/console\n"
	       "-rwxr-xr-x   1 0        0               2 Jan  1  1970 init\n"
	       "-rw-r--r--   1 0        0               0 Jan  1  1970 empty\n"
	       "lrwxrwxrwx   1 0        0               4 Jan  1  1970 link -> init\n",
	       "GNU cpio lists the same");
}

static void test_contents(void)
{
	CLEANUP_BUF struct buf archive = BUF_INIT(65536), text = BUF_INIT(65536);
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *path = NULL;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "%s", err.message);
	path = path_join(scratch.path, "archive");
	need(build(&archive) == 0, "archive");
	need(io_write_file(path, archive.data, archive.len, 0600, &err) == 0, "%s", err.message);
	const char *argv[] = {"cpio", "--quiet", "-i", "--to-stdout", "-F", path, "init", NULL};

	need(process_run(&(struct process_options){.argv = argv, .output = &text}, NULL, &err) == 0,
	     "cpio -i %s", err.message);
	ok_str(buf_text(&text), "#!", "the file's contents come back");
}

int main(void)
{
	test_bytes();
	test_repeatable();
	test_limits();
	test_gnu_cpio();
	test_contents();
	return tap_done();
}
