/* SPDX-License-Identifier: Apache-2.0 */
#include "http_server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"

#define CONNECTIONS_MAX 1024
/* Of a connection's buffer: a head fits, and a body comes in few pieces. */
#define CONNECTION_BYTES (128 * 1024)
#define READ_PIECE (64 * 1024)
#define STALL_MS (3600 * 1000)

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_handler handler;
};

/* libmicrohttpd's per-request pointer; `begun` once its head was read. */
struct exchange {
	struct request q;
	bool begun;
	size_t take;			/* of the body, before the connection is cut */
	size_t taken;
};

/* ---------------------------------------------------------------- requests */

/* A proxy is asked for "http://host/path": what follows the host is the path all the same. */
static const char *skip_authority(const char *uri)
{
	const char *slash;

	if (strncmp(uri, "http://", 7) != 0)
		return uri;
	slash = strchr(uri + 7, '/');
	return slash ? slash : "/";
}

/* Called first, with the target as it was sent: what comes later is decoded already. */
static void *on_target(void *arg, const char *uri, struct MHD_Connection *connection)
{
	struct exchange *x = memory_new(sizeof(*x));
	const char *query;

	(void)arg;
	(void)connection;
	uri = skip_authority(uri);
	query = strchr(uri, '?');
	x->q.path = string_printf("%.*s", query ? (int)(query - uri) : (int)strlen(uri), uri);
	x->q.query = string_copy(query ? query + 1 : "");
	x->q.body = (struct buf)BUF_INIT(REQUEST_BODY_MAX);
	return x;
}

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct pairs *headers = arg;
	CLEANUP_FREE char *lower = string_copy(name);

	(void)kind;
	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	pairs_add(headers, lower, value ? value : "");
	return MHD_YES;
}

static void exchange_free(struct exchange *x)
{
	free(x->q.method);
	free(x->q.path);
	free(x->q.query);
	pairs_free(&x->q.headers);
	buf_free(&x->q.body);
	free(x);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode why)
{
	struct http_server *s = arg;
	struct exchange *x = *context;

	(void)connection;
	(void)why;
	if (!x)
		return;
	if (x->begun)
		s->handler.end(s->handler.arg, &x->q);
	exchange_free(x);
	*context = NULL;
}

/* ---------------------------------------------------------------- answers */

/* Waits, but not for a client that has gone, nor when the server ends (its sockets are shut down then). */
static bool wait_with_client(struct MHD_Connection *connection, unsigned int ms)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct pollfd fd = { .fd = info->connect_fd, .events = POLLRDHUP };

	return ms == 0 || poll(&fd, 1, (int)ms) == 0;
}

/* A body that comes in pieces, or not to its end. */
struct slow_body {
	struct MHD_Connection *connection;
	struct buf body;
	size_t cut_after, piece;
	unsigned int pause_ms;
};

static ssize_t read_slow_body(void *arg, uint64_t at, char *ret, size_t max)
{
	struct slow_body *b = arg;
	size_t size = b->body.len - at;

	if (at >= b->cut_after)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (size > b->cut_after - at)
		size = b->cut_after - at;
	if (b->piece && size > b->piece)
		size = b->piece;
	if (size > max)
		size = max;
	if (at > 0 && !wait_with_client(b->connection, b->pause_ms))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	memcpy(ret, b->body.data + at, size);
	return (ssize_t)size;
}

static void free_slow_body(void *arg)
{
	struct slow_body *b = arg;

	buf_free(&b->body);
	free(b);
}

/* Takes over the answer's body. */
static struct MHD_Response *make_response(struct MHD_Connection *connection, struct answer *a)
{
	struct slow_body *slow;
	struct buf body = a->body;

	a->body = (struct buf)BUF_INIT(SIZE_MAX);
	if (body.len == 0 || (a->piece == 0 && a->cut_after >= body.len))
		return MHD_create_response_from_buffer(body.len, body.data, MHD_RESPMEM_MUST_FREE);
	slow = memory_new(sizeof(*slow));
	*slow = (struct slow_body){ connection, body, a->cut_after, a->piece, a->pause_ms };
	return MHD_create_response_from_callback(body.len, READ_PIECE, read_slow_body, slow, free_slow_body);
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *a)
{
	struct MHD_Response *response;
	enum MHD_Result result = MHD_YES;

	if (!wait_with_client(connection, a->stalled ? STALL_MS : a->delay_ms) || a->stalled || a->lost)
		return MHD_NO;
	response = make_response(connection, a);
	if (!response)
		error_no_memory();
	for (size_t i = 0; i < a->headers.count; i++)
		if (MHD_add_response_header(response, a->headers.items[i].name, a->headers.items[i].value) != MHD_YES)
			result = MHD_NO;
	if (result == MHD_YES)
		result = MHD_queue_response(connection, a->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(struct http_server *s, struct MHD_Connection *connection, struct exchange *x)
{
	struct answer a = { .status = 500, .body = BUF_INIT(SIZE_MAX), .cut_after = SIZE_MAX };
	enum MHD_Result result;

	s->handler.answer(s->handler.arg, &x->q, &a);
	result = send_answer(connection, &a);
	pairs_free(&a.headers);
	buf_free(&a.body);
	return result;
}

/* ---------------------------------------------------------------- the connection */

/* MHD_NO closes it. */
static enum MHD_Result begin(struct http_server *s, struct MHD_Connection *connection, struct exchange *x,
			     const char *method)
{
	x->begun = true;
	x->q.method = string_copy(method);
	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, on_header, &x->q.headers);
	x->take = s->handler.begin(s->handler.arg, &x->q);
	return x->take > 0 ? MHD_YES : MHD_NO;
}

static enum MHD_Result take_body(struct exchange *x, const char *data, size_t *size)
{
	x->taken += *size;
	if (x->taken >= x->take || buf_add(&x->q.body, data, *size) < 0)
		return MHD_NO;
	*size = 0;
	return MHD_YES;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
				  const char *version, const char *data, size_t *size, void **context)
{
	struct http_server *s = arg;
	struct exchange *x = *context;

	(void)url;
	(void)version;
	if (!x->begun)
		return begin(s, connection, x, method);
	if (*size > 0)
		return take_body(x, data, size);
	return answer(s, connection, x);
}

/* ---------------------------------------------------------------- the server */

int http_server_start(uint16_t port, const struct http_handler *handler, struct http_server **ret, struct error *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	CLEANUP_HTTP_SERVER struct http_server *s = memory_new(sizeof(*s));

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->handler = *handler;
	errno = 0;
	s->daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL,
				     port, NULL, NULL, on_request, s,
				     MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL,
				     MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
				     MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
				     MHD_OPTION_END);
	if (!s->daemon)
		return error_system(err, errno ? errno : EIO, "cannot listen on port %u of the loopback interface", port);
	*ret = TAKE_PTR(s);
	return 0;
}

uint16_t http_server_port(const struct http_server *s)
{
	return MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	free(s);
}

void http_server_freep(struct http_server **s)
{
	http_server_free(*s);
}
