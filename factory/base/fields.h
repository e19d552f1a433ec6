/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_FIELDS_H
#define KILN_BASE_FIELDS_H

#include <stddef.h>

struct buf;

/*
 * Text of lines, each of fields with a tab between two. Backslashes and control characters in a field are
 * written \\ and \xNN, so that no two sequences of lines give one text.
 */

/* Appends a line. Aborts for lack of memory: `text` must have no limit (SIZE_MAX). */
#define fields_add(text, ...) fields_add_list(text, (const char *const[]) { __VA_ARGS__, NULL })
void fields_add_list(struct buf *text, const char *const *fields);

/*
 * The next line of a text that ends with a NUL: cuts it into its fields, in place, and moves *text behind
 * it. Returns how many there are (the rest of `ret` is NULL), 0 at the end, and -EINVAL for more than `max`
 * or for what fields_add() does not write.
 */
int fields_next(char **text, char **ret, size_t max);

#endif
