/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler.h"

#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/architecture.h"
#include "../factory/model/memory.h"
#include "../factory/model/stage_key.h"

#define GCC_VERSION "14"
#define ARGUMENTS_MAX 256
#define READABLE_MAX 16

static const char *const common[] = {
	"-quiet", "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-fstack-protector-strong", "-fasynchronous-unwind-tables",
	"-nostdinc", NULL,
};
static const char *const hardened[] = {
	"-fPIE", "-fstack-clash-protection", "-D_FORTIFY_SOURCE=3", NULL,
};
static const char *const not_hardened[] = { "-fno-pie", NULL };
static const char *const link_static[] = { "-static", "-z", "relro", "-s", "--build-id=none", NULL };
static const char *const link_hardened[] = {
	"-pie", "--hash-style=gnu", "--eh-frame-hdr", "--as-needed", "-z", "relro", "-z", "now", "-s",
	"--build-id=none", NULL,
};

void compiler_key(struct stage_key *key)
{
	const char *const *const lists[] = { common, hardened, not_hardened, link_static, link_hardened };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const char *const *option = lists[i]; *option; option++)
			stage_key_string(key, "compiler option", *option);
	stage_key_string(key, "compiler", GCC_VERSION);
}

/* ---------------------------------------------------------------- argument vectors */

/* Strings made for one run; they live until the vector goes. */
struct vector {
	const char *items[ARGUMENTS_MAX];
	char *owned[ARGUMENTS_MAX];
	size_t count, owned_count;
	bool full;
};

static void vector_clear(struct vector *v)
{
	for (size_t i = 0; i < v->owned_count; i++)
		free(v->owned[i]);
}
#define CLEANUP_VECTOR __attribute__((cleanup(vector_clear)))

static void put(struct vector *v, const char *item)
{
	if (v->count + 1 >= ARGUMENTS_MAX)
		v->full = true;
	else
		v->items[v->count++] = item;
	v->items[v->count] = NULL;
}

static void put_list(struct vector *v, const char *const *list)
{
	for (; *list; list++)
		put(v, *list);
}

static void put_owned(struct vector *v, char *item)
{
	if (v->owned_count == ARGUMENTS_MAX) {
		free(item);
		v->full = true;
		return;
	}
	v->owned[v->owned_count++] = item;
	put(v, item);
}

/* ---------------------------------------------------------------- the three tools */

struct work {
	const struct compiler *compiler;
	const struct compiler_job *job;
	char *gcc;			/* its headers, start files and library: TREE/usr/lib/gcc/TRIPLE/14 */
	char *cc1;			/* below the tree */
};

static void work_clear(struct work *w)
{
	free(w->gcc);
	free(w->cc1);
}
#define CLEANUP_WORK __attribute__((cleanup(work_clear)))

static int run(const struct work *w, const struct vector *v, const char *what, struct error *err)
{
	const struct compiler *c = w->compiler;
	const char *readable[READABLE_MAX] = { c->sysroot, w->job->directory };
	CLEANUP_FREE char *directory = string_copy(w->job->output);
	const char *const writable[] = { c->scratch, directory, NULL };

	*strrchr(directory, '/') = '\0';
	for (size_t i = 0; w->job->readable && w->job->readable[i]; i++) {
		if (i + 2 >= READABLE_MAX)
			return error_input(err, "%s: more than %d places to read", what, READABLE_MAX - 2);
		readable[i + 1] = w->job->readable[i];
	}
	if (v->full)
		return error_input(err, "%s: too many sources or libraries", what);
	return toolbox_run(&(struct toolbox_command) {
		.tree = c->tools, .argv = v->items, .cwd = w->job->directory, .readable = readable,
		.writable = writable, .epoch = 0,
	}, err);
}

static int compile(const struct work *w, const char *source, const char *assembly, struct error *err)
{
	const char *sysroot = w->compiler->sysroot, *triple = w->compiler->arch->triple;
	CLEANUP_VECTOR struct vector v = { .count = 0 };

	put(&v, w->cc1);
	put_list(&v, common);
	put_list(&v, w->job->linkage == COMPILER_HARDENED ? hardened : not_hardened);
	if (w->job->linkage == COMPILER_HARDENED)
		put(&v, w->compiler->arch->protection);
	put(&v, "-isystem");
	put_owned(&v, string_printf("%s/include", w->gcc));
	put(&v, "-isystem");
	put_owned(&v, string_printf("%s/usr/include/%s", sysroot, triple));
	put(&v, "-isystem");
	put_owned(&v, string_printf("%s/usr/include", sysroot));
	/* What __FILE__ in a header would say. */
	put_owned(&v, string_printf("-fmacro-prefix-map=%s=", sysroot));
	put_owned(&v, string_printf("-fmacro-prefix-map=%s=", w->compiler->tools));
	put(&v, source);
	put(&v, "-o");
	put(&v, assembly);
	return run(w, &v, source, err);
}

static int assemble(const struct work *w, const char *assembly, const char *object, struct error *err)
{
	CLEANUP_VECTOR struct vector v = { .count = 0 };

	put_owned(&v, string_printf("%s-as", w->compiler->arch->triple));
	if (w->compiler->arch->assembler)
		put(&v, w->compiler->arch->assembler);
	put(&v, "-o");
	put(&v, object);
	put(&v, assembly);
	return run(w, &v, object, err);
}

static void put_start_file(struct vector *v, const struct work *w, const char *name)
{
	put_owned(v, string_printf("%s/usr/lib/%s/%s", w->compiler->sysroot, w->compiler->arch->triple, name));
}

static void put_gcc_file(struct vector *v, const struct work *w, const char *name)
{
	put_owned(v, string_printf("%s/%s", w->gcc, name));
}

static int link_objects(const struct work *w, struct vector *objects, struct error *err)
{
	const bool fixed = w->job->linkage == COMPILER_STATIC;
	static const char *const static_libraries[] = {
		"--start-group", "-lgcc", "-lgcc_eh", "-lc", "--end-group", NULL,
	};
	static const char *const shared_libraries[] = { "-lgcc", "-lc", "-lgcc", NULL };
	CLEANUP_VECTOR struct vector v = { .count = 0 };

	put_owned(&v, string_printf("%s-ld", w->compiler->arch->triple));
	put_owned(&v, string_printf("--sysroot=%s", w->compiler->sysroot));
	put(&v, "-m");
	put(&v, w->compiler->arch->emulation);
	put_list(&v, fixed ? link_static : link_hardened);
	if (!fixed) {
		put(&v, "-dynamic-linker");
		put(&v, w->compiler->arch->loader);
	}
	put(&v, "-o");
	put(&v, w->job->output);
	put_start_file(&v, w, fixed ? "crt1.o" : "Scrt1.o");
	put_start_file(&v, w, "crti.o");
	put_gcc_file(&v, w, fixed ? "crtbeginT.o" : "crtbeginS.o");
	put_owned(&v, string_printf("-L%s", w->gcc));
	put_owned(&v, string_printf("-L=/usr/lib/%s", w->compiler->arch->triple));
	put(&v, "-L=/usr/lib");
	put_list(&v, objects->items);
	for (size_t i = 0; i < w->job->library_count; i++)
		put_owned(&v, string_printf("-l%s", w->job->libraries[i]));
	put_list(&v, fixed ? static_libraries : shared_libraries);
	put_gcc_file(&v, w, fixed ? "crtend.o" : "crtendS.o");
	put_start_file(&v, w, "crtn.o");
	return run(w, &v, w->job->output, err);
}

/* ---------------------------------------------------------------- a program */

/* Debian's compilers that cross have directories of their own. */
static int find_compiler(struct work *w, struct error *err)
{
	const struct compiler *c = w->compiler;
	const bool crosses = c->arch != c->machine;
	CLEANUP_FREE char *path = NULL;

	w->gcc = string_printf("%s/usr/lib/gcc/%s/" GCC_VERSION, crosses ? c->sysroot : c->tools, c->arch->triple);
	w->cc1 = string_printf("usr/libexec/%s/%s/" GCC_VERSION "/cc1", crosses ? "gcc-cross" : "gcc",
			       c->arch->triple);
	path = path_join(c->tools, w->cc1);
	if (!io_exists(path))
		return error_outside(err, "the builder set has no gcc-" GCC_VERSION " for %s", c->arch->triple);
	if (!io_exists(w->gcc))
		return error_outside(err, "the %s set has no libgcc-" GCC_VERSION "-dev for %s",
				     crosses ? "sysroot" : "builder", c->arch->triple);
	return 0;
}

int compiler_build(const struct compiler *compiler, const struct compiler_job *job, struct error *err)
{
	CLEANUP_WORK struct work w = { .compiler = compiler, .job = job };
	CLEANUP_VECTOR struct vector objects = { .count = 0 };
	int r = find_compiler(&w, err);

	for (size_t i = 0; i < job->source_count && r == 0; i++) {
		CLEANUP_FREE char *assembly = string_printf("%s/%zu.s", compiler->scratch, i);
		char *object = string_printf("%s/%zu.o", compiler->scratch, i);

		put_owned(&objects, object);
		r = compile(&w, job->sources[i], assembly, err);
		if (r == 0)
			r = assemble(&w, assembly, object, err);
	}
	return r < 0 ? r : link_objects(&w, &objects, err);
}
