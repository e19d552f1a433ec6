/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_RUN_FACTS_H
#define KILN_FACTORY_RUN_FACTS_H

#include <stdbool.h>

struct error;
struct run;

/* Gathers what run.json says (model/run.h). */

/* Kiln, the host and the time, at the beginning of a build; the caller frees. */
struct run *run_facts_begin(void);
/* Once the build is done: how long it took, and with `appliance` what that ran on. Written into
 * `directory`. */
int run_facts_write(struct run *run, bool appliance, const char *directory, struct error *err);

#endif
