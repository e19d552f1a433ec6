/* SPDX-License-Identifier: Apache-2.0 */
#include "listing.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>

#define PAGE_LEAST 5
#define PAGE_MOST 1000

static bool lists_objects(const struct call *c, const struct listing *l, const struct object *o)
{
	return object_is(o, l->prefix) && strcmp(o->region, c->region) == 0 && !object_gone(o);
}

/* ---------------------------------------------------------------- ids and owners */

static bool is_id(const struct listing *l, const char *text)
{
	size_t len = strlen(l->prefix);

	return strncmp(text, l->prefix, len) == 0 && text[len] == '-' && text[len + 1] &&
	       text[len + 1 + strspn(text + len + 1, "0123456789abcdef")] == '\0';
}

static bool check_ids(struct call *c, const struct listing *l)
{
	const char *id;

	for (unsigned int i = 1; (id = call_parameterf(c, "%s.%u", l->id, i)); i++) {
		const struct object *o = objects_find(&c->r->objects, c->region, id);

		if (!is_id(l, id)) {
			call_error(c, 400, l->malformed, NULL, "Invalid id: \"%s\"", id);
			return false;
		}
		if (!o || !lists_objects(c, l, o)) {
			call_error(c, 400, l->not_found, NULL, "The id '%s' does not exist", id);
			return false;
		}
	}
	return true;
}

/* Also true when the request names none. */
static bool is_among(const struct call *c, const char *parameter, const char *text, const char *alias)
{
	const char *value;
	unsigned int i;

	for (i = 1; (value = call_parameterf(c, "%s.%u", parameter, i)); i++)
		if (strcmp(value, text) == 0 || (alias && strcmp(value, alias) == 0))
			return true;
	return i == 1;
}

/* ---------------------------------------------------------------- filters */

static const char *filter_value(const struct listing *l, const struct object *o, const char *filter)
{
	return strncmp(filter, "tag:", 4) == 0 ? object_get(o, filter) : l->value(o, filter);
}

static bool fits_values(const struct call *c, unsigned int i, const char *text)
{
	const char *pattern;

	for (unsigned int n = 1; (pattern = call_parameterf(c, "Filter.%u.Value.%u", i, n)); n++)
		if (fnmatch(pattern, text, 0) == 0)
			return true;
	return false;
}

static bool has_tag_key(const struct call *c, unsigned int i, const struct object *o)
{
	for (size_t n = 0; n < o->fields.count; n++)
		if (strncmp(o->fields.items[n].name, "tag:", 4) == 0 && fits_values(c, i, o->fields.items[n].name + 4))
			return true;
	return false;
}

static bool fits_filters(const struct call *c, const struct listing *l, const struct object *o)
{
	const char *filter;

	for (unsigned int i = 1; (filter = call_parameterf(c, "Filter.%u.Name", i)); i++) {
		bool fits = strcmp(filter, "tag-key") == 0 ? has_tag_key(c, i, o) :
							     fits_values(c, i, filter_value(l, o, filter));

		if (!fits)
			return false;
	}
	return true;
}

static bool check_filters(struct call *c, const struct listing *l)
{
	static const struct object none = { .id = NULL };
	const char *filter;

	for (unsigned int i = 1; (filter = call_parameterf(c, "Filter.%u.Name", i)); i++) {
		if (strcmp(filter, "tag-key") == 0 || filter_value(l, &none, filter))
			continue;
		call_error(c, 400, "InvalidParameterValue", NULL, "The filter '%s' is invalid", filter);
		return false;
	}
	return true;
}

/* ---------------------------------------------------------------- pages */

struct page {
	uint64_t from, most;
	bool empty;
};

/* A token is "N" and the place in the list of all objects. */
static bool parse_page(struct call *c, const struct listing *l, struct page *ret)
{
	const char *most = call_parameter(c, "MaxResults"), *token = call_parameter(c, "NextToken");

	*ret = (struct page){ .most = UINT64_MAX };
	if (most && !call_number(most, PAGE_LEAST, PAGE_MOST, &ret->most))
		call_error(c, 400, "InvalidParameterValue", NULL, "MaxResults must be from %u to %u", PAGE_LEAST, PAGE_MOST);
	else if (most && call_parameterf(c, "%s.1", l->id))
		call_error(c, 400, "InvalidParameterCombination", NULL, "The parameter MaxResults cannot be used with %s",
			   l->id);
	else if (token && (*token != 'N' || !call_number(token + 1, 0, UINT32_MAX, &ret->from)))
		call_error(c, 400, "InvalidParameterValue", NULL, "Unable to parse pagination token");
	else {
		if (c->r->settings.page_size && ret->most > c->r->settings.page_size)
			ret->most = c->r->settings.page_size;
		ret->empty = c->r->settings.page_size && !token;
		return true;
	}
	return false;
}

static bool is_wanted(const struct call *c, const struct listing *l, const struct object *o)
{
	return lists_objects(c, l, o) && is_among(c, l->id, o->id, NULL) &&
	       is_among(c, "Owner", object_get(o, "Owner"), "self") && fits_filters(c, l, o);
}

static void put_items(struct call *c, const struct listing *l, const struct page *page, struct buf *b)
{
	const struct objects *all = &c->r->objects;
	uint64_t count = 0, i = page->from;
	char token[24];

	markup_open(b, l->set);
	for (; i < all->count && count < page->most && !page->empty; i++) {
		if (!is_wanted(c, l, all->items[i]))
			continue;
		markup_open(b, "item");
		l->put(c, b, all->items[i]);
		markup_close(b, "item");
		count++;
	}
	markup_close(b, l->set);
	if (i >= all->count)
		return;
	(void)snprintf(token, sizeof(token), "N%" PRIu64, i);
	markup_leaf(b, "nextToken", token);
}

void listing_answer(struct call *c, const struct listing *l)
{
	struct page page;

	if (!check_ids(c, l) || !check_filters(c, l) || !parse_page(c, l, &page))
		return;
	put_items(c, l, &page, call_xml_begin(c));
	call_xml_end(c);
}
