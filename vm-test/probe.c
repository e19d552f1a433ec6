/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"

#define PAUSE_MS 250
#define ATTEMPT_MIN_MS 1000
#define ATTEMPT_MAX_MS 10000

void probe_close(struct probe *p)
{
	cleanup_close(&p->fd);
	p->fd = -1;
}

static void attempt_end(struct probe *p, int64_t now_ms)
{
	/* Only the status line is kept, and only what a terminal can show. */
	p->answer[strcspn(p->answer, "\r\n")] = '\0';
	for (char *c = p->answer; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	probe_close(p);
	p->next_ms = now_ms + PAUSE_MS;
}

static void attempt_begin(struct probe *p, int64_t now_ms)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)p->port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	p->began_ms = now_ms;
	if (!p->first_ms)
		p->first_ms = now_ms;
	p->sent = false;
	p->len = 0;
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || (connect(p->fd, (struct sockaddr *)&address, sizeof(address)) < 0 &&
			  errno != EINPROGRESS))
		attempt_end(p, now_ms);
}

/* A slow guest needs more patience, a quick one should not be waited for: an eighth of the time that
 * has passed. */
static bool attempt_expired(const struct probe *p, int64_t now_ms)
{
	int64_t limit = (p->began_ms - p->first_ms) / 8;

	if (limit < ATTEMPT_MIN_MS)
		limit = ATTEMPT_MIN_MS;
	if (limit > ATTEMPT_MAX_MS)
		limit = ATTEMPT_MAX_MS;
	return now_ms - p->began_ms > limit;
}

static bool send_request(struct probe *p)
{
	char request[256];
	int size = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
			    p->path);

	/* So short a request goes into a new socket's buffer whole. */
	p->sent = true;
	return size < (int)sizeof(request) && send(p->fd, request, (size_t)size, MSG_NOSIGNAL) == size;
}

/* Reads on; false at the end of the connection. */
static bool receive_answer(struct probe *p)
{
	ssize_t n = recv(p->fd, p->answer + p->len, sizeof(p->answer) - 1 - p->len, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	p->len += (size_t)n;
	p->answer[p->len] = '\0';
	return n > 0 && p->len < sizeof(p->answer) - 1;
}

/* RFC 9112, section 4: "HTTP/1.1 200 reason". */
static bool answer_is_good(const struct probe *p)
{
	return p->len >= 13 && memcmp(p->answer, "HTTP/1.", 7) == 0 &&
	       memcmp(p->answer + 8, " 200", 4) == 0 && strchr(" \r", p->answer[12]);
}

void probe_poll(const struct probe *p, struct pollfd *ret)
{
	*ret = (struct pollfd){ .fd = p->fd, .events = p->sent ? POLLIN : POLLOUT };
}

bool probe_step(struct probe *p, short revents, int64_t now_ms)
{
	bool alive = true;

	if (p->fd < 0) {
		if (now_ms >= p->next_ms)
			attempt_begin(p, now_ms);
		return false;
	}
	if (revents)
		alive = p->sent ? receive_answer(p) : send_request(p);
	if (answer_is_good(p)) {
		probe_close(p);
		return true;
	}
	if (!alive || attempt_expired(p, now_ms))
		attempt_end(p, now_ms);
	return false;
}

const char *probe_answer(const struct probe *p)
{
	return p->answer;
}
