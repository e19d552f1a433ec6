/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp.h"

#include <string.h>

#include "../factory/base/buf.h"
#include "../factory/base/bytes.h"

#define OPTIONS_AT 240			/* behind the fixed fields and the magic cookie */
#define COOKIE 0x63825363u
#define LEASE_SECONDS 86400

enum { OPTION_PAD = 0, OPTION_TYPE = 53, OPTION_END = 255 };
enum { TYPE_DISCOVER = 1, TYPE_OFFER = 2, TYPE_REQUEST = 3, TYPE_ACK = 5 };

/* RFC 2132, 9.6; 0: it is not said. */
static uint8_t message_type(const uint8_t *message, size_t size)
{
	size_t at = OPTIONS_AT;

	while (at < size && message[at] != OPTION_END) {
		if (message[at] == OPTION_PAD) {
			at++;
			continue;
		}
		if (at + 2 > size || !range_fits(at + 2, message[at + 1], size))
			return 0;
		if (message[at] == OPTION_TYPE && message[at + 1] == 1)
			return message[at + 2];
		at += 2u + message[at + 1];
	}
	return 0;
}

static size_t put_option(uint8_t *to, uint8_t code, const void *value, uint8_t size)
{
	to[0] = code;
	to[1] = size;
	memcpy(to + 2, value, size);
	return 2u + size;
}

static size_t put_options(const struct dhcp_lease *lease, uint8_t type, uint8_t *to)
{
	uint8_t seconds[4];
	size_t n = put_option(to, OPTION_TYPE, &type, 1);

	write_be32(seconds, LEASE_SECONDS);
	n += put_option(to + n, 54, lease->server, 4);	/* server identifier */
	n += put_option(to + n, 51, seconds, 4);	/* lease time */
	n += put_option(to + n, 1, lease->mask, 4);
	n += put_option(to + n, 3, lease->server, 4);	/* router */
	n += put_option(to + n, 6, lease->server, 4);	/* name server */
	to[n] = OPTION_END;
	return n + 1;
}

enum dhcp_answer dhcp_answer(const struct dhcp_lease *lease, const uint8_t *message, size_t size, struct buf *ret)
{
	uint8_t answer[OPTIONS_AT + 64] = { 2 };	/* BOOTREPLY */
	uint8_t type;

	if (size < OPTIONS_AT || message[0] != 1 || read_be32(message + 236) != COOKIE)
		return DHCP_NONE;
	type = message_type(message, size);
	if (type != TYPE_DISCOVER && type != TYPE_REQUEST)
		return DHCP_NONE;
	memcpy(answer + 1, message + 1, 2);		/* kind and length of hardware addresses */
	memcpy(answer + 4, message + 4, 4);		/* the transaction */
	memcpy(answer + 10, message + 10, 2);		/* flags */
	memcpy(answer + 16, lease->address, 4);
	memcpy(answer + 20, lease->server, 4);
	memcpy(answer + 28, message + 28, 16);		/* the client's hardware address */
	write_be32(answer + 236, COOKIE);
	size = OPTIONS_AT + put_options(lease, type == TYPE_DISCOVER ? TYPE_OFFER : TYPE_ACK, answer + OPTIONS_AT);
	if (buf_add(ret, answer, size) < 0)
		return DHCP_NONE;
	return type == TYPE_DISCOVER ? DHCP_OFFER : DHCP_ACK;
}
