/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"
#include "upload/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct journal_state *s, size_t valid, size_t size)
{
	if (valid > size || !s->disk || !s->request || (s->complete && !s->snapshot) || (s->image && !s->complete))
		abort();
	for (size_t i = 0; i < s->sent.count; i++)
		if (s->sent.entries[i].block >= BLOCK_COUNT_MAX ||
		    (i > 0 && s->sent.entries[i].block <= s->sent.entries[i - 1].block))
			abort();
}

/* What counts of a text counts as a text of its own, and says the same. */
static void check_again(const char *text, size_t valid, const struct journal_state *s)
{
	struct journal_state again = JOURNAL_STATE_INIT;
	struct error err = ERROR_INIT;
	size_t valid_again = 0;

	if (journal_parse(text, valid, "f", &again, &valid_again, &err) < 0 || valid_again != valid ||
	    again.sent.count != s->sent.count || again.complete != s->complete)
		abort();
	journal_state_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_state s = JOURNAL_STATE_INIT;
	struct error err = ERROR_INIT;
	size_t valid = 0;
	int r = journal_parse((const char *)data, size, "f", &s, &valid, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT))
		abort();
	if (r == 0) {
		check(&s, valid, size);
		check_again((const char *)data, valid, &s);
	}
	journal_state_free(&s);
	return 0;
}
