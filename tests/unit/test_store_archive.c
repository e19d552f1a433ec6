/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/store_archive.h"
#include "tests/unit/tar_archive.h"

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A62 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *path, *prefix;
	char type;
	const char *data;
	const char *why;		/* NULL: it is good */
} cases[] = {
	{ "images/mpc/kiln.lock", NULL, '0', "x", NULL },
	{ "images/mpc-1.0_a/kiln.lock", NULL, '\0', "x", NULL },
	{ "kiln.lock", "images/mpc", '0', "x", NULL },
	{ "store/aa/a" A63, NULL, '0', "x", NULL },
	{ "store/aa/a" A63, NULL, '0', "", "is empty" },
	{ "store/aa/a" A63, NULL, '2', "", "is no regular file" },
	{ "store/aa/a" A63, NULL, '1', "", "is no regular file" },
	{ "store/aa/a" A63, NULL, '5', "", "is no regular file" },
	{ "store/aa/a" A63, NULL, 'x', "x", "is no regular file" },
	{ "store/ab/a" A63, NULL, '0', "x", "neither" },
	{ "store/aa/" A63, NULL, '0', "x", "neither" },
	{ "store/aa/aa" A63, NULL, '0', "x", "neither" },
	{ "store/AA/AA" A62, NULL, '0', "x", "neither" },
	{ "store/aa/../" A62, NULL, '0', "x", "neither" },
	{ "store/aa/a" A63 "/", NULL, '0', "x", "neither" },
	{ "/store/aa/a" A63, NULL, '0', "x", "neither" },
	{ "./store/aa/a" A63, NULL, '0', "x", "neither" },
	{ "../store/aa/a" A63, NULL, '0', "x", "neither" },
	{ "store", NULL, '5', "", "neither" },
	{ "images/kiln.lock", NULL, '0', "x", "neither" },
	{ "images//kiln.lock", NULL, '0', "x", "neither" },
	{ "images/../kiln.lock", NULL, '0', "x", "neither" },
	{ "images/./kiln.lock", NULL, '0', "x", "neither" },
	{ "images/.a/kiln.lock", NULL, '0', "x", "neither" },
	{ "images/a b/kiln.lock", NULL, '0', "x", "neither" },
	{ "images/a\033[2J/kiln.lock", NULL, '0', "x", "neither" },
	{ "images/a/b/kiln.lock", NULL, '0', "x", "neither" },
	{ "images/a/kiln.lock.d", NULL, '0', "x", "neither" },
	{ X50 "/kiln.lock", "images/" X50 X50, '0', "x", "neither" },
	{ "kiln.lock", "images/" X50 X50, '0', "x", NULL },
	{ "kiln.lock", "images/" X50 X50 "x", '0', "x", "neither" },
	{ "etc/passwd", NULL, '0', "x", "neither" },
};

static void test_members(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf b = BUF_INIT(4096);
		struct store_archive archive = { .last = "" };
		struct store_member member = { .kind = STORE_MEMBER_END };
		struct error err = ERROR_INIT;
		int r;

		tar_add(&b, cases[i].path, cases[i].prefix, cases[i].type, cases[i].data, strlen(cases[i].data));
		r = store_archive_next(&archive, b.data, &member, &err);
		if (cases[i].why)
			ok(r < 0 && err.kind == ERROR_INPUT && strstr(err.message, cases[i].why) &&
			   member.kind == STORE_MEMBER_END, "case %zu is refused", i);
		else
			ok(r == 0 && member.kind != STORE_MEMBER_END && member.size == 1, "case %zu is taken", i);
	}
}

static int next(struct store_archive *archive, const char *path, struct store_member *ret, struct error *err)
{
	CLEANUP_BUF struct buf b = BUF_INIT(4096);

	tar_add(&b, path, NULL, '0', "data", 4);
	return store_archive_next(archive, b.data, ret, err);
}

static void test_order(void)
{
	struct store_archive archive = { .last = "" };
	struct error err = ERROR_INIT;
	struct store_member member;
	uint8_t zeros[TAR_RECORD] = { 0 };

	ok_int(next(&archive, "images/a/kiln.lock", &member, &err), 0, "a lock");
	ok_int(member.kind, STORE_MEMBER_LOCK, "is one");
	ok_str(member.name, "a", "of its image");
	ok_int(next(&archive, "store/aa/a" A63, &member, &err), 0, "an object");
	ok_int(member.kind, STORE_MEMBER_OBJECT, "is one");
	ok_str(member.name, "a" A63, "by its digest");
	ok(next(&archive, "store/aa/a" A63, &member, &err) < 0, "nothing comes twice");
	ok_error(&err, "out of order", "nor late");
	err = (struct error)ERROR_INIT;
	ok(next(&archive, "images/b/kiln.lock", &member, &err) < 0, "no lock comes behind an object");
	ok_int(next(&archive, "store/bb/bb" A62, &member, &err), 0, "what is refused changes nothing");
	ok_int(store_archive_next(&archive, zeros, &member, &err), 0, "a record of zeros");
	ok_int(member.kind, STORE_MEMBER_END, "is the end");
	zeros[7] = 1;
	err = (struct error)ERROR_INIT;
	ok(store_archive_next(&archive, zeros, &member, &err) < 0, "anything else is not");
	ok_error(&err, "no valid tar header", "and told");
}

static void test_names(void)
{
	CLEANUP_FREE char *lock = store_archive_lock_path("mpc");
	CLEANUP_FREE char *object = store_archive_object_path("bb" A62);
	struct store_archive archive = { .last = "" };
	struct error err = ERROR_INIT;
	struct store_member member;

	ok(next(&archive, lock, &member, &err) == 0 && strcmp(member.name, "mpc") == 0,
	   "what names a lock is read as one");
	ok(next(&archive, object, &member, &err) == 0 && strcmp(member.name, "bb" A62) == 0,
	   "and so is an object");
}

int main(void)
{
	test_members();
	test_order();
	test_names();
	return tap_done();
}
