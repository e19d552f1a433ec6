/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "../factory/base/bytes.h"

#define ETHERNET_SIZE 14
#define ARP_SIZE 28
#define IPV4_SIZE 20
#define IPV6_SIZE 40
#define UDP_SIZE 8
#define TCP_SIZE 20
#define NEIGHBOUR_SIZE 24		/* RFC 4861, 4.3 and 4.4, without options */
#define LINK_OPTION_SIZE 8		/* 4.6.1 */

enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IPV6 = 0x86dd };
enum { PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMPV6 = 58 };
enum { ICMPV6_SOLICITATION = 135, ICMPV6_ADVERTISEMENT = 136 };

/* ---------------------------------------------------------------- addresses */

bool address_equal(const struct address *a, const struct address *b)
{
	return a->v6 == b->v6 && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool address_is_any(const struct address *a)
{
	static const uint8_t none[16];

	return memcmp(a->bytes, none, sizeof(none)) == 0;
}

void address_text(const struct address *a, char ret[static ADDRESS_TEXT])
{
	if (!inet_ntop(a->v6 ? AF_INET6 : AF_INET, a->bytes, ret, ADDRESS_TEXT))
		ret[0] = '\0';
}

static struct address address_of(const uint8_t *bytes, bool v6)
{
	struct address a = { .v6 = v6 };

	memcpy(a.bytes, bytes, v6 ? 16 : 4);
	return a;
}

/* ---------------------------------------------------------------- reading */

/* What is left of a frame while its headers are taken off. */
struct rest {
	const uint8_t *data;
	size_t size;
};

static bool skip(struct rest *r, size_t size)
{
	if (size > r->size)
		return false;
	r->data += size;
	r->size -= size;
	return true;
}

static void parse_arp(struct rest r, struct frame *f)
{
	static const uint8_t request[] = { 0, 1, 8, 0, 6, 4, 0, 1 };

	if (r.size < ARP_SIZE || memcmp(r.data, request, sizeof(request)) != 0)
		return;
	f->kind = FRAME_ARP_REQUEST;
	f->from = address_of(r.data + 14, false);
	f->target = address_of(r.data + 24, false);
}

static void parse_tcp(struct rest r, struct frame *f)
{
	size_t header;

	if (r.size < TCP_SIZE)
		return;
	header = (size_t)(r.data[12] >> 4) * 4;
	f->from_port = read_be16(r.data);
	f->to_port = read_be16(r.data + 2);
	f->seq = read_be32(r.data + 4);
	f->ack = read_be32(r.data + 8);
	f->flags = r.data[13];
	if (header < TCP_SIZE || !skip(&r, header))
		return;
	f->kind = FRAME_TCP;
	f->data = r.data;
	f->size = r.size;
}

static void parse_udp(struct rest r, struct frame *f)
{
	size_t length;

	if (r.size < UDP_SIZE)
		return;
	length = read_be16(r.data + 4);
	if (length < UDP_SIZE || length > r.size)
		return;
	f->kind = FRAME_UDP;
	f->from_port = read_be16(r.data);
	f->to_port = read_be16(r.data + 2);
	f->data = r.data + UDP_SIZE;
	f->size = length - UDP_SIZE;
}

/* The packet that could not be delivered is quoted: its ports are the other way round. */
static void parse_quoted(struct rest r, uint8_t protocol, struct frame *f)
{
	if (protocol != PROTOCOL_UDP || r.size < 4)
		return;
	f->kind = FRAME_UNREACHABLE;
	f->to_port = read_be16(r.data);
	f->from_port = read_be16(r.data + 2);
}

/* RFC 792: type 3, code 3. */
static void parse_icmp(struct rest r, struct frame *f)
{
	uint8_t protocol;

	if (r.size < 8 || r.data[0] != 3 || r.data[1] != 3 || !skip(&r, 8) || r.size < IPV4_SIZE)
		return;
	protocol = r.data[9];
	if (skip(&r, (size_t)(r.data[0] & 15) * 4))
		parse_quoted(r, protocol, f);
}

/* RFC 4443: type 1, code 4. */
static void parse_icmpv6(struct rest r, struct frame *f)
{
	uint8_t protocol;

	if (r.size >= NEIGHBOUR_SIZE && r.data[0] == ICMPV6_SOLICITATION) {
		f->kind = FRAME_SOLICITATION;
		f->target = address_of(r.data + 8, true);
		return;
	}
	if (r.size < 8 || r.data[0] != 1 || r.data[1] != 4 || !skip(&r, 8) || r.size < IPV6_SIZE)
		return;
	protocol = r.data[6];
	(void)skip(&r, IPV6_SIZE);
	parse_quoted(r, protocol, f);
}

static void parse_payload(struct rest r, uint8_t protocol, struct frame *f)
{
	f->kind = FRAME_IP;
	if (protocol == PROTOCOL_TCP)
		parse_tcp(r, f);
	else if (protocol == PROTOCOL_UDP)
		parse_udp(r, f);
	else if (protocol == PROTOCOL_ICMP && !f->from.v6)
		parse_icmp(r, f);
	else if (protocol == PROTOCOL_ICMPV6 && f->from.v6)
		parse_icmpv6(r, f);
}

static void parse_ipv4(struct rest r, struct frame *f)
{
	size_t header, length;
	uint8_t protocol;

	if (r.size < IPV4_SIZE)
		return;
	header = (size_t)(r.data[0] & 15) * 4;
	length = read_be16(r.data + 2);
	/* A fragment but the first has no ports. */
	if (r.data[0] >> 4 != 4 || header < IPV4_SIZE || length < header || length > r.size ||
	    read_be16(r.data + 6) & 0x1fff)
		return;
	f->from = address_of(r.data + 12, false);
	f->to = address_of(r.data + 16, false);
	protocol = r.data[9];
	r.size = length;		/* without what pads a short frame */
	if (skip(&r, header))
		parse_payload(r, protocol, f);
}

static void parse_ipv6(struct rest r, struct frame *f)
{
	size_t length;
	uint8_t protocol;

	if (r.size < IPV6_SIZE || r.data[0] >> 4 != 6)
		return;
	length = read_be16(r.data + 4);
	if (length > r.size - IPV6_SIZE)
		return;
	f->from = address_of(r.data + 8, true);
	f->to = address_of(r.data + 24, true);
	protocol = r.data[6];
	(void)skip(&r, IPV6_SIZE);
	r.size = length;
	parse_payload(r, protocol, f);
}

void frame_parse(const uint8_t *bytes, size_t size, struct frame *ret)
{
	struct rest r = { bytes, size };
	struct frame f = { .kind = FRAME_OTHER };
	uint16_t type;

	*ret = f;
	if (size < ETHERNET_SIZE)
		return;
	memcpy(f.mac, bytes + 6, sizeof(f.mac));
	type = read_be16(bytes + 12);
	(void)skip(&r, ETHERNET_SIZE);
	if (type == TYPE_ARP)
		parse_arp(r, &f);
	else if (type == TYPE_IPV4)
		parse_ipv4(r, &f);
	else if (type == TYPE_IPV6)
		parse_ipv6(r, &f);
	*ret = f;
}

/* ---------------------------------------------------------------- writing */

/* RFC 1071. */
static uint32_t sum(uint32_t so_far, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		so_far += read_be16(data + i);
	if (size % 2)
		so_far += (uint32_t)data[size - 1] << 8;
	return so_far;
}

static uint16_t checksum(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

/* Over a payload with its addresses, protocol and length before it (RFC 9293, 3.1; RFC 8200, 8.1). */
static uint16_t payload_checksum(const struct frame_ends *ends, uint8_t protocol, const uint8_t *payload, size_t size)
{
	const size_t width = ends->from.v6 ? 16 : 4;
	uint32_t total = sum(0, ends->from.bytes, width);

	total = sum(total, ends->to.bytes, width);
	total = sum(total + protocol + (uint32_t)size, payload, size);
	/* RFC 768: 0 would mean that there is none. */
	return checksum(total) == 0 && protocol == PROTOCOL_UDP ? 0xffff : checksum(total);
}

static void write_ethernet(uint8_t *p, const struct frame_ends *ends, uint16_t type)
{
	memcpy(p, ends->to_mac, 6);
	memcpy(p + 6, ends->from_mac, 6);
	write_be16(p + 12, type);
}

static void write_ipv4(uint8_t *p, const struct frame_ends *ends, uint8_t protocol, size_t size)
{
	static const uint8_t begin[IPV4_SIZE] = { 0x45, [6] = 0x40, [8] = 64 };	/* don't fragment; 64 hops */

	memcpy(p, begin, IPV4_SIZE);
	write_be16(p + 2, (uint16_t)(IPV4_SIZE + size));
	p[9] = protocol;
	memcpy(p + 12, ends->from.bytes, 4);
	memcpy(p + 16, ends->to.bytes, 4);
	write_be16(p + 10, checksum(sum(0, p, IPV4_SIZE)));
}

/* 255 hops: neighbour discovery accepts nothing else (RFC 4861, 7.1). */
static void write_ipv6(uint8_t *p, const struct frame_ends *ends, uint8_t protocol, size_t size)
{
	static const uint8_t begin[8] = { 0x60, [7] = 255 };

	memcpy(p, begin, sizeof(begin));
	write_be16(p + 4, (uint16_t)size);
	p[6] = protocol;
	memcpy(p + 8, ends->from.bytes, 16);
	memcpy(p + 24, ends->to.bytes, 16);
}

/* The payload's own checksum is at `checksum_at` in it, and 0 so far. */
static int put_packet(const struct frame_ends *ends, uint8_t protocol, uint8_t *payload, size_t size,
		      size_t checksum_at, struct buf *ret)
{
	const bool v6 = ends->from.v6;
	uint8_t head[ETHERNET_SIZE + IPV6_SIZE];
	int r;

	write_be16(payload + checksum_at, payload_checksum(ends, protocol, payload, size));
	write_ethernet(head, ends, v6 ? TYPE_IPV6 : TYPE_IPV4);
	if (v6)
		write_ipv6(head + ETHERNET_SIZE, ends, protocol, size);
	else
		write_ipv4(head + ETHERNET_SIZE, ends, protocol, size);
	r = buf_add(ret, head, ETHERNET_SIZE + (v6 ? IPV6_SIZE : IPV4_SIZE));
	return r < 0 ? r : buf_add(ret, payload, size);
}

static bool fits(size_t header, size_t size)
{
	return size <= FRAME_MAX - ETHERNET_SIZE - IPV6_SIZE - header;
}

int frame_put_tcp(const struct frame_ends *ends, uint8_t flags, uint32_t seq, uint32_t ack, const void *data,
		  size_t size, struct buf *ret)
{
	uint8_t p[FRAME_MAX] = { 0 };

	if (!fits(TCP_SIZE, size))
		return -EFBIG;
	write_be16(p, ends->from_port);
	write_be16(p + 2, ends->to_port);
	write_be32(p + 4, seq);
	write_be32(p + 8, ack);
	p[12] = TCP_SIZE / 4 << 4;
	p[13] = flags;
	write_be16(p + 14, 8192);	/* window */
	if (size)
		memcpy(p + TCP_SIZE, data, size);
	return put_packet(ends, PROTOCOL_TCP, p, TCP_SIZE + size, 16, ret);
}

int frame_put_udp(const struct frame_ends *ends, const void *data, size_t size, struct buf *ret)
{
	uint8_t p[FRAME_MAX] = { 0 };

	if (!fits(UDP_SIZE, size))
		return -EFBIG;
	write_be16(p, ends->from_port);
	write_be16(p + 2, ends->to_port);
	write_be16(p + 4, (uint16_t)(UDP_SIZE + size));
	if (size)
		memcpy(p + UDP_SIZE, data, size);
	return put_packet(ends, PROTOCOL_UDP, p, UDP_SIZE + size, 6, ret);
}

static int put_arp_answer(const struct frame_ends *ends, struct buf *ret)
{
	static const uint8_t begin[] = { 0, 1, 8, 0, 6, 4, 0, 2 };
	uint8_t p[ETHERNET_SIZE + ARP_SIZE], *arp = p + ETHERNET_SIZE;

	write_ethernet(p, ends, TYPE_ARP);
	memcpy(arp, begin, sizeof(begin));
	memcpy(arp + 8, ends->from_mac, 6);
	memcpy(arp + 14, ends->from.bytes, 4);
	memcpy(arp + 18, ends->to_mac, 6);
	memcpy(arp + 24, ends->to.bytes, 4);
	return buf_add(ret, p, sizeof(p));
}

int frame_put_neighbour(const struct frame_ends *ends, struct buf *ret)
{
	uint8_t p[NEIGHBOUR_SIZE + LINK_OPTION_SIZE] = { ICMPV6_ADVERTISEMENT };

	if (!ends->from.v6)
		return put_arp_answer(ends, ret);
	p[4] = 0x60;			/* solicited, override */
	memcpy(p + 8, ends->from.bytes, 16);
	p[NEIGHBOUR_SIZE] = 2;		/* target link-layer address, in units of 8 bytes: */
	p[NEIGHBOUR_SIZE + 1] = 1;
	memcpy(p + NEIGHBOUR_SIZE + 2, ends->from_mac, 6);
	return put_packet(ends, PROTOCOL_ICMPV6, p, sizeof(p), 2, ret);
}
