/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "vm-test/frame.h"
#include "vm-test/peer.h"

/*
 * A small machine at the other end of the cable, made of the same frames: it has addresses, ports that are open, closed
 * or silent, and it loses what it is told to.
 */

static const uint8_t mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };
static const uint8_t everybody[6] = { 255, 255, 255, 255, 255, 255 };
static const struct address none4, gateway = { .bytes = { 10, 0, 2, 2 } }, all4 = { .bytes = { 255, 255, 255, 255 } };
static const struct address self4 = { .bytes = { 10, 0, 2, 15 } };
static const struct address self6 = { .v6 = true, .bytes = { 0xfe, 0x80, [8] = 0x50, [15] = 9 } };
static const struct address peer6 = { .v6 = true, .bytes = { 0xfe, 0x80, [15] = 2 } };
static const struct address metadata = { .bytes = { 169, 254, 169, 254 } };

struct machine {
	struct live live;
	struct peer *peer;
	int64_t now;
	unsigned int asked;		/* frames that came to a port */
	unsigned int lose;		/* every so manieth is lost; 0: none */
	struct buf last;		/* the last frame that came */
};

static void send_frame(struct machine *m, const struct buf *frame)
{
	peer_receive(m->peer, frame->data, frame->len);
}

static void send_tcp(struct machine *m, struct address from, struct address to, unsigned int from_port, unsigned int to_port,
		     uint8_t flags, uint32_t seq, uint32_t ack, const char *text)
{
	CLEANUP_BUF struct buf frame = BUF_INIT(FRAME_MAX);
	const struct frame_ends ends = { mac, everybody, from, to, (uint16_t)from_port, (uint16_t)to_port };

	need(frame_put_tcp(&ends, flags, seq, ack, text, strlen(text), &frame) == 0, "a segment");
	send_frame(m, &frame);
}

static void send_udp(struct machine *m, struct address from, struct address to, unsigned int from_port, unsigned int to_port,
		     const void *data, size_t size)
{
	CLEANUP_BUF struct buf frame = BUF_INIT(FRAME_MAX);
	const struct frame_ends ends = { mac, everybody, from, to, (uint16_t)from_port, (uint16_t)to_port };

	need(frame_put_udp(&ends, data, size, &frame) == 0, "a datagram");
	send_frame(m, &frame);
}

/* RFC 792: the datagram's headers are quoted. */
static void send_unreachable(struct machine *m, const struct frame *f)
{
	uint8_t frame[14 + 20 + 8 + 20 + 8] = { [12] = 8 }, *ip = frame + 14, *quoted = ip + 28;

	memcpy(frame + 6, mac, 6);
	ip[0] = quoted[0] = 0x45;
	ip[3] = sizeof(frame) - 14;
	ip[9] = 1;
	memcpy(ip + 12, f->to.bytes, 4);
	memcpy(ip + 16, f->from.bytes, 4);
	ip[20] = ip[21] = 3;
	quoted[9] = 17;
	quoted[20] = (uint8_t)(f->from_port >> 8);
	quoted[21] = (uint8_t)f->from_port;
	quoted[22] = (uint8_t)(f->to_port >> 8);
	quoted[23] = (uint8_t)f->to_port;
	peer_receive(m->peer, frame, sizeof(frame));
}

/* What this machine has: 3000 and 8080 open, 22 over IPv6 alone, 25 closed, 53 answers, 54 refuses. */
static void answer(struct machine *m, const struct frame *f)
{
	const bool tcp = f->kind == FRAME_TCP && f->flags == TCP_SYN;
	const unsigned int port = f->to_port;

	if (tcp && (port == 3000 || port == 8080 || (port == 22 && f->to.v6)))
		send_tcp(m, f->to, f->from, port, f->from_port, TCP_SYN | TCP_ACK, 7, f->seq + 1, "");
	else if (tcp && port == 25)
		send_tcp(m, f->to, f->from, port, f->from_port, TCP_RST | TCP_ACK, 0, f->seq + 1, "");
	else if (f->kind == FRAME_UDP && port == 53)
		send_udp(m, f->to, f->from, 53, f->from_port, f->data, f->size);
	else if (f->kind == FRAME_UDP && port == 54 && !f->to.v6)
		send_unreachable(m, f);
}

/* Takes what is there to take; the last frame is kept. */
static void run(struct machine *m)
{
	for (;;) {
		CLEANUP_BUF struct buf frame = BUF_INIT(FRAME_MAX);
		struct frame f;

		if (!peer_next(m->peer, m->now, &frame))
			return;
		m->asked++;
		if (m->lose && m->asked % m->lose == 0)
			continue;
		buf_truncate(&m->last, 0);
		need(buf_add(&m->last, frame.data, frame.len) == 0, "kept");
		frame_parse(frame.data, frame.len, &f);
		if (address_equal(&f.to, f.to.v6 ? &self6 : &self4))
			answer(m, &f);
	}
}

static void open_machine(struct machine *m)
{
	*m = (struct machine) { .now = 1, .last = BUF_INIT(FRAME_MAX) };
	m->peer = peer_new(3000, &m->live);
}

static void close_machine(struct machine *m)
{
	peer_free(m->peer);
	live_clear(&m->live);
	buf_free(&m->last);
}

/* ---------------------------------------------------------------- addresses */

static void send_dhcp(struct machine *m, uint8_t type)
{
	uint8_t message[300] = { 1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef };

	memcpy(message + 28, mac, 6);
	write_be32(message + 236, 0x63825363);
	memcpy(message + 240, (const uint8_t[]) { 0, 12, 1, 'x', 53, 1, type, 255 }, 8);
	send_udp(m, none4, all4, 68, 67, message, sizeof(message));
}

static void solicit(struct machine *m, struct address from, struct address target)
{
	uint8_t frame[14 + 40 + 24] = { [12] = 0x86, 0xdd, 0x60 }, *ip = frame + 14;

	memcpy(frame + 6, mac, 6);
	ip[5] = 24;
	ip[6] = 58;
	memcpy(ip + 8, from.bytes, 16);
	ip[24] = 0xff;
	ip[40] = 135;
	memcpy(ip + 48, target.bytes, 16);
	peer_receive(m->peer, frame, sizeof(frame));
}

static void give_addresses(struct machine *m)
{
	send_dhcp(m, 1);
	run(m);
	send_dhcp(m, 3);
	run(m);
	solicit(m, (struct address) { .v6 = true }, self6);
	run(m);
}

static void test_dhcp(void)
{
	struct machine m;
	struct frame f;

	open_machine(&m);
	peer_knock(m.peer, m.now);
	run(&m);
	ok_int(m.asked, 0, "nobody knocks at a machine without an address");
	send_dhcp(&m, 1);
	run(&m);
	frame_parse(m.last.data, m.last.len, &f);
	ok(f.kind == FRAME_UDP && f.from_port == 67 && f.to_port == 68, "a client that looks for servers gets an answer");
	need(f.size > 243, "a long one");
	ok_int(f.data[242], 2, "an offer");
	ok(memcmp(f.data + 4, "\xde\xad\xbe\xef", 4) == 0, "to its transaction");
	ok(memcmp(f.data + 16, self4.bytes, 4) == 0, "of an address");
	send_dhcp(&m, 3);
	run(&m);
	frame_parse(m.last.data, m.last.len, &f);
	need(f.size > 243, "another");
	ok_int(f.data[242], 5, "a request is acknowledged");
	m.asked = 0;
	send_dhcp(&m, 7);
	send_udp(&m, none4, all4, 68, 67, "short", 5);
	run(&m);
	ok_int(m.asked, 0, "a release, and what is no message, get no answer");
	peer_knock(m.peer, m.now);
	run(&m);
	ok(peer_is_answered(m.peer), "then its service answers");
	frame_parse(m.last.data, m.last.len, &f);
	ok(f.kind == FRAME_TCP && f.flags == TCP_RST, "and the connection is not kept");
	close_machine(&m);
}

static void test_neighbours(void)
{
	uint8_t arp[14 + 28] = { [12] = 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };
	struct machine m;
	struct frame f;

	open_machine(&m);
	memcpy(arp + 6, mac, 6);
	memcpy(arp + 28, self4.bytes, 4);
	memcpy(arp + 38, metadata.bytes, 4);
	peer_receive(m.peer, arp, sizeof(arp));
	run(&m);
	ok_int(m.asked, 1, "who asks for any address");
	ok(m.last.len == 42 && m.last.data[21] == 2 && memcmp(m.last.data + 28, metadata.bytes, 4) == 0, "is told: here");
	memset(arp + 28, 0, 4);
	peer_receive(m.peer, arp, sizeof(arp));
	run(&m);
	ok_int(m.asked, 1, "who looks whether an address is taken hears nothing");
	solicit(&m, self6, peer6);
	run(&m);
	frame_parse(m.last.data, m.last.len, &f);
	ok(m.asked == 2 && address_equal(&f.from, &peer6) && m.last.data[54] == 136, "likewise over IPv6");
	solicit(&m, (struct address) { .v6 = true }, self6);
	run(&m);
	ok_int(m.asked, 2, "and no address of the machine's own is taken away");
	close_machine(&m);
}

/* ---------------------------------------------------------------- ports */

static void scan(struct machine *m, enum live_scan_kind kind)
{
	peer_scan(m->peer, kind);
	for (int i = 0; i < 20000 && peer_is_scanning(m->peer); i++) {
		run(m);
		m->now += 500;
	}
	ok(!peer_is_scanning(m->peer), "%s: over", live_scan_names[kind]);
}

static void ok_scan(const struct machine *m, enum live_scan_kind kind, unsigned int open, unsigned int first,
		    unsigned int closed)
{
	const struct live_scan *s = &m->live.scans[kind];

	ok(s->done, "%s: done", live_scan_names[kind]);
	ok_int(s->open_count, open, "%s: so many answer", live_scan_names[kind]);
	if (s->open_count)
		ok_int(s->open[0], first, "%s: the first of them", live_scan_names[kind]);
	ok_int(s->closed, closed, "%s: so many refuse", live_scan_names[kind]);
	ok_int(s->silent + s->closed + s->open_count, 65535, "%s: and every port was tried", live_scan_names[kind]);
}

static void test_scans(void)
{
	struct machine m;

	open_machine(&m);
	scan(&m, LIVE_TCP4);
	ok(!m.live.scans[LIVE_TCP4].done, "no address, no scan");
	give_addresses(&m);
	scan(&m, LIVE_TCP4);
	ok_scan(&m, LIVE_TCP4, 2, 3000, 1);
	scan(&m, LIVE_TCP6);
	ok_scan(&m, LIVE_TCP6, 3, 22, 1);
	scan(&m, LIVE_UDP4);
	ok_scan(&m, LIVE_UDP4, 1, 53, 1);
	scan(&m, LIVE_UDP6);
	ok_scan(&m, LIVE_UDP6, 1, 53, 0);
	ok(!peer_has_failed(m.peer), "nothing failed");
	close_machine(&m);
}

/* Every 700th frame is lost: a knock now and then, and then its ports are tried again. */
static void test_losses(void)
{
	struct machine m;

	open_machine(&m);
	give_addresses(&m);
	m.lose = 700;
	scan(&m, LIVE_TCP4);
	ok(!peer_has_failed(m.peer), "lost frames are made up for");
	ok_int(m.live.scans[LIVE_TCP4].open_count + m.live.scans[LIVE_TCP4].silent + m.live.scans[LIVE_TCP4].closed, 65535,
	       "and all ports counted");
	m.lose = 1;
	peer_scan(m.peer, LIVE_UDP4);
	for (int i = 0; i < 1000 && peer_is_scanning(m.peer); i++) {
		run(&m);
		m.now += 500;
	}
	ok(peer_has_failed(m.peer), "a machine that answers nothing at all is no machine with closed ports");
	ok(!m.live.scans[LIVE_UDP4].done, "and has no result");
	close_machine(&m);
}

/* ---------------------------------------------------------------- what it asks for */

static void test_metadata(void)
{
	struct machine m;
	struct frame f;

	open_machine(&m);
	give_addresses(&m);
	send_tcp(&m, self4, metadata, 5555, 80, TCP_SYN, 100, 0, "");
	run(&m);
	frame_parse(m.last.data, m.last.len, &f);
	ok(f.flags == (TCP_SYN | TCP_ACK) && f.ack == 101, "the metadata service takes connections");
	send_tcp(&m, self4, metadata, 5555, 80, TCP_ACK | TCP_PSH, 101, 1, "PUT /latest/api/token HTTP/1.1\r\n\r\n");
	run(&m);
	frame_parse(m.last.data, m.last.len, &f);
	ok(f.size && memmem(f.data, f.size, "kiln", 4), "and gives a token");
	send_tcp(&m, self4, metadata, 5556, 80, TCP_ACK | TCP_PSH, 101, 1, "GET /latest/user-data HTTP/1.1\r\n\r\n");
	run(&m);
	frame_parse(m.last.data, m.last.len, &f);
	ok(f.size && memmem(f.data, f.size, PEER_USER_DATA_MARK, strlen(PEER_USER_DATA_MARK)), "and user data");
	send_tcp(&m, self4, metadata, 5557, 80, TCP_ACK | TCP_PSH, 101, 1, "GET /latest/dynamic HTTP/1.1\r\n\r\n");
	run(&m);
	frame_parse(m.last.data, m.last.len, &f);
	ok(f.size && memmem(f.data, f.size, "404", 3), "and nothing else");
	need(m.live.user_data.count == 4, "each is noted");
	ok_str(m.live.user_data.items[2], "GET /latest/user-data HTTP/1.1", "with what was asked");
	ok_int(m.live.sent.count, 0, "that is no message to somebody");
	send_udp(&m, self4, gateway, 999, 53, "?", 1);
	send_udp(&m, self4, gateway, 998, 53, "?", 1);
	need(m.live.sent.count == 1, "what the machine sends of itself is noted once");
	ok_str(m.live.sent.items[0], "udp 10.0.2.2:53", "with where to");
	close_machine(&m);
}

/* ---------------------------------------------------------------- bad frames */

static void test_bad(void)
{
	struct machine m;

	open_machine(&m);
	give_addresses(&m);
	peer_knock(m.peer, m.now);
	run(&m);
	need(m.last.len > 14, "a frame");
	m.asked = 0;
	for (size_t size = 0; size < m.last.len; size++)
		peer_receive(m.peer, m.last.data, size);
	run(&m);
	ok_int(m.asked, 0, "what is cut off is no frame");
	close_machine(&m);
}

int main(void)
{
	test_dhcp();
	test_neighbours();
	test_scans();
	test_losses();
	test_metadata();
	test_bad();
	return tap_done();
}
