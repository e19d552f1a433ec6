/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/host.h"
#include "factory/base/log.h"
#include "factory/step.h"
#include "factory/steps.h"
#include "rootfs/packages/packages.h"
#include "rootfs/workshop.h"
#include "tests/unit/stage_fixture.h"

/*
 * The engine with stages that only write their names, and with an appliance that only counts: the
 * functions below take the places of the real ones when this program is linked.
 */

static char trace[1024];	/* what ran, and which layers an appliance was opened with */
static const struct stage *const *table;
static const char *failing, *forgetful;	/* a stage that fails, one that leaves no output */

static void note(const char *before, const char *what, const char *after)
{
	size_t len = strlen(trace);

	snprintf(trace + len, sizeof(trace) - len, "%s%s%s", before, what, after);
}

struct workshop {
	int unused;
};

int host_probe(struct host *ret, struct error *err)
{
	(void)err;
	*ret = (struct host) { .qemu_major = 10 };
	return 0;
}

int packages_appliance_kernel(const struct store *store, const struct lock *lock, const char *cache,
			      char **ret_image, char **ret_modules, char **ret_version, struct error *err)
{
	(void)store;
	(void)lock;
	(void)cache;
	(void)err;
	*ret_image = string_copy("vmlinuz");
	*ret_modules = string_copy("modules");
	*ret_version = string_copy("6.12");
	return 0;
}

int workshop_open(const struct workshop_options *options, struct workshop **ret, struct error *err)
{
	const char *layer = options->layer ? strrchr(options->layer, '/') + 1 : "empty";

	(void)err;
	note("[", layer, "] ");
	*ret = calloc(1, sizeof(**ret));
	return 0;
}

void workshop_free(struct workshop *w)
{
	if (w)
		note("[", "close", "] ");
	free(w);
}

/* ---------------------------------------------------------------- stages */

/* "tools" is a tree, every other output a file. */
static int write_output(const char *path, const char *name, struct error *err)
{
	CLEANUP_FREE char *program = path_join(path, "bin/cc"), *link = path_join(path, "bin/c99");
	CLEANUP_FREE char *bin = path_join(path, "bin");
	int r;

	if (strcmp(name, "tools"))
		return io_write_file(path, name, strlen(name), 0644, err);
	r = io_mkdirs(bin, 0755, err);
	if (r == 0)
		r = io_write_file(program, "cc", 2, 0755, err);
	return r == 0 && symlink("cc", link) < 0 ? error_system(err, errno, "%s", link) : r;
}

/* Every artifact that a stage of the table makes is there for those who name it, and for nobody else. */
static bool gets_what_it_reads(const struct stage_context *ctx, const struct stage *stage)
{
	for (const struct stage *const *s = table; *s && *s != stage; s++)
		for (const char *const *output = (*s)->outputs; *output; output++)
			if ((artifacts_path(ctx->artifacts, *output) != NULL) != step_reads(stage, *output))
				return false;
	return true;
}

static int run(const struct stage_context *ctx, struct error *err)
{
	const char *name = strrchr(ctx->output, '/') + 1;
	const struct stage *const *s = table;

	while (strcmp((*s)->name, name))
		s++;
	note("", name, " ");
	if (!gets_what_it_reads(ctx, *s))
		return error_outside(err, "%s gets other artifacts than it reads", name);
	if (((*s)->room == ROOM_APPLIANCE) != (ctx->workshop != NULL))
		return error_outside(err, "%s is in the wrong room", name);
	for (const char *const *output = (*s)->outputs; *output; output++) {
		CLEANUP_FREE char *path = path_join(ctx->output, *output);
		int r = 0;

		if (!forgetful || strcmp(forgetful, name))
			r = write_output(path, name, err);
		if (r < 0)
			return r;
	}
	return failing && strcmp(failing, name) == 0 ? error_outside(err, "no more paper") : 0;
}

static int config_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	(void)err;
	stage_key_string(key, "cmdline", plan->description->cmdline);
	return 0;
}

static const struct stage
	tools = { .name = "tools", .title = "tools", .version = "1", .outputs = { "tools" }, .run = run },
	builder = { .name = "builder", .title = "builder", .version = "1", .inputs = { "tools" },
		    .outputs = { "builder.erofs" }, .run = run },
	unpack = { .name = "unpack", .title = "unpack", .version = "1", .inputs = { "tools" },
		   .outputs = { "packages.erofs" }, .run = run },
	programs = { .name = "programs", .title = "programs", .version = "1", .room = ROOM_APPLIANCE,
		     .outputs = { "init" }, .run = run },
	base = { .name = "base", .title = "base", .version = "1", .room = ROOM_APPLIANCE,
		 .outputs = { "base.qcow2" }, .run = run },
	config = { .name = "config", .title = "config", .version = "1", .room = ROOM_APPLIANCE,
		   .layer = "base.qcow2", .outputs = { "config.qcow2" }, .key = config_key, .run = run },
	erofs = { .name = "erofs", .title = "erofs", .version = "1", .room = ROOM_APPLIANCE,
		  .layer = "config.qcow2", .outputs = { "root.erofs" }, .run = run },
	verity = { .name = "verity", .title = "verity", .version = "1", .room = ROOM_FACTORY,
		   .inputs = { "root.erofs", "init" }, .outputs = { "tree", "hash" }, .run = run },
	esp = { .name = "esp", .title = "esp", .version = "1", .room = ROOM_APPLIANCE,
		.inputs = { "hash" }, .outputs = { "esp.img" }, .run = run },
	disk = { .name = "disk", .title = "disk", .version = "1", .room = ROOM_FACTORY,
		 .inputs = { "esp.img", "tree" }, .outputs = { "disk.raw" }, .run = run },
	erofs2 = { .name = "erofs", .title = "erofs", .version = "2", .room = ROOM_APPLIANCE,
		   .layer = "config.qcow2", .outputs = { "root.erofs" }, .run = run },
	again = { .name = "again", .title = "again", .version = "1", .room = ROOM_APPLIANCE,
		  .layer = "base.qcow2", .inputs = { "disk.raw" }, .outputs = { "again" }, .run = run };

#define FIRST &tools, &builder, &unpack, &programs, &base, &config
static const struct stage *const whole[] = { FIRST, &erofs, &verity, &esp, &disk, NULL };
static const struct stage *const newer[] = { FIRST, &erofs2, &verity, &esp, &disk, NULL };
static const struct stage *const longer[] = { FIRST, &erofs, &verity, &esp, &disk, &again, NULL };
static const struct stage *const unordered[] = { &tools, &verity, NULL };

/* ---------------------------------------------------------------- cases */

static uint64_t limit;		/* of the cache */
static char explained[4096];	/* the last build's table */

static int plan_and_run(const struct steps_options *options, struct artifacts *artifacts, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);
	CLEANUP_STEPS struct steps *s = NULL;
	int r = steps_plan(options, artifacts, &s, err);

	if (r == 0)
		r = steps_explain(s, &text, err);
	snprintf(explained, sizeof(explained), "%s", buf_text(&text));
	return r < 0 ? r : steps_run(s, err);
}

static int go(struct fixture *f, const struct stage *const *stages, const char *wanted, struct error *err)
{
	CLEANUP_ARTIFACTS struct artifacts *artifacts = artifacts_new();
	const char *const list[] = { wanted, NULL };
	const struct steps_options options = {
		.stages = stages, .plan = &f->plan, .cache = f->scratch.path, .cache_limit = limit, .wanted = list,
	};
	int r;

	trace[0] = '\0';
	table = stages;
	r = plan_and_run(&options, artifacts, err);
	if (r == 0)
		ok(io_exists(artifacts_path(artifacts, wanted)), "%s is there", wanted);
	return r;
}

static void expect(struct fixture *f, const struct stage *const *stages, const char *wanted,
		   const char *ran, const char *what)
{
	struct error err = ERROR_INIT;

	ok_int(go(f, stages, wanted, &err), 0, "%s: it runs (%s)", what, err.message);
	ok_str(trace, ran, "%s", what);
}

/* Does something to the finished outputs. */
static void shell(struct fixture *f, const char *script)
{
	CLEANUP_FREE char *command = string_printf("cd %s/stages && %s", f->scratch.path, script);
	CLEANUP_BUF struct buf out = BUF_INIT(4096);

	ok_int(fixture_tool((const char *const[]) { "sh", "-c", command, NULL }, &out), 0, "%s", script);
}

static void lose(struct fixture *f, const char *stage, const char *file)
{
	CLEANUP_FREE char *script = string_printf("rm -r %s/*/%s", stage, file);

	shell(f, script);
}

static const char everything[] =
	"tools builder unpack [empty] programs base config erofs verity esp [close] disk ";

static void test_reuse(void)
{
	struct fixture f;

	fixture_open(&f);
	expect(&f, whole, "disk.raw", everything, "the first build runs all in one appliance");
	expect(&f, whole, "disk.raw", "", "the second nothing");
	expect(&f, newer, "disk.raw", "[config.qcow2] erofs verity esp [close] disk ",
	       "a stage of another version runs with all that reads it, from the layer before it");
	expect(&f, whole, "disk.raw", "", "the old version's outputs are still there");

	lose(&f, "disk", "disk.raw");
	expect(&f, whole, "disk.raw", "disk ", "a lost output comes back");
	lose(&f, "erofs", "root.erofs");
	lose(&f, "base", "base.qcow2");
	expect(&f, whole, "disk.raw", "", "nothing is made again that no stage has to read");
	lose(&f, "verity", "hash");
	expect(&f, whole, "hash", "[config.qcow2] erofs [close] verity ",
	       "a stage with one of its outputs gone runs again, with what it reads");
	lose(&f, "esp", "");
	lose(&f, "disk", "");
	lose(&f, "programs", "");
	lose(&f, "erofs", "");
	lose(&f, "verity", "");
	expect(&f, whole, "disk.raw", "[config.qcow2] programs erofs verity esp [close] disk ",
	       "one that touches no layer opens the appliance with the layer of the next");
	fixture_close(&f);
}

static void test_layers(void)
{
	struct fixture f;

	fixture_open(&f);
	expect(&f, longer, "again",
	       "tools builder unpack [empty] programs base config erofs verity esp disk [close] [base.qcow2] again [close] ",
	       "an older layer needs another appliance");
	fixture_close(&f);
}

static void test_failures(void)
{
	struct error err = ERROR_INIT;
	struct fixture f;

	fixture_open(&f);
	failing = "config";
	ok(go(&f, whole, "disk.raw", &err) < 0, "a failing stage ends the build");
	ok_error(&err, "config: no more paper", "its name stands before its reason");
	failing = NULL;
	expect(&f, whole, "disk.raw", "[base.qcow2] config erofs verity esp [close] disk ",
	       "the next build goes on where it failed");
	fixture_close(&f);

	fixture_open(&f);
	forgetful = "verity";
	err = (struct error) ERROR_INIT;
	ok(go(&f, whole, "disk.raw", &err) < 0, "a stage without its output fails");
	ok_error(&err, "without its result", "with that reason");
	forgetful = NULL;
	fixture_close(&f);

	fixture_open(&f);
	err = (struct error) ERROR_INIT;
	ok(go(&f, unordered, "hash", &err) < 0, "a table out of order is refused");
	ok_error(&err, "which no stage before it makes", "with that reason");
	fixture_close(&f);
}

/* What a killed build may leave: a scratch directory, an unfinished directory of a key. */
static void test_killed(void)
{
	CLEANUP_FREE char *left = NULL, *command = NULL;
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	struct fixture f;

	fixture_open(&f);
	expect(&f, whole, "root.erofs", "tools builder unpack [empty] base config erofs [close] ", "half a build");
	lose(&f, "config", "config.qcow2");
	lose(&f, "erofs", ".record");
	left = string_printf("%s/tmp/kiln-scratch-999999999-abcdef", f.scratch.path);
	need(io_mkdirs(left, 0755, &err) == 0, "a scratch directory of a process that is gone");
	command = string_printf("touch -d '2 days ago' %s", left);
	(void)fixture_tool((const char *const[]) { "sh", "-c", command, NULL }, &out);
	expect(&f, whole, "disk.raw",
	       "[base.qcow2] programs config erofs verity esp [close] disk ", "the next build works");
	ok(!io_exists(left), "and has swept the scratch directory");
	fixture_close(&f);
}

/* What was done to an entry behind the cache's back, and which stages have to run then. */
static void test_damage(void)
{
	static const struct {
		const char *what, *script, *wanted, *ran;
	} cases[] = {
		{ "a truncated file", "truncate -s 3 disk/*/disk.raw", "disk.raw", "disk " },
		{ "a changed byte under the old time of writing",
		  "touch -r disk/*/disk.raw t; printf D | dd of=$(echo disk/*/disk.raw) conv=notrunc 2>&1;"
		  " touch -r t disk/*/disk.raw; rm t", "disk.raw", "disk " },
		{ "a file put in another's place with its time and size",
		  "printf DISK > t; touch -r disk/*/disk.raw t; mv t disk/*/disk.raw", "disk.raw", "disk " },
		{ "a lost record", "rm disk/*/.record", "disk.raw", "disk " },
		{ "a record cut short", "truncate -s -9 disk/*/.record", "disk.raw", "disk " },
		{ "lost inputs", "rm disk/*/.inputs", "disk.raw", "disk " },
		{ "inputs cut short", "truncate -s -9 disk/*/.inputs", "disk.raw", "disk " },
		{ "a file in place of an entry", "set -- disk/*; rm -r $1; echo > $1", "disk.raw", "disk " },
		{ "a directory in place of a file", "rm disk/*/disk.raw; mkdir $(echo disk/*)/disk.raw", "disk.raw", "disk " },
		{ "a link in place of a file", "cd disk/*; mv disk.raw x; ln -s x disk.raw", "disk.raw", "disk " },
		{ "a program less in a tree", "rm tools/*/tools/bin/cc", "tools", "tools " },
		{ "one more", "touch $(echo tools/*)/tools/bin/evil", "tools", "tools " },
		{ "one that is none any more", "chmod -x tools/*/tools/bin/cc", "tools", "tools " },
		{ "a link that leads elsewhere", "ln -sfn /bin/sh tools/*/tools/bin/c99", "tools", "tools " },
		{ "a special file", "rm tools/*/tools/bin/c99; mkfifo $(echo tools/*)/tools/bin/c99", "tools", "tools " },
	};
	struct fixture f;

	fixture_open(&f);
	limit = 0;
	expect(&f, whole, "disk.raw", everything, "a whole build");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		shell(&f, cases[i].script);
		expect(&f, whole, cases[i].wanted, cases[i].ran, cases[i].what);
		expect(&f, whole, cases[i].wanted, "", "once");
	}
	fixture_close(&f);
}

/* Only times differ, or the note of them is lost: the outputs are read again, and no stage runs. */
static void test_harmless(void)
{
	static const char *const scripts[] = {
		"touch disk/*/disk.raw", "rm disk/*/.stamps", "echo > $(echo disk/*/.stamps)",
		"cp -a disk d; rm -r disk; mv d disk", "chmod 600 disk/*/disk.raw", "rm disk/*/.used",
	};
	struct fixture f;

	fixture_open(&f);
	expect(&f, whole, "disk.raw", everything, "a whole build");
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		shell(&f, scripts[i]);
		expect(&f, whole, "disk.raw", "", scripts[i]);
	}
	fixture_close(&f);
}

/* Two entries of a stage in each other's places: both are what some stage made, and neither belongs there. */
static void test_swapped(void)
{
	struct fixture f;

	fixture_open(&f);
	expect(&f, whole, "disk.raw", everything, "a build");
	expect(&f, newer, "disk.raw", "[config.qcow2] erofs verity esp [close] disk ", "another");
	shell(&f, "cd disk; set -- *; mv $1 t; mv $2 $1; mv t $2");
	expect(&f, whole, "disk.raw", "disk ", "swapped entries are noticed by the one");
	expect(&f, newer, "disk.raw", "disk ", "and by the other");
	shell(&f, "cd disk; set -- *; mv $1/disk.raw t; mv $2/disk.raw $1; mv t $2/disk.raw;"
	      " mv $1/.record t; mv $2/.record $1; mv t $2/.record");
	expect(&f, whole, "disk.raw", "disk ", "outputs swapped with their records as well");
	fixture_close(&f);
}

static void expect_table(const char *part, const char *what)
{
	if (!ok(strstr(explained, part), "%s", what))
		printf("# \"%s\" is not in:\n%s", part, explained);
}

static void test_explain(void)
{
	struct fixture f;

	fixture_open(&f);
	expect(&f, whole, "disk.raw", everything, "a first build");
	expect_table("STAGE      THIS BUILD  BECAUSE\ntools      rebuilt     nothing cached\n", "nothing is cached at first");
	expect(&f, whole, "disk.raw", "", "a second");
	expect_table("\nbase       not needed\n", "what nobody reads is not needed");
	expect_table("\ndisk       reused\n", "what is wanted is reused");
	f.description.cmdline = (char *)"quiet";
	expect(&f, whole, "disk.raw", "[base.qcow2] config erofs verity esp [close] disk ", "another command line");
	expect_table("\nbase       reused\nconfig     rebuilt     cmdline: \"\" -> \"quiet\"\n"
		     "erofs      rebuilt     input config.qcow2 of stage config is new\n", "the change and its consequences");
	shell(&f, "truncate -s 1 disk/*/disk.raw");
	expect(&f, whole, "disk.raw", "disk ", "damage");
	expect_table("\ndisk       rebuilt     disk.raw has 1 bytes in place of 4\n", "damage is a reason");
	fixture_close(&f);
}

/* A limit that nothing fits into leaves what the build at hand uses. */
static void test_limit(void)
{
	struct fixture f;

	fixture_open(&f);
	limit = 1;
	expect(&f, whole, "disk.raw", everything, "a build in a cache that is too small");
	expect(&f, whole, "disk.raw", "", "its own entries stay");
	f.description.cmdline = (char *)"quiet";
	expect(&f, whole, "disk.raw", "[base.qcow2] config erofs verity esp [close] disk ", "another");
	shell(&f, "test $(ls disk | wc -l) = 1 && test $(ls config | wc -l) = 1 && test -d tools/*/tools");
	f.description.cmdline = (char *)"";
	expect(&f, whole, "disk.raw", "[base.qcow2] config erofs verity esp [close] disk ",
	       "the first one's are gone, but for those the second used too");
	limit = 0;
	shell(&f, "test -z \"$(find . -name '*.lock')\" && test -z \"$(ls ../tmp)\"");
	fixture_close(&f);
}

int main(void)
{
	log_set_level(LOG_ERROR);
	test_reuse();
	test_layers();
	test_failures();
	test_killed();
	test_damage();
	test_harmless();
	test_swapped();
	test_explain();
	test_limit();
	return tap_done();
}
