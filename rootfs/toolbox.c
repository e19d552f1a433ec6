/* SPDX-License-Identifier: Apache-2.0 */
#include "toolbox.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/process.h"
#include "../factory/base/sandbox.h"
#include "../factory/model/architecture.h"

#define PATHS_MAX 16
#define ARGUMENTS_MAX 512
#define VARIABLES_MAX 16

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int find_program(const char *tree, const char *name, char **ret, struct error *err)
{
	static const char *const places[] = { "usr/bin", "usr/sbin" };

	if (strchr(name, '/')) {
		*ret = path_join(tree, name);
		return io_exists(*ret) ? 0 : error_outside(err, "the builder set has no %s", name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char *path = string_printf("%s/%s/%s", tree, places[i], name);

		*ret = path;
		if (io_exists(path))
			return 0;
		free(path);
		*ret = NULL;
	}
	return error_outside(err, "the builder set has no program %s", name);
}

/* Appends a NULL-terminated list to another, which stays NULL-terminated. */
static int append(const char **list, size_t *count, size_t max, const char *const *more,
		  const char *what, struct error *err)
{
	for (; more && *more; more++) {
		if (*count + 1 >= max)
			return error_input(err, "more than %zu %s for one tool", max - 1, what);
		list[(*count)++] = *more;
	}
	list[*count] = NULL;
	return 0;
}

/*
 * By its own loader: --inhibit-cache, so that the host's /etc/ld.so.cache says nothing; the library path is
 * all there is, for the defaults behind it lie outside of what the sandbox lets it read.
 */
static int make_arguments(const struct toolbox_command *c, const char *loader, const char *libraries,
			  const char *program, const char **ret, struct error *err)
{
	/* mcopy and mmd are one program, which looks at what it is called. */
	const char *name = base_name(c->argv[0]);
	const char *const head[] = {
		loader, "--inhibit-cache", "--library-path", libraries, "--argv0", name, program, NULL,
	};
	size_t count = 0;
	int r = append(ret, &count, ARGUMENTS_MAX, head, "arguments", err);

	return r < 0 ? r : append(ret, &count, ARGUMENTS_MAX, c->argv + 1, "arguments", err);
}

struct environment {
	char *path, *conversions, *tmp, *epoch;
	const char *list[VARIABLES_MAX];
};

static void environment_clear(struct environment *e)
{
	free(e->path);
	free(e->conversions);
	free(e->tmp);
	free(e->epoch);
}
#define CLEANUP_ENVIRONMENT __attribute__((cleanup(environment_clear)))

static int make_environment(const struct toolbox_command *c, struct environment *e, struct error *err)
{
	const char *const fixed[] = { "LC_ALL=C.UTF-8", "TZ=UTC", NULL };
	size_t count = 0;
	int r = append(e->list, &count, VARIABLES_MAX, fixed, "variables", err);

	e->path = string_printf("PATH=%s/usr/bin", c->tree);
	if (c->writable && c->writable[0])
		e->tmp = string_printf("TMPDIR=%s", c->writable[0]);
	if (c->epoch >= 0)
		e->epoch = string_printf("SOURCE_DATE_EPOCH=%" PRId64, c->epoch);

	/* iconv(3) loads from a path that is built in. */
	e->conversions = string_printf("GCONV_PATH=%s/usr/lib/%s/gconv", c->tree, architecture_host()->triple);

	const char *const made[] = {
		e->path, e->conversions, e->epoch ? e->epoch : e->tmp, e->epoch ? e->tmp : NULL, NULL,
	};

	if (r == 0)
		r = append(e->list, &count, VARIABLES_MAX, made, "variables", err);
	return r < 0 ? r : append(e->list, &count, VARIABLES_MAX, c->env, "variables", err);
}

int toolbox_run(const struct toolbox_command *c, struct error *err)
{
	const struct architecture *arch = architecture_host();
	/* In the tree, as in Debian, /lib and /lib64 are links to what is below usr, and not made. */
	CLEANUP_FREE char *loader = string_printf("%s/usr%s", c->tree, arch->loader), *program = NULL;
	CLEANUP_FREE char *libraries = string_printf("%s/usr/lib/%s:%s/usr/lib", c->tree, arch->triple, c->tree);
	CLEANUP_ENVIRONMENT struct environment environment = { .path = NULL };
	const char *argv[ARGUMENTS_MAX], *readable[PATHS_MAX], *writable[PATHS_MAX];
	const char *const always_readable[] = { c->tree, "/dev/urandom", NULL };
	const char *const always_writable[] = { "/dev/null", NULL };
	size_t readable_count = 0, writable_count = 0;
	int r = find_program(c->tree, c->argv[0], &program, err);

	if (r == 0)
		r = make_arguments(c, loader, libraries, program, argv, err);
	if (r == 0)
		r = make_environment(c, &environment, err);
	if (r == 0)
		r = append(readable, &readable_count, PATHS_MAX, always_readable, "paths", err);
	if (r == 0)
		r = append(readable, &readable_count, PATHS_MAX, c->readable, "paths", err);
	if (r == 0)
		r = append(writable, &writable_count, PATHS_MAX, c->writable, "paths", err);
	if (r == 0)
		r = append(writable, &writable_count, PATHS_MAX, always_writable, "paths", err);
	if (r < 0)
		return r;

	const struct sandbox sandbox = { .readable = readable, .writable = writable };

	return process_run(&(struct process_options) {
		.argv = argv, .name = base_name(c->argv[0]), .env = environment.list,
		.cwd = c->cwd ? c->cwd : c->tree, .output = c->output, .output_fd = c->output_fd,
		.sandbox = &sandbox,
	}, NULL, err);
}
