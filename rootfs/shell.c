/* SPDX-License-Identifier: Apache-2.0 */
#include "shell.h"

int shell_quote(struct buf *b, const char *text)
{
	int r = buf_add_string(b, "'");

	for (; *text && r == 0; text++)
		r = *text == '\'' ? buf_add_string(b, "'\\''") : buf_add(b, text, 1);
	return r < 0 ? r : buf_add_string(b, "'");
}

int shell_assign(struct buf *b, const char *name, const char *value)
{
	int r = buf_printf(b, "%s=", name);

	if (r == 0)
		r = shell_quote(b, value);
	return r < 0 ? r : buf_add_string(b, "\n");
}
