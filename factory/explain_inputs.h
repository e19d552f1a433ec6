/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_EXPLAIN_INPUTS_H
#define KILN_FACTORY_EXPLAIN_INPUTS_H

#include <stddef.h>

struct buf;

/*
 * What differs between two texts of a stage's inputs (model/stage_key.h), for people: appended to `ret`, which must
 * have no limit, one line a difference, the first few of each label. Returns how many things differ; a text that
 * nothing can be read from differs in everything.
 */
size_t explain_inputs(const char *then, const char *now, struct buf *ret);

#endif
