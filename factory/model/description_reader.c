/* SPDX-License-Identifier: Apache-2.0 */
#include "description_reader.h"

#include <libxml/tree.h>
#include <stdarg.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/io.h"

#define NAMESPACE "urn:kiln:image:1"
/* Far more than any image needs; keeps the checks that compare all with all short. */
#define ELEMENTS_MAX 10000
#define BLANKS " \t\r\n"

int reader_line(const xmlNode *node)
{
	return (int)xmlGetLineNo(node);
}

int reader_complain(const struct reader *r, const xmlNode *node, struct error *err,
		    const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return error_input(err, "%s:%d: %s", r->d->file, reader_line(node), text);
}

const char *reader_name(const xmlNode *node, char *buffer, size_t size)
{
	if (!node->ns)
		return (const char *)node->name;
	if (strcmp((const char *)node->ns->href, NAMESPACE) != 0)
		return NULL;
	snprintf(buffer, size, "kiln:%s", (const char *)node->name);
	return buffer;
}

/* An attribute's value is one text node: without a DTD there are no entities to stand in between. */
static const char *value_of(const xmlAttr *attribute)
{
	const xmlNode *text = attribute->children;

	if (!text)
		return "";
	return text->type == XML_TEXT_NODE && !text->next ? (const char *)text->content : NULL;
}

const char *reader_attribute(const xmlNode *node, const char *name)
{
	for (const xmlAttr *a = node->properties; a; a = a->next)
		if (!a->ns && strcmp((const char *)a->name, name) == 0)
			return value_of(a);
	return NULL;
}

static bool is_text(const xmlNode *node)
{
	return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

char *reader_text(const xmlNode *node)
{
	/* The document has its own limit. */
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);
	const char *start;
	size_t n;

	for (const xmlNode *c = node->children; c; c = c->next)
		if (is_text(c) && buf_add_string(&text, (const char *)c->content) < 0)
			error_no_memory();
	start = buf_text(&text);
	start += strspn(start, BLANKS);
	for (n = strlen(start); n > 0 && strchr(BLANKS, start[n - 1]); n--)
		;
	return string_printf("%.*s", (int)n, start);
}

/* ---------------------------------------------------------------- attributes */

/* xsd:boolean has two ways to say each of its values. */
static bool same_value(const char *given, const char *only)
{
	return strcmp(given, only) == 0 || (strcmp(only, "true") == 0 && strcmp(given, "1") == 0) ||
	       (strcmp(only, "false") == 0 && strcmp(given, "0") == 0);
}

static const struct attribute_rule *find_attribute(const struct element_rule *rule, const char *name)
{
	for (const struct attribute_rule *a = rule->attributes; a && a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

static int check_attribute(const struct reader *r, const xmlNode *node,
			   const struct element_rule *rule, const xmlAttr *attribute,
			   struct error *err)
{
	const char *name = (const char *)attribute->name, *value = value_of(attribute), *why;
	const struct attribute_rule *a = attribute->ns ? NULL : find_attribute(rule, name);

	if (!a)
		return reader_complain(r, node, err, "attribute %s of <%s> is not supported", name,
				       rule->name);
	if (a->refused)
		return reader_complain(r, node, err, "attribute %s of <%s> is not supported: %s", name,
				       rule->name, a->refused);
	if (!value)
		return reader_complain(r, node, err, "attribute %s of <%s> has an entity in it", name,
				       rule->name);
	if (a->only && !same_value(value, a->only))
		return reader_complain(r, node, err, "attribute %s of <%s> must be \"%s\", not \"%.80s\"",
				       name, rule->name, a->only, value);
	why = a->check ? a->check(value) : NULL;
	if (why)
		return reader_complain(r, node, err, "attribute %s of <%s> %s (it is \"%.80s\")", name,
				       rule->name, why, value);
	return 0;
}

static int check_attributes(const struct reader *r, const xmlNode *node,
			    const struct element_rule *rule, struct error *err)
{
	for (const xmlAttr *a = node->properties; a; a = a->next) {
		int result = check_attribute(r, node, rule, a, err);

		if (result < 0)
			return result;
	}
	for (const struct attribute_rule *a = rule->attributes; a && a->name; a++) {
		if (!a->required || reader_attribute(node, a->name))
			continue;
		if (a->only)
			return reader_complain(r, node, err, "<%s> must have %s=\"%s\"", rule->name,
					       a->name, a->only);
		return reader_complain(r, node, err, "<%s> must have the attribute %s", rule->name,
				       a->name);
	}
	return 0;
}

/* ---------------------------------------------------------------- elements */

static int check_text(const struct reader *r, const xmlNode *node, const struct element_rule *rule,
		      struct error *err)
{
	CLEANUP_FREE char *text = reader_text(node);
	const char *why;

	if (!rule->text && *text)
		return reader_complain(r, node, err, "<%s> must not contain text (\"%.40s\")", rule->name,
				       text);
	if (rule->only && !same_value(text, rule->only))
		return reader_complain(r, node, err, "<%s> must be \"%s\", not \"%.80s\"", rule->name,
				       rule->only, text);
	why = rule->check ? rule->check(text) : NULL;
	if (why)
		return reader_complain(r, node, err, "<%s> %s (it is \"%.80s\")", rule->name, why, text);
	return 0;
}

static bool is_child_rule(const struct element_rule *rule, const char *parent)
{
	return parent ? rule->parent && strcmp(rule->parent, parent) == 0 : !rule->parent;
}

static const struct element_rule *find_rule(const char *parent, const xmlNode *node)
{
	char buffer[64];
	const char *name = reader_name(node, buffer, sizeof(buffer));

	for (const struct element_rule *rule = description_rules; name && rule->name; rule++)
		if (is_child_rule(rule, parent) && strcmp(rule->name, name) == 0)
			return rule;
	return NULL;
}

static int unknown_element(const struct reader *r, const xmlNode *node, const char *parent,
			   struct error *err)
{
	char buffer[64];
	const char *name = reader_name(node, buffer, sizeof(buffer));

	if (!name)
		return reader_complain(r, node, err, "element <%s> is of an unknown namespace (%.80s)",
				       (const char *)node->name, (const char *)node->ns->href);
	if (!parent)
		return reader_complain(r, node, err, "a KIWI description begins with <image>, not <%s>",
				       name);
	return reader_complain(r, node, err, "element <%s> in <%s> is not supported", name, parent);
}

static int check_single(const struct reader *r, const xmlNode *node, const struct element_rule *rule,
			struct error *err)
{
	for (const xmlNode *p = node->prev; p && !rule->repeats; p = p->prev)
		if (p->type == XML_ELEMENT_NODE && find_rule(rule->parent, p) == rule)
			return reader_complain(r, node, err, "<%s> is given twice, first in line %d",
					       rule->name, reader_line(p));
	return 0;
}

static bool has_child(const xmlNode *node, const struct element_rule *rule)
{
	for (const xmlNode *c = node->children; c; c = c->next)
		if (c->type == XML_ELEMENT_NODE && find_rule(rule->parent, c) == rule)
			return true;
	return false;
}

static int check_required(const struct reader *r, const xmlNode *node, const char *name,
			  struct error *err)
{
	for (const struct element_rule *rule = description_rules; rule->name; rule++)
		if (rule->required && is_child_rule(rule, name) && !has_child(node, rule))
			return reader_complain(r, node, err, "<%s> must have <%s> in it", name,
					       rule->name);
	return 0;
}

static int take(struct reader *r, const xmlNode *node, const struct element_rule *rule,
		struct error *err)
{
	if (rule->field)
		*(char **)((char *)r->d + rule->field) = reader_text(node);
	return rule->take ? rule->take(r, node, err) : 0;
}

static int read_element(struct reader *r, const xmlNode *node, const char *parent, struct error *err);

static int read_children(struct reader *r, const xmlNode *node, const char *name, struct error *err)
{
	int result = 0;

	for (const xmlNode *c = node->children; c && result == 0; c = c->next)
		if (c->type == XML_ELEMENT_NODE)
			result = read_element(r, c, name, err);
	return result;
}

/* The depth is bounded by the rules: what they do not know is refused before it is entered. */
static int read_element(struct reader *r, const xmlNode *node, const char *parent, struct error *err)
{
	const struct element_rule *rule = find_rule(parent, node);
	int result;

	if (++r->elements > ELEMENTS_MAX)
		return reader_complain(r, node, err, "more than %d elements", ELEMENTS_MAX);
	if (!rule)
		return unknown_element(r, node, parent, err);
	if (rule->refused)
		return reader_complain(r, node, err, "element <%s> is not supported: %s", rule->name,
				       rule->refused);
	result = check_single(r, node, rule, err);
	if (result == 0)
		result = check_attributes(r, node, rule, err);
	if (result == 0)
		result = check_text(r, node, rule, err);
	if (result == 0)
		result = check_required(r, node, rule->name, err);
	if (result == 0)
		result = take(r, node, rule, err);
	if (result == 0)
		result = read_children(r, node, rule->name, err);
	return result;
}

int reader_walk(struct reader *r, const xmlNode *root, struct error *err)
{
	return read_element(r, root, NULL, err);
}
