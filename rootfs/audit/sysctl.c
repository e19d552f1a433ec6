/* SPDX-License-Identifier: Apache-2.0 */
#include "sysctl.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"
#include "../tree.h"
#include "rules.h"
#include "units.h"

/* By precedence. */
static const char *const directories[] = { "etc/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d" };

void sysctl_clear(struct sysctl *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->settings[i].key);
		free(s->settings[i].value);
		free(s->settings[i].path);
	}
	free(s->settings);
	*s = (struct sysctl) { .settings = NULL };
}

static struct text trim(struct text t)
{
	while (t.size > 0 && strchr(" \t\r", t.data[0])) {
		t.data++;
		t.size--;
	}
	while (t.size > 0 && strchr(" \t\r", t.data[t.size - 1]))
		t.size--;
	return t;
}

/* sysctl.d(5): where the first separator is a slash, dots are the names' own. */
static char *clean_key(struct text key)
{
	char *copy = text_copy(key);
	const char first = copy[strcspn(copy, "./")];

	for (char *p = copy; first == '/' && *p; p++)
		*p = *p == '/' ? '.' : *p == '.' ? '/' : *p;
	return copy;
}

static void append(struct sysctl *s, char *key, char *value, const char *path, unsigned int line)
{
	struct sysctl_setting *setting = memory_append(&s->settings, s->count++, sizeof(*setting));

	*setting = (struct sysctl_setting) { key, value, string_copy(path), line };
}

void sysctl_add(struct sysctl *s, struct text text, const char *path)
{
	struct text line;

	for (unsigned int number = 1; text_line(&text, &line); number++) {
		const char *sign;

		line.size = strnlen(line.data, line.size);
		line = trim(line);
		if (line.size == 0 || strchr("#;", line.data[0]))
			continue;
		/* A failure to set it is no failure. */
		if (line.data[0] == '-') {
			line.data++;
			line.size--;
		}
		sign = memchr(line.data, '=', line.size);
		if (!sign)
			continue;

		const size_t size = (size_t)(sign - line.data);
		const struct text key = trim((struct text) { line.data, size });
		const struct text value = trim((struct text) { sign + 1, line.size - size - 1 });

		append(s, clean_key(key), text_copy(value), path, number);
	}
}

const struct sysctl_setting *sysctl_find(const struct sysctl *s, const char *key)
{
	for (size_t i = s->count; i > 0; i--)
		if (fnmatch(s->settings[i - 1].key, key, 0) == 0)
			return &s->settings[i - 1];
	return NULL;
}

/* ---------------------------------------------------------------- the files */

/* "sysctl.kernel.sysrq=0", Linux 5.8; before anything runs. */
static void add_cmdline(const struct audit *a, struct sysctl *s)
{
	static const char prefix[] = "sysctl.";
	const char *rest = a->in->cmdline;
	struct audit_parameter p;

	while (audit_parameter_next(&rest, &p))
		if (strncmp(p.key, prefix, sizeof(prefix) - 1) == 0)
			append(s, clean_key(text_of(p.key + sizeof(prefix) - 1)), string_copy(p.value), AUDIT_CMDLINE,
			       0);
}

static bool is_there(char **names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of all directories, each once, sorted. */
static char **list_names(const struct tree *tree, size_t *ret_count)
{
	char **names = NULL;
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		size_t position = 0;
		const char *name;

		while ((name = tree_list(tree, directories[i], &position))) {
			const size_t size = strlen(name);
			char **slot;

			if (size < 6 || strcmp(name + size - 5, ".conf") != 0 || is_there(names, count, name))
				continue;
			slot = memory_append(&names, count++, sizeof(*slot));
			*slot = string_copy(name);
		}
	}
	if (count > 0)
		qsort(names, count, sizeof(*names), by_name);
	*ret_count = count;
	return names;
}

/* Of the first directory that has the name, even if what it has is a link to nothing. */
static int add_first(const struct audit *a, const char *name, struct sysctl *s, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		CLEANUP_FREE char *path = path_join(directories[i], name);
		CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);
		struct tree_node node;
		int r;

		if (!tree_stat(a->in->tree, path, true, &node))
			continue;
		r = audit_text(a, path, &text, err);
		if (r > 0)
			sysctl_add(s, (struct text) { buf_text(&text), text.len }, path);
		return r < 0 ? r : 0;
	}
	return 0;
}

int sysctl_read(const struct audit *a, struct sysctl *ret, struct error *err)
{
	const struct unit *u = units_find(a->units, "systemd-sysctl.service");
	size_t count = 0;
	char **names;
	int r = 0;

	ret->applied = u && !u->masked && u->wanted;
	add_cmdline(a, ret);
	if (!ret->applied)
		return 0;
	names = list_names(a->in->tree, &count);
	for (size_t i = 0; i < count; i++) {
		if (r == 0)
			r = add_first(a, names[i], ret, err);
		free(names[i]);
	}
	free(names);
	return r;
}
