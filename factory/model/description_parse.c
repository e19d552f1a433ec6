/* SPDX-License-Identifier: Apache-2.0 */
#include "description.h"

#include <errno.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/io.h"
#include "architecture.h"
#include "description_files.h"
#include "description_reader.h"
#include "memory.h"
#include "xml_read.h"

#define SIZE_LIMIT (1u << 20)
/* libxml2 keeps a node's line in 16 bits; beyond, messages would name the wrong one. */
#define LINES_LIMIT 65000

/* ---------------------------------------------------------------- contradictions */

static const struct description_package *find_package(const struct description_packages *list,
						      size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

static int check_twice(const struct description *d, const struct description_packages *list,
		       struct error *err)
{
	for (size_t i = 1; i < list->count; i++) {
		const struct description_package *p = &list->items[i];
		const struct description_package *first = find_package(list, i, p->name);

		if (first)
			return error_input(err, "%s:%d: package %s is named twice, first in line %d",
					   d->file, p->line, p->name, first->line);
	}
	return 0;
}

static int check_ignored(const struct description *d, const struct description_packages *list,
			 struct error *err)
{
	for (size_t i = 0; i < d->ignored.count; i++) {
		const struct description_package *p = &d->ignored.items[i];
		const struct description_package *other = find_package(list, list->count, p->name);

		if (other)
			return error_input(err,
					   "%s:%d: package %s is to be ignored, but line %d wants it installed",
					   d->file, p->line, p->name, other->line);
	}
	return 0;
}

static int check_packages(const struct description *d, struct error *err)
{
	const struct description_packages *const lists[] = { &d->bootstrap, &d->image, &d->ignored,
							     &d->uninstalled };
	int r = 0;

	if (d->image.count == 0)
		return error_input(err, "%s:1: no <package> in <packages type=\"image\">", d->file);
	for (size_t i = 0; i < ARRAY_SIZE(lists) && r == 0; i++)
		r = check_twice(d, lists[i], err);
	if (r == 0)
		r = check_ignored(d, &d->bootstrap, err);
	if (r == 0)
		r = check_ignored(d, &d->image, err);
	return r;
}

/* ---------------------------------------------------------------- entry points */

static int check_limits(const char *xml, size_t size, const char *file, struct error *err)
{
	size_t lines = 0;

	if (size > SIZE_LIMIT)
		return error_input(err, "%s: larger than %u bytes", file, SIZE_LIMIT);
	for (size_t i = 0; i < size; i++)
		lines += xml[i] == '\n';
	if (lines > LINES_LIMIT)
		return error_input(err, "%s: more than %d lines", file, LINES_LIMIT);
	return 0;
}

static int read_tree(struct description *d, const char *directory, const xmlDoc *doc,
		     struct error *err)
{
	struct reader reader = { .d = d, .directory = directory };
	int r = reader_walk(&reader, xmlDocGetRootElement(doc), err);

	if (r == 0)
		r = check_packages(d, err);
	if (r == 0 && directory)
		r = files_beside(d, err);
	return r;
}

int description_parse(const void *xml, size_t size, const char *file, const char *directory,
		      struct description **ret, struct error *err)
{
	CLEANUP_DESCRIPTION struct description *d = NULL;
	xmlDoc *doc = NULL;
	int r = check_limits(xml, size, file, err);

	if (r < 0)
		return r;
	r = xml_read(xml, size, file, &doc, err);
	if (r < 0)
		return r;
	d = memory_new(sizeof(*d));
	d->file = string_copy(file);
	d->directory = string_copy(directory ? directory : "");
	d->arch = architecture_default();
	r = read_tree(d, directory, doc, err);
	xmlFreeDoc(doc);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(d);
	return 0;
}

int description_read(const char *directory, struct description **ret, struct error *err)
{
	CLEANUP_FREE char *absolute = realpath(directory, NULL), *path = NULL;
	CLEANUP_BUF struct buf xml = BUF_INIT(SIZE_LIMIT);
	int r;

	if (!absolute)
		return error_input(err, "%s: %s", directory, strerror(errno));
	r = files_description(directory, &path, err);
	if (r == 0)
		r = io_read_file(path, SIZE_LIMIT, &xml, err);
	return r < 0 ? r : description_parse(xml.data, xml.len, path, absolute, ret, err);
}
