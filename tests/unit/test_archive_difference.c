/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <unistd.h>

#include "rootfs/archive_difference.h"
#include "tests/unit/stage_fixture.h"

/*
 * Trees are made with a shell and packed with GNU tar, in the way root.tar is: sorted, with pax headers.
 */
static const char make_tree[] =
	"set -e; umask 022; rm -rf tree; mkdir -p tree/etc tree/usr/bin; cd tree\n"
	"echo alpha >etc/hostname; ln -s usr/bin bin; echo tool >usr/bin/tool; ln usr/bin/tool usr/bin/other\n"
	"echo name >etc/$(printf 'F\\305\\221tan\\303\\272s'); mkfifo usr/pipe; chmod 4755 usr/bin/tool\n"
	"head -c 200000 /dev/zero >usr/zeros\n";
static const char pack[] =
	"\ncd \"$TOP/tree\"; find . -exec touch -h -d @1700000000 {} +; eval \"$AFTER\"\n"
	"tar -c --sort=name --format=posix --numeric-owner --owner=0 --group=0"
	" --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"
	" $TAR -f \"../$NAME.tar\" .\n";

static struct fixture f;

static char *archive(const char *name, const char *change, const char *after, const char *tar)
{
	CLEANUP_FREE char *script = string_printf("TOP=%s; NAME=%s; AFTER='%s'; TAR='%s'; cd $TOP; %s%s%s",
						  f.scratch.path, name, after, tar, make_tree, change, pack);
	CLEANUP_BUF struct buf out = BUF_INIT(65536);

	need(fixture_tool((const char *const[]) { "sh", "-c", script, NULL }, &out) == 0, "making %s: %s", name, script);
	return string_printf("%s/%s.tar", f.scratch.path, name);
}

/* The sentence, or "same"; malloc'ed. */
static char *difference(const char *path_a, const char *path_b)
{
	const struct archive_source a = { .path = path_a, .name = "A" }, b = { .path = path_b, .name = "B" };
	struct error err = ERROR_INIT;
	char *what = NULL;

	if (archive_difference(&a, &b, &what, &err) < 0)
		return string_printf("error: %s", err.message);
	return what ? what : string_copy("same");
}

static void expect(const char *original, const char *change, const char *after, const char *tar,
		   const char *expected, const char *about)
{
	CLEANUP_FREE char *changed = archive("b", change, after, tar);
	CLEANUP_FREE char *what = difference(original, changed), *back = difference(changed, original);

	ok_str(what, expected, "%s", about);
	ok(strcmp(expected, "same") ? strcmp(back, "same") != 0 : strcmp(back, "same") == 0,
	   "%s: seen from the other side too", about);
}

static void test_members(const char *a)
{
	expect(a, "", "", "", "same", "the same tree");
	expect(a, "", "", "-b 1", "same", "the same tree with other padding");
	expect(a, "echo omega >etc/hostname", "", "",
	       "etc/hostname: the contents differ at byte 0", "another content");
	expect(a, "echo alphabet >etc/hostname", "", "", "etc/hostname: the contents differ at byte 5",
	       "a longer content");
	expect(a, "printf 1 | dd of=usr/zeros bs=1 seek=150001 conv=notrunc status=none", "", "",
	       "usr/zeros: the contents differ at byte 150001", "a byte far into a file");
	expect(a, "chmod 600 etc/hostname", "", "", "etc/hostname: the mode is 0644 and 0600", "another mode");
	expect(a, "chmod u-s usr/bin/tool", "", "", "usr/bin/other: the mode is 4755 and 0755", "a set-id bit");
	expect(a, "", "", "--owner=7", ".: the owner is 0 and 7", "another owner");
	expect(a, "", "touch -d @1700000001 etc/hostname", "", "etc/hostname: the time is 1700000000 and 1700000001",
	       "another time");
	expect(a, "", "touch -d @1700000000.5 etc/hostname", "",
	       "etc/hostname: the time's fraction is 0 and 500000000", "a fraction of a second");
	expect(a, "ln -sfn usr bin", "", "", "bin: the link leads to \"usr/bin\" and to \"usr\"", "another target");
	expect(a, "rm usr/pipe; echo >usr/pipe", "", "", "usr/pipe: it is a pipe and a file", "another kind");
	expect(a, "rm usr/bin/tool; cp usr/bin/other usr/bin/tool; chmod 4755 usr/bin/*", "", "",
	       "usr/bin/tool: it is a hard link and a file", "a copy in place of a hard link");
}

static void test_names(const char *a)
{
	expect(a, "rm usr/pipe", "", "", "usr/pipe: only A has it", "a file less");
	expect(a, "mkdir usr/lib", "", "", "usr/lib: only B has it", "a directory more");
	expect(a, "rm usr/zeros", "", "", "usr/zeros: only A has it", "a file less at the end");
	expect(a, "echo >zz", "", "", "zz: only B has it", "a file more at the end");
	expect(a, "rm etc/F*; echo name >etc/$(printf 'F\\305\\221tan\\303\\271s')", "", "",
	       "etc/F\305\221tan\303\272s: only A has it", "a name that ASCII cannot say");
	expect(a, "", "", "--sort=none bin etc --exclude=etc --exclude=bin", ".: the members are in another order", "another order");
}

/* GNU tar gives them to the members that need an extended header anyway. */
#define NAME "etc/F\305\221tan\303\272s"

static void test_xattrs(void)
{
	CLEANUP_FREE char *a = archive("x", "", "", "--pax-option=SCHILY.xattr.user.a:=one");

	expect(a, "", "", "--pax-option=SCHILY.xattr.user.a:=one", "same", "the same attribute");
	expect(a, "", "", "--pax-option=SCHILY.xattr.user.a:=two",
	       NAME ": the extended attribute user.a has another value", "another value");
	expect(a, "", "", "--pax-option=SCHILY.xattr.user.b:=one",
	       NAME ": the extended attributes are user.a and user.b at one place", "another attribute");
	expect(a, "", "", "", NAME ": one has more extended attributes than the other", "an attribute less");
}

static void test_bad(const char *a)
{
	CLEANUP_FREE char *cut = path_join(f.scratch.path, "cut"), *what = NULL, *garbage = NULL;
	CLEANUP_FREE char *none = NULL;
	CLEANUP_BUF struct buf bytes = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;

	need(io_read_file(a, 1 << 20, &bytes, &err) == 0, "%s", err.message);
	need(io_write_file(cut, bytes.data, bytes.len / 2, 0644, &err) == 0, "%s", err.message);
	what = difference(a, cut);
	ok(strncmp(what, "error: B: ", 10) == 0, "an archive that is cut off is an error: %s", what);
	need(io_write_file(cut, "no archive at all", 17, 0644, &err) == 0, "%s", err.message);
	garbage = difference(cut, a);
	ok(strncmp(garbage, "error: A: ", 10) == 0, "and so is what is none: %s", garbage);
	none = difference(a, "tests/none");
	ok(strncmp(none, "error: B: ", 10) == 0, "and what is not there: %s", none);
}

int main(void)
{
	CLEANUP_FREE char *a = NULL;

	fixture_open(&f);
	a = archive("a", "", "", "");
	test_members(a);
	test_names(a);
	test_xattrs();
	test_bad(a);
	fixture_close(&f);
	return tap_done();
}
