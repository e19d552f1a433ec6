/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/bytes.h"
#include "vm-test/frame.h"
#include "vm-test/peer.h"
#include "vm-test/screen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of exactly its size, so that the sanitizer sees every read past it. */
static void receive(struct peer *p, const uint8_t *data, size_t size)
{
	uint8_t *frame = malloc(size + 1);

	if (!frame)
		abort();
	memcpy(frame + 1, data, size);
	peer_receive(p, frame + 1, size);
	free(frame);
}

/* Whatever a machine sends, what comes back are frames. */
static void drain(struct peer *p, int64_t now)
{
	for (int i = 0; i < 1000; i++) {
		struct buf frame = BUF_INIT(FRAME_MAX);
		struct frame f;
		bool any = peer_next(p, now, &frame);

		if (any) {
			frame_parse(frame.data, frame.len, &f);
			if (frame.len < 14)
				abort();
		}
		buf_free(&frame);
		if (!any)
			return;
	}
}

/* Frames with their lengths before them; a length of 0 lets time pass. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_LIVE struct live live = { .sent = { .count = 0 } };
	CLEANUP_PEER struct peer *p = peer_new(3000, &live);
	struct screen screen;
	int64_t now = 1;

	if (screen_parse(data, size, &screen) && screen_difference(&screen, &screen) != 0)
		abort();
	peer_scan(p, size ? (enum live_scan_kind)(data[0] % LIVE_SCANS) : LIVE_TCP4);
	while (size >= 2) {
		size_t length = read_be16(data);

		data += 2;
		size -= 2;
		if (length > size)
			length = size;
		if (length)
			receive(p, data, length);
		else
			now += 4000;
		data += length;
		size -= length;
		drain(p, now);
		if (!peer_is_scanning(p))
			peer_scan(p, (enum live_scan_kind)(now / 4000 % LIVE_SCANS));
	}
	return 0;
}
