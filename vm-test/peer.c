/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <stdlib.h>
#include <string.h>

#include "../factory/base/buf.h"
#include "../factory/base/bytes.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "dhcp.h"
#include "frame.h"

#define PORTS 65536
#define BATCH 256
#define KNOCK_WAIT_MS 3000
#define KNOCK_TRIES 20
/* A program answers later than the kernel does. */
#define LINGER_MS 3000
#define QUEUE_MAX ((size_t)1 << 20)
/* From where ports are tried, and from where the knocks come, a port each. */
#define SCAN_PORT 40000
#define KNOCK_PORT 41000
#define KNOCK_PORTS 20000

static const uint8_t own_mac[6] = { 0x52, 0x54, 0, 0xc0, 0xff, 0xee };
static const struct dhcp_lease lease = {
	.address = { 10, 0, 2, 15 }, .server = { 10, 0, 2, 2 }, .mask = { 255, 255, 255, 0 },
};
static const struct address own_v4 = { .bytes = { 10, 0, 2, 2 } };
static const struct address own_v6 = { .v6 = true, .bytes = { 0xfe, 0x80, [15] = 2 } };
static const struct address everybody = { .bytes = { 255, 255, 255, 255 } };
/* EC2's. */
static const struct address metadata = { .bytes = { 169, 254, 169, 254 } };

enum port_state { PORT_SILENT, PORT_CLOSED, PORT_OPEN };

struct scan {
	bool running, failed;
	enum live_scan_kind kind;
	unsigned int first, next;	/* of this batch; the port to try now */
	unsigned int tries;		/* of this batch */
	int64_t over_ms;		/* when answers are not waited for any more; 0: not yet so far */
	uint8_t states[PORTS];
};

struct peer {
	struct live *live;
	unsigned int port;
	uint8_t mac[6];			/* the machine's */
	struct address v4, v6;		/* likewise; any: not known */
	struct buf queue;		/* frames to send, each after its length (2 bytes) */
	size_t sent;			/* of the queue */
	unsigned int knocks;
	int64_t knocked_ms;		/* 0: not waiting for an answer */
	bool answered;
	struct scan scan;
};

struct peer *peer_new(unsigned int port, struct live *live)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (!p)
		error_no_memory();
	p->live = live;
	p->port = port;
	p->v6.v6 = true;
	p->queue.max = QUEUE_MAX;
	return p;
}

void peer_free(struct peer *p)
{
	if (!p)
		return;
	buf_free(&p->queue);
	free(p);
}

void peer_freep(struct peer **p)
{
	peer_free(*p);
}

/* ---------------------------------------------------------------- sending */

/* A frame that finds no room is lost, as frames are. */
static void queue_frame(struct peer *p, const struct buf *frame)
{
	if (p->queue.len + 2 + frame->len > p->queue.max)
		return;
	(void)buf_add_be16(&p->queue, (uint16_t)frame->len);
	(void)buf_add(&p->queue, frame->data, frame->len);
}

static bool take_frame(struct peer *p, struct buf *ret)
{
	size_t size;

	if (p->sent == p->queue.len)
		return false;
	size = read_be16(p->queue.data + p->sent);
	(void)buf_add(ret, p->queue.data + p->sent + 2, size);
	p->sent += 2 + size;
	if (p->sent == p->queue.len) {
		buf_truncate(&p->queue, 0);
		p->sent = 0;
	}
	return true;
}

static void send_tcp(struct peer *p, const struct frame_ends *ends, uint8_t flags, uint32_t seq, uint32_t ack,
		     const char *text)
{
	CLEANUP_BUF struct buf frame = BUF_INIT(FRAME_MAX);

	if (frame_put_tcp(ends, flags, seq, ack, text, strlen(text), &frame) == 0)
		queue_frame(p, &frame);
}

static void send_udp(struct peer *p, const struct frame_ends *ends, const void *data, size_t size)
{
	CLEANUP_BUF struct buf frame = BUF_INIT(FRAME_MAX);

	if (frame_put_udp(ends, data, size, &frame) == 0)
		queue_frame(p, &frame);
}

/* Back to whoever sent a frame. */
static struct frame_ends answer_to(const struct peer *p, const struct frame *f)
{
	return (struct frame_ends) {
		.from_mac = own_mac, .to_mac = p->mac,
		.from = f->to, .to = f->from, .from_port = f->to_port, .to_port = f->from_port,
	};
}

static struct frame_ends to_machine(const struct peer *p, bool v6, unsigned int from_port, unsigned int to_port)
{
	return (struct frame_ends) {
		.from_mac = own_mac, .to_mac = p->mac,
		.from = v6 ? own_v6 : own_v4, .to = v6 ? p->v6 : p->v4,
		.from_port = (uint16_t)from_port, .to_port = (uint16_t)to_port,
	};
}

/* ---------------------------------------------------------------- who is who */

/* Any address but the machine's own is here. Who asks without having one looks whether somebody else has it. */
static void answer_neighbour(struct peer *p, const struct frame *f)
{
	CLEANUP_BUF struct buf frame = BUF_INIT(FRAME_MAX);
	struct frame_ends ends = { .from_mac = own_mac, .to_mac = p->mac, .from = f->target, .to = f->from };

	if (address_is_any(&f->from) || address_equal(&f->from, &f->target))
		return;
	if (frame_put_neighbour(&ends, &frame) == 0)
		queue_frame(p, &frame);
}

static bool is_link_local(const struct address *a)
{
	return a->v6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* RFC 4862, 5.4: a machine asks for the address that it is about to take. */
static void learn_v6(struct peer *p, const struct frame *f)
{
	if (is_link_local(&f->from))
		p->v6 = f->from;
	else if (f->kind == FRAME_SOLICITATION && address_is_any(&f->from) && is_link_local(&f->target))
		p->v6 = f->target;
}

static void give_address(struct peer *p, const struct frame *f)
{
	CLEANUP_BUF struct buf answer = BUF_INIT(1024);
	struct frame_ends ends = {
		.from_mac = own_mac, .to_mac = p->mac, .from = own_v4, .to = everybody, .from_port = 67, .to_port = 68,
	};
	enum dhcp_answer given = dhcp_answer(&lease, f->data, f->size, &answer);

	if (given == DHCP_NONE)
		return;
	if (given == DHCP_ACK)
		memcpy(p->v4.bytes, lease.address, 4);
	send_udp(p, &ends, answer.data, answer.len);
}

/* ---------------------------------------------------------------- the metadata service */

#define HTTP_OK "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n"
#define HTTP_NONE "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

/* The first line of a request as text; "" when it is none. */
static void request_line(const struct frame *f, char *ret, size_t size)
{
	size_t n = 0;

	while (n < f->size && n + 1 < size && f->data[n] >= ' ' && f->data[n] < 0x7f) {
		ret[n] = (char)f->data[n];
		n++;
	}
	ret[n] = '\0';
}

static const char *metadata_page(const char *request)
{
	if (strncmp(request, "PUT /latest/api/token", 21) == 0)
		return HTTP_OK "kiln";
	if (strncmp(request, "GET ", 4) == 0 && strstr(request, "/user-data"))
		return HTTP_OK "#!/bin/sh\necho " PEER_USER_DATA_MARK " > /dev/console\n";
	return HTTP_NONE;
}

/* Without a state: what is asked fits into one segment, and so does the answer. */
static void serve_metadata(struct peer *p, const struct frame *f)
{
	const struct frame_ends ends = answer_to(p, f);
	const uint32_t after = f->seq + (uint32_t)f->size;
	char request[200];

	if (f->flags & TCP_RST)
		return;
	if (f->flags & TCP_SYN) {
		live_list_add(&p->live->user_data, "a connection");
		send_tcp(p, &ends, TCP_SYN | TCP_ACK, 0, f->seq + 1, "");
	} else if (f->size) {
		request_line(f, request, sizeof(request));
		live_list_add(&p->live->user_data, request);
		send_tcp(p, &ends, TCP_ACK | TCP_PSH | TCP_FIN, f->ack, after, metadata_page(request));
	} else if (f->flags & TCP_FIN) {
		send_tcp(p, &ends, TCP_ACK, f->ack, f->seq + 1, "");
	}
}

/* ---------------------------------------------------------------- what the machine says */

static void note_sent(struct peer *p, const struct frame *f)
{
	char to[ADDRESS_TEXT];
	CLEANUP_FREE char *text = NULL;

	address_text(&f->to, to);
	text = string_printf(f->to.v6 ? "%s [%s]:%u" : "%s %s:%u", f->kind == FRAME_TCP ? "tcp" : "udp", to, f->to_port);
	live_list_add(&p->live->sent, text);
}

static void note_port(struct peer *p, unsigned int port, bool v6, bool udp, enum port_state state)
{
	static const bool is_v6[] = { [LIVE_TCP6] = true, [LIVE_UDP6] = true };
	static const bool is_udp[] = { [LIVE_UDP4] = true, [LIVE_UDP6] = true };

	if (p->scan.running && is_v6[p->scan.kind] == v6 && is_udp[p->scan.kind] == udp && p->scan.states[port] < state)
		p->scan.states[port] = (uint8_t)state;
}

static void answer_tcp(struct peer *p, const struct frame *f)
{
	const struct frame_ends ends = answer_to(p, f);
	const bool opened = (f->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);

	if (f->to_port == SCAN_PORT)
		note_port(p, f->from_port, f->from.v6, false,
			  opened ? PORT_OPEN : f->flags & TCP_RST ? PORT_CLOSED : PORT_SILENT);
	if (opened && f->to_port == KNOCK_PORT + p->knocks % KNOCK_PORTS)
		p->answered = true;
	/* Enough: the connection is not wanted. */
	if (opened)
		send_tcp(p, &ends, TCP_RST, f->ack, 0, "");
	else if (f->flags & TCP_SYN)
		note_sent(p, f);
}

static void receive_ip(struct peer *p, const struct frame *f)
{
	const bool to_us = address_equal(&f->to, &own_v4) || address_equal(&f->to, &own_v6);

	if (f->kind == FRAME_TCP && address_equal(&f->to, &metadata) && f->to_port == 80)
		serve_metadata(p, f);
	else if (f->kind == FRAME_TCP)
		answer_tcp(p, f);
	else if (f->kind == FRAME_UDP && !f->to.v6 && f->to_port == 67)
		give_address(p, f);
	else if (f->kind == FRAME_UDP && to_us && f->to_port == SCAN_PORT)
		note_port(p, f->from_port, f->from.v6, true, PORT_OPEN);
	else if (f->kind == FRAME_UDP)
		note_sent(p, f);
	else if (f->kind == FRAME_UNREACHABLE && f->to_port == SCAN_PORT)
		note_port(p, f->from_port, f->from.v6, true, PORT_CLOSED);
}

void peer_receive(struct peer *p, const uint8_t *frame, size_t size)
{
	struct frame f;

	frame_parse(frame, size, &f);
	if (f.kind == FRAME_OTHER)
		return;
	memcpy(p->mac, f.mac, sizeof(p->mac));
	learn_v6(p, &f);
	if (f.kind == FRAME_ARP_REQUEST || f.kind == FRAME_SOLICITATION)
		answer_neighbour(p, &f);
	else
		receive_ip(p, &f);
}

/* ---------------------------------------------------------------- knocking */

void peer_knock(struct peer *p, int64_t now_ms)
{
	struct frame_ends ends;

	p->answered = false;
	p->knocked_ms = 0;
	if (address_is_any(&p->v4))
		return;
	p->knocked_ms = now_ms;
	p->knocks++;
	ends = to_machine(p, false, KNOCK_PORT + p->knocks % KNOCK_PORTS, p->port);
	send_tcp(p, &ends, TCP_SYN, p->knocks << 12, 0, "");
}

bool peer_is_answered(const struct peer *p)
{
	return p->answered;
}

/* ---------------------------------------------------------------- trying the ports */

/* What a server would answer to; to any other port goes a line of text. */
static const struct question {
	unsigned int port;
	const char *data;
	size_t size;
} questions[] = {
#define QUESTION(port, text) { port, text, sizeof(text) - 1 }
#define DNS_QUESTION "\x12\x34\1\0\0\1\0\0\0\0\0\0\7version\4bind\0\0\x10\0\3"
	QUESTION(53, DNS_QUESTION),
	QUESTION(69, "\0\1x\0octet"),			/* TFTP: read */
	QUESTION(111, "\x12\x34\x56\x78\0\0\0\0\0\0\0\2\0\1\x86\xa0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	QUESTION(123, "\x23\0\6\xec\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	QUESTION(161, "\x30\x26\2\1\1\4\6public\xa0\x19\2\1\1\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\1\0\5\0"),
	QUESTION(1900, "M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\nMan: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n"),
	QUESTION(5353, DNS_QUESTION),
	QUESTION(5355, DNS_QUESTION),
};

static void ask_udp(struct peer *p, const struct frame_ends *ends)
{
	static const char text[] = "help\r\n";

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		if (questions[i].port == ends->to_port) {
			send_udp(p, ends, questions[i].data, questions[i].size);
			return;
		}
	send_udp(p, ends, text, sizeof(text) - 1);
}

static void ask_port(struct peer *p, unsigned int port)
{
	const enum live_scan_kind kind = p->scan.kind;
	struct frame_ends ends = to_machine(p, kind == LIVE_TCP6 || kind == LIVE_UDP6, SCAN_PORT, port);

	if (kind == LIVE_UDP4 || kind == LIVE_UDP6)
		ask_udp(p, &ends);
	else
		send_tcp(p, &ends, TCP_SYN, port << 12, 0, "");
}

void peer_scan(struct peer *p, enum live_scan_kind kind)
{
	const bool v6 = kind == LIVE_TCP6 || kind == LIVE_UDP6;

	p->scan = (struct scan) { .kind = kind, .first = 1, .next = 1 };
	p->scan.running = !address_is_any(v6 ? &p->v6 : &p->v4);
	p->knocked_ms = 0;
	p->answered = false;
}

bool peer_is_scanning(const struct peer *p)
{
	return p->scan.running;
}

bool peer_has_failed(const struct peer *p)
{
	return p->scan.failed;
}

static void finish_scan(struct peer *p)
{
	struct live_scan *result = &p->live->scans[p->scan.kind];
	unsigned int counts[3] = { 0 };

	p->scan.running = false;
	result->open = calloc(PORTS, sizeof(*result->open));
	if (!result->open)
		error_no_memory();
	for (unsigned int port = 1; port < PORTS; port++) {
		counts[p->scan.states[port]]++;
		if (p->scan.states[port] == PORT_OPEN)
			result->open[result->open_count++] = port;
	}
	result->closed = counts[PORT_CLOSED];
	result->silent = counts[PORT_SILENT];
	result->done = true;
}

/* The next batch when this one was seen; the same again when no sign of that came. */
static void next_batch(struct peer *p, int64_t now_ms)
{
	struct scan *s = &p->scan;

	if (p->answered) {
		s->first = s->next;
		s->tries = 0;
	} else if (++s->tries == KNOCK_TRIES) {
		s->running = false;
		s->failed = true;
	}
	s->next = s->first;
	p->knocked_ms = 0;
	p->answered = false;
	if (s->first == PORTS)
		s->over_ms = now_ms + LINGER_MS;
}

static void go_on(struct peer *p, int64_t now_ms)
{
	struct scan *s = &p->scan;

	if (s->over_ms) {
		if (now_ms >= s->over_ms)
			finish_scan(p);
		return;
	}
	if (p->answered || (p->knocked_ms && now_ms - p->knocked_ms > KNOCK_WAIT_MS))
		next_batch(p, now_ms);
	if (p->knocked_ms || !s->running || s->over_ms)
		return;
	for (; s->next < PORTS && s->next < s->first + BATCH; s->next++)
		ask_port(p, s->next);
	peer_knock(p, now_ms);
}

bool peer_next(struct peer *p, int64_t now_ms, struct buf *ret)
{
	if (p->sent == p->queue.len && p->scan.running)
		go_on(p, now_ms);
	return take_frame(p, ret);
}
