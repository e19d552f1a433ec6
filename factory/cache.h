/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_CACHE_H
#define KILN_FACTORY_CACHE_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/*
 * The stages' finished outputs: CACHE/stages/STAGE/KEY/, each entry a directory with the outputs and
 *
 *	.inputs		the text that KEY is the digest of (model/stage_key.h)
 *	.record		what the outputs are (cache_record.h), under the name of STAGE and KEY
 *	.stamps		what the file system says of them, for this boot of the machine
 *	.used		bytes on the disk; its time of writing is the entry's last use
 *
 * An entry is made elsewhere and appears whole, by rename. Nothing is synced: an entry that lost something to a power
 * failure is noticed like any other that is not what its record says, and is made again.
 *
 * Locks are flock(), so they end with their owner. Whoever reads an entry holds a shared lock on its directory;
 * an entry is removed under an exclusive one, which does not wait. Whoever makes an entry holds the file KEY.lock
 * beside it, which goes with the entry's arrival.
 */

#define CACHE_INPUTS ".inputs"
#define CACHE_USED ".used"
#define CACHE_CLAIM ".lock"

struct cache_entry {
	const char *stage;
	const char *const *outputs;	/* NULL-terminated */
	char key[65];
	char *inputs;			/* the text that the key is the digest of */
	char *path;			/* of the directory */
	int held;			/* the shared lock; -1 while the entry is not there */
};
#define CACHE_ENTRY_INIT { .held = -1 }
void cache_entry_clear(struct cache_entry *e);

/*
 * Looks for the entry and holds it; that it is missing is no error.
 */
int cache_hold(struct cache_entry *e, struct error *err);

/*
 * Is a held entry what its stage made? *ret_damage is NULL if so, and else says what is wrong with it ("root.erofs
 * has 4096 bytes in place of 8192"; malloc'ed). Reads the outputs only where the file system's stamps do not vouch for
 * them, and notes the new stamps then; `tmp` is on the cache's file system. Fails only when interrupted.
 */
int cache_check(const struct cache_entry *e, const char *tmp, char **ret_damage, struct error *err);

/* Notes that a held entry is in use now. */
void cache_touch(const struct cache_entry *e);

/*
 * The right to make an entry, waiting for another build that does: hold and check again afterwards.
 */
int cache_claim(const struct cache_entry *e, int *ret, struct error *err);
void cache_unclaim(const struct cache_entry *e, int *claim);

/*
 * Puts `made`, a directory in `tmp` with the outputs, in the entry's place and holds it. What lay there goes to
 * `tmp`. The caller has claimed the entry.
 */
int cache_keep(struct cache_entry *e, const char *made, const char *tmp, struct error *err);

/* Is what the descriptor is open on still what lies at `path`? To be asked after a lock was had. */
bool cache_is_at(int fd, const char *path);

#endif
