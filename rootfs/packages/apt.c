/* SPDX-License-Identifier: Apache-2.0 */
#include "apt.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/process.h"
#include "../../factory/model/memory.h"
#include "environment.h"
#include "packages.h"
#include "stanza.h"

#define DUMP_MAX (1 << 20)
#define CONFIG_MAX (1 << 20)
#define KEYRING_MAX (16 << 20)

/*
 * Signed-By and Valid-Until are checked as apt does by itself; only a complete answer of every
 * repository counts ("any"), where apt would go on with old lists. The resolver is named because
 * apt's default has changed and may again.
 */
/* clang-format off */
static const char fixed_config[] =
	"Dir::Etc::main \"/dev/null\";\n"
	"Dir::Etc::parts \"/dev/null\";\n"
	"Dir::Etc::sourceparts \"/dev/null\";\n"
	"Dir::Etc::trusted \"/dev/null\";\n"
	"Dir::Etc::trustedparts \"/dev/null\";\n"
	"Dir::Etc::preferencesparts \"/dev/null\";\n"
	"APT::Install-Recommends \"false\";\n"
	"APT::Install-Suggests \"false\";\n"
	"APT::Sandbox::User \"\";\n"
	"APT::Solver \"internal\";\n"
	"APT::Update::Error-Mode \"any\";\n"
	"APT::Get::Always-Include-Phased-Updates \"true\";\n"
	"Acquire::AllowInsecureRepositories \"false\";\n"
	"Acquire::ForceHash \"sha256\";\n"
	"Acquire::GzipIndexes \"false\";\n"
	"Acquire::Languages \"none\";\n"
	"Acquire::Retries \"3\";\n";
/* clang-format on */

static int add_directories(struct buf *config, const char *state, const char *arch)
{
	return buf_printf(config,
			  "Dir \"%s/\";\n"
			  "Dir::State \"%s\";\n"
			  "Dir::State::status \"%s/status\";\n"
			  "Dir::Cache \"%s/cache\";\n"
			  "Dir::Etc \"%s\";\n"
			  "Dir::Etc::sourcelist \"%s/kiln.sources\";\n"
			  "Dir::Etc::preferences \"%s/kiln.preferences\";\n"
			  "APT::Architecture \"%s\";\n"
			  "APT::Architectures { \"%s\"; };\n",
			  state, state, state, state, state, state, state, arch, arch);
}

/* The host's way into the network. Where there is no apt-config, apt_get() will say what is missing. */
static int add_network(struct buf *config, struct error *err)
{
	static const char *const argv[] = {"apt-config", "dump", NULL};
	static const char *const wanted[] = {"Acquire::http", "Acquire::ftp"};
	CLEANUP_BUF struct buf dump = BUF_INIT(DUMP_MAX);
	CLEANUP_FREE char *program = process_find("apt-config");
	struct process_options options = {.argv = argv, .output = &dump};
	struct text rest, line;
	int r;

	if (!program)
		return 0;
	r = process_run(&options, NULL, err);
	if (r < 0)
		return r;
	rest = (struct text){buf_text(&dump), dump.len};
	while (r == 0 && text_line(&rest, &line))
		for (size_t i = 0; r == 0 && i < ARRAY_SIZE(wanted); i++)
			if (line.size > strlen(wanted[i]) &&
			    memcmp(line.data, wanted[i], strlen(wanted[i])) == 0)
				r = buf_printf(config, "%.*s\n", (int)line.size, line.data);
	return r < 0 ? error_system(err, r, "configuration of apt") : 0;
}

/* Mode 0600: a proxy's address may hold a password. */
static int write_config(const struct apt *apt, const char *arch, struct error *err)
{
	CLEANUP_BUF struct buf config = BUF_INIT(CONFIG_MAX);
	CLEANUP_FREE char *path = path_join(apt->state, "apt.conf");
	CLEANUP_FREE char *status = path_join(apt->state, "status");
	CLEANUP_FREE char *preferences = apt_preferences(apt);
	int r;

	r = add_directories(&config, apt->state, arch);
	if (r == 0)
		r = buf_add_string(&config, fixed_config);
	if (r < 0)
		return error_system(err, r, "configuration of apt");
	r = add_network(&config, err);
	if (r == 0)
		r = io_write_file(path, config.data, config.len, 0600, err);
	if (r == 0)
		r = io_write_file(status, "", 0, 0644, err);
	if (r == 0)
		r = io_write_file(preferences, "", 0, 0644, err);
	return r;
}

static int make_directories(const char *state, struct error *err)
{
	static const char *const names[] = {"lists/partial", "cache/archives/partial"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP_FREE char *dir = path_join(state, names[i]);
		int r = io_mkdirs(dir, 0755, err);

		if (r < 0)
			return r;
	}
	return 0;
}

int apt_open(const char *state, const char *arch, struct apt *ret, struct error *err)
{
	CLEANUP_APT struct apt apt = {NULL, NULL};
	CLEANUP_FREE char *config = NULL;
	int r;

	/* Neither apt.conf nor Signed-By in a source has a way to quote these. */
	if (strpbrk(state, " \t\n\","))
		return error_input(err,
				   "apt cannot work in \"%s\", whose name has a blank, a comma "
				   "or a quote in it: set KILN_CACHE to another directory",
				   state);
	r = make_directories(state, err);
	if (r < 0)
		return r;
	apt.state = string_copy(state);
	config = string_printf("APT_CONFIG=%s/apt.conf", state);
	apt.env = network_environment(config);
	r = write_config(&apt, arch, err);
	if (r < 0)
		return r;
	*ret = apt;
	apt = (struct apt){NULL, NULL};
	return 0;
}

void apt_close(struct apt *apt)
{
	network_environment_free(apt->env);
	free(apt->state);
	*apt = (struct apt){NULL, NULL};
}

char *apt_preferences(const struct apt *apt)
{
	return path_join(apt->state, "kiln.preferences");
}

char *apt_locked_source(const struct apt *apt)
{
	return path_join(apt->state, "locked");
}

/* apt tells an armoured keyring from a binary one by its name. */
char *apt_keyring(const struct apt *apt, const struct resolve_request *request, size_t i)
{
	const char *original = request->keyrings[i];
	size_t size = strlen(original);
	bool armoured = size > 4 && strcmp(original + size - 4, ".asc") == 0;

	return string_printf("%s/keyring-%zu.%s", apt->state, i + 1, armoured ? "asc" : "gpg");
}

static int copy_keyring(const char *from, const char *to, struct error *err)
{
	CLEANUP_BUF struct buf key = BUF_INIT(KEYRING_MAX);
	int r;

	r = io_read_file(from, KEYRING_MAX, &key, err);
	if (r < 0)
		return error_wrap(err, "keyring");
	return io_write_file(to, key.data, key.len, 0644, err);
}

/* A flat repository has a directory for its suite and no components, sources.list(5). */
static bool is_flat(const struct locked_repository *repository)
{
	size_t size = strlen(repository->suite);

	return size > 0 && repository->suite[size - 1] == '/';
}

static int add_source(struct buf *sources, const struct resolve_request *request, size_t i,
		      const char *keyring)
{
	const struct locked_repository *repository = &request->repositories[i];
	int r;

	r = buf_printf(sources, "Types: deb\nURIs: %s%s\nSuites: %s\n", request->roots[i],
		       is_flat(repository) ? "/" : "", repository->suite);
	if (r == 0 && !is_flat(repository))
		r = buf_printf(sources, "Components: %s\n", repository->components);
	if (r == 0 && request->dated)
		r = buf_add_string(sources, "Check-Valid-Until: no\n");
	if (r == 0)
		r = buf_printf(sources, "Signed-By: %s\n\n", keyring);
	return r;
}

/* Flat, and unsigned: the digests of the lock are what makes it trusted. */
static int add_locked_source(struct buf *sources, const struct apt *apt)
{
	CLEANUP_FREE char *dir = apt_locked_source(apt);

	return buf_printf(sources,
			  "Types: deb\nURIs: file:%s/\nSuites: ./\nTrusted: yes\n"
			  "Allow-Insecure: yes\n",
			  dir);
}

int apt_write_sources(const struct apt *apt, const struct resolve_request *request,
		      struct error *err)
{
	CLEANUP_BUF struct buf sources = BUF_INIT(CONFIG_MAX);
	CLEANUP_FREE char *path = path_join(apt->state, "kiln.sources");
	int r;

	for (size_t i = 0; i < request->repository_count; i++) {
		CLEANUP_FREE char *keyring = apt_keyring(apt, request, i);

		r = copy_keyring(request->keyrings[i], keyring, err);
		if (r < 0)
			return error_wrap(err, "repository %s", request->repositories[i].alias);
		r = add_source(&sources, request, i, keyring);
		if (r < 0)
			return error_system(err, r, "sources for apt");
	}
	if (request->store && add_locked_source(&sources, apt) < 0)
		return error_system(err, ENOMEM, "sources for apt");
	return io_write_file(path, sources.data, sources.len, 0600, err);
}

int apt_get(const struct apt *apt, const char *const *arguments, struct buf *ret, struct error *err)
{
	CLEANUP_FREE const char **argv = NULL;
	struct process_options options = {.env = (const char *const *)apt->env, .output = ret};
	size_t count = 0;

	while (arguments[count])
		count++;
	argv = memory_new((count + 2) * sizeof(*argv));
	argv[0] = "apt-get";
	memcpy(argv + 1, arguments, count * sizeof(*argv));
	options.argv = argv;
	return process_run(&options, NULL, err);
}
