/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "tests/unit/tap.h"
#include "vm-test/probe.h"

/* A service of one connection at a time in this same process; time is counted, not waited for. */
struct service {
	int listener;
	unsigned int port;
};

static struct service service_new(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	struct service s = { .listener = socket(AF_INET, SOCK_STREAM, 0) };

	need(s.listener >= 0 && bind(s.listener, (struct sockaddr *)&address, size) == 0 &&
	     listen(s.listener, 4) == 0 &&
	     getsockname(s.listener, (struct sockaddr *)&address, &size) == 0, "a listening port");
	s.port = ntohs(address.sin_port);
	return s;
}

static bool step(struct probe *p, int64_t now_ms)
{
	struct pollfd fd;

	probe_poll(p, &fd);
	if (fd.fd >= 0)
		(void)poll(&fd, 1, 1000);
	return probe_step(p, fd.revents, now_ms);
}

/* One attempt that gets `answer`: does the probe take it for the service's? */
static bool attempt(struct probe *p, struct service *s, const char *answer, int64_t now_ms)
{
	CLEANUP_CLOSE int fd = -1;
	char request[256] = "";

	need(!step(p, now_ms) && p->fd >= 0, "an attempt begins");
	need(!step(p, now_ms), "the request is sent");
	fd = accept(s->listener, NULL, NULL);
	need(fd >= 0 && recv(fd, request, sizeof(request) - 1, 0) > 0, "and arrives");
	if (strncmp(request, "GET /health HTTP/1.1\r\nHost: ", 28) != 0)
		return false;
	need(send(fd, answer, strlen(answer), 0) == (ssize_t)strlen(answer), "it is answered");
	cleanup_close(&fd);
	fd = -1;
	/* The answer, and then the end of the connection. */
	return step(p, now_ms) || step(p, now_ms);
}

static void test_answers(void)
{
	static const struct {
		const char *answer;
		bool good;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n\r\nok", true },
		{ "HTTP/1.0 200 OK\r\n\r\n", true },
		{ "HTTP/1.1 200\r\n\r\n", true },
		{ "HTTP/1.1 503 Service Unavailable\r\n\r\n", false },
		{ "HTTP/1.1 2000 OK\r\n\r\n", false },
		{ "HTTP/2 200\r\n", false },
		{ "HTTP/1.1 20", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct service s = service_new();
		CLEANUP_PROBE struct probe p = PROBE_INIT(s.port);

		ok_int(attempt(&p, &s, cases[i].answer, 1000), cases[i].good, "answer %zu", i);
		close(s.listener);
	}
}

static void test_again(void)
{
	struct service s = service_new();
	CLEANUP_PROBE struct probe p = PROBE_INIT(s.port);

	ok(!attempt(&p, &s, "HTTP/1.1 503 Not \001yet\r\nServer: x\r\n\r\n", 1000), "503 is not yet");
	ok_str(probe_answer(&p), "HTTP/1.1 503 Not ?yet", "its status line is kept, made printable");
	ok(p.fd < 0 && !step(&p, 1100) && p.fd < 0, "there is a pause before the next attempt");
	ok(attempt(&p, &s, "HTTP/1.1 200 OK\r\n\r\n", 1300), "the next attempt gets the answer");
	close(s.listener);
}

static void test_silence(void)
{
	struct service s = service_new();
	CLEANUP_PROBE struct probe p = PROBE_INIT(s.port);
	struct pollfd fd;

	need(!probe_step(&p, 0, 1000) && p.fd >= 0, "an attempt begins");
	ok(!probe_step(&p, 0, 1900) && p.fd >= 0, "silence is borne for a while");
	ok(!probe_step(&p, 0, 2100) && p.fd < 0, "and then the attempt is given up");
	need(!probe_step(&p, 0, 81000) && p.fd >= 0, "another, late one");
	ok(!probe_step(&p, 0, 90000) && p.fd >= 0, "is given more time");
	ok(!probe_step(&p, 0, 91100) && p.fd < 0, "but not all");
	close(s.listener);

	/* Nobody listens any more. */
	(void)probe_step(&p, 0, 92000);
	for (int i = 0; i < 2 && p.fd >= 0; i++) {
		probe_poll(&p, &fd);
		(void)poll(&fd, 1, 1000);
		ok(!probe_step(&p, fd.revents, 92000), "a refused connection is no answer");
	}
	ok(p.fd < 0, "a refused connection ends the attempt");
}

int main(void)
{
	test_answers();
	test_again();
	test_silence();
	return tap_done();
}
