/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_PROBE_H
#define KILN_VM_TEST_PROBE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Asks GET /health (or another path) of a port on 127.0.0.1 again and again until the answer is 200. QEMU's user
 * network accepts connections long before the guest listens and then leaves them hanging or resets
 * them, so no failure is final: the caller's time limit is the only one. For a poll loop; no call
 * blocks.
 */
struct probe {
	unsigned int port;
	const char *path;		/* "/health" */
	int fd;				/* -1 between attempts */
	bool sent;
	char answer[128];		/* the beginning of the last answer, NUL-terminated */
	size_t len;
	int64_t began_ms, next_ms;	/* of this attempt; when the next one may begin */
	int64_t first_ms;		/* when the first attempt began; 0: not yet */
};
#define PROBE_INIT(number) { .port = (number), .path = "/health", .fd = -1 }

/* What to poll for. Its descriptor is negative between attempts. */
void probe_poll(const struct probe *p, struct pollfd *ret);
/* Goes on with the attempt, or with a new one, at time `now_ms` (of any steady clock). Call it at
 * least every 250 ms. True when the service has answered 200. */
bool probe_step(struct probe *p, short revents, int64_t now_ms);
/* The status line of the last answer that came, "" if none ever did. */
const char *probe_answer(const struct probe *p);
void probe_close(struct probe *p);
#define CLEANUP_PROBE __attribute__((cleanup(probe_close)))

#endif
