/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/process.h"

void doctor_say(struct doctor *d, enum finding finding, const char *subject, const char *mend,
		const char *fmt, ...)
{
	static const char *const words[] = { "ok", "warn", "fail" };
	va_list ap;

	d->failed += finding == FINDING_FAIL;
	printf("%-5s %-12s ", words[finding], subject);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (mend)
		printf("      %-12s -> %s\n", "", mend);
	/* Rows between which seconds pass, and messages go to another stream. */
	(void)fflush(stdout);
}

char *doctor_install(const char *debian, const char *fedora)
{
	const char *sudo = geteuid() == 0 ? "" : "sudo ";
	CLEANUP_FREE char *apt = process_find("apt-get"), *dnf = process_find("dnf");

	if (apt)
		return string_printf("%sapt-get install %s", sudo, debian);
	if (dnf)
		return string_printf("%sdnf install %s", sudo, fedora);
	return string_printf("install the package that Debian calls %s", debian);
}

static bool is_sha256(const char *name)
{
	uint8_t bytes[32];

	return hex_decode(name, bytes, sizeof(bytes)) == 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **doctor_unpacked(const char *cache, const char *kind)
{
	CLEANUP_FREE char *path = path_join(cache, kind);
	CLEANUP_CLOSEDIR DIR *dir = opendir(path);
	char **names = calloc(1, sizeof(*names));
	const struct dirent *entry;
	size_t count = 0;

	if (!names)
		error_no_memory();
	while (dir && (entry = readdir(dir))) {
		if (!is_sha256(entry->d_name))
			continue;
		names = realloc(names, (count + 2) * sizeof(*names));
		if (!names)
			error_no_memory();
		names[count++] = string_copy(entry->d_name);
		names[count] = NULL;
	}
	qsort(names, count, sizeof(*names), by_bytes);
	return names;
}

void doctor_names_free(char ***names)
{
	for (char **name = *names; name && *name; name++)
		free(*name);
	free(*names);
}
