/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/digest.h"
#include "factory/base/host.h"
#include "factory/base/log.h"
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

int workshop_close(struct workshop *w, struct error *err)
{
	(void)w;
	(void)err;
	note("[", "close", "] ");
	return 0;
}

void workshop_free(struct workshop *w)
{
	free(w);
}

/* ---------------------------------------------------------------- stages */

static int run(const struct stage_context *ctx, struct error *err)
{
	const char *name = strrchr(ctx->output, '/') + 1;
	const struct stage *const *s = table;

	while (strcmp((*s)->name, name))
		s++;
	note("", name, " ");
	if (((*s)->room == ROOM_APPLIANCE) != (ctx->workshop != NULL))
		return error_outside(err, "%s is in the wrong room", name);
	for (const char *const *output = (*s)->outputs; *output; output++) {
		CLEANUP_FREE char *path = path_join(ctx->output, *output);
		int r = 0;

		if (!forgetful || strcmp(forgetful, name))
			r = io_write_file(path, name, strlen(name), 0644, err);
		if (r < 0)
			return r;
	}
	return failing && strcmp(failing, name) == 0 ? error_outside(err, "no more paper") : 0;
}

static const struct stage
	builder = { .name = "builder", .title = "builder", .version = "1", .room = ROOM_BOOTSTRAP,
		    .outputs = { "builder.erofs" }, .run = run },
	programs = { .name = "programs", .title = "programs", .version = "1", .room = ROOM_APPLIANCE,
		     .outputs = { "init" }, .run = run },
	base = { .name = "base", .title = "base", .version = "1", .room = ROOM_APPLIANCE,
		 .outputs = { "base.qcow2" }, .run = run },
	config = { .name = "config", .title = "config", .version = "1", .room = ROOM_APPLIANCE,
		   .layer = "base.qcow2", .outputs = { "config.qcow2" }, .run = run },
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

static const struct stage *const whole[] = { &builder, &programs, &base, &config, &erofs, &verity, &esp,
					     &disk, NULL };
static const struct stage *const newer[] = { &builder, &programs, &base, &config, &erofs2, &verity, &esp,
					     &disk, NULL };
static const struct stage *const longer[] = { &builder, &programs, &base, &config, &erofs, &verity, &esp,
					      &disk, &again, NULL };
static const struct stage *const unordered[] = { &builder, &verity, NULL };

/* ---------------------------------------------------------------- cases */

static int go(struct fixture *f, const struct stage *const *stages, const char *wanted, struct error *err)
{
	CLEANUP_ARTIFACTS struct artifacts *artifacts = artifacts_new();
	const char *const list[] = { wanted, NULL };
	const struct steps_options options = {
		.stages = stages, .plan = &f->plan, .cache = f->scratch.path, .wanted = list,
	};
	int r;

	trace[0] = '\0';
	table = stages;
	r = steps_run(&options, artifacts, err);
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

/* Loses the finished outputs of a stage, or only one file of them. */
static void lose(struct fixture *f, const char *stage, const char *file)
{
	CLEANUP_FREE char *path = string_printf("%s/stages/%s", f->scratch.path, stage);
	CLEANUP_FREE char *command = string_printf("rm -r %s/*/%s", path, file);
	CLEANUP_BUF struct buf out = BUF_INIT(4096);

	ok_int(fixture_tool((const char *const[]) { "sh", "-c", command, NULL }, &out), 0, "lose %s/%s",
	       stage, file);
}

static void test_reuse(void)
{
	static const char everything[] =
		"builder [empty] programs base config erofs verity esp [close] disk ";
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
	       "builder [empty] programs base config erofs verity esp disk [close] [base.qcow2] again [close] ",
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
	expect(&f, whole, "root.erofs", "builder [empty] base config erofs [close] ", "half a build");
	lose(&f, "config", "config.qcow2");
	lose(&f, "erofs", "root.erofs");
	left = string_printf("%s/tmp/kiln-scratch-999999999-abcdef", f.scratch.path);
	need(io_mkdirs(left, 0755, &err) == 0, "a scratch directory of a process that is gone");
	command = string_printf("touch -d '2 days ago' %s", left);
	(void)fixture_tool((const char *const[]) { "sh", "-c", command, NULL }, &out);
	expect(&f, whole, "disk.raw",
	       "[base.qcow2] programs config erofs verity esp [close] disk ", "the next build works");
	ok(!io_exists(left), "and has swept the scratch directory");
	fixture_close(&f);
}

int main(void)
{
	log_set_level(LOG_ERROR);
	test_reuse();
	test_layers();
	test_failures();
	test_killed();
	return tap_done();
}
