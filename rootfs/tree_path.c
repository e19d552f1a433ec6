/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_path.h"

#include <limits.h>
#include <string.h>

#include "../factory/base/io.h"

static bool is_component(const char *text, size_t size)
{
	return size > 0 && size <= NAME_MAX && !memchr(text, '\0', size) &&
	       !(size <= 2 && memcmp(text, "..", size) == 0);
}

static bool is_clean(const char *path, size_t size)
{
	const char *end = path + size;

	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		size_t n = (size_t)((slash ? slash : end) - path);

		if (!is_component(path, n))
			return false;
		path += n + (slash != NULL);
	}
	return true;
}

char *tree_path_clean(const char *path, size_t size)
{
	while (size >= 2 && memcmp(path, "./", 2) == 0) {
		path += 2;
		size -= 2;
	}
	while (size > 0 && path[size - 1] == '/' && path[0] != '/')
		size--;
	if (size == 1 && path[0] == '.')
		size = 0;
	if (size >= PATH_MAX || !is_clean(path, size))
		return NULL;
	return string_printf("%.*s", (int)size, path);
}

int tree_path_compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (!*a || !*b)
		return *a ? 1 : -1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

bool tree_path_below(const char *path, const char *directory)
{
	size_t size = strlen(directory);

	if (size == 0)
		return path[0] != '\0';
	return strncmp(path, directory, size) == 0 && path[size] == '/';
}

size_t tree_path_parent(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}
