/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The image's one open port. Today it says what the machine measured; it is the seed of the
 * multi-party application's gateway.
 */
#include <errno.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pages.h"
#include "pcrs.h"

#define PORT 3000
#define CONNECTIONS 64
#define IDLE_SECONDS 15
#define CONNECTION_BYTES (16 * 1024)

struct route {
	const char *path;
	const char *type;
	char *(*page)(const struct pcrs *pcrs);
};

static const struct route routes[] = {
	{ "/", "text/html; charset=utf-8", page_front },
	{ "/health", "application/json", page_health },
	{ "/measurements", "application/json", page_measurements },
	{ "/licence", "text/plain; charset=utf-8", page_licence },
};

static const struct route *find_route(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(path, routes[i].path) == 0)
			return &routes[i];
	return NULL;
}

static enum MHD_Result add_headers(struct MHD_Response *response, const char *type)
{
	static const char *const headers[][2] = {
		{ "Cache-Control", "no-store" },
		{ "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
	};

	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) != MHD_YES)
		return MHD_NO;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (MHD_add_response_header(response, headers[i][0], headers[i][1]) != MHD_YES)
			return MHD_NO;
	return MHD_YES;
}

/* Takes over `text`. Returning MHD_NO closes the connection. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status,
			      const char *type, char *text)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (!text)
		return MHD_NO;
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	result = add_headers(response, type);
	if (result == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned int status,
			      const char *sentence)
{
	return answer(connection, status, "text/plain; charset=utf-8", strdup(sentence));
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **request)
{
	const struct route *route;
	struct pcrs pcrs;
	int r;

	(void)context;
	(void)version;
	(void)upload;
	(void)request;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		/* A body is not read: the connection ends with the answer. */
		*upload_size = 0;
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD here.\n");
	}
	route = find_route(path);
	if (!route)
		return refuse(connection, MHD_HTTP_NOT_FOUND, "No such page.\n");
	r = pcrs_read(&pcrs);
	return answer(connection, r < 0 ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK, route->type,
		      route->page(r < 0 ? NULL : &pcrs));
}

static struct MHD_Daemon *start(unsigned int flags)
{
	return MHD_start_daemon(flags | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, PORT, NULL,
				NULL, handle, NULL,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS,
				MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_SECONDS,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
				MHD_OPTION_END);
}

int main(void)
{
	struct MHD_Daemon *daemon;
	sigset_t ends;
	int number;

	/* Blocked before the server's thread exists, so that only sigwait() below takes them. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);

	daemon = start(MHD_USE_DUAL_STACK);
	if (!daemon)		/* a kernel without IPv6 */
		daemon = start(0);
	if (!daemon) {
		fprintf(stderr, "gateway: cannot listen on port %d: %s\n", PORT, strerror(errno));
		return EXIT_FAILURE;
	}
	sigwait(&ends, &number);
	MHD_stop_daemon(daemon);
	return EXIT_SUCCESS;
}
