/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_DHCP_H
#define KILN_VM_TEST_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* A DHCP server with one address to give (RFC 2131, RFC 2132). Pure, and fuzzed. */

struct dhcp_lease {
	uint8_t address[4], server[4], mask[4];	/* the server is also the router and answers for names */
};

enum dhcp_answer { DHCP_NONE, DHCP_OFFER, DHCP_ACK };

/* Appends the answer to a message of a client's (the payload of UDP); DHCP_NONE: there is none to give. */
enum dhcp_answer dhcp_answer(const struct dhcp_lease *lease, const uint8_t *message, size_t size, struct buf *ret);

#endif
