/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_WINDOW_H
#define KILN_UPLOAD_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How many requests may be under way: as many as there are connections, until the service throttles. Then half of
 * them, and one more for each round of answers without complaint (additive increase, multiplicative decrease, as TCP
 * shares a link). Pure.
 */
struct window {
	unsigned int most;
	double size;			/* 1 to most */
	int64_t cut_at;		/* ms; answers to what was sent before do not cut again */
};
#define WINDOW_CUT_MS 500

void window_init(struct window *w, unsigned int most);
bool window_has_room(const struct window *w, unsigned int under_way);
void window_grow(struct window *w);
/* Somebody was throttled at `now` (ms of any clock that does not go back). Complaints within WINDOW_CUT_MS are one. */
void window_shrink(struct window *w, int64_t now);

#endif
