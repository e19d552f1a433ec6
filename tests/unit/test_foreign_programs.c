/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/bytes.h"
#include "factory/format/tar.h"
#include "rootfs/packages/packages.h"
#include "rootfs/packages/store.h"
#include "stages/registry.h"
#include "tests/unit/stage_fixture.h"

/*
 * Programs for another machine than this one: by the tools out of that image's own lock, which tests/image.sh
 * has fetched. What is made runs under the emulator out of the same lock.
 */

#define IMAGE "tests/images/small-arm64"
#define OUTPUT_MAX (16 << 20)
#define ELF_MACHINE 18
#define ELF_AARCH64 183

struct world {
	struct fixture f;
	struct description *description;
	struct lock *lock;
	struct store *store;
	struct plan *plan;
};

static void open_world(struct world *w)
{
	CLEANUP_FREE char *cache = NULL, *root = realpath(".", NULL);
	struct error err = ERROR_INIT;

	fixture_open(&w->f);
	need(io_cache_dir(&cache, &err) == 0 && store_open(cache, &w->store, &err) == 0, "store: %s", err.message);
	need(description_read(IMAGE, &w->description, &err) == 0, "description: %s", err.message);
	need(lock_read(IMAGE "/kiln.lock", &w->lock, &err) == 0, "lock: %s", err.message);
	need(packages_check_lock(w->description, w->lock, &err) == 0, "lock: %s", err.message);
	need(plan_make(w->description, w->lock, root, &w->plan, &err) == 0, "plan: %s", err.message);
}

static void close_world(struct world *w)
{
	plan_free(w->plan);
	lock_free(w->lock);
	description_free(w->description);
	store_free(w->store);
	fixture_close(&w->f);
}

static void run(struct world *w, const struct stage *stage)
{
	struct error err = ERROR_INIT;

	need(stage->run(&(const struct stage_context) {
		.plan = w->plan, .store = w->store, .cache = w->f.scratch.path, .output = w->f.output,
		.artifacts = w->f.artifacts }, &err) == 0, "%s runs: %s", stage->name, err.message);
	for (const char *const *output = stage->outputs; *output; output++)
		fixture_hand_on(&w->f, *output);
}

/* What readelf says of its headers and its dynamic section. */
static void check_elf(const char *path, bool fixed, const char *what)
{
	CLEANUP_BUF struct buf elf = BUF_INIT(OUTPUT_MAX), said = BUF_INIT(OUTPUT_MAX);
	struct error err = ERROR_INIT;

	need(io_read_file(path, OUTPUT_MAX, &elf, &err) == 0 && elf.len > 64, "%s: %s", what, err.message);
	ok(memcmp(elf.data, "\x7f" "ELF\2\1", 6) == 0, "%s is 64 bits, little end first", what);
	ok_int(read_le16(elf.data + ELF_MACHINE), ELF_AARCH64, "%s is for AArch64", what);
	need(fixture_tool((const char *const[]) { "readelf", "-ldW", path, NULL }, &said) == 0, "readelf");
	ok(!strstr(buf_text(&said), "INTERP") == fixed, "%s %s", what, fixed ? "needs no loader" : "needs a loader");
	if (fixed)
		ok(strstr(buf_text(&said), "There is no dynamic section"), "%s needs no library", what);
	else
		ok(strstr(buf_text(&said), "/lib/ld-linux-aarch64.so.1]") && strstr(buf_text(&said), "[libc.so.6]"),
		   "%s: the image's own", what);
}

static void check_program(const struct world *w)
{
	CLEANUP_FREE char *path = path_join(w->f.scratch.path, "program");
	CLEANUP_IO_MAP struct io_map tar = { 0 };
	struct error err = ERROR_INIT;
	struct tar_entry entry;
	size_t offset = 0;

	need(io_map_file(artifacts_path(w->f.artifacts, "programs.tar"), &tar, &err) == 0, "%s", err.message);
	do
		need(tar_next(tar.data, tar.size, &offset, &entry, &err) > 0, "the program is there");
	while (entry.directory);
	need(io_write_file(path, entry.data, entry.size, 0755, &err) == 0, "%s", err.message);
	check_elf(path, false, "a program");
}

/* /init goes as far as it can anywhere. */
static void check_init_runs(const struct world *w)
{
	const char *name = w->plan->arch->emulator;
	CLEANUP_FREE char *emulator = path_join(w->f.scratch.path, name);
	const struct locked_package *package = lock_find(w->lock, LOCK_BUILDER, "qemu-user");
	CLEANUP_BUF struct buf said = BUF_INIT(OUTPUT_MAX);
	struct error err = ERROR_INIT;

	need(package, "the lock has the emulator");
	need(deb_extract(w->store, package, name, w->f.scratch.path, &err) == 0, "emulator: %s", err.message);
	ok_int(fixture_tool((const char *const[]) { "sh", "-c", "\"$0\" \"$1\" 2>&1", emulator,
						    artifacts_path(w->f.artifacts, "init"), NULL }, &said),
	       1, "/init starts there, and is not PID 1");
	ok(strstr(buf_text(&said), "the /init of an initrd"), "as it says: %s", buf_text(&said));
}

int main(void)
{
	static char path[] = "/usr/bin/text", name[] = "text";
	struct description_program program = { .name = name, .path = path };
	CLEANUP_FREE char *directory = NULL, *main_c = NULL;
	struct error err = ERROR_INIT;
	struct world w;

	open_world(&w);
	directory = path_join(w.f.scratch.path, "source");
	main_c = path_join(directory, "main.c");
	need(io_mkdirs(directory, 0755, &err) == 0 &&
	     io_write_file(main_c, "int main(void) { return 0; }\n", 29, 0644, &err) == 0, "%s", err.message);
	program.source = directory;

	struct description with_program = *w.description;

	with_program.programs = &program;
	with_program.program_count = 1;
	w.plan->description = &with_program;
	ok(w.plan->arch != w.plan->tools, "the image is for another machine than this");
	run(&w, &stage_tools);
	run(&w, &stage_programs);
	check_elf(artifacts_path(w.f.artifacts, "init"), true, "/init");
	check_program(&w);
	check_init_runs(&w);
	close_world(&w);
	return tap_done();
}
