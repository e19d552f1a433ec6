/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_STAGE_KEY_H
#define KILN_MODEL_STAGE_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "lock.h"

struct error;

/*
 * What a stage reads, as a text with one line a thing; the stage's key is the digest of that text.
 * The text is kept beside the stage's outputs, so that a later build can say which line changed.
 *
 * A line (base/fields.h) is KIND, LABEL, NAME, VALUE. NAME is what a label with many values calls this one (a path in
 * a tree, a package, the stage of an artifact) and else empty. The first line is STAGE_KEY_FORM: another form of the
 * text gives other keys.
 */
#define STAGE_KEY_FORM "kiln stage inputs 1"

struct stage_key;
struct stage_key *stage_key_new(void);
void stage_key_free(struct stage_key *key);
void stage_key_freep(struct stage_key **key);
#define CLEANUP_STAGE_KEY __attribute__((cleanup(stage_key_freep)))

void stage_key_string(struct stage_key *key, const char *label, const char *text);	/* text may be NULL */
void stage_key_number(struct stage_key *key, const char *label, uint64_t value);
/* Contents and mode of a file, or of a whole tree in sorted order (links by target). */
int stage_key_tree(struct stage_key *key, const char *label, const char *path, struct error *err);
/* Every package of a set of the lock, and whatever else lock_set_digest() covers. */
void stage_key_packages(struct stage_key *key, const char *label, const struct lock *lock,
			enum lock_set_id set);
/* An artifact of the earlier stage `stage`, by its id. */
void stage_key_artifact(struct stage_key *key, const char *name, const char *stage, const char *id);

/* The text so far, and its SHA-256. */
const char *stage_key_text(const struct stage_key *key);
void stage_key_digest(const struct stage_key *key, char ret[static 65]);

#endif
