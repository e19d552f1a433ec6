/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_DESCRIPTION_READER_H
#define KILN_MODEL_DESCRIPTION_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "description.h"
#include "description_syntax.h"

struct error;
/* libxml2's own names; its headers are not needed to read this one. */
typedef struct _xmlNode xmlNode;

/* How the parts of the description's reader speak with each other; nobody else includes this. */

struct reader {
	struct description *d;
	const char *directory;		/* NULL: look at no files */
	unsigned int elements;		/* seen so far */
};

struct attribute_rule {
	const char *name;		/* NULL ends a list */
	bool required;
	const char *only;		/* the one value there can be */
	syntax_check *check;
	const char *refused;		/* never accepted, and why */
};

/* Called before the element's children are read. */
typedef int take_function(struct reader *r, const xmlNode *node, struct error *err);

struct element_rule {
	const char *parent, *name;	/* parent NULL: the document's root */
	const struct attribute_rule *attributes;
	bool required, repeats;		/* in its parent */
	bool text;			/* has text; otherwise none is allowed */
	const char *only;		/* the one text there can be */
	syntax_check *check;		/* of the text */
	const char *refused;
	size_t field;			/* offset of the char * in the description that gets the text; 0: none */
	take_function *take;
};

/* Ended by a rule without a name. */
extern const struct element_rule description_rules[];

/* Reads `root` and all below it by the rules. */
int reader_walk(struct reader *r, const xmlNode *root, struct error *err);

/* "FILE:LINE: ...". Returns -EINVAL. */
int reader_complain(const struct reader *r, const xmlNode *node, struct error *err,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
int reader_line(const xmlNode *node);
/* NULL when not given. Valid as long as the tree. */
const char *reader_attribute(const xmlNode *node, const char *name);
/* malloc'ed; without the blanks around it. */
char *reader_text(const xmlNode *node);
/* "package", "kiln:program"; or NULL for an element of another namespace. */
const char *reader_name(const xmlNode *node, char *buffer, size_t size);

#endif
