/* SPDX-License-Identifier: Apache-2.0 */
#include "window.h"

void window_init(struct window *w, unsigned int most)
{
	*w = (struct window){ .most = most, .size = most };
}

bool window_has_room(const struct window *w, unsigned int under_way)
{
	return under_way < (unsigned int)w->size;
}

void window_grow(struct window *w)
{
	w->size += 1 / w->size;
	if (w->size > w->most)
		w->size = w->most;
}

void window_shrink(struct window *w, int64_t now)
{
	if (w->cut_at && now - w->cut_at < WINDOW_CUT_MS)
		return;
	w->cut_at = now;
	w->size /= 2;
	if (w->size < 1)
		w->size = 1;
}
