/* SPDX-License-Identifier: Apache-2.0 */
#include "rules.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/format/tar.h"
#include "../../factory/model/declared.h"
#include "../../factory/model/memory.h"
#include "../tree.h"

/* ---------------------------------------------------------------- findings */

static bool accepts(const struct declared_exception *e, const char *rule, const char *path)
{
	return strcmp(e->rule, rule) == 0 && (!e->path[0] || fnmatch(e->path, path, FNM_PATHNAME) == 0);
}

static const struct declared_exception *find_exception(const struct declared *d, const char *rule, const char *path)
{
	for (size_t i = 0; i < d->exception_count; i++)
		if (accepts(&d->exceptions[i], rule, path))
			return &d->exceptions[i];
	return NULL;
}

__attribute__((format(printf, 1, 0)))
static char *print(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		error_no_memory();
	return text;
}

void audit_find(struct audit *a, const char *path, unsigned int line, const char *fmt, ...)
{
	struct audit_finding *f = memory_append(&a->result->findings, a->result->count, sizeof(*f));
	va_list ap;

	a->result->count++;
	f->path = string_printf("%s%s", path[0] == '(' || path[0] == '/' ? "" : "/", path);
	f->line = line;
	va_start(ap, fmt);
	f->text = print(fmt, ap);
	va_end(ap);
	f->accepted = find_exception(a->in->declared, a->rule->id, f->path);
}

void audit_seen(struct audit *a, const char *fmt, ...)
{
	va_list ap;

	free(a->result->seen);
	va_start(ap, fmt);
	a->result->seen = print(fmt, ap);
	va_end(ap);
}

/* ---------------------------------------------------------------- what rules share */

int audit_text(const struct audit *a, const char *path, struct buf *ret, struct error *err)
{
	struct tree_node node;
	int r;

	if (!tree_stat(a->in->tree, path, false, &node) || node.type != TAR_FILE)
		return 0;
	r = tree_read(a->in->tree, path, ret, err);
	return r < 0 ? r : 1;
}

const char *audit_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool audit_is_program(const struct tree_node *node)
{
	return node->type == TAR_SYMLINK || (node->type == TAR_FILE && node->mode & 0111);
}

bool audit_among(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

/* ---------------------------------------------------------------- the command line */

/* Up to the next blank that stands between no quotation marks; those are left out, as the kernel does. */
static size_t take_word(const char *text, char *ret, size_t room)
{
	bool quoted = false;
	size_t size = 0, n = 0;

	for (; text[size] && (quoted || !strchr(" \t\n", text[size])); size++) {
		if (text[size] == '"')
			quoted = !quoted;
		else if (n + 1 < room)
			ret[n++] = text[size];
	}
	ret[n] = '\0';
	return size;
}

bool audit_parameter_next(const char **rest, struct audit_parameter *ret)
{
	char word[sizeof(ret->key) + sizeof(ret->value)];
	const char *start = *rest + strspn(*rest, " \t\n");
	char *value;

	if (!*start)
		return false;
	*rest = start + take_word(start, word, sizeof(word));
	if (strcmp(word, "--") == 0)
		return false;
	value = strchr(word, '=');
	ret->has_value = value;
	if (value)
		*value++ = '\0';
	(void)snprintf(ret->key, sizeof(ret->key), "%.*s", (int)sizeof(ret->key) - 1, word);
	(void)snprintf(ret->value, sizeof(ret->value), "%.*s", (int)sizeof(ret->value) - 1, value ? value : "");
	for (char *p = ret->key; *p; p++)
		if (*p == '-' && p > ret->key)
			*p = '_';
	return true;
}

bool audit_parameter(const struct audit *a, const char *key, struct audit_parameter *ret)
{
	const char *rest = a->in->cmdline;
	struct audit_parameter p;
	bool found = false;

	while (audit_parameter_next(&rest, &p))
		if (strcmp(p.key, key) == 0) {
			*ret = p;
			found = true;
		}
	return found;
}

bool audit_is_yes(const struct audit_parameter *p)
{
	static const char *const yes[] = { "1", "yes", "y", "true", "t", "on", NULL };

	return !p->has_value || audit_among(p->value, yes);
}
