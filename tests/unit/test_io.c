/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "tests/unit/tap.h"

#define MIB ((off_t)1 << 20)

static char *top;	/* the scratch directory everything happens in */

static char *at(const char *name)
{
	return path_join(top, name);
}

static void write_text(const char *path, const char *text)
{
	struct error err = ERROR_INIT;

	need(io_write_file(path, text, strlen(text), 0644, &err) == 0, "write: %s", err.message);
}

static int count_entries(const char *path)
{
	CLEANUP_CLOSEDIR DIR *dir = opendir(path);
	int n = 0;

	need(dir, "open %s", path);
	while (readdir(dir))
		n++;
	return n - 2;
}

static void paths(void)
{
	static const struct {
		const char *dir, *name, *joined;
	} cases[] = {
		{ "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "a", "/b", "a/b" }, { "/", "b", "/b" },
		{ "", "b", "b" }, { "a", "", "a/" }, { "a/b", "c/d", "a/b/c/d" },
	};
	static const struct {
		const char *path, *directory;
	} directories[] = {
		{ "a", "." }, { "a/b", "a" }, { "/a", "/" }, { "/a/b", "/a" }, { "a/b/", "a/b" }, { "", "." },
	};
	CLEANUP_FREE char *copy = string_copy("text");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *joined = path_join(cases[i].dir, cases[i].name);

		ok_str(joined, cases[i].joined, "\"%s\" + \"%s\"", cases[i].dir, cases[i].name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		CLEANUP_FREE char *directory = path_directory(directories[i].path);

		ok_str(directory, directories[i].directory, "\"%s\" lies in", directories[i].path);
	}
	ok_str(copy, "text", "copy");
}

static void read_whole(void)
{
	CLEANUP_FREE char *path = at("read");
	CLEANUP_BUF struct buf b = BUF_INIT(0);
	struct error err = ERROR_INIT;

	write_text(path, "0123456789");
	ok_int(io_read_file(path, 10, &b, &err), 0, "exactly the limit");
	ok_str(buf_text(&b), "0123456789", "content");
	ok_int(io_read_file(path, 9, &b, &err), -EFBIG, "above the limit");
	ok_error(&err, "9 bytes", "names the limit");
	ok_error(&err, path, "and the file");
	ok_str(buf_text(&b), "0123456789", "output untouched");
	ok_int(io_read_file("/proc/self/status", 1 << 20, &b, &err), 0, "a file without a size");
	ok(strncmp(buf_text(&b), "Name:", 5) == 0, "its content, in place of the other");
	ok_int(io_read_file("/nonexistent/x", 9, &b, &err), -ENOENT, "missing");
	ok_error(&err, "/nonexistent/x", "is named");
	ok_int(io_read_file(top, 9, &b, &err), -EISDIR, "a directory");
}

static void write_whole(void)
{
	CLEANUP_FREE char *dir = at("write");
	CLEANUP_FREE char *path = path_join(dir, "file");
	CLEANUP_FREE char *below = path_join(path, "below");
	CLEANUP_FREE char *taken = path_join(dir, "taken");
	CLEANUP_FREE char *inside = path_join(taken, "inside");
	CLEANUP_BUF struct buf b = BUF_INIT(0);
	struct error err = ERROR_INIT;
	mode_t mask = umask(077);
	struct stat st;

	need(mkdir(dir, 0755) == 0 && mkdir(taken, 0755) == 0, "directories");
	write_text(inside, "");
	ok_int(io_write_file(path, "one", 3, 0644, &err), 0, "write");
	ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0644, "the mode asked for, whatever the umask");
	umask(mask);
	ok_int(io_write_file(path, "second", 6, 0600, &err), 0, "replace");
	ok(io_read_file(path, 100, &b, &err) == 0 && strcmp(buf_text(&b), "second") == 0, "replaced");
	ok_int(io_write_file(path, NULL, 0, 0600, &err), 0, "an empty file");
	ok(stat(path, &st) == 0 && st.st_size == 0, "is empty");
	ok_int(io_write_file(below, "x", 1, 0600, &err), -ENOTDIR, "below a file");
	ok_error(&err, below, "is named");
	ok_int(io_write_file(taken, "x", 1, 0600, &err), -EISDIR, "over a directory");
	ok_int(count_entries(dir), 2, "no temporary file is left behind");
}

static void updates(void)
{
	CLEANUP_FREE char *path = at("updated");
	struct error err = ERROR_INIT;
	struct stat first, st;

	ok_int(io_update_file(path, "one", 3, 0644, &err), 0, "a file that was not there");
	need(stat(path, &first) == 0, "is there");
	ok_int(io_update_file(path, "one", 3, 0644, &err), 0, "the same bytes");
	ok(stat(path, &st) == 0 && st.st_ino == first.st_ino, "are left alone");
	ok_int(io_update_file(path, "two", 3, 0644, &err), 0, "others");
	ok(stat(path, &st) == 0 && st.st_ino != first.st_ino, "replace them");
	ok_int(io_update_file(path, "two!", 4, 0644, &err), 0, "more");
	ok(stat(path, &st) == 0 && st.st_size == 4, "are there");
}

/* A write that fails in the middle leaves the old file, and nothing else. */
static void write_fails(void)
{
	CLEANUP_FREE char *dir = at("full");
	CLEANUP_FREE char *path = path_join(dir, "file");
	CLEANUP_BUF struct buf b = BUF_INIT(0);
	CLEANUP_FREE char *data = calloc(1, 100000);
	struct error err = ERROR_INIT;
	struct rlimit before, limit;

	need(data && mkdir(dir, 0755) == 0, "directory");
	write_text(path, "old");
	need(getrlimit(RLIMIT_FSIZE, &before) == 0, "limit");
	limit = (struct rlimit){ 50000, before.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	need(setrlimit(RLIMIT_FSIZE, &limit) == 0, "limit");
	ok_int(io_write_file(path, data, 100000, 0644, &err), -EFBIG, "a write that fails");
	need(setrlimit(RLIMIT_FSIZE, &before) == 0, "limit");
	ok_error(&err, path, "names the file meant");
	ok(io_read_file(path, 100, &b, &err) == 0 && strcmp(buf_text(&b), "old") == 0, "the old one stays");
	ok_int(count_entries(dir), 1, "alone");
}

static void maps(void)
{
	CLEANUP_IO_MAP struct io_map map = { NULL, 0 };
	CLEANUP_FREE char *path = at("map");
	struct error err = ERROR_INIT;

	write_text(path, "mapped");
	ok_int(io_map_file(path, &map, &err), 0, "map");
	ok(map.size == 6 && memcmp(map.data, "mapped", 6) == 0, "content");
	io_unmap(&map);
	write_text(path, "");
	ok_int(io_map_file(path, &map, &err), 0, "map an empty file");
	ok(map.size == 0 && map.data, "size 0 and a valid pointer");
	io_unmap(&map);
	ok_int(io_map_file(top, &map, &err), -EINVAL, "a directory");
	ok_error(&err, "not a regular file", "is no regular file");
	ok_int(io_map_file("/nonexistent", &map, &err), -ENOENT, "missing");
}

static void transfers(void)
{
	CLEANUP_FREE char *path = at("transfer");
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CLEANUP_CLOSE int unwritable = -1;
	struct error err = ERROR_INIT;
	char got[6] = "";

	need(fd >= 0, "file");
	ok_int(io_pwrite_full(fd, "hello", 5, 100, "file", &err), 0, "write at an offset");
	ok_int(io_pread_full(fd, got, 5, 100, "file", &err), 0, "read there");
	ok_str(got, "hello", "the same");
	ok(io_pread_full(fd, got, 5, 101, "the disk", &err) < 0, "a short read is an error");
	ok_error(&err, "the disk ends at offset 105, 1 bytes too early", "which says where");
	unwritable = open(path, O_RDONLY | O_CLOEXEC);
	ok_int(io_pwrite_full(unwritable, "x", 1, 0, "file", &err), -EBADF, "a write that cannot be");
}

/* Data at 1 MiB and 5 MiB, holes elsewhere, the end included. */
static void make_sparse(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct error err = ERROR_INIT;
	char block[4096];

	memset(block, 'x', sizeof(block));
	need(fd >= 0 && ftruncate(fd, 8 * MIB) == 0, "sparse file");
	need(io_pwrite_full(fd, block, sizeof(block), MIB, path, &err) == 0, "%s", err.message);
	need(io_pwrite_full(fd, block, sizeof(block), 5 * MIB, path, &err) == 0, "%s", err.message);
}

static bool same_content(const char *a, const char *b)
{
	CLEANUP_IO_MAP struct io_map x = { NULL, 0 };
	CLEANUP_IO_MAP struct io_map y = { NULL, 0 };
	struct error err = ERROR_INIT;

	return io_map_file(a, &x, &err) == 0 && io_map_file(b, &y, &err) == 0 &&
	       x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
}

static void copies(void)
{
	CLEANUP_FREE char *from = at("sparse");
	CLEANUP_FREE char *to = at("copy");
	CLEANUP_FREE char *nowhere = at("missing/copy");
	struct error err = ERROR_INIT;
	struct stat st;

	make_sparse(from);
	ok_int(io_copy_file(from, to, 0640, &err), 0, "copy a sparse file");
	ok(same_content(from, to), "the same content");
	ok(stat(to, &st) == 0 && st.st_size == 8 * MIB, "the hole at the end counts");
	ok(st.st_blocks * 512 <= 64 << 10, "holes stay holes (%jd blocks)", (intmax_t)st.st_blocks);
	ok_int(st.st_mode & 07777, 0640, "the mode asked for");
	ok_int(io_copy_file(from, to, 0640, &err), -EEXIST, "never over another file");
	ok(same_content(from, to), "which stays");
	ok_int(io_copy_file(from, nowhere, 0640, &err), -ENOENT, "no directory");
	ok_error(&err, nowhere, "is named");
	ok_int(io_copy_file("/nonexistent", nowhere, 0640, &err), -ENOENT, "no source");
	ok_error(&err, "/nonexistent", "is named");
	ok_int(unlink(to), 0, "remove the copy");
	ok(io_copy_file(top, to, 0600, &err) < 0, "a directory is no file");
	ok(!io_exists(to), "and a failed copy leaves nothing");
}

static void ranges(void)
{
	CLEANUP_FREE char *from_path = at("sparse");
	CLEANUP_FREE char *to_path = at("range");
	CLEANUP_CLOSE int from = open(from_path, O_RDONLY | O_CLOEXEC);
	CLEANUP_CLOSE int to = open(to_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct error err = ERROR_INIT;
	struct stat st;
	char got[3] = "";

	need(from >= 0 && to >= 0, "files");
	ok_int(io_copy_range(from, MIB + 4094, to, 2 * MIB, 2, "sparse", &err), 0,
	       "two bytes at odd offsets");
	ok(fstat(to, &st) == 0 && st.st_size == 2 * MIB + 2, "not one more");
	ok(io_pread_full(to, got, 2, 2 * MIB, "range", &err) == 0 && strcmp(got, "xx") == 0, "they came");
	ok_int(io_copy_range(from, 6 * MIB, to, 3 * MIB, MIB, "sparse", &err), 0, "only a hole");
	ok(fstat(to, &st) == 0 && st.st_size == 4 * MIB, "extends the file");
	ok_int(io_copy_range(from, 7 * MIB, to, 0, UINT64_MAX, "sparse", &err), 0, "to the end");
	ok_int(io_copy_range(from, 0, to, 0, 0, "sparse", &err), 0, "nothing");
	ok(fstat(to, &st) == 0 && st.st_size == 4 * MIB, "changes nothing");
	ok(io_copy_range(from, 7 * MIB, to, 0, MIB + 1, "sparse", &err) < 0, "past the end");
	ok_error(&err, "sparse has 8388608 bytes", "says how many there are");
	ok(io_copy_range(from, UINT64_MAX, to, 0, 2, "sparse", &err) < 0, "no overflow in the source");
	ok_int(io_copy_range(from, 0, to, UINT64_MAX, 2, "sparse", &err), -EFBIG, "nor in the target");
	ok_int(io_copy_range(from, 0, to, INT64_MAX, 2, "sparse", &err), -EFBIG, "nor past off_t");
}

static void directories(void)
{
	CLEANUP_FREE char *deep = at("d/e/e/p");
	CLEANUP_FREE char *slash = at("d/e/slash/");
	CLEANUP_FREE char *file = at("file");
	CLEANUP_FREE char *below = at("file/below");
	struct error err = ERROR_INIT;

	ok_int(io_mkdirs(deep, 0755, &err), 0, "directories");
	ok_int(io_mkdirs(deep, 0755, &err), 0, "which are there already");
	ok_int(io_mkdirs(slash, 0755, &err), 0, "a slash at the end");
	ok(io_exists(deep) && io_exists(slash), "exist");
	write_text(file, "");
	ok_int(io_mkdirs(file, 0755, &err), -ENOTDIR, "over a file");
	ok_int(io_mkdirs(below, 0755, &err), -ENOTDIR, "below a file");
	ok_error(&err, file, "which is named");
	ok_int(io_sync_dir(deep, &err), 0, "sync");
	ok_int(io_sync_dir(below, &err), -ENOTDIR, "sync what is none");
}

static void remove_trees(void)
{
	CLEANUP_FREE char *tree = at("tree");
	CLEANUP_FREE char *deep = at("tree/a/b/c");
	CLEANUP_FREE char *locked = at("tree/a/locked");
	CLEANUP_FREE char *locked_file = at("tree/a/locked/file");
	CLEANUP_FREE char *link = at("tree/a/link");
	CLEANUP_FREE char *dangling = at("tree/dangling");
	CLEANUP_FREE char *outside = at("outside");
	CLEANUP_FREE char *kept = at("outside/kept");
	CLEANUP_FREE char *link_itself = at("link");
	struct error err = ERROR_INIT;

	need(io_mkdirs(deep, 0755, &err) == 0 && io_mkdirs(locked, 0755, &err) == 0 &&
	     io_mkdirs(outside, 0755, &err) == 0, "tree");
	write_text(kept, "kept");
	write_text(locked_file, "");
	need(symlink(outside, link) == 0 && symlink("/nonexistent", dangling) == 0 &&
	     symlink(outside, link_itself) == 0, "links");
	need(chmod(locked, 0) == 0, "a directory that forbids everything");
	ok_int(io_remove_tree(tree, &err), 0, "remove a tree: %s", err.message);
	ok(access(tree, F_OK) < 0, "gone");
	ok(io_exists(kept), "what a link in it points to stays");
	ok_int(io_remove_tree(link_itself, &err), 0, "a link for a tree");
	ok(io_exists(kept), "only the link is removed");
	ok_int(io_remove_tree(tree, &err), 0, "a missing tree is removed already");
	ok_int(io_remove_tree(kept, &err), 0, "a file for a tree");
	ok(!io_exists(kept), "gone");
}

/* A child that makes a scratch directory with something in it, and is killed. */
static char *killed_scratch(const char *dir, bool wait_for_death)
{
	CLEANUP_SCRATCH struct scratch s = SCRATCH_INIT;
	struct error err = ERROR_INIT;
	static char path[4096];
	int ends[2];
	pid_t pid;

	need(pipe(ends) == 0, "pipe");
	pid = fork();
	if (pid == 0) {
		if (io_scratch_new(dir, &s, &err) < 0 || write(ends[1], s.path, strlen(s.path) + 1) < 0)
			_exit(1);
		pause();
	}
	need(pid > 0 && read(ends[0], path, sizeof(path)) > 0, "a peer with a scratch directory");
	close(ends[0]);
	close(ends[1]);
	if (wait_for_death) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return NULL;
	}
	return string_printf("%d %s", (int)pid, path);
}

static void scratch(void)
{
	CLEANUP_FREE char *dir = at("scratches");
	CLEANUP_FREE char *alike = path_join(dir, "kiln-scratch-12-backup.d");
	CLEANUP_FREE char *file = path_join(dir, "kiln-scratch-12-abcdef");
	CLEANUP_FREE char *inside = NULL;
	CLEANUP_FREE char *living = NULL;
	CLEANUP_SCRATCH struct scratch s = SCRATCH_INIT;
	CLEANUP_SCRATCH struct scratch second = SCRATCH_INIT;
	struct error err = ERROR_INIT;
	struct stat st;
	int pid = 0;

	need(io_mkdirs(alike, 0755, &err) == 0, "directory");
	write_text(file, "");
	(void)killed_scratch(dir, true);
	ok_int(count_entries(dir), 3, "a killed process leaves its scratch directory");
	living = killed_scratch(dir, false);
	ok_int(count_entries(dir), 3, "which the next one sweeps");
	ok_int(io_scratch_new(dir, &s, &err), 0, "scratch: %s", err.message);
	ok(stat(s.path, &st) == 0 && (st.st_mode & 07777) == 0700, "private");
	ok(strncmp(s.path, dir, strlen(dir)) == 0, "in its place");
	ok_int(io_scratch_new(dir, &second, &err), 0, "another");
	ok(io_exists(s.path), "does not sweep one of the same process");
	ok_int(count_entries(dir), 5, "nor one of a peer that lives, nor what only looks alike");
	inside = path_join(s.path, "a/b");
	ok_int(io_mkdirs(inside, 0755, &err), 0, "something inside");
	io_scratch_free(&s);
	ok(!io_exists(inside) && s.path == NULL && s.lock == -1, "freed is removed");
	io_scratch_free(&s);
	io_scratch_free(&second);
	ok_int(count_entries(dir), 3, "freeing twice is once");

	need(sscanf(living, "%d", &pid) == 1 && pid > 1, "the peer");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok_int(io_scratch_new("/nonexistent/dir", &s, &err), -ENOENT, "no directory");
	ok_error(&err, "/nonexistent/dir", "is named");
	ok(s.path == NULL, "output untouched");
}

/* Peers that start and end at once never take each other's directory. */
static void scratch_race(void)
{
	CLEANUP_FREE char *dir = at("race");
	struct error err = ERROR_INIT;
	bool good = true;
	int status;

	need(io_mkdirs(dir, 0755, &err) == 0, "directory");
	for (int i = 0; i < 8; i++) {
		if (fork() != 0)
			continue;
		for (int n = 0; n < 100; n++) {
			struct scratch s = SCRATCH_INIT;

			if (io_scratch_new(dir, &s, &err) < 0 || !io_exists(s.path))
				_exit(1);
			io_scratch_free(&s);
		}
		_exit(0);
	}
	while (wait(&status) > 0)
		good = good && status == 0;
	ok(good, "eight peers, a hundred times each");
	ok_int(count_entries(dir), 0, "nothing is left");
}

static void locks(void)
{
	CLEANUP_FREE char *path = at("lock");
	CLEANUP_CLOSE int other = -1;
	struct error err = ERROR_INIT;
	int fd = -1;

	ok_int(io_lock(path, &fd, &err), 0, "lock");
	other = open(path, O_RDWR | O_CLOEXEC);
	ok(flock(other, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK, "nobody else has it");
	close(fd);
	ok(flock(other, LOCK_EX | LOCK_NB) == 0, "closed is released");
	ok_int(io_lock("/nonexistent/lock", &fd, &err), -ENOENT, "no directory");
}

static void caches(void)
{
	CLEANUP_FREE char *home = at("home");
	CLEANUP_FREE char *xdg = at("xdg");
	CLEANUP_FREE char *own = at("own/deep");
	static const char *const order[] = { "KILN_CACHE", "XDG_CACHE_HOME", "HOME" };
	const char *values[] = { own, xdg, home };
	static const char *const below[] = { "", "/kiln", "/.cache/kiln" };
	struct error err = ERROR_INIT;
	char *dir = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		setenv(order[i], values[i], 1);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		CLEANUP_FREE char *expected = string_printf("%s%s", values[i], below[i]);

		ok_int(io_cache_dir(&dir, &err), 0, "the cache by %s: %s", order[i], err.message);
		ok_str(dir, expected, "is there");
		ok(io_exists(dir), "and exists");
		free(TAKE_PTR(dir));
		setenv(order[i], "", 1);
	}
	ok_int(io_cache_dir(&dir, &err), -EINVAL, "no place");
	ok_error(&err, "KILN_CACHE", "says what to set");
}

int main(void)
{
	CLEANUP_SCRATCH struct scratch s = SCRATCH_INIT;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &s, &err) == 0, "scratch: %s", err.message);
	top = s.path;
	paths();
	read_whole();
	write_whole();
	updates();
	write_fails();
	maps();
	transfers();
	copies();
	ranges();
	directories();
	remove_trees();
	scratch();
	scratch_race();
	locks();
	caches();
	return tap_done();
}
