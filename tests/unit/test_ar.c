/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/format/ar.h"

#include <errno.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "tap.h"

#define HEADER(name, size) name "0           0     0     100644  " size "`\n"
#define MAGIC "!<arch>\n"

/* The first member has an odd size, so a byte of padding follows. */
static const char archive[] = MAGIC
	HEADER("debian-binary   ",
	       "3         ") "2.0\n" HEADER("control.tar.xz/ ",
					    "4         ") "CTRL" HEADER("data.tar.zst    ",
									"5         ") "DATA!\n";

static void test_find(void)
{
	static const struct {
		const char *prefix, *name, *contents;
	} cases[] = {
		{"debian-binary", "debian-binary", "2.0"},
		{"control.tar", "control.tar.xz", "CTRL"},
		{"data.tar", "data.tar.zst", "DATA!"},
		{"", "debian-binary", "2.0"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		struct ar_member m;

		need(ar_find((const uint8_t *)archive, sizeof(archive) - 1, cases[i].prefix, &m,
			     &err) == 0,
		     "%s", err.message);
		ok_str(m.name, cases[i].name, "\"%s\": name", cases[i].prefix);
		ok(m.size == strlen(cases[i].contents) &&
			   memcmp(m.data, cases[i].contents, m.size) == 0,
		   "\"%s\": contents", cases[i].prefix);
	}
}

static void test_refused(void)
{
	static const struct {
		const char *what, *bytes, *part;
	} cases[] = {
		{"nothing", "", "no ar archive"},
		{"half a magic", "!<arc", "no ar archive"},
		{"other magic", "!<thin>\n", "no ar archive"},
		{"no member", MAGIC, "no member whose name begins with \"data.tar\""},
		{"half a header", MAGIC "data.tar        0    ", "member header at byte 8"},
		{"no size", MAGIC HEADER("data.tar        ", "          "), "header at byte 8"},
		{"bad size", MAGIC HEADER("data.tar        ", "12x       "), "header at byte 8"},
		{"negative size", MAGIC HEADER("data.tar        ", "-1        "),
		 "header at byte 8"},
		{"bad end mark",
		 MAGIC "data.tar        0           0     0     100644  1         xx1",
		 "header at byte 8"},
		{"short member", MAGIC HEADER("data.tar        ", "2         ") "1",
		 "claims 2 bytes"},
		{"huge member", MAGIC HEADER("data.tar        ", "9999999999") "1",
		 "claims 9999999999"},
		{"second member damaged",
		 MAGIC HEADER("debian-binary   ", "4         ") "2.0\n" HEADER("x", "1"),
		 "at byte 72"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t size = strlen(cases[i].bytes);
		CLEANUP_FREE uint8_t *exact = malloc(size + !size);
		struct error err = ERROR_INIT;
		struct ar_member m = {.size = 77};

		memcpy(exact, cases[i].bytes, size);
		ok_int(ar_find(exact, size, "data.tar", &m, &err), -EINVAL, "%s", cases[i].what);
		ok_error(&err, cases[i].part, "%s: %s", cases[i].what, err.message);
		ok_int(m.size, 77, "%s: the output is untouched", cases[i].what);
	}
}

/* An odd last member whose padding byte was left out is still whole. */
static void test_no_last_padding(void)
{
	struct error err = ERROR_INIT;
	struct ar_member m;

	ok_int(ar_find((const uint8_t *)archive, sizeof(archive) - 2, "data.tar", &m, &err), 0,
	       "found");
	ok_int(ar_find((const uint8_t *)archive, sizeof(archive) - 2, "none", &m, &err), -EINVAL,
	       "searched to the end");
	ok_error(&err, "no member whose name begins with \"none\"", "%s", err.message);
}

static void make_deb(const char *dir, const char *deb)
{
	static const char control[] =
		"Package: kiln-test\nVersion: 1\nArchitecture: all\n"
		"Maintainer: nobody <nobody@example.org>\nDescription: test\n";
	CLEANUP_FREE char *debian = path_join(dir, "DEBIAN"), *path = path_join(debian, "control");
	const char *argv[] = {"dpkg-deb", "--root-owner-group", "-Zxz", "-b", dir, deb, NULL};
	struct error err = ERROR_INIT;

	need(io_mkdirs(debian, 0755, &err) == 0, "%s", err.message);
	need(io_write_file(path, control, strlen(control), 0644, &err) == 0, "%s", err.message);
	need(process_run(&(struct process_options){.argv = argv}, NULL, &err) == 0, "%s",
	     err.message);
}

static void test_deb(void)
{
	static const uint8_t xz_magic[] = {0xfd, '7', 'z', 'X', 'Z', 0};
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *dir = NULL, *deb = NULL;
	CLEANUP_IO_MAP struct io_map map = {NULL, 0};
	struct error err = ERROR_INIT;
	struct ar_member m;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "%s", err.message);
	dir = path_join(scratch.path, "tree");
	deb = path_join(scratch.path, "test.deb");
	make_deb(dir, deb);
	need(io_map_file(deb, &map, &err) == 0, "%s", err.message);
	need(ar_find(map.data, map.size, "debian-binary", &m, &err) == 0, "%s", err.message);
	ok(m.size == 4 && memcmp(m.data, "2.0\n", 4) == 0, "dpkg-deb: format version");
	need(ar_find(map.data, map.size, "data.tar", &m, &err) == 0, "%s", err.message);
	ok_str(m.name, "data.tar.xz", "dpkg-deb: data member");
	ok(m.size > 6 && memcmp(m.data, xz_magic, 6) == 0, "dpkg-deb: its bytes are an xz file");
}

int main(void)
{
	test_find();
	test_refused();
	test_no_last_padding();
	test_deb();
	return tap_done();
}
