/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_XML_H
#define KILN_UPLOAD_XML_H

#include <stddef.h>

struct error;

/*
 * The XML that EC2, STS and CloudFormation answer with, read by libxml2: no document type declaration, so no
 * entities; no network. Namespaces are ignored, names are matched as they are written.
 */
struct xml;
struct xml_node;		/* an element; lives as long as its document */

#define XML_ANSWER_MAX (16u << 20)

/* `name` is what messages call it. Malformed or larger than XML_ANSWER_MAX: ERROR_OUTSIDE. */
int xml_parse(const void *data, size_t size, const char *name, struct xml **ret, struct error *err);
void xml_free(struct xml *x);
void xml_freep(struct xml **x);
#define CLEANUP_XML __attribute__((cleanup(xml_freep)))

const struct xml_node *xml_root(const struct xml *x);
const char *xml_name(const struct xml_node *node);
/* The first element that a path ("snapshotSet/item") leads to from the children of `from`; NULL without one. */
const struct xml_node *xml_find(const struct xml_node *from, const char *path);
/* The next element of the same name beside it; NULL at the end. */
const struct xml_node *xml_next(const struct xml_node *node);
/* The text of the element at the path (NULL: of `from` itself); NULL without one, "" where it is empty. */
const char *xml_text(const struct xml_node *from, const char *path);

#endif
