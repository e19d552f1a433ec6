/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/pipeline.h"
#include "tests/unit/stage_fixture.h"

static void test_source_root(void)
{
	CLEANUP_FREE char *main_c = NULL, *share = NULL, *root = NULL, *installed = NULL, *none = NULL;
	struct error err = ERROR_INIT;
	struct fixture f;

	fixture_open(&f);
	setenv("KILN_SOURCE", f.scratch.path, 1);
	ok(pipeline_source_root(&none, &err) < 0 && err.kind == ERROR_INPUT,
	   "a KILN_SOURCE without sources is refused");
	ok_error(&err, f.scratch.path, "and named");

	share = path_join(f.scratch.path, "share/kiln/rootfs/init");
	main_c = path_join(share, "main.c");
	need(io_mkdirs(share, 0755, &err) == 0 && io_write_file(main_c, "", 0, 0644, &err) == 0, "sources");
	ok_int(pipeline_source_root(&installed, &err), 0, "sources below share/kiln are found");
	ok(strstr(installed, "/share/kiln"), "there: %s", installed);

	setenv("KILN_SOURCE", ".", 1);
	ok_int(pipeline_source_root(&root, &err), 0, "a source tree is found");
	ok(root[0] == '/', "by its absolute path");
	fixture_close(&f);
}

/* Everything that is wrong before the first stage leaves nothing behind. */
static void expect_refusal(const char *description, const char *part, const char *what)
{
	CLEANUP_PIPELINE_RESULT struct pipeline_result result = { .disk = NULL };
	CLEANUP_FREE char *output = NULL, *cache = NULL;
	struct error err = ERROR_INIT;
	struct fixture f;

	fixture_open(&f);
	output = path_join(f.scratch.path, "results");
	cache = path_join(f.scratch.path, "cache");

	const struct pipeline_options options = {
		.description = description, .output = output, .cache = cache, .source_root = ".",
	};

	ok(pipeline_build(&options, &result, &err) < 0 && err.kind == ERROR_INPUT, "%s is refused", what);
	ok_error(&err, part, "%s: for this reason", what);
	ok(!io_exists(output) && !io_exists(cache), "%s: nothing was written", what);
	fixture_close(&f);
}

static void test_refusals(void)
{
	static const char elsewhere[] = "s#source=\"../../services/gateway\"#source=\"root\"#";
	CLEANUP_FREE char *directory = NULL, *file = NULL, *lock = NULL;
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	struct fixture f;

	expect_refusal("tests/none", "tests/none", "a missing description");
	fixture_open(&f);
	directory = path_join(f.scratch.path, "mpc");
	file = path_join(directory, "appliance.kiwi");
	lock = path_join(directory, "kiln.lock");
	need(fixture_tool((const char *const[]) { "cp", "-r", "rootfs/images/mpc", directory, NULL }, &out) == 0,
	     "a copy of the first image's description");
	need(fixture_tool((const char *const[]) { "sed", "-i", elsewhere, file, NULL }, &out) == 0, "sed");
	unlink(lock);
	expect_refusal(directory, "kiln fetch", "a description without a lock");
	need(io_write_file(lock, "{", 1, 0644, &err) == 0, "%s", err.message);
	expect_refusal(directory, "kiln.lock", "a broken lock");
	fixture_close(&f);
}

int main(void)
{
	test_source_root();
	test_refusals();
	return tap_done();
}
