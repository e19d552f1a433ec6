/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "factory/base/io.h"
#include "factory/model/uploads.h"
#include "upload/block_index.h"
#include "upload/ebs.h"
#include "upload/ebs_page.h"
#include "upload/results.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_page(const uint8_t *data, size_t size, bool changed)
{
	CLEANUP_EBS_PAGE struct ebs_page p = EBS_PAGE_INIT;
	struct error err = ERROR_INIT;
	int r = ebs_page_parse(data, size, changed, 3, &p, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT) || (r < 0 && (p.items || p.next)))
		abort();
	for (size_t i = 0; i < p.count; i++)
		if (p.items[i].block < 3 || p.items[i].block >= BLOCK_COUNT_MAX || (!changed && !p.items[i].token) ||
		    (i > 0 && p.items[i].block <= p.items[i - 1].block))
			abort();
}

/* An id becomes the name of a file. */
static void check_start(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *id = NULL, *token = NULL, *parent = NULL;
	CLEANUP_FREE char *text = string_printf("%.*s", (int)size, (const char *)data);
	struct error err = ERROR_INIT;

	if (ebs_start_answer(data, size, &id, &err) == 0 && (strncmp(id, "snap-", 5) || strpbrk(id, "/.")))
		abort();
	if (ebs_start_read(text, &token, &parent, &err) == 0 && (!token || !parent))
		abort();
}

static void check_results(const uint8_t *data, size_t size)
{
	static const struct upload upload = { .region = (char *)"r", .image = (char *)"i", .snapshot = (char *)"s",
					      .name = (char *)"n" };
	CLEANUP_BUF struct buf once = BUF_INIT(1 << 24), twice = BUF_INIT(1 << 24);
	struct error err = ERROR_INIT;

	if (results_measurements(data, size, "f", &upload, &once, &err) < 0)
		return;
	if (results_measurements(once.data, once.len, "f", &upload, &twice, &err) < 0 || once.len != twice.len ||
	    memcmp(once.data, twice.data, once.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_page(data, size, false);
	check_page(data, size, true);
	check_start(data, size);
	check_results(data, size);
	return 0;
}
