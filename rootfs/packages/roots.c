/* SPDX-License-Identifier: Apache-2.0 */
#include "roots.h"

#include <string.h>

#include "../../factory/base/error.h"
#include "../../factory/base/io.h"

#define DISTRO "distro:"

void roots_free(struct roots *roots)
{
	mirror_free(&roots->mirror);
}

static int find_mirror(struct roots *roots, struct error *err)
{
	if (roots->mirror.root)
		return 0;
	if (roots->given && roots->given[0])
		return mirror_parse(roots->given, &roots->mirror, err);
	return mirror_of_host(roots->etc_apt, &roots->mirror, err);
}

int roots_find(struct roots *roots, const char *source, const char *suite, char **ret,
	       struct error *err)
{
	size_t size = strlen(source);
	int r;

	if (strncmp(source, DISTRO, sizeof(DISTRO) - 1) != 0) {
		while (size > 0 && source[size - 1] == '/')
			size--;
		*ret = string_printf("%.*s", (int)size, source);
		return 0;
	}
	if (strcmp(source, DISTRO "debian") != 0)
		return error_input(err, "the source \"%s\" is not known: distro:debian is", source);
	r = find_mirror(roots, err);
	if (r < 0)
		return r;
	return mirror_root(&roots->mirror, suite, ret, err);
}
