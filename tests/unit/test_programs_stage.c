/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/format/tar.h"
#include "rootfs/packages/store.h"
#include "stages/registry.h"
#include "tests/unit/stage_fixture.h"
#include "tests/unit/tool_tree.h"

/*
 * By the pinned compiler, with the sysroot of the image's own lock: both are there once anything was
 * built (`make check` does so first).
 */

#define LOCK_PATH "rootfs/images/mpc/kiln.lock"
#define OUTPUT_MAX (16 << 20)

struct built {
	struct buf init, watch, programs;
};
#define BUILT_INIT { BUF_INIT(OUTPUT_MAX), BUF_INIT(OUTPUT_MAX), BUF_INIT(OUTPUT_MAX) }

static void built_free(struct built *b)
{
	buf_free(&b->init);
	buf_free(&b->watch);
	buf_free(&b->programs);
}
#define CLEANUP_BUILT __attribute__((cleanup(built_free)))

static void write_source(const char *dir, const char *name, const char *text)
{
	CLEANUP_FREE char *path = path_join(dir, name);
	struct error err = ERROR_INIT;

	need(io_mkdirs(dir, 0755, &err) == 0 &&
	     io_write_file(path, text, strlen(text), 0644, &err) == 0, "%s: %s", name, err.message);
}

static void read_output(const struct fixture *f, const char *name, struct buf *ret)
{
	CLEANUP_FREE char *path = path_join(f->output, name);
	struct error err = ERROR_INIT;

	need(io_read_file(path, OUTPUT_MAX, ret, &err) == 0, "%s: %s", name, err.message);
}

/* Compiles Kiln's own programs and two of `main_text`; everything lies in a directory of its own each time. */
static int build(const char *main_text, const char *library, struct built *ret, char **ret_place,
		 struct error *err)
{
	CLEANUP_FREE char *cache = NULL, *root = realpath(".", NULL), *source = NULL;
	CLEANUP_STORE struct store *store = NULL;
	CLEANUP_LOCK struct lock *lock = NULL;
	char *libraries[] = { (char *)library };
	struct fixture f;
	int r;

	fixture_open(&f);
	tool_tree_add(&f);
	need(io_cache_dir(&cache, err) == 0 && store_open(cache, &store, err) == 0, "store: %s", err->message);
	need(lock_read(LOCK_PATH, &lock, err) == 0, "lock: %s", err->message);
	source = path_join(f.scratch.path, "source");
	write_source(source, "main.c", main_text);
	write_source(source, "where.h", "static inline const char *where(void) { return __FILE__; }\n");
	write_source(source, "other.c", "#include \"where.h\"\nconst char *other(void);\n"
			     "const char *other(void) { return where(); }\n");

	struct description_program programs[] = {
		{ .name = (char *)"second", .source = source, .path = (char *)"/usr/lib/z/second" },
		{ .name = (char *)"first", .source = source, .path = (char *)"/usr/bin/first",
		  .libraries = libraries, .library_count = library ? 1 : 0 },
	};

	f.description.programs = programs;
	f.description.program_count = ARRAY_SIZE(programs);
	f.plan.source_root = root;
	f.plan.lock = lock;
	r = stage_programs.run(&(const struct stage_context) {
		.plan = &f.plan, .store = store, .cache = f.scratch.path, .output = f.output,
		.artifacts = f.artifacts }, err);
	if (r == 0) {
		read_output(&f, "init", &ret->init);
		read_output(&f, "watch", &ret->watch);
		read_output(&f, "programs.tar", &ret->programs);
	}
	*ret_place = string_copy(f.scratch.path);
	fixture_close(&f);
	return r;
}

static const char good[] =
	"#include <stdio.h>\n#include <string.h>\n#include <assert.h>\nconst char *other(void);\n"
	"int main(int argc, char **argv) { char b[8]; assert(argc < 9); strcpy(b, argv[0]);\n"
	"return printf(\"%s %s %s\\n\", b, other(), __FILE__) < 0; }\n";

static bool holds(const struct buf *b, const char *text)
{
	return memmem(b->data, b->len, text, strlen(text)) != NULL;
}

static void check_archive(const struct buf *tar, struct buf *ret_first)
{
	static const char *const names[] = { "usr/bin/first", "usr/lib/z/second" };
	struct error err = ERROR_INIT;
	struct tar_entry entry;
	size_t offset = 0, n = 0;

	while (tar_next(tar->data, tar->len, &offset, &entry, &err) > 0) {
		if (entry.directory)
			continue;
		ok_str(entry.path, n < ARRAY_SIZE(names) ? names[n] : "nothing", "a program in order of paths");
		if (n++ == 0)
			buf_add(ret_first, entry.data, entry.size);
	}
	ok_int(n, ARRAY_SIZE(names), "both are there");
}

/* readelf is another's reading of what ld wrote. */
static void read_elf(const struct buf *program, struct buf *ret)
{
	CLEANUP_SCRATCH struct scratch s = SCRATCH_INIT;
	CLEANUP_FREE char *path = NULL;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &s, &err) == 0, "scratch: %s", err.message);
	path = path_join(s.path, "program");
	need(io_write_file(path, program->data, program->len, 0755, &err) == 0, "program: %s", err.message);
	ok_int(fixture_tool((const char *const[]) { "readelf", "-hldsSW", path, NULL }, ret), 0, "readelf");
}

static void test_programs(void)
{
	CLEANUP_BUILT struct built a = BUILT_INIT, b = BUILT_INIT;
	CLEANUP_FREE char *place_a = NULL, *place_b = NULL;
	CLEANUP_BUF struct buf first = BUF_INIT(OUTPUT_MAX), elf = BUF_INIT(1 << 20), own = BUF_INIT(1 << 22);
	struct error err = ERROR_INIT;

	need(build(good, NULL, &a, &place_a, &err) == 0, "two programs compile (%s)", err.message);
	need(build(good, NULL, &b, &place_b, &err) == 0, "and once more (%s)", err.message);
	ok(strcmp(place_a, place_b) != 0, "in another directory");
	ok(a.init.len == b.init.len && memcmp(a.init.data, b.init.data, a.init.len) == 0, "the same /init");
	ok(a.programs.len == b.programs.len && memcmp(a.programs.data, b.programs.data, a.programs.len) == 0,
	   "the same programs");
	ok(a.watch.len == b.watch.len && memcmp(a.watch.data, b.watch.data, a.watch.len) == 0,
	   "the same program that watches");
	ok(!holds(&a.programs, "asked for the address of a host"), "which is not for the image");
	ok(!holds(&a.init, place_a) && !holds(&a.watch, place_a) && !holds(&a.programs, place_a),
	   "none names where it was made");
	check_archive(&a.programs, &first);
	ok(holds(&first, "main.c") && holds(&first, "where.h"), "sources are called as they lie");
	read_elf(&first, &elf);
	ok(strstr(buf_text(&elf), "DYN ") && strstr(buf_text(&elf), "BIND_NOW") &&
	   strstr(buf_text(&elf), "GNU_RELRO") && strstr(buf_text(&elf), "__stack_chk_fail") &&
	   strstr(buf_text(&elf), "_chk@"), "a program is position independent, bound at start, fortified");
	ok(!strstr(buf_text(&elf), ".debug_") && !strstr(buf_text(&elf), ".symtab"), "and stripped");
	read_elf(&a.init, &own);
	read_elf(&a.watch, &own);
	ok(strstr(buf_text(&own), "EXEC ") && !strstr(buf_text(&own), "INTERP"), "Kiln's own need no loader");
}

static void test_errors(void)
{
	CLEANUP_BUILT struct built none = BUILT_INIT;
	CLEANUP_FREE char *place = NULL, *other = NULL, *third = NULL;
	struct error err = ERROR_INIT;

	ok(build("int main(void) { return missing; }\n", NULL, &none, &place, &err) < 0, "what does not compile");
	ok_error(&err, "main.c", "is named");
	ok_error(&err, "compiling first", "and the program too");
	err = (struct error)ERROR_INIT;
	ok(build(good, "kiln-none", &none, &other, &err) < 0, "a library that is not there");
	ok_error(&err, "kiln-none", "is named");
	err = (struct error)ERROR_INIT;
	ok(build("#include \"/etc/passwd\"\n", NULL, &none, &third, &err) < 0, "what the host has");
	ok_error(&err, "/etc/passwd", "is not read");
}

int main(void)
{
	test_programs();
	test_errors();
	return tap_done();
}
