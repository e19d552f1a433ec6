/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/packages/store.h"

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"	/* "hello" */

static struct scratch dir = SCRATCH_INIT;

static char *file(const char *name, const char *content)
{
	struct error err = ERROR_INIT;
	char *path = path_join(dir.path, name);

	need(io_write_file(path, content, strlen(content), 0644, &err) == 0, "write %s", name);
	return path;
}

static void test_bytes(const struct store *s)
{
	CLEANUP_FREE char *path = store_path(s, HELLO), *verified = NULL;
	struct error err = ERROR_INIT;
	char sha256[65];
	struct stat st;

	ok(!store_has(s, HELLO), "a new store is empty");
	ok_int(store_verified(s, HELLO, "greeting", &verified, &err), -EIO, "and says so");
	ok_error(&err, "greeting", "naming what is missing");
	ok_error(&err, "kiln fetch", "and what to do");
	err = (struct error)ERROR_INIT;
	ok_int(store_add_bytes(s, "hello", 5, sha256, &err), 0, "bytes go in");
	ok_str(sha256, HELLO, "under their digest");
	ok_int(store_add_bytes(s, "hello", 5, sha256, &err), 0, "twice is no error");
	ok(store_has(s, HELLO), "they are there");
	ok(strstr(path, "/store/2c/2cf24d"), "below two digits: %s", path);
	need(stat(path, &st) == 0, "stat");
	ok_int(st.st_mode & 07777, 0444, "nobody may write them");
	ok_int(store_verified(s, HELLO, "greeting", &verified, &err), 0, "they verify");
	ok_str(verified, path, "at their place");
}

static void test_damage(const struct store *s)
{
	CLEANUP_FREE char *path = store_path(s, HELLO), *verified = NULL, *good = file("good", "hello");
	struct error err = ERROR_INIT;

	need(io_write_file(path, "hellO", 5, 0444, &err) == 0, "damage an object");
	ok_int(store_verified(s, HELLO, "greeting", &verified, &err), -EIO, "damage is seen");
	ok_error(&err, "greeting is damaged", "and told");
	ok(!verified, "no path is given");
	err = (struct error)ERROR_INIT;
	ok_int(store_adopt(s, good, HELLO, "greeting", &err), 0, "the right bytes replace it");
	ok_int(store_verified(s, HELLO, "greeting", &verified, &err), 0, "and verify");
}

static void test_adopt(const struct store *s)
{
	CLEANUP_FREE char *object = store_path(s, HELLO), *moved = file("moved", "hello");
	CLEANUP_FREE char *wrong = file("wrong", "goodbye"), *target = file("target", "hello");
	CLEANUP_FREE char *link = path_join(dir.path, "link"), *absent = path_join(dir.path, "absent");
	struct error err = ERROR_INIT;

	need(unlink(object) == 0, "an empty store");
	ok_int(store_adopt(s, wrong, HELLO, "greeting", &err), -EIO, "wrong bytes are refused");
	ok_error(&err, "greeting: its SHA-256 is ", "naming the object");
	ok_error(&err, "the lock says " HELLO, "and both digests");
	ok(!store_has(s, HELLO), "nothing is kept");
	ok(!io_exists(wrong), "nor left");
	err = (struct error)ERROR_INIT;
	ok_int(store_adopt(s, moved, HELLO, "greeting", &err), 0, "right ones are moved");
	ok(!io_exists(moved) && store_has(s, HELLO), "into the store");
	need(unlink(object) == 0 && symlink(target, link) == 0, "a link to a mirror's file");
	ok_int(store_adopt(s, link, HELLO, "greeting", &err), 0, "a link's bytes are copied");
	ok(io_exists(target) && !io_exists(link), "and the mirror keeps its own");
	ok_int(store_adopt(s, absent, HELLO, "greeting", &err), -ENOENT, "a missing file");
	ok_error(&err, "greeting", "is named");
}

static bool can_lock(int operation)
{
	CLEANUP_FREE char *path = path_join(dir.path, "store");
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && flock(fd, operation | LOCK_NB) == 0;
}

/* One process after the other, as several would. */
static void test_holding(void)
{
	struct error err = ERROR_INIT;
	struct store *s = NULL;

	need(store_open(dir.path, &s, &err) == 0, "store_open");
	ok(can_lock(LOCK_SH), "an open store is open to others");
	ok(!can_lock(LOCK_EX), "but to nobody alone");
	store_free(s);
	need(store_open_alone(dir.path, &s, &err) == 0, "store_open_alone");
	ok(!can_lock(LOCK_SH), "one that is open alone is closed to others");
	store_free(s);
	ok(can_lock(LOCK_EX), "until it is closed");
}

static void test_places(void)
{
	char sha256[65] = "";

	ok(store_is_object("2c/" HELLO, sha256), "an object's place");
	ok_str(sha256, HELLO, "tells its digest");
	ok(!store_is_object("2d/" HELLO, sha256), "another directory is not its place");
	ok(!store_is_object("2c/2" HELLO, sha256), "a longer name is none");
	ok(!store_is_object("", sha256), "nor is nothing");
}

int main(void)
{
	CLEANUP_STORE struct store *s = NULL;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch directory");
	need(store_open(dir.path, &s, &err) == 0, "store_open");
	test_bytes(s);
	test_damage(s);
	test_adopt(s);
	store_free(s);
	s = NULL;
	test_holding();
	test_places();
	store_free(NULL);
	io_scratch_free(&dir);
	return tap_done();
}
