/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/publish.h"
#include "tests/unit/stage_fixture.h"

static void add_results(struct fixture *f, const char *mark)
{
	for (const char *const *name = publish_artifacts; *name; name++) {
		CLEANUP_FREE char *text = string_printf("%s %s", *name, mark);

		fixture_input(f, *name, text, strlen(text));
	}
}

static void check_file(const struct fixture *f, const char *name, const char *expected)
{
	CLEANUP_FREE char *path = path_join(f->output, name);
	CLEANUP_BUF struct buf text = BUF_INIT(4096);
	struct error err = ERROR_INIT;

	need(io_read_file(path, text.max, &text, &err) == 0, "%s", err.message);
	ok_str(buf_text(&text), expected, "%s holds its artifact", name);
}

static bool there(const struct fixture *f, const char *name)
{
	CLEANUP_FREE char *path = path_join(f->output, name);

	return io_exists(path);
}

static void put(const struct fixture *f, const char *name)
{
	CLEANUP_FREE char *path = path_join(f->output, name);
	struct error err = ERROR_INIT;

	need(io_write_file(path, "x", 1, 0644, &err) == 0, "%s", err.message);
}

static void test_results(void)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	struct fixture f;

	fixture_open(&f);
	add_results(&f, "1");
	ok_int(publish(f.artifacts, f.output, "a.x86_64-1", &err), 0, "the results appear (%s)", err.message);
	check_file(&f, "a.x86_64-1.raw", "disk.raw 1");
	check_file(&f, "a.x86_64-1.packages", "packages 1");
	check_file(&f, "pcr_measurements.json", "pcr_measurements.json 1");
	check_file(&f, "manifest.json", "manifest.json 1");
	need(fixture_tool((const char *const[]) { "ls", "-A", f.output, NULL }, &out) == 0, "ls");
	ok_str(buf_text(&out), "a.x86_64-1.packages\na.x86_64-1.raw\nmanifest.json\npcr_measurements.json\n",
	       "and nothing else");

	put(&f, "boot-proof.json");
	put(&f, "boot.log");
	add_results(&f, "2");
	ok_int(publish(f.artifacts, f.output, "a.x86_64-1", &err), 0, "again (%s)", err.message);
	check_file(&f, "a.x86_64-1.raw", "disk.raw 2");
	check_file(&f, "manifest.json", "manifest.json 2");
	ok(!there(&f, "boot-proof.json") && !there(&f, "boot.log"), "the proof of the earlier disk is gone");
	fixture_close(&f);
}

/* What cannot be copied must leave the earlier results as they were. */
static void test_failure(void)
{
	CLEANUP_FREE char *gone = NULL;
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	struct fixture f;

	fixture_open(&f);
	add_results(&f, "1");
	need(publish(f.artifacts, f.output, "a", &err) == 0, "%s", err.message);
	add_results(&f, "2");
	gone = path_join(f.scratch.path, "manifest.json");
	need(unlink(gone) == 0, "one artifact is lost");
	ok(publish(f.artifacts, f.output, "a", &err) < 0, "publishing fails");
	ok_error(&err, "manifest.json", "and names the file");
	check_file(&f, "a.raw", "disk.raw 1");
	check_file(&f, "manifest.json", "manifest.json 1");
	need(fixture_tool((const char *const[]) { "ls", "-A", f.output, NULL }, &out) == 0, "ls");
	ok(!strstr(buf_text(&out), "kiln-scratch"), "no scratch directory is left");
	fixture_close(&f);
}

int main(void)
{
	test_results();
	test_failure();
	return tap_done();
}
