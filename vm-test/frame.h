/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_FRAME_H
#define KILN_VM_TEST_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../factory/base/buf.h"

/*
 * Ethernet frames as the other end of a test machine's cable needs them: ARP (RFC 826), IPv4 (RFC 791), IPv6 (RFC 8200)
 * without extension headers, neighbour discovery (RFC 4861), UDP (RFC 768) and TCP (RFC 9293). Pure, and fuzzed.
 */

#define FRAME_MAX 1514

struct address {
	bool v6;
	uint8_t bytes[16];		/* the first 4 of an IPv4 address; the others 0 */
};
bool address_equal(const struct address *a, const struct address *b);
bool address_is_any(const struct address *a);	/* 0.0.0.0 or :: */
#define ADDRESS_TEXT 48
void address_text(const struct address *a, char ret[static ADDRESS_TEXT]);

enum frame_kind {
	FRAME_OTHER,			/* nothing of the below; `from` and `to` are any */
	FRAME_ARP_REQUEST,		/* `from` asks for `target` */
	FRAME_SOLICITATION,		/* likewise, of IPv6 */
	FRAME_TCP,
	FRAME_UDP,
	FRAME_UNREACHABLE,		/* a port of `from`: the answer to what was sent from `to_port` to `from_port` */
	FRAME_IP,			/* another protocol */
};

/* FIN, SYN, RST, PSH, ACK: the bits of RFC 9293, 3.1. */
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

struct frame {
	enum frame_kind kind;
	uint8_t mac[6];			/* the sender's */
	struct address from, to, target;
	uint16_t from_port, to_port;
	uint8_t flags;
	uint32_t seq, ack;
	const uint8_t *data;		/* TCP's or UDP's, inside the frame */
	size_t size;
};

/* Bytes that are no frame of these kinds, or are cut off, are FRAME_OTHER. Checksums are not looked at. */
void frame_parse(const uint8_t *bytes, size_t size, struct frame *ret);

struct frame_ends {
	const uint8_t *from_mac, *to_mac;
	struct address from, to;	/* of one family */
	uint16_t from_port, to_port;
};

/* Each appends one frame; errors as buf's, and -EFBIG if it would be longer than FRAME_MAX. */
int frame_put_tcp(const struct frame_ends *ends, uint8_t flags, uint32_t seq, uint32_t ack, const void *data,
		  size_t size, struct buf *ret);
int frame_put_udp(const struct frame_ends *ends, const void *data, size_t size, struct buf *ret);
/* The answer to "who has `from`?" of FRAME_ARP_REQUEST or FRAME_SOLICITATION: `from_mac`. */
int frame_put_neighbour(const struct frame_ends *ends, struct buf *ret);

#endif
