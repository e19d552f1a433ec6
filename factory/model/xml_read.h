/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_XML_READ_H
#define KILN_MODEL_XML_READ_H

#include <stddef.h>

struct error;
/* libxml2's own name; its headers are not needed to read this one. */
typedef struct _xmlDoc xmlDoc;

/*
 * XML of others: without a document type declaration, and so without entities or anything to fetch; depth and size
 * of names are libxml2's own limits, `size` is at most INT_MAX. ERROR_INPUT, "FILE:LINE: ..."; else the document, for
 * xmlFreeDoc().
 */
int xml_read(const void *xml, size_t size, const char *file, xmlDoc **ret, struct error *err);

#endif
