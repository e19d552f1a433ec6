/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_JOURNAL_H
#define KILN_UPLOAD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block_index.h"

struct error;

/*
 * What has been done of one upload, in a file beside the image, so that the next call goes on where the last one was
 * killed. Lines of fields (base/fields.h):
 *
 *	kiln-upload 1
 *	disk FILE SHA256	which image: its file name and data digest
 *	request JSON		what StartSnapshot is sent, ClientToken and all: sent again it gives the same snapshot
 *	snapshot ID
 *	block NUMBER SHA256	the service has it; for each one, in any order
 *	complete		CompleteSnapshot has been accepted
 *	image ID
 *
 * The first three appear together, before anything is asked of EC2. Of the rest a line counts when it is whole; from the
 * first on that is none, the file is cut. What was done and not noted is done again, which changes nothing.
 */

struct journal_state {
	char *disk;			/* NULL: nothing has begun; so are the others */
	char data_sha256[65];
	char *request;
	char *snapshot;
	struct block_index sent;
	bool complete;
	char *image;
};
#define JOURNAL_STATE_INIT { .disk = NULL }
void journal_state_free(struct journal_state *state);
#define CLEANUP_JOURNAL_STATE __attribute__((cleanup(journal_state_free)))

/* Pure, fuzzed. *ret_valid: how many bytes of `text` count. A block noted with two digests counts as not sent.
 * ERROR_INPUT: it does not begin as a journal does. */
int journal_parse(const char *text, size_t size, const char *file, struct journal_state *ret, size_t *ret_valid,
		  struct error *err);

/* ---------------------------------------------------------------- the file */

struct journal;

/* Of an upload to `region` of what lies in `directory`, in which a directory of its own is made. ERROR_INPUT: another
 * process has it. */
int journal_open(const char *directory, const char *region, struct journal **ret, struct error *err);
void journal_free(struct journal *j);
void journal_freep(struct journal **j);
#define CLEANUP_JOURNAL __attribute__((cleanup(journal_freep)))
const struct journal_state *journal_state(const struct journal *j);
const char *journal_path(const struct journal *j);
/* Where the records of finished snapshots lie (block_index.h). */
const char *journal_directory(const struct journal *j);

/* Each notes one thing, in the file and in the state. What is noted by journal_block() is safe once the kernel has it, the
 * rest once the disk has it. ERROR_OUTSIDE (disk full): nothing is lost, what was not noted is done again. */
int journal_begin(struct journal *j, const char *disk, const char *data_sha256, const char *request,
		  struct error *err);
int journal_snapshot(struct journal *j, const char *id, struct error *err);
int journal_block(struct journal *j, uint32_t block, const uint8_t digest[static BLOCK_DIGEST_SIZE],
		  struct error *err);
/* None of the blocks counts as sent any more. */
int journal_forget_blocks(struct journal *j, struct error *err);
int journal_complete(struct journal *j, struct error *err);
int journal_image(struct journal *j, const char *id, struct error *err);
/* The upload has ended, one way or the other. */
int journal_remove(struct journal *j, struct error *err);

#endif
