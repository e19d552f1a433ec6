/* SPDX-License-Identifier: Apache-2.0 */
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LIST "/modules.load"
#define LIST_MAX 65536

/*
 * Already there (EEXIST) is as good as loaded. A module that finds its hardware missing (ENODEV),
 * as the faster SHA-256 of another processor does, is not needed here; if it were, the next step
 * says so.
 */
static bool load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool there = true;

	if (fd < 0)
		die("cannot open module %s: %s", path, strerror(errno));
	if (syscall(SYS_finit_module, fd, "", 0) < 0) {
		if (errno != EEXIST && errno != ENODEV)
			die("cannot load module %s: %s", path, strerror(errno));
		there = errno == EEXIST;
	}
	close(fd);
	if (!there)
		report("module %s does not find its hardware", path);
	return there;
}

void modules_load(void)
{
	static char list[LIST_MAX];
	char *next = list, *path;
	unsigned int count = 0;

	if (!text_read(LIST, list, sizeof(list)))
		die("cannot read " LIST);
	while ((path = strsep(&next, "\n"))) {
		if (path[0] != '\0' && load(path))
			count++;
	}
	report("%u modules loaded", count);
}
