/* SPDX-License-Identifier: Apache-2.0 */
#include "apt_sources.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"
#include "stanza.h"

#define SOURCES_MAX (1 << 20)

static void add_source(struct apt_sources *sources, struct text url, struct text suite,
		       struct text components, const struct text *signed_by)
{
	struct apt_source *source = memory_append(&sources->items, sources->count, sizeof(*source));

	sources->count++;
	source->url = text_copy(url);
	source->suite = text_copy(suite);
	source->components = text_copy(components);
	source->signed_by = signed_by ? text_copy(*signed_by) : NULL;
}

void apt_sources_free(struct apt_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free(sources->items[i].url);
		free(sources->items[i].suite);
		free(sources->items[i].components);
		free(sources->items[i].signed_by);
	}
	free(sources->items);
	*sources = (struct apt_sources){ NULL, 0 };
}

static bool has_word(struct text words, const char *word)
{
	struct text w;

	while (text_word(&words, &w))
		if (text_equal(w, word))
			return true;
	return false;
}

/* "[arch=amd64 signed-by=/path]" or "[ arch=amd64 ]": takes the options off the front of *line. */
static bool take_options(struct text *line, struct text *ret_signed_by)
{
	static const char key[] = "signed-by=";
	bool found = false, open = true;
	struct text word, rest = *line;

	if (!text_word(&rest, &word) || word.data[0] != '[')
		return false;
	rest = *line;
	while (open && text_word(&rest, &word)) {
		while (word.size > 0 && word.data[0] == '[') {
			word.data++;
			word.size--;
		}
		while (word.size > 0 && word.data[word.size - 1] == ']') {
			word.size--;
			open = false;
		}
		if (word.size > sizeof(key) - 1 && memcmp(word.data, key, sizeof(key) - 1) == 0) {
			*ret_signed_by = (struct text){ word.data + sizeof(key) - 1,
							word.size - (sizeof(key) - 1) };
			found = true;
		}
	}
	*line = rest;
	return found;
}

/* deb [OPTIONS] URL SUITE COMPONENT... */
static void read_one_line(struct apt_sources *sources, struct text line)
{
	const char *comment = memchr(line.data, '#', line.size);
	struct text type, url, suite, signed_by;
	bool is_signed;

	if (comment)
		line.size = (size_t)(comment - line.data);
	if (!text_word(&line, &type) || !text_equal(type, "deb"))
		return;
	is_signed = take_options(&line, &signed_by);
	if (text_word(&line, &url) && text_word(&line, &suite))
		add_source(sources, url, suite, line, is_signed ? &signed_by : NULL);
}

static void read_list(struct apt_sources *sources, struct text text)
{
	struct text line;

	while (text_line(&text, &line))
		read_one_line(sources, line);
}

static void read_stanza(struct apt_sources *sources, struct text stanza)
{
	struct text types, urls, suites, components = { "", 0 }, signed_by, enabled, url, suite;
	bool is_signed;

	if (!stanza_field(stanza, "Types", &types) || !has_word(types, "deb") ||
	    !stanza_field(stanza, "URIs", &urls) || !stanza_field(stanza, "Suites", &suites))
		return;
	if (stanza_field(stanza, "Enabled", &enabled) && text_equal(enabled, "no"))
		return;
	(void)stanza_field(stanza, "Components", &components);
	is_signed = stanza_field(stanza, "Signed-By", &signed_by);
	while (text_word(&urls, &url)) {
		struct text rest = suites;

		while (text_word(&rest, &suite))
			add_source(sources, url, suite, components, is_signed ? &signed_by : NULL);
	}
}

/* Comment lines may stand anywhere, even inside a field's continuation lines. */
static int without_comments(struct text text, struct buf *ret, struct error *err)
{
	struct text line;
	int r = 0;

	while (r == 0 && text_line(&text, &line)) {
		if (line.size > 0 && line.data[0] == '#')
			continue;
		r = buf_add(ret, line.data, line.size);
		if (r == 0)
			r = buf_add_string(ret, "\n");
	}
	return r < 0 ? error_system(err, r, "apt sources") : 0;
}

static int read_deb822(struct apt_sources *sources, struct text text, struct error *err)
{
	CLEANUP_BUF struct buf plain = BUF_INIT(2 * SOURCES_MAX);
	struct text rest, stanza;
	int r;

	r = without_comments(text, &plain, err);
	if (r < 0)
		return r;
	rest = (struct text){ buf_text(&plain), plain.len };
	while (stanza_next(&rest, &stanza))
		read_stanza(sources, stanza);
	return 0;
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t size = strlen(name), n = strlen(suffix);

	return size > n && strcmp(name + size - n, suffix) == 0;
}

static int read_file(struct apt_sources *sources, const char *path, struct error *err)
{
	CLEANUP_BUF struct buf bytes = BUF_INIT(SOURCES_MAX);
	struct text text;
	int r;

	r = io_read_file(path, SOURCES_MAX, &bytes, err);
	if (r < 0)
		return error_wrap(err, "apt sources of this host");
	text = (struct text){ buf_text(&bytes), bytes.len };
	if (has_suffix(path, ".sources"))
		return read_deb822(sources, text, err);
	read_list(sources, text);
	return 0;
}

static int is_sources_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (has_suffix(entry->d_name, ".list") || has_suffix(entry->d_name, ".sources"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_directory(struct apt_sources *sources, const char *dir, struct error *err)
{
	struct dirent **entries;
	int count, r = 0;

	count = scandir(dir, &entries, is_sources_name, by_name);
	if (count < 0)
		return errno == ENOENT ? 0 : error_system(err, errno, "%s", dir);
	for (int i = 0; i < count; i++) {
		CLEANUP_FREE char *path = path_join(dir, entries[i]->d_name);

		/* One with a password in it may be root's alone; it is not where Debian's archive is. */
		if (r == 0 && access(path, R_OK) == 0)
			r = read_file(sources, path, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int apt_sources_read(const char *etc_apt, struct apt_sources *ret, struct error *err)
{
	CLEANUP_APT_SOURCES struct apt_sources sources = { NULL, 0 };
	CLEANUP_FREE char *list = path_join(etc_apt, "sources.list");
	CLEANUP_FREE char *dir = path_join(etc_apt, "sources.list.d");
	int r = 0;

	if (access(list, R_OK) == 0)
		r = read_file(&sources, list, err);
	if (r == 0)
		r = read_directory(&sources, dir, err);
	if (r < 0)
		return r;
	*ret = sources;
	sources = (struct apt_sources){ NULL, 0 };
	return 0;
}

/* Debian's names for its releases; suites are these or begin with these and a hyphen. */
static bool is_debian_suite(const char *suite)
{
	static const char *const releases[] = {
		"bullseye",	"bookworm",  "trixie", "forky",	  "duke",     "sid",
		"oldoldstable", "oldstable", "stable", "testing", "unstable",
	};

	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		size_t n = strlen(releases[i]);

		if (strncmp(suite, releases[i], n) == 0 && (suite[n] == '\0' || suite[n] == '-'))
			return true;
	}
	return false;
}

static bool is_mirror_scheme(const char *url)
{
	static const char *const schemes[] = {
		"http://", "https://", "ftp://", "file:", "copy:", "mirror+file:",
	};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/*
 * Vendors name their suites after Debian's releases too, but sign with keys of their own and mostly
 * have no "main". A wrong guess does no harm: the archive's signature is checked against Debian's keys.
 */
bool apt_source_is_debian(const struct apt_source *source)
{
	if (!is_mirror_scheme(source->url) || !is_debian_suite(source->suite) ||
	    !has_word(text_of(source->components), "main"))
		return false;
	return !source->signed_by || strstr(source->signed_by, "debian-archive");
}
