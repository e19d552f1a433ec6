/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_AUDIT_UNIT_FILE_H
#define KILN_AUDIT_UNIT_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "../packages/stanza.h"

/*
 * Files in the syntax of systemd's units, systemd.syntax(7): sections of "key=value", lines continued by a
 * backslash at their end, comments in lines that begin with '#' or ';'. Fuzzed.
 */
struct unit_entry {
	char *section, *key, *value;	/* without the blanks around them */
	const char *path;		/* the caller's */
	unsigned int line;		/* where it begins */
};

struct unit_file {
	struct unit_entry *entries;	/* in order */
	size_t count;
};

/* Appends what the text says; a line that is neither is passed over, as systemd does. */
void unit_file_add(struct unit_file *file, struct text text, const char *path);
void unit_file_clear(struct unit_file *file);

/* The next value of a list setting in any section, or in `section` if that is not NULL; an empty one takes back all
 * before it. *position is 0 to begin with. NULL at the end. */
const struct unit_entry *unit_file_next(const struct unit_file *file, const char *section, const char *key,
					size_t *position);
/* The value that counts of a setting with one; "" when it is not there. */
const char *unit_file_value(const struct unit_file *file, const char *section, const char *key);

/* The next word of a command line or list: up to blanks, quotation marks and ';'. False at the end. */
bool unit_word_next(const char **rest, struct text *ret);

#endif
