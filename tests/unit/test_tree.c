/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/tree.h"
#include "tests/unit/tree_archive.h"

#define ARCHIVE_MAX (1 << 20)
#define EPOCH 1700000000

static struct scratch dir = SCRATCH_INIT;

static char *write_archive(const char *name, const struct buf *b)
{
	struct error err = ERROR_INIT;
	char *path = path_join(dir.path, name);

	need(io_write_file(path, b->data, b->len, 0644, &err) == 0, "%s: %s", name, err.message);
	return path;
}

static char *make_archive(const char *name, const char *text)
{
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX);

	tree_archive_make(&b, text);
	return write_archive(name, &b);
}

static int open_trees(const char *lower, const char *upper, struct tree **ret, struct error *err)
{
	CLEANUP_FREE char *packages = make_archive("lower.tar", lower);
	CLEANUP_FREE char *changes = upper ? make_archive("upper.tar", upper) : NULL;

	return changes ? tree_merge(packages, changes, ret, err) : tree_open(packages, ret, err);
}

static void write_tree(const struct tree *t, const char *const *without, const char *name, struct buf *ret)
{
	CLEANUP_FREE char *path = path_join(dir.path, name);
	struct error err = ERROR_INIT;

	need(tree_write(t, path, EPOCH, without, &err) == 0, "%s is written: %s", name, err.message);
	need(io_read_file(path, ARCHIVE_MAX, ret, &err) == 0, "%s reads back: %s", name, err.message);
}

/* Of a merged tree, and of the archive that it was written to. */
static void expect_tree(const struct tree *t, const char *expected, const char *what)
{
	CLEANUP_BUF struct buf once = BUF_INIT(ARCHIVE_MAX), twice = BUF_INIT(ARCHIVE_MAX), told = BUF_INIT(ARCHIVE_MAX);
	CLEANUP_FREE char *path = path_join(dir.path, "once.tar");
	CLEANUP_TREE struct tree *again = NULL;
	struct error err = ERROR_INIT;

	write_tree(t, NULL, "once.tar", &once);
	tree_archive_tell(&once, &told);
	ok_str(buf_text(&told), expected, "%s", what);
	need(tree_open(path, &again, &err) == 0, "%s: the archive is a tree: %s", what, err.message);
	write_tree(again, NULL, "twice.tar", &twice);
	ok(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0,
	   "%s: the archive's tree gives the archive again", what);
}

/* ---------------------------------------------------------------- the overlay */

#define ROOT "5 755 ./\n"

static const struct overlay_case {
	const char *what, *lower, *upper, *expected;
} overlays[] = {
	{ "no change", "d a\nf a/b 1\nl c a/b\n", "d .\n", ROOT "5 755 a/\n0 644 a/b = 1\n2 777 c -> a/b\n" },
	{ "a file is added and one replaced", "d a\nf a/b 1\n", "d .\nd a\nf a/b 2\nf a/c 3\n",
	  ROOT "5 755 a/\n0 644 a/b = 2\n0 644 a/c = 3\n" },
	{ "a directory keeps what is in it and gets its owner's wish", "d a\nf a/b 1\n", "d .\nD a\n",
	  ROOT "5 700 a/\n0 644 a/b = 1\n" },
	{ "the root's mode is the upper's", "f a 1\n", "D .\n", "5 700 ./\n0 644 a = 1\n" },
	{ "a file is deleted", "d a\nf a/b 1\nf a/c 2\n", "d .\nd a\nw a/b\n", ROOT "5 755 a/\n0 644 a/c = 2\n" },
	{ "a directory is deleted with all in it", "d a\nd a/b\nf a/b/c 1\nf a/b2 2\n", "d .\nd a\nw a/b\n",
	  ROOT "5 755 a/\n0 644 a/b2 = 2\n" },
	{ "what is not there is deleted", "f a 1\n", "d .\nw 0\nw z\n", ROOT "0 644 a = 1\n" },
	{ "a directory is made anew", "d a\nf a/b 1\nd a/d\nf a/d/e 1\nf b 1\n", "d .\no a\nf a/c 2\nd a/d\n",
	  ROOT "5 755 a/\n0 644 a/c = 2\n5 755 a/d/\n0 644 b = 1\n" },
	{ "within a directory made anew nothing comes back", "d a\nd a/b\nd a/b/c\nf a/b/c/d 1\nf a/z 1\n",
	  "d .\no a\nd a/b\no a/b/c\nw a/b/e\n", ROOT "5 755 a/\n5 755 a/b/\n5 755 a/b/c/\n" },
	{ "a file takes a directory's place", "d a\nd a/b\nf a/b/c 1\n", "d .\nf a 2\n", ROOT "0 644 a = 2\n" },
	{ "a link takes a directory's place", "d a\nf a/b 1\nd c\n", "d .\nl a c\n", ROOT "2 777 a -> c\n5 755 c/\n" },
	{ "a directory takes a file's place", "f a 1\n", "d .\no a\nf a/b 2\n", ROOT "5 755 a/\n0 644 a/b = 2\n" },
	{ "devices and FIFOs are kept", "d dev\nc dev/console\n", "d .\nd dev\np dev/x\nc dev/y\n",
	  ROOT "5 755 dev/\n3 600 dev/console\n6 600 dev/x\n3 600 dev/y\n" },

	{ "names of one file", "f a 1\nh b a\nh c b\n", "d .\n", ROOT "0 644 a = 1\n1 644 b -> a\n1 644 c -> a\n" },
	{ "the first of them carries the data", "f z 1\nh a z\nl y x\nh b y\n", "d .\n",
	  ROOT "0 644 a = 1\n2 777 b -> x\n1 777 y -> b\n1 644 z -> a\n" },
	{ "one of them is replaced: the others stay one", "f a 1\nh b a\nh c a\n", "d .\nf a 2\n",
	  ROOT "0 644 a = 2\n0 644 b = 1\n1 644 c -> b\n" },
	{ "the one that had the data is deleted", "d d\nf d/a 1\nh e d/a\nh f e\n", "d .\nw d\n",
	  ROOT "0 644 e = 1\n1 644 f -> e\n" },
	{ "names of one file above", "f a 1\nh b a\n", "d .\nf a 2\nh c a\n",
	  ROOT "0 644 a = 2\n0 644 b = 1\n1 644 c -> a\n" },

	{ "the order is by component", "f a-b 1\nd a\nf a/z 1\nf a.b 1\nf A 1\nf a/\303\251 1\n", "d .\nf ab 2\n",
	  ROOT "0 644 A = 1\n5 755 a/\n0 644 a/z = 1\n0 644 a/\303\251 = 1\n0 644 a-b = 1\n0 644 a.b = 1\n0 644 ab = 2\n" },
	{ "directories without an entry are root's", "f a/b/c 1\nf a/b/d 1\nf e 1\n", "d .\n",
	  ROOT "5 755 a/\n5 755 a/b/\n0 644 a/b/c = 1\n0 644 a/b/d = 1\n0 644 e = 1\n" },
	{ "the later of two entries counts", "f a 1\nd b\nD b\nf a 2\n", "d .\n", ROOT "0 644 a = 2\n5 700 b/\n" },
	{ "a hard link is to what was there when it came", "f a 1\nh b a\nf a 2\nh c a\n", "d .\n",
	  ROOT "0 644 a = 2\n0 644 b = 1\n1 644 c -> a\n" },
};

static void test_overlays(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(overlays); i++) {
		CLEANUP_TREE struct tree *t = NULL;
		struct error err = ERROR_INIT;

		if (ok(open_trees(overlays[i].lower, overlays[i].upper, &t, &err) == 0, "%s: merged (%s)",
		       overlays[i].what, err.message))
			expect_tree(t, overlays[i].expected, overlays[i].what);
	}
}

static const char real_overlay[] =
	"5 755 ./\n"
	"2 777 bin -> usr/bin\n"
	"5 755 dev/\n"
	"3 644 dev/console\n"
	"{SCHILY.xattr.user.a=2} {SCHILY.xattr.user.z=1} 5 755 etc/\n"
	"{SCHILY.xattr.user.one=1} 0 644 etc/a = new\n\n"
	"5 755 etc/deep/\n"
	"0 644 etc/deep/d = d\n\n"
	"5 755 opaque/\n"
	"0 644 opaque/n = n\n\n"
	"2 777 todir -> tofile\n"
	"5 755 tofile/\n"
	"0 644 tofile/f = f\n\n"
	"5 755 usr/\n"
	"5 755 usr/bin/\n"
	"0 4755 usr/bin/dash = sh\n\n"
	"{SCHILY.xattr.security.capability=\1} 0 4755 usr/bin/ksh = ksh\n\n"
	"1 4755 usr/bin/mksh -> usr/bin/ksh\n"
	"1 4755 usr/bin/sh -> usr/bin/dash\n"
	"5 755 var/\n"
	"5 755 var/lib/\n"
	"5 700 var/lib/x/\n"
	"0 644 var/lib/y = x\n\n";

/*
 * What overlayfs of Linux 6.18 itself has made of: rm, rm -r and mkdir anew, mv, chmod, ln, setfattr, setcap, and
 * directories and files in each other's place. The expected tree is what GNU tar saw of the mounted overlay.
 */
static void test_real_overlay(void)
{
	CLEANUP_BUF struct buf both = BUF_INIT(ARCHIVE_MAX), part = BUF_INIT(ARCHIVE_MAX);
	CLEANUP_FREE char *packages = NULL, *changes = NULL;
	CLEANUP_TREE struct tree *t = NULL;
	struct error err = ERROR_INIT;
	size_t lower;

	need(io_read_file("tests/fuzz/corpus/tree/overlay", ARCHIVE_MAX, &both, &err) == 0, "sample: %s", err.message);
	lower = read_le32(both.data);
	need(buf_add(&part, both.data + 4, lower) == 0, "memory");
	packages = write_archive("lower.tar", &part);
	buf_truncate(&part, 0);
	need(buf_add(&part, both.data + 4 + lower, both.len - 4 - lower) == 0, "memory");
	changes = write_archive("upper.tar", &part);
	need(tree_merge(packages, changes, &t, &err) == 0, "a real overlay is merged: %s", err.message);
	expect_tree(t, real_overlay, "a real overlay");
}

/* ---------------------------------------------------------------- refusals */

static const struct refusal {
	const char *what, *lower, *upper, *part;
} refusals[] = {
	{ "an absolute path", "f /etc/passwd 1\n", NULL, "the path \"/etc/passwd\" leaves the tree" },
	{ "a path that climbs", "d a\nf a/../../b 1\n", NULL, "the path \"a/../../b\" leaves the tree" },
	{ "the parent itself", "f .. 1\n", NULL, "the path \"..\" leaves the tree" },
	{ "an empty component", "d a\nf a//b 1\n", NULL, "the path \"a//b\" leaves the tree, or is none" },
	{ "a dot inside", "d a\nf a/./b 1\n", NULL, "the path \"a/./b\"" },
	{ "a file as the root", "f . 1\n", NULL, "the root of the tree is no directory" },
	{ "below a link", "d usr/lib\nl lib usr/lib\nf lib/x 1\n", NULL,
	  "lib/x lies below lib, which is a symbolic link to usr/lib: it must be where the link leads" },
	{ "below a hard link to a link", "d usr/lib\nl lib usr/lib\nh lib2 lib\nf lib2/x 1\n", NULL,
	  "lib2/x lies below lib2, which is a symbolic link to usr/lib" },
	{ "below a file", "f a 1\nf a/b/c 1\n", NULL, "a/b/c lies below a, which is no directory" },
	{ "below a file, later", "d a\nf a/b 1\nf a 1\n", NULL, "a/b lies below a, which is no directory" },
	{ "below a whiteout", "d .\n", "d .\nw a\nf a/b 1\n", "a/b lies below a, which is no directory" },
	{ "a change in a directory that is none", "d a\n", "d .\nf a/b 1\n", "a/b lies in a directory that has no entry" },
	{ "changes without a root", "d a\n", "f b 1\n", "b lies in a directory that has no entry" },
	{ "a hard link to nothing", "h a b\n", NULL, "a is a hard link to b, which does not come before it" },
	{ "a hard link to what comes later", "h a b\nf b 1\n", NULL, "a is a hard link to b, which does not come" },
	{ "a hard link to itself", "h a a\n", NULL, "a is a hard link to a, which does not come before it" },
	{ "a circle of hard links", "h a b\nh b a\n", NULL, "a is a hard link to b, which does not come before it" },
	{ "a hard link from above to below", "f a 1\n", "d .\nh b a\n", "b is a hard link to a, which does not come" },
	{ "a hard link to a directory", "d a\nh b a\n", NULL, "b is a hard link to a, which is no file" },
	{ "a hard link to a whiteout", "d .\n", "d .\nw a\nh b a\n", "b is a hard link to a, which is no file" },
	{ "a hard link that climbs", "f a 1\nh b ../a\n", NULL, "the link b leads to no path" },
	{ "a whiteout in a package", "d a\nw a/b\n", NULL, "a/b is the character device 0:0" },
};

static void expect_refusal(struct tree *t, int r, const struct error *err, const char *part, const char *what)
{
	ok(r < 0 && err->kind == ERROR_INPUT && !t, "%s is refused", what);
	ok_error(err, part, "%s: the reason", what);
	tree_free(t);
}

static void test_refusals(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct error err = ERROR_INIT;
		struct tree *t = NULL;
		int r = open_trees(refusals[i].lower, refusals[i].upper, &t, &err);

		expect_refusal(t, r, &err, refusals[i].part, refusals[i].what);
	}
}

/* An archive of one member, which is then spoiled. */
static void refuse_bytes(const struct buf *b, const char *part, const char *what)
{
	CLEANUP_FREE char *path = write_archive("bad.tar", b);
	struct error err = ERROR_INIT;
	struct tree *t = NULL;
	int r = tree_open(path, &t, &err);

	expect_refusal(t, r, &err, part, what);
}

static void refuse_member(const struct tar_member *m, const char *part, const char *what)
{
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX);
	static const uint8_t nothing[TAR_RECORD];

	tree_archive_add(&b, m, m->size <= sizeof(nothing) ? nothing : NULL);
	need(tar_add_end(&b) == 0, "memory");
	refuse_bytes(&b, part, what);
}

static void refuse_pax(const char *records, size_t size, const char *part, const char *what)
{
	const struct tar_member pax = { .path = "p", .type = TAR_PAX }, file = { .path = "f", .type = TAR_FILE };
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX), header = BUF_INIT(ARCHIVE_MAX);

	/* The writer gives only files a size. */
	need(tar_add_header(&header, &(struct tar_member) { .path = "p", .type = TAR_FILE, .size = size }) == 0 &&
	     tar_add_header(&b, &pax) == 0, "memory");
	memcpy(b.data + 124, header.data + 124, 12);
	memset(b.data + 148, ' ', 8);
	unsigned int sum = 0;
	for (int i = 0; i < TAR_RECORD; i++)
		sum += b.data[i];
	(void)snprintf((char *)b.data + 148, 8, "%06o", sum);
	need(buf_add(&b, records, size) == 0 && buf_align(&b, TAR_RECORD) == 0, "memory");
	tree_archive_add(&b, &file, "");
	need(tar_add_end(&b) == 0, "memory");
	refuse_bytes(&b, part, what);
}

#define REFUSE_PAX(records, part, what) refuse_pax(records, sizeof(records) - 1, part, what)

static void test_bad_archives(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX);

	refuse_bytes(&b, "ends without its end mark", "no bytes");
	tree_archive_make(&b, "f a 1\n");
	buf_truncate(&b, TAR_RECORD + 100);
	refuse_bytes(&b, "its data end beyond the archive", "cut off data");
	buf_truncate(&b, TAR_RECORD);
	refuse_bytes(&b, "its data end beyond the archive", "no data");
	b.data[0]++;
	refuse_bytes(&b, "no valid header (member at byte 0)", "a changed header");
	REFUSE_PAX("8 path=x\n", "malformed", "a record that is too short");
	REFUSE_PAX("99 path=x\n", "malformed", "a record that is too long");
	REFUSE_PAX("11 path=/x\n", "the path \"/x\" leaves", "an absolute path in pax");
	REFUSE_PAX("13 path=a\0/x\n", "leaves the tree, or is none", "a NUL in a path");
	REFUSE_PAX("28 size=9223372036854775807\n", "data end beyond the archive", "a size of 63 bits");
	REFUSE_PAX("29 size=18446744073709551615\n", "data end beyond the archive", "a size of 64 bits");
	REFUSE_PAX("30 size=118446744073709551615\n", "is not a number", "a size of more than 64 bits");
	REFUSE_PAX("18 uid=4294967295\n", "an owner or a device number that Linux does not have", "no owner");
	REFUSE_PAX("7 x=yz\n\n", "malformed", "a record with an empty line behind");
	REFUSE_PAX("22 GNU.sparse.major=1\n", "sparse files are not supported", "a sparse file");
	REFUSE_PAX("25 SCHILY.xattr.user.a=1\n25 SCHILY.xattr.user.a=2\n", "there twice", "an attribute given twice");
	REFUSE_PAX("27 SCHILY.xattr.user.%3D=1\n", "has a '=', '%' or NUL in it", "an attribute with a '='");
	REFUSE_PAX("42 SCHILY.xattr.trusted.overlay.metacopy=\n", "redirect_dir or metacopy", "a file of metacopy");
	REFUSE_PAX("43 SCHILY.xattr.trusted.overlay.redirect=x\n", "redirect_dir or metacopy", "a redirected directory");
	refuse_member(&(struct tar_member) { .path = "a", .type = (enum tar_type)'S' }, "neither ustar's nor pax's",
		      "GNU's sparse file");
	refuse_member(&(struct tar_member) { .path = "a", .type = (enum tar_type)'L' }, "neither ustar's nor pax's",
		      "GNU's long name");
	refuse_member(&(struct tar_member) { .path = "a", .type = (enum tar_type)'g' }, "neither ustar's nor pax's",
		      "global pax records");
	refuse_member(&(struct tar_member) { .path = "a", .type = TAR_PAX }, "pax records about nothing",
		      "records at the end");
	refuse_member(&(struct tar_member) { .path = "a", .type = TAR_BLOCK, .major = 4096 },
		      "a device number that Linux does not have", "a device beyond Linux");
}

/* Values that are holes take no space on disk, but would in memory. */
static void test_index_limit(void)
{
	const size_t value = 1000000;
	CLEANUP_FREE char *path = path_join(dir.path, "many.tar");
	CLEANUP_FREE char *zeros = calloc(1, value);
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	const struct tar_attribute a = { "user.a", zeros, value };
	const struct tar_member m = { .path = "a", .type = TAR_FILE, .attributes = &a, .attribute_count = 1 };
	CLEANUP_BUF struct buf b = BUF_INIT(2 * value);
	struct error err = ERROR_INIT;
	struct tree *t = NULL;
	int r;

	need(fd >= 0 && zeros && tar_add_header(&b, &m) == 0, "a member with a large attribute");
	for (uint64_t i = 0; i < 220; i++) {
		const uint64_t at = i * b.len, tail = b.len - 2 * TAR_RECORD;

		need(io_pwrite_full(fd, b.data, 2 * TAR_RECORD, at, "many", &err) == 0 &&
		     io_pwrite_full(fd, b.data + tail, 2 * TAR_RECORD, at + tail, "many", &err) == 0, "%s", err.message);
	}
	need(ftruncate(fd, (off_t)(220 * b.len + 2 * TAR_RECORD)) == 0, "its end");
	r = tree_open(path, &t, &err);
	expect_refusal(t, r, &err, "more would take above 200 MiB of memory", "more than memory is for");
	(void)unlink(path);
}

/* ---------------------------------------------------------------- attributes, owners, sizes */

static void test_attributes(void)
{
	const struct tar_attribute lower[] = {
		{ "user.b", "2", 1 }, { "trusted.other", "x", 1 }, { "security.capability", "1", 1 },
		{ "security.selinux", "x", 1 }, { "user.a", "=\n", 2 },
	};
	const struct tar_attribute upper[] = {
		{ "trusted.overlay.origin", "\0\xfb", 2 }, { "trusted.overlay.opaque", "x", 1 }, { "user.c", "3", 1 },
		{ "system.posix_acl_access", "A", 1 }, { "system.posix_acl_default", "D", 1 }, { "system.other", "x", 1 },
	};
	const struct tar_attribute whiteout = { "trusted.overlay.whiteout", "", 0 };
	CLEANUP_BUF struct buf below = BUF_INIT(ARCHIVE_MAX), above = BUF_INIT(ARCHIVE_MAX);
	CLEANUP_FREE char *packages = NULL, *changes = NULL;
	CLEANUP_TREE struct tree *t = NULL;
	struct error err = ERROR_INIT;

	tree_archive_add(&below, &(struct tar_member) { .path = "d", .type = TAR_DIRECTORY, .mode = 0755 }, "");
	tree_archive_add(&below, &(struct tar_member) { .path = "d/f", .type = TAR_FILE, .mode = 0644, .uid = 3000000,
			 .gid = 5, .size = 1, .attributes = lower, .attribute_count = ARRAY_SIZE(lower) }, "1");
	tree_archive_make(&below, "f d/g 1\nf d/h 1\n");
	tree_archive_add(&above, &(struct tar_member) { .path = ".", .type = TAR_DIRECTORY, .mode = 0755 }, "");
	tree_archive_add(&above, &(struct tar_member) { .path = "d", .type = TAR_DIRECTORY, .mode = 0755,
			 .attributes = upper, .attribute_count = ARRAY_SIZE(upper) }, "");
	/* An empty file with that attribute is a whiteout; one with contents is not. */
	tree_archive_add(&above, &(struct tar_member) { .path = "d/g", .type = TAR_FILE, .mode = 0644,
			 .attributes = &whiteout, .attribute_count = 1 }, "");
	tree_archive_add(&above, &(struct tar_member) { .path = "d/h", .type = TAR_FILE, .mode = 0644, .size = 1,
			 .attributes = &whiteout, .attribute_count = 1 }, "2");
	tree_archive_make(&above, "");
	packages = write_archive("lower.tar", &below);
	changes = write_archive("upper.tar", &above);
	need(tree_merge(packages, changes, &t, &err) == 0, "merged: %s", err.message);
	expect_tree(t, ROOT "{SCHILY.xattr.system.posix_acl_access=A} {SCHILY.xattr.system.posix_acl_default=D} "
		    "{SCHILY.xattr.user.c=3} 5 755 d/\n"
		    "{uid=3000000} {SCHILY.xattr.security.capability=1} {SCHILY.xattr.user.a==\n} "
		    "{SCHILY.xattr.user.b=2} 0 644 d/f = 1\n0 644 d/h = 2\n", "attributes");
}

/* Names beyond ustar: the field has their beginning. */
#define CUT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123"
#define LONG CUT "45"

static void test_long_names(void)
{
	CLEANUP_TREE struct tree *t = NULL;
	struct error err = ERROR_INIT;

	need(open_trees("d " LONG "\nd " LONG "/" LONG "\nf " LONG "/" LONG "/" LONG " 1\nl a " LONG "/" LONG "\n", NULL,
			&t, &err) == 0, "long names: %s", err.message);
	ok(tree_has(t, "a/" LONG), "they are found");
	expect_tree(t, ROOT
		    "{path=" LONG "/} 5 755 " CUT "\n"
		    "{path=" LONG "/" LONG "/} 5 755 " CUT "\n"
		    "{path=" LONG "/" LONG "/" LONG "} 0 644 " CUT " = 1\n"
		    "{linkpath=" LONG "/" LONG "} 2 777 a -> " CUT "\n", "long names");
}

/* Beyond 4 GiB, and beyond the 8 GiB that ustar's field holds. The data are holes but for their ends. */
static void test_large_file(uint64_t size)
{
	CLEANUP_FREE char *from = path_join(dir.path, "large.tar"), *to = path_join(dir.path, "copy.tar");
	CLEANUP_CLOSE int fd = open(from, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	CLEANUP_CLOSE int copy = -1;
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX), more = BUF_INIT(ARCHIVE_MAX);
	CLEANUP_TREE struct tree *t = NULL;
	struct error err = ERROR_INIT;
	char read[4] = "";
	struct stat st;
	uint64_t data;

	need(fd >= 0 && tar_add_header(&b, &(struct tar_member) { .path = "a", .type = TAR_FILE, .size = size }) == 0,
	     "a large file");
	data = b.len;
	tree_archive_make(&more, "f b 1\n");
	need(io_pwrite_full(fd, b.data, b.len, 0, from, &err) == 0 &&
	     io_pwrite_full(fd, "end", 3, data + size - 3, from, &err) == 0 &&
	     io_pwrite_full(fd, more.data, more.len, data + size, from, &err) == 0, "%s", err.message);
	need(tree_open(from, &t, &err) == 0, "a file of %" PRIu64 " bytes: %s", size, err.message);
	need(tree_write(t, to, 0, NULL, &err) == 0, "is written again: %s", err.message);
	copy = open(to, O_RDONLY | O_CLOEXEC);
	need(copy >= 0 && fstat(copy, &st) == 0, "the copy");
	ok_int(st.st_size, TAR_RECORD + data + size + more.len, "its size is the root's, the file's and the rest");
	ok(st.st_blocks < 4096, "holes stayed holes");
	ok(io_pread_full(copy, read, 3, TAR_RECORD + data + size - 3, to, &err) == 0 && strcmp(read, "end") == 0,
	   "its end is where it belongs");
	(void)unlink(from);
	(void)unlink(to);
}

/* ---------------------------------------------------------------- leaving out */

static void test_without(void)
{
	static const char *const without[] = { "boot/", "vmlinuz", "tmp", NULL };
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX), told = BUF_INIT(ARCHIVE_MAX);
	CLEANUP_TREE struct tree *t = NULL;
	struct error err = ERROR_INIT;

	need(open_trees("d boot\nf boot/k 1\nd boot/d\nf boot/d/x 1\nh usr boot/k\nh z usr\nl vmlinuz boot/k\n"
			"f vmlinuz.old 1\nd tmp\nf tmp/x 1\nf tmpx 1\nf boots 1\n", NULL, &t, &err) == 0,
	     "a tree: %s", err.message);
	write_tree(t, without, "without.tar", &b);
	tree_archive_tell(&b, &told);
	ok_str(buf_text(&told), ROOT "5 755 boot/\n0 644 boots = 1\n0 644 tmpx = 1\n0 644 usr = 1\n"
	       "0 644 vmlinuz.old = 1\n1 644 z -> usr\n", "what is left out takes no data with it");
}

/* ---------------------------------------------------------------- looking up */

static void expect_read(const struct tree *t, const char *path, const char *expected)
{
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX);
	struct error err = ERROR_INIT;

	ok(tree_read(t, path, &b, &err) == 0, "%s is read (%s)", path, err.message);
	ok_str(buf_text(&b), expected, "%s: its contents", path);
}

static void expect_no_read(const struct tree *t, const char *path, const char *part)
{
	CLEANUP_BUF struct buf b = BUF_INIT(4);
	struct error err = ERROR_INIT;

	ok(tree_read(t, path, &b, &err) < 0 && err.kind == ERROR_INPUT && b.len == 0, "%s is not read", path);
	ok_error(&err, part, "%s: the reason", path);
}

static struct tree *make_maze(void)
{
	static const char text[] =
		"d a\nd a/b\nf a/b/f 1\nf g 2\nf big 12345\nl a/up ../g\nl a/abs /g\nl a/out ../../../../g\nl dir a/b\n"
		"l a/twice ../dir/f\nl loop loop\nl ping pong\nl pong ping\nl dangling nothing\nl self .\nl deep dir/../up\n"
		"h hard dir\nl slash a/b/\nl l1 g\n";
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX);
	struct error err = ERROR_INIT;
	struct tree *t = NULL;

	need(buf_add_string(&b, text) == 0, "memory");
	for (int i = 2; i <= 41; i++)
		need(buf_printf(&b, "l l%d l%d\n", i, i - 1) == 0, "memory");
	need(open_trees(buf_text(&b), NULL, &t, &err) == 0, "a maze of links: %s", err.message);
	return t;
}

static void test_lookup(void)
{
	CLEANUP_TREE struct tree *t = make_maze();

	expect_read(t, "a/b/f", "1");
	expect_read(t, "/a//b/./f", "1");
	expect_read(t, "a/up", "2");
	expect_read(t, "a/abs", "2");
	expect_read(t, "a/out", "2");
	expect_read(t, "dir/f", "1");
	expect_read(t, "dir/../../g", "2");
	expect_read(t, "a/twice", "1");
	expect_read(t, "self/self/g", "2");
	expect_read(t, "deep", "2");
	expect_read(t, "hard/f", "1");
	expect_read(t, "slash/f", "1");
	expect_read(t, "l40", "2");
	expect_no_read(t, "l41", "the image has no /l41: Too many levels of symbolic links");
	expect_no_read(t, "loop", "Too many levels");
	expect_no_read(t, "ping/x", "Too many levels");
	expect_no_read(t, "dangling", "the image has no /dangling: No such file");
	expect_no_read(t, "nothing/x", "No such file");
	expect_no_read(t, "g/x", "Not a directory");
	expect_no_read(t, "g/..", "Not a directory");
	expect_no_read(t, "a", "the image's /a is no file");
	expect_no_read(t, "big", "has 5 bytes, more than the 4 it may have");
	ok(tree_has(t, "dir") && tree_has(t, "") && tree_has(t, "..") && !tree_has(t, "dangling"), "what is there");
}

static void expect_list(const struct tree *t, const char *path, const char *expected)
{
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX);
	size_t position = 0;
	const char *name;

	while ((name = tree_list(t, path, &position)))
		need(buf_printf(&b, "%s ", name) == 0, "memory");
	ok_str(buf_text(&b), expected, "the names in \"%s\"", path);
}

static void test_list(void)
{
	CLEANUP_TREE struct tree *t = NULL;
	struct error err = ERROR_INIT;

	need(open_trees("d a\nf a/b 1\nd a/c\nf a/c/d 1\nf a/e 1\nl f a\nf a-b 1\nd z\n", NULL, &t, &err) == 0, "%s",
	     err.message);
	expect_list(t, "", "a a-b f z ");
	expect_list(t, "a", "b c e ");
	expect_list(t, "f/c", "d ");
	expect_list(t, "z", "");
	expect_list(t, "a/b", "");
	expect_list(t, "nothing", "");
}

static void test_copy(void)
{
	CLEANUP_FREE char *path = path_join(dir.path, "copied");
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX);
	CLEANUP_TREE struct tree *t = make_maze();
	struct error err = ERROR_INIT;

	ok(tree_copy(t, "dir/f", path, &err) == 0, "a file is copied out (%s)", err.message);
	ok(io_read_file(path, ARCHIVE_MAX, &b, &err) == 0 && strcmp(buf_text(&b), "1") == 0, "with its contents");
	ok(tree_copy(t, "a/up", path, &err) < 0 && err.code == EEXIST, "and never over another");
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	struct error err = ERROR_INIT;

	need(io_scratch_new(tmp ? tmp : "/tmp", &dir, &err) == 0, "scratch: %s", err.message);
	test_overlays();
	test_real_overlay();
	test_refusals();
	test_bad_archives();
	test_index_limit();
	test_attributes();
	test_long_names();
	test_large_file(UINT64_C(5) << 30);
	test_large_file(UINT64_C(9) << 30);
	test_without();
	test_lookup();
	test_list();
	test_copy();
	io_scratch_free(&dir);
	return tap_done();
}
