/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_STANZA_H
#define KILN_ROOTFS_PACKAGES_STANZA_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Paragraphs of fields, deb822(5): Packages lists, Release files, apt's *.sources. Everything here is
 * a view into the caller's bytes, which need not end in a NUL byte; nothing is copied.
 */
struct text {
	const char *data;
	size_t size;
};

struct text text_of(const char *string);
bool text_equal(struct text a, const char *b);
/* malloc'ed, NUL-terminated. */
char *text_copy(struct text t);
/* The next word (blanks and newlines separate) or line; both move *rest on; false at the end. */
bool text_word(struct text *rest, struct text *ret);
bool text_line(struct text *rest, struct text *ret);

/* The next paragraph of *rest, without the blank lines around it; ends in a newline where the file does. */
bool stanza_next(struct text *rest, struct text *ret);
/* A field's value without the blanks around it, continuation lines included. Names ignore case. */
bool stanza_field(struct text stanza, const char *name, struct text *ret);

#endif
