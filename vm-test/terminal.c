/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <errno.h>
#include <unistd.h>

#include "../factory/base/error.h"

#define CTRL_A '\001'

int terminal_open(struct terminal *t, struct error *err)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO))
		return 0;
	if (tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return error_system(err, errno, "cannot use this terminal");
	raw = t->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return error_system(err, errno, "cannot use this terminal");
	t->raw = true;
	return 0;
}

void terminal_close(struct terminal *t)
{
	if (t->raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &t->saved);
	t->raw = false;
}

void terminal_poll(const struct terminal *t, struct pollfd *ret)
{
	*ret = (struct pollfd){ .fd = t->ended ? -1 : STDIN_FILENO, .events = POLLIN };
}

void terminal_feed(struct terminal *t, const char *typed, size_t size, struct buf *ret)
{
	for (size_t i = 0; i < size; i++) {
		bool was_escape = t->escape;

		t->escape = typed[i] == CTRL_A && !was_escape;
		if (was_escape && (typed[i] == 'x' || typed[i] == 'X'))
			t->quit = true;
		if (t->escape || (was_escape && typed[i] != CTRL_A))
			continue;
		/* A full buffer loses keys, as a serial line does. */
		(void)buf_add(ret, typed + i, 1);
	}
}

void terminal_read(struct terminal *t, struct buf *ret)
{
	char typed[256];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		t->ended = true;
	else
		terminal_feed(t, typed, (size_t)n, ret);
}
