/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/appliance.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "factory/format/tar.h"
#include "tap.h"

struct world {
	char *host, *parts, *own;	/* the host's directory, its supermin.d, and where Kiln's goes */
	char *path;			/* libguestfs's search path */
};

static void put(const char *directory, const char *name, const char *text)
{
	CLEANUP_FREE char *path = path_join(directory, name);
	struct error err = ERROR_INIT;

	need(io_write_file(path, text, strlen(text), 0644, &err) == 0, "%s: %s", name, err.message);
}

static char *made(const struct world *w, const char *name)
{
	return string_printf("%s/guestfs/supermin.d/%s", w->own, name);
}

static bool holds(const struct world *w, const char *name, const char *text)
{
	CLEANUP_BUF struct buf contents = BUF_INIT(4096);
	CLEANUP_FREE char *path = made(w, name);
	struct error err = ERROR_INIT;

	return io_read_file(path, 4096, &contents, &err) == 0 && strcmp(buf_text(&contents), text) == 0;
}

static void write_it(const struct world *w, const char *what)
{
	CLEANUP_FREE char *directory = string_printf("%s/guestfs", w->own), *ret = NULL;
	struct error err = ERROR_INIT;

	ok(appliance_write(w->path, w->own, &ret, &err) == 0, "%s: %s", what, err.message);
	ok_str(ret, directory, "what to search instead");
}

/* One file, which the shell finds no fault with. */
static void test_init(const struct world *w)
{
	CLEANUP_FREE char *path = made(w, "init.tar");
	CLEANUP_BUF struct buf archive = BUF_INIT(65536);
	CLEANUP_FREE char *script = NULL;
	struct tar_entry entry;
	struct error err = ERROR_INIT;
	size_t offset = 0;

	need(io_read_file(path, 65536, &archive, &err) == 0, "an archive: %s", err.message);
	need(tar_next(archive.data, archive.len, &offset, &entry, &err) == 1, "with a file in it: %s", err.message);
	ok_str(entry.path, "init", "the script that starts it");
	script = string_printf("%.*s", (int)entry.size, (const char *)entry.data);
	ok(tar_next(archive.data, archive.len, &offset, &entry, &err) == 0, "and nothing else");

	const char *const argv[] = { "sh", "-n", "-c", script, NULL };

	ok(process_run(&(struct process_options) { .argv = argv }, NULL, &err) == 0, "sh can read it: %s", err.message);
	ok(strstr(script, "guestfsd --channel"), "it starts the daemon");
}

static void test_parts(struct world *w)
{
	CLEANUP_FREE char *init = made(w, "init.tar"), *theirs = made(w, "init.tar.gz"), *gone = path_join(w->parts, "packages");
	CLEANUP_FREE char *link = made(w, "packages");
	struct stat before, after;
	char target[4096];

	write_it(w, "from the host's parts");
	ok(holds(w, "packages", "bash\n") && holds(w, "daemon.tar.gz", "daemon"), "they are there");
	ok(!io_exists(theirs), "but for the script that starts it");
	test_init(w);

	need(stat(init, &before) == 0, "its time stamp");
	put(w->parts, "packages", "dash\n");
	put(w->parts, "zz-more", "more\n");
	write_it(w, "from changed parts");
	ok(holds(w, "packages", "dash\n") && holds(w, "zz-more", "more\n"), "what is changed and what is new");
	ok(stat(init, &after) == 0 && after.st_ino == before.st_ino, "the script is not written twice");

	need(unlink(gone) == 0, "a part less");
	write_it(w, "from what is left");
	ok(readlink(link, target, sizeof(target)) < 0, "is not there any more");
	ok(holds(w, "zz-more", "more\n"), "the others are");
}

static void test_none(const struct world *w)
{
	CLEANUP_FREE char *path = string_printf("%s/nowhere:%s", w->own, w->own), *ret = (char *)"";
	struct error err = ERROR_INIT;

	ok(appliance_write(path, w->own, &ret, &err) == 0 && !ret, "a fixed appliance is left alone");
	ok(appliance_write("", w->own, &ret, &err) == 0 && !ret, "and so is an empty path");
}

int main(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "a scratch directory: %s", err.message);

	CLEANUP_FREE char *host = path_join(scratch.path, "the host's"), *parts = path_join(host, "supermin.d");
	CLEANUP_FREE char *own = path_join(scratch.path, "own"), *path = string_printf("/nowhere:%s:%s", host, own);
	struct world w = { .host = host, .parts = parts, .own = own, .path = path };

	need(io_mkdirs(parts, 0755, &err) == 0 && io_mkdirs(own, 0755, &err) == 0, "directories: %s", err.message);
	put(parts, "packages", "bash\n");
	put(parts, "daemon.tar.gz", "daemon");
	put(parts, "init.tar.gz", "theirs");
	test_none(&w);
	test_parts(&w);
	return tap_done();
}
