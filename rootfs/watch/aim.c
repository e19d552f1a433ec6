/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define DNS_PORT 53

/* The C library asks a server on this very machine when it knows of none, so whoever asks at all wants another
 * machine. Port 0 reaches nobody: it is how programs learn which address of their own they would use. */
static enum aim aim_of_port(uint16_t port, bool here)
{
	if (port == DNS_PORT)
		return AIM_NAME_SERVER;
	return here || port == 0 ? AIM_HERE : AIM_NETWORK;
}

/* 0.0.0.0 is this machine, too. */
static bool is_here4(struct in_addr a)
{
	uint32_t host = ntohl(a.s_addr);

	return host >> 24 == 127 || host == INADDR_ANY;
}

static bool is_here6(const struct in6_addr *a)
{
	struct in_addr mapped;

	if (!IN6_IS_ADDR_V4MAPPED(a))
		return IN6_IS_ADDR_LOOPBACK(a) || IN6_IS_ADDR_UNSPECIFIED(a);
	memcpy(&mapped, a->s6_addr + 12, sizeof(mapped));
	return is_here4(mapped);
}

/* The family, and zeros where `size` bytes hold no whole address: then the kernel refuses the call. */
union inet {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static union inet copy(const void *address, size_t size)
{
	union inet a;

	memset(&a, 0, sizeof(a));
	memcpy(&a, address, size < sizeof(a) ? size : sizeof(a));
	return a;
}

enum aim aim_of(const void *address, size_t size)
{
	const union inet a = copy(address, size);

	switch (a.any.sa_family) {
	case AF_UNSPEC:		/* ends a connection */
	case AF_UNIX:
	case AF_NETLINK:	/* the kernel itself */
	case AF_ALG:
		return AIM_HERE;
	case AF_INET:
		return aim_of_port(ntohs(a.v4.sin_port), is_here4(a.v4.sin_addr));
	case AF_INET6:
		return aim_of_port(ntohs(a.v6.sin6_port), is_here6(&a.v6.sin6_addr));
	default:
		return AIM_NETWORK;
	}
}

void aim_describe(const void *address, size_t size, char *ret, size_t ret_size)
{
	const union inet a = copy(address, size);
	char text[INET6_ADDRSTRLEN] = "";

	if (a.any.sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &a.v4.sin_addr, text, sizeof(text));
		(void)snprintf(ret, ret_size, "%s port %u", text, ntohs(a.v4.sin_port));
	} else if (a.any.sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &a.v6.sin6_addr, text, sizeof(text));
		(void)snprintf(ret, ret_size, "%s port %u", text, ntohs(a.v6.sin6_port));
	} else {
		(void)snprintf(ret, ret_size, "address family %u", a.any.sa_family);
	}
}
