/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "rootfs/toolbox.h"
#include "tests/unit/tap.h"

#if defined(__x86_64__)
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#define TREE_LOADER "usr/lib64/ld-linux-x86-64.so.2"
#define TREE_LIBRARIES "usr/lib/x86_64-linux-gnu"
#else
#define LOADER "/lib/ld-linux-aarch64.so.1"
#define TREE_LOADER "usr/lib/ld-linux-aarch64.so.1"
#define TREE_LIBRARIES "usr/lib/aarch64-linux-gnu"
#endif

/* DIR/tree is a tool tree of this host's own programs; the tests are about where they may look. */
static struct scratch dir = SCRATCH_INIT;
static char *tree, *work;

static void copy(const char *from, const char *to)
{
	CLEANUP_FREE char *path = path_join(tree, to);
	CLEANUP_FREE char *parent = string_printf("%.*s", (int)(strrchr(path, '/') - path), path);
	struct error err = ERROR_INIT;

	if (io_exists(path))
		return;
	need(io_mkdirs(parent, 0755, &err) == 0 && io_copy_file(from, path, 0755, &err) == 0,
	     "copy %s: %s", from, err.message);
}

/* A program and what its loader says it is linked with. */
static void add_program(const char *from, const char *to)
{
	CLEANUP_BUF struct buf list = BUF_INIT(1 << 16);
	struct error err = ERROR_INIT;
	char *rest, *line;

	copy(from, to);
	need(process_run(&(struct process_options) {
		.argv = (const char *const[]) { LOADER, "--list", from, NULL }, .output = &list,
	}, NULL, &err) == 0, "what %s needs: %s", from, err.message);
	rest = (char *)list.data;
	while ((line = strsep(&rest, "\n"))) {
		char *path = strstr(line, "=> /"), *end;

		if (!path)
			continue;
		path += 3;
		end = strstr(path, " (");
		need(end, "a line of the loader: %s", line);
		*end = '\0';

		CLEANUP_FREE char *library = string_printf(TREE_LIBRARIES "%s", strrchr(path, '/'));

		copy(path, library);
	}
}

static void make_tree(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch: %s", err.message);
	tree = path_join(dir.path, "tree");
	work = path_join(dir.path, "work");
	need(io_mkdirs(work, 0755, &err) == 0, "work: %s", err.message);
	copy(LOADER, TREE_LOADER);
	add_program("/bin/sh", "usr/bin/sh");
	add_program("/usr/bin/env", "usr/bin/env");
	add_program("/bin/cat", "usr/sbin/cat");
	add_program("/bin/cat", "usr/libexec/deep/reader");
}

static int run(const struct toolbox_command *options, struct buf *output, struct error *err)
{
	const char *const writable[] = { work, NULL };
	struct toolbox_command command = *options;

	*err = (struct error)ERROR_INIT;
	command.tree = tree;
	command.output = output;
	if (!command.writable)
		command.writable = writable;
	return toolbox_run(&command, err);
}

#define ARGV(...) .argv = (const char *const[]) { __VA_ARGS__, NULL }

static bool has_line(const struct buf *text, const char *line)
{
	CLEANUP_FREE char *whole = string_printf("\n%s\n", line);
	CLEANUP_FREE char *padded = string_printf("\n%s", buf_text(text));

	return strstr(padded, whole) != NULL;
}

static size_t count_lines(const struct buf *text)
{
	size_t n = 0;

	for (const char *p = buf_text(text); *p; p++)
		n += *p == '\n';
	return n;
}

static void environment(void)
{
	CLEANUP_FREE char *tmp = string_printf("TMPDIR=%s", work);
	CLEANUP_FREE char *conversions = string_printf("GCONV_PATH=%s/" TREE_LIBRARIES "/gconv", tree);
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct error err = ERROR_INIT;

	setenv("LD_LIBRARY_PATH", "/nonexistent", 1);
	setenv("MTOOLSRC", "/etc/mtools.conf", 1);
	ok_int(run(&(struct toolbox_command) { ARGV("env"), .epoch = 1700000000 }, &out, &err), 0,
	       "env runs (%s)", err.message);
	ok(has_line(&out, "LC_ALL=C.UTF-8") && has_line(&out, "TZ=UTC") && has_line(&out, tmp) && has_line(&out, conversions) &&
	   has_line(&out, "SOURCE_DATE_EPOCH=1700000000") && strstr(buf_text(&out), "PATH="),
	   "with its environment");
	ok_int(count_lines(&out), 6, "and none of ours");
	buf_truncate(&out, 0);
	ok_int(run(&(struct toolbox_command) { ARGV("env"), .epoch = -1,
		   .env = (const char *const[]) { "MTOOLSRC=/dev/null", NULL } }, &out, &err), 0, "again");
	ok(has_line(&out, "MTOOLSRC=/dev/null"), "with a variable more");
	ok_int(count_lines(&out), 6, "in place of SOURCE_DATE_EPOCH");
	unsetenv("LD_LIBRARY_PATH");
	unsetenv("MTOOLSRC");
}

static void names(void)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	CLEANUP_FREE char *alias = path_join(tree, "usr/bin/alias");
	CLEANUP_FREE char *text = path_join(work, "text");
	struct error err = ERROR_INIT;

	need(symlink("sh", alias) == 0, "a second name");
	ok_int(run(&(struct toolbox_command) { ARGV("alias", "-c", "echo $0") }, &out, &err), 0,
	       "a program of two names");
	ok_str(buf_text(&out), "alias\n", "knows by which it was called");
	buf_truncate(&out, 0);
	need(io_write_file(text, "text\n", 5, 0600, &err) == 0, "a file");
	ok_int(run(&(struct toolbox_command) { ARGV("cat", text) }, &out, &err), 0, "one of usr/sbin");
	ok_int(run(&(struct toolbox_command) { ARGV("usr/libexec/deep/reader", text) }, &out, &err), 0,
	       "one by its path in the tree");
	ok_str(buf_text(&out), "text\ntext\n", "read the file");
}

/* The loader itself names what it has mapped. */
static void libraries(void)
{
	CLEANUP_FREE char *expected = string_printf("%s/usr/lib", tree);
	CLEANUP_FREE char *libc = path_join(tree, TREE_LIBRARIES "/libc.so.6");
	CLEANUP_FREE char *aside = path_join(work, "libc.so.6");
	CLEANUP_BUF struct buf out = BUF_INIT(65536);
	const char *const trace[] = { "LD_TRACE_LOADED_OBJECTS=1", NULL };
	struct error err = ERROR_INIT;
	char *rest, *line;
	int libraries_seen = 0;

	ok_int(run(&(struct toolbox_command) { ARGV("cat"), .env = trace }, &out, &err), 0,
	       "the loader lists libraries (%s)", err.message);
	rest = (char *)out.data;
	while ((line = strsep(&rest, "\n"))) {
		const char *path = strstr(line, "=> /");

		if (!path)
			continue;
		libraries_seen++;
		ok(strncmp(path + 3, expected, strlen(expected)) == 0, "of the tree: %s", line);
	}
	ok(libraries_seen > 0, "there are some");
	need(rename(libc, aside) == 0, "the tree without its C library");
	ok(run(&(struct toolbox_command) { ARGV("cat", "/dev/null") }, &out, &err) < 0,
	   "cannot run, though the host has one");
	ok_error(&err, "libc.so.6", "and says why");
	need(rename(aside, libc) == 0, "and with it again");
	ok_int(run(&(struct toolbox_command) { ARGV("cat", "/dev/null") }, &out, &err), 0, "it can");
}

static void confinement(void)
{
	CLEANUP_FREE char *outside = path_join(dir.path, "outside");
	CLEANUP_FREE char *inside = path_join(work, "made");
	CLEANUP_FREE char *write_inside = string_printf("echo x >%s", inside);
	CLEANUP_FREE char *write_outside = string_printf("echo x >%s", outside);
	CLEANUP_FREE char *write_tree = string_printf("echo x >%s/usr/bin/sh", tree);
	const char *const named[] = { outside, NULL };
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	struct stat st;
	mode_t before = umask(077);

	need(io_write_file(outside, "named\n", 6, 0644, &err) == 0, "a file");
	ok(run(&(struct toolbox_command) { ARGV("cat", outside) }, &out, &err) < 0, "what is not named");
	ok_error(&err, "cat exited 1", "is not read");
	ok_int(run(&(struct toolbox_command) { ARGV("cat", outside), .readable = named }, &out, &err), 0,
	       "what is named");
	ok_str(buf_text(&out), "named\n", "is");
	ok(run(&(struct toolbox_command) { ARGV("sh", "-c", write_outside), .readable = named }, &out,
	       &err) < 0, "but not written");
	ok(run(&(struct toolbox_command) { ARGV("sh", "-c", write_tree) }, &out, &err) < 0,
	   "and the tree is not either");
	ok(run(&(struct toolbox_command) { ARGV("sh", "-c", "/bin/cat /dev/null") }, &out, &err) < 0,
	   "the host's programs do not run");
	ok_int(run(&(struct toolbox_command) { ARGV("sh", "-c", write_inside) }, &out, &err), 0,
	       "what is writable is written");
	ok(stat(inside, &st) == 0 && (st.st_mode & 07777) == 0644, "with a mode that is not our umask's");
	(void)umask(before);
}

static void errors(void)
{
	const char *many[1024];
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct error err = ERROR_INIT;

	ok(run(&(struct toolbox_command) { ARGV("mkfs.none") }, &out, &err) < 0, "a missing program");
	ok_str(err.message, "the builder set has no program mkfs.none", "is named");
	ok(run(&(struct toolbox_command) { ARGV("usr/bin/none") }, &out, &err) < 0, "a missing path");
	ok_error(&err, "usr/bin/none", "is named");
	ok(run(&(struct toolbox_command) { ARGV("sh", "-c", "echo Disk full >&2; exit 3") }, &out, &err) < 0,
	   "a failure");
	ok_str(err.message, "sh exited 3: Disk full", "has the program's name and last words");
	for (size_t i = 0; i < ARRAY_SIZE(many) - 1; i++)
		many[i] = "sh";
	many[ARRAY_SIZE(many) - 1] = NULL;
	ok_int(run(&(struct toolbox_command) { .argv = many }, &out, &err), -EINVAL, "too many arguments");
}

int main(void)
{
	make_tree();
	environment();
	names();
	libraries();
	confinement();
	errors();
	free(tree);
	free(work);
	io_scratch_free(&dir);
	return tap_done();
}
