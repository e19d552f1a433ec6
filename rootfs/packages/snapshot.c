/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "../../factory/base/process.h"
#include "downloader.h"

#define CONFIG_MAX (1 << 20)
#define RELEASE_MAX (16 << 20)
#define DISTRO "distro:"

/* ---------------------------------------------------------------- templates */

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), end_size = strlen(end);

	return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static bool holds(struct text text, const char *part)
{
	return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

int snapshot_check(const char *given, struct error *err)
{
	struct text rest = text_of(given), word;
	size_t count = 0;

	for (; text_word(&rest, &word); count++)
		if (!holds(word, SNAPSHOT_ID) || !holds(word, ":/"))
			return error_input(err,
					   "dated archive \"%.*s\": must be a URL with " SNAPSHOT_ID
					   " where the moment goes",
					   (int)word.size, word.data);
	if (count < 1 || count > 2)
		return error_input(err, "dated archive \"%s\": must be one URL, or two", given);
	return 0;
}

static char *replace(const char *text, const char *what, const char *with)
{
	char *result = string_copy(""), *longer;
	const char *found;

	for (; (found = strstr(text, what)); text = found + strlen(what)) {
		longer = string_printf("%s%.*s%s", result, (int)(found - text), text, with);
		free(result);
		result = longer;
	}
	longer = string_printf("%s%s", result, text);
	free(result);
	return longer;
}

static void cut_slashes(char *url)
{
	for (size_t size = strlen(url); size > 0 && url[size - 1] == '/'; size--)
		url[size - 1] = '\0';
}

char *snapshot_expand(const char *template, const char *moment, const char *path)
{
	CLEANUP_FREE char *dated = replace(template, SNAPSHOT_ID, moment);
	char *url = replace(dated, SNAPSHOT_PATH, path);

	cut_slashes(url);
	return url;
}

/* ---------------------------------------------------------------- what apt knows */

static bool lookup(struct text config, const char *scope, struct text key, struct text *ret)
{
	CLEANUP_FREE char *name =
		string_printf("Acquire::Snapshots::URI::%s%.*s ", scope, (int)key.size, key.data);
	size_t size = strlen(name);
	struct text line;

	while (key.size > 0 && text_line(&config, &line)) {
		if (line.size <= size || memcmp(line.data, name, size) != 0)
			continue;
		*ret = (struct text){line.data + size, line.size - size};
		return true;
	}
	return false;
}

/* In an InRelease file the first paragraph is the signature's header (RFC 4880, 7). */
static struct text release_field(struct text release, const char *name)
{
	struct text stanza, value;

	while (stanza_next(&release, &stanza))
		if (stanza_field(stanza, name, &value))
			return value;
	return (struct text){"", 0};
}

char *snapshot_template(struct text release, struct text config, const char *host)
{
	struct text label = release_field(release, "Label");
	struct text origin = release_field(release, "Origin");
	struct text named = release_field(release, "Snapshots");
	struct text found = {"", 0};

	if (!lookup(config, "Override::Label::", label, &found) &&
	    !lookup(config, "Override::Origin::", origin, &found))
		found = named;
	if (found.size == 0 && !lookup(config, "Label::", label, &found) &&
	    !lookup(config, "Origin::", origin, &found))
		(void)lookup(config, "Host::", text_of(host), &found);
	/* "no": there is none. */
	return holds(found, SNAPSHOT_ID) ? text_copy(found) : NULL;
}

/* Newer apts know the services of some archives by themselves. */
static int read_config(struct buf *ret, struct error *err)
{
	static const char *const argv[] = {"apt-config", "dump", "--format", "%f %v%n", NULL};
	const struct process_options options = {.argv = argv, .output = ret};
	CLEANUP_FREE char *program = process_find("apt-config");

	return program ? process_run(&options, NULL, err) : 0;
}

/*
 * Unsigned words will do here: a wrong one leads to an archive with the wrong keys or the wrong digests,
 * which is noticed there.
 */
static int read_release(const struct snapshots *s, const char *root, const char *suite,
			struct buf *ret, struct error *err)
{
	bool flat = ends_with(suite, "/");
	CLEANUP_FREE char *url = string_printf("%s/%s%s%sInRelease", root, flat ? "" : "dists/",
					       suite, flat ? "" : "/");
	CLEANUP_FREE char *target = path_join(s->dir, "InRelease");
	int r;

	r = io_mkdirs(s->dir, 0755, err);
	if (r == 0)
		r = downloader_fetch(s->downloader, url, target, err);
	if (r == 0)
		r = io_read_file(target, RELEASE_MAX, ret, err);
	return r;
}

/* ---------------------------------------------------------------- a given template */

static bool is_distro(const char *source)
{
	return strncmp(source, DISTRO, strlen(DISTRO)) == 0;
}

/* "https://host/a/b": "host" and "a/b". */
static void split(const char *url, char **ret_host, char **ret_path)
{
	const char *host = strstr(url, "://"), *path;

	host = host ? host + 3 : url + strcspn(url, "/");
	path = host + strcspn(host, "/");
	*ret_host = string_printf("%.*s", (int)(path - host), host);
	*ret_path = string_copy(path + strspn(path, "/"));
	cut_slashes(*ret_path);
}

/* Without SNAPSHOT_PATH a template says nothing about archives other than the distribution's. */
static bool is_given_for(const struct snapshots *s, const char *source)
{
	return s->given && (is_distro(source) || strstr(s->given, SNAPSHOT_PATH));
}

/* With one URL for the main archive, that of the security archive lies beside it, as in mirror.h. */
static int security_template(const char *given, char **ret, struct error *err)
{
	struct text rest = text_of(given), word;

	(void)text_word(&rest, &word);
	if (text_word(&rest, &word))
		*ret = text_copy(word);
	else if (strstr(given, SNAPSHOT_PATH))
		*ret = string_copy(given);
	else if (strstr(given, "/debian/"))
		*ret = replace(given, "/debian/", "/debian-security/");
	else
		return error_input(err,
				   "no dated archive is known for security suites: give both, "
				   "\"%s SECURITY-URL\"",
				   given);
	return 0;
}

static int find_given(const struct snapshots *s, const char *source, const char *suite, char **ret,
		      struct error *err)
{
	bool security = is_distro(source) && ends_with(suite, "-security");
	CLEANUP_FREE char *template = NULL, *host = NULL, *path = NULL;
	struct text rest = text_of(s->given), word;
	int r = 0;

	if (security)
		r = security_template(s->given, &template, err);
	else if (text_word(&rest, &word))
		template = text_copy(word);
	if (r < 0)
		return r;
	if (is_distro(source))
		path = string_printf("%s%s", source + strlen(DISTRO), security ? "-security" : "");
	else
		split(source, &host, &path);
	*ret = snapshot_expand(template, s->moment, path);
	return 0;
}

/* ---------------------------------------------------------------- all of it */

int snapshot_find(const struct snapshots *s, const char *source, const char *suite, char **ret,
		  struct error *err)
{
	CLEANUP_BUF struct buf release = BUF_INIT(RELEASE_MAX), config = BUF_INIT(CONFIG_MAX);
	CLEANUP_FREE char *root = NULL, *template = NULL, *host = NULL, *path = NULL;
	int r;

	if (is_given_for(s, source))
		return find_given(s, source, suite, ret, err);
	r = roots_find(s->today, source, suite, &root, err);
	if (r == 0)
		r = read_config(&config, err);
	if (r == 0)
		r = read_release(s, root, suite, &release, err);
	if (r < 0)
		return error_wrap(err, "looking for the dated archive of %s", suite);
	split(root, &host, &path);
	template = snapshot_template((struct text){buf_text(&release), release.len},
				     (struct text){buf_text(&config), config.len}, host);
	if (!template)
		return error_input(err,
				   "neither the Release file of %s nor this host's apt names a "
				   "dated archive for it: give one with --snapshot-archive or "
				   "KILN_SNAPSHOT, a URL with " SNAPSHOT_ID " in it",
				   suite);
	*ret = snapshot_expand(template, s->moment, path);
	log_debug("%s of %s is at %s", suite, s->moment, *ret);
	return 0;
}
