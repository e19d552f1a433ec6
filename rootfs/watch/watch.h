/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_WATCH_WATCH_H
#define KILN_WATCH_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/seccomp.h>

/*
 * A program for the appliance: runs a description's script and sees whether anything in it wants the
 * network. There is none, so a download fails all the same; but a script that goes on without it would
 * give another image than intended, and nobody would know.
 *
 * The kernel reports each connect() and send with an address before it is made (seccomp's user
 * notification). To an address of this machine it goes on; another is answered "network is
 * unreachable", and noted with the command that asked for it. This finds honest programs; one that
 * hides is held back by the machine, which has no network card.
 *
 * Not seen: a lookup that the C library gives up by itself, because it was asked for addresses of one family
 * only that this machine has itself (getaddrinfo(3), AI_ADDRCONFIG), and it has none.
 */

/* From here on this process and its children are watched; this one must make no watched call. *ret is
 * where the kernel reports; -1 with errno on failure. Children cannot leave by another ABI: io_uring and x32
 * are said not to exist, a program of another architecture is killed (SIGSYS). */
int filter_install(int *ret);

enum aim { AIM_HERE, AIM_NAME_SERVER, AIM_NETWORK };
/* What a socket address is aimed at: `size` bytes as given to connect(). */
enum aim aim_of(const void *address, size_t size);
/* "192.0.2.1 port 443", "address family 17" */
void aim_describe(const void *address, size_t size, char *ret, size_t ret_size);

/* The first address of a reported call that is aimed at the network; AIM_HERE when there is none.
 * False with errno if the caller's memory is there and cannot be read. */
#define ADDRESS_MAX 128
struct address {
	uint8_t bytes[ADDRESS_MAX];
	size_t size;
};
bool call_aim(const struct seccomp_notif *call, enum aim *ret_aim, struct address *ret_address);

/* A command line as /proc shows it, `len` bytes of `size`, made one line of text: blanks between arguments, nothing
 * that a terminal would take for a command, and dots where there was more than `size` holds. */
void command_clean(char *line, size_t len, size_t size);
/* The parent's number, of the text of /proc/PID/status; 0 if it is not there. */
pid_t command_parent(const char *status);
/*
 * Who makes a call: the command of the script `script` (a process) that process `pid` belongs to, as far as
 * its arguments tell, in quotes: "curl -f https://example.org/", or "apt-get update" (/usr/lib/apt/methods/http);
 * the script's own where it calls itself.
 */
void command_describe(pid_t script, pid_t pid, char *ret, size_t size);

/* What is found, one thing a line, each once; also said on standard error. False with errno on failure. */
bool report_open(const char *path);
bool report_add(const char *command, enum aim aim, const struct address *address);

#endif
