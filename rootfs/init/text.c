/* SPDX-License-Identifier: Apache-2.0 */
#include "init.h"

#include <fcntl.h>
#include <unistd.h>

bool text_read(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	do {
		n = read(fd, ret + len, size - len);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 && len < size);
	close(fd);
	if (n < 0 || len == size)
		return false;
	if (len > 0 && ret[len - 1] == '\n')
		len--;
	ret[len] = '\0';
	return true;
}
