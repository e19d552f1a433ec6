/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/format/tar.h"
#include "../../factory/model/declared.h"
#include "../../factory/model/memory.h"
#include "../tree.h"
#include "rules.h"
#include "scan.h"
#include "units.h"

/* The order of reports. */
static const struct audit_rule *const groups[] = {
	audit_boot_rules, audit_access_rules, audit_login_rules, audit_account_rules, audit_file_rules,
	audit_mount_rules, audit_kernel_rules, audit_network_rules, audit_package_rules, audit_secret_rules,
};

const char *const audit_verdict_names[] = { "holds", "accepted", "FAILS" };

bool audit_has_rule(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		for (const struct audit_rule *rule = groups[i]; rule->id; rule++)
			if (strcmp(rule->id, id) == 0)
				return true;
	return false;
}

/* ---------------------------------------------------------------- the report */

enum audit_verdict audit_verdict(const struct audit_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		if (!result->findings[i].accepted)
			return AUDIT_FAILS;
	return result->count ? AUDIT_ACCEPTED : AUDIT_HOLDS;
}

size_t audit_count(const struct audit_report *report, enum audit_verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++)
		count += audit_verdict(&report->results[i]) == verdict;
	return count;
}

static void clear_result(struct audit_result *result)
{
	for (size_t i = 0; i < result->count; i++) {
		free(result->findings[i].path);
		free(result->findings[i].text);
	}
	free(result->findings);
	free(result->seen);
}

void audit_report_clear(struct audit_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		clear_result(&report->results[i]);
	free(report->results);
	free(report->unused);
	*report = (struct audit_report) { .results = NULL };
}

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

/* ---------------------------------------------------------------- running */

static int run_group(struct audit *a, const struct audit_rule *rule, struct audit_report *report, struct error *err)
{
	int r = 0;

	for (; rule->id && r == 0; rule++) {
		a->result = memory_append(&report->results, report->count++, sizeof(*a->result));
		*a->result = (struct audit_result) { .rule = rule->id, .title = rule->title, .seen = string_copy("") };
		a->rule = rule;
		r = rule->check(a, err);
		if (r < 0)
			return error_wrap(err, "rule %s", rule->id);
	}
	return r;
}

static bool is_used(const struct audit_report *report, const struct declared_exception *e)
{
	for (size_t i = 0; i < report->count; i++)
		for (size_t k = 0; k < report->results[i].count; k++)
			if (report->results[i].findings[k].accepted == e)
				return true;
	return false;
}

static void list_unused(const struct declared *d, struct audit_report *report)
{
	for (size_t i = 0; i < d->exception_count; i++) {
		const struct declared_exception **slot;

		if (is_used(report, &d->exceptions[i]))
			continue;
		slot = memory_append(&report->unused, report->unused_count++, sizeof(*slot));
		*slot = &d->exceptions[i];
	}
}

int audit_run(const struct audit_input *input, struct audit_report *ret, struct error *err)
{
	CLEANUP_AUDIT_REPORT struct audit_report report = { .results = NULL };
	CLEANUP_UNITS struct units *units = NULL;
	CLEANUP_SCAN struct scan *scan = NULL;
	struct audit a = { .in = input };
	int r = units_read(input->tree, &units, err);

	if (r == 0)
		r = scan_tree(input->tree, &scan, err);
	a.units = units;
	a.scan = scan;
	for (size_t i = 0; i < ARRAY_SIZE(groups) && r == 0; i++)
		r = run_group(&a, groups[i], &report, err);
	if (r < 0)
		return r;
	list_unused(input->declared, &report);
	*ret = report;
	report = (struct audit_report) { .results = NULL };
	return 0;
}
