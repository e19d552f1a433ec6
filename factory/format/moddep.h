/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_MODDEP_H
#define KILN_FORMAT_MODDEP_H

#include <stddef.h>

struct error;

/*
 * modules.dep and modules.builtin (modules.dep(5), kbuild). Module names compare with '-' and '_'
 * alike. Gives load order: every module after those it depends on, each once.
 */
struct moddep_list {
	char **paths;			/* relative to lib/modules/VERSION, in load order */
	size_t count;
};
void moddep_list_free(struct moddep_list *list);
#define CLEANUP_MODDEP_LIST __attribute__((cleanup(moddep_list_free)))

/*
 * `names` is NULL-terminated. A name found in `builtin` needs nothing. ERROR_INPUT names a module
 * that is in neither, or a line that is not "path: dependencies".
 */
int moddep_resolve(const char *modules_dep, const char *modules_builtin, const char *const *names,
		   struct moddep_list *ret, struct error *err);

#endif
