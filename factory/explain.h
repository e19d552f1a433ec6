/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_EXPLAIN_H
#define KILN_FACTORY_EXPLAIN_H

struct buf;
struct cache_entry;
struct error;

/*
 * Why an entry has to be made: what sets its inputs apart from those of the entry of the same stage that has
 * most in common with it (the last used of several), one line a difference, appended to `ret`; the buffer must
 * have no limit.
 */
int explain_entry(const char *cache, const struct cache_entry *e, struct buf *ret, struct error *err);

/* A stage's row of the table, with `reasons` (lines) in its last column. The heading comes with stage NULL. */
void explain_row(const char *stage, const char *verdict, const char *reasons, struct buf *ret);

#endif
