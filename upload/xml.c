/* SPDX-License-Identifier: Apache-2.0 */
#include "xml.h"

#include <libxml/tree.h>
#include <stdbool.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/secret.h"
#include "../factory/model/memory.h"
#include "../factory/model/xml_read.h"

struct xml {
	xmlDoc *doc;
};

static xmlNode *inside(const struct xml_node *node)
{
	return (xmlNode *)node;
}

static const struct xml_node *outside(const xmlNode *node)
{
	return (const struct xml_node *)node;
}

static bool is_text(const xmlNode *node)
{
	return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

/* Texts are handed out as they lie in the tree, so those in pieces (CDATA) are put together first. */
static void join_texts(xmlNode *element)
{
	xmlNode *first = NULL, *next;

	for (xmlNode *c = element->children; c; c = next) {
		next = c->next;
		if (!is_text(c))
			continue;
		if (!first) {
			first = c;
			continue;
		}
		xmlNodeAddContent(first, c->content);
		xmlUnlinkNode(c);
		xmlFreeNode(c);
	}
}

/* The next node in the document's order, without recursion; NULL at the end. */
static xmlNode *following(xmlNode *node)
{
	if (node->children && node->type == XML_ELEMENT_NODE)
		return node->children;
	while (node && !node->next)
		node = node->parent && node->parent->type == XML_ELEMENT_NODE ? node->parent : NULL;
	return node ? node->next : NULL;
}

static void join_all(xmlDoc *doc)
{
	for (xmlNode *node = xmlDocGetRootElement(doc); node; node = following(node))
		if (node->type == XML_ELEMENT_NODE)
			join_texts(node);
}

int xml_parse(const void *data, size_t size, const char *name, struct xml **ret, struct error *err)
{
	/* What libxml2 says may quote the text, which may be a secret. */
	struct error detail = ERROR_INIT;
	xmlDoc *doc = NULL;

	if (size > XML_ANSWER_MAX)
		return error_outside(err, "%s: the answer is larger than %u bytes", name, XML_ANSWER_MAX);
	if (xml_read(data, size, name, &doc, &detail) < 0)
		return error_outside(err, "%s: the answer is not the XML that was expected", name);
	join_all(doc);
	*ret = memory_new(sizeof(**ret));
	(*ret)->doc = doc;
	return 0;
}

static void wipe(xmlDoc *doc)
{
	for (xmlNode *node = xmlDocGetRootElement(doc); node; node = following(node))
		if (is_text(node) && node->content)
			secret_wipe(node->content, strlen((char *)node->content));
}

void xml_free(struct xml *x)
{
	if (!x)
		return;
	wipe(x->doc);
	xmlFreeDoc(x->doc);
	free(x);
}

void xml_freep(struct xml **x)
{
	xml_free(*x);
	*x = NULL;
}

/* ---------------------------------------------------------------- questions */

const struct xml_node *xml_root(const struct xml *x)
{
	return outside(xmlDocGetRootElement(x->doc));
}

const char *xml_name(const struct xml_node *node)
{
	return (const char *)inside(node)->name;
}

static bool is_element(const xmlNode *node, const char *name, size_t size)
{
	return node->type == XML_ELEMENT_NODE && strlen((const char *)node->name) == size &&
	       memcmp(node->name, name, size) == 0;
}

static const xmlNode *first_named(const xmlNode *node, const char *name, size_t size)
{
	while (node && !is_element(node, name, size))
		node = node->next;
	return node;
}

const struct xml_node *xml_find(const struct xml_node *from, const char *path)
{
	const xmlNode *node = inside(from);

	while (node) {
		size_t size = strcspn(path, "/");

		node = first_named(node->children, path, size);
		if (!path[size])
			break;
		path += size + 1;
	}
	return outside(node);
}

const struct xml_node *xml_next(const struct xml_node *node)
{
	const xmlChar *name = inside(node)->name;

	return outside(first_named(inside(node)->next, (const char *)name, strlen((const char *)name)));
}

const char *xml_text(const struct xml_node *from, const char *path)
{
	const struct xml_node *node = path ? xml_find(from, path) : from;

	if (!node)
		return NULL;
	for (const xmlNode *c = inside(node)->children; c; c = c->next)
		if (is_text(c))
			return (const char *)c->content;
	return "";
}
