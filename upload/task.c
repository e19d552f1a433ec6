/* SPDX-License-Identifier: Apache-2.0 */
#include "task.h"

#include <stdlib.h>

#include "../factory/model/manifest.h"
#include "journal.h"
#include "transfers.h"

void task_clear(struct task *t)
{
	/* Before the blocks of what is under way. */
	aws_free(t->aws);
	transfers_free(t->transfers);
	journal_free(t->journal);
	disk_close(&t->disk);
	tags_free(&t->tags);
	block_record_free(&t->parent);
	block_index_free(&t->plan);
	free(t->name);
	free(t->description);
	free(t->snapshot);
	free(t->image);
}

void task_image_request(const struct task *t, struct image_request *ret)
{
	*ret = (struct image_request){
		.name = t->name,
		.description = t->description,
		.architecture = image_architecture(t->disk.manifest->arch),
		.snapshot = t->snapshot,
		.gib = t->options->gib ? t->options->gib : t->disk.gib,
		.uefi_data = t->disk.uefi_data.len ? buf_text(&t->disk.uefi_data) : NULL,
		.tags = &t->tags,
	};
}
