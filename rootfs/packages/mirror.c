/* SPDX-License-Identifier: Apache-2.0 */
#include "mirror.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "apt_sources.h"
#include "stanza.h"

#define LIST_MAX (1 << 16)

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), end_size = strlen(end);

	return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static char *without_slash(struct text url)
{
	while (url.size > 0 && url.data[url.size - 1] == '/')
		url.size--;
	return text_copy(url);
}

/*
 * "mirror+file:/etc/apt/mirrors/debian.list", as on Debian's cloud images: apt finds the list's end in
 * such an address only when it knows the repository, and for single files it does not. So the list is
 * read here, and its first mirror used.
 */
static int first_of_list(const char *path, char **ret, struct error *err)
{
	CLEANUP_BUF struct buf list = BUF_INIT(LIST_MAX);
	struct text rest, line, url;
	int r;

	r = io_read_file(path, LIST_MAX, &list, err);
	if (r < 0)
		return error_wrap(err, "list of mirrors");
	rest = (struct text){ buf_text(&list), list.len };
	while (text_line(&rest, &line)) {
		if (!text_word(&line, &url) || url.data[0] == '#')
			continue;
		*ret = without_slash(url);
		return 0;
	}
	return error_input(err, "list of mirrors %s: names none", path);
}

static int settle(struct text url, char **ret, struct error *err)
{
	CLEANUP_FREE char *text = without_slash(url);
	static const char list[] = "mirror+file:";

	if (strncmp(text, list, sizeof(list) - 1) == 0)
		return first_of_list(text + sizeof(list) - 1, ret, err);
	*ret = TAKE_PTR(text);
	return 0;
}

static void derive_security(struct mirror *m)
{
	if (m->root && !m->security && ends_with(m->root, "/debian"))
		m->security = string_printf("%s-security", m->root);
}

/* A scheme and a path, which is all apt asks for. */
static bool is_url(struct text url)
{
	const char *colon = memchr(url.data, ':', url.size);

	return colon && colon != url.data &&
	       memchr(colon, '/', url.size - (size_t)(colon - url.data));
}

int mirror_parse(const char *given, struct mirror *ret, struct error *err)
{
	CLEANUP_MIRROR struct mirror m = { NULL, NULL };
	struct text rest = text_of(given), url;
	int r;

	while (text_word(&rest, &url)) {
		if (!is_url(url))
			return error_input(err, "mirror \"%.*s\" is no URL", (int)url.size,
					   url.data);
		if (m.security)
			return error_input(err, "mirror \"%s\" has more than two URLs", given);
		r = settle(url, m.root ? &m.security : &m.root, err);
		if (r < 0)
			return r;
	}
	if (!m.root)
		return error_input(err, "mirror \"%s\" has no URL", given);
	derive_security(&m);
	ret->root = TAKE_PTR(m.root);
	ret->security = TAKE_PTR(m.security);
	return 0;
}

int mirror_of_host(const char *etc_apt, struct mirror *ret, struct error *err)
{
	CLEANUP_APT_SOURCES struct apt_sources sources = { NULL, 0 };
	CLEANUP_MIRROR struct mirror m = { NULL, NULL };
	int r;

	r = apt_sources_read(etc_apt, &sources, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sources.count; i++) {
		const struct apt_source *source = &sources.items[i];
		char **slot = ends_with(source->suite, "-security") ? &m.security : &m.root;

		if (!*slot && apt_source_is_debian(source))
			r = settle(text_of(source->url), slot, err);
		if (r < 0)
			return r;
	}
	if (!m.root)
		return error_input(err,
				   "the apt sources of this host (%s) name no Debian archive: give "
				   "one with --mirror URL or KILN_MIRROR",
				   etc_apt);
	derive_security(&m);
	ret->root = TAKE_PTR(m.root);
	ret->security = TAKE_PTR(m.security);
	return 0;
}

void mirror_free(struct mirror *m)
{
	free(m->root);
	free(m->security);
	m->root = m->security = NULL;
}

int mirror_root(const struct mirror *m, const char *suite, char **ret, struct error *err)
{
	if (!ends_with(suite, "-security")) {
		*ret = string_copy(m->root);
		return 0;
	}
	if (!m->security)
		return error_input(err,
				   "no mirror is known for the suite %s: give both, "
				   "--mirror \"%s SECURITY-URL\"",
				   suite, m->root);
	*ret = string_copy(m->security);
	return 0;
}
