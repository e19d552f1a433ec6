/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_HTTP_SERVER_H
#define KILN_TESTS_UNIT_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "factory/base/buf.h"
#include "factory/base/error.h"
#include "tests/unit/tap.h"

/*
 * A server on a free port of 127.0.0.1: a thread for each connection, connections kept. What was asked is kept for the
 * test to look at; what is answered is the test's own function's to say.
 */

#define SERVED_MAX 256

struct served {
	char method[16];
	char path[1024];		/* with the query; of a proxy's request all of the URL */
	char head[16384];		/* request line and headers */
	uint8_t *body;
	size_t body_size;
};

/* Writes to `fd` what it likes; false closes the connection. */
typedef bool serve_function(void *arg, int fd, const struct served *q);

static struct http_server {
	int fd;
	unsigned int port;
	serve_function *serve;
	void *arg;
	pthread_mutex_t lock;
	struct served *requests[SERVED_MAX];
	unsigned int count, connections;
} http_server;

__attribute__((unused)) static bool serve_text(int fd, const char *status, const char *headers, const char *body)
{
	char head[4096];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status, strlen(body),
			 headers);

	return send(fd, head, (size_t)n, MSG_NOSIGNAL) == n &&
	       send(fd, body, strlen(body), MSG_NOSIGNAL) == (ssize_t)strlen(body);
}

/* The value of a header of the request, or "". */
__attribute__((unused)) static const char *served_header(const struct served *q, const char *name)
{
	static _Thread_local char value[8192];
	const char *line = q->head;
	size_t n = strlen(name);

	value[0] = '\0';
	while ((line = strstr(line, "\r\n")) && *(line += 2)) {
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " ");
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(line, "\r\n"), line);
		break;
	}
	return value;
}

static bool served_read(int fd, struct served *q)
{
	size_t n = 0;

	while (n < 4 || memcmp(q->head + n - 4, "\r\n\r\n", 4) != 0) {
		if (n == sizeof(q->head) - 1 || read(fd, q->head + n, 1) != 1)
			return false;
		n++;
	}
	if (sscanf(q->head, "%15s %1023s", q->method, q->path) != 2)
		return false;
	q->body_size = strtoul(served_header(q, "content-length"), NULL, 10);
	q->body = calloc(1, q->body_size + 1);
	for (n = 0; n < q->body_size;) {
		ssize_t got = read(fd, q->body + n, q->body_size - n);

		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	return true;
}

static void *served_connection(void *arg)
{
	struct http_server *s = &http_server;
	int fd = (int)(intptr_t)arg;
	bool more = true;

	while (more) {
		struct served *q = calloc(1, sizeof(*q));

		if (!served_read(fd, q)) {
			free(q->body);
			free(q);
			break;
		}
		(void)pthread_mutex_lock(&s->lock);
		need(s->count < SERVED_MAX, "the test's server keeps all requests");
		s->requests[s->count++] = q;
		(void)pthread_mutex_unlock(&s->lock);
		more = s->serve(s->arg, fd, q);
	}
	close(fd);
	return NULL;
}

static void *http_server_run(void *arg)
{
	struct http_server *s = arg;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		pthread_attr_t detached;
		pthread_t thread;

		s->connections++;
		(void)pthread_attr_init(&detached);
		(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
		need(pthread_create(&thread, &detached, served_connection, (void *)(intptr_t)fd) == 0, "a thread");
		(void)pthread_attr_destroy(&detached);
	}
	return NULL;
}

/* Once a program; it lives as long as that. */
__attribute__((unused)) static void http_server_start(serve_function *serve, void *arg)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	pthread_t thread;

	http_server = (struct http_server) { .serve = serve, .arg = arg, .lock = PTHREAD_MUTEX_INITIALIZER };
	http_server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(bind(http_server.fd, (struct sockaddr *)&address, sizeof(address)) == 0, "a port");
	need(listen(http_server.fd, 64) == 0, "that is listened to");
	need(getsockname(http_server.fd, (struct sockaddr *)&address, &size) == 0, "and known");
	http_server.port = ntohs(address.sin_port);
	need(pthread_create(&thread, NULL, http_server_run, &http_server) == 0, "a thread for the server");
	(void)pthread_detach(thread);
}

/* "http://127.0.0.1:PORT" and what follows. */
__attribute__((unused)) static const char *served_url(const char *path)
{
	static char url[1024];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", http_server.port, path);
	return url;
}

__attribute__((unused)) static const struct served *last_request(void)
{
	need(http_server.count > 0, "something was asked");
	return http_server.requests[http_server.count - 1];
}

/* Forgets what was asked; nothing may be under way. */
__attribute__((unused)) static void http_server_forget(void)
{
	for (unsigned int i = 0; i < http_server.count; i++) {
		free(http_server.requests[i]->body);
		free(http_server.requests[i]);
	}
	http_server.count = 0;
}

#endif
