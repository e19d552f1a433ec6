/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/fields.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "journal.h"

#define FIELDS_MAX 3
#define HEAD_LINES 3

void journal_state_free(struct journal_state *state)
{
	free(state->disk);
	free(state->request);
	free(state->snapshot);
	free(state->image);
	block_index_free(&state->sent);
	*state = (struct journal_state) JOURNAL_STATE_INIT;
}

/* ---------------------------------------------------------------- lines */

/* Each takes the fields after the word; false: no such line can stand here. */

static bool take_disk(struct journal_state *s, char **fields)
{
	if (s->disk || !*fields[0] || strlen(fields[1]) != 64 || strspn(fields[1], "0123456789abcdef") != 64)
		return false;
	s->disk = string_copy(fields[0]);
	memcpy(s->data_sha256, fields[1], sizeof(s->data_sha256));
	return true;
}

static bool take_text(char **target, const char *text)
{
	if (*target || !*text)
		return false;
	*target = string_copy(text);
	return true;
}

static bool take_request(struct journal_state *s, char **fields)
{
	return s->disk && take_text(&s->request, fields[0]);
}

static bool take_snapshot(struct journal_state *s, char **fields)
{
	return take_text(&s->snapshot, fields[0]);
}

static bool take_block(struct journal_state *s, char **fields)
{
	uint8_t digest[BLOCK_DIGEST_SIZE];
	unsigned long block;
	char *end;

	block = strtoul(fields[0], &end, 10);
	if (!s->snapshot || fields[0][0] < '0' || fields[0][0] > '9' || *end || block >= BLOCK_COUNT_MAX ||
	    hex_decode(fields[1], digest, sizeof(digest)) < 0)
		return false;
	block_index_add(&s->sent, (uint32_t)block, digest);
	return true;
}

static bool take_complete(struct journal_state *s, char **fields)
{
	(void)fields;
	s->complete = s->snapshot;
	return s->complete;
}

static bool take_image(struct journal_state *s, char **fields)
{
	return s->complete && take_text(&s->image, fields[0]);
}

static const struct word {
	const char *word;
	int fields;			/* after it */
	bool (*take)(struct journal_state *s, char **fields);
} head[] = {
	{ "kiln-upload", 1, NULL },
	{ "disk", 2, take_disk },
	{ "request", 1, take_request },
}, body[] = {
	{ "snapshot", 1, take_snapshot },
	{ "block", 2, take_block },
	{ "complete", 0, take_complete },
	{ "image", 1, take_image },
};

static bool take_line(const struct word *w, struct journal_state *s, char **fields, int count)
{
	if (count != w->fields + 1 || strcmp(fields[0], w->word))
		return false;
	return w->take ? w->take(s, fields + 1) : strcmp(fields[1], "1") == 0;
}

static bool take_any(struct journal_state *s, char **fields, int count)
{
	for (size_t i = 0; i < ARRAY_SIZE(body); i++)
		if (take_line(&body[i], s, fields, count))
			return true;
	return false;
}

/* ---------------------------------------------------------------- all of them */

static int compare_entries(const void *a, const void *b)
{
	const struct block_entry *x = a, *y = b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return memcmp(x->digest, y->digest, BLOCK_DIGEST_SIZE);
}

/* Ascending, each block once; without those that are there with more than one digest. */
static void put_in_order(struct block_index *sent)
{
	size_t kept = 0;

	if (sent->count)
		qsort(sent->entries, sent->count, sizeof(*sent->entries), compare_entries);
	for (size_t i = 0, next; i < sent->count; i = next) {
		const struct block_entry *first = &sent->entries[i], *last;

		for (next = i + 1; next < sent->count && sent->entries[next].block == first->block; next++)
			;
		last = &sent->entries[next - 1];
		if (memcmp(first->digest, last->digest, BLOCK_DIGEST_SIZE) == 0)
			sent->entries[kept++] = *first;
	}
	sent->count = kept;
}

static int parse_lines(char *text, const char *file, struct journal_state *s, size_t *ret_valid, struct error *err)
{
	char *at = text, *fields[FIELDS_MAX];

	for (unsigned int line = 0;; line++) {
		int count;

		*ret_valid = (size_t)(at - text);
		count = strchr(at, '\n') ? fields_next(&at, fields, FIELDS_MAX) : 0;
		if (line < HEAD_LINES && (count <= 0 || !take_line(&head[line], s, fields, count)))
			return error_input(err, "%s is not the journal of an upload", file);
		if (line >= HEAD_LINES && (count <= 0 || !take_any(s, fields, count)))
			return 0;
	}
}

int journal_parse(const char *text, size_t size, const char *file, struct journal_state *ret, size_t *ret_valid,
		  struct error *err)
{
	CLEANUP_JOURNAL_STATE struct journal_state s = JOURNAL_STATE_INIT;
	CLEANUP_FREE char *copy = malloc(size + 1);
	int r;

	if (!copy)
		error_no_memory();
	/* What a crash of the machine left as NULs ends the text. */
	memcpy(copy, text, size);
	copy[size] = '\0';
	r = parse_lines(copy, file, &s, ret_valid, err);
	if (r < 0)
		return r;
	put_in_order(&s.sent);
	*ret = s;
	s = (struct journal_state) JOURNAL_STATE_INIT;
	return 0;
}
