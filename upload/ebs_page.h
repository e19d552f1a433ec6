/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_EBS_PAGE_H
#define KILN_UPLOAD_EBS_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/* A page of ListSnapshotBlocks or ListChangedBlocks. */
struct ebs_listed {
	uint32_t block;
	char *token;			/* by which GetSnapshotBlock is asked; NULL: the snapshot has no such block */
};
struct ebs_page {
	struct ebs_listed *items;	/* ascending */
	size_t count;
	char *next;			/* token of the next page; NULL: this is the last */
};
#define EBS_PAGE_INIT { .items = NULL }
void ebs_page_free(struct ebs_page *page);
#define CLEANUP_EBS_PAGE __attribute__((cleanup(ebs_page_free)))

/* Pure, fuzzed. `changed`: of ListChangedBlocks, whose second snapshot counts. `from`: blocks before it have been listed
 * already, and may not come again. */
int ebs_page_parse(const void *json, size_t size, bool changed, uint32_t from, struct ebs_page *ret, struct error *err);

#endif
