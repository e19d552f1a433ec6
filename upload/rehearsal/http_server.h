/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_HTTP_SERVER_H
#define KILN_REHEARSAL_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "message.h"

struct error;

/* HTTP/1.1 on the loopback interface; the only user of libmicrohttpd. A thread serves a connection, so the functions
 * are called side by side. */

struct http_handler {
	/* The head is here. Returns how much of the body to take before the connection is closed, SIZE_MAX for all. */
	size_t (*begin)(void *arg, struct request *q);
	/* All of it is here. Fills in the answer, whose buffers have no limit. */
	void (*answer)(void *arg, struct request *q, struct answer *a);
	/* The connection is done with it, whether or not the others were called. */
	void (*end)(void *arg, struct request *q);
	void *arg;
};

struct http_server;
/* Port 0: a free one. The handler must stay until the server is freed. */
int http_server_start(uint16_t port, const struct http_handler *handler, struct http_server **ret, struct error *err);
uint16_t http_server_port(const struct http_server *s);
/* Closes all connections and waits for their threads. NULL is a no-op. */
void http_server_free(struct http_server *s);
void http_server_freep(struct http_server **s);
#define CLEANUP_HTTP_SERVER __attribute__((cleanup(http_server_freep)))

#endif
