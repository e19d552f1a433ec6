/* SPDX-License-Identifier: Apache-2.0 */
#include "explain.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "cache.h"
#include "cache_list.h"
#include "explain_inputs.h"

#define INPUTS_MAX ((size_t)1 << 30)

/* Replaces *best where this entry differs in no more; entries come in the order of their last use. */
static void consider(const struct cache_listed *listed, const struct cache_entry *e, size_t *best_count,
		     struct buf *best)
{
	CLEANUP_FREE char *path = path_join(listed->path, CACHE_INPUTS);
	CLEANUP_BUF struct buf inputs = BUF_INIT(INPUTS_MAX), text = BUF_INIT(SIZE_MAX);
	struct error err = ERROR_INIT;
	size_t count;

	if (io_read_file(path, INPUTS_MAX, &inputs, &err) < 0) {
		log_debug("%s", err.message);	/* another build removes it, or it is an older Kiln's */
		return;
	}
	count = explain_inputs(buf_text(&inputs), e->inputs, &text);
	if (count > *best_count)
		return;
	*best_count = count;
	buf_free(best);
	*best = text;
	text = (struct buf) BUF_INIT(SIZE_MAX);
}

int explain_entry(const char *cache, const struct cache_entry *e, struct buf *ret, struct error *err)
{
	CLEANUP_CACHE_LIST struct cache_list list = CACHE_LIST_INIT;
	CLEANUP_BUF struct buf best = BUF_INIT(SIZE_MAX);
	size_t best_count = SIZE_MAX;
	int r = cache_list_read(cache, e->stage, &list, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < list.count; i++)
		if (strcmp(list.items[i].key, e->key))
			consider(&list.items[i], e, &best_count, &best);
	if (buf_add_string(ret, best_count == SIZE_MAX ? "nothing cached\n" : buf_text(&best)) < 0)
		error_no_memory();
	return 0;
}

static void add_line(struct buf *ret, const char *stage, const char *verdict, const char *reason, size_t size)
{
	if (buf_printf(ret, "%-10s %-11s %.*s", stage, verdict, (int)size, reason) < 0)
		error_no_memory();
	while (ret->len && ret->data[ret->len - 1] == ' ')
		buf_truncate(ret, ret->len - 1);
	if (buf_add_string(ret, "\n") < 0)
		error_no_memory();
}

void explain_row(const char *stage, const char *verdict, const char *reasons, struct buf *ret)
{
	size_t size;

	if (!stage) {
		add_line(ret, "STAGE", "THIS BUILD", "BECAUSE", 7);
		return;
	}
	do {
		size = strcspn(reasons, "\n");
		add_line(ret, stage, verdict, reasons, size);
		reasons += size + (reasons[size] == '\n');
		stage = verdict = "";
	} while (*reasons);
}
