/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/model/run.h"
#include "factory/run_facts.h"
#include "tests/unit/tap.h"

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_format(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	CLEANUP_RUN struct run *run = run_new();
	struct error err = ERROR_INIT;

	run->started = 1700000000;
	run_add_stage(run, "tree", KEY, "done", 1.5);
	ok_int(run_format(run, &text, &err), 0, "facts have a text");
	ok(strstr(buf_text(&text), "\"started\": 1700000000"), "with the time");
	ok(strstr(buf_text(&text), "\"appliance\": null"), "and without an appliance that did not run");
	buf_truncate(&text, 0);
	run->qemu = string_copy("10.0");
	ok_int(run_format(run, &text, &err), 0, "with an appliance there is a text too");
	ok(strstr(buf_text(&text), "\"qemu\": \"10.0\""), "which names QEMU");
}

static void test_written(const char *directory)
{
	CLEANUP_FREE char *path = path_join(directory, RUN_FILE);
	CLEANUP_BUF struct buf text = BUF_INIT(65536);
	CLEANUP_RUN struct run *run = run_facts_begin();
	struct error err = ERROR_INIT;
	char key[65] = "";

	ok(run->started > 0 && run->processors > 0, "a run begins somewhere");
	ok(*run->kernel && *run->machine && *run->kiln, "on some host, with some Kiln");
	run_add_stage(run, "base", KEY, "reused", 0.0);
	run_add_stage(run, "tree", KEY, "done", 2.0);
	ok_int(run_facts_write(run, false, directory, &err), 0, "its facts are written");
	ok(run->seconds >= 0, "with the seconds it took");
	ok_int(run_read_key(path, "tree", key, &err), 0, "a stage's key is read back");
	ok_str(key, KEY, "as it was");
	ok(run_read_key(path, "none", key, &err) < 0 && err.kind == ERROR_INPUT,
	   "a stage that did not run has none");
	ok_error(&err, "none", "which is said");

	need(io_read_file(path, 65536, &text, &err) == 0, "%s", err.message);
	text.data[(size_t)(strstr(buf_text(&text), KEY) - buf_text(&text))] = '/';
	need(io_write_file(path, text.data, text.len, 0644, &err) == 0, "%s", err.message);
	ok(run_read_key(path, "base", key, &err) < 0, "a key that is none is refused: it becomes a path");
}

int main(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	const char *tmp = getenv("TMPDIR");
	struct error err = ERROR_INIT;

	need(io_scratch_new(tmp ? tmp : "/tmp", &scratch, &err) == 0, "scratch: %s", err.message);
	test_format();
	test_written(scratch.path);
	return tap_done();
}
