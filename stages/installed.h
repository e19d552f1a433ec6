/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_STAGES_INSTALLED_H
#define KILN_STAGES_INSTALLED_H

struct error;
struct lock_set;

/* For dpkg-query's --showformat: what installed_check() reads, one line a package. */
#define INSTALLED_FORMAT "${Package} ${Version} ${Architecture} ${db:Status-Abbrev}\\n"

/* Is exactly the locked set installed, every package whole? The error names the first that differs. */
int installed_check(const char *list, const struct lock_set *set, struct error *err);

#endif
