/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_PEER_H
#define KILN_VM_TEST_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../factory/model/live.h"

struct buf;

/*
 * The other end of a test machine's network cable, and all that there is behind it: gives the machine an address, answers
 * for every other one, offers user data as EC2's metadata service does (IMDSv2), and tries the machine's ports. QEMU's
 * own user network forwards single ports only. Pure: frames go in and come out, `now_ms` is of any steady clock.
 */
struct peer;

/* `port` is a TCP port at which the machine's service answers once it is up. What is seen goes into `live`, the caller's. */
struct peer *peer_new(unsigned int port, struct live *live);
void peer_free(struct peer *p);
void peer_freep(struct peer **p);
#define CLEANUP_PEER __attribute__((cleanup(peer_freep)))

/* A frame of the machine's. */
void peer_receive(struct peer *p, const uint8_t *frame, size_t size);
/* Appends the next frame for the machine; false: there is none now. */
bool peer_next(struct peer *p, int64_t now_ms, struct buf *ret);

/* One try to connect to the service, if the machine has an address. Forgets an earlier answer. */
void peer_knock(struct peer *p, int64_t now_ms);
bool peer_is_answered(const struct peer *p);

/*
 * All ports of one kind, if the machine has such an address. Each 256 are followed by a knock and count only if that is
 * answered: then the machine has seen them. Over when peer_is_scanning() is false.
 */
void peer_scan(struct peer *p, enum live_scan_kind kind);
bool peer_is_scanning(const struct peer *p);
/* The machine stopped answering at all; what the scan has is not whole. */
bool peer_has_failed(const struct peer *p);

/* What the user data would print on the console if somebody ran it. */
#define PEER_USER_DATA_MARK "kiln-user-data-was-run"

#endif
